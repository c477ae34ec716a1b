/* SPDX-License-Identifier: MIT */
/*
 * test_client_txn.c - transactions of the asynchronous client, waited for and as callbacks.
 */
#include <errno.h>
#include <stdbool.h>

#include "client_kit.h"

static int body(void *arg, struct xs_client *c, uint32_t tx)
{
	++*(int *)arg;
	return xs_sync_write(c, tx, "/a", "x", 1);
}

static void test_a_conflicting_transaction_runs_again(void **state)
{
	struct fixture *x = *state;
	unsigned int attempts;
	int runs = 0;

	x->f.conflicts = 3;

	assert_int_equal(xs_transact(x->c, body, &runs, 10, &attempts), 0);
	assert_int_equal(attempts, 4);
	assert_int_equal(runs, 4);
}

static void test_retries_have_a_bound(void **state)
{
	struct fixture *x = *state;
	unsigned int attempts;
	int runs = 0;

	x->f.conflicts = 100;

	assert_int_equal(xs_transact(x->c, body, &runs, 5, &attempts), -EAGAIN);
	assert_int_equal(attempts, 5);
}

static int refuse(void *arg, struct xs_client *c, uint32_t tx)
{
	++*(int *)arg;
	return -EPERM;
}

static void test_a_body_that_refuses_is_not_run_again(void **state)
{
	struct fixture *x = *state;
	int runs = 0;

	assert_int_equal(xs_transact(x->c, refuse, &runs, 5, NULL), -EPERM);
	assert_int_equal(runs, 1);
}

/* As many bodies do: what cannot be read is not there. */
static int break_then_refuse(void *arg, struct xs_client *c, uint32_t tx)
{
	struct fixture *x = arg;
	int rc;

	if (x->f.connects == 1)
		fake_break(&x->f);
	rc = xs_sync_str(c, XS_READ, tx, "/a", NULL, NULL);
	return rc ? -ENOENT : 0;
}

static void test_what_a_lost_transaction_made_of_it_is_no_verdict(void **state)
{
	struct fixture *x = *state;
	unsigned int attempts;

	assert_int_equal(xs_transact(x->c, break_then_refuse, x, 5, &attempts), 0);
	assert_int_equal(attempts, 2);
}

struct async_txn {
	int bodies, rc, refusal;
	unsigned int attempts;
	bool done;
	struct xs_client *c;
	struct xs_txn *t;
};

static void async_read(void *arg, int rc, const char *data, size_t len)
{
	struct async_txn *a = arg;

	if (rc)
		xs_txn_abort(a->t, a->refusal ? a->refusal : rc);
	else
		xs_txn_commit(a->t);
}

static void async_body(void *arg, struct xs_txn *t)
{
	struct async_txn *a = arg;

	a->bodies++;
	a->t = t;
	xs_submit_str(a->c, XS_READ, xs_txn_id(t), "/a", async_read, a);
}

static void async_done(void *arg, int rc, unsigned int attempts)
{
	struct async_txn *a = arg;

	a->rc = rc;
	a->attempts = attempts;
	a->done = true;
}

static void test_a_transaction_as_a_callback_is_retried(void **state)
{
	struct fixture *x = *state;
	struct async_txn a = { .c = x->c };

	x->f.conflicts = 2;
	assert_int_equal(xs_txn_run(x->c, async_body, async_done, &a, 5), 0);
	while (!a.done)
		xs_client_run(x->c, 100);

	assert_int_equal(a.rc, 0);
	assert_int_equal(a.bodies, 3);
	assert_int_equal(a.attempts, 3);
}

static void test_a_transaction_as_a_callback_survives_a_lost_connection(void **state)
{
	struct fixture *x = *state;
	struct async_txn a = { .c = x->c };

	x->f.drop_after = 2; /* the read inside */
	assert_int_equal(xs_txn_run(x->c, async_body, async_done, &a, 5), 0);
	while (!a.done)
		xs_client_run(x->c, 100);

	assert_int_equal(a.rc, 0);
	assert_int_equal(a.bodies, 2);
	a = (struct async_txn){ .c = x->c, .refusal = -ENOENT };
	x->f.drop_after = 2;
	assert_int_equal(xs_txn_run(x->c, async_body, async_done, &a, 5), 0);
	while (!a.done)
		xs_client_run(x->c, 100);
	assert_int_equal(a.rc, 0);
	assert_int_equal(a.bodies, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_a_conflicting_transaction_runs_again),
		CLIENT_TEST(test_retries_have_a_bound),
		CLIENT_TEST(test_a_body_that_refuses_is_not_run_again),
		CLIENT_TEST(test_what_a_lost_transaction_made_of_it_is_no_verdict),
		CLIENT_TEST(test_a_transaction_as_a_callback_is_retried),
		CLIENT_TEST(test_a_transaction_as_a_callback_survives_a_lost_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
