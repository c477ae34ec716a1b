/* SPDX-License-Identifier: MIT */
/*
 * xs_handle.h - the inside of struct xs_handle, shared by the files of libxenstore only: an
 * asynchronous client (xs_client.h), a lock around it, and a queue of events.
 *
 * Whoever waits for an answer works for all: one thread at a time waits for the connection, without
 * the lock, and runs what comes; the others wait for that one. Before the first watch that is who
 * asks; afterwards a reader thread, as events come unasked.
 */
#ifndef STOREVISOR_XS_HANDLE_H
#define STOREVISOR_XS_HANDLE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "xs_client_priv.h"

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

struct xs_handle {
	struct xs_active active; /* must stay first: libxentoolcore gives it back */
	unsigned long flags;

	pthread_mutex_t lock; /* all below, and the client */
	pthread_cond_t changed;
	struct xs_client *c;
	int wake_fd;	      /* an eventfd: the reader shall look again; -1 before there is one */
	bool pumped;	      /* somebody waits for the connection */
	unsigned int talking; /* threads that wait for an answer */
	bool closing;
	bool reader_running;
	pthread_t reader;
	struct xs_event *events, **events_tail;
	int event_pipe[2];
};

/* What became of a request. */
struct xs_answer {
	bool here;
	int rc;
	char *data; /* malloc'd, with a NUL after its @len bytes; NULL with rc */
	size_t len;
};
/* An xs_done_fn with a struct xs_answer. */
void xs_answer_take(void *arg, int rc, const char *data, size_t len);
/*
 * Runs until @a, the answer to what was submitted with @rc, is there. Call with lock held. -errno.
 */
int xs_await(struct xs_handle *h, struct xs_answer *a, int rc);

/* The reader: works until the handle is closed, or there is no connection to come. Lock held. */
void xs_pump_always(struct xs_handle *h);
/* Has the reader look again, if there is one. */
void xs_wake(struct xs_handle *h);

/*
 * Sends one request and waits for its answer, over a reconnect if need be.
 * @id: the caller's transaction id, 0 for none. @iov: the payload's pieces.
 * Returns the reply's payload, malloc'd, with a NUL after its *@len bytes (@len may be NULL), or
 * NULL with errno: the daemon's own error; E2BIG payload above 4096 bytes; EAGAIN the transaction
 * did not outlive a lost connection and has not been committed; ENOTRECOVERABLE nobody knows
 * whether the change came true; EIO no daemon any more.
 */
char *xs_talk(struct xs_handle *h, uint32_t id, enum xsd_sockmsg_type type,
	      const struct iovec *iov, unsigned int nr, unsigned int *len);

/* As xs_talk with one string, its NUL included, as the payload. */
char *xs_talk_str(struct xs_handle *h, uint32_t id, enum xsd_sockmsg_type type, const char *s,
		  unsigned int *len);

/* Drops an answer that only acknowledges. Returns whether there was one. */
bool xs_ack(char *reply);

/* An xs_raw_fn with a struct xs_handle: appends a watch event, and makes xs_fileno() readable. */
void xs_queue_event(void *arg, const char *body, size_t len);

#endif
