/* SPDX-License-Identifier: MIT */
/*
 * xs_client_txn.c - a transaction as a callback that runs again after a conflict.
 */
#include <errno.h>
#include <stdlib.h>

#include "xs_client_priv.h"

struct xs_txn {
	struct xs_client *c;
	xs_txn_body_fn *body;
	xs_txn_done_fn *done;
	void *arg;
	unsigned int attempts, max_tries;
	uint32_t id;
	int abort_rc;
};

static void txn_start(struct xs_txn *t);

static void txn_finish(struct xs_txn *t, int rc)
{
	t->done(t->arg, rc, t->attempts);
	free(t);
}

/* One attempt is over: again after a conflict, else the end. */
static void txn_over(struct xs_txn *t, int rc)
{
	if (rc == -EAGAIN && t->attempts < t->max_tries)
		txn_start(t);
	else
		txn_finish(t, rc);
}

static void txn_started(void *arg, int rc, const char *data, size_t len)
{
	struct xs_txn *t = arg;

	(void)len;
	if (rc) {
		txn_finish(t, rc);
		return;
	}
	t->id = strtoul(data, NULL, 10);
	t->body(t->arg, t);
}

static void txn_start(struct xs_txn *t)
{
	int rc;

	t->attempts++;
	rc = xs_submit_str(t->c, XS_TRANSACTION_START, 0, "", txn_started, t);
	if (rc)
		txn_finish(t, rc);
}

static void txn_committed(void *arg, int rc, const char *data, size_t len)
{
	(void)data;
	(void)len;
	txn_over(arg, rc);
}

static void txn_aborted(void *arg, int rc, const char *data, size_t len)
{
	struct xs_txn *t = arg;

	(void)data;
	(void)len;
	txn_over(t, rc ? rc : t->abort_rc);
}

int xs_txn_run(struct xs_client *c, xs_txn_body_fn *body, xs_txn_done_fn *done, void *arg,
	       unsigned int max_tries)
{
	struct xs_txn *t = malloc(sizeof(*t));
	int rc;

	if (!t)
		return -ENOMEM;
	*t = (struct xs_txn){ .c = c, .body = body, .done = done, .arg = arg,
			      .attempts = 1, .max_tries = max_tries };
	rc = xs_submit_str(c, XS_TRANSACTION_START, 0, "", txn_started, t);
	if (rc)
		free(t);
	return rc;
}

uint32_t xs_txn_id(const struct xs_txn *t)
{
	return t->id;
}

void xs_txn_commit(struct xs_txn *t)
{
	int rc = xs_submit_str(t->c, XS_TRANSACTION_END, t->id, "T", txn_committed, t);

	if (rc)
		txn_over(t, rc);
}

void xs_txn_abort(struct xs_txn *t, int rc)
{
	t->abort_rc = rc;
	rc = xs_submit_str(t->c, XS_TRANSACTION_END, t->id, "F", txn_aborted, t);
	if (rc)
		txn_over(t, rc);
}

/* ---- in straight-line code ---- */

static int attempt(struct xs_client *c, xs_txn_sync_fn *body, void *arg)
{
	char *text;
	uint32_t tx;
	int rc = xs_sync_str(c, XS_TRANSACTION_START, 0, "", &text, NULL);
	int end;

	if (rc)
		return rc;
	tx = strtoul(text, NULL, 10);
	free(text);
	rc = body(arg, c, tx);
	end = xs_sync_str(c, XS_TRANSACTION_END, tx, rc ? "F" : "T", NULL, NULL);
	return end ? end : rc;
}

int xs_transact(struct xs_client *c, xs_txn_sync_fn *body, void *arg, unsigned int max_tries,
		unsigned int *attempts)
{
	unsigned int n = 0;
	int rc;

	do {
		rc = attempt(c, body, arg);
		n++;
	} while (rc == -EAGAIN && n < max_tries);
	if (attempts)
		*attempts = n;
	return rc;
}
