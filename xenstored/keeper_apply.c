/* SPDX-License-Identifier: MIT */
/*
 * keeper_apply.c - from journal frames to the two environments: persistent records in synced
 * group commits, whole halves to the runtime one. Keeper process only.
 */
#include "keeper_apply.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "mapped.h"
#include "record.h"

void keeper_is_at(unsigned int env)
{
	mapped_env(env == JOURNAL_PERSISTENT ? "the persistent store" : "the runtime store", env);
}

static int put_applied(struct child *c, unsigned int env, uint64_t seq)
{
	char key[RECORD_KEY_MAX];
	size_t len = record_key(key, RECORD_META, META_APPLIED, 0);

	return store_put(c->env[env], key, len, &seq, sizeof(seq));
}

uint64_t get_applied(struct child *c, unsigned int env)
{
	char key[RECORD_KEY_MAX];
	size_t len = record_key(key, RECORD_META, META_APPLIED, 0);
	uint64_t seq;

	return store_get(c->env[env], key, len, &seq, sizeof(seq)) == sizeof(seq) ? seq : 0;
}

static int apply_record(struct child *c, const struct journal_record *r)
{
	if (c->looking) {
		c->saw_put |= !r->deletion;
		return 0;
	}
	if (r->deletion)
		return store_del(c->env[r->env], r->key, r->key_len);
	return store_put(c->env[r->env], r->key, r->key_len, r->value, r->value_len);
}

/* The persistent records of one frame, into the open write transaction. */
static int apply_persistent(struct child *c, const struct journal_frame *f)
{
	struct journal_record r;
	size_t at = 0;
	int ret;

	while ((ret = journal_record_at(f, &at, &r)) > 0) {
		if (r.env != JOURNAL_PERSISTENT)
			continue;
		ret = apply_record(c, &r);
		if (ret < 0)
			return ret;
	}
	return ret;
}

static bool frame_wanted(struct child *c, const struct journal_frame *f, uint64_t upto)
{
	return f->persistent && f->seq > c->applied[JOURNAL_PERSISTENT] && f->seq <= upto &&
	       f->seq > journal_void_upto(c->j);
}

/* Applies wanted frames of one half; *@seq becomes the last one. */
static int scan_half(struct child *c, unsigned int half, uint64_t upto, uint64_t *seq)
{
	uint64_t turn = journal_half_turn(c->j, half);
	struct journal_frame f;
	int ret;

	/* Applied as a whole already: the daemon may be writing it anew at this moment. */
	if (c->done_turn[half] == turn + 1)
		return 0;
	if (c->pos_turn[half] != turn) {
		c->pos_turn[half] = turn;
		c->pos[half] = 0;
	}
	while ((ret = journal_frame_at(c->j, half, c->pos[half], &f)) > 0 && f.seq <= upto) {
		bool wanted = frame_wanted(c, &f, upto);

		ret = wanted ? apply_persistent(c, &f) : 0;
		if (ret == 0 && wanted && f.seq > *seq)
			*seq = f.seq;
		if (ret == 0)
			c->pos[half] = f.next;
		journal_frame_done(&f);
		if (ret < 0)
			return ret;
	}
	if (ret > 0)
		journal_frame_done(&f);
	return ret < 0 ? ret : 0;
}

static uint64_t first_seq(struct child *c, unsigned int half)
{
	struct journal_frame f;
	uint64_t seq = UINT64_MAX;

	if (c->done_turn[half] == journal_half_turn(c->j, half) + 1)
		return seq;
	if (journal_frame_at(c->j, half, 0, &f) > 0) {
		seq = f.seq;
		journal_frame_done(&f);
	}
	return seq;
}


unsigned int older_half(struct child *c)
{
	return first_seq(c, 1) < first_seq(c, 0);
}

/* All persistent records up to @upto in one synced commit: 0 or the reason it failed. */
int sync_persistent(struct child *c, uint64_t upto)
{
	struct store *s = c->env[JOURNAL_PERSISTENT];
	unsigned int older = older_half(c);
	size_t pos[JOURNAL_HALVES] = { c->pos[0], c->pos[1] };
	uint64_t turn[JOURNAL_HALVES] = { c->pos_turn[0], c->pos_turn[1] };
	uint64_t seq = c->applied[JOURNAL_PERSISTENT];
	int ret;

	keeper_is_at(JOURNAL_PERSISTENT);
	ret = store_begin(s);
	if (ret == 0)
		ret = scan_half(c, older, upto, &seq);
	if (ret == 0)
		ret = scan_half(c, 1 - older, upto, &seq);
	if (ret == 0 && seq == c->applied[JOURNAL_PERSISTENT]) {
		store_abort(s);
		return 0;
	}
	if (ret == 0)
		ret = put_applied(c, JOURNAL_PERSISTENT, seq);
	if (ret == 0)
		ret = store_commit(s);
	if (ret == 0) {
		c->applied[JOURNAL_PERSISTENT] = seq;
		return 0;
	}
	store_abort(s);
	memcpy(c->pos, pos, sizeof(pos));
	memcpy(c->pos_turn, turn, sizeof(turn));
	return ret;
}

/* Whether what is to be synced up to @upto only takes away. */
static bool only_deletions(struct child *c, uint64_t upto)
{
	struct child look = *c;
	uint64_t seq = 0;

	look.looking = true;
	look.saw_put = false;
	return scan_half(&look, 0, upto, &seq) == 0 && scan_half(&look, 1, upto, &seq) == 0 &&
	       !look.saw_put;
}

#define RESERVE_SIZE (1 << 20)

/* A file that can be given up for deletions when the disk is full (rule C14). */
void reserve_take(struct child *c)
{
	char path[600];
	int fd;

	snprintf(path, sizeof(path), "%s/reserve", c->cfg->state_dir);
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	if (posix_fallocate(fd, 0, RESERVE_SIZE) != 0)
		unlink(path);
	close(fd);
}

static void reserve_release(struct child *c)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/reserve", c->cfg->state_dir);
	unlink(path);
}

/* LMDB reports a write that the disk took in part as EIO. */
static bool disk_is_full(struct child *c)
{
	struct statvfs st;

	return statvfs(c->cfg->state_dir, &st) == 0 &&
	       (uint64_t)st.f_bavail * st.f_frsize < RESERVE_SIZE / 4;
}

/* When the disk or the map is full, deletions still get through. */
int sync_or_use_reserve(struct child *c, uint64_t upto)
{
	int ret = sync_persistent(c, upto);

	if (ret == -EIO && disk_is_full(c))
		ret = -ENOSPC;
	if (ret != -ENOSPC || !only_deletions(c, upto))
		return ret;
	reserve_release(c);
	ret = store_reserve(c->env[JOURNAL_PERSISTENT], true);
	if (ret == 0)
		ret = sync_persistent(c, upto);
	store_reserve(c->env[JOURNAL_PERSISTENT], false);
	reserve_take(c);
	return ret;
}

/* --- halves to the runtime environment --- */

struct latest {
	struct journal_record r;
	uint64_t order;
};

struct batch {
	struct latest *e;
	size_t nr, cap;
};

static int batch_add(struct batch *b, const struct journal_record *r)
{
	if (b->nr == b->cap) {
		size_t cap = b->cap ? b->cap * 2 : 1024;
		struct latest *e = realloc(b->e, cap * sizeof(*e));

		if (!e)
			return -ENOMEM;
		b->e = e;
		b->cap = cap;
	}
	b->e[b->nr] = (struct latest){ .r = *r, .order = b->nr };
	b->nr++;
	return 0;
}

static int compare_keys(const struct journal_record *a, const struct journal_record *b)
{
	size_t len = a->key_len < b->key_len ? a->key_len : b->key_len;
	int diff = memcmp(a->key, b->key, len);

	return diff ? diff : (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static int compare_latest(const void *pa, const void *pb)
{
	const struct latest *a = pa, *b = pb;
	int diff = compare_keys(&a->r, &b->r);

	return diff ? diff : (a->order > b->order) - (a->order < b->order);
}

/* Only the last record of each key, in key order: what is rewritten often costs one put. */
static int batch_apply(struct child *c, struct batch *b)
{
	int ret = 0;

	qsort(b->e, b->nr, sizeof(*b->e), compare_latest);
	for (size_t i = 0; i < b->nr && ret == 0; i++) {
		if (i + 1 < b->nr && compare_keys(&b->e[i].r, &b->e[i + 1].r) == 0)
			continue;
		ret = apply_record(c, &b->e[i].r);
	}
	return ret;
}

static int batch_frame(struct child *c, struct batch *b, const struct journal_frame *f)
{
	struct journal_record r;
	size_t at = 0;
	int ret;

	while ((ret = journal_record_at(f, &at, &r)) > 0) {
		/* Replies matter only as long as the journal has them. */
		if (r.env == JOURNAL_RUNTIME && *(const char *)r.key != RECORD_REPLY) {
			ret = batch_add(b, &r);
			if (ret < 0)
				return ret;
		}
	}
	return ret;
}

#define SPILLS_MAX 256

/* All runtime records of @half in one commit. */
int apply_half(struct child *c, unsigned int half)
{
	struct store *s = c->env[JOURNAL_RUNTIME];
	struct journal_frame spilled[SPILLS_MAX], f;
	struct batch b = { 0 };
	unsigned int nr_spilled = 0;
	uint64_t seq = c->applied[JOURNAL_RUNTIME];
	size_t at = 0;
	int ret;

	keeper_is_at(JOURNAL_RUNTIME);
	while ((ret = journal_frame_at(c->j, half, at, &f)) > 0) {
		at = f.next;
		ret = f.seq > c->applied[JOURNAL_RUNTIME] ? batch_frame(c, &b, &f) : 0;
		if (f.seq > seq)
			seq = f.seq;
		if (f.spilled && nr_spilled < SPILLS_MAX)
			spilled[nr_spilled++] = f;
		else
			journal_frame_done(&f);
		if (ret < 0)
			break;
	}
	if (ret == 0 && b.nr > 0) {
		ret = store_begin(s);
		if (ret == 0)
			ret = batch_apply(c, &b);
		if (ret == 0)
			ret = put_applied(c, JOURNAL_RUNTIME, seq);
		if (ret == 0)
			ret = store_commit(s);
		if (ret == 0)
			c->applied[JOURNAL_RUNTIME] = seq;
		store_abort(s);
	}
	while (nr_spilled > 0)
		journal_frame_done(&spilled[--nr_spilled]);
	free(b.e);
	/* As much as the half had: not needed before the next one is full. */
	malloc_trim(0);
	return ret;
}
