/* SPDX-License-Identifier: MIT */
/*
 * test_ops.c - the answers of docs/protocol.md, corner by corner, and the permission gate.
 */
#include <errno.h>
#include <stdlib.h>

#include "harness.h"

static struct server *srv;
static struct conn *dom0, *d1, *d2;
static char text[XENSTORE_PAYLOAD_MAX + 1];

static int setup(void **state)
{
	srv = t_start();
	dom0 = t_client(srv, 0);
	d1 = t_client(srv, 1);
	d2 = t_client(srv, 2);
	t_mkdir(dom0, 0, "/local/domain/1");
	t_setp(dom0, 0, "/local/domain/1", "n1");
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

/* Short values lie in the node, long ones apart: each kind of change between them. */
static void test_a_value_of_any_length_replaces_any_other(void **state)
{
	static const size_t lens[] = { 0, 1, 7, 8, 9, 24, 25, 95, 96, 97, 120, 2000 };
	enum { NR = sizeof(lens) / sizeof(lens[0]) };
	char first[2001], then[2001], got[XENSTORE_PAYLOAD_MAX + 1];

	for (size_t i = 0; i < NR * NR; i++) {
		memset(first, 'a', lens[i / NR]);
		first[lens[i / NR]] = '\0';
		memset(then, 'b', lens[i % NR]);
		then[lens[i % NR]] = '\0';
		assert_int_equal(t_write(dom0, 0, "/length/name", first), 0);
		assert_int_equal(t_write(dom0, 0, "/length/name", then), 0);
		assert_int_equal(t_read(dom0, 0, "/length/name", got), 0);
		assert_string_equal(got, then);
		assert_int_equal(t_write(dom0, 0, "/length/name", first), 0);
		assert_int_equal(t_read(dom0, 0, "/length/name", got), 0);
		assert_string_equal(got, first);
		assert_int_equal(t_rm(dom0, 0, "/length"), 0);
	}
}

static void test_what_is_written_is_read(void **state)
{
	assert_int_equal(t_write(dom0, 0, "/a/b/c", "value"), 0);

	assert_int_equal(t_read(dom0, 0, "/a/b/c", text), 0);
	assert_string_equal(text, "value");
	assert_int_equal(t_read(dom0, 0, "/a/b", text), 0);
	assert_string_equal(text, "");
}

static void test_values_may_hold_any_byte(void **state)
{
	const struct t_msg *m = t_req(dom0, XS_WRITE, 0, "/bin\0\0\xff\n", 8);

	assert_int_equal(m->type, XS_WRITE);
	m = t_req(dom0, XS_READ, 0, "/bin", 5);
	assert_int_equal(m->len, 3);
	assert_memory_equal(m->data, "\0\xff\n", 3);
}

static void test_illegal_paths_are_EINVAL(void **state)
{
	static const char *const bad[] = { "",	   "//",   "/a/",   "/a//b", "a/",   "/a b",
					   "/a.b", "@foo", "/a:b",  "/\xc3", "a//b", "/a+" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(t_write(dom0, 0, bad[i], "x"), EINVAL);
		assert_int_equal(t_read(dom0, 0, bad[i], text), EINVAL);
		assert_int_equal(t_mkdir(dom0, 0, bad[i]), EINVAL);
	}
}

static void test_legal_path_characters_are_accepted(void **state)
{
	assert_int_equal(t_write(dom0, 0, "/azAZ09-_@x/y", "1"), 0);
}

static void test_longest_path_is_3072_bytes(void **state)
{
	char path[3100];

	memset(path, 'a', sizeof(path));
	path[0] = '/';
	path[3072] = '\0';
	assert_int_equal(t_write(dom0, 0, path, "x"), 0);
	assert_int_equal(t_read(dom0, 0, path, text), 0);
	path[3072] = 'a';
	path[3073] = '\0';
	assert_int_equal(t_write(dom0, 0, path, "x"), EINVAL);
}

static void test_path_limit_of_a_guest_counts_the_final_form(void **state)
{
	char path[2100];

	memset(path, 'a', sizeof(path));
	path[2049] = '\0';
	assert_int_equal(t_read(d1, 0, path, text), EINVAL);
	path[2048] = '\0';
	assert_int_equal(t_read(d1, 0, path, text), ENOENT);
}

static void test_relative_paths_are_below_the_clients_home(void **state)
{
	assert_int_equal(t_write(d1, 0, "data/x", "1"), 0);

	assert_int_equal(t_read(dom0, 0, "/local/domain/1/data/x", text), 0);
	assert_string_equal(text, "1");
}

static void test_rm_root_is_EINVAL(void **state)
{
	assert_int_equal(t_rm(dom0, 0, "/"), EINVAL);
	assert_int_equal(t_rm(dom0, t_begin(dom0), "/"), EINVAL);
}

static void test_rm_of_missing_leaf_is_good_and_of_missing_parent_ENOENT(void **state)
{
	t_mkdir(dom0, 0, "/dir");

	assert_int_equal(t_rm(dom0, 0, "/dir/none"), 0);
	assert_int_equal(t_rm(dom0, 0, "/none/none"), ENOENT);
}

static void test_rm_takes_everything_below(void **state)
{
	t_write(dom0, 0, "/t/a/b", "1");
	t_write(dom0, 0, "/t/c", "2");

	assert_int_equal(t_rm(dom0, 0, "/t"), 0);

	assert_int_equal(t_read(dom0, 0, "/t/a/b", text), ENOENT);
	assert_int_equal(t_read(dom0, 0, "/t", text), ENOENT);
}

static void test_children_come_in_order_of_creation(void **state)
{
	t_write(dom0, 0, "/o/z", "");
	t_write(dom0, 0, "/o/a", "");
	t_write(dom0, 0, "/o/m", "");
	t_write(dom0, 0, "/o/z", "again");

	assert_int_equal(t_ls(dom0, 0, "/o", text), 0);
	assert_string_equal(text, "z a m");
}

static void test_directory_above_a_message_is_E2BIG_and_parts_give_all(void **state)
{
	unsigned int seen = 0;
	char path[100], arg[32];
	size_t offset = 0;
	bool done = false;

	for (int i = 0; i < 400; i++) {
		snprintf(path, sizeof(path), "/big/name-of-a-child-%03d", i);
		assert_int_equal(t_mkdir(dom0, 0, path), 0);
	}
	assert_int_equal(t_ls(dom0, 0, "/big", text), E2BIG);
	while (!done) {
		char data[64];
		size_t at;
		const struct t_msg *m;

		snprintf(arg, sizeof(arg), "%zu", offset);
		memcpy(data, "/big", 5);
		memcpy(data + 5, arg, strlen(arg) + 1);
		m = t_req(dom0, XS_DIRECTORY_PART, 0, data, 5 + strlen(arg) + 1);
		assert_int_equal(m->type, XS_DIRECTORY_PART);
		for (at = strlen(m->data) + 1; at < m->len; at += strlen(m->data + at) + 1) {
			if (m->data[at] == '\0') {
				done = true;
				break;
			}
			offset += strlen(m->data + at) + 1;
			seen++;
		}
	}
	assert_int_equal(seen, 400);
}

static void test_directory_part_generation_changes_with_set_and_value(void **state)
{
	char before[64], after[64];

	t_mkdir(dom0, 0, "/p/a");
	strcpy(before, t_req(dom0, XS_DIRECTORY_PART, 0, "/p\0" "0", 5)->data);
	t_write(dom0, 0, "/p/a", "value");
	strcpy(after, t_req(dom0, XS_DIRECTORY_PART, 0, "/p\0" "0", 5)->data);
	assert_string_equal(before, after);
	t_mkdir(dom0, 0, "/p/b");
	strcpy(after, t_req(dom0, XS_DIRECTORY_PART, 0, "/p\0" "0", 5)->data);
	assert_string_not_equal(before, after);
	t_write(dom0, 0, "/p", "value");
	strcpy(before, t_req(dom0, XS_DIRECTORY_PART, 0, "/p\0" "0", 5)->data);
	assert_string_not_equal(before, after);
}

static void test_unknown_operation_is_ENOSYS(void **state)
{
	static const uint32_t unknown[] = { 15, 16, 20, 27, 1000, 0xffffffffu };

	for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
		const struct t_msg *m = t_req(dom0, unknown[i], 0, "/a", 3);

		assert_int_equal(m->type, XS_ERROR);
		assert_string_equal(m->data, "ENOSYS");
	}
}

static void test_empty_and_unterminated_payloads_are_EINVAL(void **state)
{
	for (uint32_t type = 0; type < XS_WIRE_OP_NR; type++) {
		const struct t_msg *m;

		if (type == XS_TRANSACTION_START || type == XS_RESET_WATCHES ||
		    type == XS_WIRE_GET_FEATURE || type == XS_WIRE_GET_QUOTA ||
		    type == XS_WATCH_EVENT || type == XS_ERROR || type == 20)
			continue;
		m = t_req(dom0, type, 0, "", 0);
		assert_string_equal(m->data, "EINVAL");
		m = t_req(dom0, type, 0, "/abc", 4);
		assert_string_equal(m->data, "EINVAL");
	}
}

static void test_oversized_length_ends_the_connection(void **state)
{
	struct xsd_sockmsg hdr = { XS_READ, 1, 0, XENSTORE_PAYLOAD_MAX + 1 };

	conn_input(dom0, (char *)&hdr, sizeof(hdr), 1);

	assert_true(dom0->dead);
	conns_reap(srv);
	dom0 = NULL;
}

static void test_new_nodes_inherit_permissions_and_guests_own_theirs(void **state)
{
	t_mkdir(dom0, 0, "/shared");
	t_setp(dom0, 0, "/shared", "n0 b1 r2");
	assert_int_equal(t_write(d1, 0, "/shared/x", "1"), 0);

	assert_int_equal(t_getp(dom0, 0, "/shared/x", text), 0);
	assert_string_equal(text, "n1 b1 r2");
	assert_int_equal(t_write(dom0, 0, "/local/domain/1/by-dom0", "1"), 0);
	assert_int_equal(t_getp(dom0, 0, "/local/domain/1/by-dom0", text), 0);
	assert_string_equal(text, "n1");
}

static void test_guest_reads_only_what_it_may(void **state)
{
	t_write(dom0, 0, "/secret/x", "1");
	t_write(dom0, 0, "/open/x", "1");
	t_setp(dom0, 0, "/open", "n0 r1");
	t_setp(dom0, 0, "/open/x", "n0 r1");

	assert_int_equal(t_read(d1, 0, "/secret/x", text), EACCES);
	assert_int_equal(t_ls(d1, 0, "/secret", text), EACCES);
	assert_int_equal(t_getp(d1, 0, "/secret", text), EACCES);
	assert_int_equal(t_read(d1, 0, "/open/x", text), 0);
	assert_int_equal(t_read(d2, 0, "/open/x", text), EACCES);
	assert_int_equal(t_write(d1, 0, "/open/x", "2"), EACCES);
	assert_int_equal(t_rm(d1, 0, "/open/x"), EACCES);
}

static void test_missing_node_is_hidden_below_an_unreadable_parent(void **state)
{
	t_mkdir(dom0, 0, "/secret");
	t_mkdir(dom0, 0, "/open");
	t_setp(dom0, 0, "/open", "r0");

	assert_int_equal(t_read(d1, 0, "/secret/none", text), EACCES);
	assert_int_equal(t_read(d1, 0, "/open/none", text), ENOENT);
}

static void test_root_is_behind_the_same_gate(void **state)
{
	assert_int_equal(t_write(d1, 0, "/", "x"), EACCES);
	assert_int_equal(t_setp(d1, 0, "/", "b1"), EACCES);
	assert_int_equal(t_ls(d1, 0, "/", text), EACCES);
	assert_int_equal(t_write(d1, 0, "/new", "x"), EACCES);
}

static void test_guest_cannot_give_a_node_away(void **state)
{
	t_write(d1, 0, "data/x", "1");

	assert_int_equal(t_setp(d1, 0, "data/x", "n2"), EPERM);
	assert_int_equal(t_setp(d1, 0, "data/x", "n1 r2"), 0);
	assert_int_equal(t_read(d2, 0, "/local/domain/1/data/x", text), 0);
	assert_int_equal(t_setp(d2, 0, "/local/domain/1/data/x", "n1 b2"), EACCES);
}

static void test_permissions_of_unknown_domains_are_ENOENT(void **state)
{
	t_mkdir(dom0, 0, "/x");

	assert_int_equal(t_setp(dom0, 0, "/x", "n0 r999"), ENOENT);
	assert_int_equal(t_setp(dom0, 0, "/x", "n0 r40000"), ENOENT);
	assert_int_equal(t_setp(dom0, 0, "/x", "n0 r32752"), EINVAL);
	assert_int_equal(t_setp(dom0, 0, "/x", "n0 r65535"), EINVAL);
	assert_int_equal(t_setp(dom0, 0, "/x", "x0"), EINVAL);
	assert_int_equal(t_setp(dom0, 0, "/x", "n"), EINVAL);
}

static void test_target_lends_its_rights(void **state)
{
	t_write(dom0, 0, "/local/domain/1/x", "1");
	assert_int_equal(t_read(d2, 0, "/local/domain/1/x", text), EACCES);

	assert_int_equal(t_call(dom0, XS_SET_TARGET, NULL, "2", "1", NULL), 0);

	assert_int_equal(t_read(d2, 0, "/local/domain/1/x", text), 0);
	assert_int_equal(t_write(d2, 0, "/local/domain/1/x", "2"), 0);
	assert_int_equal(t_call(d1, XS_SET_TARGET, NULL, "1", "2", NULL), EACCES);
}

static void test_guests_may_not_use_privileged_operations(void **state)
{
	assert_int_equal(t_call(d1, XS_INTRODUCE, NULL, "3", "1", "1", NULL), EACCES);
	assert_int_equal(t_call(d1, XS_RELEASE, NULL, "2", NULL), EACCES);
	assert_int_equal(t_call(d1, XS_RESUME, NULL, "2", NULL), EACCES);
	assert_int_equal(t_call(d1, XS_CONTROL, NULL, "check", NULL), EACCES);
	assert_int_equal(t_call(d1, XS_WIRE_SET_QUOTA, NULL, "nodes", "9", NULL), EACCES);
	assert_int_equal(t_call(d1, XS_WIRE_SET_FEATURE, NULL, "1", "0", NULL), EACCES);
}

static void test_read_only_clients_change_nothing(void **state)
{
	dom0->read_only = true;
	assert_int_equal(t_write(dom0, 0, "/x", "1"), EROFS);
	assert_int_equal(t_rm(dom0, 0, "/tool"), EROFS);
	assert_int_equal(t_setp(dom0, 0, "/tool", "n0"), EROFS);
	assert_int_equal(t_call(dom0, XS_RELEASE, NULL, "1", NULL), EROFS);
	assert_int_equal(t_call(dom0, XS_CONTROL, NULL, "restore", NULL), EROFS);
	assert_int_equal(t_ls(dom0, 0, "/", text), 0);
}

static void test_domain_questions(void **state)
{
	assert_int_equal(t_call(dom0, XS_GET_DOMAIN_PATH, text, "7", NULL), 0);
	assert_string_equal(text, "/local/domain/7");
	assert_int_equal(t_call(dom0, XS_IS_DOMAIN_INTRODUCED, text, "1", NULL), 0);
	assert_string_equal(text, "T");
	assert_int_equal(t_call(dom0, XS_IS_DOMAIN_INTRODUCED, text, "9", NULL), 0);
	assert_string_equal(text, "F");
	assert_int_equal(t_call(dom0, XS_RELEASE, NULL, "9", NULL), ENOENT);
	assert_int_equal(t_call(dom0, XS_RESUME, NULL, "9", NULL), ENOENT);
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "9", "1", "1", NULL), ENOENT);
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "1", "1", "0", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "x", "1", "1", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_RELEASE, NULL, "0", NULL), EINVAL);
}

static void test_features_and_quotas_by_wire(void **state)
{
	assert_int_equal(t_call(dom0, XS_WIRE_GET_FEATURE, text, NULL), 0);
	assert_string_equal(text, "3");
	assert_int_equal(t_call(dom0, XS_WIRE_SET_FEATURE, NULL, "1", "1", NULL), 0);
	assert_int_equal(t_call(dom0, XS_WIRE_GET_FEATURE, text, "1", NULL), 0);
	assert_string_equal(text, "1");
	assert_int_equal(t_call(dom0, XS_WIRE_SET_FEATURE, NULL, "1", "64", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_WIRE_GET_QUOTA, text, NULL), 0);
	assert_non_null(strstr(text, "node-permissions"));
	assert_int_equal(t_call(dom0, XS_WIRE_GET_QUOTA, text, "nodes", NULL), 0);
	assert_string_equal(text, "1000");
	assert_int_equal(t_call(dom0, XS_WIRE_SET_QUOTA, NULL, "1", "nodes", "7", NULL), 0);
	assert_int_equal(t_call(dom0, XS_WIRE_GET_QUOTA, text, "1", "nodes", NULL), 0);
	assert_string_equal(text, "7");
	assert_int_equal(t_call(dom0, XS_WIRE_GET_QUOTA, text, "2", "nodes", NULL), 0);
	assert_string_equal(text, "1000");
	assert_int_equal(t_call(dom0, XS_WIRE_SET_QUOTA, NULL, "nodez", "7", NULL), EINVAL);
}

static void test_end_of_a_domain_takes_its_nodes_and_rights(void **state)
{
	t_write(d1, 0, "data/x", "1");
	t_write(dom0, 0, "/svc/one", "1");
	t_setp(dom0, 0, "/svc/one", "n0 r1 r2");

	assert_int_equal(t_call(dom0, XS_RELEASE, NULL, "1", NULL), 0);
	conns_reap(srv);

	assert_int_equal(t_read(dom0, 0, "/local/domain/1", text), ENOENT);
	assert_int_equal(t_getp(dom0, 0, "/svc/one", text), 0);
	assert_string_equal(text, "n0 r2");
	d1 = t_client(srv, 1);
	assert_int_equal(t_read(d1, 0, "/svc/one", text), EACCES);
	assert_int_equal(domain_find(&srv->domains, 1)->used[QUOTA_NODES], 0);
}

static void test_domain_that_died_without_introduction_is_forgotten(void **state)
{
	fake_domain(srv->hv, 5, FAKE_EXISTS);
	t_mkdir(dom0, 0, "/for5");
	assert_int_equal(t_setp(dom0, 0, "/for5", "n0 r5"), 0);

	fake_domain(srv->hv, 5, 0);
	domains_check(srv);

	t_getp(dom0, 0, "/for5", text);
	assert_string_equal(text, "n0");
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_is_written_is_read),
		T(test_values_may_hold_any_byte),
		T(test_a_value_of_any_length_replaces_any_other),
		T(test_illegal_paths_are_EINVAL),
		T(test_legal_path_characters_are_accepted),
		T(test_longest_path_is_3072_bytes),
		T(test_path_limit_of_a_guest_counts_the_final_form),
		T(test_relative_paths_are_below_the_clients_home),
		T(test_rm_root_is_EINVAL),
		T(test_rm_of_missing_leaf_is_good_and_of_missing_parent_ENOENT),
		T(test_rm_takes_everything_below),
		T(test_children_come_in_order_of_creation),
		T(test_directory_above_a_message_is_E2BIG_and_parts_give_all),
		T(test_directory_part_generation_changes_with_set_and_value),
		T(test_unknown_operation_is_ENOSYS),
		T(test_empty_and_unterminated_payloads_are_EINVAL),
		T(test_oversized_length_ends_the_connection),
		T(test_new_nodes_inherit_permissions_and_guests_own_theirs),
		T(test_guest_reads_only_what_it_may),
		T(test_missing_node_is_hidden_below_an_unreadable_parent),
		T(test_root_is_behind_the_same_gate),
		T(test_guest_cannot_give_a_node_away),
		T(test_permissions_of_unknown_domains_are_ENOENT),
		T(test_target_lends_its_rights),
		T(test_guests_may_not_use_privileged_operations),
		T(test_read_only_clients_change_nothing),
		T(test_domain_questions),
		T(test_features_and_quotas_by_wire),
		T(test_end_of_a_domain_takes_its_nodes_and_rights),
		T(test_domain_that_died_without_introduction_is_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
