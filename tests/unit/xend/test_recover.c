/* SPDX-License-Identifier: MIT */
/*
 * test_recover.c - a killed xend, a rebooted host: the store is the only memory.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "world.h"

/* Kills xend after @n pieces of work, starts another, and lets it finish. */
static void kill_after(struct world *w, unsigned int n)
{
	world_steps(w, n);
	world_kill(w);
	world_start(w);
	world_run(w, 30);
}

static void test_xend_killed_at_any_step_of_a_start_is_followed_by_a_clean_one(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	for (unsigned int n = 0; n < 25; n++) {
		world_record(w, "a");
		kill_after(w, n);
		assert_string_equal(state_of("a"), "running");
		assert_int_equal(fake_hv_domains(), 1);
		assert_int_equal(fake_introduced(), 1);
		assert_int_not_equal(fake_hv_guest(), -1);
		request(w, "destroy", "a");
		world_run(w, 5);
		fake_set("/config/domain/a", NULL);
		fake_set("/request/r1", NULL);
		world_run(w, 1);
		assert_clean(before);
	}
}

/* The other host was told that it never will run here (cli/xm/arrival.c), or somebody removed it. */
static void test_domain_whose_record_went_while_it_started_never_runs(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();
	struct hv_domain info;

	for (unsigned int n = 0; n < 25; n++) {
		bool ran;

		world_record(w, "a");
		world_steps(w, n);
		ran = fake_hv_guest() >= 0 &&
		      !hv_domain_info(w->hv, (uint16_t)fake_hv_guest(), &info) && !info.paused;
		world_kill(w);
		fake_set("/config/domain/a", NULL);
		world_start(w);
		for (int i = 0; i < 10 && !ran; i++) {
			world_steps(w, 1);
			if (fake_hv_guest() >= 0 &&
			    !hv_domain_info(w->hv, (uint16_t)fake_hv_guest(), &info) && !info.paused)
				fail_msg("killed after %u: it runs", n);
		}
		if (ran)
			fake_hv_shutdown(fake_hv_guest(), HV_SHUTDOWN_POWEROFF);
		w->x.check_domains = true;
		world_run(w, 30);
		assert_clean(before);
		assert_string_equal(state_of("a"), "none");
	}
}

/* The newest move of domain "a". */
static const char *last_move(void)
{
	const char *last = "";
	char path[64];

	for (unsigned int i = 0; i < 400; i++) {
		snprintf(path, sizeof(path), "/history/domain/a/%08u", i);
		if (fake_get(path))
			last = fake_get(path);
	}
	return last;
}

static void test_xend_killed_at_any_step_of_a_stop_is_followed_by_one_that_ends_it(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	for (unsigned int n = 0; n < 25; n++) {
		world_record(w, "a");
		world_run(w, 1);
		assert_string_equal(state_of("a"), "running");
		fake_set("/request/r1/domain", "a");
		fake_set("/request/r1/op", "destroy");
		kill_after(w, n);
		assert_clean(before);
		assert_string_equal(state_of("a"), "shutdown");
		assert_string_equal(fake_get("/config/domain/a/power"), "off");
		/* Why it ended is known to the one that ends it, whoever began. */
		if (!strstr(last_move(), "shutdown destroy"))
			fail_msg("killed after %u: %s", n, last_move());
		fake_set("/request/r1", NULL);
		world_run(w, 1);
	}
}

static void test_xend_killed_during_a_reboot_still_restarts_the_guest(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	world_run(w, 1);
	for (unsigned int n = 0; n < 25; n++) {
		fake_hv_shutdown(fake_hv_guest(), HV_SHUTDOWN_REBOOT);
		world_run(w, 0);
		w->x.check_domains = true;
		kill_after(w, n);
		assert_string_equal(state_of("a"), "running");
		assert_int_equal(fake_hv_domains(), 1);
	}
}

static void test_running_and_paused_domains_are_adopted(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	world_run(w, 1);
	request(w, "pause", "a");
	world_kill(w);
	world_start(w);
	world_run(w, 20);
	assert_string_equal(state_of("a"), "paused");
	assert_int_equal(fake_hv_guest(), 1);
	request(w, "refresh", "");
	fake_hv_shutdown(1, HV_SHUTDOWN_POWEROFF);
	world_run(w, 30);
	assert_string_equal(state_of("a"), "shutdown");
}

/* The runtime part of the store ends with the boot; /config and /history stay. */
static void reboot_host(struct world *w)
{
	world_kill(w);
	for (int id = 1; id < 20; id++)
		fake_hv_vanish(id);
	fake_set("/status", NULL);
	fake_set("/host", NULL);
	fake_set("/local", NULL);
	world_start(w);
	world_run(w, 5);
}

static void test_autostart_decides_what_runs_after_a_host_reboot(void **state)
{
	static const struct {
		const char *name, *autostart, *persistent, *power, *then;
	} cases[] = {
		{ "never", "0", "1", "on", "defined" },
		{ "always", "1", "1", "off", "running" },
		{ "last-on", "last", "1", "on", "running" },
		{ "last-off", "last", "1", "off", "defined" },
		{ "transient", "0", "0", "on", "none" },
	};
	struct world *w = *state;
	char path[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_record(w, cases[i].name);
		snprintf(path, sizeof(path), "/config/domain/%s/memory", cases[i].name);
		fake_set(path, "12");
		snprintf(path, sizeof(path), "/config/domain/%s/autostart", cases[i].name);
		fake_set(path, cases[i].autostart);
		snprintf(path, sizeof(path), "/config/domain/%s/persistent", cases[i].name);
		fake_set(path, cases[i].persistent);
		snprintf(path, sizeof(path), "/config/domain/%s/power", cases[i].name);
		fake_set(path, cases[i].power);
	}
	world_run(w, 5);
	reboot_host(w);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(state_of(cases[i].name), cases[i].then);
	assert_null(fake_get("/config/domain/transient"));
}

static void test_a_restarted_xend_is_not_taken_for_a_host_reboot(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	fake_set("/config/domain/a/persistent", "0");
	world_run(w, 1);
	world_kill(w);
	world_start(w);
	world_run(w, 5);
	assert_string_equal(state_of("a"), "running");
	assert_string_equal(fake_get("/config/domain/a/power"), "on");
}

static void test_a_failed_transient_keeps_its_reason_until_the_record_is_removed(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	fake_set("/config/domain/a/persistent", "0");
	fake_set("/config/domain/a/kernel", "/nowhere");
	world_run(w, 60);
	assert_string_equal(state_of("a"), "failed");
	fake_set("/config/domain/a", NULL);
	world_run(w, 1);
	assert_string_equal(state_of("a"), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
		T(test_xend_killed_at_any_step_of_a_start_is_followed_by_a_clean_one),
		T(test_domain_whose_record_went_while_it_started_never_runs),
		T(test_xend_killed_at_any_step_of_a_stop_is_followed_by_one_that_ends_it),
		T(test_xend_killed_during_a_reboot_still_restarts_the_guest),
		T(test_running_and_paused_domains_are_adopted),
		T(test_autostart_decides_what_runs_after_a_host_reboot),
		T(test_a_restarted_xend_is_not_taken_for_a_host_reboot),
		T(test_a_failed_transient_keeps_its_reason_until_the_record_is_removed),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
