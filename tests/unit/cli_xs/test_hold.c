/* SPDX-License-Identifier: MIT */
/*
 * test_hold.c - hold.c with a store that says what the test wants: signals that come at a bad
 * moment, and how long it waits for a store that is gone. With a daemon: lease.sh.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "hold.h"
#include "store.h"

#define LEASE_MS 6000
#define SHORT_LEASE_MS 600
#define PATIENCE_MS 10000

static xs_link_fn *link_changed;
static void *link_arg;
static int64_t patience;
static bool held, term_before_exec, term_before_wait;
static volatile sig_atomic_t nr_terms;
static int nr_asked; /* without waiting for the answer */

/* ---- the store ---- */

struct xs_client *store(void)
{
	return NULL;
}

void store_hang_up(void) {}

void store_failed(const char *path, int rc)
{
	fail_msg("%s: %d", path, rc);
	abort();
}

char *store_read(uint32_t tx, const char *path, size_t *len, int *rc)
{
	*rc = -ENOENT;
	return NULL;
}

void xs_client_set_patience(struct xs_client *c, int64_t ms)
{
	patience = ms;
}

void xs_client_on_link(struct xs_client *c, xs_link_fn *fn, void *arg)
{
	link_changed = fn;
	link_arg = arg;
}

int xs_client_error(const struct xs_client *c)
{
	return 0;
}

int xs_client_fd(struct xs_client *c)
{
	return -1;
}

int xs_client_dispatch(struct xs_client *c)
{
	return 0;
}

int xs_client_run(struct xs_client *c, int timeout_ms)
{
	return 0;
}

int xs_client_watch(struct xs_client *c, const char *path, int depth, xs_event_fn *fn, void *arg,
		    xs_done_fn *done, struct xs_client_watch **out)
{
	return 0;
}

int xs_sync(struct xs_client *c, unsigned int type, uint32_t tx, const struct iovec *iov,
	    unsigned int nr, char **data, size_t *len)
{
	if (data)
		*data = strdup(held ? "held" : "not held");
	held = true;
	return 0;
}

int xs_submit(struct xs_client *c, unsigned int type, uint32_t tx, const struct iovec *iov,
	      unsigned int nr, xs_done_fn *fn, void *arg)
{
	nr_asked++; /* it never answers */
	return 0;
}

int xs_submit_str(struct xs_client *c, unsigned int type, uint32_t tx, const char *s,
		  xs_done_fn *fn, void *arg)
{
	return 0;
}

int xs_txn_run(struct xs_client *c, xs_txn_body_fn *body, xs_txn_done_fn *done, void *arg,
	       unsigned int max_tries)
{
	return 0;
}

uint32_t xs_txn_id(const struct xs_txn *t)
{
	return 1;
}

void xs_txn_commit(struct xs_txn *t) {}

int xs_sync_str(struct xs_client *c, unsigned int type, uint32_t tx, const char *s, char **data,
		size_t *len)
{
	return 0;
}

int xs_sync_write(struct xs_client *c, uint32_t tx, const char *path, const void *data,
		  size_t len)
{
	return 0;
}

int xs_transact(struct xs_client *c, xs_txn_sync_fn *body, void *arg, unsigned int max_tries,
		unsigned int *attempts)
{
	return body(arg, c, 1);
}

/* ---- the moments ---- */

int __real_execvp(const char *file, char *const argv[]);
int __wrap_execvp(const char *file, char *const argv[]);
int __wrap_execvp(const char *file, char *const argv[])
{
	if (term_before_exec)
		kill(getpid(), SIGTERM);
	return __real_execvp(file, argv);
}

static void before_wait(void)
{
	if (term_before_wait)
		kill(getpid(), SIGTERM);
	term_before_wait = false;
}

int __real_poll(struct pollfd *fds, nfds_t nr, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t nr, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t nr, int timeout)
{
	before_wait();
	return __real_poll(fds, nr, timeout);
}

int __real_ppoll(struct pollfd *fds, nfds_t nr, const struct timespec *timeout,
		 const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t nr, const struct timespec *timeout,
		 const sigset_t *mask);
int __wrap_ppoll(struct pollfd *fds, nfds_t nr, const struct timespec *timeout,
		 const sigset_t *mask)
{
	before_wait();
	return __real_ppoll(fds, nr, timeout, mask);
}

/* ---- the tests ---- */

static void count_term(int sig)
{
	nr_terms++;
}

static int setup(void **state)
{
	struct sigaction count = { .sa_handler = count_term };

	held = term_before_exec = term_before_wait = false;
	nr_terms = nr_asked = 0;
	patience = PATIENCE_MS;
	return sigaction(SIGTERM, &count, NULL);
}

static struct hold taken(long ttl_ms)
{
	static char path[] = "/t/leader";
	struct hold h;

	hold_init(&h, path, "me", ttl_ms);
	hold_take(&h);
	return h;
}

static int run_holding(struct hold *h, const char *script)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };

	return hold_run(h, (char **)argv);
}

static int run(const char *script)
{
	struct hold h = taken(0);

	return run_holding(&h, script);
}

/* The command ends by itself after a while, or the test would not when that is not so. */
static void test_of_a_store_that_does_not_answer_the_command_ends_with_the_lease(void **state)
{
	struct hold h = taken(SHORT_LEASE_MS);

	assert_int_equal(run_holding(&h, "trap '' TERM; exec sleep 20"), 128 + SIGKILL);
	assert_true(h.lost);
	assert_int_equal(nr_asked, 1);
}

static void test_a_signal_before_the_command_begins_is_for_it(void **state)
{
	term_before_exec = true;
	assert_int_equal(run("exit 0"), 128 + SIGTERM);
	assert_int_equal(nr_terms, 0);
}

/* The command ends by itself after a while, or the test would not when that is not so. */
static void test_a_signal_just_before_the_wait_ends_both(void **state)
{
	term_before_wait = true;
	assert_int_equal(run("exec sleep 10"), 128 + SIGTERM);
	assert_int_equal(nr_terms, 1);
}

static void lose_link(struct hold *h)
{
	if (!link_changed)
		return;
	link_arg = h;
	link_changed(link_arg, false);
}

static void test_who_waits_has_the_usual_patience(void **state)
{
	static char path[] = "/t/leader";
	struct hold h;

	hold_init(&h, path, "me", LEASE_MS);
	lose_link(&h);
	assert_int_equal(patience, PATIENCE_MS);
}

static void test_who_has_it_gives_up_before_the_lease_is_over(void **state)
{
	struct hold h = taken(LEASE_MS);

	lose_link(&h);
	assert_in_range(patience, 1, LEASE_MS * 2 / 3);
	/* renewed as long ago as it may be */
	h.held_ms -= LEASE_MS / 3;
	lose_link(&h);
	assert_in_range(patience, 1, LEASE_MS / 3);
	h.held_ms -= LEASE_MS;
	lose_link(&h);
	assert_int_equal(patience, 0);
}

static void test_without_a_lease_it_has_the_usual_patience(void **state)
{
	struct hold h = taken(0);

	lose_link(&h);
	assert_int_equal(patience, PATIENCE_MS);
}

#define T(name) cmocka_unit_test_setup(name, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_signal_before_the_command_begins_is_for_it),
		T(test_of_a_store_that_does_not_answer_the_command_ends_with_the_lease),
		T(test_who_waits_has_the_usual_patience),
		T(test_who_has_it_gives_up_before_the_lease_is_over),
		T(test_without_a_lease_it_has_the_usual_patience),
		/* the last one: xs is told to end once */
		T(test_a_signal_just_before_the_wait_ends_both),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
