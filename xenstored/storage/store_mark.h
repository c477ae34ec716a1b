/* SPDX-License-Identifier: MIT */
/*
 * store_mark.h - which commit of a live environment is the last one, kept beside it: LMDB takes the
 * page with the larger number for the newest, and nothing in the file says whether that is true.
 *
 * A small file, mapped: its blocks are allocated, so writing it cannot fail. A commit that is cut
 * off may be true or not; nobody has been told of it.
 */
#ifndef XENSTORED_STORE_MARK_H
#define XENSTORED_STORE_MARK_H

#include <stdint.h>

#define STORE_MARK_NAME "commit"

struct store_mark;

/* The one of the environment in @dir. NULL: no room; then nothing is known of it. */
struct store_mark *store_mark_open(const char *dir);
void store_mark_close(struct store_mark *m);
/* @m may be NULL: nothing is done. Commit @number is about to be made; is the last one. */
void store_mark_begin(struct store_mark *m, uint64_t number);
void store_mark_done(struct store_mark *m, uint64_t number);

/*
 * Of the environment in @dir: the number of the last commit somebody may have been told of, and of
 * the last that may have been made, and 1; 0: it is not known, or the file is damaged itself;
 * -Exxx: the file could not be read, which says nothing.
 */
int store_mark_read(const char *dir, uint64_t *done, uint64_t *begun);

#endif
