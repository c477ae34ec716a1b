/* SPDX-License-Identifier: MIT */
/*
 * test_grant.c - the supervisor hands connections to a process that may be its guest's: what that
 * one can make it do is bounded.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "grant.h"
#include "store_ask.h"

static struct event_base *base;
static struct grant grant;
static int theirs;
static int refusal;		/* what the store answers instead of a connection, 0: none */
static unsigned int nr_connections;

int store_confined_connect(const struct store_scope *scope)
{
	(void)scope;
	if (refusal)
		return refusal;
	nr_connections++;
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static int setup(void **state)
{
	int ours;

	(void)state;
	refusal = 0;
	nr_connections = 0;
	base = event_base_new();
	grant_init(&grant);
	return grant_pair(&ours, &theirs) || grant_listen(&grant, base, ours);
}

static int teardown(void **state)
{
	(void)state;
	grant_end(&grant);
	close(theirs);
	event_base_free(base);
	return 0;
}

static void asks(void)
{
	assert_int_equal(send(theirs, "?", 1, MSG_DONTWAIT), 1);
}

/* Whether it got one. */
static bool takes(void)
{
	union {
		char room[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control;
	char byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	int fd;

	if (recvmsg(theirs, &msg, MSG_DONTWAIT) != 1)
		return false;
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&msg)), sizeof(fd));
	close(fd);
	return true;
}

static void wakes_up(unsigned int times)
{
	while (times--)
		event_base_loop(base, EVLOOP_ONCE);
}

static void test_who_asks_is_answered(void **state)
{
	(void)state;
	asks();
	wakes_up(1);
	assert_true(takes());
	assert_int_equal(nr_connections, 1);
}

static void test_who_never_stops_asking_is_not_listened_to_for_ever(void **state)
{
	unsigned int nr = 0;
	bool closed;

	(void)state;
	while (send(theirs, "?", 1, MSG_DONTWAIT) == 1)
		nr++;
	assert_true(nr > STORE_ASK_TAKE);
	assert_true(store_ask_take(grant.fd, &closed));
	assert_false(closed);
	/* so much room there is again, and no more */
	for (unsigned int i = 0; i < STORE_ASK_TAKE; i++)
		asks();
	assert_int_equal(send(theirs, "?", 1, MSG_DONTWAIT), -1);
}

static void test_answers_that_nobody_takes_do_not_pile_up(void **state)
{
	(void)state;
	asks();
	wakes_up(1);
	asks();
	wakes_up(4); /* the question, and three times half a second later */
	assert_int_equal(nr_connections, 1);

	assert_true(takes());
	while (nr_connections == 1)
		wakes_up(1);
	assert_true(takes());
}

/* How long until it tries again, ms. */
static long patience(void)
{
	struct timeval due, now;

	assert_true(event_pending(grant.later, EV_TIMEOUT, &due));
	gettimeofday(&now, NULL);
	return (due.tv_sec - now.tv_sec) * 1000 + (due.tv_usec - now.tv_usec) / 1000;
}

static void test_a_store_that_is_away_is_tried_soon_and_one_that_refuses_is_not(void **state)
{
	(void)state;
	refusal = -ECONNREFUSED;
	asks();
	wakes_up(1);
	assert_true(patience() < 100);

	refusal = -EPROTONOSUPPORT;
	wakes_up(1);
	assert_true(patience() > 100);

	refusal = 0;
	wakes_up(1);
	assert_true(takes());
}

#define TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_who_asks_is_answered),
		TEST(test_who_never_stops_asking_is_not_listened_to_for_ever),
		TEST(test_answers_that_nobody_takes_do_not_pile_up),
		TEST(test_a_store_that_is_away_is_tried_soon_and_one_that_refuses_is_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
