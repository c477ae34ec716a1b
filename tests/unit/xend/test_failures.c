/* SPDX-License-Identifier: MIT */
/*
 * test_failures.c - what goes wrong is said in the user's words and leaves nothing behind.
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

#include "record_store.h"
#include "world.h"

static void test_every_failing_hypercall_undoes_everything(void **state)
{
	static const char *const ops[] = { "domain_create", "domain_max_mem", "domain_native_tsc",
		"populate", "set_memory_map", "evtchn_alloc", "map", "pin", "domain_set_vcpu",
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

#define TARGET "/local/domain/0/memory/target"

/* A domain is to be started on a machine whose memory is dom0's, which keeps @least MiB. */
static void wants_of_dom0(struct world *w, const char *least, unsigned int seconds)
{
	fake_hv_dom0_gets(60 << 10);
	fake_set("/config/host/dom0_min_mem", least);
	world_record(w, "web");
	world_run(w, seconds);
}

static void test_dom0_gives_what_is_missing_where_it_may(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	wants_of_dom0(w, "256", 2);
	assert_string_equal(state_of("web"), "starting");
	/*
	 * 572 MiB, less the 16 of the domain and 1 for it in the hypervisor, which has some left.
	 */
	assert_int_equal(atoi(fake_get(TARGET)),
			 (572 << 10) - ((17 << 10) - (int)fake_hv_free_kib()));
	fake_hv_dom0_gets((int64_t)atoi(fake_get(TARGET)) - (572 << 10));
	world_run(w, 2);
	assert_string_equal(state_of("web"), "running");
	assert_true(fake_hv_free_kib() < before);
}

static void test_dom0_that_does_not_give_fails_the_start(void **state)
{
	struct world *w = *state;

	wants_of_dom0(w, "256", 70);
	assert_string_equal(state_of("web"), "failed");
	assert_non_null(strstr(error_of("web"), "Domain-0 was asked"));
	assert_int_equal(fake_hv_domains(), 0);
}

static void test_dom0_keeps_its_least(void **state)
{
	struct world *w = *state;

	wants_of_dom0(w, "570", 2);
	assert_string_equal(state_of("web"), "failed");
	assert_non_null(strstr(error_of("web"), "and Domain-0 gives 2: "));
	assert_null(fake_get(TARGET));
}

static void test_too_much_memory_names_the_shortfall_and_three_cures(void **state)
{
	struct world *w = *state;

	world_record(w, "big");
	fake_set("/config/domain/big/memory", "900");
	world_run(w, 1);
	assert_string_equal(state_of("big"), "failed");
	assert_string_equal(error_of("big"), "not enough memory: need 901 MiB, 64 MiB free: shut "
			    "down a domain, or lower memory=, or give some of Domain-0's 512 MiB "
			    "(xm mem-set Domain-0)");
}

/* What was read of several moments would be torn: a commit says that it was one. */
static void test_a_record_that_changes_while_it_is_read_is_read_again(void **state)
{
	struct world *w = *state;
	struct record r;
	char why[64];
	xs_transaction_t t;

	world_record(w, "web");
	fake_conflict(1);
	assert_int_equal(record_read(w->xs, "web", &r, why, sizeof(why)), 0);
	assert_int_equal(r.memory_mib, 16);
	t = xs_transaction_start(w->xs);
	assert_true(xs_transaction_end(w->xs, t, false));
	assert_int_equal(record_read(w->xs, "nobody", &r, why, sizeof(why)), -ENOENT);
}

/* Keys that are not told are not gone: a domain would end, or run without its disks. */
static void test_a_record_that_cannot_be_read_is_read_later(void **state)
{
	static const struct { const char *key, *mib; } cases[] = {
		{ "/config/domain/web", "14" }, { "/config/domain/web/disk", "12" },
		{ "/config/domain/web/power", "13" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		world_record(w, "web");
		fake_set("/config/domain/web/memory", cases[i].mib);
		fake_refuse_once(cases[i].key, ENOMEM);
		world_run(w, 0);
		assert_true(fake_has_refused());
		if (i)
			assert_string_equal(state_of("web"), "running");
		world_run(w, 2);
		assert_string_equal(state_of("web"), "running");
		assert_non_null(fake_get("/local/domain/0/backend/vbd/1/51712/params"));
		assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "");
		if (i)
			assert_non_null(fake_get("/status/domain/web/pending"));
	}
}

static void test_a_record_that_is_gone_gets_no_uuid(void **state)
{
	struct world *w = *state;
	struct record r = { .name = "web" };

	assert_int_equal(record_ensure_uuid(w->xs, &r), -ENOENT);
	assert_null(fake_get("/config/domain/web"));
	world_record(w, "web");
	fake_set("/config/domain/web/uuid", "7315864e-5e4b-493c-9f14-c0fd4ad5f871");
	assert_int_equal(record_ensure_uuid(w->xs, &r), 0);
	assert_string_equal(r.uuid_text, "7315864e-5e4b-493c-9f14-c0fd4ad5f871");
	assert_string_equal(fake_get("/config/domain/web/uuid"), r.uuid_text);
}

static void test_wrong_records_fail_with_the_key_and_what_would_be_right(void **state)
{
	static const struct { const char *key, *value, *says; } wrong[] = {
		{ "memory", "lots", "memory=lots is not possible: a number from" },
		{ "memory", "1", "memory=1 is not possible" },
		{ "memory", "2", "memory=2 is too little for kernel" },
		{ "vcpus", "0", "vcpus=0 is not possible: a number from 1 to 32" },
		{ "type", "hvm", "type=hvm is not possible: pv is wanted" },
		{ "kernel", "/nowhere/vmlinuz", "kernel file /nowhere/vmlinuz cannot be opened" },
		{ "kernel", "/", "is not a regular file" },
		{ "ramdisk", "/nowhere/initrd", "ramdisk file /nowhere/initrd cannot be opened" },
		{ "on_crash", "explode", "on_crash=explode is not possible: one of destroy" },
		{ "disk/0/vdev", "sdz9",
		  "disk/0/vdev=sdz9 is not possible: a disk name such as xvda" },
		{ "disk/0/target", "relative.img",
		  "disk/0/target=relative.img is not possible: file:/path, phy:/dev/x, nbd:" },
		{ "disk/0/mode", "x", "mode=x is not possible: one of r, w, w! is wanted" },
		{ "disk/0/format", "qcow3", "format=qcow3 is not possible: one of raw, qcow2," },
		{ "vif/0/mac", "nonsense", "mac=nonsense is not possible: a MAC address of one card" },
		{ "uuid", "123", "uuid=123 is not possible: a UUID such as" },
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
	/* Nobody is waited for who is not there. */
	world_run(w, 1);
	assert_string_equal(state_of("web"), "failed");
	assert_string_equal(error_of("web"), "network card 0: bridge nosuch does not exist");
	assert_clean(before);
}

/* One that its guest took over would speak to whoever reads it on a terminal. */
static void test_a_backend_s_error_has_no_control_characters(void **state)
{
	struct world *w = *state;

	w->backends = BACKENDS_BROKEN;
	w->words = "\033]0;root\007 \302\2332J\n\177 \303\244\302\240";
	world_record(w, "web");
	world_run(w, 1);
	assert_string_equal(error_of("web"),
			    "network card 0: ?]0;root? ??2J?? \303\244\302\240");
}

/* A script of a card that was taken back writes its last word into nowhere. */
static void test_what_is_left_of_a_device_is_neither_waited_for_nor_in_the_way(void **state)
{
	struct world *w = *state;
	uint64_t before = fake_hv_free_kib();

	world_record(w, "web");
	world_run(w, 1);
	fake_set("/local/domain/0/backend/vif/1/1/hotplug-status", "error");
	fake_set("/config/domain/web/vif/1/bridge", "xenbr0");
	fake_set("/request/r1/args/list", "vif");
	fake_set("/request/r1/args/item", "1");
	request(w, "attach", "web");
	assert_null(fake_get("/request/r1/error"));
	assert_string_equal(fake_get("/request/r1/state"), "done");
	fake_set("/request/r1", NULL);
	world_run(w, 1);
	fake_set("/local/domain/0/backend/vif/1/7/hotplug-status", "connected");
	request(w, "destroy", "web");
	assert_string_equal(state_of("web"), "shutdown");
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

static void test_a_name_that_is_no_path_is_left_alone(void **state)
{
	struct world *w = *state;

	fake_set("/config/domain/bad name/memory", "16");
	fake_set("/config/domain/bad name/power", "on");
	world_run(w, 5);
	assert_int_equal(fake_hv_domains(), 0);
	assert_int_equal(fake_count("/status/domain"), 8);	/* dom0's only */
}

/*
 * A full disk: what powered itself off must not come up again because nobody could note that it is
 * off.
 */
static void test_an_end_that_cannot_be_recorded_is_still_an_end(void **state)
{
	static const struct { const char *persistent; unsigned int reason; const char *state; } ends[] = {
		{ "1", HV_SHUTDOWN_POWEROFF, "shutdown" },
		{ "1", HV_SHUTDOWN_CRASH, "crashed" },
	};
	struct world *w = *state;

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		world_record(w, "web");
		world_run(w, 1);
		fake_fail_writes("/config/domain/web/power");
		fake_hv_shutdown(fake_hv_guest(), (enum hv_shutdown_reason)ends[i].reason);
		world_run(w, 15);
		assert_int_equal(fake_hv_domains(), 0);
		assert_string_equal(state_of("web"), ends[i].state);
		/* Neither a word on its record nor another xend makes it run. */
		fake_set("/config/domain/web/on_reboot", i ? "destroy" : "restart");
		world_run(w, 15);
		world_kill(w);
		world_start(w);
		world_run(w, 15);
		assert_int_equal(fake_hv_domains(), 0);
		assert_string_equal(fake_get("/config/domain/web/power"), "on");
		fake_fail_writes(NULL);
		world_run(w, 2);
		assert_string_equal(fake_get("/config/domain/web/power"), "off");
		assert_string_equal(state_of("web"), ends[i].state);
		assert_null(fake_get("/status/domain/web/ended"));
	}
	/* Switched on again, it starts. */
	fake_set("/config/domain/web/power", "on");
	world_run(w, 1);
	assert_string_equal(state_of("web"), "running");
}

static void test_a_transient_record_that_cannot_be_removed_starts_nothing(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	fake_set("/config/domain/web/persistent", "0");
	world_run(w, 1);
	fake_store_fail(FAKE_KEEPS);
	request(w, "destroy", "web");
	world_run(w, 40);
	assert_int_equal(fake_hv_domains(), 0);
	fake_store_fail(FAKE_WORKS);
	world_run(w, 15);
	assert_int_equal(fake_hv_domains(), 0);
	assert_null(fake_get("/config/domain/web"));
	assert_string_equal(state_of("web"), "none");
}

static void test_a_start_withdrawn_on_a_full_disk_is_withdrawn(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	fake_hv_fail("domain_create", -EPERM);
	world_run(w, 1);
	fake_hv_fail(NULL, 0);
	fake_set("/config/domain/web/memory", "16");
	fake_fail_writes("/config/domain/web/power");
	request(w, "destroy", "web");
	world_run(w, 15);
	assert_int_equal(fake_hv_domains(), 0);
	fake_fail_writes(NULL);
	world_run(w, 2);
	assert_string_equal(fake_get("/config/domain/web/power"), "off");
}

/*
 * What another command does as soon as it is told: nothing that is said of an earlier life is left,
 * and it is switched on (start_forget() of xm).
 */
static bool asked, told_of_before;

static void ask_for_a_start(void)
{
	fake_set("/status/domain/web/error", NULL);
	fake_set("/status/domain/web/state", NULL);
	fake_set("/config/domain/web/power", "on");
	asked = true;
}

static void ask_at_once(void)
{
	if (!asked)
		ask_for_a_start();
	told_of_before |= !strcmp(state_of("web"), "failed") || !strcmp(state_of("web"), "shutdown");
}

static void ask_when_it_is_off(void)
{
	const char *power = fake_get("/config/domain/web/power");

	if (asked || !strcmp(power, "off"))
		ask_at_once();
}

static void start_meanwhile(struct world *w, void (*others)(void))
{
	asked = told_of_before = false;
	fake_meanwhile(others);
	world_steps(w, 4);
	assert_true(asked);
	assert_false(told_of_before);
	world_run(w, 5);
	fake_meanwhile(NULL);
	assert_false(told_of_before);
	assert_string_equal(state_of("web"), "running");
	assert_string_equal(error_of("web"), "");
}

/* xend has read that it is off, and is about to say what became of it. */
static void test_a_start_is_told_nothing_of_the_life_before(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	fake_hv_fail("domain_create", -EPERM);
	world_run(w, 5);
	fake_hv_fail(NULL, 0);
	assert_string_equal(state_of("web"), "failed");
	assert_string_not_equal(error_of("web"), "");
	fake_set("/config/domain/web/power", "off");
	start_meanwhile(w, ask_at_once);

	request(w, "destroy", "web");
	world_run(w, 5);
	assert_string_equal(state_of("web"), "shutdown");
	fake_set("/config/domain/web/memory", "16");
	start_meanwhile(w, ask_at_once);
}

static void test_a_start_after_one_withdrawn_is_told_nothing_of_that(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	fake_hv_fail("domain_create", -EPERM);
	world_run(w, 5);
	fake_hv_fail(NULL, 0);
	fake_set("/config/domain/web/memory", "16");
	fake_set("/request/r1/domain", "web");
	fake_set("/request/r1/op", "destroy");
	start_meanwhile(w, ask_when_it_is_off);
}

static void look_for_another_reason(void)
{
	told_of_before |= error_of("web")[0] && !strstr(error_of("web"), "the store has lost");
}

/* Nor is one that is not begun at all. */
static void test_a_start_that_is_held_says_that(void **state)
{
	struct world *w = *state;

	world_record(w, "web");
	fake_hv_fail("domain_create", -EPERM);
	world_run(w, 5);
	fake_hv_fail(NULL, 0);
	fake_set("/config/domain/web/power", "off");
	world_run(w, 1);
	assert_null(strstr(error_of("web"), "the store has lost"));
	fake_lost("/config/domain/web/power\n");
	world_run(w, 30);
	ask_for_a_start();
	told_of_before = false;
	fake_meanwhile(look_for_another_reason);
	world_run(w, 1);
	fake_meanwhile(NULL);
	assert_false(told_of_before);
	assert_non_null(strstr(error_of("web"), "the store has lost"));
	fake_lost(NULL);
}

/* Who is told that it has ended may give its name to another: then that is not removed for it. */
static bool told_with_its_record, goes_away;

static void look_for_its_record(void)
{
	bool ended = !strcmp(state_of("web"), "shutdown");

	told_with_its_record |= ended && fake_get("/config/domain/web/memory");
	if (ended && goes_away)
		fake_store_fail(FAKE_AWAY);
}

static void end_of_a_transient_one(struct world *w)
{
	told_with_its_record = false;
	world_record(w, "web");
	fake_set("/config/domain/web/persistent", "0");
	world_run(w, 5);
	assert_string_equal(state_of("web"), "running");
	fake_meanwhile(look_for_its_record);
	fake_hv_shutdown(fake_hv_guest(), HV_SHUTDOWN_POWEROFF);
	world_run(w, 15);
	fake_meanwhile(NULL);
	assert_int_equal(fake_hv_domains(), 0);
}

static void test_an_end_is_told_when_the_name_is_free(void **state)
{
	struct world *w = *state;

	goes_away = false;
	end_of_a_transient_one(w);
	assert_false(told_with_its_record);
	assert_string_equal(state_of("web"), "none");
}

static void test_an_end_half_way_through_which_xend_dies_is_one(void **state)
{
	struct world *w = *state;

	goes_away = true;
	end_of_a_transient_one(w);
	assert_string_equal(state_of("web"), "shutdown");
	world_kill(w);
	fake_store_fail(FAKE_WORKS);
	world_start(w);
	world_run(w, 15);
	assert_int_equal(fake_hv_domains(), 0);
	assert_null(fake_get("/config/domain/web/memory"));
	assert_string_equal(state_of("web"), "none");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)
		T(test_every_failing_hypercall_undoes_everything),
		T(test_a_store_that_refuses_a_write_undoes_everything),
		T(test_racing_commits_are_repeated),
		T(test_dom0_gives_what_is_missing_where_it_may),
		T(test_dom0_that_does_not_give_fails_the_start),
		T(test_dom0_keeps_its_least),
		T(test_too_much_memory_names_the_shortfall_and_three_cures),
		T(test_a_record_that_changes_while_it_is_read_is_read_again),
		T(test_a_record_that_cannot_be_read_is_read_later),
		T(test_a_record_that_is_gone_gets_no_uuid),
		T(test_wrong_records_fail_with_the_key_and_what_would_be_right),
		T(test_a_backend_s_error_becomes_the_domain_s),
		T(test_a_backend_s_error_has_no_control_characters),
		T(test_what_is_left_of_a_device_is_neither_waited_for_nor_in_the_way),
		T(test_a_silent_backend_is_named_after_its_time),
		T(test_a_backend_that_never_closes_does_not_keep_the_domain),
		T(test_held_frames_are_waited_for),
		T(test_a_name_that_is_no_path_is_left_alone),
		T(test_an_end_that_cannot_be_recorded_is_still_an_end),
		T(test_a_transient_record_that_cannot_be_removed_starts_nothing),
		T(test_a_start_withdrawn_on_a_full_disk_is_withdrawn),
		T(test_a_start_is_told_nothing_of_the_life_before),
		T(test_a_start_after_one_withdrawn_is_told_nothing_of_that),
		T(test_a_start_that_is_held_says_that),
		T(test_an_end_is_told_when_the_name_is_free),
		T(test_an_end_half_way_through_which_xend_dies_is_one),
#undef T
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
