/* SPDX-License-Identifier: MIT */
/*
 * xs_client_priv.h - the inside of struct xs_client, for the files of libxs only. No locks: one
 * thread owns a client, or whoever holds the lock of the handle that it is in (xs_handle.h).
 */
#ifndef STOREVISOR_XS_CLIENT_PRIV_H
#define STOREVISOR_XS_CLIENT_PRIV_H

#include <poll.h>

#include "xs.h"
#include "xs_session.h"

#define XS_LOSSES_MAX 8

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
	unsigned char losses; /* connections that were lost while it was owed: XS_LOSSES_MAX is enough */
	struct xsd_sockmsg hdr;
	char payload[];
};

struct xs_buf {
	char *data;
	size_t start, end, size;
};

struct xs_client_txn {
	uint32_t id;   /* what the caller holds: never again another's */
	uint32_t wire; /* what the daemon calls it; 0: it was lost with its connection */
};

struct xs_client_watch {
	uint32_t slot;
	uint32_t serial; /* tells a late event of the slot's former owner */
	bool registered; /* the daemon agreed: to be made again after a reconnect */
	bool again;      /* asked for again on this connection, not answered yet */
	bool leaving;    /* by xs_client_unwatch_as(): not answered yet */
	const char *token; /* the caller's, behind the path; NULL: slot and serial */
	int depth;
	xs_event_fn *fn;
	void *arg;
	xs_done_fn *done;
	struct xs_client *c;
	char path[];
};

/* An event's payload, path NUL token NUL, and a NUL behind its @len bytes. */
typedef void xs_raw_fn(void *arg, const char *body, size_t len);

struct xs_client {
	char *path; /* NULL: @connect gives the connections */
	xs_connect_fn *connect;
	void *connect_arg;
	int fd; /* -1 while there is no connection */
	bool is_socket;
	bool device_busy; /* no socket: a request was written and is not answered yet */
	int error;
	int broken; /* a connection that is of no use: why, for the next to lose it */

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
	struct xs_client_txn *txns; /* not ended */
	size_t nr_txns, max_txns;
	uint32_t next_txn;

	struct xs_client_watch **watches; /* by slot */
	uint32_t nr_watches, next_serial;
	xs_raw_fn *raw_fn; /* gets every event as it came */
	void *raw_arg;

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

/* How a client is opened; all zero: as xs_client_open() does with NULL. */
struct xs_how {
	const char *path; /* this one only */
	bool device_says; /* of a socket and a device that fail, the device's error counts */
	xs_connect_fn *connect; /* gives every connection, and for that is waited for ever */
	void *connect_arg;
};
int xs_client_open_how(struct xs_client **out, const struct xs_how *how);
/* In the child of a fork: frees, and says nothing to anybody. */
void xs_client_abandon(struct xs_client *c);
/* Sends what goes out now. Whether something is left for xs_client_prepare() to wait for. */
bool xs_client_push(struct xs_client *c);
/*
 * Before waiting: sends, and says in @p what to poll for and how many milliseconds at most (<0: for
 * ever; 0: not at all). xs_client_dispatch() comes after it.
 */
int xs_client_prepare(struct xs_client *c, struct pollfd *p);
/* A watch under the caller's token; its events go to raw_fn. @done tells what the daemon said. */
int xs_client_watch_as(struct xs_client *c, const char *path, const char *token, int depth,
		       xs_done_fn *done, void *arg);
int xs_client_unwatch_as(struct xs_client *c, const char *path, const char *token,
			 xs_done_fn *done, void *arg);

/*
 * Opens @path, a socket or a xenbus character device. Returns a descriptor, or -1 with errno:
 * EAGAIN when the daemon has more connections waiting than it takes.
 */
int xs_transport_open(const char *path, bool *is_socket);

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
/*
 * Milliseconds until the next retry; when connected, until the silence is too long; -1: for ever.
 */
int xs_link_wait_ms(const struct xs_client *c);

#endif
