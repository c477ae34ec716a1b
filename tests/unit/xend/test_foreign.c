/* SPDX-License-Identifier: MIT */
/*
 * test_foreign.c - domains that other tools built: seen, left alone, ended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "world.h"

static const uint8_t uuid[16] = { 0xaa, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
#define UUID "aa010203-0405-0607-0809-0a0b0c0d0e0f"

static void ask(struct world *w, const char *op, const char *domain)
{
	fake_set("/request/r1", NULL);
	world_run(w, 0);
	request(w, op, domain);
}

/* As xl leaves one that runs. Its domid. */
static int build_one(struct world *w, const char *name)
{
	char path[96];
	uint16_t domid;

	assert_int_equal(hv_domain_create(w->hv, uuid, 1, &domid), 0);
	assert_int_equal(hv_domain_unpause(w->hv, domid), 0);
	snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
	fake_set(path, name);
	snprintf(path, sizeof(path), "/libxl/%u/type", domid);
	fake_set(path, "pv");
	fake_set("/vm/" UUID "/name", name);
	ask(w, "refresh", "");
	return domid;
}

static void test_one_that_xl_built_is_listed_as_such(void **state)
{
	struct world *w = *state;

	build_one(w, "shop");
	assert_string_equal(state_of("shop"), "running");
	assert_string_equal(fake_get("/status/domain/shop/foreign"), "1");
	assert_string_equal(fake_get("/status/domain/shop/domid"), "1");
	assert_string_equal(fake_get("/status/domain/shop/uuid"), UUID);
	assert_string_equal(fake_get("/status/domain/shop/vcpus"), "1");
	/* By itself, too, and of what there was when xend came. */
	fake_set("/status/domain/shop", NULL);
	world_run(w, 12);
	assert_string_equal(state_of("shop"), "running");
}

static void test_nobody_is_renamed_to_it(void **state)
{
	struct world *w = *state;

	build_one(w, "shop");
	world_record(w, "web");
	fake_set("/request/r1", NULL);
	world_run(w, 1);
	fake_set("/request/r1/args/name", "shop");
	request(w, "rename", "web");
	assert_string_equal(fake_get("/request/r1/state"), "failed");
	assert_string_equal(fake_get("/request/r1/error"), "there is a domain shop already");
	assert_string_equal(fake_get("/status/domain/shop/foreign"), "1");
	assert_string_equal(state_of("web"), "running");
}

static void test_it_is_ended_with_all_that_there_is_of_it(void **state)
{
	struct world *w = *state;

	build_one(w, "shop");
	ask(w, "destroy", "shop");
	world_run(w, 15);
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_int_equal(fake_hv_domains(), 0);
	assert_string_equal(state_of("shop"), "none");
	assert_null(fake_get("/local/domain/1/name"));
	assert_null(fake_get("/libxl/1/type"));
	assert_null(fake_get("/vm/" UUID "/name"));
}

static void test_it_is_ended_by_its_number(void **state)
{
	struct world *w = *state;

	build_one(w, "shop");
	ask(w, "destroy", "1");
	world_run(w, 15);
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_int_equal(fake_hv_domains(), 0);
}

static void test_it_is_asked_to_shut_down(void **state)
{
	struct world *w = *state;
	int domid = build_one(w, "shop");

	ask(w, "shutdown", "shop");
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "poweroff");
	/* The host goes down: by its number, too. */
	fake_set("/local/domain/1/control/shutdown", "");
	fake_set("/host/stopping", "1");
	ask(w, "shutdown", "1");
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "poweroff");
	/* What comes then, who built it knows. */
	world_run(w, 15);
	assert_int_equal(fake_hv_domains(), 1);
	fake_hv_vanish(domid);
	ask(w, "shutdown", "shop");
	assert_string_equal(fake_get("/request/r1/state"), "failed");
}

static void test_nothing_else_is_done_to_it(void **state)
{
	static const char *const ops[] = { "pause", "reboot", "mem-max", "rename" };
	struct world *w = *state;
	int domid = build_one(w, "shop");

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		ask(w, ops[i], "shop");
		assert_string_equal(fake_get("/request/r1/state"), "failed");
		assert_non_null(strstr(fake_get("/request/r1/error"), "built by other tools"));
	}
	assert_false(fake_hv_paused(domid));
}

static void test_a_record_of_its_name_is_another_domain(void **state)
{
	struct world *w = *state;

	world_record(w, "shop");
	fake_set("/config/domain/shop/power", "off");
	world_run(w, 1);
	build_one(w, "shop");
	assert_string_equal(state_of("shop"), "defined");
	assert_string_equal(fake_get("/status/domain/domain-1/foreign"), "1");
	ask(w, "destroy", "domain-1");
	world_run(w, 15);
	assert_int_equal(fake_hv_domains(), 0);
	assert_non_null(fake_get("/config/domain/shop/memory"));
	assert_string_equal(state_of("shop"), "defined");
}

static void test_a_record_that_comes_later_keeps_its_name(void **state)
{
	struct world *w = *state;

	build_one(w, "shop");
	world_record(w, "shop");
	world_run(w, 15);
	ask(w, "refresh", "");
	assert_string_equal(state_of("shop"), "running");
	assert_null(fake_get("/status/domain/shop/foreign"));
	assert_string_equal(fake_get("/status/domain/domain-1/foreign"), "1");
	assert_int_equal(fake_hv_domains(), 2);
}

static void test_a_record_called_as_its_number_is_another_domain(void **state)
{
	struct world *w = *state;

	world_record(w, "domain-1");
	fake_set("/config/domain/domain-1/power", "off");
	world_run(w, 1);
	build_one(w, "Domain-0");
	world_record(w, "domain-1-2");
	fake_set("/config/domain/domain-1-2/power", "off");
	ask(w, "refresh", "");
	assert_string_equal(state_of("domain-1"), "defined");
	assert_null(fake_get("/status/domain/domain-1/foreign"));
	assert_null(fake_get("/status/domain/domain-1-2/foreign"));
	assert_string_equal(fake_get("/status/domain/domain-1-3/foreign"), "1");
	ask(w, "destroy", "domain-1");
	assert_string_equal(fake_get("/request/r1/state"), "failed");
	assert_int_equal(fake_hv_domains(), 1);
	ask(w, "destroy", "1");
	world_run(w, 15);
	assert_int_equal(fake_hv_domains(), 0);
	assert_non_null(fake_get("/config/domain/domain-1/memory"));
}

/* Before the other is listed by another name. */
static void test_a_record_that_has_just_come_is_not_taken_for_the_other(void **state)
{
	struct world *w = *state;

	build_one(w, "shop");
	world_record(w, "shop");
	fake_set("/config/domain/shop/power", "off");
	ask(w, "destroy", "shop");
	assert_string_equal(fake_get("/request/r1/state"), "failed");
	assert_int_equal(fake_hv_domains(), 1);
	assert_non_null(fake_get("/config/domain/shop/memory"));
	/* Nor by a xend that comes then. */
	fake_set("/config/domain/shop/power", "on");
	world_run(w, 1);
	assert_string_equal(state_of("shop"), "running");
	assert_null(fake_get("/status/domain/shop/foreign"));
	world_kill(w);
	world_start(w);
	world_run(w, 30);
	assert_int_equal(fake_hv_domains(), 2);
}

static void test_names_that_no_domain_can_have_become_its_number(void **state)
{
	struct world *w = *state;

	build_one(w, "Domain-0");
	assert_string_equal(state_of("domain-1"), "running");
	fake_set("/local/domain/1/name", "a/../b");
	ask(w, "refresh", "");
	assert_string_equal(state_of("domain-1"), "running");
	assert_null(fake_get("/status/domain/Domain-0/foreign"));
}

static void test_what_is_gone_is_listed_no_more(void **state)
{
	struct world *w = *state;

	fake_hv_vanish(build_one(w, "shop"));
	xend_event(&w->x, "@releaseDomain", "release");
	world_run(w, 1);
	assert_string_equal(state_of("shop"), "none");
}

static void test_a_new_xend_leaves_it_alone(void **state)
{
	struct world *w = *state;

	build_one(w, "shop");
	world_kill(w);
	world_start(w);
	world_run(w, 30);
	assert_int_equal(fake_hv_domains(), 1);
	assert_string_equal(state_of("shop"), "running");
	/* One that went meanwhile is known to be gone. */
	world_kill(w);
	fake_hv_vanish(1);
	world_start(w);
	world_run(w, 1);
	assert_string_equal(state_of("shop"), "none");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_one_that_xl_built_is_listed_as_such),
		TEST(test_nobody_is_renamed_to_it),
		TEST(test_it_is_ended_with_all_that_there_is_of_it),
		TEST(test_it_is_ended_by_its_number),
		TEST(test_it_is_asked_to_shut_down),
		TEST(test_nothing_else_is_done_to_it),
		TEST(test_a_record_of_its_name_is_another_domain),
		TEST(test_a_record_that_comes_later_keeps_its_name),
		TEST(test_a_record_called_as_its_number_is_another_domain),
		TEST(test_a_record_that_has_just_come_is_not_taken_for_the_other),
		TEST(test_names_that_no_domain_can_have_become_its_number),
		TEST(test_what_is_gone_is_listed_no_more),
		TEST(test_a_new_xend_leaves_it_alone),
	};

	return cmocka_run_group_tests_name("xend: domains of other tools", tests, NULL, NULL);
}
