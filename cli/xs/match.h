/* SPDX-License-Identifier: MIT */
/*
 * match.h - the nodes a pattern names, and what is shown of one.
 */
#ifndef STOREVISOR_XS_MATCH_H
#define STOREVISOR_XS_MATCH_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "cmd.h"

struct xs_node;

typedef void match_fn(void *arg, const struct xs_node *n, const char *path);

/*
 * Calls @fn for every node whose path matches @typed (store_path() forms, * and **), in order of
 * paths. @below: a path without wildcards means everything below it. Returns how many; ends the
 * program when the store refuses.
 */
size_t match_each(const char *typed, bool below, unsigned int flags, match_fn *fn, void *arg);

/*
 * How nodes are printed, from the options of @a: one JSON object a line, paths only, each ended by
 * a NUL byte, or PATH = VALUE, with what the value means.
 */
struct shower {
	bool json, ndjson, null, names, decode, perms;
	json_t *list; /* of --json: printed by shower_end() */
};
struct shower shower_of(const struct cli_args *a);
void shower_node(struct shower *s, const struct xs_node *n, const char *path);
void shower_end(struct shower *s);

/* "path", "name", "value", with @perms "perms", with @decode "meaning". The caller owns it. */
json_t *node_json(const struct xs_node *n, const char *path, bool perms, bool decode);

/* What the value at @path means ("Connected", "xvda", a domain's name), malloc'd; NULL: nothing. */
char *decoded(const char *path, const char *value, size_t len);

#endif
