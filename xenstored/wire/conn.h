/* SPDX-License-Identifier: MIT */
/*
 * conn.h - one client: a socket or a domain's ring. What is common to both.
 *
 * Bytes come in through conn_input() and leave through conn->out; the two transports
 * (conn_socket.c, conn_ring.c) move them. A connection that goes wrong is marked dead and freed
 * at the end of the loop turn, never earlier (rule C12). Replies that depend on a commit not yet
 * on the disk wait in the held queue.
 */
#ifndef XENSTORED_CONN_H
#define XENSTORED_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "buf.h"
#include "change_record.h"
#include "event_queue.h"
#include "people.h"
#include "user.h"
#include "xs_wire.h"

struct confine;
struct conn;
struct domain;
struct server;
struct session;
struct txn;
struct watch;

struct conn_ops {
	/* Before a commit: puts what is to be in it. NULL: nothing is. */
	void (*stage)(struct conn *c);
	/* Moves as much of conn->out as the transport takes. Marks the conn dead on failure. */
	void (*flush)(struct conn *c);
	/* Carries out waiting input; called at the end of a turn after conn_again(). */
	void (*serve)(struct conn *c);
	/* Input may be processed again after a pause. */
	void (*resume)(struct conn *c);
	/* Releases the transport; called once, when the connection is freed. */
	void (*fini)(struct conn *c);
};

/* A message that waits until the disk has what it tells about. */
struct held_msg {
	struct held_msg *next;
	uint64_t seq;		/* revision that must be durable first */
	bool is_reply_to_change;
	uint32_t len;
	uint32_t size;		/* of all this */
	char bytes[];		/* the whole message */
};

/* What requests of several connections may wait for, together. */
enum conn_wait {
	CONN_WAIT_NONE,
	CONN_WAIT_TURN,		/* precedence.c */
	CONN_WAIT_ROOM,		/* durable_await_room() */
	CONN_WAITS
};

struct conn {
	struct conn *next, *prev;	/* server's list */
	const struct conn_ops *ops;
	struct server *srv;
	uint64_t id;			/* for logs; never used twice */
	unsigned int domid;
	struct domain *domain;		/* of a ring; NULL for sockets */
	struct domain *account;		/* what it uses is counted there; NULL: privileged */
	bool privileged;		/* domain 0: socket or ring */
	struct peer *peer;		/* who that is, of an accepted socket; else NULL */
	struct user *user;		/* whose it is, and counts what it holds; NULL: root's, a ring */
	struct rights rights;		/* of a person (people.h) who is not privileged */
	bool read_only;
	struct change_who who;		/* for the history of what it changes */
	struct confine *confine;	/* gave up the rest: confine.h; NULL: did not */
	bool dead;			/* to be freed at the end of the turn */
	bool hung_up;			/* the client has closed its side, or is no more */
	struct session *session;	/* CONTROL session, or NULL */
	bool parked;			/* the message at the front of the input waits */
	bool took_long;			/* what it asked for last: others have their turn */
	bool park_bypass;		/* it has waited enough: do not park it again */
	enum conn_wait awaits;		/* what it was parked for by conn_await() */
	uint64_t room_lacked;		/* bytes on the disk that its request was refused for; or 0 */
	uint64_t room_asked;		/* number of its question for them; 0: it has not asked */
	uint64_t room_wanted;		/* what it has asked for then */
	bool turn_queued;		/* its START waits: precedence.c */
	TAILQ_ENTRY(conn) turn_next;
	struct lease *lease;		/* whose turn it waits for: lease.c */
	TAILQ_ENTRY(conn) lease_next;
	bool flush_queued;
	bool domain_gone;		/* was a ring whose domain ended */
	bool ignored;			/* a ring that broke the protocol: no more requests */
	struct conn *flush_next;
	bool again_queued;
	struct conn *again_next;

	struct buf in;			/* partial or not yet processed input */
	struct buf out;
	struct held_msg *held_first, *held_last;
	size_t held_bytes;		/* memory of them: output that may not leave yet */
	bool held_listed;
	struct conn *held_next;		/* of those that hold messages */
	struct conn *dead_next;

	struct watch *watch_first, *watch_last;
	unsigned int nr_watches;
	struct txn *txns;
	unsigned int nr_txns;
	uint32_t next_tx_id;
	unsigned int lost_in_a_row;	/* transactions ended by EAGAIN */

	struct event_queue events;
	uint64_t stuck_since_ns;	/* output has not moved since; 0: nothing waits */
	unsigned int nr_outstanding;	/* replies queued since the output was last empty */
	uint64_t hold_seq;		/* revision that the reply of the current request tells of */

	uint64_t nr_requests;
	void *transport;
};

/* With more output than this, requests wait in the input; events wait in their queue earlier. */
#define CONN_OUT_HIGH	(256u * 1024u)
#define CONN_EVENTS_HIGH (64u * 1024u)
/* The same of a socket whose client may not do everything: there may be many of one user. */
#define FEW_OUT_HIGH	(32u * 1024u)
#define FEW_EVENTS_HIGH (16u * 1024u)
#define RING_OUT_HIGH	(8u * 1024u)
#define RING_EVENTS_HIGH (1u * 1024u)

/* Makes a connection and lists it. @transport belongs to the ops from then on. NULL: no memory. */
struct conn *conn_create(struct server *srv, const struct conn_ops *ops, unsigned int domid,
			 struct domain *d, void *transport);

/* Lets a parked connection try again at the end of the turn. */
void conn_unpark(struct conn *c);

/* The request under way is to be parked (-EINPROGRESS) until conns_resume(@what). */
void conn_await(struct conn *c, enum conn_wait what);
/* All that wait for @what try again. */
void conns_resume(struct server *srv, enum conn_wait what);

/* Marks for destruction at the end of the turn. May be called twice. */
void conn_kill(struct conn *c);
/*
 * Takes from a client all that the server keeps for it (watches, transactions, waiting and held
 * messages, its places in queues): it is one that has just connected, or is about to be freed.
 */
void conn_forget_client(struct conn *c);
/* Frees all dead connections: end of a loop turn only. */
void conns_reap(struct server *srv);

/*
 * Processes complete messages among the @len bytes at @data, at most @budget of them. Returns how
 * many bytes were used up; stops early when the connection dies, is parked, its output is full, or
 * what it asked for took long (bulk.c).
 */
size_t conn_input(struct conn *c, const char *data, size_t len, unsigned int budget);

/* Whether another request may be started. */
bool conn_may_start(const struct conn *c);

/*
 * Queues one message to the client, behind revision @hold_seq if not durable yet (0: no
 * wait). @change: the reply of a request that changed something. Returns 0; -E2BIG, -ENOMEM with
 * nothing queued.
 */
struct conn_msg {
	struct xsd_sockmsg hdr;
	const void *data;
	uint64_t hold_seq;
	bool change;
};
int conn_send(struct conn *c, const struct conn_msg *msg);

/* Bytes that wait for the client: those that may leave, and those that the disk keeps back. */
static inline size_t conn_waiting(const struct conn *c)
{
	return buf_len(&c->out) + c->held_bytes;
}

/*
 * Queues an event of watch @w for @path, or merges it with one that waits. An event too large for
 * a message is dropped; an unprivileged client that lets too many wait is ignored from then on.
 */
void conn_send_event(struct conn *c, struct watch *w, const char *path, size_t len);
/* Forgets waiting events of a watch that goes away. */
void conn_forget_events(struct conn *c, const struct watch *w);
/* The same of all of them: the work is as much as there is. */
void conn_forget_all_events(struct conn *c);
/* Moves waiting events to the output as far as there is room. */
void conn_refill(struct conn *c);

/* The client of an unprivileged domain reads nothing: its events go, it is ignored. */
void conn_too_slow(struct conn *c);

/* Asks for a flush at the end of the current batch. */
void conn_want_flush(struct conn *c);
/* Puts what the connections that want a flush have for the commit under way. */
void conns_stage(struct server *srv);
/* Commits, then lets the clients see it. */
void conns_flush(struct server *srv);

/* At a start: holds a whole message again that waited for revision @seq. 0 or -ENOMEM. */
int conn_hold_again(struct conn *c, uint64_t seq, const void *bytes, size_t len);
/* Lets go what was held for revisions up to @seq. */
void conns_release_held(struct server *srv, uint64_t seq);
/* Turns the held replies of revisions from @seq on into errors @err. */
void conns_fail_held(struct server *srv, uint64_t seq, int err);

#endif
