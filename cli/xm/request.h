/* SPDX-License-Identifier: MIT */
/*
 * request.h - one-shot actions: xm writes /request/ID, xend does it and says how it went.
 * Source: docs/store-paths.md, /request.
 */
#ifndef XM_REQUEST_H
#define XM_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "store.h"
#include "xm.h"

#define REQUEST_ERROR_LEN 512
#define REQUEST_TIMEOUT_NS (60 * INT64_C(1000000000))

struct request_arg {
	const char *name, *value; /* name NULL ends a list */
};

struct request {
	const char *op;
	const char *domain;		/* a name, or NULL */
	const struct request_arg *args; /* or NULL */
	int64_t timeout_ns;		/* 0: REQUEST_TIMEOUT_NS */
	/*
	 * With it: how long xend may take to begin, and whether it has, which is asked once when
	 * that is over.
	 */
	int64_t begin_ns;
	bool (*has_begun)(void *with);
	void *with;
	/* Called whenever something was written about the domain or the request; or NULL. */
	void (*progress)(struct xm *xm, const struct request *req);
	struct xm *xm; /* for it */
	bool is_withdrawn;		/* set by request_run(): without an answer */
	char id[40];			/* set by request_run(): /request/ID */
	char error[REQUEST_ERROR_LEN];	/* xend's words after -EREMOTEIO */
};

/*
 * Writes the request, waits for its end. The request stays in the store until request_close(), so
 * that output can be read. Returns 0 done; -EREMOTEIO: xend refused, see @error; -ETIMEDOUT: nobody
 * took it (it is withdrawn); -EINTR: the user's interrupt (withdrawn); -errno: the store failed.
 */
int request_run(struct xs_handle *xs, struct request *req);

/* Removes the request. Needed after every request_run(). */
void request_close(struct xs_handle *xs, struct request *req);

/*
 * request_run(), and says what went wrong as "DOMAIN: @failed: why" (@failed: "not attached");
 * where no domain is meant, OP stands for it. Returns the exit status; then request_close() is
 * still to be called.
 */
int request_told(struct xm *xm, struct request *req, const char *failed);

/*
 * The common case: run, close, and say what went wrong as "DOMAIN: not OP-ed: why".
 * Returns the exit status. @failed completes the message: "not paused".
 */
int request_simple(struct xm *xm, const char *op, const char *domain, const char *failed);

/* Asks xend to bring times and memory figures up to date; says nothing when it is not there. */
void request_refresh(struct xm *xm);

#endif
