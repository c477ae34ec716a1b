/* SPDX-License-Identifier: MIT */
/*
 * test_ending.c - claims about ending, pausing and waiting for domains.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "fake_store.h"
#include "host.h"
#include "xm_run.h"

#define CFG xm_file("demo.cfg")
#define LOST_DEMO "/config/domain/demo/power\n"

static void test_shutdown_switches_the_record_off_and_waits_when_told(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("shutdown", "-w", "demo");
	assert_int_equal(fake_store_count("/config/domain/demo"), 0);
	FAILS("shutdown", "demo");
	expect_err("there is no domain 'demo'");
}

/* Where the store has lost something, xend is asked whether it acts on that record. */
static void test_a_shutdown_that_xend_holds_is_told(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("create", CFG, "name=two");
	fake_store_lost(LOST_DEMO);
	host_hurry();
	wait_key("/status/store", "degraded");
	FAILS("shutdown", "-w", "demo");
	expect_err("demo: not shut down: ");
	OK("shutdown", "-w", "two");
	fake_store_lost(NULL);
	/* Its record has been switched off: now that counts. */
	wait_key("/status/domain/demo/state", NULL);
	wait_key("/config/domain/demo/power", NULL);
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
	WRONG("shutdown");
	expect_err("name one or more domains, or say -a for all");
	WRONG("shutdown", "-a", "demo");
	FAILS("shutdown", "Domain-0");
	expect_err("Domain-0 is the host");
}

static void test_the_host_goes_down_only_when_domains_are_rightly_named(void **state)
{
	(void)state;
	OK("create", CFG);
	WRONG("shutdown", "--host");
	FAILS("shutdown", "--host", "nosuch");
	WRONG("reboot", "--host", "-a");
	expect_key("/host/stopping", NULL);
	OK("shutdown", "--host", "-a", "-w");
	expect_key("/host/stopping", "1");
}

static void test_one_that_refuses_keeps_no_other_from_being_asked(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("create", CFG, "name=two");
	fake_store_lost(LOST_DEMO);
	host_hurry();
	wait_key("/status/store", "degraded");
	FAILS("shutdown", "-a", "-w");
	expect_err("demo: not shut down: ");
	expect_key("/status/domain/two/state", NULL);
}

static void test_a_dead_domain_that_is_kept_cannot_be_asked(void **state)
{
	(void)state;
	OK("create", CFG, "on_crash=preserve");
	fake_store_set("/local/domain/1/control/shutdown", "crash");
	wait_key("/status/domain/demo/state", "crashed");
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

static void test_a_reboot_without_a_next_life_is_an_error(void **state)
{
	(void)state;
	OK("create", CFG, "on_reboot=destroy");
	FAILS("reboot", "-w", "demo");
	expect_err("demo has not come back: 'xm why demo' tells more");
}

static void test_destroy_takes_names_and_numbers_and_leaves_no_request(void **state)
{
	(void)state;
	OK("create", CFG);
	OK("create", CFG, "name=two");
	/* 2^32 + 1 is not 1. */
	FAILS("destroy", "4294967297");
	expect_err("there is no domain '4294967297'");
	FAILS("pause", "18446744073709551617");
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
	expect_err("demo: not unpaused: demo is not paused (it is running)");
}

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
	WRONG("wait", "demo", "flying");
	expect_err("'flying' is not a state");
	FAILS("wait", "a/b");
	WRONG("wait", "--timeout", "soon", "demo");
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
	WRONG("events", "-n", "0");
	WRONG("events", "--timeout", "x");
}

#define LIVE(f) cmocka_unit_test_setup_teardown(f, xm_setup, xm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(test_shutdown_switches_the_record_off_and_waits_when_told),
		LIVE(test_a_shutdown_that_xend_holds_is_told),
		LIVE(test_shutdown_of_all_leaves_the_host_alone),
		LIVE(test_the_host_goes_down_only_when_domains_are_rightly_named),
		LIVE(test_one_that_refuses_keeps_no_other_from_being_asked),
		LIVE(test_a_dead_domain_that_is_kept_cannot_be_asked),
		LIVE(test_ctrl_c_ends_the_waiting_not_the_shutdown),
		LIVE(test_reboot_waits_for_the_next_life),
		LIVE(test_a_reboot_without_a_next_life_is_an_error),
		LIVE(test_destroy_takes_names_and_numbers_and_leaves_no_request),
		LIVE(test_pause_and_unpause_change_the_state),
		LIVE(test_wait_returns_when_the_state_is_reached),
		LIVE(test_wait_does_not_wait_for_what_cannot_come),
		LIVE(test_events_print_changes_one_a_line),
	};

	return cmocka_run_group_tests_name("xm: ending", tests, xm_group_setup, xm_group_teardown);
}
