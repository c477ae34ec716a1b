/* SPDX-License-Identifier: MIT */
/*
 * test_client_tree.c - the bulk read: subtrees, of a daemon that sends them in pieces.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "client_kit.h"

static void fill_tree(struct fixture *x)
{
	fake_put(&x->f, "/t", "top");
	fake_put(&x->f, "/t/b", "2");
	fake_put(&x->f, "/t/a", "1");
	fake_put(&x->f, "/t/a/deep", "3");
}

static void test_a_tree_is_read_whole_and_sorted_when_asked(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t;
	char path[64];

	fill_tree(x);
	assert_int_equal(xs_tree_read(x->c, 0, "/t", -1,
				      XS_TREE_VALUES | XS_TREE_PERMS | XS_TREE_SORT, &t), 0);

	assert_string_equal(t->value, "top");
	assert_string_equal(t->children->name, "a");
	assert_string_equal(t->children->next->value, "2");
	assert_string_equal(t->children->children->value, "3");
	assert_int_equal(t->children->perms_len, 6);
	xs_tree_path(t->children->children, path, sizeof(path));
	assert_string_equal(path, "/t/a/deep");
	assert_ptr_equal(xs_tree_next(t, t->children), t->children->children);
	assert_null(xs_tree_next(t, xs_tree_child(t, "b")));
	xs_tree_free(t);
}

static void test_a_tree_is_not_read_deeper_than_asked(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t;

	fill_tree(x);
	assert_int_equal(xs_tree_read(x->c, 0, "/t", 1, XS_TREE_VALUES, &t), 0);
	assert_null(xs_tree_child(t, "a")->children);
	xs_tree_free(t);
	x->f.reads = 0;
	assert_int_equal(xs_tree_read(x->c, 0, "/t", 0, XS_TREE_VALUES, &t), 0);
	assert_int_equal(t->nr_children, 2);
	assert_null(t->children);
	assert_int_equal(x->f.reads, 1);
	xs_tree_free(t);
}

static void test_names_alone_need_no_further_request(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t;

	fill_tree(x);
	/* The first reading also finds out that this daemon has no dump; nothing asks again. */
	assert_int_equal(xs_tree_read(x->c, 0, "/t", 1, 0, &t), 0);
	xs_tree_free(t);
	x->f.requests = 0;
	assert_int_equal(xs_tree_read(x->c, 0, "/t", 1, 0, &t), 0);
	assert_int_equal(t->nr_children, 2);
	assert_int_equal(x->f.requests, 1);
	xs_tree_free(t);
}

static void test_a_listing_too_long_for_a_message_comes_in_parts(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t;
	char path[64];

	fake_put(&x->f, "/big", "");
	for (int i = 0; i < 300; i++) {
		snprintf(path, sizeof(path), "/big/child-number-%d", i);
		fake_put(&x->f, path, "v");
	}
	x->f.listing_max = 100;
	assert_int_equal(xs_tree_read(x->c, 0, "/big", -1, XS_TREE_VALUES, &t), 0);
	assert_int_equal(t->nr_children, 300);
	xs_tree_free(t);
}

static void test_a_directory_that_never_holds_still_is_not_listed_for_ever(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t = NULL;

	fill_tree(x);
	x->f.listing_max = 3;
	x->f.churn = true;
	alarm(60);
	assert_int_equal(xs_tree_read(x->c, 0, "/t", 1, 0, &t), -EAGAIN);
	alarm(0);
}

static void test_a_tree_that_is_not_there_is_an_error(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t = NULL;

	assert_int_equal(xs_tree_read(x->c, 0, "/none", -1, XS_TREE_VALUES, &t), -ENOENT);
	assert_null(t);
}

/*
 * 20 directories of 20 with a node in each: of 21 nodes an answer each of them is asked for by
 * itself.
 */
static void fill_wide(struct fixture *x)
{
	char path[64];

	fake_put(&x->f, "/w", "");
	for (int i = 0; i < 20; i++) {
		snprintf(path, sizeof(path), "/w/%d", i);
		fake_put(&x->f, path, "dir");
		for (int j = 0; j < 20; j++) {
			snprintf(path, sizeof(path), "/w/%d/%d", i, j);
			fake_put(&x->f, path, "in");
			snprintf(path, sizeof(path), "/w/%d/%d/x", i, j);
			fake_put(&x->f, path, path);
		}
	}
	x->f.dump_max = 21;
}

static void see_wide(struct xs_node *t)
{
	char path[64];
	int nr = 0;

	for (const struct xs_node *n = t; n; n = xs_tree_next(t, n)) {
		nr++;
		xs_tree_path(n, path, sizeof(path));
		if (strcmp(n->name, "x") == 0)
			assert_string_equal(n->value, path);
	}
	assert_int_equal(nr, 1 + 20 + 2 * 400);
	xs_tree_free(t);
}

/* Of all, of each level, of each directory: an answer that is too large, and one of its names. */
static void test_a_tree_too_large_for_an_answer_comes_in_several(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t;

	fill_wide(x);
	assert_int_equal(xs_tree_read(x->c, 0, "/w", -1, XS_TREE_VALUES, &t), 0);
	see_wide(t);
	assert_int_equal(x->f.dumps, 2 + 20 * 3 + 400);
	assert_int_equal(x->f.reads, 0);
}

/* What was asked for ahead is not gone into any more when one part has failed. */
static void test_a_tree_that_changes_between_parts_is_given_up_at_once(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t;

	fill_wide(x);
	x->f.churn = true;
	assert_int_equal(xs_tree_read(x->c, 0, "/w", -1, XS_TREE_VALUES, &t), 0);
	see_wide(t);
	assert_true(x->f.reads > 0);
	assert_in_range(x->f.dumps, 1, 2 + 16 + 2 + 16);
}

static void test_a_connection_lost_among_the_parts_is_no_part_less(void **state)
{
	struct fixture *x = *state;
	struct xs_node *t;

	fill_wide(x);
	for (unsigned int after = 1; after < 60; after += 7) {
		x->f.drop_after = after;
		assert_int_equal(xs_tree_read(x->c, 0, "/w", -1, XS_TREE_VALUES, &t), 0);
		see_wide(t);
		x->f.drop_after = 0;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLIENT_TEST(test_a_tree_is_read_whole_and_sorted_when_asked),
		CLIENT_TEST(test_a_tree_is_not_read_deeper_than_asked),
		CLIENT_TEST(test_names_alone_need_no_further_request),
		CLIENT_TEST(test_a_listing_too_long_for_a_message_comes_in_parts),
		CLIENT_TEST(test_a_directory_that_never_holds_still_is_not_listed_for_ever),
		CLIENT_TEST(test_a_tree_that_is_not_there_is_an_error),
		CLIENT_TEST(test_a_tree_too_large_for_an_answer_comes_in_several),
		CLIENT_TEST(test_a_tree_that_changes_between_parts_is_given_up_at_once),
		CLIENT_TEST(test_a_connection_lost_among_the_parts_is_no_part_less),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
