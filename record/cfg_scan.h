/* SPDX-License-Identifier: MIT */
/*
 * cfg_scan.h - the tokens of configuration files: place, blanks, words, strings, numbers. For
 * cfg_parse.c only.
 */
#ifndef STOREVISOR_CFG_SCAN_H
#define STOREVISOR_CFG_SCAN_H

#include <stdbool.h>
#include <stdio.h>

#include "cfg.h"

#define KEY_MAX_LEN 63

struct parser {
	struct cfg *cfg;
	struct cfg_report *rep;
	const char *source;
	const char *text;
	size_t len, at;
	int line, col;
	bool dotted; /* keys may have dots, as xl.conf's have */
};

/* The byte at the cursor, or @n bytes on; EOF behind the text. */
int scan_peek(const struct parser *p);
int scan_peek_after(const struct parser *p, size_t n);
void scan_advance(struct parser *p);
struct cfg_pos scan_here(const struct parser *p);

/* Skips blanks, comments and continued lines; line ends too when @lines (inside brackets). */
void scan_skip(struct parser *p, bool lines);

/* Whether a byte can be in a key or word. */
bool scan_is_word(int c);

/* Copies an identifier; 0 when there is none or it is too long to be one. */
size_t scan_word(struct parser *p, char word[KEY_MAX_LEN + 1]);

/* A byte as a message names it; @buf or a constant. */
const char *scan_describe(int c, char buf[16]);

/* Literals: 0, or -EINVAL after writing p->rep, or -ENOMEM. @key is for the message. */
int scan_string(struct parser *p, const char *key, struct cfg_value *value);
int scan_number(struct parser *p, const char *key, struct cfg_value *value);

#endif
