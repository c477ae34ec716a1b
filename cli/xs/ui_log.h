/* SPDX-License-Identifier: MIT */
/*
 * ui_log.h - a bounded list of paths that changed, newest last, each with its value as last read.
 * Also used for pinned paths. Pure.
 */
#ifndef STOREVISOR_XS_UI_LOG_H
#define STOREVISOR_XS_UI_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define UI_LOG_MAX 256

struct ui_entry {
	char *path;
	char *value; /* NULL: not read yet, or not readable */
	size_t len;
	char *old; /* what it was before, NULL: not known */
	size_t old_len;
	int rc;
	bool stale, asked;
	unsigned long count; /* changes folded into this line */
	int64_t at_ms;       /* the last one, wall clock */
};

struct ui_log {
	struct ui_entry entry[UI_LOG_MAX]; /* nr from first, around */
	size_t first, nr;
};

/*
 * Notes a change of @path: in the line it has among the newest @fold ones, else in a new line, for
 * which the oldest one goes when all are taken. Exits when out of memory.
 */
void log_add(struct ui_log *l, const char *path, int64_t wall_ms, size_t fold);
/* @i from the oldest. */
struct ui_entry *log_at(struct ui_log *l, size_t i);
/* The newest line about @path, or NULL. */
struct ui_entry *log_find(struct ui_log *l, const char *path);
void log_remove(struct ui_log *l, const char *path);
/* Of a new line: what the value was before the change it is about. Copied. */
void log_set_old(struct ui_entry *e, const char *value, size_t len);
void log_set_value(struct ui_entry *e, const char *value, size_t len, int rc);
void log_fini(struct ui_log *l);

#endif
