/* SPDX-License-Identifier: MIT */
/*
 * test_saving.c - claims about xm save and xm restore: what xend is asked, and which record the
 * file of a saved domain becomes.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_store.h"
#include "saved_head.h"
#include "xm_run.h"

#define UUID "12345678-1234-4234-8234-123456789abc"
#define RECORD "memory\0" "64\0" "uuid\0" UUID "\0" "disk/0/vdev\0" "xvda\0" "persistent\0" "1\0" \
	       "bogus\0" "x\0" "../../other/memory\0" "1\0" "kernel\0" "/k"

static const char *saved(const char *name)
{
	const char *path = xm_file("web.save");
	struct saved_head h = { .version = SAVED_VERSION, .uuid = UUID, .nr_pages = 1, .nr_vcpus = 1, .record = RECORD,
				.record_len = sizeof(RECORD) };
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	snprintf(h.name, sizeof(h.name), "%s", name);
	assert_int_equal(saved_head_write(fd, &h), 0);
	close(fd);
	return path;
}

static void test_a_saved_domain_goes_on_from_its_file(void **state)
{
	const char *file = xm_file("x.save");
	char here[512];

	OK("create", xm_file("demo.cfg"), "memory=16");
	FAILS("save", "Domain-0", "x");
	expect_err("Domain-0 cannot be saved");
	FAILS("save", "nosuch", "x");
	OK("save", "-c", "demo", file);
	expect_key("/status/domain/demo/state", "running");
	FAILS("restore", file);
	expect_err("demo is there already");
	OK("save", "demo", file);
	wait_key("/status/domain/demo/state", NULL);
	OK("restore", file);
	expect_key("/status/domain/demo/state", "running");
	expect_key("/config/domain/demo/vif/0/bridge", "br7");

	/* xend has a directory of its own. */
	assert_non_null(getcwd(here, sizeof(here)));
	file = xm_file("");
	assert_int_equal(chdir(file), 0);
	OK("save", "-c", "demo", "y.save");
	assert_int_equal(access(xm_file("y.save"), R_OK), 0);
	assert_int_equal(chdir(here), 0);
}

static void test_restore_brings_the_record_along(void **state)
{
	const char *file = saved("web");

	/* There is no memory behind it: it does not start, and the record is there. */
	FAILS("restore", file);
	expect_err("web: not started: ");
	expect_key("/config/domain/web/memory", "64");
	expect_key("/config/domain/web/disk/0/vdev", "xvda");
	expect_key("/config/domain/web/saved", file);
	expect_key("/config/domain/web/bogus", NULL);
	expect_key("/config/other/memory", NULL);
	assert_int_equal(fake_store_count("/config/other"), 0);
}

static void test_restore_uses_the_record_that_there_is(void **state)
{
	OK("new", xm_file("demo.cfg"), "name=web", "uuid=" UUID, "memory=77");
	FAILS("restore", "-p", saved("web"));
	expect_err("web: not started: ");
	expect_key("/config/domain/web/memory", "77");
	expect_key("/config/domain/web/paused", "1");
}

static void test_restore_of_a_name_or_uuid_in_use_is_refused(void **state)
{
	OK("new", xm_file("demo.cfg"), "name=web");
	FAILS("restore", saved("web"));
	expect_err("there is another domain's record of that name");
	OK("new", xm_file("demo.cfg"), "name=shop", "uuid=" UUID);
	FAILS("restore", saved("site"));
	expect_err("site is called shop by now");
	expect_key("/config/domain/site/power", NULL);
}

static void test_what_is_no_saved_domain_is_refused(void **state)
{
	FAILS("restore", xm_file("nosuch"));
	expect_err("No such file");
	FAILS("restore", xm_file("demo.cfg"));
	expect_err("is not a file that 'xm save' made");
	assert_int_equal(truncate(saved("web"), 200), 0);
	FAILS("restore", xm_file("web.save"));
	expect_err("is not a file that 'xm save' made");
	FAILS("restore", saved("../etc"));
	expect_err("no possible name");
	FAILS("restore", saved("Domain-0"));
	expect_err("no possible name");
}

#define T(name) cmocka_unit_test_setup_teardown(name, xm_setup, xm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_a_saved_domain_goes_on_from_its_file),
		T(test_restore_brings_the_record_along),
		T(test_restore_uses_the_record_that_there_is),
		T(test_restore_of_a_name_or_uuid_in_use_is_refused),
		T(test_what_is_no_saved_domain_is_refused),
	};

	return cmocka_run_group_tests(tests, xm_group_setup, xm_group_teardown);
}
