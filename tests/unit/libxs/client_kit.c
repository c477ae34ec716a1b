/* SPDX-License-Identifier: MIT */
/* client_kit.c - see client_kit.h. */
#include "client_kit.h"

#include <stdio.h>
#include <stdlib.h>

int client_setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	fake_start(&x->f);
	fake_put(&x->f, "/a", "one");
	assert_int_equal(xs_client_open(&x->c, x->f.path), 0);
	/* answered: accepted, so that a break breaks it */
	assert_int_equal(xs_sync_str(x->c, XS_READ, 0, "/a", NULL, NULL), 0);
	x->f.requests = x->f.reads = 0;
	*state = x;
	return 0;
}

int client_teardown(void **state)
{
	struct fixture *x = *state;

	xs_client_close(x->c);
	fake_stop(&x->f);
	free(x);
	return 0;
}

void take(void *arg, int rc, const char *data, size_t len)
{
	struct got *g = arg;

	g->calls++;
	g->rc = rc;
	snprintf(g->data, sizeof(g->data), "%.*s", (int)len, data);
}

uint32_t start_txn(struct fixture *x)
{
	char *text;
	uint32_t tx;

	assert_int_equal(xs_sync_str(x->c, XS_TRANSACTION_START, 0, "", &text, NULL), 0);
	tx = strtoul(text, NULL, 10);
	free(text);
	return tx;
}

void note(void *arg, const char *path)
{
	struct events *e = arg;

	e->n++;
	snprintf(e->last, sizeof(e->last), "%s", path);
}

void run_until(struct fixture *x, const int *n, int want)
{
	for (int i = 0; i < 500 && *n < want; i++)
		xs_client_run(x->c, 10);
	assert_int_equal(*n, want);
}
