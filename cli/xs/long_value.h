/* SPDX-License-Identifier: MIT */
/*
 * long_value.h - values that do not fit into a message of Xen's protocol (4096 bytes with the
 * path). The node then holds a mark, "@long:LENGTH:PARTS:CRC32C", and children of it, @ff0, @ff1,
 * ..., the parts: names that name_encode() makes of no text. A mark counts only when the parts give
 * what it says; a value that reads like a mark is kept as a long one. So every value comes back,
 * and what somebody else writes over a mark is just that. docs/decisions/0032-long-values.md.
 */
#ifndef STOREVISOR_XS_LONG_VALUE_H
#define STOREVISOR_XS_LONG_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <xs_client.h>
#include <xs_tree.h>

#define LONG_VALUE_MAX (1 << 20) /* bytes */
#define LONG_PATH_MAX 3064	 /* of a node with parts */
#define LONG_MARK_MAX 48
#define LONG_PART_MIN 1020 /* bytes of a part of a path of LONG_PATH_MAX */

/* What a mark says. */
struct long_mark {
	size_t len, nr_parts;
	uint32_t crc;
};

/* ---- pure ---- */

/*
 * Whether @value, anybody's, is written as a mark at whatever path: of no more parts than its bytes
 * have at the longest one, LONG_VALUE_MAX / LONG_PART_MIN + 1. @mark may be NULL.
 */
bool long_is_mark(const char *value, size_t len, struct long_mark *mark);
/* The same at @path: of just as many parts as its bytes have there. */
bool long_is_mark_of(const char *path, const char *value, size_t len, struct long_mark *mark);
/* Whether @value of @path has to be kept in parts. */
bool long_is_needed(const char *path, const char *value, size_t len);
/* How many parts @value of @path has: 0 if it needs none. */
size_t long_nr_parts(const char *path, const char *value, size_t len);
/* What READ of @path gives for @value: itself or its mark, in @mark then. Returns its length. */
size_t long_shown(const char *path, const char *value, size_t len, char mark[LONG_MARK_MAX],
		  const char **shown);
/* Whether the last name of @path, or @path as a name, is that of a part: of part *@i (or NULL). */
bool long_is_part(const char *path, size_t *i);
/*
 * Puts parts where they belong: each value that was read as a mark becomes what it stands for if
 * its parts are in the tree; parts go from it, also where no values were read.
 */
void long_fold(struct xs_node *root);

/* ---- in the store ---- */

/*
 * Reads the value of @path in @tx (0: a moment of its own). Returns it, malloc'd and with a NUL
 * behind its *@len bytes (NULL: not wanted), or NULL and -errno in *@rc.
 */
char *long_read(uint32_t tx, const char *path, size_t *len, int *rc);
/* The parts that the mark at @path has in @tx: 0 if it is none, or not there. -errno in *@rc. */
size_t long_parts_now(uint32_t tx, const char *path, int *rc);
/*
 * Removes in @tx, a transaction, the parts of @path from number @nr on, whichever are there: also
 * those whose mark was written over. @nr is 0: only if the value is a long one now. Waits. -errno.
 */
int long_drop_parts(uint32_t tx, const char *path, size_t nr);
/*
 * Queues a write in @tx, which is a transaction if the value is or was long, and removing those
 * parts among @names, the children as a listing in @tx gives them (NULL: none), that the value does
 * not have. @fn runs once, with the first error. -E2BIG: more than LONG_VALUE_MAX, or @path is too
 * long for parts; -errno of the connection.
 */
int long_submit_write(uint32_t tx, const char *path, const char *value, size_t len,
		      const char *names, size_t names_len, xs_done_fn *fn, void *arg);
/* The same, waiting; asks what there is. Takes a transaction of its own where @tx is 0. */
int long_write(uint32_t tx, const char *path, const char *value, size_t len);
/* Queues SET_PERMS of @path and its @nr_parts. */
int long_submit_perms(uint32_t tx, const char *path, size_t nr_parts, const char *perms,
		      size_t perms_len, xs_done_fn *fn, void *arg);
/*
 * Queues reading what the mark @mark stands for, which READ of @path just gave. @fn: the value; the
 * mark itself when it is none; -ESTALE when the node changes meanwhile, which an event tells. Only
 * some are read at once; the others wait, one a path and @fn: an earlier one gets -ESTALE at once.
 */
int long_submit_join(const char *path, const char *mark, size_t len, xs_done_fn *fn, void *arg);
/* xs_tree_read(), folded; a mark whose parts are deeper than @depth is read. */
int long_tree_read(uint32_t tx, const char *path, int depth, unsigned int flags,
		   struct xs_node **out);

#endif
