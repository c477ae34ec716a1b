/* SPDX-License-Identifier: MIT */
/*
 * test_outcomes.c - both client libraries against a daemon that is killed, ended and updated under
 * them. Claims: a transaction that says it was committed was, once; EAGAIN was not; a plain write
 * is carried out once; nothing ends in "nobody knows" while the daemon comes back.
 *
 * argv[1]: the daemon built with the fake machine. STOREVISOR_SEED, STOREVISOR_LONG.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xenstore.h>

#include "live.h"
#include "xs_client.h"

enum how { KILLED, ENDED, UPDATED };

static const char *const how_name[] = { "kill -9", "SIGTERM", "live-update" };

/* A client at work in a thread of its own. */
struct work {
	const char *path;
	bool stop;
	unsigned long done, again, unknown, other;
};

static bool stopped(const struct work *w)
{
	return __atomic_load_n(&w->stop, __ATOMIC_RELAXED);
}

static void update(void)
{
	int fd = live_try_open();

	if (fd < 0)
		return;
	live_request(fd, XS_CONTROL, "live-update\0-s", 15, NULL);
	close(fd);
}

/* Work is being done, so that there is something to disturb. */
static void await_success(const struct work *w)
{
	unsigned long before = __atomic_load_n(&w->done, __ATOMIC_RELAXED);

	for (int i = 0; i < 20000; i++) {
		if (__atomic_load_n(&w->done, __ATOMIC_RELAXED) != before)
			return;
		usleep(1000);
	}
	fail_msg("the client does nothing any more");
}

/* One end of the daemon and the next start, a moment after something worked. */
static void disturb(enum how how, const struct work *w)
{
	close(live_open());
	await_success(w);
	usleep(live_rnd(10000));
	if (how == UPDATED) {
		update();
		return;
	}
	live_kill(how == KILLED ? SIGKILL : SIGTERM);
	live_start();
}

static void note(struct work *w, int err)
{
	w->done += err == 0;
	w->again += err == EAGAIN;
	w->unknown += err == ENOTRECOVERABLE;
	w->other += err && err != EAGAIN && err != ENOTRECOVERABLE;
}

/* --- the libxenstore face: a counter, as everybody writes it --- */

static int count_once(struct xs_handle *h, const char *path)
{
	xs_transaction_t t = xs_transaction_start(h);
	unsigned int len;
	char *text, next[24];
	bool ok;

	if (!t)
		return errno == EAGAIN ? EIO : errno;
	text = xs_read(h, t, path, &len);
	snprintf(next, sizeof(next), "%lu", text ? strtoul(text, NULL, 10) + 1 : 0);
	ok = text && xs_write(h, t, path, next, (unsigned int)strlen(next));
	free(text);
	if (xs_transaction_end(h, t, !ok))
		return ok ? 0 : EAGAIN;
	return errno;
}

static void *counts(void *arg)
{
	struct work *w = arg;
	struct xs_handle *h = xs_open(0);

	if (!h || !xs_write(h, 0, w->path, "0", 1))
		w->other++;
	while (h && !stopped(w))
		note(w, count_once(h, w->path));
	xs_close(h);
	return NULL;
}

/* --- the asynchronous one: the same, and many plain writes in flight --- */

static int count_body(void *arg, struct xs_client *c, uint32_t tx)
{
	const struct work *w = arg;
	char *text, next[24];
	int rc = xs_sync_str(c, XS_READ, tx, w->path, &text, NULL);

	if (rc)
		return rc;
	snprintf(next, sizeof(next), "%lu", strtoul(text, NULL, 10) + 1);
	free(text);
	return xs_sync_write(c, tx, w->path, next, strlen(next));
}

static void *counts_async(void *arg)
{
	struct work *w = arg;
	struct xs_client *c;

	if (xs_client_open(&c, NULL) != 0)
		return NULL;
	/* a slow machine is not the claim here */
	xs_client_set_patience(c, -1);
	w->other += xs_sync_write(c, 0, w->path, "0", 1) != 0;
	while (!stopped(w))
		note(w, -xs_transact(c, count_body, w, 1, NULL));
	xs_client_close(c);
	return NULL;
}

static void written(void *arg, int rc, const char *data, size_t len)
{
	note(arg, -rc);
}

/* Rising numbers, 64 in flight: one carried out again would set the value back. */
static void *writes(void *arg)
{
	struct work *w = arg;
	struct xs_client *c;
	char text[24];
	unsigned long n = 0;

	if (xs_client_open(&c, NULL) != 0)
		return NULL;
	/* a slow machine is not the claim here */
	xs_client_set_patience(c, -1);
	while (!stopped(w)) {
		for (int i = 0; i < 64; i++) {
			snprintf(text, sizeof(text), "%lu", ++n);
			w->other += xs_submit_write(c, 0, w->path, text, strlen(text), written,
						    w) != 0;
		}
		w->other += xs_client_wait(c) != 0;
	}
	xs_client_close(c);
	return NULL;
}

/* --- */

static unsigned long value_of(const char *path)
{
	int fd = live_open();
	unsigned long n = live_read_number(fd, path);

	close(fd);
	return n;
}

static void run(enum how how, struct work *w, void *(*body)(void *))
{
	unsigned int times = live_count(25, 400);
	pthread_t thread;

	live_start();
	close(live_open());
	setenv("XENSTORED_PATH", live.sock, 1);
	assert_int_equal(pthread_create(&thread, NULL, body, w), 0);
	for (unsigned int i = 0; i < times; i++)
		disturb(how, w);
	close(live_open());
	__atomic_store_n(&w->stop, true, __ATOMIC_RELAXED);
	pthread_join(thread, NULL);
	print_message("%s, %s: %lu done, %lu again, %lu unknown, %lu other\n", how_name[how],
		      w->path, w->done, w->again, w->unknown, w->other);
	assert_true(w->done > 0);
	assert_int_equal(w->unknown, 0);
	assert_int_equal(w->other, 0);
	assert_int_equal(value_of(w->path), w->done);
	live_end();
}

static void run_all(void *(*body)(void *))
{
	static const char *const paths[] = { "/config/ctr", "/tool/ctr" };

	for (enum how how = KILLED; how <= UPDATED; how++) {
		for (unsigned int i = 0; i < 2; i++) {
			struct work w = { .path = paths[i] };

			run(how, &w, body);
		}
	}
}

static void test_a_counter_equals_the_successes_of_libxenstore(void **state)
{
	run_all(counts);
}

static void test_a_counter_equals_the_successes_of_the_client(void **state)
{
	run_all(counts_async);
}

static void test_plain_writes_in_flight_are_carried_out_once_and_in_order(void **state)
{
	run_all(writes);
}

/* Watches the value from beside: it never goes back. */
struct beside {
	const char *path;
	bool here, stop;
	unsigned long seen, backwards;
};

static void *looks(void *arg)
{
	struct beside *b = arg;
	struct xs_client *c;

	if (xs_client_open(&c, NULL) != 0)
		return NULL;
	/* a slow machine is not the claim here */
	xs_client_set_patience(c, -1);
	__atomic_store_n(&b->here, true, __ATOMIC_RELAXED);
	while (!__atomic_load_n(&b->stop, __ATOMIC_RELAXED)) {
		unsigned long now;
		char *text;

		if (xs_sync_str(c, XS_READ, 0, b->path, &text, NULL) != 0)
			continue;
		now = strtoul(text, NULL, 10);
		b->backwards += now < b->seen;
		b->seen = now;
		free(text);
	}
	xs_client_close(c);
	return NULL;
}

static void test_no_reader_sees_a_write_a_second_time(void **state)
{
	struct beside b = { .path = "/tool/ctr" };
	struct work w = { .path = "/tool/ctr" };
	pthread_t thread;

	live_start();
	close(live_open());
	setenv("XENSTORED_PATH", live.sock, 1);
	assert_int_equal(pthread_create(&thread, NULL, looks, &b), 0);
	while (!__atomic_load_n(&b.here, __ATOMIC_RELAXED))
		usleep(1000);
	live_kill(SIGKILL);
	run(KILLED, &w, writes);
	__atomic_store_n(&b.stop, true, __ATOMIC_RELAXED);
	live_start();
	pthread_join(thread, NULL);
	assert_true(b.seen > 0);
	assert_int_equal(b.backwards, 0);
}

static int setup(void **state)
{
	return live_make();
}

static int teardown(void **state)
{
	return live_remove();
}

int main(int argc, char **argv)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_counter_equals_the_successes_of_libxenstore),
		T(test_a_counter_equals_the_successes_of_the_client),
		T(test_plain_writes_in_flight_are_carried_out_once_and_in_order),
		T(test_no_reader_sees_a_write_a_second_time),
	};
	int ret = live_init(argc, argv);

	live_quiet = true;
	return ret ? ret : cmocka_run_group_tests(tests, NULL, NULL);
}
