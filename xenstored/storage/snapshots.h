/* SPDX-License-Identifier: MIT */
/*
 * snapshots.h - states of the persistent part that the administrator has given a name:
 * STATE/snapshots/NAME.mdb, each a whole file of format 3.
 *
 * A name is 1 to 64 of A-Z a-z 0-9 - and _: it can be no other file's. A snapshot is written whole,
 * read back, synced, and then gets its name; it never takes another one's place. Private to
 * storage/; each function runs in a process of its own.
 */
#ifndef XENSTORED_SNAPSHOTS_H
#define XENSTORED_SNAPSHOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct numbered;

#define SNAPSHOT_NAME_MAX 64

/*
 * What is being made, in STATE/snapshots, by the number of the process that makes it: two that make
 * one of the same name do not meet before one of them gets it.
 */
extern const struct numbered snapshot_part;

bool snapshot_name_good(const char *name);
/* STATE/snapshots in @out of at least 600 bytes. */
void snapshot_dir(const char *state_dir, char *out);
/* The file's path in @out of at least 600 bytes; the name is good. */
void snapshot_path(const char *state_dir, const char *name, char *out);

/* 0; -EEXIST; -EBADMSG: @from is damaged; -ENOSPC, -EROFS, -EIO. */
int snapshot_make(const char *state_dir, const char *from, const char *name, uint64_t map_size);
/* 0: whole; -ENOENT; -EBADMSG; -EPROTONOSUPPORT. */
int snapshot_verify(const char *state_dir, const char *name, uint64_t map_size);
/* 0, -ENOENT, -EROFS, -EIO. */
int snapshot_remove(const char *state_dir, const char *name);

/* Of each file NAME.mdb in @dir: a line "NAME BYTES REVISION TIME", by name, to @line. */
int snapshot_list(const char *dir, uint64_t map_size,
		  int (*line)(void *arg, const char *text, size_t len), void *arg);

#endif
