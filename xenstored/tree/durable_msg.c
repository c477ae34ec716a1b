/* SPDX-License-Identifier: MIT */
/* durable_msg.c - what the worker says, and the questions it is asked; nodes: durable_load.c. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "conn.h"
#include "durable_priv.h"
#include "lasting.h"
#include "store.h"
#include "log.h"
#include "queue.h"
#include "server.h"

/* One question of one connection, whose request is parked. */
struct question {
	struct question *next;
	struct conn *conn;
	uint32_t id;
	bool answered;
	int err;
	struct buf answer;
};

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

/*
 * The disk had it, and has it no more: what is left there is older. This part is whole, and is
 * written anew at once: the next change may be long in coming.
 */
static void make_up_for(struct server *srv, const struct worker_msg *msg)
{
	struct durable *d = &srv->durable;

	/* What was left there comes first, and is written anew with the rest (lasting.h). */
	if (d->loading || d->foreign || msg->err || msg->rev >= d->rev ||
	    d->settling == SETTLE_FETCH)
		return;
	log_errorx("%s/store has nothing behind revision %llu any more, of %llu: the whole "
		   "persistent part is written anew",
		   srv->cfg.state_dir, (unsigned long long)msg->rev, (unsigned long long)d->rev);
	if (durable_reset(srv) < 0)
		durable_refused(srv, -ENOSPC);
	store_commit(srv->tree.store);
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
	make_up_for(srv, msg);
	lasting_go_on(srv);
	/* Who was waiting for the room that the worker before it was asked for. */
	conns_resume(srv, CONN_WAIT_ROOM);
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
	make_up_for(srv, msg);
	lasting_go_on(srv);
}

void durable_refused(struct server *srv, int err)
{
	struct durable *d = &srv->durable;

	/*
	 * To a client that word means: not committed, because of somebody else's commit; or
	 * nothing.
	 */
	if (err == -EAGAIN || err == -EMFILE || err == -ENFILE)
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
	conns_resume(srv, CONN_WAIT_ROOM);
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
	/* All is written anew when what was left there has come. */
	if (srv->durable.settling == SETTLE_FETCH) {
		durable_refused(srv, -EIO);
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
		   lost.loss == DISK_STALE ? "the disk's file was an older one than there had been" :
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
		durable_take_nodes(srv, payload, len);
		break;
	case WORKER_LOST:
		name_lost(srv, payload, len);
		break;
	case WORKER_LOADED:
		durable_loaded(srv, msg);
		break;
	case WORKER_DURABLE:
		durable_now(srv, msg);
		break;
	case WORKER_REFUSED:
		refused(srv, msg);
		break;
	case WORKER_ROOM:
		srv->durable.room = msg->room;
		durable_room_answered(srv, srv->durable.room_answered + 1);
		break;
	case WORKER_ANSWER:
		answer(srv, msg, payload, len);
		break;
	default:
		log_errorx("the worker says %u, which means nothing", msg->op);
	}
}
