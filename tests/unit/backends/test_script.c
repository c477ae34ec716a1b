/* SPDX-License-Identifier: MIT */
/*
 * test_script.c - real hotplug scripts, run as netback runs them: how they end, what they say.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "vif_script.h"

static struct vif_script script = { .vif = "vif3.0", .bridge = "xenbr0", .path = "backend/vif/3/0" };
static char said[VIF_SCRIPT_SAID];

static int run(const char *body)
{
	FILE *f = fopen(script.script, "w");
	int rc;

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", body);
	fclose(f);
	assert_int_equal(chmod(script.script, 0755), 0);
	memset(said, 'x', sizeof(said));
	rc = vif_script_run(&script, "online", said);
	unlink(script.script);
	return rc;
}

static int setup(void **state)
{
	(void)state;
	snprintf(script.script, sizeof(script.script), "/tmp/test-script-%d", getpid());
	return 0;
}

static void test_a_script_that_succeeds_says_nothing(void **state)
{
	(void)state;
	assert_int_equal(run("exit 0"), 0);
	assert_string_equal(said, "");
}

static void test_what_it_is_told_is_xens_contract(void **state)
{
	(void)state;
	assert_int_equal(run("[ \"$1 $2 $vif $bridge $XENBUS_PATH\" = "
			     "'online type_if=vif vif3.0 xenbr0 backend/vif/3/0' ]"), 0);
	/* vif-route asks for the NIC by that name; without one it has its own default. */
	assert_int_equal(run("[ \"${netdev-none}\" = none ]"), 0);
	strcpy(script.gatewaydev, "ens3");
	assert_int_equal(run("[ \"$netdev\" = ens3 ]"), 0);
	script.gatewaydev[0] = '\0';
}

static void test_its_last_words_are_kept(void **state)
{
	(void)state;
	assert_int_equal(run("echo first >&2; echo 'RTNETLINK answers: File exists' >&2; exit 2"),
			 -EIO);
	assert_string_equal(said, "RTNETLINK answers: File exists");
	/* Without a newline, and of control characters nothing. */
	assert_int_equal(run("printf 'a\\n\\033[1mb' >&2; exit 1"), -EIO);
	assert_string_equal(said, " [1mb");
}

static void test_endless_words_are_cut(void **state)
{
	(void)state;
	assert_int_equal(run("head -c 300000 /dev/zero | tr '\\0' y >&2; exit 1"), -EIO);
	assert_int_equal(strlen(said), VIF_SCRIPT_SAID - 1);
}

static void test_a_child_it_leaves_behind_is_not_waited_for(void **state)
{
	(void)state;
	assert_int_equal(run("sleep 30 >/dev/null & echo gone >&2; exit 1"), -EIO);
	assert_string_equal(said, "gone");
}

static void test_one_that_is_not_there_is_named(void **state)
{
	(void)state;
	assert_int_equal(vif_script_run(&script, "online", said), -ENOENT);
	assert_string_equal(said, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_script_that_succeeds_says_nothing),
		cmocka_unit_test(test_what_it_is_told_is_xens_contract),
		cmocka_unit_test(test_its_last_words_are_kept),
		cmocka_unit_test(test_endless_words_are_cut),
		cmocka_unit_test(test_a_child_it_leaves_behind_is_not_waited_for),
		cmocka_unit_test(test_one_that_is_not_there_is_named),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
