/* SPDX-License-Identifier: MIT */
/*
 * xs_client.c - the asynchronous client: queueing requests, reading answers, running callbacks.
 * Connections lost and made are xs_client_link.c; watches xs_client_watch.c; transactions
 * xs_client_txn.c.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "xs_client_priv.h"

#define READ_CHUNK (64 * 1024)
#define BUF_KEEP (256 * 1024) /* an emptied buffer larger than this is given back */

uint64_t xs_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

int xs_buf_room(struct xs_buf *b, size_t len)
{
	size_t used = b->end - b->start, size = b->size ? b->size : 4096;
	char *grown;

	if (b->size - b->end >= len)
		return 0;
	if (b->start) {
		memmove(b->data, b->data + b->start, used);
		b->start = 0;
		b->end = used;
	}
	while (size - used < len)
		size *= 2;
	if (size == b->size)
		return 0;
	grown = realloc(b->data, size);
	if (!grown)
		return -ENOMEM;
	b->data = grown;
	b->size = size;
	return 0;
}

static void buf_emptied(struct xs_buf *b)
{
	b->start = b->end = 0;
	if (b->size > BUF_KEEP) {
		free(b->data);
		*b = (struct xs_buf){ 0 };
	}
}

/* ---- requests ---- */

bool xs_req_counts(const struct xs_req *r)
{
	return r->hdr.len && xs_session_counts(r->hdr.type, r->hdr.tx_id, r->payload);
}

int xs_req_emit(struct xs_client *c, struct xs_req *r)
{
	size_t len = sizeof(r->hdr) + r->hdr.len;
	int rc = xs_buf_room(&c->out, len);

	if (rc)
		return rc;
	r->sent = r->out = true;
	memcpy(c->out.data + c->out.end, &r->hdr, sizeof(r->hdr));
	memcpy(c->out.data + c->out.end + sizeof(r->hdr), r->payload, r->hdr.len);
	c->out.end += len;
	c->emitted += len;
	r->end = c->emitted;
	return 0;
}

/*
 * The daemon numbers a connection's transactions from 1: its number of one that was lost with an
 * earlier connection is somebody else's on this one. So the caller holds a number of ours, which
 * comes once only. *@wire: what the daemon calls @tx.
 */
static int txn_check(struct xs_client *c, uint32_t tx, unsigned int type, uint32_t *wire)
{
	size_t i = 0;

	*wire = 0;
	if (!tx)
		return 0;
	while (i < c->nr_txns && c->txns[i].id != tx)
		i++;
	if (i == c->nr_txns)
		return -ENOENT;
	*wire = c->txns[i].wire;
	if (type == XS_TRANSACTION_END)
		c->txns[i] = c->txns[--c->nr_txns];
	return *wire ? 0 : -EAGAIN;
}

uint32_t xs_client_txn_number(const struct xs_client *c, uint32_t tx)
{
	for (size_t i = 0; i < c->nr_txns; i++)
		if (c->txns[i].id == tx)
			return c->txns[i].wire;
	return 0;
}

static int txn_opened(struct xs_client *c, uint32_t wire)
{
	if (c->nr_txns == c->max_txns) {
		size_t n = c->max_txns ? c->max_txns * 2 : 8;
		struct xs_client_txn *grown = realloc(c->txns, n * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		c->txns = grown;
		c->max_txns = n;
	}
	c->next_txn += c->next_txn == UINT32_MAX ? 2 : 1; /* 0 is none */
	c->txns[c->nr_txns++] = (struct xs_client_txn){ .id = c->next_txn, .wire = wire };
	return 0;
}

static int submit(struct xs_client *c, unsigned int type, uint32_t tx, const struct iovec *iov,
		  unsigned int nr, const struct xs_req *like)
{
	struct xs_req *r;
	uint32_t wire = 0;
	size_t len = 0;
	bool counts;
	int rc = c->error;

	if (!rc)
		rc = txn_check(c, tx, type, &wire);
	if (rc)
		return rc;
	for (unsigned int i = 0; i < nr; i++)
		len += iov[i].iov_len;
	if (len > XENSTORE_PAYLOAD_MAX)
		return -E2BIG;
	r = malloc(sizeof(*r) + len);
	if (!r)
		return -ENOMEM;
	*r = *like;
	r->hdr = (struct xsd_sockmsg){ .type = type, .tx_id = wire, .len = len };
	len = 0;
	for (unsigned int i = 0; i < nr; i++) {
		if (iov[i].iov_len) /* an empty one may be nowhere */
			memcpy(r->payload + len, iov[i].iov_base, iov[i].iov_len);
		len += iov[i].iov_len;
	}
	counts = xs_req_counts(r);
	r->hdr.req_id = xs_session_next(counts ? &c->next_change : &c->next_id, counts);
	if (counts && c->fd >= 0 && c->is_socket && !c->in_session)
		rc = xs_session_ask(c);
	if (!rc && c->fd >= 0 && (!c->holding || r->rewatch))
		rc = xs_req_emit(c, r);
	if (rc) {
		free(r);
		return rc;
	}
	if (c->silence_ms >= 0 && !c->nr_owed)
		c->heard_ns = xs_now_ns();
	*c->reqs_tail = r;
	c->reqs_tail = &r->next;
	c->nr_reqs += !r->stream;
	c->nr_owed += !r->feed;
	xs_link_arm(c);
	return 0;
}

int xs_req_submit_own(struct xs_client *c, unsigned int type, const struct iovec *iov,
		      unsigned int nr, xs_done_fn *fn, void *arg)
{
	return submit(c, type, 0, iov, nr,
		      &(struct xs_req){ .fn = fn, .arg = arg, .rewatch = true });
}

int xs_submit(struct xs_client *c, unsigned int type, uint32_t tx, const struct iovec *iov,
	      unsigned int nr, xs_done_fn *fn, void *arg)
{
	return submit(c, type, tx, iov, nr, &(struct xs_req){ .fn = fn, .arg = arg });
}

static bool is_feed(const struct iovec *word)
{
	return word->iov_len == 5 && memcmp(word->iov_base, "feed", 5) == 0;
}

/* Questions about the past are refused for what they say, too: a revision that is no number. */
static bool is_bulk(const struct iovec *word)
{
	return is_feed(word) || (word->iov_len == 5 && memcmp(word->iov_base, "dump", 5) == 0);
}

int xs_submit_stream(struct xs_client *c, const struct iovec *iov, unsigned int nr,
		     xs_done_fn *fn, void *arg)
{
	if (!c->is_socket || c->fd < 0 || c->no_bulk)
		return -EOPNOTSUPP;
	return submit(c, XS_CONTROL, 0, iov, nr,
		      &(struct xs_req){ .fn = fn, .arg = arg, .stream = true,
					.feed = is_feed(iov), .bulk = is_bulk(iov) });
}

int xs_submit_str(struct xs_client *c, unsigned int type, uint32_t tx, const char *s,
		  xs_done_fn *fn, void *arg)
{
	struct iovec iov = { (void *)s, strlen(s) + 1 };

	return xs_submit(c, type, tx, &iov, 1, fn, arg);
}

int xs_submit_write(struct xs_client *c, uint32_t tx, const char *path, const void *data,
		    size_t len, xs_done_fn *fn, void *arg)
{
	struct iovec iov[2] = { { (void *)path, strlen(path) + 1 }, { (void *)data, len } };

	return xs_submit(c, XS_WRITE, tx, iov, 2, fn, arg);
}

void xs_req_finish(struct xs_client *c, struct xs_req *r, int rc, const char *data, size_t len)
{
	struct xs_req **p = &c->reqs;

	while (*p != r)
		p = &(*p)->next;
	*p = r->next;
	if (c->reqs_tail == &r->next)
		c->reqs_tail = p;
	c->nr_reqs -= !r->stream;
	c->nr_owed -= !r->feed;
	if (r->fn)
		r->fn(r->arg, rc, data, len);
	free(r);
}

/* As libxenstore has it: what it does not know is EINVAL. */
static int wire_error(const char *name)
{
	for (size_t i = 0; i < sizeof(xsd_errors) / sizeof(xsd_errors[0]); i++)
		if (strcmp(name, xsd_errors[i].errstring) == 0)
			return -xsd_errors[i].errnum;
	return -EINVAL;
}

/* ---- input ---- */

static void fail_req(struct xs_client *c, struct xs_req *r, int rc)
{
	if (r->bulk && (rc == -EINVAL || rc == -ENOSYS || rc == -EACCES))
		c->no_bulk = true;
	xs_req_finish(c, r, rc, "", 0);
}

static struct xs_req *req_find(const struct xs_client *c, uint32_t id)
{
	struct xs_req *r = c->reqs;

	/* answers come in order: nearly always the first */
	while (r && r->hdr.req_id != id)
		r = r->next;
	return r;
}

static void take_part(struct xs_req *r, const char *body, size_t len)
{
	r->began = true;
	r->fn(r->arg, 0, body, len);
}

static void take_txn(struct xs_client *c, struct xs_req *r, const char *body)
{
	char text[16] = "";
	int rc = txn_opened(c, strtoul(body, NULL, 10));

	if (!rc)
		snprintf(text, sizeof(text), "%u", c->next_txn);
	xs_req_finish(c, r, rc, text, rc ? 0 : strlen(text) + 1);
}

static void handle_message(struct xs_client *c, const struct xsd_sockmsg *hdr, const char *body)
{
	struct xs_req *r;

	if (hdr->type == XS_WATCH_EVENT) {
		xs_watch_event(c, body, hdr->len);
		return;
	}
	c->device_busy = false;
	r = req_find(c, hdr->req_id);
	if (!r)
		return;
	if (hdr->type == XS_ERROR)
		fail_req(c, r, wire_error(body));
	else if (hdr->type != r->hdr.type)
		xs_req_finish(c, r, -EBADMSG, "", 0);
	else if (hdr->type == XS_TRANSACTION_START)
		take_txn(c, r, body);
	else if (r->stream && !r->began && hdr->len == sizeof("OK") && !strcmp(body, "OK"))
		fail_req(c, r, -ENOSYS); /* oxenstored says so to whatever it does not know */
	else if (r->stream && hdr->len)
		take_part(r, body, hdr->len);
	else
		xs_req_finish(c, r, 0, body, hdr->len);
}

/* Handles every whole message of the buffer. 0, or -EPROTO: what comes is not the protocol. */
static int handle_input(struct xs_client *c)
{
	struct xsd_sockmsg hdr;

	while (c->in.end - c->in.start >= sizeof(hdr)) {
		char *p = c->in.data + c->in.start;
		char after;

		memcpy(&hdr, p, sizeof(hdr));
		if (hdr.len > XENSTORE_PAYLOAD_MAX)
			return -EPROTO;
		if (c->in.end - c->in.start < sizeof(hdr) + hdr.len)
			return 0;
		/* a NUL behind the payload for the callback; there is always a byte of room */
		c->in.start += sizeof(hdr) + hdr.len;
		after = p[sizeof(hdr) + hdr.len];
		p[sizeof(hdr) + hdr.len] = '\0';
		handle_message(c, &hdr, p + sizeof(hdr));
		p[sizeof(hdr) + hdr.len] = after;
	}
	if (c->in.start == c->in.end)
		buf_emptied(&c->in);
	return 0;
}

/* Reads once. 1: there may be more; 0: nothing now; -errno: the connection is gone. */
static int read_some(struct xs_client *c)
{
	ssize_t n;
	int rc = xs_buf_room(&c->in, READ_CHUNK + 1);

	if (rc)
		return rc;
	n = read(c->fd, c->in.data + c->in.end, READ_CHUNK);
	if (n == 0)
		return -ECONNRESET;
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	c->in.end += n;
	if (c->silence_ms >= 0)
		c->heard_ns = xs_now_ns();
	rc = handle_input(c);
	return rc ? rc : n == READ_CHUNK;
}

/*
 * The kernel's device takes one whole request a write, header included in the payload's limit, and
 * only one at a time: it sends from a buffer that the next write overwrites. What it refuses by
 * itself (WATCH, mostly) it tells by errno: that is the request's answer. True: it was called back.
 */
static bool write_device(struct xs_client *c, const struct xsd_sockmsg *hdr, size_t len)
{
	ssize_t n = -1;
	struct xs_req *r;
	int rc;

	errno = E2BIG;
	if (len <= XENSTORE_PAYLOAD_MAX)
		do
			n = write(c->fd, c->out.data + c->out.start, len);
		while (n < 0 && errno == EINTR);
	rc = n < 0 ? -errno : 0;
	c->device_busy = !rc;
	c->out.start += len;
	c->flushed += len;
	r = rc ? req_find(c, hdr->req_id) : NULL;
	if (r)
		fail_req(c, r, rc);
	return r;
}

static int flush_device(struct xs_client *c)
{
	bool answered = false;
	struct xsd_sockmsg hdr;

	while (!c->device_busy && c->out.start < c->out.end) {
		memcpy(&hdr, c->out.data + c->out.start, sizeof(hdr));
		answered |= write_device(c, &hdr, sizeof(hdr) + hdr.len);
	}
	return answered;
}

static int flush_socket(struct xs_client *c)
{
	while (c->out.start < c->out.end) {
		ssize_t n = send(c->fd, c->out.data + c->out.start, c->out.end - c->out.start,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		c->out.start += n;
		c->flushed += (uint64_t)n;
	}
	return 0;
}

/* Sends what the connection takes. 0; 1: requests were answered by that; -errno: it is gone. */
static int flush(struct xs_client *c)
{
	int rc = c->is_socket ? flush_socket(c) : flush_device(c);

	if (rc >= 0 && c->out.start == c->out.end)
		buf_emptied(&c->out);
	return rc;
}

bool xs_client_push(struct xs_client *c)
{
	/* what fails is met again by who reads */
	if (c->fd >= 0)
		flush(c);
	return c->is_socket && c->out.start < c->out.end;
}

int xs_client_prepare(struct xs_client *c, struct pollfd *p)
{
	int sent = c->fd >= 0 ? flush(c) : 0;

	*p = (struct pollfd){ .fd = c->fd, .events = POLLIN };
	if (c->is_socket && c->out.start < c->out.end)
		p->events |= POLLOUT;
	/* gone, or somebody waits for just what was answered */
	return sent || c->error ? 0 : xs_link_wait_ms(c);
}

int xs_client_dispatch(struct xs_client *c)
{
	int rc;

	if (c->fd < 0)
		xs_link_retry(c);
	if (c->fd >= 0) {
		rc = flush(c);
		if (rc >= 0)
			rc = read_some(c);
		/* what callbacks submitted leaves at once */
		if (rc >= 0 && c->out.start < c->out.end)
			rc = flush(c);
		if (rc >= 0 && xs_link_is_silent(c))
			rc = -ETIMEDOUT;
		if (rc >= 0 && c->broken)
			rc = c->broken;
		if (rc < 0) {
			/* answers of before the end are answers */
			while (c->is_socket && read_some(c) > 0)
				;
			xs_link_lost(c, rc);
		}
	}
	xs_link_arm(c);
	return c->error;
}

static int wait_ms(int timeout_ms, int retry_ms)
{
	if (timeout_ms < 0)
		return retry_ms;
	return retry_ms < 0 || timeout_ms < retry_ms ? timeout_ms : retry_ms;
}

int xs_client_run(struct xs_client *c, int timeout_ms)
{
	struct pollfd p;
	int ms;

	if (c->error)
		return c->error;
	ms = xs_client_prepare(c, &p);
	if (ms)
		poll(&p, 1, wait_ms(timeout_ms, ms));
	return xs_client_dispatch(c);
}

int xs_client_wait(struct xs_client *c)
{
	while (c->nr_reqs) {
		int rc = xs_client_run(c, -1);

		if (rc)
			return rc;
	}
	return 0;
}

/* ---- waiting for one answer ---- */

struct answer {
	bool here;
	int rc;
	char *data;
	size_t len;
};

static void answer_take(void *arg, int rc, const char *data, size_t len)
{
	struct answer *a = arg;

	a->here = true;
	a->rc = rc;
	a->len = len;
	a->data = NULL;
	if (rc)
		return;
	a->data = malloc(len + 1);
	if (a->data)
		memcpy(a->data, data, len + 1);
	else
		a->rc = -ENOMEM;
}

int xs_sync(struct xs_client *c, unsigned int type, uint32_t tx, const struct iovec *iov,
	    unsigned int nr, char **data, size_t *len)
{
	struct answer a = { .here = false };
	int rc = xs_submit(c, type, tx, iov, nr, answer_take, &a);

	if (rc)
		return rc;
	while (!a.here)
		xs_client_run(c, -1); /* giving up answers every request */
	if (a.rc)
		return a.rc;
	if (len)
		*len = a.len;
	if (data)
		*data = a.data;
	else
		free(a.data);
	return 0;
}

int xs_sync_str(struct xs_client *c, unsigned int type, uint32_t tx, const char *s, char **data,
		size_t *len)
{
	struct iovec iov = { (void *)s, strlen(s) + 1 };

	return xs_sync(c, type, tx, &iov, 1, data, len);
}

int xs_sync_write(struct xs_client *c, uint32_t tx, const char *path, const void *data,
		  size_t len)
{
	struct iovec iov[2] = { { (void *)path, strlen(path) + 1 }, { (void *)data, len } };

	return xs_sync(c, XS_WRITE, tx, iov, 2, NULL, NULL);
}
