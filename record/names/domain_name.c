/* SPDX-License-Identifier: MIT */
/* domain_name.c - see domain_name.h. */
#include "domain_name.h"

#include <ctype.h>
#include <string.h>

#include "code.h"

/* What a name may have and a path of the store may not. */
static bool is_coded(int byte)
{
	return byte == '.' || byte == '+';
}

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

bool domain_name_path(const char *path, char *out, size_t size)
{
	size_t n = 0;

	for (; *path; path++) {
		size_t len = is_coded(*path) ? CODE_LEN : 1;

		if (n + len >= size) {
			out[0] = '\0';
			return false;
		}
		if (is_coded(*path))
			code_put(out + n, (unsigned char)*path);
		else
			out[n] = *path;
		n += len;
	}
	out[n] = '\0';
	return true;
}

bool domain_name_of_key(const char *key, char name[DOMAIN_NAME_MAX + 1])
{
	size_t n = 0;

	while (*key) {
		int byte = *key == '@' ? code_byte(key + 1) : *key;

		if (n == DOMAIN_NAME_MAX || is_coded(byte) != (*key == '@'))
			return false;
		name[n++] = (char)byte;
		key += *key == '@' ? CODE_LEN : 1;
	}
	name[n] = '\0';
	return n > 0;
}
