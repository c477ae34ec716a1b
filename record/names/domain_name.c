/* SPDX-License-Identifier: MIT */
/* domain_name.c - see domain_name.h. */
#include "domain_name.h"

#include <ctype.h>
#include <string.h>

static const struct {
	char byte;
	const char *code;
} escapes[] = { { '.', "@2e" }, { '+', "@2b" } };

#define NR_ESCAPES (sizeof(escapes) / sizeof(escapes[0]))
#define CODE_LEN 3

const char *domain_name_problem(const char *name)
{
	bool only_digits = true;

	if (!*name)
		return "is empty";
	if (strlen(name) > DOMAIN_NAME_MAX)
		return "is longer than 64 characters";
	for (const char *s = name; *s; s++) {
		if (!isascii((unsigned char)*s) ||
		    (!isalnum((unsigned char)*s) && !strchr("-_.+", *s)))
			return "has a character that names cannot have: "
			       "use letters, digits, '-', '_', '.' and '+'";
		only_digits = only_digits && isdigit((unsigned char)*s);
	}
	if (name[0] == '.')
		return "begins with '.'";
	if (only_digits)
		return "is a number, which would be taken for a domain ID: add a letter";
	if (strcmp(name, "Domain-0") == 0)
		return "belongs to the host's own domain";
	return NULL;
}

static const char *code_of(char byte)
{
	for (size_t i = 0; i < NR_ESCAPES; i++)
		if (escapes[i].byte == byte)
			return escapes[i].code;
	return NULL;
}

bool domain_name_path(const char *path, char *out, size_t size)
{
	size_t n = 0;

	for (; *path; path++) {
		const char *code = code_of(*path);
		size_t len = code ? CODE_LEN : 1;

		if (n + len >= size) {
			out[0] = '\0';
			return false;
		}
		memcpy(out + n, code ? code : path, len);
		n += len;
	}
	out[n] = '\0';
	return true;
}

bool domain_name_of_key(const char *key, char name[DOMAIN_NAME_MAX + 1])
{
	size_t n = 0;

	while (*key) {
		size_t i = 0;

		if (n == DOMAIN_NAME_MAX)
			return false;
		while (i < NR_ESCAPES && strncmp(key, escapes[i].code, CODE_LEN) != 0)
			i++;
		if (i == NR_ESCAPES && (*key == '@' || code_of(*key)))
			return false;
		name[n++] = i < NR_ESCAPES ? escapes[i].byte : *key;
		key += i < NR_ESCAPES ? CODE_LEN : 1;
	}
	name[n] = '\0';
	return n > 0;
}
