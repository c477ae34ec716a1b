/* SPDX-License-Identifier: MIT */
/*
 * test_manager.c - records becoming domains and going away again, and nothing left behind.
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

#include "steps.h"
#include "world.h"

static const char *state_of(const char *name)
{
	char path[128];
	const char *s;

	snprintf(path, sizeof(path), "/status/domain/%s/state", name);
	s = fake_get(path);
	return s ? s : "none";
}

static const char *error_of(const char *name)
{
	char path[128];
	const char *s;

	snprintf(path, sizeof(path), "/status/domain/%s/error", name);
	s = fake_get(path);
	return s ? s : "";
}

static void request(struct world *w, const char *op, const char *domain)
{
	fake_set("/request/r1/domain", domain);
	fake_set("/request/r1/op", op);
	world_run(w, 1);
}

/* Nothing of any guest is left in machine or store. */
static void assert_clean(uint64_t free_kib)
{
	assert_int_equal(fake_hv_domains(), 0);
	assert_true(fake_hv_free_kib() == free_kib);
	assert_int_equal(fake_hv_windows(), 0);
	assert_int_equal(fake_introduced(), 0);
	assert_int_equal(fake_count("/local/domain/0/backend"), 4);
	assert_int_equal(fake_count("/local/domain"), 1 + fake_count("/local/domain/0"));
	assert_int_equal(fake_count("/vm"), 4);		/* dom0's */
}

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
	assert_string_equal(fake_get("/local/domain/1/name"), "web");
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
		after = fake_dump("/");
		assert_string_equal(after, dump);
		free(after);
	}
	free(dump);
}

static void test_every_failing_hypercall_undoes_everything(void **state)
{
	static const char *const ops[] = { "domain_create", "domain_max_mem", "domain_native_tsc",
		"populate", "set_memory_map", "evtchn_alloc", "map", "pin_l4", "domain_set_vcpu",
		"grant_seed", "domain_unpause" };
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		fake_hv_fail(ops[i], -EPERM);
		world_record(w, "web");
		world_run(w, 20);
		assert_string_equal(state_of("web"), "failed");
		assert_true(strlen(error_of("web")) > 10);
		assert_clean(before);
		fake_hv_fail(NULL, 0);
	}
	/* Written again, it is tried again. */
	fake_set("/config/domain/web/power", "on");
	world_run(w, 1);
	assert_string_equal(state_of("web"), "running");
	assert_string_equal(error_of("web"), "");
}

static void test_a_store_that_refuses_a_write_undoes_everything(void **state)
{
	static const char *const parts[] = { "/store/ring-ref", "/vm/", "@introduce",
					     "/vbd/", "/vif/", "/backend/console/" };
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		fake_fail_writes(parts[i]);
		world_record(w, "web");
		world_run(w, 20);
		fake_fail_writes(NULL);
		assert_string_equal(state_of("web"), "failed");
		assert_clean(before);
	}
}

static void test_racing_commits_are_repeated(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	fake_conflict(25);
	world_run(w, 1);
	assert_string_equal(state_of("web"), "running");
}

static void test_too_much_memory_names_the_shortfall_and_two_cures(void **state)
{
	struct world *w = *state;

	world_record(w, "big");
	fake_set("/config/domain/big/memory", "900");
	world_run(w, 1);
	assert_string_equal(state_of("big"), "failed");
	assert_string_equal(error_of("big"), "not enough memory: need 901 MiB, 64 MiB free: shut "
			    "down a domain, or lower memory=");
}

static void test_wrong_records_fail_with_the_key_and_what_would_be_right(void **state)
{
	static const struct { const char *key, *value, *says; } wrong[] = {
		{ "memory", "lots", "memory=lots is not possible: a number from" },
		{ "memory", "1", "memory=1 is not possible" },
		{ "memory", "4", "memory=4 is too little for kernel" },
		{ "vcpus", "0", "vcpus=0 is not possible: a number from 1 to 32" },
		{ "type", "hvm", "type=hvm is not possible: only pv is" },
		{ "kernel", "/nowhere/vmlinuz", "kernel file /nowhere/vmlinuz cannot be opened" },
		{ "kernel", "/", "is not a regular file" },
		{ "ramdisk", "/nowhere/initrd", "ramdisk file /nowhere/initrd cannot be opened" },
		{ "on_crash", "explode", "on_crash=explode is not known: use one of destroy" },
		{ "disk/0/vdev", "sdz9", "vdev=sdz9 is not a disk name such as xvda" },
		{ "disk/0/target", "relative.img", "use file:/path or phy:/dev/x" },
		{ "disk/0/mode", "x", "mode=x is not known: use r, w or w!" },
		{ "disk/0/format", "qcow2", "only raw is" },
		{ "vif/0/mac", "nonsense", "mac=nonsense is not an address" },
		{ "uuid", "123", "uuid=123 is not a UUID" },
	};
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();
	char path[128];

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		world_record(w, "web");
		snprintf(path, sizeof(path), "/config/domain/web/%s", wrong[i].key);
		fake_set(path, wrong[i].value);
		world_run(w, 15);
		assert_string_equal(state_of("web"), "failed");
		if (!strstr(error_of("web"), wrong[i].says))
			fail_msg("%s=%s says: %s", wrong[i].key, wrong[i].value, error_of("web"));
		assert_clean(before);
		fake_set("/config/domain/web", NULL);
		world_run(w, 1);
		assert_string_equal(state_of("web"), "none");
	}
}

static void test_a_backend_s_error_becomes_the_domain_s(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	w->backends = BACKENDS_BROKEN;
	world_record(w, "web");
	world_run(w, 15);
	assert_string_equal(state_of("web"), "failed");
	assert_string_equal(error_of("web"), "network card 0: bridge nosuch does not exist");
	assert_clean(before);
}

static void test_a_silent_backend_is_named_after_its_time(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	w->backends = BACKENDS_SILENT;
	world_record(w, "web");
	world_run(w, 5);
	assert_string_equal(state_of("web"), "starting");
	world_run(w, 60);
	assert_string_equal(state_of("web"), "failed");
	assert_non_null(strstr(error_of("web"), "disk xvda: its backend did not come up in time"));
	assert_clean(before);
}

static void test_a_backend_that_never_closes_does_not_keep_the_domain(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	world_record(w, "web");
	world_run(w, 1);
	w->backends = BACKENDS_NEVER_CLOSE;
	request(w, "destroy", "web");
	world_run(w, 15);
	assert_string_equal(state_of("web"), "shutdown");
	assert_clean(before);
}

static void test_held_frames_are_waited_for(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	world_run(w, 1);
	fake_hv_hold(true);
	request(w, "destroy", "web");
	assert_string_equal(state_of("web"), "stopping");
	assert_null(fake_get("/request/r1/state"));
	fake_hv_hold(false);
	world_run(w, 1);
	assert_string_equal(state_of("web"), "shutdown");
	assert_string_equal(fake_get("/request/r1/state"), "done");
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
	static const struct { const char *name, *autostart, *persistent, *power, *then; } cases[] = {
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

static void test_a_name_that_is_no_path_is_left_alone(void **state)
{
	struct world *w = *state;

	fake_set("/config/domain/bad name/memory", "16");
	fake_set("/config/domain/bad name/power", "on");
	world_run(w, 5);
	assert_int_equal(fake_hv_domains(), 0);
	assert_int_equal(fake_count("/status/domain"), 8);	/* dom0's only */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
		T(test_a_record_with_power_on_becomes_a_running_domain),
		T(test_the_guest_may_write_only_what_is_its_own),
		T(test_power_off_asks_the_guest_and_then_removes_everything),
		T(test_thirty_cycles_return_to_the_starting_point),
		T(test_every_failing_hypercall_undoes_everything),
		T(test_a_store_that_refuses_a_write_undoes_everything),
		T(test_racing_commits_are_repeated),
		T(test_too_much_memory_names_the_shortfall_and_two_cures),
		T(test_wrong_records_fail_with_the_key_and_what_would_be_right),
		T(test_a_backend_s_error_becomes_the_domain_s),
		T(test_a_silent_backend_is_named_after_its_time),
		T(test_a_backend_that_never_closes_does_not_keep_the_domain),
		T(test_held_frames_are_waited_for),
		T(test_a_reboot_starts_it_anew_and_never_loses_the_record),
		T(test_a_crash_follows_on_crash),
		T(test_a_domain_that_crashes_at_once_is_not_restarted_for_ever),
		T(test_a_domain_another_tool_destroyed_is_cleaned_up),
		T(test_pause_and_unpause_are_requests),
		T(test_requests_that_cannot_be_are_answered_with_a_reason),
		T(test_an_answer_nobody_fetches_goes_after_a_minute),
		T(test_dmesg_comes_in_pieces_that_fit_a_node),
		T(test_xend_killed_at_any_step_of_a_start_is_followed_by_a_clean_one),
		T(test_xend_killed_at_any_step_of_a_stop_is_followed_by_one_that_ends_it),
		T(test_xend_killed_during_a_reboot_still_restarts_the_guest),
		T(test_running_and_paused_domains_are_adopted),
		T(test_autostart_decides_what_runs_after_a_host_reboot),
		T(test_a_restarted_xend_is_not_taken_for_a_host_reboot),
		T(test_a_failed_transient_keeps_its_reason_until_the_record_is_removed),
		T(test_a_removed_record_shuts_its_domain_down),
		T(test_a_changed_record_is_marked_pending_while_it_runs),
		T(test_history_tells_the_story_and_stays_bounded),
		T(test_a_name_that_is_no_path_is_left_alone),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
