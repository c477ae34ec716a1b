/* SPDX-License-Identifier: MIT */
/*
 * test_request.c - what a running domain is given, loses and is told while it runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <string.h>

#include "world.h"

#define BACK "/local/domain/0/backend"
#define FRONT "/local/domain/1/device"

/* Asks with arguments NAME, VALUE, ..., NULL and lets @seconds pass. */
static void ask(struct world *w, unsigned int seconds, const char *op, const char *domain, ...)
{
	const char *name;
	char path[96];
	va_list ap;

	fake_set("/request/r1", NULL);
	world_run(w, 0);
	va_start(ap, domain);
	while ((name = va_arg(ap, const char *))) {
		snprintf(path, sizeof(path), "/request/r1/args/%s", name);
		fake_set(path, va_arg(ap, const char *));
	}
	va_end(ap);
	fake_set("/request/r1/domain", domain);
	fake_set("/request/r1/op", op);
	world_run(w, seconds);
}

static void assert_done(void)
{
	const char *error = fake_get("/request/r1/error");

	if (error)
		fail_msg("refused: %s", error);
	assert_string_equal(fake_get("/request/r1/state"), "done");
}

static void assert_refused(const char *part)
{
	const char *error = fake_get("/request/r1/error");

	assert_string_equal(fake_get("/request/r1/state"), "failed");
	assert_non_null(error);
	if (!strstr(error, part))
		fail_msg("no \"%s\" in \"%s\"", part, error);
}

static void start_web(struct world *w)
{
	world_record(w, "web");
	world_run(w, 1);
	assert_string_equal(state_of("web"), "running");
}

static void record_second_disk(void)
{
	fake_set("/config/domain/web/disk/1/target", "file:/data/two.img");
	fake_set("/config/domain/web/disk/1/vdev", "xvdb");
	fake_set("/config/domain/web/disk/1/mode", "w");
	fake_set("/config/domain/web/disk/1/format", "qcow2");
	fake_set("/config/domain/web/disk/1/backing", "/data/base.img");
}

static void test_a_recorded_disk_is_attached_and_detached_while_the_domain_runs(void **state)
{
	struct world *w = *state;

	start_web(w);
	record_second_disk();
	world_run(w, 1);
	assert_string_equal(fake_get("/status/domain/web/pending"), "1");

	ask(w, 1, "attach", "web", "list", "disk", "item", "1", NULL);
	assert_done();
	assert_string_equal(fake_get(BACK "/vbd/1/51728/params"), "/data/two.img");
	assert_string_equal(fake_get(BACK "/vbd/1/51728/format"), "qcow2");
	assert_string_equal(fake_get(BACK "/vbd/1/51728/backing"), "/data/base.img");
	assert_null(fake_get(BACK "/vbd/1/51712/format"));
	assert_string_equal(fake_get(FRONT "/vbd/51728/backend"), BACK "/vbd/1/51728");
	assert_null(fake_get("/status/domain/web/pending"));

	fake_set("/config/domain/web/disk/1", NULL);
	ask(w, 1, "detach", "web", "kind", "vbd", "device", "51728", NULL);
	assert_done();
	assert_null(fake_get(BACK "/vbd/1/51728"));
	assert_null(fake_get(FRONT "/vbd/51728"));
	assert_non_null(fake_get(FRONT "/vbd/51712"));
	assert_null(fake_get("/status/domain/web/pending"));
}

/* It is how many queues its devices may have. */
static void test_devices_are_told_of_several_vcpus(void **state)
{
	struct world *w = *state;

	fake_set("/config/domain/web/maxvcpus", "3");
	start_web(w);
	record_second_disk();
	ask(w, 1, "attach", "web", "list", "disk", "item", "1", NULL);
	assert_done();
	assert_string_equal(fake_get(BACK "/vbd/1/51712/vcpus"), "3");
	assert_string_equal(fake_get(BACK "/vbd/1/51728/vcpus"), "3");
	assert_string_equal(fake_get(BACK "/vif/1/0/vcpus"), "3");
}

static void test_a_card_has_its_item_as_number(void **state)
{
	struct world *w = *state;

	start_web(w);
	fake_set("/config/domain/web/vif/3/bridge", "xenbr0");
	ask(w, 1, "attach", "web", "list", "vif", "item", "3", NULL);
	assert_done();
	assert_non_null(fake_get(BACK "/vif/1/3/mac"));
	assert_string_equal(fake_get(BACK "/vif/1/3/handle"), "3");
}

static void test_a_backend_that_fails_leaves_nothing_and_says_why(void **state)
{
	struct world *w = *state;

	start_web(w);
	w->backends = BACKENDS_BROKEN;
	fake_set("/config/domain/web/vif/1/bridge", "nosuch");
	ask(w, 1, "attach", "web", "list", "vif", "item", "1", NULL);
	assert_refused("bridge nosuch does not exist");
	assert_null(fake_get(BACK "/vif/1/1"));
	assert_null(fake_get(FRONT "/vif/1"));
}

static void test_a_backend_that_never_comes_is_given_up_after_half_a_minute(void **state)
{
	struct world *w = *state;

	start_web(w);
	w->backends = BACKENDS_SILENT;
	record_second_disk();
	ask(w, 29, "attach", "web", "list", "disk", "item", "1", NULL);
	assert_null(fake_get("/request/r1/state"));
	world_run(w, 2);
	assert_refused("is backendd running?");
	assert_null(fake_get(BACK "/vbd/1/51728"));
}

static void test_a_disk_in_use_stays_unless_forced(void **state)
{
	struct world *w = *state;

	start_web(w);
	w->backends = BACKENDS_NEVER_CLOSE;
	ask(w, 16, "detach", "web", "kind", "vbd", "device", "51712", NULL);
	assert_refused("the guest still uses it");
	assert_non_null(fake_get(BACK "/vbd/1/51712"));

	ask(w, 1, "detach", "web", "kind", "vbd", "device", "51712", "force", "1", NULL);
	assert_done();
	assert_null(fake_get(BACK "/vbd/1/51712"));
}

static void test_what_is_not_there_or_twice_is_refused(void **state)
{
	struct world *w = *state;

	start_web(w);
	ask(w, 1, "attach", "web", "list", "disk", "item", "7", NULL);
	assert_refused("no such device (item 7)");
	ask(w, 1, "attach", "web", "list", "disk", "item", "0", NULL);
	assert_refused("that device already");
	ask(w, 1, "attach", "web", "list", "tape", "item", "0", NULL);
	assert_refused("args/list=tape is not known");
	ask(w, 1, "detach", "web", "kind", "vbd", "device", "../../../../config", NULL);
	assert_refused("no such device");
	ask(w, 1, "attach", "nobody", "list", "disk", "item", "0", NULL);
	assert_refused("there is no domain nobody");
}

static void test_a_domain_that_ends_meanwhile_ends_the_wait(void **state)
{
	struct world *w = *state;

	start_web(w);
	w->backends = BACKENDS_SILENT;
	record_second_disk();
	ask(w, 1, "attach", "web", "list", "disk", "item", "1", NULL);
	fake_hv_shutdown(1, HV_SHUTDOWN_POWEROFF);
	world_run(w, 15);
	assert_refused("web ended meanwhile");
}

static void test_virtual_cpus_are_listed_and_pinned(void **state)
{
	struct world *w = *state;

	start_web(w);
	ask(w, 1, "vcpu-list", "web", NULL);
	assert_done();
	assert_string_equal(fake_get("/request/r1/output/0"), "0 0 r-- 1.5 all all");
	ask(w, 1, "vcpu-pin", "web", "vcpu", "0", "hard", "0-1,^0", NULL);
	assert_done();
	ask(w, 1, "vcpu-pin", "web", "vcpu", "all", "soft", "0", NULL);
	assert_done();
	ask(w, 1, "vcpu-list", "web", NULL);
	assert_string_equal(fake_get("/request/r1/output/0"), "0 0 r-- 1.5 1 0");
	ask(w, 1, "vcpu-pin", "web", "vcpu", "0", "hard", "9", NULL);
	assert_refused("none of these CPUs");
	ask(w, 1, "vcpu-pin", "web", "vcpu", "0", "hard", "one", NULL);
	assert_refused("one is no list of CPUs");
	ask(w, 1, "vcpu-pin", "web", "vcpu", "5", "hard", "0", NULL);
	assert_refused("no virtual CPU 5");
	ask(w, 1, "vcpu-pin", "web", "vcpu", "4294967296", "hard", "0", NULL);
	assert_refused("no virtual CPU 4294967295");
	ask(w, 1, "pause", "4294967297", NULL);
	assert_refused("there is no domain 4294967297");
	ask(w, 1, "vcpu-pin", "web", "vcpu", "0", "hard", "all,^1", NULL);
	assert_done();
}

static void test_weight_and_cap_are_set_one_by_one(void **state)
{
	struct world *w = *state;

	start_web(w);
	ask(w, 1, "sched-credit", "web", NULL);
	assert_string_equal(fake_get("/request/r1/output/0"), "256 0");
	ask(w, 1, "sched-credit", "web", "weight", "512", NULL);
	ask(w, 1, "sched-credit", "web", "cap", "50", NULL);
	assert_done();
	assert_string_equal(fake_get("/request/r1/output/0"), "512 50");
	ask(w, 1, "sched-credit", "web", "weight", "0", NULL);
	assert_refused("from 1 to 65535");
}

static void put_file(const char *dir, const char *name, const char *text)
{
	char path[256];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void rm(const char *dir, const char *name, int (*how)(const char *path))
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	assert_int_equal(how(path), 0);
}

/* The world's ramdisk is swap space of dom0 in this. */
static void test_what_dom0_uses_is_not_given_to_a_guest_to_write_to(void **state)
{
	struct world *w = *state;
	char text[128], proc[64];

	snprintf(proc, sizeof(proc), "%s/proc", w->dir);
	snprintf(text, sizeof(text), "Filename\n%s file 1 0 -2\n", w->ramdisk);
	assert_int_equal(mkdir(proc, 0700), 0);
	put_file(proc, "swaps", text);
	w->x.root = w->dir;
	snprintf(text, sizeof(text), "file:%s", w->ramdisk);

	world_record(w, "web");
	fake_set("/config/domain/web/disk/0/target", text);
	world_run(w, 5);
	assert_string_equal(state_of("web"), "failed");
	assert_non_null(strstr(error_of("web"), "disk xvda: "));
	assert_non_null(strstr(error_of("web"), "ramdisk is swap space of dom0: two that write"));
	assert_int_equal(fake_hv_domains(), 0);
	fake_set("/config/domain/web/disk/0/mode", "r");
	world_run(w, 5);
	assert_string_equal(state_of("web"), "running");

	fake_set("/config/domain/web/disk/1/target", text);
	fake_set("/config/domain/web/disk/1/vdev", "xvdb");
	fake_set("/config/domain/web/disk/1/mode", "w");
	ask(w, 5, "attach", "web", "list", "disk", "item", "1", NULL);
	assert_refused("is swap space of dom0");
	assert_null(fake_get("/local/domain/0/backend/vbd/1/51728/params"));
	fake_set("/config/domain/web/disk/1/mode", "w!");
	ask(w, 5, "attach", "web", "list", "disk", "item", "1", NULL);
	assert_done();
	rm(proc, "swaps", unlink);
	rm(w->dir, "proc", rmdir);
}

static void assert_share(struct world *w, const char *vcpu, const char *credit)
{
	ask(w, 1, "vcpu-list", "web", NULL);
	assert_string_equal(fake_get("/request/r1/output/0"), vcpu);
	ask(w, 1, "sched-credit", "web", NULL);
	assert_string_equal(fake_get("/request/r1/output/0"), credit);
}

static void test_the_records_share_of_the_cpus_outlives_a_reboot(void **state)
{
	struct world *w = *state;

	fake_set("/config/domain/web/cpus", "1");
	fake_set("/config/domain/web/cpu_weight", "512");
	fake_set("/config/domain/web/cap", "50");
	start_web(w);
	assert_share(w, "0 0 r-- 1.5 1 all", "512 50");
	fake_hv_shutdown(fake_hv_guest(), HV_SHUTDOWN_REBOOT);
	world_run(w, 15);
	assert_int_equal(fake_hv_guest(), 2);
	assert_share(w, "0 0 r-- 1.5 1 all", "512 50");
}

static void test_a_changed_share_is_followed_at_once(void **state)
{
	struct world *w = *state;

	fake_set("/config/domain/web/cpus", "1");
	start_web(w);
	fake_set("/config/domain/web/cpus", "0");
	fake_set("/config/domain/web/cpu_weight", "1024");
	world_run(w, 1);
	assert_share(w, "0 0 r-- 1.5 0 all", "1024 0");
	assert_null(fake_get("/status/domain/web/pending"));
	/* What cannot be followed ends nothing. */
	fake_set("/config/domain/web/cpus", "9");
	world_run(w, 1);
	assert_string_equal(state_of("web"), "running");
	fake_set("/config/domain/web/cpus", NULL);
	fake_set("/config/domain/web/cpu_weight", NULL);
	world_run(w, 1);
	assert_share(w, "0 0 r-- 1.5 all all", "256 0");
}

static void test_cpus_that_are_not_there_fail_the_start(void **state)
{
	struct world *w = *state;

	fake_set("/config/domain/web/cpus", "9");
	world_record(w, "web");
	world_run(w, 15);
	assert_string_equal(state_of("web"), "failed");
	assert_string_equal(error_of("web"), "cpus: the machine has none of these CPUs");
	assert_int_equal(fake_hv_domains(), 0);
}

static void test_the_memory_limit_is_the_hypervisors_and_the_homes(void **state)
{
	struct world *w = *state;

	start_web(w);
	ask(w, 1, "mem-max", "web", "kib", "32768", NULL);
	assert_done();
	assert_string_equal(fake_get("/local/domain/1/memory/static-max"), "32768");
	ask(w, 1, "mem-max", "web", "kib", "12", NULL);
	assert_refused("2 MiB is the least");
}

static void test_a_running_domain_is_renamed_without_a_gap(void **state)
{
	struct world *w = *state;

	start_web(w);
	world_record(w, "other");
	ask(w, 1, "rename", "web", "name", "other", NULL);
	assert_refused("a domain other already");
	ask(w, 2, "rename", "web", "name", "shop", NULL);
	assert_done();
	assert_string_equal(state_of("shop"), "running");
	assert_string_equal(state_of("web"), "none");
	assert_string_equal(fake_get("/local/domain/1/name"), "shop");
	assert_string_equal(fake_get("/config/domain/shop/power"), "on");
	assert_null(fake_get("/config/domain/web"));
	assert_non_null(fake_get("/history/domain/shop/00000000"));
	fake_set("/config/domain/shop/power", "off");
	world_run(w, 1);
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "poweroff");
}

/* Else xm would take back from the record what the guest has, or call failed what was done. */
static void test_a_request_of_a_killed_xend_is_answered_by_the_next(void **state)
{
	struct world *w = *state;

	start_web(w);
	record_second_disk();
	w->backends = BACKENDS_SILENT;
	ask(w, 1, "attach", "web", "list", "disk", "item", "1", NULL);
	assert_non_null(fake_get(BACK "/vbd/1/51728/params"));
	world_kill(w);
	w->backends = BACKENDS_GOOD;
	fake_set(BACK "/vbd/1/51728/mark", "the same");
	world_start(w);
	world_run(w, 2);
	assert_done();
	assert_non_null(fake_get(BACK "/vbd/1/51728/mark"));
	/* Another that asks for it is another. */
	ask(w, 1, "attach", "web", "list", "disk", "item", "1", NULL);
	assert_refused("already");

	ask(w, 1, "detach", "web", "kind", "vbd", "device", "51728", NULL);
	assert_done();
	world_kill(w);
	fake_set("/request/r1/state", NULL);
	world_start(w);
	world_run(w, 2);
	assert_done();

	ask(w, 2, "rename", "web", "name", "shop", NULL);
	assert_done();
	world_kill(w);
	fake_set("/request/r1/state", NULL);
	world_start(w);
	world_run(w, 2);
	assert_done();
}

/* What is not said is not taken for what is not there: neither a record's keys, nor a device. */
static void test_a_store_that_does_not_answer_once_loses_no_record_and_no_device(void **state)
{
	static const char *const keys[] = {
		"/config/domain/web/disk", "/config/domain/web/disk/0/mode", "/status/domain/web",
		"/history/domain/web",
	};
	struct world *w = *state;
	char *before, *now;

	start_web(w);
	before = fake_dump("/config/domain/web");
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		fake_refuse_once(keys[i], ENOMEM);
		ask(w, 2, "rename", "web", "name", "shop", NULL);
		assert_true(fake_has_refused());
		assert_refused("refuses");
		assert_null(fake_get("/config/domain/shop"));
		now = fake_dump("/config/domain/web");
		assert_string_equal(now, before);
		free(now);
	}
	free(before);
	fake_set(BACK "/vbd/1/51712/mark", "the same");
	fake_refuse_once(BACK "/vbd/1/51712/frontend", EIO);
	ask(w, 1, "attach", "web", "list", "disk", "item", "0", NULL);
	assert_refused("failed");
	assert_non_null(fake_get(BACK "/vbd/1/51712/mark"));
}

static void test_a_store_that_does_not_answer_once_has_no_request_forgotten_or_done_twice(void **state)
{
	static const char *const keys[] = { "/request/r1/op", "/request/r1/state" };
	struct world *w = *state;

	start_web(w);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		fake_refuse_once(keys[i], ENOMEM);
		ask(w, 2, i ? "unpause" : "pause", "web", NULL);
		assert_true(fake_has_refused());
		assert_done();
	}
	ask(w, 2, "destroy", "web", NULL);
	assert_done();
	fake_set("/config/domain/web/power", "on");
	world_run(w, 2);
	assert_string_equal(state_of("web"), "running");
	world_kill(w);
	fake_refuse_once("/request/r1/state", ENOMEM);
	world_start(w);
	world_run(w, 2);
	assert_true(fake_has_refused());
	assert_string_equal(state_of("web"), "running");
}

static void test_a_host_that_goes_down_leaves_records_switched_on(void **state)
{
	struct world *w = *state;

	start_web(w);
	fake_set("/host/stopping", "1");
	for (int i = 0; i < 2; i++) { /* asked again, it is no other wish */
		ask(w, 1, "shutdown", "web", NULL);
		assert_done();
		assert_string_equal(state_of("web"), "stopping");
		assert_string_equal(fake_get("/config/domain/web/power"), "on");
	}
	assert_string_equal(fake_get("/local/domain/1/control/shutdown"), "poweroff");
	fake_hv_shutdown(1, HV_SHUTDOWN_POWEROFF);
	world_run(w, 15);
	assert_string_equal(state_of("web"), "shutdown");
	assert_string_equal(fake_get("/config/domain/web/power"), "on");
	/* It stays up after all. */
	fake_set("/host/stopping", NULL);
	world_run(w, 1);
	assert_string_equal(state_of("web"), "running");
}

static void test_a_host_that_goes_down_ends_what_is_only_starting(void **state)
{
	struct world *w = *state;

	w->backends = BACKENDS_SILENT;
	world_record(w, "web");
	world_run(w, 1);
	assert_string_equal(state_of("web"), "starting");
	fake_set("/host/stopping", "1");
	ask(w, 20, "shutdown", "web", NULL);
	assert_done();
	assert_string_equal(state_of("web"), "shutdown");
	assert_string_equal(fake_get("/config/domain/web/power"), "on");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_setup, world_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_recorded_disk_is_attached_and_detached_while_the_domain_runs),
		TEST(test_devices_are_told_of_several_vcpus),
		TEST(test_a_card_has_its_item_as_number),
		TEST(test_a_backend_that_fails_leaves_nothing_and_says_why),
		TEST(test_a_backend_that_never_comes_is_given_up_after_half_a_minute),
		TEST(test_a_disk_in_use_stays_unless_forced),
		TEST(test_what_is_not_there_or_twice_is_refused),
		TEST(test_a_domain_that_ends_meanwhile_ends_the_wait),
		TEST(test_virtual_cpus_are_listed_and_pinned),
		TEST(test_weight_and_cap_are_set_one_by_one),
		TEST(test_what_dom0_uses_is_not_given_to_a_guest_to_write_to),
		TEST(test_the_records_share_of_the_cpus_outlives_a_reboot),
		TEST(test_a_changed_share_is_followed_at_once),
		TEST(test_cpus_that_are_not_there_fail_the_start),
		TEST(test_the_memory_limit_is_the_hypervisors_and_the_homes),
		TEST(test_a_running_domain_is_renamed_without_a_gap),
		TEST(test_a_store_that_does_not_answer_once_loses_no_record_and_no_device),
		TEST(test_a_store_that_does_not_answer_once_has_no_request_forgotten_or_done_twice),
		TEST(test_a_request_of_a_killed_xend_is_answered_by_the_next),
		TEST(test_a_host_that_goes_down_leaves_records_switched_on),
		TEST(test_a_host_that_goes_down_ends_what_is_only_starting),
	};

	return cmocka_run_group_tests_name("xend: requests", tests, NULL, NULL);
}
