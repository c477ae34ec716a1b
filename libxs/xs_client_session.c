/* SPDX-License-Identifier: MIT */
/*
 * xs_client_session.c - the asynchronous client's session: asked for before the first change on a
 * connection, and after a lost one to learn what became of the changes that were in flight.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xs_client_priv.h"

/* The request in flight that ends the transaction of @r, or NULL. */
static const struct xs_req *end_of(const struct xs_client *c, const struct xs_req *r)
{
	const struct xs_req *e = c->reqs;

	while (e && (e->hdr.type != XS_TRANSACTION_END || e->hdr.tx_id != r->hdr.tx_id || !e->sent))
		e = e->next;
	return e && xs_req_counts(e) ? e : NULL;
}

bool xs_session_decides(const struct xs_client *c, const struct xs_req *r)
{
	if (!r->sent || r->rewatch)
		return false;
	return xs_req_counts(r) || (r->hdr.tx_id && end_of(c, r));
}

/*
 * What became of @r, which was in flight: 0, -errno; 1: not done, to be sent again, but not for
 * ever what the daemon dies of.
 */
static int outcome(const struct xs_client *c, const struct xs_req *r, const char *answer)
{
	const struct xs_req *end = r->hdr.tx_id ? end_of(c, r) : NULL;
	int rc = answer ? xs_session_outcome(answer, (end ? end : r)->hdr.req_id) :
			  -ENOTRECOVERABLE;

	if (rc == 1 && r->hdr.tx_id)
		return -EAGAIN;
	if (rc == 1)
		return r->losses > XS_LOSSES_MAX ? -EIO : 1;
	/* It was answered, and the answer is what is lost. */
	return end && end != r && rc == 0 ? -ENOTRECOVERABLE : rc;
}

/* Ends what is decided. Callbacks may submit more, behind; nothing goes out before all is done. */
static void settle(struct xs_client *c, const char *answer)
{
	struct xs_req *r = c->reqs;

	while (r) {
		int rc = xs_session_decides(c, r) ? outcome(c, r, answer) : 1;

		if (rc == 1) {
			r = r->next;
			continue;
		}
		/* as a daemon sends it, and a byte behind as behind every answer */
		xs_req_finish(c, r, rc, rc ? "" : "OK\0", rc ? 0 : 3);
		r = c->reqs;
	}
}

static void let_go(struct xs_client *c)
{
	int rc = 0;

	c->holding = false;
	for (struct xs_req *r = c->reqs; r && !rc; r = r->next)
		rc = r->out ? 0 : xs_req_emit(c, r);
	if (rc)
		c->broken = rc;
	xs_link_arm(c);
}

static void answered(void *arg, int rc, const char *data, size_t len)
{
	struct xs_client *c = arg;

	(void)len;
	/* gone before it was answered: asked for again on the next connection */
	if (c->fd < 0 || c->error || rc == -ECONNRESET || rc == -ECANCELED)
		return;
	settle(c, rc ? NULL : data);
	let_go(c);
}

int xs_session_ask(struct xs_client *c)
{
	struct iovec iov[2] = { { XS_SESSION_REQUEST, sizeof(XS_SESSION_REQUEST) },
				{ c->token, sizeof(c->token) } };
	int rc = c->token[0] ? 0 : xs_session_name(c->token);

	if (!rc)
		rc = xs_req_submit_own(c, XS_CONTROL, iov, 2, answered, c);
	if (!rc)
		c->in_session = c->holding = true;
	return rc;
}
