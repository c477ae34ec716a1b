/* SPDX-License-Identifier: MIT */
/*
 * test_commands.c - claims about what the commands do to the store and tell the user.
 */
#include <errno.h>
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
#include "xm.h"
#include "xm_run.h"

#define CFG xm_file("demo.cfg")

/* ---- create ---- */

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
	FAILS("create", CFG, "extra=fake=fail");

	expect_err("Error: demo: not started: not enough memory: 12 MiB are missing\n");
	wait_key("/status/domain/demo/state", NULL);
	assert_int_equal(fake_store_count("/config/domain/demo"), 0);
	OK("create", CFG);
}

static void test_what_a_killed_create_left_behind_does_not_stand_in_the_way(void **state)
{
	(void)state;
	fake_store_set("/config/domain/demo/persistent", "0");
	fake_store_set("/config/domain/demo/old", "x");
	fake_store_set("/status/domain/demo/state", "failed");
	fake_store_set("/status/domain/demo/error", "old news");

	OK("create", CFG);
	expect_key("/config/domain/demo/old", NULL);
}

static void test_a_domain_that_ends_at_once_is_an_error(void **state)
{
	(void)state;
	FAILS("create", CFG, "extra=fake=exit");
	expect_err("demo: started, and ended at once; its last words are in "
		   "/var/log/xen/console/guest-demo.log");
}

static void test_ctrl_c_during_create_undoes_it(void **state)
{
	(void)state;
	interrupt_when("/status/domain/demo/step", "create");
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
	FAILS("create");
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
	FAILS("new", CFG);
	expect_err("writing the record: the store does not allow it: run as root in Domain-0");
	fake_store_refuse_writes(EIO);
	FAILS("new", CFG);
	expect_err("the store says: Input/output error");
	fake_store_refuse_writes(0);
	fake_store_refuse_open(ENOENT);
	FAILS("list");
	expect_err("cannot reach the store at /run/fake/socket: No such file or directory; is "
		   "xenstored "
		   "running?");
	fake_store_refuse_open(EACCES);
	FAILS("list");
	expect_err("the store at /run/fake/socket does not let you in: run as root");
}

/* ---- records ---- */

static void test_new_stores_without_starting_and_start_starts(void **state)
{
	(void)state;
	OK("new", CFG);
	expect_out("Stored domain demo; 'xm start demo' starts it");
	expect_key("/config/domain/demo/power", "off");
	expect_key("/config/domain/demo/persistent", "1");
	wait_key("/status/domain/demo/state", "defined");

	OK("start", "demo");
	expect_out("Started domain demo (id=1)");
	FAILS("start", "demo");
	expect_err("demo is there already (running, id 1)");
	OK("shutdown", "-w", "demo");
	expect_key("/config/domain/demo/power", "off");
	OK("start", "-q", "-p", "demo");
	expect_key("/status/domain/demo/state", "paused");
}

static void test_a_failed_start_of_a_record_keeps_it_switched_off(void **state)
{
	(void)state;
	OK("new", CFG, "extra=fake=fail");
	FAILS("start", "demo");
	expect_err("demo: not started: not enough memory");
	expect_key("/config/domain/demo/power", "off");
	expect_key("/config/domain/demo/memory", "128");
	FAILS("start", "demo");
	expect_err("demo: not started: not enough memory");
}

static void test_new_warns_about_missing_files_and_stores_all_the_same(void **state)
{
	(void)state;
	OK("define", CFG, "kernel=/nowhere/k");
	expect_err("kernel /nowhere/k: No such file");
	expect_err("demo is stored all the same");
	expect_key("/config/domain/demo/kernel", "/nowhere/k");
}

static void test_delete_removes_only_what_does_not_run(void **state)
{
	(void)state;
	OK("new", CFG);
	OK("start", "demo");
	FAILS("delete", "demo");
	expect_err("demo is running: 'xm shutdown -w demo' or 'xm destroy demo' first");
	OK("destroy", "demo");
	OK("undefine", "demo");
	assert_int_equal(fake_store_count("/config/domain/demo"), 0);
	wait_key("/status/domain/demo/state", NULL);
	FAILS("delete", "demo");
	expect_err("there is no domain 'demo'");
}

static void test_rename_moves_the_record_of_a_stopped_domain(void **state)
{
	(void)state;
	OK("new", CFG);
	OK("rename", "demo", "web");
	expect_key("/config/domain/web/disk/0/vdev", "xvda");
	assert_int_equal(fake_store_count("/config/domain/demo"), 0);
	FAILS("rename", "web", "a.b");
	expect_err("the name 'a.b' has a character");
	OK("new", CFG);
	FAILS("rename", "demo", "web");
	expect_err("there is a domain 'web' already");
	OK("start", "demo");
	FAILS("rename", "demo", "other");
	expect_err("only the record of a stopped domain can be renamed");
}

static void test_autostart_is_shown_and_set(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("autostart", "demo");
	assert_string_equal(xm_out, "off\n");
	OK("autostart", "demo", "last");
	expect_key("/config/domain/demo/autostart", "last");
	expect_key("/config/domain/demo/persistent", "1");
	OK("autostart", "demo");
	assert_string_equal(xm_out, "last\n");
	OK("autostart", "demo", "on");
	OK("autostart", "demo");
	assert_string_equal(xm_out, "on\n");
	FAILS("autostart", "demo", "perhaps");
	expect_err("'perhaps': say on, off, or last");
}

static void test_edit_changes_a_record_and_keeps_what_a_file_does_not_say(void **state)
{
	(void)state;
	OK("new", CFG);
	setenv("VISUAL", "sed -i s/=.128/=256/", 1);
	OK("edit", "demo");
	expect_key("/config/domain/demo/memory", "256");
	expect_key("/config/domain/demo/maxmem", "256");
	expect_key("/config/domain/demo/persistent", "1");
	expect_key("/config/domain/demo/power", "off");
	expect_key("/config/domain/demo/vif/0/bridge", "br7");

	setenv("VISUAL", "true", 1);
	OK("edit", "demo");
	expect_out("demo is unchanged");
	OK("start", "demo");
	setenv("VISUAL", "sed -i s/=.256/=64/", 1);
	OK("edit", "demo");
	expect_out("demo runs on as it is; the change counts from its next start");
	unsetenv("VISUAL");
}

static void test_edit_loses_nothing_when_it_fails(void **state)
{
	(void)state;
	OK("new", CFG);
	setenv("EDITOR", "false", 1);
	FAILS("edit", "demo");
	expect_err("the editor (false) failed; nothing is changed");
	setenv("EDITOR", "sed -i s/memory/memroy/", 1);
	FAILS("edit", "demo");
	expect_err("unknown key 'memroy'");
	expect_err("demo is not changed; your text is in /tmp/xm-edit-");
	unlink(strstr(xm_err, "/tmp/xm-edit-"));
	setenv("EDITOR", "sed -i s/.demo./\\'other\\'/", 1);
	FAILS("edit", "demo");
	expect_err("'xm rename demo other'");
	expect_key("/config/domain/demo/memory", "128");
	unsetenv("EDITOR");
	if (system("rm -f /tmp/xm-edit-*.cfg"))
		fail();
}

/* ---- ending and pausing ---- */

static void test_shutdown_switches_the_record_off_and_waits_when_told(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("shutdown", "-w", "demo");
	assert_int_equal(fake_store_count("/config/domain/demo"), 0);
	FAILS("shutdown", "demo");
	expect_err("there is no domain 'demo'");
}

static void test_shutdown_of_all_leaves_the_host_alone(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("create", CFG, "name=two");
	OK("shutdown", "-a", "-w");
	expect_key("/status/domain/demo/state", NULL);
	expect_key("/status/domain/two/state", NULL);
	expect_key("/status/domain/Domain-0/state", "running");
	OK("shutdown", "-a", "-w");
	FAILS("shutdown");
	expect_err("name one or more domains, or say -a for all");
	FAILS("shutdown", "-a", "demo");
	FAILS("shutdown", "Domain-0");
	expect_err("Domain-0 is the host");
}

static void test_a_dead_domain_that_is_kept_cannot_be_asked(void **state)
{
	(void)state;
	OK("create", CFG, "extra=fake=deaf");
	fake_store_set("/status/domain/demo/state", "crashed");
	FAILS("shutdown", "demo");
	expect_err("demo is dead already (crashed, kept for a look): 'xm destroy demo' ends it");
	FAILS("reboot", "demo");
	OK("shutdown", "-a");
	expect_key("/config/domain/demo/power", "on");
	OK("list", "demo");
	expect_out("----c-");
	OK("destroy", "demo");
}

static void test_ctrl_c_ends_the_waiting_not_the_shutdown(void **state)
{
	(void)state;
	OK("create", CFG, "extra=fake=deaf");
	interrupt_when("/status/domain/demo/state", "stopping");
	FAILS("shutdown", "-w", "demo");
	expect_err("demo: no longer waited for; it goes on");
	expect_key("/status/domain/demo/state", "stopping");
	OK("destroy", "demo");
}

static void test_reboot_waits_for_the_next_life(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("reboot", "-w", "demo");
	expect_key("/status/domain/demo/domid", "2");
	OK("shutdown", "-R", "-w", "demo");
	expect_key("/status/domain/demo/domid", "3");
}

static void test_destroy_takes_names_and_numbers_and_leaves_no_request(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("create", CFG, "name=two");
	OK("destroy", "1", "two");
	wait_key("/status/domain/two/state", NULL);
	assert_int_equal(fake_store_count("/request"), 1);
	FAILS("destroy", "Domain-0");
	expect_err("Domain-0 is the host itself");
	FAILS("destroy", "99");
	expect_err("there is no domain '99'");
}

static void test_pause_and_unpause_change_the_state(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("pause", "demo");
	OK("list", "demo");
	expect_out("--p---");
	OK("unpause", "demo");
	FAILS("unpause", "demo");
	expect_err("demo: not unpaused: it is not paused");
}

/* ---- looking ---- */

static void test_list_has_exactly_six_columns_and_the_host_first(void **state)
{
	char *line, *save = NULL;
	int lines = 0;

	(void)state;
	OK("create", CFG);
	OK("new", CFG, "name=stored");
	OK("list");

	for (line = strtok_r(xm_out, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save), lines++) {
		char word[7][64];

		if (sscanf(line, "%63s %63s %63s %63s %63s %63s %63s", word[0], word[1], word[2],
			   word[3], word[4], word[5], word[6]) != 6)
			fail_msg("not six columns: %s", line);
		if (lines == 1)
			assert_string_equal(word[0], "Domain-0");
		if (lines == 2) {
			assert_string_equal(word[0], "demo");
			assert_string_equal(word[1], "1");
			assert_string_equal(word[2], "128");
			assert_string_equal(word[4], "r-----");
			assert_string_equal(word[5], "1.5");
		}
	}
	assert_int_equal(lines, 3);
}

static void test_stored_domains_are_listed_only_where_asked_for(void **state)
{
	(void)state;
	OK("new", CFG);
	OK("list", "-a");
	expect_out("demo                                        -   128     1     ------");
	FAILS("list", "demo");
	expect_err("domain 'demo' is not running (it is defined)");
	OK("list", "-a", "demo");
	FAILS("list", "demmo");
	expect_err("there is no domain 'demmo'; did you mean 'demo'?");
	assert_string_equal(xm_out, "");
}

static void test_a_domain_between_two_lives_is_still_listed_by_name(void **state)
{
	(void)state;
	fake_store_set("/config/domain/web/power", "on");
	wait_key("/status/domain/web/state", "running");
	fake_store_set("/status/domain/web/state", "stopping");
	OK("list", "web");
}

static void test_list_long_is_xls_json_with_a_state_for_pacemaker(void **state)
{
	json_t *list, *dom;

	(void)state;
	OK("create", CFG);
	expect_status(xl_run("list", "--long", "demo", NULL), 0);

	assert_null(strstr(xm_out, "status"));
	expect_out("\"state\": \"r-----\"");
	list = json_loads(xm_out, 0, NULL);
	dom = json_array_get(list, 0);
	assert_int_equal(json_integer_value(json_object_get(dom, "domid")), 1);
	dom = json_object_get(json_object_get(dom, "config"), "c_info");
	assert_string_equal(json_string_value(json_object_get(dom, "name")), "demo");
	json_decref(list);
}

static void test_list_json_is_one_line_for_programs(void **state)
{
	json_t *list, *dom;

	(void)state;
	OK("new", CFG);
	OK("list", "--json", "-a");

	assert_ptr_equal(strchr(xm_out, '\n'), xm_out + strlen(xm_out) - 1);
	list = json_loads(xm_out, 0, NULL);
	assert_int_equal(json_array_size(list), 2);
	dom = json_array_get(list, 1);
	assert_true(json_is_null(json_object_get(dom, "domid")));
	assert_string_equal(json_string_value(json_object_get(dom, "state")), "defined");
	json_decref(list);
}

static void test_without_xend_list_still_prints_and_says_so(void **state)
{
	(void)state;
	fake_store_set("/status/domain/Domain-0/state", "running");
	fake_store_set("/status/domain/Domain-0/domid", "0");
	OK("list");
	expect_out("Domain-0");
	expect_err("xend is busy, or does not run: times and memory may be old");
	assert_int_equal(fake_store_count("/request"), 1);
	OK("info");
	expect_err("the store says nothing about the machine");
}

static void test_info_prints_the_lines_other_programs_grep_for(void **state)
{
	(void)state;
	OK("info");
	expect_out("\ntotal_memory           : 2048\n");
	expect_out("\nfree_memory            : 1024\n");
	expect_out("\nnr_cpus                : 2\n");
	expect_out("\ncpu_mhz                : 2593.992\n");
	expect_out("host                   : fakehost\n");
	OK("info", "--json");
	expect_out("\"total_memory\":2048");
}

static void test_uptime_counts_from_the_start(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("uptime");
	expect_out("Domain-0");
	OK("uptime", "demo");
	expect_out("demo                                 1 0:01:0");
	OK("uptime", "-s", "demo");
	expect_out("up 0:01:0");
	OK("uptime", "--json", "demo");
	expect_out("\"seconds\":6");
}

static void test_domid_and_domname_are_each_others_inverse(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("domid", "demo");
	assert_string_equal(xm_out, "1\n");
	OK("domname", "1");
	assert_string_equal(xm_out, "demo\n");
	OK("domid", "--json", "demo");
	expect_out("\"domid\":1");
	FAILS("domid", "nobody");
	FAILS("domname", "77");
	expect_err("there is no domain '77'");
	OK("new", CFG, "name=off");
	FAILS("domid", "off");
	expect_err("domain 'off' is not running");
}

static void test_devices_are_listed_from_the_backends_side(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("block-list", "demo");
	expect_out("51712 0   0      4     12     8        /local/domain/0/backend/vbd/1/51712");
	OK("block-list", "--json", "demo");
	expect_out("\"name\":\"xvda\"");
	OK("network-list", "demo");
	expect_out("00:16:3e:");
	expect_out("768/769");
	OK("network-list", "--json", "demo");
	expect_out("\"tx_ring_ref\":768");
	OK("vm-list");
	expect_out("1      demo");
}

static void test_dmesg_prints_all_parts_without_control_bytes(void **state)
{
	(void)state;
	OK("dmesg");
	assert_string_equal(xm_out, "(XEN) first\n(XEN) \\x1b[31mred\n(XEN) second\n");
	OK("dmesg", "-c");
	expect_out("(XEN) cleared");
	assert_int_equal(fake_store_count("/request"), 1);
}

static void test_history_and_why_tell_what_happened(void **state)
{
	(void)state;
	fake_store_set("/history/domain/demo/00000001",
		       "2026-01-01T00:00:00Z starting failed memory");
	OK("history", "demo");
	expect_out("2026-01-01T00:00:00Z  starting  -> failed     memory");
	OK("history", "--json", "demo");
	expect_out("\"why\":\"memory\"");
	OK("new", CFG);
	wait_key("/status/domain/demo/state", "defined");
	fake_store_set("/status/domain/demo/state", "failed");
	fake_store_set("/status/domain/demo/error", "too little memory");
	OK("why", "demo");
	expect_out("demo is failed since ");
	expect_out("\ntoo little memory\n");
	FAILS("why", "nobody");
	FAILS("history", "nobody");
}

static void test_sysrq_reaches_guests_that_take_it(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("sysrq", "demo", "h");
	expect_key("/local/domain/1/control/sysrq", "h");
	FAILS("sysrq", "demo", "hh");
	expect_err("'hh' is not one letter or digit");
	fake_store_set("/local/domain/1/control/feature-sysrq", "0");
	FAILS("sysrq", "demo", "h");
	expect_err("does not take sysrq keys");
	FAILS("sysrq", "Domain-0", "h");
}

static void test_mem_set_tells_the_guest_and_the_record(void **state)
{
	(void)state;
	OK("create", CFG, "maxmem=256");
	OK("mem-set", "demo", "200");
	expect_key("/local/domain/1/memory/target", "204800");
	expect_key("/config/domain/demo/memory", "200");
	OK("mem-set", "-l", "demo", "65536k");
	expect_key("/local/domain/1/memory/target", "65536");
	expect_key("/config/domain/demo/memory", "200");
	FAILS("mem-set", "demo", "1g");
	expect_err("demo: 1024 MiB is more than it can have, 256 MiB");
	FAILS("mem-set", "demo", "1k");
	expect_err("is too little");
	FAILS("mem-set", "demo", "much");
	expect_err("'much' is not an amount of memory");
	FAILS("mem-set", "demo", "12x");
	FAILS("mem-set", "nobody", "12");
}

static void test_vcpu_set_switches_those_there_can_be(void **state)
{
	(void)state;
	OK("create", CFG, "maxvcpus=3");
	OK("vcpu-set", "demo", "2");
	expect_key("/local/domain/1/cpu/0/availability", "online");
	expect_key("/local/domain/1/cpu/1/availability", "online");
	expect_key("/local/domain/1/cpu/2/availability", "offline");
	expect_key("/config/domain/demo/vcpus", "2");
	FAILS("vcpu-set", "demo", "4");
	expect_err("4 virtual CPUs are more than it can have, 3");
	FAILS("vcpu-set", "demo", "0");
	FAILS("vcpu-set", "demo", "two");
	FAILS("vcpu-set", "Domain-0", "1");
}

static void test_export_prints_what_new_takes_back_as_the_same_record(void **state)
{
	static char first[sizeof(xm_out)];

	(void)state;
	OK("new", CFG, "on_crash=preserve", "extra=\"it's a \\\\ and a \\\"\"", "autostart=last",
	   "vif=['mac=00:16:3e:01:02:03, ip=10.0.0.1, script=x', '']");
	OK("export", "demo");
	memcpy(first, xm_out, sizeof(first));
	OK("delete", "demo");
	xm_write_file("again.cfg", first);
	OK("new", xm_file("again.cfg"));
	assert_string_equal(xm_err + strlen(xm_err) - strlen("again.cfg\".\n"), "again.cfg\".\n");
	expect_key("/config/domain/demo/cmdline", "it's a \\ and a \"");
	OK("export", "demo");
	assert_string_equal(xm_out, first);
	OK("export", "--json", "demo");
	expect_out("\"autostart\": \"last\"");
	FAILS("export", "Domain-0");
}

static void test_top_prints_tables_with_the_share_of_cpu(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("top", "-i", "2", "-d", "0.05");
	expect_out("NAME                 STATE    CPU(sec) CPU(%)     MEM(k) MEM(%) VCPUS NETS "
		   "VBDS\n");
	expect_out("demo                 r-----          1      -     131072    6.2     1    1    "
		   "1\n");
	expect_out("demo                 r-----          1    0.0     131072    6.2     1    1    "
		   "1\n");
	OK("top", "-i", "1", "--json");
	expect_out("\"cpu_percent\":null");
	FAILS("top", "-i", "0");
	FAILS("top", "-d", "0");
}

/* ---- waiting ---- */

static void test_wait_returns_when_the_state_is_reached(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("wait", "demo");
	OK("wait", "--timeout", "5", "demo", "running");
	OK("destroy", "demo");
	OK("wait", "demo", "gone");
	OK("wait", "demo", "stopped");
	expect_status(xm_run("wait", "--timeout", "0.05", "demo", NULL), 124);
	expect_err("demo is not running in time");
	FAILS("wait", "demo", "flying");
	expect_err("'flying' is not a state");
	FAILS("wait", "a/b");
	FAILS("wait", "--timeout", "soon", "demo");
}

static void test_wait_does_not_wait_for_what_cannot_come(void **state)
{
	(void)state;
	OK("new", CFG);
	wait_key("/status/domain/demo/state", "defined");
	fake_store_set("/status/domain/demo/state", "failed");
	FAILS("wait", "demo");
	expect_err("demo failed to start");
	interrupt_when("/status/domain/demo/state", "failed");
	FAILS("wait", "demo", "gone");
	expect_err("no longer waited for");
}

static void test_events_print_changes_one_a_line(void **state)
{
	(void)state;
	OK("create", CFG);
	interrupt_when("/status/domain/demo/state", "running");
	OK("events", "--json", "demo");
	expect_out("\"type\":\"initial\"");
	expect_out("\"to\":\"running\"");
	OK("events", "--timeout", "0.02");
	FAILS("events", "-n", "0");
	FAILS("events", "--timeout", "x");
}

/* ---- the program ---- */

static void test_help_needs_no_store_and_lists_every_command(void **state)
{
	(void)state;
	fake_store_refuse_open(ENOENT);
	OK("help");
	for (size_t i = 0; command_at(i); i++) {
		char line[64];

		snprintf(line, sizeof(line), "\n %-14s ", command_at(i)->name);
		expect_out(line);
	}
	OK("help", "create");
	expect_out("Usage: xm create ");
	expect_status(xl_run("help", "create", NULL), 0);
	expect_out("Usage: xl create ");
	OK("-h");
	OK("help", "--long");
	FAILS("help", "nothing");
}

static void test_every_command_explains_itself_without_a_store(void **state)
{
	(void)state;
	fake_store_refuse_open(ENOENT);
	for (size_t i = 0; command_at(i); i++) {
		OK(command_at(i)->name, "-h");
		expect_out("Usage: xm ");
		expect_out(command_at(i)->summary);
	}
}

static void test_every_command_counts_its_words(void **state)
{
	(void)state;
	for (size_t i = 0; command_at(i); i++) {
		const struct command *cmd = command_at(i);

		if (cmd->min_args) {
			FAILS(cmd->name);
			expect_err("something is missing: xm ");
		}
		if (cmd->max_args >= 0 && cmd->max_args <= 2) {
			FAILS(cmd->name, "a", "b", "extra");
			expect_err("is one word too many");
		}
	}
}

static void test_unknown_commands_get_the_nearest(void **state)
{
	(void)state;
	FAILS("lst");
	expect_err("unknown command 'lst'; did you mean 'list'?");
	FAILS("frobnicate");
	expect_err("unknown command 'frobnicate' ('xm help' lists them all)");
	FAILS("de");
	expect_err("'de' is the beginning of several commands: ");
	OK("cons", "-h");
	FAILS("list", "--jsn");
	expect_err(
		"unknown option '--jsn'; did you mean '--json'? ('xm list -h' shows its options)");
}

static void test_options_before_the_command_are_xls(void **state)
{
	(void)state;
	OK("-vf", "help");
	FAILS("-x", "help");
	expect_err("unknown option '-x' before the command");
	expect_status(xm_run(NULL, NULL), 1);
	expect_err("Usage: xm");
}

static void test_no_colours_reach_files(void **state)
{
	(void)state;
	FAILS("lst");
	assert_null(strchr(xm_err, '\033'));
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
		LIVE(test_a_domain_that_ends_at_once_is_an_error),
		LIVE(test_ctrl_c_during_create_undoes_it),
		LIVE(test_a_name_in_use_is_refused_with_the_way_out),
		BARE(test_a_uuid_in_use_is_refused),
		BARE(test_missing_files_are_named_before_anything_is_written),
		BARE(test_a_missing_or_wrong_configuration_is_named),
		LIVE(test_warnings_do_not_stop_a_domain_and_quiet_hides_them),
		BARE(test_store_errors_are_said_in_the_users_words),
		LIVE(test_new_stores_without_starting_and_start_starts),
		LIVE(test_a_failed_start_of_a_record_keeps_it_switched_off),
		LIVE(test_new_warns_about_missing_files_and_stores_all_the_same),
		LIVE(test_delete_removes_only_what_does_not_run),
		LIVE(test_rename_moves_the_record_of_a_stopped_domain),
		LIVE(test_autostart_is_shown_and_set),
		LIVE(test_edit_changes_a_record_and_keeps_what_a_file_does_not_say),
		LIVE(test_edit_loses_nothing_when_it_fails),
		LIVE(test_shutdown_switches_the_record_off_and_waits_when_told),
		LIVE(test_shutdown_of_all_leaves_the_host_alone),
		LIVE(test_a_dead_domain_that_is_kept_cannot_be_asked),
		LIVE(test_ctrl_c_ends_the_waiting_not_the_shutdown),
		LIVE(test_reboot_waits_for_the_next_life),
		LIVE(test_destroy_takes_names_and_numbers_and_leaves_no_request),
		LIVE(test_pause_and_unpause_change_the_state),
		LIVE(test_list_has_exactly_six_columns_and_the_host_first),
		LIVE(test_stored_domains_are_listed_only_where_asked_for),
		LIVE(test_a_domain_between_two_lives_is_still_listed_by_name),
		LIVE(test_list_long_is_xls_json_with_a_state_for_pacemaker),
		LIVE(test_list_json_is_one_line_for_programs),
		BARE(test_without_xend_list_still_prints_and_says_so),
		LIVE(test_info_prints_the_lines_other_programs_grep_for),
		LIVE(test_uptime_counts_from_the_start),
		LIVE(test_domid_and_domname_are_each_others_inverse),
		LIVE(test_devices_are_listed_from_the_backends_side),
		LIVE(test_dmesg_prints_all_parts_without_control_bytes),
		LIVE(test_history_and_why_tell_what_happened),
		LIVE(test_sysrq_reaches_guests_that_take_it),
		LIVE(test_mem_set_tells_the_guest_and_the_record),
		LIVE(test_vcpu_set_switches_those_there_can_be),
		LIVE(test_export_prints_what_new_takes_back_as_the_same_record),
		LIVE(test_top_prints_tables_with_the_share_of_cpu),
		LIVE(test_wait_returns_when_the_state_is_reached),
		LIVE(test_wait_does_not_wait_for_what_cannot_come),
		LIVE(test_events_print_changes_one_a_line),
		BARE(test_help_needs_no_store_and_lists_every_command),
		BARE(test_every_command_explains_itself_without_a_store),
		BARE(test_every_command_counts_its_words),
		BARE(test_unknown_commands_get_the_nearest),
		BARE(test_options_before_the_command_are_xls),
		BARE(test_no_colours_reach_files),
	};

	return cmocka_run_group_tests_name("xm: commands", tests, xm_group_setup,
					   xm_group_teardown);
}
