/* SPDX-License-Identifier: MIT */
/*
 * test_leases.c - what turns on nodes cost when there are 100,000 of them, counted in basic blocks
 * of the daemon's code (meson.build), on a clock of the test's own. Claim: taking one, waiting for
 * one, giving all of a transaction back, losing a client, and a tick cost what they do with a
 * hundred.
 */
#include <unistd.h>

#include "harness.h"
#include "lease.h"
#include "loop.h"
#include "txn.h"

#define FEW	100u
#define MANY	100000u
/* Of each kind, so many are counted. */
#define SOME	50u
/* A turn, and more. */
#define TURN_NS 6000000ull

static uint64_t work, clock_ns = 1;

void __sanitizer_cov_trace_pc(void);
uint64_t __wrap_now_ns(void);

void __sanitizer_cov_trace_pc(void)
{
	work++;
}

uint64_t __wrap_now_ns(void)
{
	return clock_ns;
}

static struct server *srv;

static int setup(void **state)
{
	(void)state;
	srv = t_start();
	srv->turns.contended = true;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	t_stop(srv);
	return 0;
}

/* Every node is hot, however many turns were free. */
static void make_hot(void)
{
	for (unsigned int i = 0; i < LEASE_HEATS; i++)
		srv->turns.heat[i] = UINT16_MAX;
}

/* A client and its transaction. */
static struct txn *begin(void)
{
	struct conn *c = t_client(srv, 0);

	return txn_find(c, t_begin(c));
}

/* Turns on @nr nodes from @first on. */
static void take(struct txn *t, unsigned int first, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (i % 10000 == 0)
			make_hot();
		assert_true(lease_take(srv, first + i, t));
	}
}

/* What each of the things costs, of @SOME, with @nr turns that others have. */
struct costs {
	uint64_t taken, waiting, asked, forgotten, released, idle, passed;
};

static void measure(unsigned int nr, struct costs *out)
{
	struct txn *holder = begin(), *one = begin(), *waiter[SOME];

	take(holder, 1, nr);
	make_hot();
	assert_int_equal(srv->turns.leases.nr, nr);

	work = 0;
	take(one, nr + 1, SOME);
	out->taken = work;

	/* Each in another queue. */
	for (unsigned int i = 0; i < SOME; i++)
		waiter[i] = begin();
	work = 0;
	for (unsigned int i = 0; i < SOME; i++)
		assert_false(lease_take(srv, 1 + i * (nr / SOME), waiter[i]));
	out->waiting = work;

	/* Who has a turn never waits. */
	work = 0;
	for (unsigned int i = 0; i < SOME; i++)
		assert_true(lease_take(srv, 1 + i * (nr / SOME), one));
	out->asked = work;

	work = 0;
	for (unsigned int i = 0; i < SOME; i++)
		lease_forget(waiter[i]->conn);
	out->forgotten = work;

	work = 0;
	lease_release(srv, one);
	out->released = work;
	assert_int_equal(srv->turns.leases.nr, nr);

	/* Nobody's turn is over. */
	work = 0;
	for (unsigned int i = 0; i < SOME; i++)
		assert_true(lease_tick(srv) > 0);
	out->idle = work;

	/* Only those that began before. */
	for (unsigned int i = 0; i < SOME; i++)
		assert_false(lease_take(srv, 1 + i * (nr / SOME), waiter[i]));
	clock_ns += TURN_NS / 2;
	take(one, nr + 1, SOME);
	clock_ns += TURN_NS / 2;
	for (unsigned int i = 0; i < SOME; i++)
		waiter[i]->conn->parked = true;
	assert_true(lease_tick(srv) > 0);
	/* Those that somebody waited for are that one's to take, and those of the other go on. */
	assert_int_equal(srv->turns.leases.nr, 2 * SOME);
	for (unsigned int i = 0; i < SOME; i++)
		assert_false(waiter[i]->conn->parked);
	work = 0;
	clock_ns += TURN_NS;
	assert_int_equal(lease_tick(srv), 0);
	out->passed = work;
	assert_int_equal(srv->turns.leases.nr, 0);
}

static void compare(const char *what, uint64_t few, uint64_t many)
{
	print_message("%-10s %5llu blocks of code beside %u, %5llu beside %u\n", what, (unsigned long long)few, FEW,
		      (unsigned long long)many, MANY);
	assert_true(few > 0);
	/* Chains of the table are of one length or another. */
	assert_in_range(many, 0, few + few / 2);
}

static void test_a_turn_costs_the_same_beside_many(void **state)
{
	struct costs few, many;

	(void)state;
	measure(FEW, &few);
	measure(MANY, &many);
	compare("taken", few.taken, many.taken);
	compare("waited for", few.waiting, many.waiting);
	compare("passed by", few.asked, many.asked);
	compare("forgotten", few.forgotten, many.forgotten);
	compare("released", few.released, many.released);
	compare("tick", few.idle, many.idle);
	compare("over", few.passed, many.passed);
}

/* They are handed on in the order in which they were asked for, whoever goes meanwhile. */
static void test_a_queue_keeps_its_order(void **state)
{
	struct txn *holder = begin(), *waiter[5];

	(void)state;
	make_hot();
	take(holder, 1000, 1);
	for (unsigned int i = 0; i < 5; i++) {
		waiter[i] = begin();
		assert_false(lease_take(srv, 1000, waiter[i]));
		waiter[i]->conn->parked = true;
	}
	t_hang_up(waiter[0]->conn);
	t_hang_up(waiter[2]->conn);
	lease_release(srv, holder);
	for (unsigned int i = 1; i < 5; i += 1 + (i == 1)) {
		for (unsigned int k = 1; k < 5; k += 1 + (k == 1))
			assert_int_equal(waiter[k]->conn->parked, k > i);
		assert_true(lease_take(srv, 1000, waiter[i]));
		lease_release(srv, waiter[i]);
	}
	assert_int_equal(srv->turns.leases.nr, 0);
}

/*
 * A lease that begins while somebody goes first for long is over in time, with nobody asking for
 * anything.
 */
static void test_the_turn_that_ends_first_ends_first(void **state)
{
	struct txn *first = begin(), *holder = begin();
	struct precedence *p = &srv->turns.precedence[0];

	(void)state;
	assert_int_equal(turns_up(srv), 0);
	first->conn->lost_in_a_row = PRECEDENCE_LOSSES;
	precedence_started(first->conn, first);
	p->until_ns = clock_ns + 1000000000000ull;
	turns_tick(srv);
	make_hot();
	take(holder, 1, 1);
	turns_tick(srv);
	clock_ns += TURN_NS;
	alarm(60);
	loop_turn(srv->loop, true);
	alarm(0);
	assert_int_equal(srv->turns.leases.nr, 0);
	assert_ptr_equal(p->txn, first);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_a_turn_costs_the_same_beside_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_a_queue_keeps_its_order, setup, teardown),
		cmocka_unit_test_setup_teardown(test_the_turn_that_ends_first_ends_first, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
