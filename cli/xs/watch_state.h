/* SPDX-License-Identifier: MIT */
/*
 * watch_state.h - what `xs watch` last saw at each path, so that an event, which carries no more
 * than a path, becomes "put", "del" or "perms" with the value before.
 */
#ifndef STOREVISOR_XS_WATCH_STATE_H
#define STOREVISOR_XS_WATCH_STATE_H

#include <stdbool.h>
#include <stddef.h>

struct seen {
	struct seen *next; /* in its bucket */
	char *value;       /* NULL: could not be read */
	size_t len;
	char *perms;
	size_t perms_len;
	unsigned int round; /* of the resync that last met it */
	char path[];
};

struct seen_map {
	struct seen **buckets;
	size_t nr_buckets, nr;
};

/* Entry of @path, or NULL. */
struct seen *seen_find(const struct seen_map *m, const char *path);
/* Entry of @path, made when missing (then *@fresh). Exits when out of memory. */
struct seen *seen_put(struct seen_map *m, const char *path, bool *fresh);
/* Replaces what is remembered; copies. */
void seen_set(struct seen *s, const char *value, size_t len, const char *perms,
	      size_t perms_len);
void seen_remove(struct seen_map *m, struct seen *s);
/* Calls @fn for every entry at or below @path; @fn may remove the one it is given. */
void seen_below(struct seen_map *m, const char *path, void (*fn)(void *arg, struct seen *s),
		void *arg);
void seen_clear(struct seen_map *m);
/* Whether both are there and the same bytes. */
bool bytes_same(const char *a, size_t a_len, const char *b, size_t b_len);
/* Whether @path is @top or below it. */
bool path_is_below(const char *top, const char *path);

#endif
