/* SPDX-License-Identifier: MIT */
/*
 * cfg_parse.c - the grammar of configuration files, by recursive descent (depth is bounded).
 *
 *   file    = { statement } ;  statement = KEY ( "=" | "+=" ) value ( newline | ";" )
 *   value   = string { string } | integer | True | False | None | "[" items "]" | "(" items ")"
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
	struct cfg_value item = { 0 };
	char buf[16];
	int ret;

	value->type = CFG_LIST;
	if (depth >= CFG_DEPTH_MAX) {
		cfg_error_at(p->rep, &open, "%s: lists inside lists go %d deep at most", key,
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
			cfg_error_at(p->rep, &open,
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

			cfg_error_at(p->rep, &pos, "%s: ',' or '%c' is missing before %s", key,
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
		cfg_error_at(p->rep, &pos, "%s: the value must be a string, a number or a list",
			     key);
		return -EINVAL;
	}
	if (strcmp(word, "None") == 0)
		return 0;
	if (strcmp(word, "True") != 0 && strcmp(word, "False") != 0) {
		cfg_error_at(p->rep, &pos,
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

static bool is_quote(int c)
{
	return c == '"' || c == '\'';
}

/*
 * Strings behind one another are one, as in Python: a long line is written so. In a list a comma
 * may be missing between them, and nobody means two disks as one.
 */
static int parse_strings(struct parser *p, const char *key, int depth, struct cfg_value *value)
{
	int ret = scan_string(p, key, value);

	for (scan_skip(p, false); !ret && !depth && is_quote(scan_peek(p)); scan_skip(p, false)) {
		struct cfg_value more = { 0 };
		char *joined = NULL;

		ret = scan_string(p, key, &more);
		if (!ret && asprintf(&joined, "%s%s", value->text, more.text) < 0)
			ret = -ENOMEM;
		if (!ret) {
			free(value->text);
			value->text = joined;
		}
		cfg_value_fini(&more);
	}
	return ret;
}

static int parse_value(struct parser *p, const char *key, int depth, struct cfg_value *value)
{
	struct cfg_pos pos = scan_here(p);
	int c = scan_peek(p);
	char buf[16];

	value->pos = pos;
	if (is_quote(c))
		return parse_strings(p, key, depth, value);
	if (c == '[' || c == '(')
		return parse_list(p, key, depth, value);
	if (c != EOF && (isdigit(c) || c == '-' || c == '+'))
		return scan_number(p, key, value);
	if (scan_is_word(c))
		return parse_word(p, key, value);
	cfg_error_at(p->rep, &pos, "%s: a value is missing before %s", key, scan_describe(c, buf));
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
		cfg_error_at(p->rep, &pos,
			     "%s: %s starts an expression: only literal values are read, "
			     "Python code in configuration files is not run",
			     key, scan_describe(c, buf));
	else
		cfg_error_at(p->rep, &pos, "%s: %s after the value; one setting a line", key,
			     scan_describe(c, buf));
	return -EINVAL;
}

static bool is_python_keyword(const char *word)
{
	static const char *const keywords[] = { "import", "from", "def",	  "if",	    "for",  "while",
						"print",	 "try",	 "class", "return", "else", "elif" };

	for (size_t i = 0; i < sizeof(keywords) / sizeof(keywords[0]); i++)
		if (strcmp(word, keywords[i]) == 0)
			return true;
	return false;
}

static int statement_error(struct parser *p, const struct cfg_pos *pos, const char *word)
{
	char buf[16];

	if (!word[0])
		cfg_error_at(p->rep, pos, "a line must be KEY = VALUE, not start with %s",
			     scan_describe(scan_peek(p), buf));
	else if (is_python_keyword(word))
		cfg_error_at(p->rep, pos,
			     "'%s' is Python code, which is not run: only KEY = VALUE "
			     "lines with literal values are read",
			     word);
	else
		cfg_error_at(p->rep, pos, "%s: '=' is missing before %s", word,
			     scan_describe(scan_peek(p), buf));
	return -EINVAL;
}

static int parse_statement(struct parser *p)
{
	struct cfg_pos pos = scan_here(p);
	struct cfg_value value = { 0 };
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
		ret = cfg_store_set(p->cfg, key, &pos, append, &value, p->rep);
	cfg_value_fini(&value);
	if (ret == -EINVAL && cfg_store_wrong(p->cfg, key, &pos))
		ret = -ENOMEM;
	return ret;
}

/*
 * After something wrong: on to the next line that begins with a word, where a statement may begin;
 * the lines of a list that was not understood do not.
 */
static void recover(struct parser *p)
{
	while (scan_peek(p) != EOF && !(p->col == 1 && scan_is_word(scan_peek(p)) &&
					!isdigit(scan_peek(p))))
		scan_advance(p);
}

static int parse_all(struct parser *p)
{
	int ret = 0;

	while (ret != -ENOMEM && p->rep->nr_wrong < CFG_WRONG_MAX) {
		int one = 0;
		int line;

		scan_skip(p, true);
		if (scan_peek(p) == EOF)
			break;
		line = p->line;
		if (scan_peek(p) == ';')
			scan_advance(p);
		else
			one = parse_statement(p);
		/* Wrong already in the first byte of its line: not that byte again. */
		if (one && p->line == line && p->col == 1)
			scan_advance(p);
		if (one == -EINVAL)
			recover(p);
		ret = one ? one : ret;
	}
	return ret;
}

/* From the start to the first byte that says something. */
static int begin(struct parser *p, struct cfg *cfg, const char *source, const char *text,
		 size_t len, struct cfg_report *rep)
{
	char why[96];

	if (len > CFG_TEXT_MAX) {
		snprintf(why, sizeof(why), "%zu bytes are too many for a configuration (limit %d)",
			 len, CFG_TEXT_MAX);
		cfg_error(rep, source, why);
		return -E2BIG;
	}
	*p = (struct parser){ .cfg = cfg, .rep = rep, .text = text, .len = len, .line = 1, .col = 1 };
	p->source = cfg_store_source(cfg, source);
	if (!p->source)
		return -ENOMEM;
	if (len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
		p->at = 3; /* an editor's byte order mark */
	scan_skip(p, true);
	return 0;
}

int cfg_parse(struct cfg *cfg, const char *source, const char *text, size_t len,
	      struct cfg_report *rep)
{
	struct parser p;
	int ret = begin(&p, cfg, source, text, len, rep);

	if (ret)
		return ret;
	return scan_peek(&p) == '(' ? sxp_read(&p) : parse_all(&p);
}

int cfg_parse_host(struct cfg *cfg, const char *source, const char *text, size_t len,
		   struct cfg_report *rep)
{
	struct parser p;
	int ret = begin(&p, cfg, source, text, len, rep);

	if (ret)
		return ret;
	p.dotted = true;
	return scan_peek(&p) == '(' ? sxp_read_settings(&p) : parse_all(&p);
}

/* ---- words of the command line ---- */

/* Whether "; KEY =" begins at @s, or nothing but blanks follows the ';'. */
static bool ends_bare(const char *s)
{
	const char *word = s + 1 + strspn(s + 1, " \t;"), *after = word;

	while (scan_is_word((unsigned char)*after))
		after++;
	after += strspn(after, " \t");
	return !*word || (after != word && !isdigit((unsigned char)*word) && *after == '=');
}

static int bare_value(struct parser *p, struct cfg_value *value)
{
	size_t start = p->at, end;

	while (p->at < p->len && !(p->text[p->at] == ';' && ends_bare(p->text + p->at)))
		p->at++;
	end = p->at;
	while (end > start && isspace((unsigned char)p->text[end - 1]))
		end--;
	value->type = CFG_STRING;
	value->text = strndup(p->text + start, end - start);
	return value->text ? 0 : -ENOMEM;
}

/* The value of an argument: a literal if it looks like one, else the text itself. */
static int override_value(struct parser *p, const char *key, struct cfg_value *value)
{
	const char *text = p->text + p->at;
	bool number;
	char *end;
	int ret;

	strtoll(text, &end, 0);
	number = end != text && !end[strspn(end, " \t")];
	number = number || (end != text && end[strspn(end, " \t")] == ';' &&
			    ends_bare(end + strspn(end, " \t")));
	value->pos = scan_here(p);
	if (!strchr("\"'[(", *text) && !number)
		return bare_value(p, value);
	if (!*text)
		return bare_value(p, value);
	ret = parse_value(p, key, 0, value);
	return ret ? ret : expect_end(p, key);
}

static int override_one(struct parser *p)
{
	struct cfg_pos pos = scan_here(p);
	struct cfg_value value = { 0 };
	char key[KEY_MAX_LEN + 1];
	int ret;

	if (isdigit(scan_peek(p)) || !scan_word(p, key)) {
		cfg_error_at(p->rep, &pos, "expected KEY=VALUE");
		return -EINVAL;
	}
	scan_skip(p, false);
	if (scan_peek(p) != '=') {
		cfg_error_at(p->rep, &pos, "expected KEY=VALUE");
		return -EINVAL;
	}
	scan_advance(p);
	scan_skip(p, false);
	p->line = 0; /* no newline counts: the word is the place */
	ret = override_value(p, key, &value);
	if (!ret)
		ret = cfg_store_set(p->cfg, key, &pos, false, &value, p->rep);
	cfg_value_fini(&value);
	return ret;
}

int cfg_override(struct cfg *cfg, const char *arg, struct cfg_report *rep)
{
	struct parser p = { .cfg = cfg, .rep = rep, .text = arg, .len = strlen(arg) };
	int ret;

	if (p.len > CFG_TEXT_MAX) {
		cfg_error(rep, "a word of the command line", "is too long");
		return -E2BIG;
	}
	p.source = cfg_store_source(cfg, arg);
	if (!p.source)
		return -ENOMEM;
	do {
		scan_skip(&p, true);
		ret = override_one(&p);
		while (scan_peek(&p) == ';' || scan_peek(&p) == ' ' || scan_peek(&p) == '\t')
			scan_advance(&p);
	} while (!ret && scan_peek(&p) != EOF);
	return ret;
}
