/* SPDX-License-Identifier: MIT */
/*
 * cfg.h - the syntax of domain configuration files: what xl.cfg and xm's Python files share.
 *
 * Owns text -> settings with places; knows no key (keys.c does). Literals only: strings, integers,
 * True/False/None, lists in [] or (), nested; comments, `;`, `+=`, line continuation. A file that
 * begins with "(" is an s-expression (sxp.h). Python code is refused by line and column. Pure: no
 * I/O, and safe on any bytes.
 * Source: xl.cfg(5) "SYNTAX"; xm's example configurations.
 */
#ifndef XM_CFG_H
#define XM_CFG_H

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
	struct cfg_value value;
};

struct cfg {
	struct cfg_setting *settings;
	size_t nr_settings;
	char **sources; /* owned copies that every cfg_pos points to */
	size_t nr_sources;
};

struct cfg_error {
	char text[CFG_ERROR_LEN];
};

/*
 * Reads @len bytes (untrusted, need not end in NUL) into @cfg, which is zeroed or already holds
 * settings; a later setting of the same key wins. @source is copied.
 * Returns 0; -EINVAL with @err "SOURCE:LINE:COL: what is wrong and how to write it"; -E2BIG when
 * @len is over CFG_TEXT_MAX; -ENOMEM. On error @cfg must still be given to cfg_fini().
 */
int cfg_parse(struct cfg *cfg, const char *source, const char *text, size_t len,
	      struct cfg_error *err);

/*
 * Takes one key=value of the command line. The value may be a literal as in a file, or a bare word
 * (name=web), which is then a string. Errors as cfg_parse(); -EINVAL also when there is no `=`.
 */
int cfg_override(struct cfg *cfg, const char *arg, struct cfg_error *err);

/* The setting, or NULL. */
const struct cfg_setting *cfg_find(const struct cfg *cfg, const char *key);

void cfg_fini(struct cfg *cfg);

/* Writes "SOURCE:LINE:COL: " or "'ARG' on the command line: " and then the formatted text. */
void cfg_error_at(struct cfg_error *err, const struct cfg_pos *pos, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

#endif
