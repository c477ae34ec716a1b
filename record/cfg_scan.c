/* SPDX-License-Identifier: MIT */
/*
 * cfg_scan.c - see cfg_scan.h. Never reads past p->len, whatever the bytes are.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cfg_scan.h"

int scan_peek(const struct parser *p)
{
	return p->at < p->len ? (unsigned char)p->text[p->at] : EOF;
}

int scan_peek_after(const struct parser *p, size_t n)
{
	return n < p->len - p->at ? (unsigned char)p->text[p->at + n] : EOF;
}

void scan_advance(struct parser *p)
{
	if (p->text[p->at] == '\n') {
		p->line++;
		p->col = 1;
	} else {
		p->col++;
	}
	p->at++;
}

struct cfg_pos scan_here(const struct parser *p)
{
	return (struct cfg_pos){ p->source, p->line, p->col };
}

void scan_skip(struct parser *p, bool lines)
{
	int c;

	while ((c = scan_peek(p)) != EOF) {
		if (c == '#') {
			while (scan_peek(p) != EOF && scan_peek(p) != '\n')
				scan_advance(p);
		} else if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n')) {
			scan_advance(p);
		} else if (c == '\\' && scan_peek_after(p, 1) == '\n') {
			scan_advance(p);
			scan_advance(p);
		} else if (c == '\\' && scan_peek_after(p, 1) == '\r' &&
			   scan_peek_after(p, 2) == '\n') {
			scan_advance(p);
			scan_advance(p);
			scan_advance(p);
		} else {
			return;
		}
	}
}

bool scan_is_word(int c)
{
	return c != EOF && (isalnum(c) || c == '_');
}

size_t scan_word(struct parser *p, char word[KEY_MAX_LEN + 1])
{
	size_t n = 0;

	while ((scan_is_word(scan_peek(p)) || (p->dotted && scan_peek(p) == '.')) && n < KEY_MAX_LEN) {
		word[n++] = (char)scan_peek(p);
		scan_advance(p);
	}
	word[n] = '\0';
	return scan_is_word(scan_peek(p)) ? 0 : n;
}

const char *scan_describe(int c, char buf[16])
{
	if (c == EOF)
		return "the end of the file";
	if (c == '\n')
		return "the end of the line";
	if (c >= 0x20 && c < 0x7f)
		snprintf(buf, 16, "'%c'", c);
	else
		snprintf(buf, 16, "byte 0x%02x", (unsigned int)c & 0xff);
	return buf;
}

static int hex_digit(int c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* After a backslash: the byte it stands for, or -EINVAL with the parser left on the culprit. */
static int take_escape(struct parser *p)
{
	static const char from[] = "abfnrtv\\'\"", to[] = "\a\b\f\n\r\t\v\\'\"";
	int c = scan_peek(p), value = 0;
	const char *known = c == EOF || c == 0 ? NULL : strchr(from, c);

	if (known) {
		scan_advance(p);
		return (unsigned char)to[known - from];
	}
	if (c == 'x' && hex_digit(scan_peek_after(p, 1)) >= 0 &&
	    hex_digit(scan_peek_after(p, 2)) >= 0) {
		value = hex_digit(scan_peek_after(p, 1)) * 16 + hex_digit(scan_peek_after(p, 2));
		scan_advance(p);
		scan_advance(p);
		scan_advance(p);
		return value;
	}
	if (c < '0' || c > '7')
		return -EINVAL;
	for (int i = 0; i < 3 && scan_peek(p) >= '0' && scan_peek(p) <= '7'; i++) {
		value = value * 8 + scan_peek(p) - '0';
		scan_advance(p);
	}
	return value & 0xff;
}

static int string_error(struct parser *p, const char *key, const struct cfg_pos *open, int c)
{
	struct cfg_pos pos = scan_here(p);
	char buf[16];

	if (c == EOF || c == '\n')
		cfg_error_at(p->rep, open,
			     "%s: the string that opens here is not closed on its line", key);
	else
		cfg_error_at(p->rep, &pos, "%s: %s cannot stand in a string", key,
			     scan_describe(c, buf));
	return -EINVAL;
}

/* The bytes of a line's end here, as any editor writes it; 0: there is none. */
static size_t line_end(const struct parser *p)
{
	if (scan_peek(p) == '\r' && scan_peek_after(p, 1) == '\n')
		return 2;
	return scan_peek(p) == '\n';
}

/* One byte of string content into @out; -EINVAL after reporting. */
static int take_char(struct parser *p, const char *key, const struct cfg_pos *open, bool lines,
		     char *out)
{
	struct cfg_pos pos = scan_here(p);
	int c;

	if (line_end(p) == 2)
		scan_advance(p); /* of a file with CRLF, which Python reads as LF */
	c = scan_peek(p);
	if (c == EOF || (c == '\n' && !lines))
		return string_error(p, key, open, c);
	if (c == '\\') {
		scan_advance(p);
		if (line_end(p)) { /* Python: a continued string */
			for (size_t n = line_end(p); n; n--)
				scan_advance(p);
			return 0;
		}
		c = take_escape(p);
		if (c <= 0) {
			cfg_error_at(p->rep, &pos,
				     "%s: unknown escape in a string; write \\\\ for a "
				     "backslash",
				     key);
			return -EINVAL;
		}
		*out = (char)c;
		return 1;
	}
	if (c == 0 || c == 0x7f || (c < 0x20 && c != '\t' && c != '\n'))
		return string_error(p, key, open, c);
	*out = (char)c;
	scan_advance(p);
	return 1;
}

static bool at_quotes(const struct parser *p, int quote, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (scan_peek_after(p, i) != quote)
			return false;
	return true;
}

int scan_string(struct parser *p, const char *key, struct cfg_value *value)
{
	struct cfg_pos open = scan_here(p);
	int quote = scan_peek(p);
	size_t n_quotes = at_quotes(p, quote, 3) ? 3 : 1, n = 0;
	/* The content cannot be longer than what is left of the text. */
	char *text = malloc(p->len - p->at + 1);

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < n_quotes; i++)
		scan_advance(p);
	while (!at_quotes(p, quote, n_quotes)) {
		int took = take_char(p, key, &open, n_quotes == 3, &text[n]);

		if (took < 0) {
			free(text);
			return took;
		}
		n += (size_t)took;
	}
	for (size_t i = 0; i < n_quotes; i++)
		scan_advance(p);
	value->text = strndup(text, n);
	free(text);
	value->type = CFG_STRING;
	return value->text ? 0 : -ENOMEM;
}

int scan_number(struct parser *p, const char *key, struct cfg_value *value)
{
	struct cfg_pos pos = scan_here(p);
	char text[32], *end;
	size_t n = 0;

	while (n < sizeof(text) - 1 && (scan_is_word(scan_peek(p)) || scan_peek(p) == '.' ||
					(n == 0 && strchr("+-", scan_peek(p))))) {
		text[n++] = (char)scan_peek(p);
		scan_advance(p);
	}
	text[n] = '\0';
	errno = 0;
	value->num = strtoll(text, &end, 0);
	if (*end || errno || end == text) {
		cfg_error_at(p->rep, &pos, "%s: '%s' is not a whole number; quote it if it is text",
			     key, text);
		return -EINVAL;
	}
	value->text = strdup(text);
	value->type = CFG_INT;
	return value->text ? 0 : -ENOMEM;
}
