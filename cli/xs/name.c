/* SPDX-License-Identifier: MIT */
/* name.c - see name.h. */
#include "name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "code.h"
#include "die.h"
#include "text.h"

#define UTF8_MAX 4
/* What a path, a pattern, a condition or a line of output means something else by. */
#define NOT_SHOWN "/*=!\\"

/*
 * What an '@' before @hex begins the code of: the byte, or -1 if it is just an '@'. @first: it is
 * the name's first character. Of "@40" only where an '@' there would begin a code.
 */
static int code_at(const char *hex, bool first)
{
	int byte = code_byte(hex);

	if (byte < 0)
		return -1;
	if (byte == 0)
		return first && !hex[2] ? 0 : -1;
	if (byte == '@')
		return code_at(hex + 2, first) < 0 ? -1 : byte;
	return code_is_plain((unsigned char)byte) ? -1 : byte;
}

char *name_encode(const char *name)
{
	char *out = must(malloc(CODE_LEN * strlen(name) + CODE_LEN + 1)), *to = out;

	if (!*name)
		to = code_put(to, 0);
	for (const char *s = name; *s; s++) {
		if (!code_is_plain((unsigned char)*s) ||
		    (*s == '@' && code_at(s + 1, s == name) >= 0))
			to = code_put(to, (unsigned char)*s);
		else
			*to++ = *s;
	}
	*to = '\0';
	return out;
}

bool name_is_plain(const char *name)
{
	const char *s = name;

	while (code_is_plain((unsigned char)*s) && *s != '@')
		s++;
	return !*s && s != name;
}

static bool is_utf8(const char *s)
{
	size_t left = strlen(s), len = 1;

	for (; left && len; s += len, left -= len)
		len = text_utf8_len((const unsigned char *)s, left);
	return left == 0 && len;
}

char *name_decode(const char *name)
{
	char *out = must(malloc(strlen(name) + 1)), *to = out;

	for (const char *s = name; *s; s++) {
		int byte = *s == '@' ? code_at(s + 1, s == name) : -1;

		if (byte >= 0)
			s += CODE_LEN - 1;
		*to++ = (char)(byte >= 0 ? byte : *s);
	}
	*to = '\0';
	if (is_utf8(out))
		return out;
	free(out);
	return NULL;
}

char *name_typed(const char *path)
{
	char *out = must(malloc(CODE_LEN * strlen(path) + 1)), *to = out;

	for (const char *s = path; *s; s++) {
		if (code_is_plain((unsigned char)*s) || *s == '/' || *s == '*')
			*to++ = *s;
		else
			to = code_put(to, (unsigned char)*s);
	}
	*to = '\0';
	return out;
}

/* One character whose bytes are the codes at @s, into @out. Returns how many codes; 0: none. */
static size_t shown_char(const char *s, char out[UTF8_MAX + 1])
{
	size_t nr = 0, len;
	char *text;
	bool same;
	int byte;

	while (nr < UTF8_MAX && s[CODE_LEN * nr] == '@') {
		byte = code_byte(s + CODE_LEN * nr + 1);
		if (byte <= 0 || code_is_plain((unsigned char)byte) || strchr(NOT_SHOWN, byte))
			break;
		out[nr++] = (char)byte;
	}
	len = nr ? text_utf8_len((const unsigned char *)out, nr) : 0;
	out[len] = '\0';
	/* nothing that harms a terminal, or is shown as something else */
	text = text_escape(out, len);
	same = strcmp(text, out) == 0;
	free(text);
	return same ? len : 0;
}

char *name_shown(const char *path)
{
	char *out = must(malloc(strlen(path) + 1)), *to = out;
	char bytes[UTF8_MAX + 1];

	for (const char *s = path; *s;) {
		size_t nr = *s == '@' ? shown_char(s, bytes) : 0;

		if (nr)
			to = mempcpy(to, bytes, nr);
		else
			*to++ = *s;
		s += nr ? CODE_LEN * nr : 1;
	}
	*to = '\0';
	return out;
}
