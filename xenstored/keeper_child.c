/* SPDX-License-Identifier: MIT */
/*
 * keeper_child.c - the keeper process: applies journal frames to the two environments. Reads the
 * journal, never writes it. Ends when the daemon does.
 */
#include "keeper_priv.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "log.h"
#include "record.h"
#include "store.h"

struct child {
	struct journal *j;
	const struct keeper_config *cfg;
	int fd;
	struct store *env[2];		/* JOURNAL_RUNTIME, JOURNAL_PERSISTENT */
	uint64_t applied[2];		/* last frame in each */
	size_t pos[JOURNAL_HALVES];	/* how far persistent records were looked for */
	uint64_t pos_turn[JOURNAL_HALVES];
	uint64_t done_turn[JOURNAL_HALVES];	/* 1 + turn in which the half was applied */
	bool looking;			/* records are only looked at: see only_deletions() */
	bool saw_put;
	struct buf out;			/* stream of records, written in large pieces */
	int stream;
};

static int put_applied(struct child *c, unsigned int env, uint64_t seq)
{
	char key[RECORD_KEY_MAX];
	size_t len = record_key(key, RECORD_META, META_APPLIED, 0);

	return store_put(c->env[env], key, len, &seq, sizeof(seq));
}

static uint64_t get_applied(struct child *c, unsigned int env)
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
		ret = frame_wanted(c, &f, upto) ? apply_persistent(c, &f) : 0;
		if (ret == 0 && f.persistent && f.seq > *seq)
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

/* The half with older frames. */
static unsigned int older_half(struct child *c)
{
	return first_seq(c, 1) < first_seq(c, 0);
}

/* All persistent records up to @upto in one synced commit: 0 or the reason it failed. */
static int sync_persistent(struct child *c, uint64_t upto)
{
	struct store *s = c->env[JOURNAL_PERSISTENT];
	unsigned int older = older_half(c);
	size_t pos[JOURNAL_HALVES] = { c->pos[0], c->pos[1] };
	uint64_t turn[JOURNAL_HALVES] = { c->pos_turn[0], c->pos_turn[1] };
	uint64_t seq = c->applied[JOURNAL_PERSISTENT];
	int ret = store_begin(s);

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
static void reserve_take(struct child *c)
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

/* When the disk or the map is full, deletions still get through. */
static int sync_or_use_reserve(struct child *c, uint64_t upto)
{
	int ret = sync_persistent(c, upto);

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
static int apply_half(struct child *c, unsigned int half)
{
	struct store *s = c->env[JOURNAL_RUNTIME];
	struct journal_frame spilled[SPILLS_MAX], f;
	struct batch b = { 0 };
	unsigned int nr_spilled = 0;
	uint64_t seq = c->applied[JOURNAL_RUNTIME];
	size_t at = 0;
	int ret;

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
	return ret;
}

/* --- start --- */

static int stream_flush(struct child *c)
{
	while (buf_len(&c->out) > 0) {
		ssize_t n = write(c->stream, buf_front(&c->out), buf_len(&c->out));

		if (n < 0 && errno != EINTR)
			return -EIO;
		if (n > 0)
			buf_take(&c->out, (size_t)n);
	}
	return 0;
}

struct streaming {
	struct child *c;
	uint32_t env;
};

static int stream_record(void *arg, const void *key, size_t key_len, const void *value,
			 size_t value_len)
{
	struct streaming *s = arg;
	struct keeper_record rec = { s->env, (uint32_t)key_len, (uint32_t)value_len };

	if (buf_append(&s->c->out, &rec, sizeof(rec)) < 0 ||
	    buf_append(&s->c->out, key, key_len) < 0 ||
	    buf_append(&s->c->out, value, value_len) < 0)
		return -ENOMEM;
	return buf_len(&s->c->out) > 1024 * 1024 ? stream_flush(s->c) : 0;
}

static int count_record(void *arg, const void *key, size_t key_len, const void *value,
			size_t value_len)
{
	return 0;
}

static int open_one(struct child *c, unsigned int env)
{
	bool persistent = env == JOURNAL_PERSISTENT;
	char dir[512];
	int ret;

	snprintf(dir, sizeof(dir), "%s/%s", persistent ? c->cfg->state_dir : c->cfg->run_dir,
		 persistent ? "store" : "runtime");
	if (!persistent && c->cfg->fresh) {
		char file[600];

		snprintf(file, sizeof(file), "%s/data.mdb", dir);
		unlink(file);
		snprintf(file, sizeof(file), "%s/lock.mdb", dir);
		unlink(file);
	}
	ret = store_open(dir, persistent ? c->cfg->persistent_size : c->cfg->runtime_size,
			 persistent, &c->env[env]);
	if (ret < 0)
		return ret;
	/* Every record is verified before any is used. */
	ret = persistent ? store_walk(c->env[env], count_record, NULL) : 0;
	if (ret == 0)
		c->applied[env] = get_applied(c, env);
	return ret;
}

static int redo_journal(struct child *c, uint32_t *env)
{
	unsigned int older = older_half(c);
	int ret;

	*env = JOURNAL_PERSISTENT;
	ret = sync_persistent(c, UINT64_MAX);
	if (ret < 0)
		return ret;
	*env = JOURNAL_RUNTIME;
	ret = apply_half(c, older);
	return ret < 0 ? ret : apply_half(c, 1 - older);
}

static int load(struct child *c, struct keeper_msg *msg)
{
	int ret = 0;

	for (msg->env = 0; msg->env < 2; msg->env++) {
		ret = open_one(c, msg->env);
		if (ret < 0)
			return ret;
	}
	ret = redo_journal(c, &msg->env);
	if (ret < 0)
		return ret;
	for (msg->env = 0; msg->env < 2 && c->stream >= 0; msg->env++) {
		struct streaming s = { c, msg->env };

		ret = store_walk(c->env[msg->env], stream_record, &s);
		if (ret < 0)
			return ret;
	}
	return c->stream >= 0 ? stream_flush(c) : 0;
}

/* --- serving --- */

static void say(struct child *c, const struct keeper_msg *msg)
{
	/* Nobody there: the daemon is gone, and so are we. */
	if (send(c->fd, msg, sizeof(*msg), MSG_NOSIGNAL) != sizeof(*msg))
		_exit(0);
}

static void do_sync(struct child *c, uint64_t seq)
{
	struct keeper_msg msg = { .op = KEEPER_SYNCED };

	msg.err = sync_or_use_reserve(c, seq);
	msg.seq = msg.err ? c->applied[JOURNAL_PERSISTENT] : seq;
	say(c, &msg);
}

static void do_apply(struct child *c, unsigned int half)
{
	struct keeper_msg msg = { .op = KEEPER_APPLIED, .half = half };

	msg.err = apply_half(c, half);
	if (msg.err == 0)
		c->done_turn[half] = journal_half_turn(c->j, half) + 1;
	say(c, &msg);
}

/* Copies to a new file, syncs it and only then gives it its name. */
static int snapshot(struct child *c, const char *name)
{
	char path[600], part[640];
	int ret, fd;

	snprintf(path, sizeof(path), "%s/%s", c->cfg->state_dir, name);
	snprintf(part, sizeof(part), "%s.part", path);
	fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	ret = store_copy(c->env[JOURNAL_PERSISTENT], fd);
	if (ret == 0 && fsync(fd) < 0)
		ret = -errno;
	close(fd);
	if (ret == 0 && rename(part, path) < 0)
		ret = -errno;
	if (ret < 0)
		unlink(part);
	return ret;
}

static void do_snapshot(struct child *c, struct keeper_msg *msg)
{
	msg->op = KEEPER_SNAPPED;
	msg->text[sizeof(msg->text) - 1] = '\0';
	msg->err = snapshot(c, msg->text);
	say(c, msg);
}

static void serve(struct child *c)
{
	struct keeper_msg msg;

	while (recv(c->fd, &msg, sizeof(msg), 0) == sizeof(msg)) {
		switch (msg.op) {
		case KEEPER_SYNC:
			do_sync(c, msg.seq);
			break;
		case KEEPER_APPLY:
			do_apply(c, msg.half);
			break;
		case KEEPER_SNAPSHOT:
			do_snapshot(c, &msg);
			break;
		default:
			break;
		}
	}
}

static int compare_fds(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* The daemon's descriptors are not ours to keep open: clients must see it die. */
static void close_others(const struct keeper_fds *fds)
{
	int keep[4] = { fds->channel, fds->stream, fds->lock[0], fds->lock[1] };
	unsigned int from = 3;

	qsort(keep, 4, sizeof(keep[0]), compare_fds);
	for (int i = 0; i < 4; i++) {
		if (keep[i] < (int)from)
			continue;
		if (keep[i] > (int)from)
			close_range(from, (unsigned int)keep[i] - 1, 0);
		from = (unsigned int)keep[i] + 1;
	}
	close_range(from, ~0u, 0);
}

_Noreturn void keeper_child(struct journal *j, const struct keeper_config *cfg,
			    const struct keeper_fds *fds)
{
	struct child c = { .j = j, .cfg = cfg, .fd = fds->channel, .stream = fds->stream };
	struct keeper_msg msg = { .op = KEEPER_LOADED };

	prctl(PR_SET_NAME, "xenstored-keep");
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	close_others(fds);
	msg.err = load(&c, &msg);
	msg.seq = c.applied[0] > c.applied[1] ? c.applied[0] : c.applied[1];
	say(&c, &msg);
	buf_fini(&c.out);
	if (msg.err == 0) {
		reserve_take(&c);
		serve(&c);
	}
	store_close(c.env[0]);
	store_close(c.env[1]);
	_exit(0);
}
