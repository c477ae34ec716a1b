/* SPDX-License-Identifier: MIT */
/*
 * text.c - escaping of store values. Two forms: our own, which keeps UTF-8, and the original
 * xenstore tools' (observed on Debian's xenstore-read, -ls and -write 4.17).
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include "die.h"
#include "text.h"

#define FOLD_MIN 20  /* columns; with fewer the terminal folds better */
#define FOLD_ROWS 6
#define WORST 4 /* bytes one byte may become */

static char *room_for(size_t len)
{
	char *out = malloc(len * WORST + 1);

	if (!out)
		cli_die(CLI_FAIL, "out of memory");
	return out;
}

size_t text_utf8_len(const unsigned char *s, size_t len)
{
	size_t need = s[0] < 0x80 ? 1 : s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	uint32_t c;

	if (need == 1)
		return 1;
	if (s[0] < 0xc2 || s[0] > 0xf4 || need > len)
		return 0;
	c = s[0] & (0x7f >> need);
	for (size_t i = 1; i < need; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if ((need == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000))) ||
	    (need == 4 && (c < 0x10000 || c > 0x10ffff)))
		return 0;
	return need;
}

/* One character at @s: its columns, its bytes in *@len. What is none is shown byte by byte. */
static int char_width(const char *s, size_t left, size_t *len)
{
	mbstate_t state = { 0 };
	wchar_t w = 0;
	size_t n = mbrtowc(&w, s, left, &state);
	int wide = n == 0 || n > left ? -1 : wcwidth(w);

	*len = wide < 0 ? 1 : n;
	return wide < 0 ? 1 : wide;
}

size_t text_fit(const char *s, int width)
{
	size_t at = 0;

	for (size_t left = strlen(s), n; at < left; at += n) {
		width -= char_width(s + at, left - at, &n);
		if (width < 0 && at)
			break;
	}
	return at;
}

int text_width(const char *s)
{
	int width = 0;

	for (size_t left = strlen(s), n; left; s += n, left -= n)
		width += char_width(s, left, &n);
	return width;
}

void text_fold(FILE *f, const char *text, int at, int width)
{
	if (width - at < FOLD_MIN) {
		fputs(text, f);
		return;
	}
	for (int row = 1; *text; row++) {
		size_t n = text_fit(text, width - at);

		if (row > 1)
			fprintf(f, "\n%*s", at, "");
		if (row == FOLD_ROWS && text[n]) {
			fprintf(f, "... (%zu more)", strlen(text));
			return;
		}
		fprintf(f, "%.*s", (int)n, text);
		text += n;
	}
}

int text_terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0)
		return 0;
	return size.ws_col ? size.ws_col : 80;
}

bool text_is_text(const void *data, size_t len)
{
	const unsigned char *s = data;

	for (size_t i = 0, n; i < len; i += n) {
		n = text_utf8_len(s + i, len - i);
		if (!n)
			return false;
		if ((s[i] < 0x20 && !strchr("\t\n\r", s[i])) || s[i] == '\0' || s[i] == 0x7f)
			return false;
	}
	return true;
}

/* The short escapes both forms share. */
static char short_escape(unsigned char c)
{
	switch (c) {
	case '\n':
		return 'n';
	case '\r':
		return 'r';
	case '\t':
		return 't';
	case '\\':
		return '\\';
	default:
		return '\0';
	}
}

char *text_escape(const void *data, size_t len)
{
	const unsigned char *s = data;
	char *out = room_for(len), *p = out;

	for (size_t i = 0, n; i < len; i += n) {
		n = text_utf8_len(s + i, len - i);
		if (n > 1 && !(s[i] == 0xc2 && s[i + 1] < 0xa0)) {
			memcpy(p, s + i, n);
			p += n;
			continue;
		}
		n = 1;
		if (short_escape(s[i]))
			p += sprintf(p, "\\%c", short_escape(s[i]));
		else if (s[i] < 0x20 || s[i] >= 0x7f)
			p += sprintf(p, "\\x%02x", s[i]);
		else
			*p++ = s[i];
	}
	*p = '\0';
	return out;
}

char *text_escape_xenstore(const void *data, size_t len)
{
	const unsigned char *s = data;
	char *out = room_for(len), *p = out;

	for (size_t i = 0; i < len; i++) {
		if (short_escape(s[i]))
			p += sprintf(p, "\\%c", short_escape(s[i]));
		else if (s[i] < 010)
			p += sprintf(p, "\\%03o", s[i]);
		else if (s[i] < 0x20 || s[i] >= 0x7f)
			p += sprintf(p, "\\x%02x", s[i]);
		else
			*p++ = s[i];
	}
	*p = '\0';
	return out;
}

/* Up to @max digits of base @base. */
static unsigned char number(const char **s, int base, int max)
{
	char digits[4] = "";
	char *end;
	unsigned long n;

	for (int i = 0; i < max && (*s)[i]; i++)
		digits[i] = (*s)[i];
	/* strtoul would also take blanks and signs */
	if (strspn(digits, base == 8 ? "01234567" : "0123456789abcdefABCDEF") == 0)
		return 0;
	digits[strspn(digits, base == 8 ? "01234567" : "0123456789abcdefABCDEF")] = '\0';
	n = strtoul(digits, &end, base);
	*s += end - digits;
	return n;
}

static unsigned char unescape_one(const char **s)
{
	const char *start = *s;
	char c = *(*s)++;
	unsigned char n;

	switch (c) {
	case 'n':
		return '\n';
	case 'r':
		return '\r';
	case 't':
		return '\t';
	case 'x':
		n = number(s, 16, 2);
		return *s == start + 1 ? 'x' : n;
	case '\0':
		(*s)--;
		return '\0';
	default:
		if (c < '0' || c > '7')
			return c;
		*s = start;
		return number(s, 8, 3);
	}
}

long text_unescape_xenstore(char *s)
{
	const char *from = s;
	char *to = s;

	while (*from) {
		if (*from == '\\') {
			from++;
			*to++ = unescape_one(&from);
		} else {
			*to++ = *from++;
		}
	}
	return to - s;
}
