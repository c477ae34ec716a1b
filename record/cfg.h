/* SPDX-License-Identifier: MIT */
/*
 * cfg.h - the syntax of domain configuration files: what xl.cfg and xm's Python files share.
 *
 * Owns text -> settings with places; knows no key (cfg_keys.c does). Literals only: strings,
 * integers, True/False/None, lists in [] or (), nested; comments, `;`, `+=`, line continuation. A
 * file that begins with "(" is an s-expression (sxp.h). Python code is refused by line and column.
 * Pure: no I/O, and safe on any bytes. Source: xl.cfg(5) "SYNTAX"; xm's example configurations.
 */
#ifndef STOREVISOR_CFG_H
#define STOREVISOR_CFG_H

#include <stdbool.h>
#include <stddef.h>

#define CFG_TEXT_MAX (1024 * 1024) /* bytes of one file */
#define CFG_DEPTH_MAX 8		   /* lists inside lists */
#define CFG_ERROR_LEN 1024

enum cfg_type { CFG_NONE, CFG_INT, CFG_STRING, CFG_LIST };

/* Where something stands. line 0: @source is one argument of the command line, not a file. */
struct cfg_pos {
	const char *source;
	int line; /* from 1 */
	int col;  /* bytes, from 1 */
};

struct cfg_value {
	enum cfg_type type;
	struct cfg_pos pos;
	char *text;		 /* the string; for an integer its source text */
	long long num;		 /* CFG_INT */
	struct cfg_value *items; /* CFG_LIST */
	size_t nr_items;
};

struct cfg_setting {
	char *key;
	struct cfg_pos pos;
	int shadowed_line; /* > 0: this value replaced the one of that line, same file */
	bool wrong;	   /* it could not be read, which has been told; the value is none */
	struct cfg_value value;
};

struct cfg {
	struct cfg_setting *settings;
	size_t nr_settings;
	char **sources; /* owned copies that every cfg_pos points to */
	size_t nr_sources;
};

#define CFG_WRONG_MAX 32 /* of one reading: a file that is none is not told line by line */

/*
 * Where everything that is to be said goes, one line each: "SOURCE:LINE:COL: what is wrong and how
 * to write it". Reading goes on after each, so that all is said at once.
 */
struct cfg_report {
	/* @wrong: it cannot be taken; else a remark. @text is gone afterwards. */
	void (*say)(void *data, bool wrong, const char *text);
	void *data;
	unsigned int nr_wrong;
};

/*
 * Reads @len bytes (untrusted, need not end in NUL) into @cfg, which is zeroed or already holds
 * settings; a later setting of the same key wins. @source is copied.
 * Returns 0; -EINVAL after telling @rep everything that is wrong (what is right is in @cfg then);
 * -E2BIG, told too, when @len is over CFG_TEXT_MAX; -ENOMEM. In any case @cfg is given to
 * cfg_fini().
 */
int cfg_parse(struct cfg *cfg, const char *source, const char *text, size_t len,
	      struct cfg_report *rep);

/*
 * The same of a file about the host: keys of xl.conf have dots; xend-config.sxp is one s-expression
 * after the other, (KEY VALUE).
 */
int cfg_parse_host(struct cfg *cfg, const char *source, const char *text, size_t len,
		   struct cfg_report *rep);

/*
 * Takes one word of the command line: KEY=VALUE, several with ';' between, blanks around them as in
 * a file. A value may be a literal as in a file, or bare text (name=web), which is then a string
 * and ends at the last ';' or where "; KEY=" follows. Errors as cfg_parse(); -EINVAL also when
 * there is no `=`.
 */
int cfg_override(struct cfg *cfg, const char *arg, struct cfg_report *rep);

/* The setting, or NULL. */
const struct cfg_setting *cfg_find(const struct cfg *cfg, const char *key);

void cfg_fini(struct cfg *cfg);

/*
 * Say "SOURCE:LINE:COL: " or "'ARG' on the command line: " and then the formatted text: something
 * wrong, a remark.
 */
void cfg_error_at(struct cfg_report *rep, const struct cfg_pos *pos, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void cfg_remark_at(struct cfg_report *rep, const struct cfg_pos *pos, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Something wrong that has no place: "SOURCE: text". */
void cfg_error(struct cfg_report *rep, const char *source, const char *text);

#endif
