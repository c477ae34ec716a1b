/* SPDX-License-Identifier: MIT */
/*
 * test_easy.c - what every program says to the store by <xenstore.h> (xs_easy.h), over the library
 * and a daemon that loses connections when told.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_store.h"
#include "xs_easy.h"

struct fixture {
	struct fake_store f;
	struct xs_handle *h;
};

static int setup(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	fake_start(&x->f);
	fake_put(&x->f, "/a", "one");
	setenv("XENSTORED_PATH", x->f.path, 1);
	x->h = xs_open(0);
	assert_non_null(x->h);
	*state = x;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *x = *state;

	xs_close(x->h);
	fake_stop(&x->f);
	unsetenv("XENSTORED_PATH");
	free(x);
	return 0;
}

/* ---- values ---- */

static void test_a_number_is_digits_and_nothing_else(void **state)
{
	static const char *const others[] = {
		"", " 5", "+5", "-5", "5 ", "5x", "0x5", "101", "18446744073709551617",
		"000000000000000000000000000005",
	};
	struct fixture *x = *state;
	uint64_t n = 7;

	fake_put(&x->f, "/n", "100");
	assert_int_equal(xs_easy_number(x->h, XBT_NULL, "/n", 100, &n), 0);
	assert_int_equal(n, 100);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		fake_put(&x->f, "/n", others[i]);
		assert_int_equal(xs_easy_number(x->h, XBT_NULL, "/n", 100, &n), -EINVAL);
	}
	assert_int_equal(xs_easy_number(x->h, XBT_NULL, "/none", 100, &n), -ENOENT);
	assert_int_equal(n, 100);
}

static void test_a_value_that_does_not_fit_is_refused(void **state)
{
	struct fixture *x = *state;
	char buf[4];

	assert_int_equal(xs_easy_read_to(x->h, XBT_NULL, "/a", buf, 4), 0);
	assert_string_equal(buf, "one");
	assert_int_equal(xs_easy_read_to(x->h, XBT_NULL, "/a", buf, 3), -EINVAL);
}

static int write_text(struct fixture *x, const char *fmt, ...)
{
	va_list ap;
	int rc;

	va_start(ap, fmt);
	rc = xs_easy_vwrite(x->h, XBT_NULL, "/text", fmt, ap);
	va_end(ap);
	return rc;
}

static void test_a_text_that_is_too_long_is_cut(void **state)
{
	struct fixture *x = *state;
	char *value;

	assert_int_equal(write_text(x, "%2000d", 1), 0);
	value = xs_easy_read(x->h, XBT_NULL, "/text");
	assert_int_equal(strlen(value), XS_EASY_TEXT_MAX);
	free(value);
}

static void test_what_is_absent_is_told_from_what_is_not_said(void **state)
{
	struct fixture *x = *state;
	xs_transaction_t t = xs_transaction_start(x->h);

	assert_int_equal(xs_easy_has(x->h, XBT_NULL, "/a"), 1);
	assert_int_equal(xs_easy_has(x->h, XBT_NULL, "/none"), 0);
	fake_break(&x->f);
	assert_int_equal(xs_easy_has(x->h, t, "/a"), -EAGAIN);
	assert_false(xs_transaction_end(x->h, t, true));
}

static void test_a_path_that_did_not_fit_is_not_asked_for(void **state)
{
	struct fixture *x = *state;
	unsigned int before = x->f.requests, nr = 1;
	uint64_t n;
	char buf[8];

	assert_null(xs_easy_read(x->h, XBT_NULL, ""));
	assert_int_equal(errno, ENAMETOOLONG);
	assert_null(xs_easy_list(x->h, XBT_NULL, "", &nr));
	assert_int_equal(errno, ENAMETOOLONG);
	assert_int_equal(nr, 0);
	assert_int_equal(xs_easy_has(x->h, XBT_NULL, ""), -ENAMETOOLONG);
	assert_int_equal(xs_easy_read_to(x->h, XBT_NULL, "", buf, 8), -ENAMETOOLONG);
	assert_int_equal(xs_easy_number(x->h, XBT_NULL, "", 1, &n), -ENAMETOOLONG);
	assert_int_equal(xs_easy_write(x->h, XBT_NULL, "", "v"), -ENAMETOOLONG);
	assert_int_equal(xs_easy_rm(x->h, XBT_NULL, ""), -ENAMETOOLONG);
	assert_int_equal(x->f.requests, before);
}

static void test_children_are_sorted(void **state)
{
	struct fixture *x = *state;
	unsigned int nr;
	char **names;

	fake_put(&x->f, "/a/c", "");
	fake_put(&x->f, "/a/b", "");
	names = xs_easy_list(x->h, XBT_NULL, "/a", &nr);
	assert_int_equal(nr, 2);
	assert_string_equal(names[0], "b");
	assert_string_equal(names[1], "c");
	free(names);
	assert_null(xs_easy_list(x->h, XBT_NULL, "/none", &nr));
	assert_int_equal(errno, ENOENT);
}

/* ---- events ---- */

static void test_events_are_taken_off_all_at_once(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(xs_easy_drain(x->h), 0);
	assert_true(xs_watch(x->h, "/a", "t"));
	assert_true(xs_write(x->h, XBT_NULL, "/a/b", "1", 1));
	/* its answer comes behind all of them */
	assert_int_equal(xs_easy_has(x->h, XBT_NULL, "/a"), 1);
	assert_int_equal(xs_easy_drain(x->h), 1);
	assert_int_equal(xs_easy_drain(x->h), 0);
}

/* ---- transactions ---- */

struct job {
	struct fake_store *f;
	unsigned int runs, breaks; /* so many attempts lose their connection */
	int again, rc;             /* so many give up by themselves; what all others return */
};

static int body(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	struct job *j = arg;
	int has;

	if (j->runs++ < j->breaks)
		fake_break(j->f);
	has = xs_easy_has(xs, t, "/a");
	if (j->again-- > 0)
		return -EAGAIN;
	/* as many do: what cannot be read is not there */
	return has > 0 ? j->rc : -ENOENT;
}

static void test_a_conflict_is_tried_again_and_not_for_ever(void **state)
{
	struct fixture *x = *state;
	struct job j = { .f = &x->f };

	x->f.conflicts = 3;
	assert_int_equal(xs_easy_transact(x->h, body, &j), 0);
	assert_int_equal(j.runs, 4);
	x->f.conflicts = 1000;
	j.runs = 0;
	assert_int_equal(xs_easy_transact(x->h, body, &j), -EAGAIN);
	assert_int_equal(j.runs, 100);
}

static void test_a_body_gives_up_for_once_or_for_good(void **state)
{
	struct fixture *x = *state;
	struct job j = { .f = &x->f, .again = 2 };

	assert_int_equal(xs_easy_transact(x->h, body, &j), 0);
	assert_int_equal(j.runs, 3);
	j = (struct job){ .f = &x->f, .rc = -EEXIST };
	assert_int_equal(xs_easy_transact(x->h, body, &j), -EEXIST);
	assert_int_equal(j.runs, 1);
	j.rc = 1;
	assert_int_equal(xs_easy_transact(x->h, body, &j), 1);
}

static void test_what_a_lost_transaction_made_of_it_is_no_verdict(void **state)
{
	struct fixture *x = *state;
	struct job j = { .f = &x->f, .breaks = 1 };

	assert_int_equal(xs_easy_transact(x->h, body, &j), 0);
	assert_int_equal(j.runs, 2);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_a_number_is_digits_and_nothing_else),
		TEST(test_a_value_that_does_not_fit_is_refused),
		TEST(test_a_text_that_is_too_long_is_cut),
		TEST(test_what_is_absent_is_told_from_what_is_not_said),
		TEST(test_a_path_that_did_not_fit_is_not_asked_for),
		TEST(test_children_are_sorted),
		TEST(test_events_are_taken_off_all_at_once),
		TEST(test_a_conflict_is_tried_again_and_not_for_ever),
		TEST(test_a_body_gives_up_for_once_or_for_good),
		TEST(test_what_a_lost_transaction_made_of_it_is_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
