/* SPDX-License-Identifier: MIT */
/*
 * durable_room.c - room on the disk, before a change is accepted: what the worker has promised; and
 * more, for one that needs more than is allocated ahead.
 */
#include <errno.h>

#include "change.h"
#include "conn.h"
#include "durable_priv.h"
#include "ops.h"
#include "packed_perms.h"
#include "server.h"

/* What removals may use beyond the room that the disk has promised: it keeps some for them. */
#define ROOM_KEPT (128u * 1024u)

int durable_room(struct server *srv, const struct change_need *need)
{
	struct durable *d = &srv->durable;
	uint64_t bytes = d->bytes_queued + need->bytes + need->nr_perms * PACKED_PERM;
	uint64_t wanted;

	if (d->off)
		return 0;
	if (d->refused)
		return d->refused;
	if (d->loading)
		return -EIO;
	wanted = disk_need(&d->room, d->nr_queued + need->nr_nodes, bytes);
	if (wanted <= d->room.free_bytes + (need->frees ? ROOM_KEPT : 0))
		return 0;
	if (srv->ops.acting)
		srv->ops.acting->conn->room_lacked = wanted;
	d->room_lacked = true;
	return -ENOSPC;
}

/*
 * Who may not wait is refused by what the worker has said last, and nothing is queued then that
 * would make it say more: once a second it is asked what there is now.
 */
void durable_room_tick(struct server *srv)
{
	struct durable *d = &srv->durable;

	if (!d->room_lacked || !durable_say(d, &(struct worker_msg){ .op = WORKER_ROOM }))
		return;
	d->room_lacked = false;
	d->room_asked++;
}

/* Whether @c has a question that has not been answered yet with what it lacks now. */
static bool has_question(const struct durable *d, const struct conn *c)
{
	bool asked = c->room_asked > d->room_void;

	return !asked || c->room_lacked > c->room_wanted;
}

/*
 * A little more than is lacked: others change something meanwhile. True: the answer is to come, or
 * the worker that can be asked, if this one is gone and that has only not been heard yet.
 */
static bool ask(struct durable *d, struct conn *c)
{
	struct worker_msg msg = { .op = WORKER_ROOM, .a = c->room_lacked + c->room_lacked / 8 };

	if (d->io.fd < 0 || c->room_asked > d->room_answered)
		return true;
	if (!has_question(d, c))
		return false;
	if (!durable_say(d, &msg))
		return errno == EPIPE || errno == ECONNRESET;
	c->room_asked = ++d->room_asked;
	c->room_wanted = msg.a;
	return true;
}

/*
 * The disk may have to be waited for, so only who administers it may ask: a guest's changes are
 * small. Where others have taken what was allocated it lacks more than it has asked for, and asks
 * again: what they took is in the queue, for which there is an end. That what it asked for is not
 * there is the disk's last word.
 */
bool durable_await_room(struct conn *c)
{
	if (!c->room_lacked || !c->privileged)
		return false;
	if (ask(&c->srv->durable, c)) {
		conn_await(c, CONN_WAIT_ROOM);
		return true;
	}
	/* A transaction is over with that: what ended it is not to be tried again. */
	c->room_lacked = 0;
	return false;
}

/* Who waits for it waits on: for the next worker, or for the word that the disk takes nothing. */
void durable_room_void(struct server *srv)
{
	struct durable *d = &srv->durable;

	d->room_void = d->room_answered = d->room_asked;
}

void durable_room_answered(struct server *srv, uint64_t up_to)
{
	srv->durable.room_answered = up_to;
	conns_resume(srv, CONN_WAIT_ROOM);
}
