/* SPDX-License-Identifier: MIT */
/*
 * fake_store.h - libxenstore's functions over a tree in memory.
 *
 * One client, so transactions never conflict unless told to. Watches queue events as the real
 * daemon does: once when registered, then for every change at or below the path, and for the
 * removal of a parent.
 */
#ifndef TEST_FAKE_STORE_H
#define TEST_FAKE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <xenstore.h>

/* An empty store; frees an earlier one. */
struct xs_handle *fake_store_new(void);
void fake_store_free(void);
/* A client died: its watches and its unread events go, the tree stays. */
void fake_store_disconnect(void);

/* Convenience for tests, outside any transaction. */
void fake_set(const char *path, const char *value);
/* NULL when absent; valid until the next write */
const char *fake_get(const char *path);
size_t fake_count(const char *root);		/* nodes at and below @root */
/* The tree as text with permissions, for comparing before and after; caller frees. */
char *fake_dump(const char *root);

/* The next @n commits are refused with EAGAIN. */
void fake_conflict(unsigned int n);
/* Writes whose path contains @part fail with ENOSPC until cleared by NULL. */
void fake_fail_writes(const char *part);
/* The next commit that writes a path with @part is done, and its answer lost: EIO. */
void fake_lose_answer(const char *part);
/* AWAY: nothing is answered; KEEPS: nothing is removed. Until FAKE_WORKS. */
enum fake_failure { FAKE_WORKS, FAKE_KEEPS, FAKE_AWAY };
void fake_store_fail(enum fake_failure failure);
/*
 * The next read or list of a path that ends in @end, or that CONTROL word, fails with @err, once;
 * whether it has is answered.
 */
void fake_refuse_once(const char *end, int err);
bool fake_has_refused(void);
/* What CONTROL lost answers, lines; NULL: nothing was lost. */
void fake_lost(const char *lines);
/* How often that was asked. */
unsigned int fake_lost_asked(void);
/*
 * @fn is called after each transaction, whatever became of it, and each change outside of one:
 * then others may come. NULL: not any more.
 */
void fake_meanwhile(void (*fn)(void));
/* Domains introduced and not released. */
unsigned int fake_introduced(void);

#endif
