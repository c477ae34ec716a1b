/* SPDX-License-Identifier: MIT */
/* question.c - see question.h. A table of questions; answers go out as they are found. */
#include "question.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "disk.h"
#include "disk_copy.h"
#include "history.h"
#include "in_child.h"
#include "loss_record.h"
#include "numbered.h"
#include "packed_perms.h"
#include "snapshots.h"
#include "worker.h"
#include "xs_past.h"
#include "xs_path.h"

#define WORDS_MAX 4
/*
 * The daemon keeps an answer till its client has taken it: larger ones are refused (E2BIG). But a
 * snapshot is to become what the daemon holds, and is as large as that may be.
 */
#define ANSWER_MAX (16u << 20)
/*
 * So many changes, and so many bytes of them, the log tells of at once, and the rest of their
 * revision if that is not too much; the last record says where it stopped.
 */
#define LOG_MAX 10000u
#define LOG_BYTES (4u << 20)
#define LOG_BYTES_MOST (ANSWER_MAX - (1u << 20))

/* An answer on its way: bytes that gather till they fill a packet. */
struct answer {
	const struct question *q;
	const char *word[WORDS_MAX];
	unsigned int nr_words;
	struct disk_env env;
	struct {
		struct worker_msg msg;
		char data[WORKER_PACKET - sizeof(struct worker_msg)];
	} packet;
	size_t len, sent, most;
	unsigned int changes;		/* of the log, so far */
	struct history_place last;
};

/* --- sending --- */

static void send_packet(struct answer *a, int err)
{
	size_t len = sizeof(a->packet.msg) + a->len;

	a->packet.msg = (struct worker_msg){ .op = WORKER_ANSWER, .err = err, .id = a->q->id };
	if (send(a->q->fd, &a->packet, len, MSG_NOSIGNAL) != (ssize_t)len)
		_exit(1);
	a->len = 0;
}

static int add(void *arg, const char *data, size_t len)
{
	struct answer *a = arg;

	a->sent += len;
	if (a->sent > a->most)
		return -E2BIG;
	while (len > 0) {
		size_t n = sizeof(a->packet.data) - a->len;

		n = len < n ? len : n;
		memcpy(a->packet.data + a->len, data, n);
		a->len += n;
		data += n;
		len -= n;
		if (a->len == sizeof(a->packet.data))
			send_packet(a, 1);
	}
	return 0;
}

static int add_record(struct answer *a, struct xs_past *rec, const char *path, size_t path_len,
		      const struct stored_node *n)
{
	char perms[XS_PERM_TEXT_BUF];
	size_t perms_len = 0;
	int ret;

	for (unsigned int i = 0; n && i < n->nr_perms; i++) {
		struct xs_perm p = packed_perm_get(n->perms, i);

		perms_len += xs_perm_format(&p, perms);
	}
	rec->path_len = (uint16_t)path_len;
	if (n)
		rec->mark = n->mark;
	rec->value_len = n ? n->value_len : 0;
	rec->perms_len = (uint32_t)perms_len;
	rec->len = (uint32_t)(sizeof(*rec) + path_len + rec->value_len + perms_len);
	ret = add(a, (const char *)rec, sizeof(*rec));
	if (ret == 0)
		ret = add(a, path, path_len);
	if (ret == 0 && n)
		ret = add(a, n->value, n->value_len);
	for (unsigned int i = 0; n && i < n->nr_perms && ret == 0; i++) {
		struct xs_perm p = packed_perm_get(n->perms, i);

		ret = add(a, perms, xs_perm_format(&p, perms));
	}
	return ret;
}

/* --- what the words mean --- */

static int parse_path(const char *word, struct xs_path *out)
{
	return xs_path_canonical(word, strlen(word), 0, 0, out) < 0 ? -EINVAL : 0;
}

static int parse_rev(const char *word, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(word, &end, 10);
	return word[0] < '0' || word[0] > '9' || *end || errno || *out >> 56 ? -EINVAL : 0;
}

static int open_env(struct answer *a)
{
	int ret = disk_env_open(&a->env, a->q->path, a->q->map_size,
				a->q->beside ? DISK_READ_BESIDE : DISK_READ);

	/*
	 * "There is no such file" would be taken for "there is no such node", or for "nothing is
	 * lost".
	 */
	if (ret == 0)
		ret = disk_env_begin(&a->env, false);
	return ret == -ENOENT ? -EIO : ret;
}

/* --- log --- */

/* Not an error: there is more than is told. */
#define LOG_FULL 1

static int log_one(void *arg, const struct history_change *c)
{
	struct xs_past rec = {
		.kind = c->state.is ? XS_PAST_PUT : XS_PAST_DEL,
		.domid = c->record.who.domid, .rev = c->rev, .time_ns = c->record.time_ns,
		.uid = c->record.who.uid, .pid = c->record.who.pid,
	};
	struct answer *a = arg;

	if (a->sent > LOG_BYTES_MOST ||
	    ((a->changes >= LOG_MAX || a->sent > LOG_BYTES) && c->rev != a->last.rev))
		return LOG_FULL;
	a->changes++;
	a->last = (struct history_place){ c->rev, c->index };
	rec.index = c->index;
	memcpy(rec.program, c->record.who.program, sizeof(c->record.who.program));
	return add_record(a, &rec, c->state.path, c->state.path_len,
			  c->state.is ? &c->state.now : NULL);
}

/* "REV" or "REV.INDEX". */
static int parse_place(const char *word, struct history_place *out)
{
	char number[24];
	size_t len = strcspn(word, ".");
	uint64_t index = 0;
	int ret = len < sizeof(number) ? 0 : -EINVAL;

	if (ret == 0) {
		memcpy(number, word, len);
		number[len] = '\0';
		ret = parse_rev(number, &out->rev);
	}
	if (ret == 0 && word[len])
		ret = parse_rev(word + len + 1, &index);
	out->index = (uint32_t)index;
	return index > UINT32_MAX ? -EINVAL : ret;
}

static int ask_log(struct answer *a)
{
	struct xs_past limit = { .kind = XS_PAST_LIMIT };
	struct history_place before;
	struct xs_path path;
	bool all = a->nr_words < 3;
	int ret = parse_path(a->word[1], &path);

	if (ret == 0 && !all)
		ret = parse_place(a->word[2], &before);
	if (ret == 0)
		ret = open_env(a);
	if (ret == 0)
		ret = history_log(&a->env, all ? NULL : &before, &path, log_one, a);
	if (ret < 0)
		return ret;
	limit.rev = ret == LOG_FULL ? a->last.rev : a->env.head.horizon;
	limit.index = a->last.index;
	limit.mark = ret == LOG_FULL;
	return add_record(a, &limit, path.text, path.len, NULL);
}

/* --- at, tree, diff --- */

/* Nodes by age: parents before children, and these in their order. */
struct found {
	struct history_state *e;
	size_t nr, cap;
};

static int gather(struct found *f, const struct history_state *s)
{
	if (f->nr == f->cap) {
		size_t cap = f->cap ? 2 * f->cap : 256;
		struct history_state *e = realloc(f->e, cap * sizeof(*e));

		if (!e)
			return -ENOMEM;
		f->e = e;
		f->cap = cap;
	}
	f->e[f->nr++] = *s;
	return 0;
}

static int by_age(const void *pa, const void *pb)
{
	const struct stored_node *a = &((const struct history_state *)pa)->then;
	const struct stored_node *b = &((const struct history_state *)pb)->then;

	if (a->made_rev != b->made_rev)
		return a->made_rev < b->made_rev ? -1 : 1;
	return (a->made_index > b->made_index) - (a->made_index < b->made_index);
}

static int tell_by_age(struct answer *a, struct found *f)
{
	int ret = 0;

	if (f->nr > 1)
		qsort(f->e, f->nr, sizeof(*f->e), by_age);
	for (size_t i = 0; i < f->nr && ret == 0; i++) {
		const struct stored_node *n = &f->e[i].then;
		struct xs_past rec = { .kind = XS_PAST_NODE, .rev = n->rev };

		ret = add_record(a, &rec, n->path, n->path_len, n);
	}
	free(f->e);
	return ret;
}

/* The path in a record of the map, which stays; that of a key is a buffer's. */
static int gather_then(struct found *f, const struct history_state *s)
{
	struct history_state kept = *s;
	char *path = malloc(s->path_len);

	/* The process ends with the answer: nobody frees it. */
	if (!path)
		return -ENOMEM;
	memcpy(path, s->path, s->path_len);
	kept.then.path = path;
	kept.then.path_len = s->path_len;
	return gather(f, &kept);
}

static int tree_one(void *arg, const struct history_state *s)
{
	return s->was ? gather_then(arg, s) : 0;
}

static int rev_and_path(struct answer *a, uint64_t *rev, struct xs_path *path)
{
	int ret = parse_rev(a->word[1], rev);

	if (ret == 0)
		ret = parse_path(a->word[2], path);
	return ret < 0 ? ret : open_env(a);
}

static int ask_at(struct answer *a)
{
	struct history_state s;
	struct xs_path path;
	uint64_t rev;
	struct xs_past rec = { .kind = XS_PAST_NODE };
	int ret = rev_and_path(a, &rev, &path);

	if (ret == 0)
		ret = history_at(&a->env, rev, path.text, path.len, &s);
	if (ret == 0 && !s.was)
		ret = -ENOENT;
	if (ret < 0)
		return ret;
	rec.rev = s.then.rev;
	return add_record(a, &rec, path.text, path.len, &s.then);
}

static int ask_tree(struct answer *a)
{
	struct found f = { NULL, 0, 0 };
	struct xs_path path;
	uint64_t rev;
	int ret = rev_and_path(a, &rev, &path);

	if (ret == 0)
		ret = history_walk(&a->env, rev, path.text, path.len, tree_one, &f);
	if (ret == 0 && f.nr == 0)
		ret = -ENOENT;
	return ret < 0 ? ret : tell_by_age(a, &f);
}

struct diff {
	struct answer *a;
	uint64_t rev;
	size_t top_len;
	struct found put;
};

/* Whether the node goes together with its parent. */
static int goes_with_parent(struct diff *d, const struct history_state *s, bool *out)
{
	struct history_state parent;
	size_t len = xs_path_parent_len(s->path, s->path_len);
	int ret;

	*out = false;
	if (s->path_len == d->top_len || len <= 1)
		return 0;
	ret = history_at(&d->a->env, d->rev, s->path, len, &parent);
	*out = ret == 0 && parent.is && !parent.was;
	return ret;
}

static int diff_one(void *arg, const struct history_state *s)
{
	struct xs_past rec = { .kind = XS_PAST_GONE };
	struct diff *d = arg;
	bool below;
	int ret;

	if (s->was)
		return s->is && history_same(&s->now, &s->then) ? 0 : gather_then(&d->put, s);
	ret = goes_with_parent(d, s, &below);
	if (ret < 0 || below)
		return ret;
	rec.rev = s->now.rev;
	return add_record(d->a, &rec, s->path, s->path_len, NULL);
}

/* What goes is told first: a name may be wanted again below another node. */
static int ask_diff(struct answer *a)
{
	struct diff d = { .a = a };
	struct xs_path path;
	int ret = rev_and_path(a, &d.rev, &path);

	d.top_len = path.len;
	if (ret == 0)
		ret = history_walk(&a->env, d.rev, path.text, path.len, diff_one, &d);
	return ret < 0 ? ret : tell_by_age(a, &d.put);
}

/* --- snapshots and generations --- */

static int ask_snapshot(struct answer *a)
{
	return snapshot_make(a->q->state_dir, a->q->path, a->word[1], a->q->map_size);
}

static int ask_verify(struct answer *a)
{
	return snapshot_verify(a->q->state_dir, a->word[1], a->q->map_size);
}

static int ask_remove(struct answer *a)
{
	return snapshot_remove(a->q->state_dir, a->word[1]);
}

static int ask_snapshots(struct answer *a)
{
	char dir[NUMBERED_PATH];

	snprintf(dir, sizeof(dir), "%.400s/snapshots", a->q->state_dir);
	return snapshot_list(dir, a->q->map_size, add, a);
}

static int ask_generations(struct answer *a)
{
	char dir[NUMBERED_PATH];

	snprintf(dir, sizeof(dir), "%.400s/store/generations", a->q->state_dir);
	return snapshot_list(dir, a->q->map_size, add, a);
}

/* --- what was lost --- */

static int add_loss(struct answer *a, const struct disk_lost *l)
{
	static const char *const what[] = {
		[DISK_LOST] = "lost", [DISK_BROUGHT_BACK] = "older", [DISK_UNKNOWN] = "unknown",
		[DISK_STALE] = "stale",
	};
	char text[64 + XS_PATH_BUF];
	int len = snprintf(text, sizeof(text), "%s %" PRIu64 " %" PRIu64 " %.*s\n", what[l->loss],
			   l->rev, l->time_ns / 1000000000u, (int)l->path_len, l->path);

	return add(a, text, (size_t)len);
}

static int ask_lost(struct answer *a)
{
	MDB_cursor *cursor = NULL;
	MDB_val key, value;
	int ret = open_env(a);

	if (ret == 0)
		ret = disk_errno(mdb_cursor_open(a->env.txn, a->env.dbi[DISK_LOSS], &cursor));
	while (ret == 0) {
		struct disk_lost l;

		ret = disk_errno(mdb_cursor_get(cursor, &key, &value, MDB_NEXT));
		if (ret == 0)
			ret = loss_record_read(key.mv_data, key.mv_size, value.mv_data,
					       value.mv_size, &l);
		if (ret == 0)
			ret = add_loss(a, &l);
	}
	return ret == -ENOENT ? 0 : ret;
}

/* By the process that reads it. */
static const struct numbered restored = { .prefix = "restored-", .suffix = ".mdb" };

/* A copy is read, not the file: what was verified is what is sent. */
static int ask_read(struct answer *a)
{
	char from[NUMBERED_PATH], to[NUMBERED_PATH];
	struct disk_copying copy = { .from = from, .to = to, .map_size = a->q->map_size };
	struct found f = { NULL, 0, 0 };
	int ret;

	a->most = SIZE_MAX;
	snapshot_path(a->q->state_dir, a->word[1], from);
	numbered_path(&restored, a->q->run_dir, (uint64_t)getpid(), to);
	ret = in_child(disk_copy, &copy);
	if (ret == 0)
		ret = disk_env_open(&a->env, to, a->q->map_size, DISK_READ);
	unlink(to);
	if (ret == 0)
		ret = disk_env_begin(&a->env, false);
	if (ret == 0)
		ret = history_walk(&a->env, a->env.head.applied, "/", 1, tree_one, &f);
	return ret < 0 ? ret : tell_by_age(a, &f);
}

/* --- the table --- */

static const struct asked {
	const char *name;
	unsigned int words, most;	/* @most 0: as many */
	bool named;		/* the second word is a snapshot's name */
	int (*ask)(struct answer *a);
} questions[] = {
	{ "log", 2, 3, false, ask_log },
	{ "at", 3, 0, false, ask_at },
	{ "tree", 3, 0, false, ask_tree },
	{ "diff", 3, 0, false, ask_diff },
	{ "snapshot", 2, 0, true, ask_snapshot },
	{ "snapshots", 1, 0, false, ask_snapshots },
	{ "snapshot-verify", 2, 0, true, ask_verify },
	{ "snapshot-remove", 2, 0, true, ask_remove },
	{ "snapshot-read", 2, 0, true, ask_read },
	{ "generations", 1, 0, false, ask_generations },
	{ "lost", 1, 0, false, ask_lost },
};

static int split(struct answer *a)
{
	const char *p = a->q->text, *end = p + a->q->len;

	if (a->q->len == 0 || end[-1] != '\0')
		return -EINVAL;
	for (; p < end; p += strlen(p) + 1) {
		if (a->nr_words == WORDS_MAX)
			return -EINVAL;
		a->word[a->nr_words++] = p;
	}
	return 0;
}

static int ask(struct answer *a)
{
	int ret = split(a);

	for (size_t i = 0; ret == 0 && i < sizeof(questions) / sizeof(questions[0]); i++) {
		const struct asked *q = &questions[i];

		if (strcmp(a->word[0], q->name) != 0)
			continue;
		if (a->nr_words < q->words ||
		    a->nr_words > (q->most ? q->most : q->words) || (q->named && !snapshot_name_good(a->word[1])))
			return -EINVAL;
		return q->ask(a);
	}
	return -EINVAL;
}

/* The protocol has no error for a revision that is forgotten: a record says it, and since when. */
static int tell_limit(struct answer *a)
{
	struct xs_past limit = { .kind = XS_PAST_LIMIT, .rev = a->env.head.horizon };

	a->len = 0;
	return add_record(a, &limit, "/", 1, NULL);
}

int question_answer(void *arg)
{
	static struct answer a;
	int ret;

	a.q = arg;
	a.most = ANSWER_MAX;
	ret = ask(&a);
	if (ret == -ESTALE)
		ret = tell_limit(&a);
	if (ret < 0)
		a.len = 0;
	/* a reader that ends without a word keeps its place, and the pages that it saw */
	disk_env_close(&a.env);
	send_packet(&a, ret);
	return 0;
}

/* --- what a process that was killed has left --- */

struct cleaning {
	const struct numbered *name;
	const char *dir;
	uint64_t number;	/* 0: each */
};

static int clean_one(void *arg, uint64_t number)
{
	struct cleaning *c = arg;
	char path[NUMBERED_PATH];

	numbered_path(c->name, c->dir, number, path);
	if (c->number == 0 || c->number == number)
		unlink(path);
	return 0;
}

void question_clean(const struct disk_config *cfg, pid_t pid)
{
	char snapshots[NUMBERED_PATH];
	struct cleaning c[] = {
		{ &snapshot_part, snapshots, (uint64_t)pid },
		{ &restored, cfg->run_dir, (uint64_t)pid },
	};

	snapshot_dir(cfg->state_dir, snapshots);
	for (size_t i = 0; i < sizeof(c) / sizeof(c[0]); i++)
		numbered_each(c[i].name, c[i].dir, clean_one, &c[i]);
}
