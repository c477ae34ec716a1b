/* SPDX-License-Identifier: MIT */
/*
 * xs_client_priv.h - the inside of struct xs_client, for xs_client.c, xs_client_link.c and
 * xs_client_watch.c only. No locks: one thread owns a client.
 */
#ifndef STOREVISOR_XS_CLIENT_PRIV_H
#define STOREVISOR_XS_CLIENT_PRIV_H

#include <xenstore.h>

#include "xs_client.h"
#include "xs_session.h"

/* One request; kept until answered, in order of submission, so that it can be sent again. */
struct xs_req {
	struct xs_req *next;
	xs_done_fn *fn;
	void *arg;
	bool rewatch; /* belongs to the connection itself: not sent again with the others */
	bool sent;    /* went out, on this connection or the one before: it may have been done */
	bool out;     /* queued to go out on this one, its last byte being number @end */
	uint64_t end;
	bool stream;  /* answered by any number of messages, an empty one at the end */
	bool began;   /* of a stream: some have come */
	bool feed;    /* of a stream: it has no end, and so nothing is owed */
	bool bulk;    /* of a stream: who has any answers it, whatever it says otherwise */
	struct xsd_sockmsg hdr;
	char payload[];
};

struct xs_buf {
	char *data;
	size_t start, end, size;
};

struct xs_client_txn {
	uint32_t id;   /* what the caller holds: never again another's */
	uint32_t wire; /* what the daemon calls it */
};

struct xs_client_watch {
	uint32_t slot;
	uint32_t serial; /* tells a late event of the slot's former owner */
	bool registered; /* the daemon agreed: to be made again after a reconnect */
	int depth;
	xs_event_fn *fn;
	void *arg;
	xs_done_fn *done;
	struct xs_client *c;
	char path[];
};

struct xs_client {
	char *path;
	int fd; /* -1 while there is no connection */
	bool is_socket;
	bool device_busy; /* no socket: a request was written and is not answered yet */
	int error;

	struct xs_buf in, out;
	uint64_t emitted, flushed; /* bytes put into out, and taken by the connection */
	struct xs_req *reqs, **reqs_tail;
	unsigned int nr_reqs; /* without streams, which may never end */
	unsigned int nr_owed; /* with those that do */
	bool no_bulk; /* this daemon does not know CONTROL dump and feed, or refuses us */
	uint32_t next_id, next_change; /* two rows of numbers: xs_session.h */
	char token[XS_SESSION_TOKEN_BUF]; /* the session's name; empty before the first change */
	bool in_session; /* asked for it on this connection */
	bool holding;    /* until that is answered, nothing else goes out */
	struct xs_client_txn *txns; /* open on this connection */
	size_t nr_txns, max_txns;
	uint32_t next_txn;

	struct xs_client_watch **watches; /* by slot */
	uint32_t nr_watches, next_serial;

	int epoll_fd, timer_fd; /* made by xs_client_fd(); -1 before */
	uint32_t epoll_mask;
	int64_t patience_ms, silence_ms;
	uint64_t heard_ns; /* monotonic: when something came, or was asked while nothing was owed */
	uint64_t lost_ns, retry_ns; /* monotonic: when it was lost, when to try again */
	uint64_t backoff_ns;
	bool proved; /* something was answered on this connection */
	xs_link_fn *link_fn;
	void *link_arg;
};

uint64_t xs_now_ns(void);
/* Makes @len bytes of room at the end. 0 or -ENOMEM. */
int xs_buf_room(struct xs_buf *b, size_t len);
/* Appends one request's bytes to the output. 0 or -ENOMEM. */
int xs_req_emit(struct xs_client *c, struct xs_req *r);
/* Whether it must not be done twice. */
bool xs_req_counts(const struct xs_req *r);
/* Queues a request that belongs to the connection and goes out before all others. 0 or -errno. */
int xs_req_submit_own(struct xs_client *c, unsigned int type, const struct iovec *iov,
		      unsigned int nr, xs_done_fn *fn, void *arg);
/* Asks for the session, holding back everything until it is answered. 0 or -errno. */
int xs_session_ask(struct xs_client *c);
/* Whether @r went out inside a transaction whose end went out, too: it depends on that. */
bool xs_session_decides(const struct xs_client *c, const struct xs_req *r);
/* Takes @r, which must be in the list, out of it, calls back and frees. */
void xs_req_finish(struct xs_client *c, struct xs_req *r, int rc, const char *data, size_t len);
/* Hands one WATCH_EVENT payload (NUL-terminated behind @len) to its watch. */
void xs_watch_event(struct xs_client *c, const char *body, size_t len);
/* Queues the WATCH request of @w again, ahead of everything else. */
int xs_watch_again(struct xs_client *c, struct xs_client_watch *w);
/* The connection broke: settles what cannot be sent again and starts the back-off. */
void xs_link_lost(struct xs_client *c, int err);
/* Tries to connect when it is time. */
void xs_link_retry(struct xs_client *c);
/* Makes epoll and timer descriptors say what the client waits for. */
void xs_link_arm(struct xs_client *c);
/* Whether the daemon has been silent for longer than it may. */
bool xs_link_is_silent(const struct xs_client *c);
/* Milliseconds until the next retry; when connected, until the silence is too long; -1: for ever. */
int xs_link_wait_ms(const struct xs_client *c);

#endif
