/* SPDX-License-Identifier: MIT */
/*
 * shadow.h - which nodes there are, of which generation and with which permissions: so that after a
 * time without a feed (the store was away) it can be told what changed meanwhile. Pure.
 */
#ifndef STOREVISOR_HTTPD_SHADOW_H
#define STOREVISOR_HTTPD_SHADOW_H

#include <stdbool.h>

#include <xs_bulk_reader.h>
#include <xs_tree.h>

#include "watch_state.h"

struct shadow {
	struct seen_map map;
	unsigned int round;
};

/* What became of @path: @n as it is now, or NULL: it is gone. @perms: only these changed. */
typedef void shadow_fn(void *arg, const char *path, const struct xs_node *n, bool perms);

/* Notes one change. @path: its name. */
void shadow_note(struct shadow *s, const struct xs_bulk_view *v, const char *path);
/* Makes it what @root is, read with values and permissions, and tells the differences (@fn may be
 * NULL). */
void shadow_compare(struct shadow *s, const struct xs_node *root, shadow_fn *fn, void *arg);
void shadow_clear(struct shadow *s);

#endif
