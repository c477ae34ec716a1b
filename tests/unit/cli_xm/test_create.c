/* SPDX-License-Identifier: MIT */
/*
 * test_create.c - claims about what xm create does and how it fails.
 */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <jansson.h>

#include "fake_store.h"
#include "xm_run.h"

#define CFG xm_file("demo.cfg")

static void test_create_writes_a_transient_record_and_reports_the_id(void **state)
{
	(void)state;
	OK("create", CFG);

	expect_out("Started domain demo (id=1)\n");
	expect_key("/config/domain/demo/memory", "128");
	expect_key("/config/domain/demo/type", "pv");
	expect_key("/config/domain/demo/power", "on");
	expect_key("/config/domain/demo/persistent", "0");
	expect_key("/config/domain/demo/paused", "0");
	expect_key("/config/domain/demo/cmdline", "quiet");
	expect_key("/config/domain/demo/disk/0/vdev", "xvda");
	expect_key("/config/domain/demo/disk/0/mode", "w");
	expect_key("/config/domain/demo/vif/0/bridge", "br7");
	expect_key("/config/domain/demo/on_reboot", "restart");
}

static void test_create_takes_overrides_and_pauses(void **state)
{
	(void)state;
	OK("create", "-q", CFG, "name=web", "memory=64", "-p");

	assert_string_equal(xm_out, "");
	assert_string_equal(xm_err, "");
	expect_key("/config/domain/web/memory", "64");
	expect_key("/config/domain/web/paused", "1");
	expect_key("/status/domain/web/state", "paused");
	OK("unpause", "web");
	expect_key("/status/domain/web/state", "running");
	expect_key("/config/domain/web/paused", "0");
}

static void test_create_with_autostart_keeps_the_record(void **state)
{
	(void)state;
	OK("create", CFG, "autostart=1");
	expect_key("/config/domain/demo/persistent", "1");
}

static void test_create_reads_standard_input(void **state)
{
	char text[256];

	(void)state;
	snprintf(text, sizeof(text), "name='pipe'\nmemory=8\nkernel='%s'\n", xm_file("kernel"));
	xm_input(text);
	OK("create", "-");
	expect_out("Started domain pipe");
}

static void test_the_hosts_bridge_is_the_default_for_cards(void **state)
{
	(void)state;
	OK("create", CFG, "name=a", "vif=['']");
	expect_key("/config/domain/a/vif/0/bridge", "xenbr0");
	fake_store_set("/config/network/bridge", "lan");
	OK("create", CFG, "name=b", "vif=['']");
	expect_key("/config/domain/b/vif/0/bridge", "lan");
}

static void test_dryrun_prints_the_record_and_writes_nothing(void **state)
{
	json_t *o;

	(void)state;
	OK("create", "-n", CFG);

	o = json_loads(xm_out, 0, NULL);
	assert_non_null(o);
	assert_string_equal(json_string_value(json_object_get(o, "name")), "demo");
	assert_int_equal(json_array_size(json_object_get(o, "disk")), 1);
	json_decref(o);
	assert_int_equal(fake_store_count("/config"), 0);
}

static void test_a_failed_start_prints_xends_words_and_leaves_nothing(void **state)
{
	(void)state;
	FAILS("create", CFG, "memory=4096");
	expect_err("Error: demo: not started: not enough memory");
	FAILS("create", CFG, "extra=fake=fail");
	expect_err("Error: demo: not started: disk xvda: cannot open it\n");
	wait_key("/status/domain/demo/state", NULL);
	assert_int_equal(fake_store_count("/config/domain/demo"), 0);
	OK("create", CFG);
}

static void test_what_a_killed_create_left_behind_does_not_stand_in_the_way(void **state)
{
	(void)state;
	fake_store_set("/config/domain/demo/persistent", "0");
	fake_store_set("/config/domain/demo/old", "x");
	fake_store_set("/config/domain/demo/memory", "16");
	fake_store_set("/config/domain/demo/kernel", "/nowhere/kernel");
	fake_store_set("/config/domain/demo/power", "on");
	wait_key("/status/domain/demo/state", "failed");
	wait_key("/status/domain/demo/step", NULL);

	OK("create", CFG);
	expect_key("/config/domain/demo/old", NULL);
}

/*
 * What xend writes in the one case and in the other: of a real one xm may or may not see that the
 * domain ran for an instant, and a test cannot kill a real one between two given writes.
 */
static void *short_life(void *data)
{
	(void)data;
	wait_key("/config/domain/demo/power", "on");
	fake_store_set("/status/domain/demo/state", "shutdown");
	return NULL;
}

static void test_a_domain_that_ends_at_once_is_an_error(void **state)
{
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, short_life, NULL);
	FAILS("create", CFG);
	pthread_join(thread, NULL);
	expect_err("demo: it has ended already: 'xm why demo' tells why, and its last words, if it had "
		   "any, are in /var/log/xen/console/guest-demo.log");
}

static void *restarted_xend(void *data)
{
	(void)data;
	wait_key("/config/domain/demo/power", "on");
	fake_store_set("/status/domain/demo/state", "starting");
	fake_store_set("/status/domain/demo/state", "stopping");
	fake_store_set("/status/domain/demo/state", "starting");
	fake_store_set("/status/domain/demo/domid", "9");
	fake_store_set("/status/domain/demo/state", "running");
	return NULL;
}

static void test_a_restart_of_xend_in_the_middle_is_waited_out(void **state)
{
	pthread_t thread;

	(void)state;
	pthread_create(&thread, NULL, restarted_xend, NULL);
	OK("create", CFG);
	pthread_join(thread, NULL);
	expect_out("Started domain demo (id=9)");
}

static void test_ctrl_c_during_create_undoes_it(void **state)
{
	(void)state;
	interrupt_when("/status/domain/demo/step", "backends");
	expect_status(xm_run("create", CFG, "extra=fake=hang", NULL), 130);

	expect_err("demo: interrupted; the start is undone");
	assert_int_equal(fake_store_count("/config/domain/demo"), 0);
	wait_key("/status/domain/demo/state", NULL);
	assert_int_equal(fake_store_count("/request"), 1);
}

static void test_a_name_in_use_is_refused_with_the_way_out(void **state)
{
	(void)state;
	OK("create", CFG);
	FAILS("create", CFG);
	expect_err("demo: a domain of that name is there already (id 1): choose another with "
		   "name=..., or "
		   "end it with 'xm destroy demo'");
	OK("new", CFG, "name=web");
	FAILS("create", CFG, "name=web");
	expect_err("there is a stored record of that name: 'xm start web' starts it");
}

static void test_a_uuid_in_use_is_refused(void **state)
{
	(void)state;
	OK("new", CFG, "uuid=12345678-1234-4234-8234-123456789abc");
	FAILS("new", CFG, "name=two", "uuid=12345678-1234-4234-8234-123456789abc");
	expect_err("two: uuid 12345678-1234-4234-8234-123456789abc is demo's already");
}

static void test_missing_files_are_named_before_anything_is_written(void **state)
{
	(void)state;
	FAILS("create", CFG, "kernel=/nowhere/vmlinuz");
	expect_err("kernel /nowhere/vmlinuz: No such file");
	FAILS("create", CFG, "ramdisk=/nowhere/initrd");
	expect_err("ramdisk /nowhere/initrd: No such file");
	FAILS("create", CFG, "disk=['file:/nowhere/x.img,xvda,w']");
	expect_err("disk 1 (xvda): /nowhere/x.img: No such file");
	FAILS("create", CFG, "disk=['phy:/etc/passwd,xvda,w']");
	expect_err("/etc/passwd is not a block device: write file:/etc/passwd");
	FAILS("create", CFG, "disk=['file:/dev/null,xvda,w']");
	expect_err("/dev/null is neither an image nor a block device");
	FAILS("create", CFG, "kernel=/etc");
	expect_err("kernel /etc: Is a directory");
	assert_int_equal(fake_store_count("/config"), 0);
}

static void test_a_missing_or_wrong_configuration_is_named(void **state)
{
	(void)state;
	FAILS("create", "/nowhere/x.cfg");
	expect_err("there is no configuration file /nowhere/x.cfg");
	FAILS("create", "no-such-thing");
	expect_err("there is no configuration file no-such-thing, here or in /etc/xen");
	WRONG("create");
	expect_err("which configuration file?");
	xm_write_file("bad.cfg", "name = 'x'\nmemroy = 1\n");
	FAILS("create", xm_file("bad.cfg"));
	expect_err("bad.cfg:2:1: unknown key 'memroy'; did you mean 'memory'?");
	FAILS("create", CFG, "memory=x");
	expect_err("'memory=x' on the command line: memory: must be a whole number");
}

static void test_warnings_do_not_stop_a_domain_and_quiet_hides_them(void **state)
{
	(void)state;
	OK("create", CFG, "vnc=1");
	expect_err("Warning: 'vnc=1' on the command line: vnc has no effect");
	OK("create", "-q", CFG, "name=b", "vnc=1");
	assert_string_equal(xm_err, "");
}

static void test_store_errors_are_said_in_the_users_words(void **state)
{
	(void)state;
	fake_store_refuse_writes(ENOSPC);
	FAILS("create", CFG);
	expect_err("writing the record: the store is full");
	fake_store_refuse_writes(EACCES);
	NO_RIGHT("new", CFG);
	expect_err("writing the record: the store does not allow it: run as root in Domain-0");
	fake_store_refuse_writes(EIO);
	NO_STORE("new", CFG);
	expect_err("the store says: Input/output error");
	fake_store_refuse_writes(0);
	fake_store_refuse_open(ENOENT);
	NO_STORE("list");
	expect_err("cannot reach the store at /run/fake/socket: No such file or directory; is "
		   "xenstored "
		   "running?");
	fake_store_refuse_open(EACCES);
	NO_RIGHT("list");
	expect_err("the store at /run/fake/socket does not let you in: run as root");
}

#define LIVE(f) cmocka_unit_test_setup_teardown(f, xm_setup, xm_teardown)
#define BARE(f) cmocka_unit_test_setup_teardown(f, xm_setup_bare, xm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(test_create_writes_a_transient_record_and_reports_the_id),
		LIVE(test_create_takes_overrides_and_pauses),
		LIVE(test_create_with_autostart_keeps_the_record),
		LIVE(test_create_reads_standard_input),
		LIVE(test_the_hosts_bridge_is_the_default_for_cards),
		BARE(test_dryrun_prints_the_record_and_writes_nothing),
		LIVE(test_a_failed_start_prints_xends_words_and_leaves_nothing),
		LIVE(test_what_a_killed_create_left_behind_does_not_stand_in_the_way),
		BARE(test_a_domain_that_ends_at_once_is_an_error),
		BARE(test_a_restart_of_xend_in_the_middle_is_waited_out),
		LIVE(test_ctrl_c_during_create_undoes_it),
		LIVE(test_a_name_in_use_is_refused_with_the_way_out),
		BARE(test_a_uuid_in_use_is_refused),
		BARE(test_missing_files_are_named_before_anything_is_written),
		BARE(test_a_missing_or_wrong_configuration_is_named),
		LIVE(test_warnings_do_not_stop_a_domain_and_quiet_hides_them),
		BARE(test_store_errors_are_said_in_the_users_words),
	};

	return cmocka_run_group_tests_name("xm: create", tests, xm_group_setup, xm_group_teardown);
}
