/* SPDX-License-Identifier: MIT */
/* durable_msg.c - what the worker says, and the questions it is asked. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "bulk.h"
#include "change.h"
#include "checked.h"
#include "conn.h"
#include "durable_priv.h"
#include "lasting.h"
#include "store.h"
#include "log.h"
#include "packed_perms.h"
#include "path_key.h"
#include "queue.h"
#include "server.h"
#include "stored_node.h"

/* One question of one connection, whose request is parked. */
struct question {
	struct question *next;
	struct conn *conn;
	uint32_t id;
	bool answered;
	int err;
	struct buf answer;
};

/* --- nodes from the disk --- */

static struct perms *perms_of(struct server *srv, const struct stored_node *n)
{
	return perms_count(&srv->tree.perms, n->perms, n->nr_perms);
}

/* The parent may have been lost: then there is an empty one, domain 0's. */
static void make_parents(struct server *srv, const char *path, size_t len)
{
	const struct xs_perm nobody = { 0, 0 };
	struct perms *perms = perms_get(&srv->tree.perms, &nobody, 1);
	struct node n;

	for (size_t i = 1; perms && i < len; i++) {
		const struct node_spec s = { .path = path, .len = i, .perms = perms };

		if (path[i] == '/' && !tree_find(&srv->tree, path, i, &n))
			change_loaded(srv, &s);
	}
	perms_put(&srv->tree.perms, perms);
}

/* One node as the disk has it: put without an event, and not queued again. */
static int take_node(struct server *srv, const struct stored_node *n)
{
	struct node_spec s = {
		.path = n->path, .len = n->path_len, .value = n->value,
		.value_len = n->value_len, .mark = n->mark, .gen = n->rev,
	};
	size_t above, records = 8u + n->nr_perms;
	struct node at;

	/* Of another part, or there already: a client has been faster. */
	if (!change_is_persistent(n->path, n->path_len) ||
	    tree_find(&srv->tree, n->path, n->path_len, &at))
		return 0;
	above = xs_path_parent_len(n->path, n->path_len);
	if (!tree_find(&srv->tree, n->path, above, &at))
		records += 3 * xs_path_depth_below(n->path, n->path_len, 1);
	if (store_room(srv->tree.store, records, n->path_len + n->value_len, false) < 0)
		return -ENOSPC;
	s.perms = perms_of(srv, n);
	if (!s.perms)
		return -ENOMEM;
	make_parents(srv, n->path, n->path_len);
	change_loaded(srv, &s);
	perms_put(&srv->tree.perms, s.perms);
	return 0;
}

/* Calls @each for the records of a NODE message or of an answer. 0, -EBADMSG, what it says. */
int durable_each_node(const char *data, size_t len,
		      int (*each)(void *arg, const struct stored_node *n), void *arg)
{
	unsigned char key[PATH_KEY_MAX];
	int ret = 0;

	while (len > 0 && ret == 0) {
		struct stored_node n;
		uint32_t record_len;
		uint16_t path_len;
		size_t key_len;

		if (len < sizeof(record_len) + sizeof(path_len))
			return -EBADMSG;
		memcpy(&record_len, data, sizeof(record_len));
		memcpy(&path_len, data + sizeof(record_len), sizeof(path_len));
		data += sizeof(record_len);
		len -= sizeof(record_len);
		if (record_len > len || sizeof(path_len) + path_len > record_len || path_len == 0)
			return -EBADMSG;
		key_len = path_key(data + sizeof(path_len), path_len, key);
		ret = stored_node_read(WORKER_NODE_DB, key, key_len, key_len,
				       data + sizeof(path_len) + path_len,
				       record_len - sizeof(path_len) - path_len, &n);
		if (ret == 0)
			ret = each(arg, &n);
		data += record_len;
		len -= record_len;
	}
	return ret;
}

static int take_each(void *arg, const struct stored_node *n)
{
	return take_node(arg, n);
}

/* Behind one that could not be taken in nothing more is: the load will be made again. */
static void take_nodes(struct server *srv, const char *data, size_t len)
{
	struct durable *d = &srv->durable;

	if (!d->loading || d->load_err)
		return;
	d->load_err = durable_each_node(data, len, take_each, srv);
	store_commit(srv->tree.store);
}

/* From its commit on a start does not load again: the part, as of revision @rev, is all there. */
static int note_loaded(struct server *srv, uint64_t rev)
{
	struct durable *d = &srv->durable;

	if (store_room(srv->tree.store, 3, 64, true) < 0)
		return -ENOSPC;
	d->last = d->rev = rev;
	durable_note_last(srv);
	store_still(srv->tree.store, STORE_WHOLE);
	return 0;
}

/* Part of it is no part: who reads it would take what is missing for gone. */
static void load_failed(struct server *srv, int err)
{
	struct durable *d = &srv->durable;

	log_errorx("not all of the persistent part could be loaded (%s): it is tried again",
		   strerror(-err));
	d->load_again_ns = now_ns() + DURABLE_RETRY_NS;
	durable_refused(srv, err);
}

/* A watch of one that could not be told of is told of all, as after a restart. */
static void note_tops(struct server *srv)
{
	struct buf tops = { 0 };

	if (lasting_tops(srv, &tops) < 0)
		srv->events_lost = true;
	for (size_t at = 0; at < buf_len(&tops);) {
		const char *top = buf_front(&tops) + at;

		watch_note(srv, top, strlen(top), NULL, NULL, false);
		at += strlen(top) + 1;
	}
	buf_fini(&tops);
}

static void loaded(struct server *srv, const struct worker_msg *msg)
{
	struct durable *d = &srv->durable;
	int err = msg->err ? msg->err : d->load_err;

	d->load_err = 0;
	if (!d->loading)
		return;
	if (err == 0)
		err = note_loaded(srv, msg->rev);
	if (err) {
		load_failed(srv, err);
		return;
	}
	d->loading = false;
	d->refused = 0;
	/* It may have come after the start has made what every store has. */
	if (server_standard_nodes(srv) < 0)
		log_warnx("no room for what every store has");
	/* What has come may name domains of an earlier boot. */
	srv->ended_still_named = true;
	/* The part as it is now is what clients saw nothing of. */
	note_tops(srv);
	feed_end_all(srv);
	watch_fire_collected(srv);
}

/* --- how far the disk is --- */

static void reached(struct server *srv, uint64_t rev)
{
	struct durable *d = &srv->durable;

	if (rev <= d->rev)
		return;
	d->rev = d->trim = rev;
	conns_release_held(srv, rev);
}

/*
 * Whether this store may have made revision @rev: also of the last one made there is the number,
 * and of each in the queue that of the one before. What lies between two of them is another's, even
 * if the last one is behind it by now.
 */
static bool is_ours(struct server *srv, uint64_t rev)
{
	uint64_t before;

	if (rev <= srv->durable.rev)
		return true;
	if (rev > srv->durable.last)
		return false;
	return !queue_before(srv->tree.store, rev, &before) || rev <= before;
}

/*
 * Whether the disk has revisions that this store never made: it is another store's. Then nothing
 * is taken for done, and nothing is written there, until one is there that is not.
 */
static bool is_foreign(struct server *srv, const struct worker_msg *msg)
{
	struct durable *d = &srv->durable;

	if (d->loading || msg->rev <= d->rev)
		d->foreign = false;
	else if (!is_ours(srv, msg->rev))
		d->foreign = true;
	if (d->foreign)
		durable_refused(srv, -EIO);
	return d->foreign;
}

static void disk_ready(struct server *srv, const struct worker_msg *msg)
{
	struct durable *d = &srv->durable;

	d->ready = true;
	if (d->loading && msg->rev > srv->tree.rev)
		tree_continue(&srv->tree, msg->rev);
	/* What the worker of the daemon before has brought to the disk since. */
	if (!is_foreign(srv, msg))
		reached(srv, msg->rev);
	else
		log_errorx("%s/store has revision %llu, but the last one of this store is %llu: "
			   "it is another store's, and nothing is written there",
			   srv->cfg.state_dir, (unsigned long long)msg->rev,
			   (unsigned long long)d->last);
	d->degraded = msg->flags & WORKER_DEGRADED;
	d->room = msg->room;
	if (msg->flags & WORKER_FOUND_DAMAGE)
		log_errorx("%s/store was damaged; what was whole is served", srv->cfg.state_dir);
	if (d->degraded)
		log_errorx("something in %s/store was lost: CONTROL lost says what, and no earlier "
			   "state is removed before CONTROL lost known",
			   srv->cfg.state_dir);
	if (msg->err)
		durable_refused(srv, msg->err);
	/* Nothing will come: the part begins empty, and nothing can be kept. */
	if (msg->err && d->loading && msg->err != -EROFS)
		log_errorx("the persistent part in %s cannot be used: %s", srv->cfg.state_dir,
			   strerror(-msg->err));
}

static void durable_now(struct server *srv, const struct worker_msg *msg)
{
	struct durable *d = &srv->durable;

	d->room = msg->room;
	d->degraded = msg->flags & WORKER_DEGRADED;
	if (is_foreign(srv, msg))
		return;
	if (d->refused && !d->loading)
		log_info("the disk takes persistent changes again");
	if (!d->loading)
		d->refused = 0;
	reached(srv, msg->rev);
}

void durable_refused(struct server *srv, int err)
{
	struct durable *d = &srv->durable;

	/* To a client that word means: not committed, because of somebody else's commit. */
	if (err == -EAGAIN)
		err = -EIO;
	if (d->refused != err)
		log_errorx("the disk refuses persistent changes (%s): clients are told so; what "
			   "was accepted is kept in memory and tried again",
			   strerror(-err));
	if (!d->refused)
		d->refused_since_ns = now_ns();
	d->refused = err;
	conns_fail_held(srv, d->rev + 1, -err);
	sessions_refused(srv, d->rev + 1);
	conns_release_held(srv, UINT64_MAX);
}

static void refused(struct server *srv, const struct worker_msg *msg)
{
	bool gap = msg->err == -ESTALE || (msg->err == -EBADMSG && msg->a);

	srv->durable.room = msg->room;
	if (is_foreign(srv, msg))
		return;
	/* There are no nodes yet to write anew. */
	if (gap && srv->durable.loading && durable_give_up(srv) == 0)
		return;
	if (srv->durable.loading || (msg->err != -ESTALE && msg->err != -EBADMSG)) {
		durable_refused(srv, msg->err);
		return;
	}
	log_errorx("the queue for the disk has a gap behind revision %llu: the whole persistent "
		   "part is written anew",
		   (unsigned long long)msg->rev);
	if (durable_reset(srv) < 0)
		durable_refused(srv, -ENOSPC);
}

static void name_lost(struct server *srv, const char *data, size_t len)
{
	struct disk_lost lost;

	if (len < sizeof(lost))
		return;
	memcpy(&lost, data, sizeof(lost));
	log_errorx("%.*s: %s", (int)(len - sizeof(lost)), data + sizeof(lost),
		   lost.loss == DISK_LOST	  ? "lost" :
		   lost.loss == DISK_BROUGHT_BACK ? "an older state of it has been brought back" :
						    "later changes are lost, if there were any");
}

/* --- questions --- */

static struct question *question_of(struct server *srv, const struct conn *c)
{
	struct question *q = srv->durable.questions;

	while (q && q->conn != c)
		q = q->next;
	return q;
}

static void question_free(struct server *srv, struct question *q)
{
	struct question **at = &srv->durable.questions;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	buf_fini(&q->answer);
	free(q);
}

static int ask(struct conn *c, enum worker_op op, const char *const *word, unsigned int nr)
{
	struct durable *d = &c->srv->durable;
	char packet[sizeof(struct worker_msg) + XENSTORE_PAYLOAD_MAX + 64];
	struct worker_msg msg = { .op = op, .id = ++d->next_id };
	struct question *q;
	size_t len = sizeof(msg);

	for (unsigned int i = 0; i < nr; i++) {
		size_t n = strlen(word[i]) + 1;

		if (len + n > sizeof(packet))
			return -EINVAL;
		memcpy(packet + len, word[i], n);
		len += n;
	}
	memcpy(packet, &msg, sizeof(msg));
	q = calloc(1, sizeof(*q));
	if (!q)
		return -ENOMEM;
	if (send(d->io.fd, packet, len, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)len) {
		free(q);
		return -EBUSY;
	}
	q->conn = c;
	q->id = msg.id;
	q->next = d->questions;
	d->questions = q;
	return -EINPROGRESS;
}

static int ask_or_take(struct conn *c, enum worker_op op, const char *const *word,
		       unsigned int nr, struct buf *out)
{
	struct durable *d = &c->srv->durable;
	struct question *q = question_of(c->srv, c);
	int ret;

	if (d->off)
		return -ENOSYS;
	if (!q)
		return d->io.fd < 0 ? -EIO : ask(c, op, word, nr);
	if (!q->answered)
		return -EINPROGRESS;
	ret = q->err;
	*out = q->answer;
	q->answer = (struct buf){ 0 };
	if (ret < 0)
		buf_fini(out);
	question_free(c->srv, q);
	return ret;
}

int durable_ask(struct conn *c, const char *const *word, unsigned int nr, struct buf *out)
{
	return ask_or_take(c, WORKER_ASK, word, nr, out);
}

int durable_lost_known(struct conn *c)
{
	struct buf none = { 0 };
	int ret = ask_or_take(c, WORKER_LOST_KNOWN, NULL, 0, &none);

	buf_fini(&none);
	return ret;
}

void durable_forget(struct conn *c)
{
	struct question *q = question_of(c->srv, c);

	if (q)
		question_free(c->srv, q);
}

static void end(struct question *q, int err)
{
	q->answered = true;
	q->err = err;
	conn_unpark(q->conn);
}

void questions_fail(struct server *srv, int err)
{
	for (struct question *q = srv->durable.questions; q; q = q->next) {
		if (!q->answered)
			end(q, err);
	}
}

static void answer(struct server *srv, const struct worker_msg *msg, const char *data, size_t len)
{
	struct question *q = srv->durable.questions;

	while (q && q->id != msg->id)
		q = q->next;
	if (!q || q->answered)
		return;
	if (buf_append(&q->answer, data, len) < 0)
		end(q, -ENOMEM);
	else if (msg->err <= 0)
		end(q, msg->err);
}

void durable_take(struct server *srv, const struct worker_msg *msg, const char *payload,
		  size_t len)
{
	switch (msg->op) {
	case WORKER_READY:
		disk_ready(srv, msg);
		break;
	case WORKER_NODE:
		take_nodes(srv, payload, len);
		break;
	case WORKER_LOST:
		name_lost(srv, payload, len);
		break;
	case WORKER_LOADED:
		loaded(srv, msg);
		break;
	case WORKER_DURABLE:
		durable_now(srv, msg);
		break;
	case WORKER_REFUSED:
		refused(srv, msg);
		break;
	case WORKER_ANSWER:
		answer(srv, msg, payload, len);
		break;
	default:
		log_errorx("the worker says %u, which means nothing", msg->op);
	}
}
