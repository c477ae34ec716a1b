/* SPDX-License-Identifier: MIT */
/*
 * test_manager.c - records becoming domains, living, and going away again.
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

static void test_a_record_with_power_on_becomes_a_running_domain(void **state)
{
	struct world *w = *state;
	int id;

	world_record(w, "web");
	world_run(w, 1);

	id = fake_hv_guest();
	assert_string_equal(state_of("web"), "running");
	assert_int_equal(atoi(fake_get("/status/domain/web/domid")), id);
	assert_false(fake_hv_paused(id));
	assert_int_equal(fake_introduced(), 1);
	assert_null(fake_get("/status/domain/web/step"));
	assert_string_equal(fake_get("/status/domain/web/memory_kib"), "16384");
	assert_int_equal(strtoull(fake_get("/status/domain/web/started"), NULL, 10), w->x.now_ns / NS_PER_S);
	assert_string_equal(fake_get("/local/domain/1/name"), "web");
	assert_string_equal(fake_get("/host/vulnerabilities/meltdown"), "Meltdown: open: turned off");
}

static void test_the_guest_may_write_only_what_is_its_own(void **state)
{
	struct world *w = *state;
	char *dump;

	world_record(w, "web");
	world_run(w, 1);
	dump = fake_dump("/");

	assert_non_null(strstr(dump, "/local/domain/1 = \"\" n0 r1"));
	assert_non_null(strstr(dump, "/local/domain/1/control/shutdown = \"\" n1 r-1"));
	assert_non_null(strstr(dump, "/local/domain/1/device/vbd/51712/state = \"1\" n1 r0"));
	assert_non_null(strstr(dump, "/local/domain/1/console/tty = \"\" n0 r1"));
	assert_non_null(strstr(dump, "/local/domain/1/device = \"\" n0 r1"));
	assert_non_null(strstr(dump, "backend/vbd/1/51712/params = \"/data/disk.img\" n0 r1"));
	assert_non_null(strstr(dump, "backend/vif/1/0/mac = \"00:16:3e:"));
	assert_non_null(strstr(dump, "/config/domain/web/memory = \"16\" n0 r-1"));
	free(dump);
}

static void test_the_guest_may_not_read_what_its_disks_script_is_told(void **state)
{
	struct world *w = *state;
	char *dump;

	world_record(w, "web");
	fake_set("/config/domain/web/disk/0/target", "script:block-x:password=secret");
	world_run(w, 1);
	dump = fake_dump("/");
	assert_non_null(strstr(dump, "backend/vbd/1/51712/params = \"script:block-x:password=secret\" n0 r-1"));
	assert_non_null(strstr(dump, "backend/vbd/1/51712/mode = \"w\" n0 r1"));
	free(dump);
}

static void test_the_guest_may_not_read_its_screens_password(void **state)
{
	struct world *w = *state;
	char *dump;

	world_record(w, "web");
	fake_set("/config/domain/web/vfb/vnc", "1");
	fake_set("/config/domain/web/vfb/vnclisten", "0.0.0.0");
	fake_set("/config/domain/web/vfb/vncpasswd", "secret");
	world_run(w, 1);
	dump = fake_dump("/");
	assert_non_null(strstr(dump, "backend/vfb/1/0/vnclisten = \"0.0.0.0\" n0 r1"));
	assert_non_null(strstr(dump, "backend/vfb/1/0/vncpasswd = \"secret\" n0 r-1"));
	assert_non_null(strstr(dump, "/local/domain/1/device/vfb/0/state = \"1\" n1 r0"));
	assert_non_null(strstr(dump, "/local/domain/1/device/vkbd/0/state = \"1\" n1 r0"));
	free(dump);
}

static void test_a_screen_anybody_could_use_starts_no_domain(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	fake_set("/config/domain/web/vfb/vnc", "1");
	fake_set("/config/domain/web/vfb/vnclisten", "0.0.0.0");
	world_run(w, 1);
	assert_string_equal(state_of("web"), "failed");
	assert_non_null(strstr(error_of("web"), "needs vncpasswd"));
}

static void test_power_off_asks_the_guest_and_then_removes_everything(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	world_record(w, "web");
	world_run(w, 1);
	fake_set("/config/domain/web/power", "off");
	world_run(w, 1);
	assert_string_equal(state_of("web"), "stopping");
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "poweroff");
	fake_hv_shutdown(1, HV_SHUTDOWN_POWEROFF);
	world_run(w, 15);

	assert_string_equal(state_of("web"), "shutdown");
	assert_clean(before);
	assert_non_null(fake_get("/config/domain/web/memory"));
}

static void test_thirty_cycles_return_to_the_starting_point(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();
	char *dump = fake_dump("/");

	for (int i = 0; i < 30; i++) {
		char *after;

		world_record(w, "demo");
		fake_set("/config/domain/demo/persistent", "0");
		world_run(w, 1);
		assert_string_equal(state_of("demo"), "running");
		request(w, "destroy", "demo");
		assert_string_equal(fake_get("/request/r1/state"), "done");
		fake_set("/request/r1", NULL);
		world_run(w, 1);

		assert_clean(before);
		/* All that is left of it is its past. */
		assert_int_equal(fake_count("/history/domain/demo"), 1 + 4);
		fake_set("/history/domain/demo", NULL);
		after = fake_dump("/");
		assert_string_equal(after, dump);
		free(after);
	}
	free(dump);
}

static void test_a_reboot_starts_it_anew_and_never_loses_the_record(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	fake_set("/config/domain/web/persistent", "0");
	world_run(w, 1);
	fake_hv_shutdown(1, HV_SHUTDOWN_REBOOT);
	world_run(w, 15);
	assert_string_equal(state_of("web"), "running");
	assert_int_equal(fake_hv_guest(), 2);
	assert_string_equal(fake_get("/config/domain/web/power"), "on");
	assert_string_equal(fake_get("/local/domain/2/name"), "web");
}

static void test_a_crash_follows_on_crash(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	world_record(w, "a");
	world_run(w, 1);
	fake_hv_shutdown(1, HV_SHUTDOWN_CRASH);
	world_run(w, 15);
	assert_string_equal(state_of("a"), "crashed");
	assert_string_equal(fake_get("/config/domain/a/power"), "off");
	assert_clean(before);

	fake_set("/config/domain/a/on_crash", "preserve");
	fake_set("/config/domain/a/power", "on");
	world_run(w, 1);
	fake_hv_shutdown(2, HV_SHUTDOWN_CRASH);
	world_run(w, 15);
	assert_string_equal(state_of("a"), "crashed");
	assert_int_equal(fake_hv_guest(), 2);
	request(w, "destroy", "a");
	world_run(w, 5);
	assert_clean(before);
}

static void test_a_domain_that_crashes_at_once_is_not_restarted_for_ever(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	fake_set("/config/domain/a/on_crash", "restart");
	world_run(w, 1);
	for (int i = 0; i < 20 && fake_hv_guest() != -1; i++) {
		fake_hv_shutdown(fake_hv_guest(), HV_SHUTDOWN_CRASH);
		world_run(w, 12);
	}
	assert_string_equal(state_of("a"), "crashed");
	assert_int_equal(fake_hv_domains(), 0);
	assert_non_null(strstr(error_of("a"), "crashed 6 times within a minute"));
}

static void test_a_domain_another_tool_destroyed_is_cleaned_up(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	world_record(w, "a");
	world_run(w, 1);
	fake_hv_vanish(1);
	world_run(w, 15);
	assert_string_equal(state_of("a"), "shutdown");
	assert_clean(before);
}

static void test_pause_and_unpause_are_requests(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	world_run(w, 1);
	request(w, "pause", "a");
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_true(fake_hv_paused(1));
	assert_string_equal(state_of("a"), "paused");
	fake_set("/request/r1", NULL);
	world_run(w, 1);
	request(w, "unpause", "1");
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_false(fake_hv_paused(1));
	assert_string_equal(state_of("a"), "running");
}

static void test_requests_that_cannot_be_are_answered_with_a_reason(void **state)
{
	static const struct { const char *op, *domain, *says; } cases[] = {
		{ "destroy", "nobody", "there is no domain nobody" },
		{ "destroy", "off", "off is not running (it is defined)" },
		{ "unpause", "on", "on is not paused (it is running)" },
		{ "dance", "on", "operation dance is not known" },
	};
	struct world *w = *state;

	world_record(w, "on");
	world_record(w, "off");
	fake_set("/config/domain/off/power", "off");
	world_run(w, 1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		request(w, cases[i].op, cases[i].domain);
		assert_string_equal(fake_get("/request/r1/state"), "failed");
		assert_string_equal(fake_get("/request/r1/error"), cases[i].says);
		fake_set("/request/r1", NULL);
		world_run(w, 1);
	}
}

static void test_an_answer_nobody_fetches_goes_after_a_minute(void **state)
{
	struct world *w = *state;

	request(w, "refresh", "");
	assert_string_equal(fake_get("/request/r1/state"), "done");
	world_run(w, 50);
	assert_non_null(fake_get("/request/r1"));
	world_run(w, 20);
	assert_null(fake_get("/request/r1"));
}

static void test_dmesg_comes_in_pieces_that_fit_a_node(void **state)
{
	request(*state, "dmesg", "");
	assert_int_equal(strlen(fake_get("/request/r1/output/0")), 1900);
	assert_int_equal(strlen(fake_get("/request/r1/output/2")), 1200);
	assert_null(fake_get("/request/r1/output/3"));
}

/* Else each of N domains would cost N times what the first did. */
static void test_a_start_writes_the_figures_of_no_other_domain(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	world_run(w, 1);
	fake_set("/status/domain/a/cpu_time_ns", "77");
	world_record(w, "b");
	world_run(w, 1);
	assert_string_equal(state_of("b"), "running");
	assert_non_null(fake_get("/status/domain/b/memory_kib"));
	assert_string_equal(fake_get("/status/domain/a/cpu_time_ns"), "77");
}

static void test_debug_keys_reach_the_hypervisor(void **state)
{
	fake_set("/request/r1/args/keys", "qA");
	request(*state, "debug-keys", "");
	assert_string_equal(fake_get("/request/r1/state"), "done");
	assert_string_equal(fake_debug_keys, "qA");
}

static void test_too_many_debug_keys_are_refused(void **state)
{
	fake_set("/request/r1/args/keys", "qqqqqqqqqqqqqqqqq");
	request(*state, "debug-keys", "");
	assert_non_null(strstr(fake_get("/request/r1/error"), "more than 16 debug keys"));
}

static void test_no_debug_key_is_refused(void **state)
{
	request(*state, "debug-keys", "");
	assert_non_null(strstr(fake_get("/request/r1/error"), "h lists them"));
}

/* Every move of @name in one text. */
static const char *past_of(const char *name)
{
	static char text[8192];
	char root[128];
	char *dump;

	snprintf(root, sizeof(root), "/history/domain/%s", name);
	dump = fake_dump(root);
	snprintf(text, sizeof(text), "%s", dump);
	free(dump);
	return text;
}

static void test_why_it_is_gone_outlives_a_transient_domain(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	fake_set("/config/domain/web/persistent", "0");
	world_run(w, 1);
	fake_hv_shutdown(1, HV_SHUTDOWN_POWEROFF);
	world_run(w, 15);
	assert_string_equal(state_of("web"), "none");
	assert_non_null(strstr(past_of("web"), "stopping shutdown poweroff"));

	world_record(w, "bad");
	fake_set("/config/domain/bad/persistent", "0");
	fake_set("/config/domain/bad/kernel", "/nowhere/vmlinuz");
	world_run(w, 5);
	assert_string_equal(state_of("bad"), "failed");
	fake_set("/config/domain/bad", NULL);
	world_run(w, 1);
	assert_non_null(strstr(past_of("bad"), "starting failed image: kernel file /nowhere/vmlinuz"));
}

static void test_a_crash_loop_says_so_for_good(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	fake_set("/config/domain/web/on_crash", "restart");
	fake_set("/config/domain/web/persistent", "0");
	world_run(w, 1);
	for (int i = 0; i < 6; i++) {
		fake_hv_shutdown(fake_hv_guest(), HV_SHUTDOWN_CRASH);
		world_run(w, 12);
	}
	assert_string_equal(state_of("web"), "none");
	assert_non_null(strstr(past_of("web"),
			       "stopping crashed crash: crashed 6 times within a minute"));
}

static void test_the_past_of_few_names_is_kept(void **state)
{
	struct world *w = *state;
	char name[32], path[64];

	for (int i = 0; i < 70; i++) {
		snprintf(name, sizeof(name), "gone%d", i);
		snprintf(path, sizeof(path), "/history/domain/%s/00000000", name);
		fake_set(path, i == 7 ? "2001 older" : "2002 newer");
	}
	for (int i = 0; i < 8; i++) {
		world_record(w, "web");
		fake_set("/config/domain/web/persistent", "0");
		world_run(w, 1);
		request(w, "destroy", "web");
		world_run(w, 15);
	}
	assert_null(fake_get("/history/domain/gone7/00000000"));
	assert_non_null(strstr(past_of("web"), "stopping shutdown destroy"));
	assert_int_equal(fake_count("/history/domain"), 1 + 2 * 63 + 1 + 16);
}

/* Whatever it is doing, destroy ends it, and it does not come up later. */
static void test_destroy_ends_every_live_state(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	for (unsigned int steps = 0; steps < 60; steps++) {
		world_record(w, "web");
		fake_set("/config/domain/web/on_crash", "restart");
		world_steps(w, 1);
		if (steps >= 30) {
			world_run(w, 1);
			fake_hv_shutdown(fake_hv_guest(), HV_SHUTDOWN_CRASH);
			w->x.check_domains = true;
		}
		world_steps(w, steps % 30);
		fake_set("/request/r1/domain", "web");
		fake_set("/request/r1/op", "destroy");
		world_run(w, 30);
		if (!fake_get("/request/r1/state") || strcmp(fake_get("/request/r1/state"), "done"))
			fail_msg("after %u steps: %s", steps, fake_get("/request/r1/error"));
		assert_string_equal(state_of("web"), "shutdown");
		assert_string_equal(fake_get("/config/domain/web/power"), "off");
		assert_clean(before);
		fake_set("/request/r1", NULL);
		fake_set("/config/domain/web", NULL);
		world_run(w, 70);
	}
}

static void test_a_host_name_names_a_domain(void **state)
{
	struct world *w = *state;

	world_record(w, "shop@2eexample@2eorg");
	world_run(w, 5);
	assert_string_equal(state_of("shop@2eexample@2eorg"), "running");
	assert_string_equal(fake_get("/local/domain/1/name"), "shop.example.org");
	request(w, "destroy", "shop.example.org");
	world_run(w, 15);
	assert_string_equal(state_of("shop@2eexample@2eorg"), "shutdown");
}

/* What /status says of the host's own domain is not a record's. */
static void test_a_record_called_domain_0_is_left_alone(void **state)
{
	struct world *w = *state;

	world_record(w, "Domain-0");
	world_run(w, 5);
	assert_string_equal(state_of("Domain-0"), "running");
	assert_string_equal(fake_get("/status/domain/Domain-0/domid"), "0");
	assert_int_equal(fake_hv_domains(), 0);
}

static void test_a_removed_record_shuts_its_domain_down(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	world_run(w, 1);
	fake_set("/config/domain/a", NULL);
	world_run(w, 1);
	assert_string_equal(state_of("a"), "stopping");
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "poweroff");
	fake_hv_shutdown(1, HV_SHUTDOWN_POWEROFF);
	world_run(w, 15);
	assert_string_equal(state_of("a"), "none");
	assert_null(fake_get("/config/domain/a"));
}

static void test_a_changed_record_is_marked_pending_while_it_runs(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	world_run(w, 1);
	assert_null(fake_get("/status/domain/a/pending"));
	fake_set("/config/domain/a/memory", "20");
	world_run(w, 1);
	assert_string_equal(fake_get("/status/domain/a/pending"), "1");
	fake_set("/config/domain/a/memory", "16");
	world_run(w, 1);
	assert_null(fake_get("/status/domain/a/pending"));
}

static void test_so_is_each_word_on_its_devices(void **state)
{
	static const struct {
		const char *key, *value;
	} words[] = {
		{ "disk/0/cache", "none" },	{ "disk/0/mode", "w!" },   { "disk/0/target", "file:/b" },
		{ "vif/0/ip", "10.0.0.9" },	{ "vif/0/bridge", "br9" }, { "vif/0/script", "vif-route" },
		{ "vif/0/vifname", "web0" }, { "vif/0/rate", "1Mb/s" },
		{ "vif/0/gatewaydev", "eth1" },
	};
	struct world *w = *state;
	char path[64], *before;

	world_record(w, "a");
	world_run(w, 1);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		snprintf(path, sizeof(path), "/config/domain/a/%s", words[i].key);
		before = fake_get(path) ? strdup(fake_get(path)) : NULL;
		fake_set(path, words[i].value);
		world_run(w, 1);
		assert_non_null(fake_get("/status/domain/a/pending"));
		fake_set(path, before);
		world_run(w, 1);
		assert_null(fake_get("/status/domain/a/pending"));
		free(before);
	}
}

static void test_history_tells_the_story_and_stays_bounded(void **state)
{
	struct world *w = *state;

	world_record(w, "a");
	world_run(w, 1);
	assert_non_null(strstr(fake_get("/history/domain/a/00000001"), "starting running built"));
	for (int i = 0; i < 20; i++) {
		fake_hv_shutdown(fake_hv_guest(), HV_SHUTDOWN_REBOOT);
		world_run(w, 12);
	}
	assert_int_equal(fake_count("/history/domain/a"), 1 + 16);
	assert_null(fake_get("/history/domain/a/00000001"));
}

/* What the store says it has lost, or has brought back, is nobody's word. */
static void test_nothing_is_stopped_for_a_record_that_was_lost(void **state)
{
	static const char *const losses[] = {
		"lost 5 0 /config/domain/other\nlost 5 0 /config/domain/web\n",
		"older 5 0 /config/domain/web/power\n",
		"unknown 5 0 /\n",
		"stale 5 0 /config/domain\n",
	};
	struct world *w = *state;
	int id;

	world_record(w, "web");
	world_run(w, 1);
	id = fake_hv_guest();
	assert_string_equal(fake_get("/status/store"), "whole");
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		fake_lost(losses[i]);
		if (i % 2)
			fake_set("/config/domain/web/power", "off");
		else
			fake_set("/config/domain/web", NULL);
		world_run(w, 60);
		assert_string_equal(state_of("web"), "running");
		assert_int_equal(fake_hv_guest(), id);
		assert_null(fake_get("/local/domain/1/control/shutdown") &&
			    *fake_get("/local/domain/1/control/shutdown") ? "asked" : NULL);
		assert_non_null(strstr(error_of("web"), "xs control lost known"));
		assert_string_equal(fake_get("/status/store"), "degraded");
		/* Another xend knows as much. */
		world_kill(w);
		world_start(w);
		world_run(w, 60);
		assert_int_equal(fake_hv_guest(), id);
		world_record(w, "web");
		world_run(w, 2);
		assert_string_equal(error_of("web"), "");
	}
	fake_set("/config/domain/web", NULL);
	world_run(w, 2);
	assert_string_equal(state_of("web"), "running");
	fake_lost(NULL);
	world_run(w, 11);
	assert_string_equal(fake_get("/status/store"), "whole");
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "poweroff");
}

static void test_nothing_is_started_for_a_record_that_was_brought_back(void **state)
{
	struct world *w = *state;

	fake_lost("older 5 0 /config/domain/web/memory\n");
	world_record(w, "web");
	world_record(w, "webber");
	world_run(w, 60);
	assert_int_equal(fake_hv_domains(), 1);
	assert_string_equal(state_of("webber"), "running");
	assert_non_null(strstr(error_of("web"), "xs control lost known"));
	world_kill(w);
	world_start(w);
	world_run(w, 60);
	assert_int_equal(fake_hv_domains(), 1);
	fake_lost(NULL);
	world_run(w, 11);
	assert_int_equal(fake_hv_domains(), 2);
	assert_string_equal(error_of("web"), "");
	assert_string_equal(state_of("web"), "running");
}

/* xend must not look at what it has forgotten. */
static void test_a_stopped_domain_whose_record_goes_is_forgotten_and_no_more(void **state)
{
	struct world *w = *state;

	for (int lost = 0; lost < 2; lost++) {
		fake_lost(lost ? "lost 5 0 /config/domain/web\n" : NULL);
		world_record(w, "web");
		fake_set("/config/domain/web/power", "off");
		world_run(w, 11);
		assert_string_equal(state_of("web"), "defined");
		fake_set("/config/domain/web", NULL);
		world_run(w, 2);
		assert_string_equal(state_of("web"), "none");
		assert_null(domain_find(&w->x, "web"));
	}
}

/* It is no loss's word that a record says what its guest ran with. */
static void test_a_reboot_is_one_under_a_record_that_says_what_it_ran_with(void **state)
{
	struct world *w = *state;
	int id;

	world_record(w, "web");
	world_run(w, 1);
	fake_lost("unknown 5 0 /\n");
	world_run(w, 11);
	for (int i = 0; i < 3; i++) {
		id = fake_hv_guest();
		fake_hv_shutdown(id, HV_SHUTDOWN_REBOOT);
		w->x.check_domains = true;
		world_run(w, 12);
		assert_string_equal(state_of("web"), "running");
		assert_int_not_equal(fake_hv_guest(), id);
	}
	/* Another kernel's or another disk's is. */
	for (int i = 0; i < 2; i++) {
		fake_set(i ? "/config/domain/web/disk/0/target" : "/config/domain/web/memory",
			 i ? "file:/data/other.img" : "20");
		world_run(w, 1);
		fake_hv_shutdown(fake_hv_guest(), HV_SHUTDOWN_REBOOT);
		w->x.check_domains = true;
		world_run(w, 30);
		assert_int_equal(fake_hv_domains(), 0);
		assert_non_null(strstr(error_of("web"), "xs control lost known"));
		fake_lost(NULL);
		world_run(w, 11);
		assert_string_equal(state_of("web"), "running");
		fake_lost("unknown 5 0 /\n");
		world_run(w, 11);
	}
}

/* Brought back between its two lives. */
static void test_what_is_brought_back_while_a_guest_reboots_does_not_start(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	world_run(w, 1);
	fake_lost("older 5 0 /config/domain/web/memory\n");
	fake_hv_shutdown(fake_hv_guest(), HV_SHUTDOWN_REBOOT);
	w->x.check_domains = true;
	world_steps(w, 2);
	assert_string_not_equal(state_of("web"), "none");
	fake_set("/config/domain/web/memory", "20");
	world_run(w, 30);
	assert_int_equal(fake_hv_domains(), 0);
	assert_non_null(strstr(error_of("web"), "xs control lost known"));
}

static void test_a_shutdown_that_is_held_says_what_holds_it(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	world_run(w, 1);
	fake_lost("older 5 0 /config/domain/web/memory\n");
	request(w, "shutdown", "web");
	assert_string_equal(fake_get("/request/r1/state"), "failed");
	assert_non_null(strstr(fake_get("/request/r1/error"), "xs control lost known"));
	assert_non_null(strstr(fake_get("/request/r1/error"), "xm destroy web"));
	assert_non_null(strstr(error_of("web"), "xm destroy"));
	assert_string_equal(state_of("web"), "running");
	fake_set("/request/r1", NULL);
	fake_lost(NULL);
	world_run(w, 11);
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "poweroff");
	request(w, "shutdown", "web");
	assert_string_equal(fake_get("/request/r1/state"), "done");
}

static void test_a_store_that_does_not_say_has_lost_what_it_had(void **state)
{
	struct world *w = *state;

	fake_lost("older 5 0 /config/domain/web/memory\n");
	world_record(w, "web");
	world_run(w, 11);
	assert_int_equal(fake_hv_domains(), 0);
	for (int i = 0; i < 5; i++) {
		fake_refuse_once("stat", i % 2 ? EIO : ENOMEM);
		world_run(w, 2);
		assert_true(fake_has_refused());
		assert_string_equal(fake_get("/status/store"), "degraded");
		assert_int_equal(fake_hv_domains(), 0);
	}
	/* Nor is it whole where nobody has said so yet. */
	fake_set("/config/domain/web", NULL);
	fake_lost(NULL);
	world_run(w, 11);
	world_kill(w);
	fake_refuse_once("stat", EIO);
	world_start(w);
	assert_string_equal(fake_get("/status/store"), "degraded");
	world_run(w, 11);
	assert_string_equal(fake_get("/status/store"), "whole");
	/* One of another kind has no such word. */
	world_kill(w);
	fake_refuse_once("stat", EINVAL);
	world_start(w);
	assert_string_equal(fake_get("/status/store"), "whole");
}

/* The list may be long, and all of it is walked for each piece. */
static void test_what_is_lost_is_not_asked_each_second(void **state)
{
	struct world *w = *state;
	unsigned int before;

	fake_lost("older 5 0 /config/domain/web/memory\n");
	world_record(w, "web");
	world_run(w, 1);
	before = fake_lost_asked();
	world_run(w, 60);
	assert_true(fake_lost_asked() - before <= 7);
}

static void test_the_share_of_a_record_that_was_brought_back_is_not_followed(void **state)
{
	struct world *w = *state;
	struct hv_credit c;

	world_record(w, "web");
	fake_set("/config/domain/web/cap", "70");
	world_run(w, 1);
	fake_lost("older 5 0 /config/domain/web/cap\n");
	fake_set("/config/domain/web/cap", "50");
	fake_set("/config/domain/web/persistent", "0");
	world_run(w, 30);
	assert_int_equal(hv_credit_get(w->hv, (uint16_t)fake_hv_guest(), &c), 0);
	assert_int_equal(c.cap, 70);
	assert_null(fake_get("/status/domain/web/transient"));
	assert_non_null(strstr(error_of("web"), "xs control lost known"));
	fake_lost(NULL);
	world_run(w, 11);
	assert_int_equal(hv_credit_get(w->hv, (uint16_t)fake_hv_guest(), &c), 0);
	assert_int_equal(c.cap, 50);
	assert_non_null(fake_get("/status/domain/web/transient"));
	assert_string_equal(error_of("web"), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
		T(test_a_record_with_power_on_becomes_a_running_domain),
		T(test_the_guest_may_write_only_what_is_its_own),
		T(test_the_guest_may_not_read_what_its_disks_script_is_told),
		T(test_the_guest_may_not_read_its_screens_password),
		T(test_a_screen_anybody_could_use_starts_no_domain),
		T(test_power_off_asks_the_guest_and_then_removes_everything),
		T(test_thirty_cycles_return_to_the_starting_point),
		T(test_a_reboot_starts_it_anew_and_never_loses_the_record),
		T(test_a_crash_follows_on_crash),
		T(test_a_domain_that_crashes_at_once_is_not_restarted_for_ever),
		T(test_a_domain_another_tool_destroyed_is_cleaned_up),
		T(test_pause_and_unpause_are_requests),
		T(test_requests_that_cannot_be_are_answered_with_a_reason),
		T(test_an_answer_nobody_fetches_goes_after_a_minute),
		T(test_dmesg_comes_in_pieces_that_fit_a_node),
		T(test_a_start_writes_the_figures_of_no_other_domain),
		T(test_debug_keys_reach_the_hypervisor),
		T(test_too_many_debug_keys_are_refused),
		T(test_no_debug_key_is_refused),
		T(test_why_it_is_gone_outlives_a_transient_domain),
		T(test_a_crash_loop_says_so_for_good),
		T(test_the_past_of_few_names_is_kept),
		T(test_destroy_ends_every_live_state),
		T(test_a_host_name_names_a_domain),
		T(test_a_record_called_domain_0_is_left_alone),
		T(test_nothing_is_stopped_for_a_record_that_was_lost),
		T(test_nothing_is_started_for_a_record_that_was_brought_back),
		T(test_a_stopped_domain_whose_record_goes_is_forgotten_and_no_more),
		T(test_a_reboot_is_one_under_a_record_that_says_what_it_ran_with),
		T(test_what_is_brought_back_while_a_guest_reboots_does_not_start),
		T(test_a_shutdown_that_is_held_says_what_holds_it),
		T(test_a_store_that_does_not_say_has_lost_what_it_had),
		T(test_what_is_lost_is_not_asked_each_second),
		T(test_the_share_of_a_record_that_was_brought_back_is_not_followed),
		T(test_a_removed_record_shuts_its_domain_down),
		T(test_a_changed_record_is_marked_pending_while_it_runs),
		T(test_so_is_each_word_on_its_devices),
		T(test_history_tells_the_story_and_stays_bounded),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
