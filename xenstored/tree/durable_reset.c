/* SPDX-License-Identifier: MIT */
/*
 * durable_reset.c - the queue begun anew: the whole persistent part as it is, when the disk has
 * lost its place; or nothing, when there is no part yet. See durable_priv.h. Single-threaded; no
 * lock.
 */
#include <errno.h>
#include <string.h>

#include "durable_priv.h"
#include "lasting.h"
#include "log.h"
#include "packed_perms.h"
#include "queue.h"
#include "server.h"
#include "store.h"
#include "xs_path.h"

/* Bytes of a change in the queue that are neither path, value nor rights. */
#define CHANGE_MORE 64u

static void empty_queue(struct server *srv)
{
	struct queue_taken taken = { .left = true };

	while (taken.left)
		queue_take(srv->tree.store, UINT64_MAX, DURABLE_TRIM, &taken);
	srv->durable.nr_queued = srv->durable.bytes_queued = 0;
}

static void name_given_up(void *arg, const struct change *c)
{
	log_errorx("%.*s: a later change of it is lost", (int)c->path_len, c->path);
}

int durable_give_up(struct server *srv)
{
	if (store_room(srv->tree.store, srv->durable.nr_queued, 0, true) < 0)
		return -ENOSPC;
	queue_each(srv->tree.store, srv->durable.rev, name_given_up, NULL);
	empty_queue(srv);
	store_commit(srv->tree.store);
	return 0;
}

/*
 * What is queued and does not last now: removals of what the disk has by another rule (lasting.h),
 * what a removal of what lasts takes along, changes that lasted when they were made. A RESET leaves
 * all that alone, so they stay queued.
 */
struct carried {
	struct buf bytes;	/* each: its length (size_t), its value with the key 0, 0 */
	size_t nr, longest;
	int err;
};

static const unsigned char no_key[CHANGE_KEY];

static void carry_one(struct carried *k, const struct change *c)
{
	size_t len = change_len(c);
	char *to;

	if (k->err)
		return;
	to = buf_room(&k->bytes, sizeof(len) + len);
	if (!to) {
		k->err = -ENOMEM;
		return;
	}
	memcpy(to, &len, sizeof(len));
	change_write(c, no_key, to + sizeof(len));
	buf_added(&k->bytes, sizeof(len) + len);
	k->nr++;
	k->longest = len > k->longest ? len : k->longest;
}

/* What the removal of what lasts takes along that does not is within a "-PATH" (last_rule.h). */
static void carry_what_is_below(struct carried *k, const struct change *c)
{
	size_t rule_len, n;
	const char *rule = lasting_rule(&rule_len);

	for (size_t at = 0; at < rule_len; at += n + 1) {
		const char *top = rule + at + 1;
		struct change below = *c;

		n = strlen(rule + at);
		if (rule[at] != '-' || !xs_path_is_within(top, n - 1, c->path, c->path_len))
			continue;
		below.path = top;
		below.path_len = (uint16_t)(n - 1);
		carry_one(k, &below);
	}
}

static void carry(void *arg, const struct change *c)
{
	if (c->op == CHANGE_RESET)
		return;
	if (!lasting_is(c->path, c->path_len))
		carry_one(arg, c);
	else if (c->op == CHANGE_REMOVE)
		carry_what_is_below(arg, c);
}

static void queue_carried(struct server *srv, const struct carried *k)
{
	for (size_t at = 0, len; at < buf_len(&k->bytes); at += sizeof(len) + len) {
		struct change c;

		memcpy(&len, buf_front(&k->bytes) + at, sizeof(len));
		if (change_read(no_key, buf_front(&k->bytes) + at + sizeof(len), len, &c) == 0)
			durable_enqueue_again(srv, &c);
	}
}

/* All that lasts goes into the queue, and what is there out of it. */
static void reset_need(struct server *srv, const struct carried *k, struct store_need *need)
{
	size_t rule_len;
	bool more;
	struct walk w;

	lasting_rule(&rule_len);

	*need = (struct store_need){
		/* RESET, and which revision is the last one. */
		.inserts = 2 + k->nr,
		.deletes = srv->durable.nr_queued,
		.bytes = 2 * CHANGE_MORE + rule_len + buf_len(&k->bytes),
		.longest = CHANGE_MORE + rule_len,
		.frees = true,
		/* One number after the other. */
		.trusted = true,
	};
	if (k->longest > need->longest)
		need->longest = k->longest;
	more = walk_begin(&w, &srv->tree, "/", 1);
	for (; more; more = walk_next(&w, UINT32_MAX)) {
		size_t len = CHANGE_MORE + w.len + w.node.value_len +
			     w.node.perms->nr * (size_t)PACKED_PERM;

		if (!lasting_is(w.path, w.len))
			continue;
		need->inserts++;
		need->bytes += len;
		if (len > need->longest)
			need->longest = len;
	}
}

static void queue_all(struct server *srv)
{
	struct change c = { .op = CHANGE_RESET, .path = "/", .path_len = 1 };
	size_t rule_len;
	bool more;
	struct walk w;

	tree_change_untraced(&srv->tree);
	/* Of what does not last as it is said now there may be something: that is left to it. */
	c.value = lasting_rule(&rule_len);
	c.value_len = (uint32_t)rule_len;
	durable_enqueue(srv, &c);
	more = walk_begin(&w, &srv->tree, "/", 1);
	for (; more; more = walk_next(&w, UINT32_MAX))
		if (lasting_is(w.path, w.len))
			durable_put(srv, w.path, w.len, &w.node);
}

/* Everything that is queued is replaced by the whole part as it is: the disk has lost its place. */
int durable_reset(struct server *srv)
{
	struct carried carried = { .nr = 0 };
	struct store_need need;
	int ret;

	if (srv->durable.foreign)
		return -EIO;
	/* Also what the disk had: it may be an older one by now. */
	queue_each(srv->tree.store, 0, carry, &carried);
	reset_need(srv, &carried, &need);
	ret = carried.err;
	if (ret == 0 && store_room_for(srv->tree.store, &need) < 0)
		ret = -ENOSPC;
	if (ret == 0) {
		empty_queue(srv);
		queue_all(srv);
		queue_carried(srv, &carried);
		server_publish(srv);
	}
	buf_fini(&carried.bytes);
	return ret;
}
