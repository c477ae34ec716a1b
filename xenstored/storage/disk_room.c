/* SPDX-License-Identifier: MIT */
/*
 * disk_room.c - blocks of data.mdb are allocated before they are promised to anybody, so that
 * "no room" is known before a change is accepted.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "disk_priv.h"
#include "free_list.h"
#include "log.h"

#define PAGE 4096u
/* Allocated ahead of what is used: as much again, between these. */
#define AHEAD_MIN (32u << 20)
#define AHEAD_MAX (256u << 20)
/*
 * And never less than for a document: a transaction that changes every node copies every page, and
 * one that makes 10,000 nodes takes 10 MB at worst.
 */
#define DOCUMENT (16u << 20)
/* Less than this free, and history is given up. */
#define LOW (512u << 10)
/* A disk that has less than this left is full. */
#define STEP_MIN (64u << 10)
/* What removals may use beyond what is promised (rule C14). */
#define RESERVE (64u * PAGE)
/* The paths through all trees that any commit copies. */
#define COMMIT (24u * PAGE)
/*
 * Written once before LMDB writes there. Blocks that are allocated only have to be noted by the
 * file system as written when they are: a sync of such a page is one of its journal, too, which
 * takes three times as long. From less than half of this on, all of it.
 */
#define WRITTEN (256u << 10)

void disk_room_init(struct disk *d)
{
	struct stat st, of_env;
	int used;

	d->written = 0;
	d->fd = open(d->path, O_RDWR | O_CLOEXEC);
	if (d->fd < 0)
		return;
	/* Behind this one's pages are others' pages in a file that has taken the name since. */
	if (fstat(d->fd, &st) < 0 || mdb_env_get_fd(d->env.env, &used) ||
	    fstat(used, &of_env) < 0 || st.st_dev != of_env.st_dev || st.st_ino != of_env.st_ino) {
		close(d->fd);
		d->fd = -1;
	} else if ((uint64_t)st.st_blocks * 512 >= (uint64_t)st.st_size) {
		d->allocated = (uint64_t)st.st_size;
	}
}

struct usage {
	uint64_t used, free, tree;	/* bytes */
};

static int look(struct disk *d, struct usage *u)
{
	struct free_pages pages;
	MDB_envinfo info;
	int ret = disk_env_begin(&d->env, false);

	if (ret < 0)
		return ret;
	mdb_env_info(d->env.env, &info);
	u->used = (uint64_t)(info.me_last_pgno + 1) * PAGE;
	free_list_count(d->env.env, d->env.txn, &pages);
	u->free = pages.now * PAGE;
	u->tree = disk_env_tree_bytes(&d->env);
	disk_env_abort(&d->env);
	return 0;
}

/* Half of what the disk has left: the other half is the log's, and the earlier states'. */
static uint64_t most_to_take(const struct disk *d)
{
	struct statvfs st;

	return fstatvfs(d->fd, &st) == 0 ? (uint64_t)st.f_bavail * st.f_frsize / 2 : 0;
}

/* Takes blocks so that @size bytes have them, in smaller steps as the disk gets full. */
static void allocate(struct disk *d, uint64_t size)
{
	uint64_t step, most = most_to_take(d);

	if (size > d->cfg.map_size)
		size = d->cfg.map_size;
	step = size > d->allocated ? size - d->allocated : 0;
	for (step = step < most ? step : most; step >= STEP_MIN; step /= 2) {
		if (posix_fallocate(d->fd, 0, (off_t)(d->allocated + step)) == 0) {
			d->allocated += step;
			return;
		}
	}
}

static uint64_t ahead(const struct usage *u)
{
	return u->used < AHEAD_MIN ? AHEAD_MIN : u->used > AHEAD_MAX ? AHEAD_MAX : u->used;
}

/* A document's room, if the disk has that several times over: the last of it is not for this. */
static uint64_t document(const struct disk *d, const struct usage *u)
{
	uint64_t bytes = u->tree + DOCUMENT;

	return most_to_take(d) / 4 > bytes ? bytes : 0;
}

static uint64_t larger(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

static uint64_t free_bytes(const struct disk *d, const struct usage *u)
{
	uint64_t behind = d->allocated > u->used ? d->allocated - u->used : 0;

	return behind + u->free;
}

/* Half of the history for room that what is has more need of. */
static bool give_history_up(struct disk *d)
{
	uint64_t half = d->env.kept.history_bytes / 2;

	if (d->env.kept.history_bytes == 0 || disk_begin(d) < 0)
		return false;
	if (disk_prune(&d->env, half, 0, ~0u) < 0) {
		disk_abort(d);
		return false;
	}
	return disk_commit(d) == 0;
}

/* All that it lacks, or as if it had not been asked for. */
static void allocate_for(struct disk *d, const struct usage *u, uint64_t bytes)
{
	uint64_t free = free_bytes(d, u);

	if (free < bytes && bytes - free <= most_to_take(d))
		allocate(d, larger(d->allocated, u->used) + (bytes - free + PAGE - 1) / PAGE * PAGE);
}

/*
 * Zeros behind what is used, for the next commit's sync to bring to the disk. Never where a page
 * has been, and never more than is allocated. Should it fail, commits are slower: no more.
 */
static void write_ahead(struct disk *d, const struct usage *u)
{
	static unsigned char zeros[64 * PAGE];	/* const, they would be in the program's file */
	uint64_t end = u->used + WRITTEN < d->allocated ? u->used + WRITTEN : d->allocated;

	d->written = larger(d->written, u->used);
	if (d->written - u->used >= WRITTEN / 2)
		return;
	while (d->written < end) {
		size_t len = end - d->written < sizeof(zeros) ? end - d->written : sizeof(zeros);
		ssize_t n = pwrite(d->fd, zeros, len, (off_t)d->written);

		if (n <= 0)
			return;
		d->written += (uint64_t)n;
	}
}

bool disk_room_is_wasted(struct disk *d)
{
	struct usage u;
	uint64_t size;

	if (d->fd < 0 || look(d, &u) < 0)
		return false;
	/* As a copy of it would be. */
	u.used = u.tree;
	size = u.used + larger(ahead(&u), 2 * document(d, &u));
	return d->allocated > 2 * size && most_to_take(d) > size;
}

void disk_room(struct disk *d, struct disk_room *out)
{
	disk_room_for(d, 0, out);
}

void disk_room_for(struct disk *d, uint64_t bytes, struct disk_room *out)
{
	struct usage u;

	*out = (struct disk_room){ 0 };
	if (d->read_only)
		return;
	/* It may have been want of memory or descriptors for a moment. */
	if (d->fd < 0)
		disk_room_init(d);
	if (d->fd < 0 || look(d, &u) < 0)
		return;
	if (free_bytes(d, &u) < larger(ahead(&u) / 2, document(d, &u)))
		allocate(d, u.used + larger(ahead(&u), 2 * document(d, &u)));
	if (bytes > 0)
		allocate_for(d, &u, bytes + RESERVE);
	if (free_bytes(d, &u) < RESERVE + LOW && give_history_up(d) && look(d, &u) < 0)
		return;
	out->free_bytes = free_bytes(d, &u) > RESERVE ? free_bytes(d, &u) - RESERVE : 0;
	out->tree_bytes = u.tree;
	write_ahead(d, &u);
}

/*
 * A change copies a leaf of each of three trees, but no commit copies more leaves than there are;
 * what is new is stored up to twice (itself, what it replaced) and named once more, in pages that
 * are half empty at worst.
 */
uint64_t disk_need(const struct disk_room *room, uint64_t nr, uint64_t bytes)
{
	uint64_t copied = nr < room->tree_bytes / (3 * PAGE) ? nr * 3 * PAGE : room->tree_bytes;

	if (nr == 0)
		return 0;
	return COMMIT + copied + 2 * (3 * bytes + nr * 256);
}
