/* SPDX-License-Identifier: MIT */
/* cmdline.c - words, values and sizes of a boot command line. */
#include "lib/cmdline.h"
#include "lib/string.h"

bool cmdline_next(const char **line, char *word, size_t size)
{
	const char *s = *line;
	size_t n = 0;

	while (*s == ' ' || *s == '\t' || *s == '\n')
		s++;
	for (; *s && *s != ' ' && *s != '\t' && *s != '\n'; s++)
		if (n + 1 < size)
			word[n++] = *s;
	word[n] = '\0';
	*line = s;
	return n != 0;
}

const char *cmdline_value(const char *word, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(word, name, len))
		return NULL;
	if (word[len] == '\0')
		return word + len;
	return word[len] == '=' ? word + len + 1 : NULL;
}

static int suffix_shift(char c)
{
	switch (c) {
	case 'b':
	case 'B':
		return 0;
	case '\0':
	case ',':
	case 'k':
	case 'K':
		return 10;
	case 'm':
	case 'M':
		return 20;
	case 'g':
	case 'G':
		return 30;
	case 't':
	case 'T':
		return 40;
	default:
		return -1;
	}
}

bool cmdline_size(const char *text, u64 *bytes)
{
	const char *end;
	u64 v = strtou64(text, &end);
	int shift = suffix_shift(*end);

	if (end == text || shift < 0 || v > ~0ULL >> shift)
		return false;
	if (*end && *end != ',' && end[1] && end[1] != ',')
		return false;
	*bytes = v << shift;
	return true;
}
