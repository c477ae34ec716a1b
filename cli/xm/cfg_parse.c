/* SPDX-License-Identifier: MIT */
/*
 * cfg_parse.c - the grammar of configuration files, by recursive descent (depth is bounded).
 *
 *   file    = { statement } ;  statement = KEY ( "=" | "+=" ) value ( newline | ";" )
 *   value   = string | integer | True | False | None | "[" [ value { "," value } [","] ] "]" | "("
 * .. ")"
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfg.h"
#include "cfg_store.h"

#define KEY_MAX_LEN 63

struct parser {
	struct cfg *cfg;
	struct cfg_error *err;
	const char *source;
	const char *text;
	size_t len, at;
	int line, col;
};

static int parse_value(struct parser *p, const char *key, int depth, struct cfg_value *value);

static int peek(const struct parser *p)
{
	return p->at < p->len ? (unsigned char)p->text[p->at] : EOF;
}

static int peek_after(const struct parser *p, size_t n)
{
	return n < p->len - p->at ? (unsigned char)p->text[p->at + n] : EOF;
}

static void advance(struct parser *p)
{
	if (p->text[p->at] == '\n') {
		p->line++;
		p->col = 1;
	} else {
		p->col++;
	}
	p->at++;
}

static struct cfg_pos here(const struct parser *p)
{
	return (struct cfg_pos){p->source, p->line, p->col};
}

/* Blanks, comments and continued lines; line ends too when @lines (inside brackets). */
static void skip_blank(struct parser *p, bool lines)
{
	int c;

	while ((c = peek(p)) != EOF) {
		if (c == '#') {
			while (peek(p) != EOF && peek(p) != '\n')
				advance(p);
		} else if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n')) {
			advance(p);
		} else if (c == '\\' && peek_after(p, 1) == '\n') {
			advance(p);
			advance(p);
		} else if (c == '\\' && peek_after(p, 1) == '\r' && peek_after(p, 2) == '\n') {
			advance(p);
			advance(p);
			advance(p);
		} else {
			return;
		}
	}
}

static bool is_word(int c)
{
	return c != EOF && (isalnum(c) || c == '_');
}

/* Copies an identifier; 0 when there is none or it is too long to be one. */
static size_t take_word(struct parser *p, char word[KEY_MAX_LEN + 1])
{
	size_t n = 0;

	while (is_word(peek(p)) && n < KEY_MAX_LEN) {
		word[n++] = (char)peek(p);
		advance(p);
	}
	word[n] = '\0';
	return is_word(peek(p)) ? 0 : n;
}

static const char *describe(int c, char buf[16])
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
	int c = peek(p), value = 0;
	const char *known = c == EOF || c == 0 ? NULL : strchr(from, c);

	if (known) {
		advance(p);
		return (unsigned char)to[known - from];
	}
	if (c == 'x' && hex_digit(peek_after(p, 1)) >= 0 && hex_digit(peek_after(p, 2)) >= 0) {
		value = hex_digit(peek_after(p, 1)) * 16 + hex_digit(peek_after(p, 2));
		advance(p);
		advance(p);
		advance(p);
		return value;
	}
	if (c < '0' || c > '7')
		return -EINVAL;
	for (int i = 0; i < 3 && peek(p) >= '0' && peek(p) <= '7'; i++) {
		value = value * 8 + peek(p) - '0';
		advance(p);
	}
	return value & 0xff;
}

static int string_error(struct parser *p, const char *key, const struct cfg_pos *open, int c)
{
	struct cfg_pos pos = here(p);
	char buf[16];

	if (c == EOF || c == '\n')
		cfg_error_at(p->err, open,
			     "%s: the string that opens here is not closed on its line", key);
	else
		cfg_error_at(p->err, &pos, "%s: %s cannot stand in a string", key,
			     describe(c, buf));
	return -EINVAL;
}

/* One byte of string content into @out; -EINVAL after reporting. */
static int take_char(struct parser *p, const char *key, const struct cfg_pos *open, bool lines,
		     char *out)
{
	struct cfg_pos pos = here(p);
	int c = peek(p);

	if (c == EOF || (c == '\n' && !lines))
		return string_error(p, key, open, c);
	if (c == '\\') {
		advance(p);
		if (peek(p) == '\n') { /* Python: a continued string */
			advance(p);
			return 0;
		}
		c = take_escape(p);
		if (c <= 0) {
			cfg_error_at(p->err, &pos,
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
	advance(p);
	return 1;
}

static bool at_quotes(const struct parser *p, int quote, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (peek_after(p, i) != quote)
			return false;
	return true;
}

static int parse_string(struct parser *p, const char *key, struct cfg_value *value)
{
	struct cfg_pos open = here(p);
	int quote = peek(p);
	size_t n_quotes = at_quotes(p, quote, 3) ? 3 : 1, n = 0;
	/* The content cannot be longer than what is left of the text. */
	char *text = malloc(p->len - p->at + 1);

	if (!text)
		return -ENOMEM;
	for (size_t i = 0; i < n_quotes; i++)
		advance(p);
	while (!at_quotes(p, quote, n_quotes)) {
		int took = take_char(p, key, &open, n_quotes == 3, &text[n]);

		if (took < 0) {
			free(text);
			return took;
		}
		n += (size_t)took;
	}
	for (size_t i = 0; i < n_quotes; i++)
		advance(p);
	value->text = strndup(text, n);
	free(text);
	value->type = CFG_STRING;
	return value->text ? 0 : -ENOMEM;
}

static int parse_number(struct parser *p, const char *key, struct cfg_value *value)
{
	struct cfg_pos pos = here(p);
	char text[32], *end;
	size_t n = 0;

	while (n < sizeof(text) - 1 &&
	       (is_word(peek(p)) || peek(p) == '.' || (n == 0 && strchr("+-", peek(p))))) {
		text[n++] = (char)peek(p);
		advance(p);
	}
	text[n] = '\0';
	errno = 0;
	value->num = strtoll(text, &end, 0);
	if (*end || errno || end == text) {
		cfg_error_at(p->err, &pos, "%s: '%s' is not a whole number; quote it if it is text",
			     key, text);
		return -EINVAL;
	}
	value->text = strdup(text);
	value->type = CFG_INT;
	return value->text ? 0 : -ENOMEM;
}

static int parse_list(struct parser *p, const char *key, int depth, struct cfg_value *value)
{
	struct cfg_pos open = here(p);
	int close = peek(p) == '[' ? ']' : ')';
	struct cfg_value item = {0};
	char buf[16];
	int ret;

	value->type = CFG_LIST;
	if (depth >= CFG_DEPTH_MAX) {
		cfg_error_at(p->err, &open, "%s: lists inside lists go %d deep at most", key,
			     CFG_DEPTH_MAX);
		return -EINVAL;
	}
	advance(p);
	for (;;) {
		skip_blank(p, true);
		if (peek(p) == close) {
			advance(p);
			return 0;
		}
		if (peek(p) == EOF) {
			cfg_error_at(p->err, &open,
				     "%s: the list that opens here is not closed: "
				     "'%c' is missing",
				     key, close);
			return -EINVAL;
		}
		ret = parse_value(p, key, depth + 1, &item);
		if (!ret)
			ret = cfg_list_add(value, &item);
		if (ret) {
			cfg_value_fini(&item);
			return ret;
		}
		skip_blank(p, true);
		if (peek(p) == ',') {
			advance(p);
		} else if (peek(p) != close && peek(p) != EOF) {
			struct cfg_pos pos = here(p);

			cfg_error_at(p->err, &pos, "%s: ',' or '%c' is missing before %s", key,
				     close, describe(peek(p), buf));
			return -EINVAL;
		}
	}
}

static int parse_word(struct parser *p, const char *key, struct cfg_value *value)
{
	struct cfg_pos pos = here(p);
	char word[KEY_MAX_LEN + 1];

	if (!take_word(p, word)) {
		cfg_error_at(p->err, &pos, "%s: the value must be a string, a number or a list",
			     key);
		return -EINVAL;
	}
	if (strcmp(word, "None") == 0)
		return 0;
	if (strcmp(word, "True") != 0 && strcmp(word, "False") != 0) {
		cfg_error_at(p->err, &pos,
			     "%s: '%s' is not a literal: put text in quotes (%s = '%s'); "
			     "Python code in configuration files is not run",
			     key, word, key, word);
		return -EINVAL;
	}
	value->type = CFG_INT;
	value->num = word[0] == 'T';
	value->text = strdup(value->num ? "1" : "0");
	return value->text ? 0 : -ENOMEM;
}

static int parse_value(struct parser *p, const char *key, int depth, struct cfg_value *value)
{
	struct cfg_pos pos = here(p);
	int c = peek(p);
	char buf[16];

	value->pos = pos;
	if (c == '"' || c == '\'')
		return parse_string(p, key, value);
	if (c == '[' || c == '(')
		return parse_list(p, key, depth, value);
	if (c != EOF && (isdigit(c) || c == '-' || c == '+'))
		return parse_number(p, key, value);
	if (is_word(c))
		return parse_word(p, key, value);
	cfg_error_at(p->err, &pos, "%s: a value is missing before %s", key, describe(c, buf));
	return -EINVAL;
}

/* The rest of a statement's line must be empty; says what Python people and xl people got wrong. */
static int expect_end(struct parser *p, const char *key)
{
	struct cfg_pos pos;
	char buf[16];
	int c;

	skip_blank(p, false);
	c = peek(p);
	if (c == EOF)
		return 0;
	if (c == '\n' || c == ';') {
		advance(p);
		return 0;
	}
	pos = here(p);
	if (strchr("+%.*/(", c))
		cfg_error_at(p->err, &pos,
			     "%s: %s starts an expression: only literal values are read, "
			     "Python code in configuration files is not run",
			     key, describe(c, buf));
	else
		cfg_error_at(p->err, &pos, "%s: %s after the value; one setting a line", key,
			     describe(c, buf));
	return -EINVAL;
}

static bool is_python_keyword(const char *word)
{
	static const char *const keywords[] = {"import", "from", "def",	  "if",	    "for",  "while",
					       "print",	 "try",	 "class", "return", "else", "elif"};

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (strcmp(word, keywords[i]) == 0)
			return true;
	return false;
}

static int statement_error(struct parser *p, const struct cfg_pos *pos, const char *word)
{
	char buf[16];

	if (!word[0])
		cfg_error_at(p->err, pos, "a line must be KEY = VALUE, not start with %s",
			     describe(peek(p), buf));
	else if (is_python_keyword(word))
		cfg_error_at(p->err, pos,
			     "'%s' is Python code, which is not run: only KEY = VALUE "
			     "lines with literal values are read",
			     word);
	else
		cfg_error_at(p->err, pos, "%s: '=' is missing before %s", word,
			     describe(peek(p), buf));
	return -EINVAL;
}

static int parse_statement(struct parser *p)
{
	struct cfg_pos pos = here(p);
	struct cfg_value value = {0};
	char key[KEY_MAX_LEN + 1];
	bool append;
	int ret;

	if (peek(p) == EOF || isdigit(peek(p)) || !take_word(p, key))
		return statement_error(p, &pos, "");
	skip_blank(p, false);
	append = peek(p) == '+' && peek_after(p, 1) == '=';
	if (append)
		advance(p);
	if (peek(p) != '=' || peek_after(p, 1) == '=') {
		struct cfg_pos missing = here(p);

		return statement_error(p, is_python_keyword(key) ? &pos : &missing, key);
	}
	advance(p);
	skip_blank(p, false);
	ret = parse_value(p, key, 0, &value);
	if (!ret)
		ret = expect_end(p, key);
	if (!ret)
		ret = cfg_store_set(p->cfg, key, &pos, append, &value, p->err);
	cfg_value_fini(&value);
	return ret;
}

int cfg_parse(struct cfg *cfg, const char *source, const char *text, size_t len,
	      struct cfg_error *err)
{
	struct parser p = {.cfg = cfg, .err = err, .text = text, .len = len, .line = 1, .col = 1};
	int ret = 0;

	snprintf(err->text, sizeof(err->text), "out of memory");
	if (len > CFG_TEXT_MAX) {
		snprintf(err->text, sizeof(err->text),
			 "%.400s: %zu bytes are too many for a "
			 "configuration (limit %d)",
			 source, len, CFG_TEXT_MAX);
		return -E2BIG;
	}
	p.source = cfg_store_source(cfg, source);
	if (!p.source)
		return -ENOMEM;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		p.at = 3; /* an editor's byte order mark */
	while (!ret) {
		skip_blank(&p, true);
		if (peek(&p) == EOF)
			break;
		if (peek(&p) == ';')
			advance(&p);
		else
			ret = parse_statement(&p);
	}
	return ret;
}

/* The value of an argument: a literal if it looks like one, else the word itself. */
static int override_value(struct parser *p, const char *key, struct cfg_value *value)
{
	const char *text = p->text + p->at;
	bool number;
	char *end;
	int ret;

	strtoll(text, &end, 0);
	number = end != text && !*end && !isspace((unsigned char)*text);
	value->pos = here(p);
	if (*text == '"' || *text == '\'' || *text == '[' || *text == '(' || number) {
		ret = parse_value(p, key, 0, value);
		return ret ? ret : expect_end(p, key);
	}
	value->type = CFG_STRING;
	value->text = strdup(text);
	return value->text ? 0 : -ENOMEM;
}

int cfg_override(struct cfg *cfg, const char *arg, struct cfg_error *err)
{
	struct parser p = {.cfg = cfg, .err = err, .text = arg, .len = strlen(arg)};
	struct cfg_value value = {0};
	struct cfg_pos pos = {arg, 0, 0};
	char key[KEY_MAX_LEN + 1];
	int ret;

	snprintf(err->text, sizeof(err->text), "out of memory");
	if (p.len > CFG_TEXT_MAX)
		return -E2BIG;
	p.source = cfg_store_source(cfg, arg);
	if (!p.source)
		return -ENOMEM;
	if (!take_word(&p, key) || peek(&p) != '=') {
		cfg_error_at(err, &pos, "expected KEY=VALUE");
		return -EINVAL;
	}
	advance(&p);
	p.line = 0;
	pos.source = p.source;
	ret = override_value(&p, key, &value);
	if (!ret)
		ret = cfg_store_set(cfg, key, &pos, false, &value, err);
	cfg_value_fini(&value);
	return ret;
}
