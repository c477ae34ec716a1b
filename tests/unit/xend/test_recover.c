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

/*
 * The other host was told that it never will run here (cli/xm/arrival.c), or somebody removed it.
 */
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

/* Of what may be nobody's word no copy is removed, and no wish made into another. */
static void test_a_boot_leaves_a_record_alone_that_was_brought_back(void **state)
{
	static const char *const keys[][2] = {
		{ "persistent", "0" }, { "arriving", "5fbf0e0a-6c5c-4a29-8f1d-0a6b3f6f8f11" },
		{ "autostart", "0" }, { "moved", "5fbf0e0a-6c5c-4a29-8f1d-0a6b3f6f8f11 b" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		char path[64], *before, *after;

		world_record(w, "a");
		fake_set("/config/domain/a/power", "off");
		world_run(w, 1);
		fake_lost("older 5 0 /config/domain/a/memory\n");
		snprintf(path, sizeof(path), "/config/domain/a/%s", keys[i][0]);
		fake_set(path, keys[i][1]);
		fake_set("/config/domain/a/power", "on");
		before = fake_dump("/config/domain");
		reboot_host(w);
		after = fake_dump("/config/domain");
		assert_string_equal(after, before);
		free(before);
		free(after);
		assert_int_equal(fake_hv_domains(), 0);
		assert_non_null(strstr(error_of("a"), "xs control lost known"));
		fake_set("/config/domain/a", NULL);
		fake_lost(NULL);
		world_run(w, 11);
	}
	/* What its power says counts when that is known. */
	for (int on = 0; on < 2; on++) {
		world_record(w, "a");
		fake_set("/config/domain/a/autostart", on ? "0" : "1");
		fake_set("/config/domain/a/power", on ? "on" : "off");
		fake_lost("older 5 0 /config/domain/a/memory\n");
		reboot_host(w);
		assert_int_equal(fake_hv_domains(), 0);
		fake_lost(NULL);
		world_run(w, 11);
		assert_int_equal(fake_hv_domains(), on);
	}
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

/* ---- a question that was not answered is no answer ---- */

/*
 * Starts another xend, while something does not answer: it may say that it cannot. Then one more.
 */
static void start_twice(struct world *w)
{
	if (xend_start(&w->x, w->xs, w->hv, -1, w->now)) {
		world_kill(w);
		fake_hv_fail(NULL, 0);
		world_start(w);
	}
	w->running = true;
	world_run(w, 30);
}

/* Domain 1 runs, as before. */
static void assert_untouched(const char *what)
{
	if (strcmp(state_of("a"), "running") || fake_hv_guest() != 1 || fake_introduced() != 1 ||
	    fake_hv_paused(1) || !fake_get("/config/domain/a/power") ||
	    strcmp(fake_get("/config/domain/a/power"), "on") ||
	    fake_get("/local/domain/1/control/shutdown")[0])
		fail_msg("%s: it is %s, domain %d", what, state_of("a"), fake_hv_guest());
}

static void test_a_hypervisor_that_names_no_domains_ends_none(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	world_run(w, 1);
	world_kill(w);
	fake_hv_fail("domain_list", -ENOMEM);
	start_twice(w);
	assert_untouched("domain_list");
}

static void test_a_store_that_does_not_answer_once_ends_no_domain_and_builds_none(void **state)
{
	static const char *const keys[] = {
		"/host/booted", "/status/domain", "/status/domain/a/foreign",
		"/status/domain/a/state", "/status/domain/a/uuid", "/status/domain/a/domid",
		"/status/domain/a/step", "/config/domain/a", "/config/domain/a/power",
	};
	struct world *w = *state;

	world_record(w, "a");
	fake_set("/config/domain/a/persistent", "0");
	world_run(w, 1);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		world_kill(w);
		fake_refuse_once(keys[i], EIO);
		start_twice(w);
		assert_true(fake_has_refused());
		assert_untouched(keys[i]);
	}
}

static void test_another_domain_by_an_old_number_is_left_alone(void **state)
{
	static const uint8_t uuid[16] = { 7 };
	struct world *w = *state;

	for (int restarted = 0; restarted < 2; restarted++) {
		int domid;

		world_record(w, "a");
		world_run(w, 1);
		domid = fake_hv_guest();
		if (restarted)
			world_kill(w);
		fake_hv_vanish(domid);
		fake_hv_foreign(domid, uuid);
		if (restarted)
			world_start(w);
		w->x.check_domains = true;
		world_run(w, 60);
		assert_string_equal(state_of("a"), "shutdown");
		assert_int_equal(fake_hv_guest(), domid);
		assert_false(fake_hv_paused(domid));
		fake_hv_vanish(domid);
	}
}

static void test_a_second_record_with_the_same_uuid_does_not_start(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	world_run(w, 1);
	world_record(w, "b");
	fake_set("/config/domain/b/uuid", fake_get("/config/domain/a/uuid"));
	world_run(w, 20);
	assert_string_equal(state_of("b"), "failed");
	assert_non_null(strstr(error_of("b"), "a has this uuid"));
	world_kill(w);
	world_start(w);
	world_run(w, 20);
	assert_untouched("b");
	assert_string_equal(state_of("b"), "failed");
}

/* One that still dies has its memory and disks: its successor waits. */
static void test_a_hypervisor_that_does_not_say_is_not_said_to_have_let_go(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	world_run(w, 1);
	fake_hv_hold(true);
	fake_hv_fail("domain_info", -ENOMEM);
	request(w, "destroy", "a");
	assert_string_equal(state_of("a"), "stopping");
	fake_hv_fail(NULL, 0);
	fake_hv_hold(false);
	world_run(w, 1);
	assert_string_equal(state_of("a"), "shutdown");
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
		T(test_a_boot_leaves_a_record_alone_that_was_brought_back),
		T(test_a_restarted_xend_is_not_taken_for_a_host_reboot),
		T(test_a_failed_transient_keeps_its_reason_until_the_record_is_removed),
		T(test_a_hypervisor_that_names_no_domains_ends_none),
		T(test_a_store_that_does_not_answer_once_ends_no_domain_and_builds_none),
		T(test_another_domain_by_an_old_number_is_left_alone),
		T(test_a_second_record_with_the_same_uuid_does_not_start),
		T(test_a_hypervisor_that_does_not_say_is_not_said_to_have_let_go),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
