/* SPDX-License-Identifier: MIT */
/*
 * test_oom.c - every allocation fails once, then all from it on fail for one request: the daemon
 * answers an error or closes the connection, keeps every invariant, and serves afterwards.
 *
 * malloc, calloc and realloc of the whole program are wrapped by the linker (meson.build).
 */
#include <errno.h>
#include <stdlib.h>

#include "harness.h"
#include "watch.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t nr, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t nr, size_t size);
void *__wrap_realloc(void *old, size_t size);

static unsigned long countdown;	/* allocations until the failing one; 0: none fails */
static bool sticky;		/* the ones after it fail too, until the request is over */

static bool fails(void)
{
	if (!t_dispatching || countdown == 0)
		return false;
	if (countdown > 1) {
		countdown--;
		return false;
	}
	if (!sticky)
		countdown = 0;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t nr, size_t size)
{
	return fails() ? NULL : __real_calloc(nr, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

static struct server *srv;
static struct conn *c[2];
static char out[XENSTORE_PAYLOAD_MAX + 1];

/* A client that was closed for want of memory comes again. */
static void revive(void)
{
	for (int i = 0; i < 2; i++) {
		if (!c[i] || !c[i]->dead)
			continue;
		conns_reap(srv);
		c[i] = t_client(srv, (unsigned int)i);
	}
}

static void step(int i, uint32_t type, const char *data, size_t len, uint32_t tx)
{
	t_req(c[i], type, tx, data, len);
	while (!c[i]->dead && t_next(c[i]))
		;
	if (countdown == 1)
		countdown = 0;
	revive();
}

#define S(i, type, text, tx) step(i, type, text, sizeof(text), tx)

static void script(void)
{
	S(0, XS_WRITE, "/a/b/c\0a value that is longer than what fits inline", 0);
	S(0, XS_MKDIR, "/local/domain/1", 0);
	S(0, XS_SET_PERMS, "/local/domain/1\0n1", 0);
	S(1, XS_WATCH, "data\0token", 0);
	S(1, XS_WATCH, "@releaseDomain\0token", 0);
	S(1, XS_WRITE, "data/x/y\0another value, long enough as well", 0);
	S(1, XS_DIRECTORY, "data", 0);
	S(1, XS_DIRECTORY_PART, "data\0" "0", 0);
	S(1, XS_SET_PERMS, "data/x\0n1\0r0", 0);
	S(1, XS_GET_PERMS, "data/x", 0);
	S(1, XS_TRANSACTION_START, "", 0);
	S(1, XS_READ, "data/x/y", 1);
	S(1, XS_WRITE, "data/x/y\0in the transaction, long enough", 1);
	S(1, XS_WRITE, "data/t/u/v/w\0new in the transaction", 1);
	S(1, XS_SET_PERMS, "data/x\0n1\0b0", 1);
	S(1, XS_RM, "data/t/u", 1);
	S(1, XS_DIRECTORY, "data/t", 1);
	S(1, XS_TRANSACTION_END, "T", 1);
	S(0, XS_INTRODUCE, "3\0" "1\0" "2", 0);
	S(0, XS_SET_TARGET, "3\0" "1", 0);
	S(0, XS_CONTROL, "metrics", 0);
	S(0, XS_CONTROL, "stat", 0);
	S(0, XS_CONTROL, "monitor", 0);
	S(1, XS_RM, "data", 0);
	S(1, XS_UNWATCH, "data\0token", 0);
	S(0, XS_RELEASE, "3", 0);
	S(1, XS_RESET_WATCHES, "", 0);
}

/* Whether the script got as far as allocation @nr. */
static bool one_failure(unsigned long nr, bool all_after)
{
	bool reached;

	srv = t_start();
	c[0] = t_client(srv, 0);
	c[1] = t_client(srv, 1);
	fake_domain(srv->hv, 3, FAKE_EXISTS);
	countdown = nr;
	sticky = all_after;
	script();
	reached = countdown <= 1;
	countdown = 0;
	assert_int_equal(t_write(c[0], 0, "/after", "1"), 0);
	assert_int_equal(t_read(c[0], 0, "/after", out), 0);
	t_stop(srv);
	return reached;
}

static void sweep(bool all_after)
{
	unsigned long nr = 1;

	while (one_failure(nr, all_after))
		nr++;
	print_message("%lu allocations\n", nr - 1);
	assert_true(nr > 50);
}

static void test_each_allocation_may_fail_alone(void **state)
{
	sweep(false);
}

static void test_all_allocations_of_a_request_may_fail(void **state)
{
	sweep(true);
}

/* What a watch tells of may be told late, and of the watched path instead, but it is told. */
static bool event_survives(unsigned long nr)
{
	char data[64] = "/w/x";
	bool reached, changed;

	srv = t_start();
	c[0] = t_client(srv, 0);
	c[1] = t_client(srv, 0);
	assert_int_equal(t_write(c[0], 0, "/w/x", "0"), 0);
	assert_int_equal(t_watch(c[1], "/w", "tok"), 0);
	t_expect_event(c[1], "/w", "tok");
	countdown = nr;
	sticky = nr % 2;
	memset(data + 5, 'v', sizeof(data) - 5);
	t_req(c[0], XS_WRITE, 0, data, sizeof(data));
	reached = countdown <= 1;
	countdown = 0;
	changed = !c[0]->dead && t_read(c[0], 0, "/w/x", out) == 0 && out[0] == 'v';
	watch_make_up(srv);
	if (changed && !c[1]->dead && !t_next(c[1]))
		fail_msg("allocation %lu: the event is lost", nr);
	watch_make_up(srv);
	while (!c[1]->dead && t_next(c[1]))
		;
	t_stop(srv);
	return reached;
}

static void test_an_event_lost_for_want_of_memory_is_made_up_for(void **state)
{
	unsigned long nr = 1;

	while (event_survives(nr))
		nr++;
	assert_true(nr > 2);
}

/* The end says OK only when every request in it did. */
static bool whole_or_not_at_all(unsigned long nr)
{
	static const char *const paths[] = { "/w/x", "/w/new/y", "/w/z" };
	bool reached, refused = false;
	int ret[3], end, found = 0;
	uint32_t tx;

	srv = t_start();
	c[0] = t_client(srv, 0);
	c[1] = NULL;
	assert_int_equal(t_write(c[0], 0, "/w/x", "0"), 0);
	tx = t_begin(c[0]);
	countdown = nr;
	sticky = false;
	for (int i = 0; i < 3; i++) {
		ret[i] = c[0]->dead ? -1 : t_write(c[0], tx, paths[i], "a value of some length");
		refused |= ret[i] > 0;
	}
	reached = countdown <= 1;
	countdown = 0;
	end = c[0]->dead ? -1 : t_end(c[0], tx, true);
	if (refused && !c[0]->dead)
		assert_int_equal(end, ENOMEM);
	revive();
	for (int i = 0; i < 3; i++)
		found += t_read(c[0], 0, paths[i], out) == 0 && out[0] == 'a';
	if (found != (end == 0 ? 3 : 0))
		fail_msg("allocation %lu: %d of 3 are there, the end was %d", nr, found, end);
	t_stop(srv);
	return reached;
}

static void test_transaction_without_one_of_its_requests_does_not_come_true(void **state)
{
	unsigned long nr = 1;

	while (whole_or_not_at_all(nr))
		nr++;
	assert_true(nr > 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_allocation_may_fail_alone),
		cmocka_unit_test(test_all_allocations_of_a_request_may_fail),
		cmocka_unit_test(test_an_event_lost_for_want_of_memory_is_made_up_for),
		cmocka_unit_test(test_transaction_without_one_of_its_requests_does_not_come_true),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
