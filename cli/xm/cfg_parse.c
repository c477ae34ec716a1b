/* SPDX-License-Identifier: MIT */
/*
 * cfg_parse.c - the grammar of configuration files, by recursive descent (depth is bounded).
 *
 *   file    = { statement } ;  statement = KEY ( "=" | "+=" ) value ( newline | ";" )
 *   value   = string | integer | True | False | None | "[" items "]" | "(" items ")"
 *   items   = [ value { "," value } [","] ]
 */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cfg.h"
#include "cfg_scan.h"
#include "cfg_store.h"
#include "sxp.h"

static int parse_value(struct parser *p, const char *key, int depth, struct cfg_value *value);

static int parse_list(struct parser *p, const char *key, int depth, struct cfg_value *value)
{
	struct cfg_pos open = scan_here(p);
	int close = scan_peek(p) == '[' ? ']' : ')';
	struct cfg_value item = {0};
	char buf[16];
	int ret;

	value->type = CFG_LIST;
	if (depth >= CFG_DEPTH_MAX) {
		cfg_error_at(p->err, &open, "%s: lists inside lists go %d deep at most", key,
			     CFG_DEPTH_MAX);
		return -EINVAL;
	}
	scan_advance(p);
	for (;;) {
		scan_skip(p, true);
		if (scan_peek(p) == close) {
			scan_advance(p);
			return 0;
		}
		if (scan_peek(p) == EOF) {
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
		scan_skip(p, true);
		if (scan_peek(p) == ',') {
			scan_advance(p);
		} else if (scan_peek(p) != close && scan_peek(p) != EOF) {
			struct cfg_pos pos = scan_here(p);

			cfg_error_at(p->err, &pos, "%s: ',' or '%c' is missing before %s", key,
				     close, scan_describe(scan_peek(p), buf));
			return -EINVAL;
		}
	}
}

static int parse_word(struct parser *p, const char *key, struct cfg_value *value)
{
	struct cfg_pos pos = scan_here(p);
	char word[KEY_MAX_LEN + 1];

	if (!scan_word(p, word)) {
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
	struct cfg_pos pos = scan_here(p);
	int c = scan_peek(p);
	char buf[16];

	value->pos = pos;
	if (c == '"' || c == '\'')
		return scan_string(p, key, value);
	if (c == '[' || c == '(')
		return parse_list(p, key, depth, value);
	if (c != EOF && (isdigit(c) || c == '-' || c == '+'))
		return scan_number(p, key, value);
	if (scan_is_word(c))
		return parse_word(p, key, value);
	cfg_error_at(p->err, &pos, "%s: a value is missing before %s", key, scan_describe(c, buf));
	return -EINVAL;
}

/* The rest of a statement's line must be empty; says what Python people and xl people got wrong. */
static int expect_end(struct parser *p, const char *key)
{
	struct cfg_pos pos;
	char buf[16];
	int c;

	scan_skip(p, false);
	c = scan_peek(p);
	if (c == EOF)
		return 0;
	if (c == '\n' || c == ';') {
		scan_advance(p);
		return 0;
	}
	pos = scan_here(p);
	if (strchr("+%.*/(", c))
		cfg_error_at(p->err, &pos,
			     "%s: %s starts an expression: only literal values are read, "
			     "Python code in configuration files is not run",
			     key, scan_describe(c, buf));
	else
		cfg_error_at(p->err, &pos, "%s: %s after the value; one setting a line", key,
			     scan_describe(c, buf));
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
			     scan_describe(scan_peek(p), buf));
	else if (is_python_keyword(word))
		cfg_error_at(p->err, pos,
			     "'%s' is Python code, which is not run: only KEY = VALUE "
			     "lines with literal values are read",
			     word);
	else
		cfg_error_at(p->err, pos, "%s: '=' is missing before %s", word,
			     scan_describe(scan_peek(p), buf));
	return -EINVAL;
}

static int parse_statement(struct parser *p)
{
	struct cfg_pos pos = scan_here(p);
	struct cfg_value value = {0};
	char key[KEY_MAX_LEN + 1];
	bool append;
	int ret;

	if (scan_peek(p) == EOF || isdigit(scan_peek(p)) || !scan_word(p, key))
		return statement_error(p, &pos, "");
	scan_skip(p, false);
	append = scan_peek(p) == '+' && scan_peek_after(p, 1) == '=';
	if (append)
		scan_advance(p);
	if (scan_peek(p) != '=' || scan_peek_after(p, 1) == '=') {
		struct cfg_pos missing = scan_here(p);

		return statement_error(p, is_python_keyword(key) ? &pos : &missing, key);
	}
	scan_advance(p);
	scan_skip(p, false);
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
	scan_skip(&p, true);
	if (scan_peek(&p) == '(')
		return sxp_read(&p);
	while (!ret) {
		scan_skip(&p, true);
		if (scan_peek(&p) == EOF)
			break;
		if (scan_peek(&p) == ';')
			scan_advance(&p);
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
	value->pos = scan_here(p);
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
	if (!scan_word(&p, key) || scan_peek(&p) != '=') {
		cfg_error_at(err, &pos, "expected KEY=VALUE");
		return -EINVAL;
	}
	scan_advance(&p);
	p.line = 0;
	pos.source = p.source;
	ret = override_value(&p, key, &value);
	if (!ret)
		ret = cfg_store_set(cfg, key, &pos, false, &value, err);
	cfg_value_fini(&value);
	return ret;
}
