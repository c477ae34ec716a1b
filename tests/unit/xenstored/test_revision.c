/* SPDX-License-Identifier: MIT */
/*
 * test_revision.c - the last revision and the next id as a start finds them, which are written down
 * only when no node says so. After each of many requests of any kind a second tree is read from
 * what was committed: it goes on where the first one is.
 */
#include <stdlib.h>

#include "bytes.h"
#include "harness.h"
#include "store.h"

static struct server *srv;
static struct conn *a;

static int setup(void **state)
{
	srv = t_start();
	a = t_client(srv, 0);
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

static void nothing(void *arg, const struct node *n, size_t name_len)
{
}

struct numbers {
	uint64_t rev, next_id;
};

/* What a start would go on with. @lost: as one that has lost nodes. */
static struct numbers read_again(bool lost)
{
	struct numbers got;
	struct tree t;

	assert_int_equal(tree_init(&t, srv->tree.store), 0);
	if (lost)
		tree_skip_lost(&t);
	assert_int_equal(tree_recount(&t, nothing, NULL), 0);
	got = (struct numbers){ t.rev, t.next_id };
	tree_fini(&t);
	return got;
}

/* The revision in the record. */
static uint64_t recorded(void)
{
	struct store_bytes rec;

	assert_true(store_get(srv->tree.store, STORE_META, "tree", 4, &rec));
	return get_le64(rec.data);
}

static void name(char *path)
{
	static const char *const dirs[] = { "/a", "/a/b", "/a/b/c", "/d", "/config/x" };

	sprintf(path, "%s/%d", dirs[rand() % 5], rand() % 4);
}

static void do_something(uint32_t tx)
{
	char path[64], number[16], out[XENSTORE_PAYLOAD_MAX + 1];

	name(path);
	sprintf(number, "%d", rand() % 3);
	switch (rand() % 8) {
	case 0:
	case 1:
		t_write(a, tx, path, number);
		break;
	case 2:
		t_mkdir(a, tx, path);
		break;
	case 3:
		t_rm(a, tx, path);
		break;
	case 4:
		t_rm(a, tx, rand() % 2 ? "/a" : "/a/b");
		break;
	case 5:
		t_setp(a, tx, path, rand() % 2 ? "n0" : "n0 r0");
		break;
	case 6:
		t_setp(a, 0, rand() % 2 ? "@releaseDomain" : "@introduceDomain",
		       rand() % 2 ? "n0" : "n0 r0");
		break;
	case 7:
		sprintf(number, "%u", tx);
		t_call(a, XS_CONTROL, out, "json", number, path, rand() % 2 ? "number" : "text", NULL);
		break;
	}
}

static void test_a_start_goes_on_with_the_last_revision(void **state)
{
	unsigned int with_record = 0, without = 0;

	srand(1);
	for (int i = 0; i < 6000; i++) {
		uint32_t tx = rand() % 4 ? 0 : t_begin(a);
		uint64_t before = srv->tree.rev;
		struct numbers got;

		for (int n = tx ? 3 : 1; n > 0; n--)
			do_something(tx);
		if (tx)
			t_end(a, tx, true);
		conns_flush(srv);
		with_record += srv->tree.rev > before && recorded() == srv->tree.rev;
		without += srv->tree.rev > before && recorded() < srv->tree.rev;
		got = read_again(false);
		assert_int_equal(got.rev, srv->tree.rev);
		assert_true(got.next_id >= srv->tree.next_id);
		assert_true(read_again(true).rev >= srv->tree.rev);
	}
	/* Both happen. */
	assert_true(with_record > 200 && without > 200);
}

/* No node has it any more: it was the last one's that is gone. */
static void test_no_id_is_given_twice(void **state)
{
	struct node n;

	t_write(a, 0, "/x", "1");
	assert_true(tree_find(&srv->tree, "/x", 2, &n));
	t_rm(a, 0, "/x");
	conns_flush(srv);
	assert_true(read_again(false).next_id > n.id);
}

/* What nodes had the last revisions is lost: they are not given out again. */
static void test_no_revision_is_given_twice_where_nodes_are_lost(void **state)
{
	struct tree t;
	uint64_t first = srv->tree.rev;

	for (int i = 0; i < 10000; i++) {
		t_write(a, 0, "/last", i % 2 ? "1" : "2");
		conns_flush(srv);
	}
	assert_true(srv->tree.rev >= first + 10000);
	/* As if it had never been read. */
	assert_int_equal(tree_init(&t, srv->tree.store), 0);
	tree_skip_lost(&t);
	assert_true(t.rev >= srv->tree.rev);
	tree_fini(&t);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_a_start_goes_on_with_the_last_revision),
		T(test_no_id_is_given_twice),
		T(test_no_revision_is_given_twice_where_nodes_are_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
