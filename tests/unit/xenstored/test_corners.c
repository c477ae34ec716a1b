/* SPDX-License-Identifier: MIT */
/*
 * test_corners.c - what docs/protocol.md decides about domains, special watches, quotas and
 * arguments, beyond the plain use that test_ops.c and test_watch.c are about.
 */
#include <errno.h>

#include "harness.h"
#include "store.h"

static struct server *srv;
static struct conn *dom0, *d1, *d2;
static char text[XENSTORE_PAYLOAD_MAX + 1];

static int setup(void **state)
{
	srv = t_start();
	dom0 = t_client(srv, 0);
	d1 = t_client(srv, 1);
	d2 = t_client(srv, 2);
	for (const char *p = "/local/domain/1\0n1\0/local/domain/2\0n2\0"; *p;
	     p += strlen(p) + strlen(p + strlen(p) + 1) + 2) {
		assert_int_equal(t_mkdir(dom0, 0, p), 0);
		assert_int_equal(t_setp(dom0, 0, p, p + strlen(p) + 1), 0);
	}
	return 0;
}

static int teardown(void **state)
{
	t_stop(srv);
	return 0;
}

static void end_domain(unsigned int domid)
{
	fake_domain(srv->hv, domid, 0);
	domains_check(srv);
	conns_reap(srv);
}

/* --- domains --- */

static void test_domain_0_is_neither_released_nor_resumed(void **state)
{
	assert_int_equal(t_call(dom0, XS_RELEASE, NULL, "0", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_RESUME, NULL, "0", NULL), EINVAL);
	domain_find(&srv->domains, 0)->introduced = true;
	assert_int_equal(t_call(dom0, XS_RELEASE, NULL, "0", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_RESUME, NULL, "0", NULL), EINVAL);
}

static void test_domids_are_decimal_numbers_below_the_reserved_ones(void **state)
{
	static const char *const bad[] = { "", "-1", "1x", " 1", "0x1", "32752", "65536",
					   "18446744073709551617" };
	static const uint32_t ops[] = { XS_RELEASE, XS_RESUME, XS_GET_DOMAIN_PATH };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		for (size_t k = 0; k < sizeof(ops) / sizeof(ops[0]); k++)
			assert_int_equal(t_call(dom0, ops[k], NULL, bad[i], NULL), EINVAL);
		assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, bad[i], "1", "1", NULL), EINVAL);
		assert_int_equal(t_call(dom0, XS_SET_TARGET, NULL, "1", bad[i], NULL), EINVAL);
	}
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "3", "x", "1", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "3", "1", "4294967296", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "3", "1", NULL), EINVAL);
}

/* The number that means "myself" is introduced for whoever asks. */
static void test_a_guest_may_ask_about_itself_only(void **state)
{
	assert_int_equal(t_call(d1, XS_GET_DOMAIN_PATH, text, "2", NULL), 0);
	assert_string_equal(text, "/local/domain/2");
	assert_int_equal(t_call(d1, XS_IS_DOMAIN_INTRODUCED, text, "2", NULL), EACCES);
	assert_int_equal(t_call(d1, XS_IS_DOMAIN_INTRODUCED, text, "9", NULL), EACCES);
	assert_int_equal(t_call(d1, XS_IS_DOMAIN_INTRODUCED, text, "0", NULL), EACCES);
	assert_int_equal(t_call(d1, XS_IS_DOMAIN_INTRODUCED, text, "1", NULL), 0);
	assert_string_equal(text, "T");
	assert_int_equal(t_call(d1, XS_IS_DOMAIN_INTRODUCED, text, "32752", NULL), 0);
	assert_string_equal(text, "T");
}

static void test_a_second_shutdown_is_told_only_after_RESUME(void **state)
{
	t_watch(dom0, "@releaseDomain", "tok");
	t_expect_event(dom0, "@releaseDomain", "tok");
	fake_domain(srv->hv, 2, FAKE_EXISTS | FAKE_SHUTDOWN);
	domains_check(srv);
	t_expect_event(dom0, "@releaseDomain", "tok");
	domains_check(srv);
	t_expect_quiet(dom0);

	assert_int_equal(t_call(dom0, XS_RESUME, NULL, "2", NULL), 0);
	domains_check(srv);
	t_expect_event(dom0, "@releaseDomain", "tok");
	assert_int_equal(t_call(d1, XS_RESUME, NULL, "2", NULL), EACCES);
}

static void test_released_domain_is_not_introduced_and_can_be_again(void **state)
{
	assert_int_equal(t_call(dom0, XS_RELEASE, NULL, "2", NULL), 0);
	conns_reap(srv);
	assert_int_equal(t_call(dom0, XS_IS_DOMAIN_INTRODUCED, text, "2", NULL), 0);
	assert_string_equal(text, "F");
	assert_int_equal(t_call(dom0, XS_RELEASE, NULL, "2", NULL), ENOENT);
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "2", "1", "7", NULL), 0);
	assert_int_equal(t_call(dom0, XS_IS_DOMAIN_INTRODUCED, text, "2", NULL), 0);
	assert_string_equal(text, "T");
}

static void test_target_must_exist_and_goes_with_its_domain(void **state)
{
	assert_int_equal(t_call(dom0, XS_SET_TARGET, NULL, "1", "9", NULL), ENOENT);
	assert_int_equal(t_call(dom0, XS_SET_TARGET, NULL, "9", "1", NULL), ENOENT);
	assert_int_equal(t_call(dom0, XS_SET_TARGET, NULL, "1", "2", NULL), 0);
	assert_int_equal(t_write(d1, 0, "/local/domain/2/x", "1"), 0);
	/* What it makes there is its own, not the target's. */
	assert_int_equal(t_getp(dom0, 0, "/local/domain/2/x", text), 0);
	assert_string_equal(text, "n1");

	end_domain(2);
	d2 = t_client(srv, 2);
	assert_int_equal(t_mkdir(dom0, 0, "/local/domain/2"), 0);
	assert_int_equal(t_setp(dom0, 0, "/local/domain/2", "n2"), 0);
	assert_int_equal(t_write(d1, 0, "/local/domain/2/x", "1"), EACCES);
}

/* The disk takes nothing just then: rights end all the same, and it learns of that later. */
static void test_rights_end_though_the_disk_refuses(void **state)
{
	unsigned long queued;

	assert_int_equal(t_write(dom0, 0, "/config/x", "1"), 0);
	assert_int_equal(t_setp(dom0, 0, "/config/x", "n0 r1"), 0);
	assert_int_equal(t_write(dom0, 0, "/config/y/z", "1"), 0);
	assert_int_equal(t_setp(dom0, 0, "/config/y", "n1 r0"), 0);
	queued = store_count(srv->tree.store, STORE_QUEUE);
	srv->durable.off = false;
	srv->durable.refused = -EROFS;
	assert_int_equal(t_write(dom0, 0, "/config/x", "2"), EROFS);

	end_domain(1);

	assert_int_equal(t_getp(dom0, 0, "/config/x", text), 0);
	assert_string_equal(text, "n0");
	assert_int_equal(t_read(dom0, 0, "/config/y", NULL), ENOENT);
	assert_int_equal(store_count(srv->tree.store, STORE_QUEUE), queued + 2);
	srv->durable.off = true;
}

/* Where they cannot be taken away now, the domid is not somebody else's before they are. */
static void test_domid_is_not_used_again_while_it_is_named(void **state)
{
	struct domain *d;

	assert_int_equal(t_write(dom0, 0, "/config/x", "1"), 0);
	assert_int_equal(t_setp(dom0, 0, "/config/x", "n0 r1"), 0);
	srv->durable.off = false;
	srv->durable.loading = true;
	end_domain(1);
	fake_domain(srv->hv, 1, FAKE_EXISTS);
	assert_int_equal(domain_find_or_adopt(srv, 1, &d), -EBUSY);
	assert_int_equal(t_setp(dom0, 0, "/tool", "n0 r1"), EBUSY);
	srv->durable.loading = false;
	assert_int_equal(domain_find_or_adopt(srv, 1, &d), 0);
	assert_int_equal(t_getp(dom0, 0, "/config/x", text), 0);
	assert_string_equal(text, "n0");
	srv->durable.off = true;
}

/* As at a start in another boot, or when a disk that refuses has brought nodes back. */
static void test_nodes_that_name_a_domain_nobody_has_forget_it(void **state)
{
	struct domain *d = domain_find(&srv->domains, 2);

	assert_int_equal(t_write(dom0, 0, "/config/of2/x", "1"), 0);
	assert_int_equal(t_setp(dom0, 0, "/config/of2", "n2"), 0);
	assert_int_equal(t_write(dom0, 0, "/config/shared", "1"), 0);
	assert_int_equal(t_setp(dom0, 0, "/config/shared", "n0 r2 r1"), 0);
	srv->domains.by_id[2] = NULL;
	domains_forget_unknown(srv);
	srv->domains.by_id[2] = d;
	d->used[QUOTA_NODES] = d->used[QUOTA_MEMORY] = 0;

	assert_int_equal(t_read(dom0, 0, "/config/of2/x", text), ENOENT);
	assert_int_equal(t_read(dom0, 0, "/config/of2", text), ENOENT);
	assert_int_equal(t_getp(dom0, 0, "/config/shared", text), 0);
	assert_string_equal(text, "n0 r1");
}

/* --- special watches --- */

static void test_rights_to_one_domains_end_are_its_own_and_end_with_it(void **state)
{
	assert_int_equal(t_setp(dom0, 0, "@releaseDomain/2", "n0 r1"), 0);
	assert_int_equal(t_getp(dom0, 0, "@releaseDomain/2", text), 0);
	assert_string_equal(text, "n0 r1");
	t_watch(d1, "@releaseDomain/2", "two");
	t_expect_event(d1, "@releaseDomain/2", "two");
	assert_int_equal(t_call(d1, XS_WATCH, NULL, "@releaseDomain", "any", "1", NULL), 0);
	t_expect_event(d1, "@releaseDomain", "any");
	fake_domain(srv->hv, 3, FAKE_EXISTS);
	assert_int_equal(t_call(dom0, XS_INTRODUCE, NULL, "3", "1", "7", NULL), 0);

	end_domain(3);
	t_expect_quiet(d1);
	end_domain(2);
	t_expect_event(d1, "@releaseDomain/2", "any");
	t_expect_event(d1, "@releaseDomain/2", "two");
	t_expect_quiet(d1);

	/* Another life of the domid. */
	assert_int_equal(t_getp(dom0, 0, "@releaseDomain/2", text), ENOENT);
	d2 = t_client(srv, 2);
	end_domain(2);
	t_expect_quiet(d1);
}

static void test_special_names_are_no_nodes(void **state)
{
	uint32_t t = t_begin(dom0);

	assert_int_equal(t_read(dom0, 0, "@releaseDomain", text), EINVAL);
	assert_int_equal(t_write(dom0, 0, "@releaseDomain", "x"), EINVAL);
	assert_int_equal(t_mkdir(dom0, 0, "@introduceDomain"), EINVAL);
	assert_int_equal(t_rm(dom0, 0, "@introduceDomain"), EINVAL);
	assert_int_equal(t_ls(dom0, 0, "@introduceDomain", text), EINVAL);
	assert_int_equal(t_setp(dom0, t, "@releaseDomain", "n0"), EINVAL);
	assert_int_equal(t_end(dom0, t, false), 0);
	assert_int_equal(t_ls(dom0, 0, "/", text), 0);
	assert_null(strstr(text, "@"));
}

static void test_setting_special_rights_fires_nothing(void **state)
{
	t_watch(dom0, "@releaseDomain", "tok");
	t_watch(dom0, "@releaseDomain/2", "tok");
	t_expect_event(dom0, "@releaseDomain", "tok");
	t_expect_event(dom0, "@releaseDomain/2", "tok");
	assert_int_equal(t_setp(dom0, 0, "@releaseDomain", "n0 r1"), 0);
	assert_int_equal(t_setp(dom0, 0, "@releaseDomain/2", "n0 r1"), 0);
	t_expect_quiet(dom0);
	end_domain(2);
	t_expect_event(dom0, "@releaseDomain", "tok");
	t_expect_event(dom0, "@releaseDomain/2", "tok");
	t_expect_quiet(dom0);
}

/* --- watches --- */

static void test_depth_must_be_a_number_and_survives_a_missing_node(void **state)
{
	assert_int_equal(t_call(dom0, XS_WATCH, NULL, "/x", "a", "-1", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_WATCH, NULL, "/x", "a", "", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_WATCH, NULL, "@releaseDomain", "a", "2", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_WATCH, NULL, "/x", "a", "1", NULL), 0);
	t_expect_event(dom0, "/x", "a");
	/* Making /x on the way to /x/y/z is no event of its own, and /x/y/z is too deep. */
	assert_int_equal(t_write(dom0, 0, "/x/y/z", "1"), 0);
	t_expect_quiet(dom0);
	assert_int_equal(t_rm(dom0, 0, "/x/y"), 0);
	t_expect_event(dom0, "/x/y", "a");
	/* The same path and token with another depth is still the same watch. */
	assert_int_equal(t_call(dom0, XS_WATCH, NULL, "/x", "a", "0", NULL), EEXIST);
}

static void test_RESET_WATCHES_is_the_callers_own(void **state)
{
	t_watch(d1, "data", "one");
	t_watch(d2, "data", "two");
	t_expect_event(d1, "data", "one");
	t_expect_event(d2, "data", "two");
	assert_int_equal(t_req(d1, XS_RESET_WATCHES, 0, "", 1)->type, XS_RESET_WATCHES);
	/* Also with no payload at all. */
	assert_int_equal(t_req(d1, XS_RESET_WATCHES, 0, "", 0)->type, XS_RESET_WATCHES);
	t_write(dom0, 0, "/local/domain/1/data", "1");
	t_write(dom0, 0, "/local/domain/2/data", "1");
	t_expect_quiet(d1);
	t_expect_event(d2, "data", "two");
	assert_int_equal(domain_find(&srv->domains, 1)->used[QUOTA_WATCHES], 0);
}

/* --- DIRECTORY_PART --- */

static void test_part_behind_the_end_is_empty_and_offsets_are_numbers(void **state)
{
	const struct t_msg *m;
	size_t gen;

	t_mkdir(dom0, 0, "/p/a");
	m = t_req(dom0, XS_DIRECTORY_PART, 0, "/p\0" "999999", 10);
	gen = strlen(m->data) + 1;
	assert_int_equal(m->type, XS_DIRECTORY_PART);
	assert_int_equal(m->len, gen + 1);
	assert_int_equal(m->data[gen], '\0');
	assert_int_equal(t_call(dom0, XS_DIRECTORY_PART, NULL, "/p", "x", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_DIRECTORY_PART, NULL, "/p", "-1", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_DIRECTORY_PART, NULL, "/none", "0", NULL), ENOENT);
	assert_int_equal(t_call(d1, XS_DIRECTORY_PART, NULL, "/p", "0", NULL), EACCES);
}

/* --- quotas and features --- */

static void test_quotas_by_wire_refuse_what_makes_no_sense(void **state)
{
	assert_int_equal(t_call(dom0, XS_WIRE_GET_QUOTA, NULL, "nonsense", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_WIRE_GET_QUOTA, NULL, "9", "nodes", NULL), ENOENT);
	assert_int_equal(t_call(dom0, XS_WIRE_SET_QUOTA, NULL, "9", "nodes", "1", NULL), ENOENT);
	assert_int_equal(t_call(dom0, XS_WIRE_SET_QUOTA, NULL, "1", "nonsense", "1", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_WIRE_SET_QUOTA, NULL, "nodes", "-1", NULL), EINVAL);
	assert_int_equal(t_call(dom0, XS_WIRE_SET_QUOTA, NULL, "nodes", "4294967296", NULL),
			 EINVAL);
	/* A guest may ask for what holds for all, not for others. */
	assert_int_equal(t_call(d1, XS_WIRE_GET_QUOTA, text, "nodes", NULL), 0);
	assert_int_equal(t_call(d1, XS_WIRE_GET_QUOTA, NULL, "2", "nodes", NULL), EACCES);
	assert_int_equal(t_call(d1, XS_WIRE_GET_FEATURE, text, NULL), 0);
	assert_int_equal(t_call(d1, XS_WIRE_GET_FEATURE, NULL, "2", NULL), EACCES);
	assert_int_equal(t_call(dom0, XS_WIRE_GET_FEATURE, NULL, "9", NULL), ENOENT);
	assert_int_equal(t_call(dom0, XS_WIRE_SET_FEATURE, NULL, "9", "1", NULL), ENOENT);
	assert_int_equal(t_call(dom0, XS_WIRE_SET_FEATURE, NULL, "1", "x", NULL), EINVAL);
}

/* One's own limit goes before the global one, and zero is none. */
static void test_a_domains_own_limit_and_no_limit(void **state)
{
	assert_int_equal(t_call(dom0, XS_WIRE_SET_QUOTA, NULL, "nodes", "2", NULL), 0);
	assert_int_equal(t_call(dom0, XS_WIRE_SET_QUOTA, NULL, "1", "nodes", "3", NULL), 0);
	assert_int_equal(t_call(dom0, XS_WIRE_SET_QUOTA, NULL, "2", "nodes", "0", NULL), 0);
	assert_int_equal(t_write(d1, 0, "a/b", "1"), 0);
	assert_int_equal(t_write(d1, 0, "c", "1"), ENOSPC);
	for (int i = 0; i < 20; i++) {
		sprintf(text, "n%d", i);
		assert_int_equal(t_write(d2, 0, text, "1"), 0);
	}
	/* A limit set below the use: nothing goes, nothing more comes. */
	assert_int_equal(t_call(dom0, XS_WIRE_SET_QUOTA, NULL, "1", "nodes", "1", NULL), 0);
	assert_int_equal(t_write(d1, 0, "a/b", "2"), 0);
	assert_int_equal(t_write(d1, 0, "d", "1"), ENOSPC);
	assert_int_equal(t_rm(d1, 0, "a"), 0);
}

static void test_sizes_of_a_guests_nodes_are_limited_and_domain_0s_are_not(void **state)
{
	char data[3100] = "big";

	memset(data + 4, 'x', 3000);
	assert_int_equal(t_req(d1, XS_WRITE, 0, data, 3004)->type, XS_ERROR);
	assert_int_equal(t_setp(d1, 0, "/local/domain/1", "n1 r0 r2 r0 r2 r0"), ENOSPC);
	assert_int_equal(t_setp(d1, 0, "/local/domain/1", "n1 r0 r2 r0 r2"), 0);
	assert_int_equal(t_setp(dom0, 0, "/local/domain/1", "n1 r0 r2 r0 r2 r0 r2"), 0);
	memcpy(data, "/b", 3);
	assert_int_equal(t_req(dom0, XS_WRITE, 0, data, 3003)->type, XS_WRITE);
}

/* --- nodes --- */

static void test_a_value_may_be_missing_and_an_existing_node_needs_rights(void **state)
{
	assert_int_equal(t_req(dom0, XS_WRITE, 0, "/v", 3)->type, XS_WRITE);
	assert_int_equal(t_read(dom0, 0, "/v", text), 0);
	assert_string_equal(text, "");
	assert_int_equal(t_mkdir(dom0, 0, "/v"), 0);
	assert_int_equal(t_mkdir(d1, 0, "/v"), EACCES);
	assert_int_equal(t_setp(dom0, 0, "/v", "r0"), 0);
	assert_int_equal(t_mkdir(d1, 0, "/v"), EACCES);
	assert_int_equal(t_rm(d1, 0, "/v"), EACCES);
	/* Of a missing leaf nothing is to be removed, whoever asks. */
	assert_int_equal(t_rm(d1, 0, "none"), 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_domain_0_is_neither_released_nor_resumed),
		T(test_domids_are_decimal_numbers_below_the_reserved_ones),
		T(test_a_guest_may_ask_about_itself_only),
		T(test_a_second_shutdown_is_told_only_after_RESUME),
		T(test_released_domain_is_not_introduced_and_can_be_again),
		T(test_target_must_exist_and_goes_with_its_domain),
		T(test_rights_end_though_the_disk_refuses),
		T(test_domid_is_not_used_again_while_it_is_named),
		T(test_nodes_that_name_a_domain_nobody_has_forget_it),
		T(test_rights_to_one_domains_end_are_its_own_and_end_with_it),
		T(test_special_names_are_no_nodes),
		T(test_setting_special_rights_fires_nothing),
		T(test_depth_must_be_a_number_and_survives_a_missing_node),
		T(test_RESET_WATCHES_is_the_callers_own),
		T(test_part_behind_the_end_is_empty_and_offsets_are_numbers),
		T(test_quotas_by_wire_refuse_what_makes_no_sense),
		T(test_a_domains_own_limit_and_no_limit),
		T(test_sizes_of_a_guests_nodes_are_limited_and_domain_0s_are_not),
		T(test_a_value_may_be_missing_and_an_existing_node_needs_rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
