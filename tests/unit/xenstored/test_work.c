/* SPDX-License-Identifier: MIT */
/*
 * test_work.c - how much the daemon does for one of many clients, counted in basic blocks of its
 * code (meson.build), on no clock. Claim: for each that is lost, as much as if it were alone.
 */
#include "bond.h"
#include "harness.h"
#include "session.h"

#define CLIENTS 2500u
/* So many at a time are compared. */
#define SOME 100u
/* Sessions without bonds: more than are kept. */
#define ALONE (13 * SOME)

static uint64_t work;

void __sanitizer_cov_trace_pc(void);

void __sanitizer_cov_trace_pc(void)
{
	work++;
}

static struct server *srv;
static char out[XENSTORE_PAYLOAD_MAX + 1];

static int setup(void **state)
{
	srv = t_start();
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

/* One with a session of its own, which holds a node by a bond. */
static struct conn *holder(unsigned int i)
{
	struct conn *c = t_client(srv, 0);
	char token[2 * SESSION_TOKEN_LEN + 1], path[32];

	/* Its first bytes are random in a real one. */
	snprintf(token, sizeof(token), "%02x%02x%028x", i & 0xff, i >> 8, i);
	snprintf(path, sizeof(path), "/t/%u", i);
	assert_int_equal(t_write(c, 0, path, "1"), 0);
	assert_int_equal(t_call(c, XS_CONTROL, out, "session", token, NULL), 0);
	assert_int_equal(t_call(c, XS_CONTROL, out, "bind", path, "1", NULL), 0);
	assert_string_equal(out, "held");
	return c;
}

/* The work of the first of them, and of the last. */
static void lose_all(struct conn *const *c, bool hung_up, uint64_t *first, uint64_t *last)
{
	for (unsigned int i = 0; i < CLIENTS; i++) {
		if (i == 0 || i == CLIENTS - SOME)
			work = 0;
		c[i]->hung_up = hung_up;
		conn_kill(c[i]);
		conns_reap(srv);
		bonds_end_due(srv);
		if (i == SOME - 1)
			*first = work;
	}
	*last = work;
}

static void assert_alike(uint64_t first, uint64_t last)
{
	print_message("blocks of code for %u: %llu of the first, %llu of the last\n", SOME,
		      (unsigned long long)first, (unsigned long long)last);
	/* Trees are deeper, nothing else. */
	assert_in_range(last, first / 2, 2 * first);
}

static void test_a_lost_client_costs_what_the_first_one_did(void **state)
{
	static struct conn *c[CLIENTS];
	uint64_t first, last;

	for (unsigned int i = 0; i < CLIENTS; i++)
		c[i] = holder(i);
	lose_all(c, false, &first, &last);
	assert_alike(first, last);
	assert_int_equal(srv->wire.sessions.bonded.nr, CLIENTS);
	assert_int_equal(srv->bonds.nr, CLIENTS);
}

static void test_so_does_one_that_hangs_up(void **state)
{
	static struct conn *c[CLIENTS];
	uint64_t first, last;

	for (unsigned int i = 0; i < CLIENTS; i++)
		c[i] = holder(i);
	lose_all(c, true, &first, &last);
	assert_alike(first, last);
	assert_int_equal(srv->bonds.nr, 0);
	assert_int_equal(t_call(t_client(srv, 0), XS_DIRECTORY, out, "/t", NULL), 0);
	assert_string_equal(out, "");
}

/* Beside those that have none, and after a start, which finds all in one list. */
static void test_who_has_bonds_is_passed_over_once(void **state)
{
	static struct conn *c[CLIENTS];
	uint64_t first = 0;
	unsigned int i;

	for (i = 0; i < CLIENTS; i++)
		c[i] = holder(i);
	for (i = 0; i < CLIENTS; i++) {
		conn_kill(c[i]);
		conns_reap(srv);
	}
	for (i = 0; i < ALONE; i++) {
		struct conn *d = t_client(srv, 0);
		char token[2 * SESSION_TOKEN_LEN + 1];

		snprintf(token, sizeof(token), "%02x%02xff%026x", i & 0xff, i >> 8, i);
		assert_int_equal(t_call(d, XS_CONTROL, out, "session", token, NULL), 0);
		if (i % SOME == 0)
			work = 0;
		conn_kill(d);
		conns_reap(srv);
		if (i == SOME - 1)
			first = work;
	}
	assert_int_equal(srv->wire.sessions.orphans.nr, SESSION_ORPHANS);
	assert_int_equal(srv->wire.sessions.bonded.nr, CLIENTS);
	print_message("%llu blocks, then %llu\n", (unsigned long long)first,
		      (unsigned long long)work);
	/* Nobody has looked at all of them for each. */
	assert_true(first < SOME * CLIENTS);
	assert_true(work < 2 * first);
}

/*
 * The work for each event that a lost client has not read, with so many watches that all see each
 * write.
 */
static uint64_t loss_of_events(unsigned int nr_watches, unsigned int nr_writes)
{
	struct conn *c = t_client(srv, 0), *host = t_client(srv, 0);
	char word[32];
	size_t nr;

	for (unsigned int i = 0; i < nr_watches; i++) {
		snprintf(word, sizeof(word), "%u", i);
		assert_int_equal(t_watch(c, "/", word), 0);
	}
	for (unsigned int i = 0; i < nr_writes; i++) {
		snprintf(word, sizeof(word), "/w/%u", i);
		assert_int_equal(t_write(host, 0, word, "1"), 0);
	}
	nr = c->events.nr;
	assert_true(nr > 1000);
	work = 0;
	conn_kill(c);
	conns_reap(srv);
	print_message("blocks of code for each of %zu events, %u watches: %llu\n", nr, nr_watches,
		      (unsigned long long)(work / nr));
	return work / nr;
}

static void test_a_client_that_has_read_nothing_costs_what_it_has(void **state)
{
	uint64_t few = loss_of_events(10, 2000);

	assert_in_range(loss_of_events(1000, 20), 0, 2 * few + 100);
}

/* Domain 1 ends, which one node of @nr in a directory names; the others another domain. */
static uint64_t end_of_one_beside(unsigned int nr)
{
	struct conn *host = t_client(srv, 0);
	char path[32];

	t_client(srv, 1);
	t_client(srv, 2);
	for (unsigned int i = 0; i < nr; i++) {
		snprintf(path, sizeof(path), "/n%u/%u", nr, i);
		assert_int_equal(t_mkdir(host, 0, path), 0);
		assert_int_equal(t_setp(host, 0, path, i == nr / 2 ? "n0 r1 r2" : "n0 r2"), 0);
	}
	snprintf(path, sizeof(path), "/n%u/%u", nr, nr / 2);
	work = 0;
	domain_release(srv, domain_find(&srv->domains, 1));
	print_message("blocks of code for the end of who is named by one node of %u: %llu\n", nr,
		      (unsigned long long)work);
	nr = (unsigned int)work;
	assert_int_equal(t_getp(host, 0, path, out), 0);
	assert_string_equal(out, "n0 r2");
	return nr;
}

static void test_an_ended_domain_costs_what_it_had(void **state)
{
	uint64_t few = end_of_one_beside(20), many = end_of_one_beside(20 * CLIENTS);

	assert_in_range(many, few / 2, few + few / 4);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_lost_client_costs_what_the_first_one_did),
		T(test_so_does_one_that_hangs_up),
		T(test_who_has_bonds_is_passed_over_once),
		T(test_a_client_that_has_read_nothing_costs_what_it_has),
		T(test_an_ended_domain_costs_what_it_had),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
