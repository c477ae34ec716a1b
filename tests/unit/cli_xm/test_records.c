/* SPDX-License-Identifier: MIT */
/*
 * test_records.c - claims about stored records: new, start, delete, edit, ....
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <pthread.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_store.h"
#include "xm_run.h"

#define CFG xm_file("demo.cfg")

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

static void test_xends_journal_is_left_alone(void **state)
{
	(void)state;
	OK("new", CFG);
	wait_key("/status/domain/demo/state", "defined");
	fake_store_set("/status/domain/demo/step", "home");
	FAILS("start", "demo");
	expect_err("demo is just starting or ending (defined): try again");
	fake_store_set("/status/domain/web/step", "home");
	FAILS("create", CFG, "name=web");
	expect_err("web: a domain of that name is just starting or ending; try again");
	expect_key("/status/domain/web/step", "home");
	expect_key("/config/domain/demo/power", "off");
}

static void test_a_failed_start_of_a_record_keeps_it_switched_off(void **state)
{
	(void)state;
	OK("new", CFG, "extra=fake=fail");
	FAILS("start", "demo");
	expect_err("demo: not started: disk xvda: cannot open it");
	expect_key("/config/domain/demo/power", "off");
	expect_key("/config/domain/demo/memory", "128");
	FAILS("start", "demo");
	expect_err("demo: not started: disk xvda: cannot open it");
}

static void *fail_the_start(void *data)
{
	wait_key("/config/domain/demo/power", "on");
	fake_store_set("/status/domain/demo/error", "no memory");
	fake_store_set("/status/domain/demo/state", "failed");
	return data;
}

/* As another xm does that starts it. */
static void start_it_anew(void)
{
	fake_store_drop("/status/domain/demo/state");
	fake_store_drop("/status/domain/demo/error");
	fake_store_set("/config/domain/demo/power", "on");
}

static void test_a_failed_start_leaves_the_next_one_alone(void **state)
{
	static const struct { const char *persistent, *power; void (*then)(void); } ends[] = {
		{ "1", "off", NULL }, { "1", "on", start_it_anew },
		{ "0", NULL, NULL }, { "0", "on", start_it_anew },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		pthread_t xend;

		fake_store_drop("/status/domain/demo");
		fake_store_drop("/config/domain/demo");
		OK("new", CFG);
		fake_store_set("/config/domain/demo/persistent", ends[i].persistent);
		pthread_create(&xend, NULL, fail_the_start, NULL);
		xm_when_it_complains(ends[i].then);
		FAILS("start", "demo");
		pthread_join(xend, NULL);
		expect_err("demo: not started: no memory");
		expect_key("/config/domain/demo/power", ends[i].power);
	}
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
	fake_store_set("/history/domain/demo/00000000", "its past");
	fake_store_set("/history/domain/web/00000007", "an older web's");
	OK("rename", "demo", "web");
	expect_key("/config/domain/web/disk/0/vdev", "xvda");
	expect_key("/history/domain/web/00000000", "its past");
	expect_key("/history/domain/web/00000007", NULL);
	assert_int_equal(fake_store_count("/history/domain/demo"), 0);
	assert_int_equal(fake_store_count("/config/domain/demo"), 0);
	FAILS("rename", "web", "a b");
	expect_err("the name 'a b' has a character");
	OK("new", CFG);
	FAILS("rename", "demo", "web");
	expect_err("there is a domain 'web' already");
	OK("start", "demo");
	OK("rename", "demo", "other"); /* a running one is xend's to rename */
	expect_key("/config/domain/other/memory", "128");
	expect_key("/status/domain/other/domid", "1");
	expect_key("/local/domain/1/name", "other");
	assert_int_equal(fake_store_count("/config/domain/demo"), 0);
	assert_int_equal(fake_store_count("/status/domain/demo"), 0);
}

/* While it starts its devices, its name in the store and its record belong together. */
static void test_what_starts_or_is_others_keeps_its_name(void **state)
{
	static const char *const states[] = { "starting", "stopping" };

	(void)state;
	OK("new", CFG);
	for (size_t i = 0; i < 2; i++) {
		fake_store_set("/status/domain/demo/state", states[i]);
		FAILS("rename", "demo", "web");
		expect_err("demo is st");
		expect_err("it can be renamed when that is over");
		expect_key("/config/domain/demo/memory", "128");
	}
	fake_store_set("/status/domain/demo/state", "defined");
	fake_store_set("/status/domain/web/domid", "7");
	FAILS("rename", "demo", "web");
	expect_err("there is a domain 'web' already");
	expect_key("/status/domain/web/domid", "7");
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
	WRONG("autostart", "demo", "perhaps");
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
	fake_store_set("/config/domain/demo/saved", "/data/demo.save");
	setenv("VISUAL", "sed -i s/br7/br8/", 1);
	OK("edit", "demo");
	expect_key("/config/domain/demo/vif/0/bridge", "br8");
	expect_key("/config/domain/demo/saved", "/data/demo.save");
	fake_store_drop("/config/domain/demo/saved");
	OK("start", "demo");
	setenv("VISUAL", "sed -i s/=.256/=64/", 1);
	OK("edit", "demo");
	expect_out("demo runs on as it is; the change counts from its next start");
	unsetenv("VISUAL");
}

/* As xs import leaves it: defaults absent, a gap in the items, keys of people's own. */
static void test_edit_of_an_imported_record_changes_what_was_edited_only(void **state)
{
	static const char *const keys[][2] = {
		{ "memory", "64" },
		{ "kernel", "/boot/vmlinuz" },
		{ "power", "off" },
		{ "disk/0/target", "file:/data/a.img" },
		{ "disk/0/vdev", "xvda" },
		{ "disk/40/target", "file:/data/b.img" },
		{ "disk/40/vdev", "xvdb" },
		{ "disk/40/mode", "w" },
		{ "disk/40/note", "mine" },
		{ "vif/3/bridge", "br1" },
		{ "note", "mine" },
	};
	char path[128];

	(void)state;
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(path, sizeof(path), "/config/domain/web/%s", keys[i][0]);
		fake_store_set(path, keys[i][1]);
	}
	OK("export", "web");
	expect_out("file:/data/a.img,xvda,r'");
	expect_out("file:/data/b.img,xvdb,w'");
	assert_null(strstr(xm_out, "maxmem"));
	setenv("VISUAL", "sed -i s/=.64/=96/", 1);
	OK("edit", "web");
	expect_key("/config/domain/web/memory", "96");
	for (size_t i = 1; i < sizeof(keys) / sizeof(keys[0]); i++) {
		snprintf(path, sizeof(path), "/config/domain/web/%s", keys[i][0]);
		expect_key(path, keys[i][1]);
	}
	expect_key("/config/domain/web/disk/0/mode", NULL);
	expect_key("/config/domain/web/maxmem", NULL);
	expect_key("/config/domain/web/vif/3/mac", NULL);
	expect_key("/config/domain/web/vif/0", NULL);
	expect_key("/config/domain/web/uuid", NULL);

	/* A disk that goes takes all of its item along, one that comes gets a free one. */
	setenv("VISUAL", "sed -i s/b.img,xvdb,w/c.img,xvdc,r/", 1);
	OK("edit", "web");
	expect_key("/config/domain/web/disk/40", NULL);
	expect_key("/config/domain/web/disk/1/target", "file:/data/c.img");
	expect_key("/config/domain/web/disk/1/mode", NULL); /* which counts as r */
	unsetenv("VISUAL");
}

static void test_a_wrong_record_can_be_seen_and_mended(void **state)
{
	(void)state;
	fake_store_set("/config/domain/web/memory", "lots");
	fake_store_set("/config/domain/web/kernel", "/boot/vmlinuz");
	fake_store_set("/config/domain/web/disk/0/target", "relative");
	fake_store_set("/config/domain/web/disk/0/vdev", "xvda");
	OK("export", "web");
	expect_out("memory      = 'lots'");
	expect_out("'relative,xvda,r'");
	expect_err("in the record: memory=lots is not possible");
	expect_err("in the record: disk/0/target=relative is not possible");
	setenv("VISUAL", "sed -i -e s/.lots./64/ -e s,relative,file:/data/a.img,", 1);
	OK("edit", "web");
	unsetenv("VISUAL");
	expect_key("/config/domain/web/memory", "64");
	expect_key("/config/domain/web/disk/0/target", "file:/data/a.img");
}

static void test_a_host_name_names_a_domain(void **state)
{
	(void)state;
	OK("new", CFG, "name=shop.example.org");
	expect_key("/config/domain/shop@2eexample@2eorg/memory", "128");
	OK("list", "-a", "shop.example.org");
	expect_out("shop.example.org");
	OK("rename", "shop.example.org", "b.c");
	expect_key("/config/domain/b@2ec/memory", "128");
	expect_key("/config/domain/shop@2eexample@2eorg", NULL);
	OK("delete", "b.c");
	expect_key("/config/domain/b@2ec", NULL);
}

static void test_edit_loses_nothing_when_it_fails(void **state)
{
	char where[400];

	(void)state;
	OK("new", CFG);
	setenv("EDITOR", "false", 1);
	FAILS("edit", "demo");
	expect_err("the editor (false) failed; nothing is changed");
	setenv("EDITOR", "sed -i s/memory/memroy/", 1);
	setenv("TMPDIR", xm_file("."), 1);
	FAILS("edit", "demo");
	expect_err("unknown key 'memroy'");
	snprintf(where, sizeof(where), "demo is not changed; your text is in %s/xm-edit-", xm_file("."));
	expect_err(where);
	setenv("EDITOR", "sed -i s/.demo./\\'other\\'/", 1);
	FAILS("edit", "demo");
	expect_err("'xm rename demo other'");
	expect_key("/config/domain/demo/memory", "128");
	unsetenv("EDITOR");
	unsetenv("TMPDIR");
}

#define LIVE(f) cmocka_unit_test_setup_teardown(f, xm_setup, xm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(test_new_stores_without_starting_and_start_starts),
		LIVE(test_xends_journal_is_left_alone),
		LIVE(test_a_failed_start_of_a_record_keeps_it_switched_off),
		cmocka_unit_test_setup_teardown(test_a_failed_start_leaves_the_next_one_alone, xm_setup_bare,
						xm_teardown),
		LIVE(test_new_warns_about_missing_files_and_stores_all_the_same),
		LIVE(test_delete_removes_only_what_does_not_run),
		LIVE(test_rename_moves_the_record_of_a_stopped_domain),
		cmocka_unit_test_setup_teardown(test_what_starts_or_is_others_keeps_its_name, xm_setup_bare,
						xm_teardown),
		LIVE(test_autostart_is_shown_and_set),
		LIVE(test_edit_changes_a_record_and_keeps_what_a_file_does_not_say),
		LIVE(test_edit_of_an_imported_record_changes_what_was_edited_only),
		LIVE(test_a_wrong_record_can_be_seen_and_mended),
		LIVE(test_a_host_name_names_a_domain),
		LIVE(test_edit_loses_nothing_when_it_fails),
	};

	return cmocka_run_group_tests_name("xm: records", tests, xm_group_setup, xm_group_teardown);
}
