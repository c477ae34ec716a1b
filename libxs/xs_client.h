/* SPDX-License-Identifier: MIT */
/*
 * xs_client.h - the asynchronous store client: any number of requests in flight on one
 * connection, answers and watch events by callback, one descriptor to poll.
 *
 * Not thread-safe: one client belongs to one thread. Callbacks run inside xs_client_dispatch(),
 * _run(), _wait() and the xs_sync functions; they may submit, watch and unwatch, but must neither
 * wait (run, wait, sync, transact) nor close the client. Payloads and limits: xen/io/xs_wire.h.
 *
 * A lost connection is made again by itself, with back-off. Every watch is registered again and
 * fires once; while the daemon refuses one, that is no connection, and the patience runs on.
 * Questions outside transactions are asked again, but not for ever what the daemon dies of; a
 * CONTROL in flight ends in -EIO. Of a change in flight, a commit too, the daemon is asked what
 * became of it: the answer is the one that was lost; one that was not done is sent again, and a
 * transaction ends in -EAGAIN, which always means that it was not committed. -ENOTRECOVERABLE:
 * nobody knows (the daemon is another one's, or did not come back, or it is an answer from inside a
 * transaction that was committed).
 */
#ifndef STOREVISOR_XS_CLIENT_H
#define STOREVISOR_XS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

struct xs_client;
struct xs_client_watch;
struct xs_txn;

/* @rc: 0 or -errno. @data: @len bytes and a NUL, valid during the call only. */
typedef void xs_done_fn(void *arg, int rc, const char *data, size_t len);
/* @path: what changed: the watched path or something below it. */
typedef void xs_event_fn(void *arg, const char *path);
/* @up: the connection is back, watches registered and fired; false: it was lost just now. */
typedef void xs_link_fn(void *arg, bool up);

/*
 * Connects to @path, or when NULL to where libxenstore would (XENSTORED_PATH, XENSTORED_RUNDIR,
 * the socket, the xenbus device). Returns 0, or -errno of the connection: -ETIMEDOUT when for ten
 * seconds more were waiting there than the daemon takes. *@out is the caller's.
 */
int xs_client_open(struct xs_client **out, const char *path);

/* Ends every request with -ECANCELED, then frees. NULL is fine. */
void xs_client_close(struct xs_client *c);

/* How long to go on trying to reconnect before everything fails with -EIO: default 10 s; <0: for
 * ever; 0: not at all. */
void xs_client_set_patience(struct xs_client *c, int64_t ms);
/*
 * How long the daemon may owe an answer without sending anything, before the connection is taken
 * for a lost one; one made again has what is left of the patience, if that is less. <0, the
 * default: for ever, as a daemon may be long at work, or stopped. Heeded by xs_client_run(),
 * _wait() and the xs_sync functions; a feed owes nothing. Not for a daemon that is not reached by a
 * socket.
 */
void xs_client_set_silence(struct xs_client *c, int64_t ms);
void xs_client_on_link(struct xs_client *c, xs_link_fn *fn, void *arg);
/* 0, or the -errno for which the client gave up. */
int xs_client_error(const struct xs_client *c);

/* A descriptor that polls readable whenever xs_client_dispatch() has something to do. Owned by
 * the client, the same for its whole life. Returns it, or -errno. */
int xs_client_fd(struct xs_client *c);
/* Writes, reads and calls back what is ready, without waiting. 0, or -errno once given up. */
int xs_client_dispatch(struct xs_client *c);
/* Waits for something to do, at most @timeout_ms (<0: for ever), and dispatches. */
int xs_client_run(struct xs_client *c, int timeout_ms);
/* Runs until no request is outstanding. */
int xs_client_wait(struct xs_client *c);

/*
 * Queues one request of type @type (enum xsd_sockmsg_type or xs_op_new) in transaction @tx (0:
 * none). The payload is copied. Nothing is sent before the next dispatch, run or wait, so that
 * many requests leave in one write. @fn may be NULL. Returns 0; -E2BIG payload above 4096 bytes;
 * -EAGAIN @tx was lost with its connection; -ENOENT it has ended, or never began; -ENOMEM; the
 * error for which the client gave up.
 */
int xs_submit(struct xs_client *c, unsigned int type, uint32_t tx, const struct iovec *iov,
	      unsigned int nr, xs_done_fn *fn, void *arg);
/* What the daemon calls transaction @tx, for a CONTROL that names one; 0: it is not open on this
 * connection, and xs_submit() will say so. */
uint32_t xs_client_txn_number(const struct xs_client *c, uint32_t tx);
/* One string, its NUL included, as the payload: READ, DIRECTORY, RM, MKDIR, GET_PERMS. */
int xs_submit_str(struct xs_client *c, unsigned int type, uint32_t tx, const char *s,
		  xs_done_fn *fn, void *arg);
int xs_submit_write(struct xs_client *c, uint32_t tx, const char *path, const void *data,
		    size_t len, xs_done_fn *fn, void *arg);

/*
 * Queues a CONTROL request whose answer is a stream (xs_bulk.h): @fn runs with each part, rc 0 and
 * @len > 0, and a last time with rc 0 and @len 0 at its end, or with -errno: -EIO when the
 * connection was lost. xs_client_wait() does not wait for streams. Returns as xs_submit();
 * -EOPNOTSUPP when there is no connection to a socket now, or when this daemon is known not to
 * have streams (it answered "dump" or "feed" with EINVAL, ENOSYS or EACCES).
 */
int xs_submit_stream(struct xs_client *c, const struct iovec *iov, unsigned int nr,
		     xs_done_fn *fn, void *arg);

/*
 * As the above, waiting for the answer. *@data (NULL: not wanted) is malloc'd with a NUL after
 * its *@len bytes. Returns 0 or -errno.
 */
int xs_sync(struct xs_client *c, unsigned int type, uint32_t tx, const struct iovec *iov,
	    unsigned int nr, char **data, size_t *len);
int xs_sync_str(struct xs_client *c, unsigned int type, uint32_t tx, const char *s, char **data,
		size_t *len);
int xs_sync_write(struct xs_client *c, uint32_t tx, const char *path, const void *data,
		  size_t len);

/*
 * Watches @path, and below it down to @depth levels (<0: all; a daemon without that feature
 * reports all). @fn runs once right after registration. *@out (may be NULL) is for
 * xs_client_unwatch. @done (may be NULL) tells whether the daemon agreed.
 */
int xs_client_watch(struct xs_client *c, const char *path, int depth, xs_event_fn *fn, void *arg,
		    xs_done_fn *done, struct xs_client_watch **out);
/* No event comes after this returns. @w is gone. */
void xs_client_unwatch(struct xs_client *c, struct xs_client_watch *w);

/* How often is enough where nobody knows better. */
#define XS_TRIES 100

/*
 * A transaction as a callback: @body runs with an open one, submits what it likes with
 * xs_txn_id(), and some time later calls xs_txn_commit() or xs_txn_abort(). On a conflict it runs
 * again, at most @max_tries times in all; then @done gets the outcome (0, -EAGAIN: never got
 * through, the abort's rc, or the daemon's error) and how many attempts it took. When the
 * connection was lost it also runs again after an abort: what it read then is nothing to go by.
 */
typedef void xs_txn_body_fn(void *arg, struct xs_txn *t);
typedef void xs_txn_done_fn(void *arg, int rc, unsigned int attempts);
int xs_txn_run(struct xs_client *c, xs_txn_body_fn *body, xs_txn_done_fn *done, void *arg,
	       unsigned int max_tries);
uint32_t xs_txn_id(const struct xs_txn *t);
void xs_txn_commit(struct xs_txn *t);
/* @rc < 0: the outcome; -EAGAIN: this attempt only. */
void xs_txn_abort(struct xs_txn *t, int rc);

/*
 * The same in straight-line code. @body returns 0 to commit, -errno to give up, -EAGAIN to try
 * again. *@attempts may be NULL.
 */
typedef int xs_txn_sync_fn(void *arg, struct xs_client *c, uint32_t tx);
int xs_transact(struct xs_client *c, xs_txn_sync_fn *body, void *arg, unsigned int max_tries,
		unsigned int *attempts);

#endif
