/* SPDX-License-Identifier: MIT */
/* test_txn.c - transactions: what they see, what makes them conflict, what they leave behind. */
#include <errno.h>

#include "harness.h"

static struct server *srv;
static struct conn *a, *b, *d1;
static char text[XENSTORE_PAYLOAD_MAX + 1];

static int setup(void **state)
{
	srv = t_start();
	a = t_client(srv, 0);
	b = t_client(srv, 0);
	d1 = t_client(srv, 1);
	t_mkdir(a, 0, "/local/domain/1");
	t_setp(a, 0, "/local/domain/1", "n1");
	t_write(a, 0, "/p/x", "old");
	return 0;
}

/* One DIRECTORY_PART: the generation, a blank, the names. */
static int t_part(struct conn *c, uint32_t t, const char *path, char *out)
{
	char payload[256];
	size_t len = strlen(path) + 1;
	const struct t_msg *m;

	memcpy(payload, path, len);
	memcpy(payload + len, "0", 2);
	m = t_req(c, XS_DIRECTORY_PART, t, payload, len + 2);
	if (m->type == XS_ERROR)
		return xs_wire_error_code(m->data, m->len);
	for (uint32_t i = 0; i < m->len; i++)
		out[i] = m->data[i] ? m->data[i] : ' ';
	out[m->len] = '\0';
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

static void test_changes_show_inside_and_only_at_the_end_outside(void **state)
{
	uint32_t t = t_begin(a);

	assert_int_equal(t_write(a, t, "/p/x", "new"), 0);
	assert_int_equal(t_read(a, t, "/p/x", text), 0);
	assert_string_equal(text, "new");
	t_read(b, 0, "/p/x", text);
	assert_string_equal(text, "old");
	assert_int_equal(t_end(a, t, true), 0);
	t_read(b, 0, "/p/x", text);
	assert_string_equal(text, "new");
}

/* They are put in the order of their paths. */
static void test_children_are_in_the_order_they_were_made_in(void **state)
{
	static const char *const names[] = { "m", "z", "b", "a", "mm", "b0", "y", "c" };
	char path[64];
	uint32_t t = t_begin(a);

	for (size_t i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/q/%s/of", names[7 - i]);
		assert_int_equal(t_write(a, t, path, names[i]), 0);
	}
	assert_int_equal(t_write(a, t, "/q/b0/of", "longer than it was"), 0);
	assert_int_equal(t_end(a, t, true), 0);
	assert_int_equal(t_ls(b, 0, "/q", text), 0);
	assert_string_equal(text, "c y b0 mm a b z m");
	for (size_t i = 0; i < 8; i++) {
		snprintf(path, sizeof(path), "/q/%s/of", names[7 - i]);
		assert_int_equal(t_read(b, 0, path, text), 0);
		assert_string_equal(text, strcmp(names[7 - i], "b0") ? names[i] : "longer than it was");
	}
}

/* What others do meanwhile shows at the end, not in the middle. */
static void test_a_listing_is_the_same_however_often_it_is_asked_for(void **state)
{
	uint32_t t = t_begin(a);
	char part[XENSTORE_PAYLOAD_MAX + 1], then[XENSTORE_PAYLOAD_MAX + 1];

	assert_int_equal(t_ls(a, t, "/p", text), 0);
	assert_string_equal(text, "x");
	assert_int_equal(t_part(a, t, "/p", part), 0);
	assert_int_equal(t_write(b, 0, "/p/y", "1"), 0);
	assert_int_equal(t_rm(b, 0, "/p/x"), 0);
	assert_int_equal(t_ls(a, t, "/p", text), 0);
	assert_string_equal(text, "x");
	assert_int_equal(t_part(a, t, "/p", then), 0);
	assert_string_equal(then, part);
	assert_int_equal(t_rm(b, 0, "/p"), 0);
	assert_int_equal(t_ls(a, t, "/p", text), 0);
	assert_string_equal(text, "x");
	assert_int_equal(t_end(a, t, true), EAGAIN);
}

static void test_a_listing_has_the_transactions_own_changes(void **state)
{
	uint32_t t = t_begin(a);

	assert_int_equal(t_ls(a, t, "/p", text), 0);
	assert_int_equal(t_write(a, t, "/p/z", "1"), 0);
	assert_int_equal(t_ls(a, t, "/p", text), 0);
	assert_string_equal(text, "x z");
	assert_int_equal(t_rm(a, t, "/p/x"), 0);
	assert_int_equal(t_ls(a, t, "/p", text), 0);
	assert_string_equal(text, "z");
	assert_int_equal(t_rm(a, t, "/p"), 0);
	assert_int_equal(t_write(a, t, "/p/new", "1"), 0);
	assert_int_equal(t_ls(a, t, "/p", text), 0);
	assert_string_equal(text, "new");
	assert_int_equal(t_end(a, t, true), 0);
	assert_int_equal(t_ls(b, 0, "/p", text), 0);
	assert_string_equal(text, "new");
}

static void test_a_listing_is_charged_to_its_domain(void **state)
{
	uint64_t before;
	uint32_t t;

	for (int i = 0; i < 50; i++) {
		char path[64];

		snprintf(path, sizeof(path), "data/quite-a-long-name-%d", i);
		assert_int_equal(t_write(d1, 0, path, ""), 0);
	}
	t = t_begin(d1);
	assert_int_equal(t_read(d1, t, "data", text), 0);
	before = d1->domain->used[QUOTA_MEMORY];
	assert_int_equal(t_ls(d1, t, "data", text), 0);
	assert_true(d1->domain->used[QUOTA_MEMORY] >= before + strlen(text));
	assert_int_equal(t_end(d1, t, true), 0);
}

static void test_aborted_transaction_leaves_nothing(void **state)
{
	uint32_t t = t_begin(a);

	t_write(a, t, "/p/x", "new");
	t_write(a, t, "/q/r/s", "1");
	t_rm(a, t, "/p");
	assert_int_equal(t_end(a, t, false), 0);

	t_read(b, 0, "/p/x", text);
	assert_string_equal(text, "old");
	assert_int_equal(t_read(b, 0, "/q", text), ENOENT);
}

static void test_changed_read_conflicts(void **state)
{
	uint32_t t = t_begin(a);

	t_read(a, t, "/p/x", text);
	t_write(a, t, "/p/y", "1");
	t_write(b, 0, "/p/x", "other");

	assert_int_equal(t_end(a, t, true), EAGAIN);
	assert_int_equal(t_read(b, 0, "/p/y", text), ENOENT);
}

static void test_read_of_an_unchanged_value_does_not_conflict(void **state)
{
	uint32_t t = t_begin(a);

	t_read(a, t, "/p/x", text);
	t_write(a, t, "/p/y", "1");
	t_write(b, 0, "/p/x", "old");
	t_write(b, 0, "/p/z", "1");

	assert_int_equal(t_end(a, t, true), 0);
}

static void test_read_only_transaction_over_a_change_conflicts(void **state)
{
	uint32_t t = t_begin(a);

	t_read(a, t, "/p/x", text);
	t_write(b, 0, "/p/x", "other");

	assert_int_equal(t_end(a, t, true), EAGAIN);
}

static void test_siblings_made_by_two_transactions_do_not_conflict(void **state)
{
	uint32_t ta = t_begin(a), tb = t_begin(b);

	t_write(a, ta, "/p/one", "1");
	t_write(b, tb, "/p/two", "2");

	assert_int_equal(t_end(a, ta, true), 0);
	assert_int_equal(t_end(b, tb, true), 0);
	t_ls(a, 0, "/p", text);
	assert_string_equal(text, "x one two");
}

static void test_directory_conflicts_only_when_the_set_changed(void **state)
{
	uint32_t t = t_begin(a);

	t_ls(a, t, "/p", text);
	t_write(b, 0, "/p/x", "changed");
	assert_int_equal(t_end(a, t, true), 0);

	t = t_begin(a);
	t_ls(a, t, "/p", text);
	t_write(b, 0, "/p/new", "1");
	assert_int_equal(t_end(a, t, true), EAGAIN);
}

static void test_absence_that_was_seen_must_last(void **state)
{
	uint32_t t = t_begin(a);

	assert_int_equal(t_read(a, t, "/p/none", text), ENOENT);
	t_write(b, 0, "/p/none", "1");

	assert_int_equal(t_end(a, t, true), EAGAIN);
}

static void test_node_removed_and_made_again_conflicts(void **state)
{
	uint32_t t = t_begin(a);

	t_read(a, t, "/p/x", text);
	t_rm(b, 0, "/p/x");
	t_write(b, 0, "/p/x", "old");

	assert_int_equal(t_end(a, t, true), EAGAIN);
}

static void test_blind_writes_do_not_conflict(void **state)
{
	uint32_t ta = t_begin(a), tb = t_begin(b);

	t_write(a, ta, "/p/x", "a");
	t_write(b, tb, "/p/x", "b");

	assert_int_equal(t_end(a, ta, true), 0);
	assert_int_equal(t_end(b, tb, true), 0);
	t_read(a, 0, "/p/x", text);
	assert_string_equal(text, "b");
}

static void test_first_access_is_what_stays_visible(void **state)
{
	uint32_t t = t_begin(a);

	t_read(a, t, "/p/x", text);
	t_write(b, 0, "/p/x", "other");
	t_read(a, t, "/p/x", text);

	assert_string_equal(text, "old");
	assert_int_equal(t_end(a, t, true), EAGAIN);
}

static void test_deleted_subtree_is_hidden_and_can_be_made_again(void **state)
{
	uint32_t t = t_begin(a);

	t_write(a, 0, "/p/x/deep", "1");
	assert_int_equal(t_rm(a, t, "/p"), 0);
	assert_int_equal(t_read(a, t, "/p/x/deep", text), ENOENT);
	assert_int_equal(t_write(a, t, "/p/y", "2"), 0);
	assert_int_equal(t_ls(a, t, "/p", text), 0);
	assert_string_equal(text, "y");
	assert_int_equal(t_read(a, t, "/p/x", text), ENOENT);
	assert_int_equal(t_end(a, t, true), 0);

	t_ls(b, 0, "/p", text);
	assert_string_equal(text, "y");
	assert_int_equal(t_read(b, 0, "/p/x/deep", text), ENOENT);
}

static void test_made_removed_and_made_again_below_a_removed_parent(void **state)
{
	uint32_t t = t_begin(a);

	t_write(a, t, "/n/m/k", "1");
	t_rm(a, t, "/n");
	t_write(a, t, "/n/m/k", "2");
	t_rm(a, t, "/p");
	t_write(a, t, "/p/x", "3");
	assert_int_equal(t_end(a, t, true), 0);

	t_read(b, 0, "/n/m/k", text);
	assert_string_equal(text, "2");
	t_read(b, 0, "/p/x", text);
	assert_string_equal(text, "3");
}

static void test_events_come_once_a_node_and_only_after_the_end(void **state)
{
	uint32_t t;

	t_watch(b, "/p", "tok");
	t_expect_event(b, "/p", "tok");
	t = t_begin(a);
	t_write(a, t, "/p/x", "1");
	t_write(a, t, "/p/x", "2");
	t_write(a, t, "/p/y", "3");
	t_expect_quiet(b);
	t_end(a, t, true);

	t_expect_event(b, "/p/x", "tok");
	t_expect_event(b, "/p/y", "tok");
	t_expect_quiet(b);
}

static void test_failed_transaction_fires_nothing(void **state)
{
	uint32_t t = t_begin(a);

	t_read(a, t, "/p/x", text);
	t_write(a, t, "/p/y", "1");
	t_write(b, 0, "/p/x", "2");
	t_watch(b, "/p", "tok");
	t_expect_event(b, "/p", "tok");

	assert_int_equal(t_end(a, t, true), EAGAIN);
	t_expect_quiet(b);
}

static void test_ids_are_the_clients_own(void **state)
{
	uint32_t t = t_begin(a);

	assert_int_equal(t_read(b, t, "/p/x", text), ENOENT);
	assert_int_equal(t_read(a, t + 1, "/p/x", text), ENOENT);
	assert_int_equal(t_end(b, t, true), ENOENT);
	assert_int_equal(t_req(a, XS_TRANSACTION_START, t, "", 1)->type, XS_ERROR);
	assert_int_equal(t_end(a, 0, true), ENOENT);
	assert_int_equal(t_req(a, XS_TRANSACTION_END, t, "X", 2)->type, XS_ERROR);
	assert_int_equal(t_end(a, t, true), 0);
	assert_int_equal(t_end(a, t, true), ENOENT);
}

static void test_watches_ignore_the_transaction(void **state)
{
	uint32_t t = t_begin(a);

	assert_int_equal(t_req(a, XS_WATCH, t, "/p\0tok", 7)->type, XS_WATCH);
	assert_int_equal(t_req(a, XS_WATCH, 99, "/p\0tok2", 8)->type, XS_WATCH);
	assert_int_equal(t_end(a, t, false), 0);
}

static void test_permissions_changed_in_a_transaction(void **state)
{
	uint32_t t = t_begin(a);

	assert_int_equal(t_setp(a, t, "/p/x", "n0 r1"), 0);
	t_getp(a, t, "/p/x", text);
	assert_string_equal(text, "n0 r1");
	t_getp(b, 0, "/p/x", text);
	assert_string_equal(text, "n0");
	assert_int_equal(t_end(a, t, true), 0);
	t_getp(b, 0, "/p/x", text);
	assert_string_equal(text, "n0 r1");
}

static void test_rights_taken_meanwhile_make_a_guest_conflict(void **state)
{
	uint32_t t;

	t_setp(a, 0, "/p/x", "n0 b1");
	t = t_begin(d1);
	assert_int_equal(t_write(d1, t, "/p/x", "guest"), 0);
	t_setp(a, 0, "/p/x", "n0");

	assert_int_equal(t_end(d1, t, true), EAGAIN);
	t_read(a, 0, "/p/x", text);
	assert_string_equal(text, "old");
}

static void test_guest_transactions_count_against_its_quota(void **state)
{
	uint32_t t[10];

	for (int i = 0; i < 10; i++)
		t[i] = t_begin(d1);
	assert_int_equal(t_req(d1, XS_TRANSACTION_START, 0, "", 1)->type, XS_ERROR);
	for (int i = 0; i < 10; i++)
		t_end(d1, t[i], false);
	t_end(d1, t_begin(d1), true);
}

static void test_node_quota_holds_over_a_transaction(void **state)
{
	char path[32];
	int err = 0;
	uint32_t t;

	t_call(a, XS_WIRE_SET_QUOTA, NULL, "1", "nodes", "10", NULL);
	t = t_begin(d1);
	for (int i = 0; i < 12 && !err; i++) {
		snprintf(path, sizeof(path), "data/%d", i);
		err = t_write(d1, t, path, "x");
	}
	assert_int_equal(err, ENOSPC);
	t_rm(d1, t, "data");
	assert_int_equal(t_write(d1, t, "data/again", "x"), 0);
	assert_int_equal(t_end(d1, t, true), 0);
	assert_true(domain_find(&srv->domains, 1)->used[QUOTA_NODES] <= 10);
}

static void test_two_transactions_cannot_share_one_quota(void **state)
{
	uint32_t t1, t2;

	t_call(a, XS_WIRE_SET_QUOTA, NULL, "1", "nodes", "3", NULL);
	t1 = t_begin(d1);
	t2 = t_begin(d1);
	assert_int_equal(t_mkdir(d1, t1, "a/b"), 0);
	assert_int_equal(t_mkdir(d1, t2, "c/d"), 0);
	assert_int_equal(t_end(d1, t1, true), 0);
	assert_int_equal(t_end(d1, t2, true), ENOSPC);
}

static void test_reset_watches_ends_transactions_too(void **state)
{
	uint32_t t = t_begin(a);

	t_watch(a, "/p", "tok");
	assert_int_equal(t_req(a, XS_RESET_WATCHES, 0, "", 1)->type, XS_RESET_WATCHES);

	assert_int_equal(a->nr_watches, 0);
	assert_int_equal(t_read(a, t, "/p/x", text), ENOENT);
}

static void test_domain_ends_with_open_transactions(void **state)
{
	t_write(d1, t_begin(d1), "data", "1");
	fake_domain(srv->hv, 1, 0);
	domains_check(srv);
	conns_reap(srv);

	d1 = t_client(srv, 1);
	assert_int_equal(domain_find(&srv->domains, 1)->used[QUOTA_TRANSACTIONS], 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_changes_show_inside_and_only_at_the_end_outside),
		T(test_children_are_in_the_order_they_were_made_in),
		T(test_a_listing_is_the_same_however_often_it_is_asked_for),
		T(test_a_listing_has_the_transactions_own_changes),
		T(test_a_listing_is_charged_to_its_domain),
		T(test_aborted_transaction_leaves_nothing),
		T(test_changed_read_conflicts),
		T(test_read_of_an_unchanged_value_does_not_conflict),
		T(test_read_only_transaction_over_a_change_conflicts),
		T(test_siblings_made_by_two_transactions_do_not_conflict),
		T(test_directory_conflicts_only_when_the_set_changed),
		T(test_absence_that_was_seen_must_last),
		T(test_node_removed_and_made_again_conflicts),
		T(test_blind_writes_do_not_conflict),
		T(test_first_access_is_what_stays_visible),
		T(test_deleted_subtree_is_hidden_and_can_be_made_again),
		T(test_made_removed_and_made_again_below_a_removed_parent),
		T(test_events_come_once_a_node_and_only_after_the_end),
		T(test_failed_transaction_fires_nothing),
		T(test_ids_are_the_clients_own),
		T(test_watches_ignore_the_transaction),
		T(test_permissions_changed_in_a_transaction),
		T(test_rights_taken_meanwhile_make_a_guest_conflict),
		T(test_guest_transactions_count_against_its_quota),
		T(test_node_quota_holds_over_a_transaction),
		T(test_two_transactions_cannot_share_one_quota),
		T(test_reset_watches_ends_transactions_too),
		T(test_domain_ends_with_open_transactions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
