/* SPDX-License-Identifier: MIT */
/*
 * xs_handle.h - the inside of struct xs_handle, shared by the files of libxenstore only.
 *
 * One request is outstanding at a time (request_lock). Before the first watch the requester
 * reads its own reply; afterwards a reader thread is the only one that receives.
 * Lock order: request_lock, send_lock, lock. Whoever receives owns `in` and runs reconnects.
 */
#ifndef STOREVISOR_XS_HANDLE_H
#define STOREVISOR_XS_HANDLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "xs.h"

#include "xs_session.h"

#define XS_IN_BUF 8192

/* The shape libxentoolcore links its list of open handles through; its own header is not
 * installed. Spare room because only its functions look inside. */
struct xs_active {
	int (*restrict_cb)(struct xs_active *self, uint16_t domid);
	void *link[4];
};

struct xs_event {
	struct xs_event *next;
	uint32_t len;
	char body[]; /* path NUL token NUL, then one NUL of ours */
};

struct xs_reg {
	struct xs_reg *next;
	const char *path;  /* both point into body */
	const char *token;
	uint32_t len;
	char body[];
};

struct xs_open_txn {
	struct xs_open_txn *next;
	uint32_t id;    /* what the caller holds */
	uint32_t wire;  /* what the daemon calls it */
	uint32_t epoch; /* connection it was opened on */
};

enum xs_reply_state { XS_REPLY_NONE, XS_REPLY_WAITING, XS_REPLY_HERE, XS_REPLY_LOST };

struct xs_in {
	size_t start, end;
	char buf[XS_IN_BUF];
};

struct xs_msg {
	struct xsd_sockmsg hdr;
	char *body; /* hdr.len bytes and a NUL; malloc'd */
};

struct xs_handle {
	struct xs_active active; /* must stay first: libxentoolcore gives it back */
	unsigned long flags;
	bool is_socket;
	char *path;
	xs_connect_fn *connect; /* gets each connection instead of opening path; may be NULL */
	void *connect_arg;
	int fd; /* never changes: a reconnect dup2()s over it */

	pthread_mutex_t request_lock;
	uint32_t next_req_id, next_change; /* two rows of numbers: xs_session.h */
	char token[XS_SESSION_TOKEN_BUF]; /* the session's name; empty before the first change */
	bool in_session;        /* asked for it on the connection session_epoch ... */
	bool session_refused;   /* ... and there is none: the daemon is another one's */
	uint32_t session_epoch;

	pthread_mutex_t regs_lock; /* never with lock held; a reconnect sends while it has it */
	struct xs_reg *regs;

	pthread_mutex_t send_lock; /* a message goes out whole, on one connection */

	pthread_mutex_t lock; /* all below */
	pthread_cond_t changed;
	bool dead;       /* no connection and none to come */
	bool closing;
	bool restricted; /* the descriptor was replaced on purpose: never reconnect */
	bool reader_running;
	pthread_t reader;
	int stop_fd; /* an eventfd: readable when the reader thread is to end; -1 without one */
	uint32_t epoch; /* counts connections */
	enum xs_reply_state reply_state;
	uint32_t reply_id;
	uint32_t sent_epoch; /* connection the request in flight went out on */
	struct xs_msg reply;
	struct xs_event *events, **events_tail;
	int event_pipe[2];
	struct xs_open_txn *txns;
	uint32_t next_txn_id;

	struct xs_in in;
};

/*
 * Opens @path, a socket or a xenbus character device. Returns a descriptor, or -1 with errno.
 */
int xs_transport_open(const char *path, bool *is_socket);
/* As xs_transport_open(); EAGAIN when the daemon has more connections waiting than it takes. */
int xs_transport_open_now(const char *path, bool *is_socket);

/*
 * Sends one request and waits for its answer, over a reconnect if need be.
 * @id: the caller's transaction id, 0 for none. @iov: the payload's pieces, at most 8.
 * Returns the reply's payload, malloc'd, with a NUL after its *@len bytes (@len may be NULL), or
 * NULL with errno: the daemon's own error; E2BIG payload above 4096 bytes; EAGAIN the transaction
 * did not outlive a lost connection and has not been committed; ENOTRECOVERABLE nobody knows
 * whether the change came true; EIO or ECONNREFUSED no daemon any more.
 */
char *xs_talk(struct xs_handle *h, uint32_t id, enum xsd_sockmsg_type type,
	      const struct iovec *iov, unsigned int nr, unsigned int *len);

/* As xs_talk; *@epoch tells which connection answered. */
char *xs_talk_epoch(struct xs_handle *h, uint32_t id, enum xsd_sockmsg_type type,
		    const struct iovec *iov, unsigned int nr, unsigned int *len, uint32_t *epoch);

/* As xs_talk with one string, its NUL included, as the payload. */
char *xs_talk_str(struct xs_handle *h, uint32_t id, enum xsd_sockmsg_type type, const char *s,
		  unsigned int *len);

/* Drops an answer that only acknowledges. Returns whether there was one. */
bool xs_ack(char *reply);

/*
 * Receives one message from @fd. Returns 0 or -errno: -ECONNRESET at the end of the stream,
 * -ECANCELED in the reader thread when the handle is being closed, -EPROTO a message too long.
 */
int xs_receive(struct xs_handle *h, int fd, struct xs_msg *msg);

/* Sends one message whole. Returns 0 or -errno. */
int xs_send(const struct xs_handle *h, int fd, const struct xsd_sockmsg *hdr,
	    const struct iovec *iov, unsigned int nr);

/* Appends a watch event, taking @msg's body, and makes xs_fileno() readable. */
void xs_queue_event(struct xs_handle *h, struct xs_msg *msg);

/*
 * Replaces a lost connection: connects again within ten seconds, registers every watch, marks
 * the request in flight as lost. Call as the receiver. Returns 0 or -errno (the handle is dead).
 */
int xs_reconnect(struct xs_handle *h);

/* Starts the reader thread if there is none. Call with request_lock held. 0 or -errno. */
int xs_reader_start(struct xs_handle *h);

#endif
