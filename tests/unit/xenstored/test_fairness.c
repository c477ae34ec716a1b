/* SPDX-License-Identifier: MIT */
/*
 * test_fairness.c - who loses a transaction often enough wins. Clients take steps in random order,
 * or in the worst one; a request that has to wait is offered again when it may go on. The clock is
 * the test's own (now_ns() is wrapped by the linker, meson.build): a step takes 10 us.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "harness.h"
#include "lease.h"
#include "precedence.h"
#include "txn.h"

uint64_t __wrap_now_ns(void);

static struct server *srv;
static unsigned int seed;
static uint64_t clock_ns = 1;

uint64_t __wrap_now_ns(void)
{
	return clock_ns;
}

static unsigned int rnd(unsigned int n)
{
	seed = seed * 1103515245u + 12345u;
	return (seed >> 16) % n;
}

/* What the transactions of a test do: one thing seen, one thing changed. */
enum kind { VALUE, ABSENCE, CHILDREN, PERMS, MADE_AGAIN, RIGHTS, NR_KINDS };

static const char *const kind_name[NR_KINDS] = {
	"a value", "a missing node", "a set of children", "permissions", "a node made again",
	"rights",
};

struct player {
	struct conn *c;
	enum kind kind;
	bool plain;		/* changes without any transaction */
	unsigned int step;
	unsigned int number;	/* what it writes is different each time */
	uint32_t t;
	bool there;		/* whether it saw the node */
	unsigned int lost, worst, won, waited;
};

/* One request: -1 when it has to wait, else 0 or the errno. */
static int try(struct player *p, uint32_t type, uint32_t t, const char *data, size_t len)
{
	struct xsd_sockmsg hdr = { type, 77, t, (uint32_t)len };
	char bytes[200];
	const struct t_msg *m;

	clock_ns += 10000;
	lease_tick(srv);
	precedence_tick(srv);
	memcpy(bytes, &hdr, sizeof(hdr));
	memcpy(bytes + sizeof(hdr), data, len);
	if (p->c->parked || conn_input(p->c, bytes, sizeof(hdr) + len, 1) == 0) {
		p->waited++;
		return -1;
	}
	m = t_next(p->c);
	assert_non_null(m);
	if (type == XS_TRANSACTION_START)
		p->t = (uint32_t)strtoul(m->data, NULL, 10);
	return m->type == XS_ERROR ? xs_wire_error_code(m->data, m->len) : 0;
}

static int look(struct player *p)
{
	static const struct { uint32_t type; const char *path; } what[NR_KINDS] = {
		[VALUE] = { XS_READ, "/s/x" },
		[ABSENCE] = { XS_READ, "/s/n" },
		[CHILDREN] = { XS_DIRECTORY, "/s/dir" },
		[PERMS] = { XS_GET_PERMS, "/s/p" },
		[MADE_AGAIN] = { XS_READ, "/s/r" },
		[RIGHTS] = { XS_READ, "/s/x" },
	};

	return try(p, what[p->kind].type, p->t, what[p->kind].path,
		   strlen(what[p->kind].path) + 1);
}

static int put(struct player *p, uint32_t t, const char *path)
{
	char data[100];
	int len = sprintf(data, "%s", path) + 1;

	len += sprintf(data + len, "%u", p->number);
	return try(p, XS_WRITE, t, data, (size_t)len);
}

static int set_perms(struct player *p, uint32_t t, const char *path)
{
	char data[100];
	int len = sprintf(data, "%s", path) + 1;

	len += sprintf(data + len, "n0") + 1;
	len += sprintf(data + len, "b1") + 1;
	len += sprintf(data + len, "%s2", p->number % 2 ? "b" : "w") + 1;
	return try(p, XS_SET_PERMS, t, data, (size_t)len);
}

/* The change that spoils what everybody of this kind has seen. */
static int change(struct player *p, uint32_t t)
{
	char path[64];
	int err;

	switch (p->kind) {
	case VALUE:
		return put(p, t, "/s/x");
	case ABSENCE:
		return p->there ? try(p, XS_RM, t, "/s/n", 5) : put(p, t, "/s/n");
	case CHILDREN:
		sprintf(path, "/s/dir/%u", p->number % 8);
		return p->number / 8 % 2 ? try(p, XS_RM, t, path, strlen(path) + 1) :
					   put(p, t, path);
	case PERMS:
		return set_perms(p, t, "/s/p");
	case RIGHTS:
		return t ? put(p, t, "/s/x") : set_perms(p, t, "/s/x");
	case MADE_AGAIN:
	case NR_KINDS:
		break;
	}
	err = try(p, XS_RM, t, "/s/r", 5);
	return err < 0 ? err : put(p, t, "/s/r");
}

static void ended(struct player *p, int err)
{
	p->step = 0;
	if (err == 0) {
		p->won++;
		p->lost = 0;
		return;
	}
	assert_int_equal(err, EAGAIN);
	if (++p->lost > p->worst)
		p->worst = p->lost;
}

/* One request; false when it has to wait. */
static bool play(struct player *p)
{
	int err;

	p->number++;
	if (p->plain) {
		err = change(p, 0);
		if (err >= 0)
			p->there = !p->there;
		return err >= 0;
	}
	switch (p->step) {
	case 0:
		err = try(p, XS_TRANSACTION_START, 0, "", 1);
		break;
	case 1:
		err = look(p);
		p->there = err == 0;
		break;
	case 2:
		err = change(p, p->t);
		break;
	default:
		err = try(p, XS_TRANSACTION_END, p->t, "T", 2);
		if (err >= 0) {
			ended(p, err);
			return true;
		}
	}
	if (err < 0)
		return false;
	p->step++;
	return true;
}

static struct conn *dom0;

static int setup(void **state)
{
	const char *env = getenv("STOREVISOR_SEED");

	seed = env ? (unsigned int)atoi(env) : (unsigned int)getpid();
	print_message("seed %u (STOREVISOR_SEED)\n", seed);
	srv = t_start();
	dom0 = t_client(srv, 0);
	t_client(srv, 1);
	t_client(srv, 2);
	assert_int_equal(t_write(dom0, 0, "/s/x", "0"), 0);
	assert_int_equal(t_write(dom0, 0, "/s/r", "0"), 0);
	assert_int_equal(t_write(dom0, 0, "/s/p", "0"), 0);
	assert_int_equal(t_mkdir(dom0, 0, "/s/dir"), 0);
	for (const char *p = "/s\0/s/x\0/s/r\0/s/p\0/s/dir\0"; *p; p += strlen(p) + 1)
		assert_int_equal(t_setp(dom0, 0, p, "n0 b1 b2"), 0);
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

static struct conn *guest(unsigned int domid)
{
	return domain_find(&srv->domains, domid)->conn;
}

/* @nr players in random order; none may lose more often than the limit. */
static void contest(struct player *p, unsigned int nr, unsigned int steps)
{
	unsigned int idle = 0;

	for (unsigned int i = 0; i < steps; i++) {
		unsigned int first = rnd(nr), k = 0;

		while (k < nr && !play(&p[(first + k) % nr]))
			k++;
		idle = k == nr ? idle + 1 : 0;
		/* A turn (lease.h) on a node that is gone meanwhile ends by time. */
		if (idle > 1000)
			fail_msg("%s: everybody waits", kind_name[p->kind]);
	}
	for (unsigned int i = 0; i < nr; i++) {
		if (p[i].worst > PRECEDENCE_LOSSES || !p[i].won)
			fail_msg("%s: client %u lost %u in a row, won %u", kind_name[p->kind], i,
				 p[i].worst, p[i].won);
	}
}

static void test_nobody_loses_more_often_than_the_limit(void **state)
{
	for (int kind = 0; kind < RIGHTS; kind++) {
		struct player p[6] = { 0 };

		for (unsigned int i = 0; i < 6; i++)
			p[i] = (struct player){ .c = t_client(srv, 0), .kind = kind,
						.number = i * 1000 };
		contest(p, 6, 20000);
		for (unsigned int i = 0; i < 6; i++)
			t_hang_up(p[i].c);
	}
}

/* An odd number of changes between a look and the end: what they toggle is different then. */
static unsigned int toggles(const struct player *victim)
{
	return victim->step == 2 ? 3 : 4;
}

/* Behind each step of the victim somebody changes what it has seen, with no transaction. */
static void hunt(struct player *victim, struct player *hunter)
{
	while (victim->won < 20) {
		play(victim);
		for (unsigned int i = 0; i < toggles(victim); i++)
			play(hunter);
		if (victim->lost > PRECEDENCE_LOSSES)
			fail_msg("%s: %u lost in a row", kind_name[victim->kind], victim->lost);
	}
	/* Else it was not the limit that helped. */
	if (victim->worst != PRECEDENCE_LOSSES || !hunter->waited)
		fail_msg("%s: at most %u lost in a row", kind_name[victim->kind], victim->worst);
}

static void test_plain_changes_wait_for_who_lost_often(void **state)
{
	for (int kind = 0; kind < RIGHTS; kind++) {
		struct player v = { .c = t_client(srv, 0), .kind = kind };
		struct player h = { .c = t_client(srv, 0), .kind = kind, .plain = true };

		hunt(&v, &h);
		t_hang_up(v.c);
		t_hang_up(h.c);
	}
}

static void test_it_holds_among_guests(void **state)
{
	static const enum kind kinds[] = { VALUE, ABSENCE, CHILDREN };

	for (int i = 0; i < 3; i++) {
		struct player v = { .c = guest(1), .kind = kinds[i] };
		struct player h = { .c = guest(2), .kind = kinds[i], .plain = true };

		assert_int_equal(t_rm(dom0, 0, "/s/n"), 0);
		hunt(&v, &h);
	}
}

static void test_a_guest_does_not_hold_up_domain_0(void **state)
{
	for (int kind = 0; kind < NR_KINDS; kind++) {
		struct player v = { .c = guest(1), .kind = kind == PERMS ? VALUE : kind };
		struct player h = { .c = t_client(srv, 0), .kind = v.kind, .plain = true };

		for (unsigned int i = 0; i < 200; i++) {
			play(&v);
			for (unsigned int k = 0; k < toggles(&v); k++)
				assert_true(play(&h));
		}
		assert_true(v.worst > PRECEDENCE_LOSSES);
		while (v.step)
			play(&v);
		t_hang_up(h.c);
	}
}

static struct player loser(void)
{
	struct player v = { .c = t_client(srv, 0), .kind = VALUE };
	struct player h = { .c = dom0, .kind = VALUE, .plain = true };

	while (v.lost < PRECEDENCE_LOSSES) {
		play(&v);
		play(&h);
	}
	return v;
}

static void test_who_goes_first_does_so_for_a_limited_time(void **state)
{
	struct player v = loser(), h = { .c = t_client(srv, 0), .kind = VALUE, .plain = true };

	play(&v);
	play(&v);
	assert_ptr_equal(srv->turns.precedence[0].txn, v.c->txns);
	assert_false(play(&h));
	clock_ns += 99000000;
	assert_false(play(&h));
	clock_ns += 1000000;
	assert_true(play(&h));
	assert_int_equal(t_end(v.c, v.t, true), EAGAIN);
}

static void test_who_goes_first_and_leaves_makes_room(void **state)
{
	struct player v = loser(), w = loser(), h = { .c = dom0, .kind = VALUE, .plain = true };

	play(&v);
	play(&v);
	assert_false(play(&w));		/* its START waits for the turn */
	assert_false(play(&h));
	t_hang_up(v.c);
	assert_true(play(&h));
	assert_true(play(&w));
	assert_ptr_equal(srv->turns.precedence[0].txn, w.c->txns);
	t_hang_up(w.c);
	assert_null(srv->turns.precedence[0].txn);
	assert_null(srv->turns.precedence[0].called);
}

static void test_what_a_guest_may_not_read_it_neither_sees_change_nor_protects(void **state)
{
	struct player v = { .c = guest(1), .kind = VALUE };
	struct conn *other = guest(2);
	char out[100];
	uint32_t t;

	assert_int_equal(t_write(dom0, 0, "/secret", "a"), 0);
	assert_int_equal(t_setp(dom0, 0, "/secret", "n2"), 0);
	t = t_begin(v.c);
	assert_int_equal(t_read(v.c, t, "/secret", out), EACCES);
	assert_int_equal(t_write(other, 0, "/secret", "b"), 0);
	/* EAGAIN would tell that there is a value and that it changed. */
	assert_int_equal(t_end(v.c, t, true), 0);

	v.c->lost_in_a_row = PRECEDENCE_LOSSES;
	t = t_begin(v.c);
	assert_ptr_equal(srv->turns.precedence[1].txn, v.c->txns);
	assert_int_equal(t_read(v.c, t, "/secret", out), EACCES);
	assert_int_equal(t_write(other, 0, "/secret", "c"), 0);
	assert_int_equal(t_end(v.c, t, false), 0);
}

/* Nor that there is a node, that it comes or goes, and for whom it is. */
static void test_what_a_guest_may_not_read_is_no_part_of_its_transaction(void **state)
{
	struct conn *spy = guest(1);
	char out[100];
	uint32_t t;

	assert_int_equal(t_write(dom0, 0, "/hidden/there", "a"), 0);
	guest(2);
	t = t_begin(spy);
	assert_int_equal(t_read(spy, t, "/hidden/there", out), EACCES);
	assert_int_equal(t_ls(spy, t, "/hidden", out), EACCES);
	assert_int_equal(t_write(spy, t, "/hidden/not/yet", "x"), EACCES);
	assert_int_equal(t_rm(spy, t, "/hidden/not"), EACCES);
	assert_int_equal(t_setp(dom0, 0, "/hidden", "n0 r2"), 0);
	assert_int_equal(t_rm(dom0, 0, "/hidden/there"), 0);
	assert_int_equal(t_write(dom0, 0, "/hidden/not/yet", "b"), 0);
	assert_int_equal(t_end(spy, t, true), 0);

	/*
	 * A transaction that may remember one node more would remember this one, or those above,
	 * too.
	 */
	assert_int_equal(t_call(dom0, XS_WIRE_SET_QUOTA, out, "1", "transaction-nodes", "1", NULL), 0);
	t = t_begin(spy);
	assert_int_equal(t_read(spy, t, "/hidden/not/yet", out), EACCES);
	assert_int_equal(t_read(spy, t, "/hidden/none/such/node", out), EACCES);
	assert_int_equal(t_end(spy, t, true), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_nobody_loses_more_often_than_the_limit),
		T(test_plain_changes_wait_for_who_lost_often),
		T(test_it_holds_among_guests),
		T(test_a_guest_does_not_hold_up_domain_0),
		T(test_who_goes_first_does_so_for_a_limited_time),
		T(test_who_goes_first_and_leaves_makes_room),
		T(test_what_a_guest_may_not_read_it_neither_sees_change_nor_protects),
		T(test_what_a_guest_may_not_read_is_no_part_of_its_transaction),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
