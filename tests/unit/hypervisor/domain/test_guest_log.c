/* SPDX-License-Identifier: MIT */
/* Claims about lines of the log that guests cause: whatever they do, so many a second. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include "world.h"

#include <cmocka.h>

#include "lib/log.h"
#include "lib/string.h"

#define SECOND 1000000000
#define OF_ONE 5
#define OF_ALL 20

static struct domain *d1;

static int setup(void **state)
{
	world_reset();
	world.now += 2 * SECOND; /* all have their lines again */
	d1 = world_domain(1, 1);
	world.log_lines = 0;
	return 0;
}

static int teardown(void **state)
{
	assert_int_equal(world_end(), 0);
	return 0;
}

static void test_a_flood_is_cut_at_every_level(void **state)
{
	for (int level = LOG_ERROR; level <= LOG_DEBUG; level++) {
		world.now += 2 * SECOND;
		domain_log(d1, level, "d1: first");
		world.log_lines = 0;
		for (unsigned int i = 0; i < 1000; i++)
			domain_log(d1, level, "d1: again");
		assert_int_equal(world.log_lines, OF_ONE - 1);
	}
}

static void test_what_was_left_out_is_counted(void **state)
{
	for (unsigned int i = 0; i < 1000; i++)
		domain_log(d1, LOG_WARN, "d1: again");
	assert_int_equal(d1->log.left_out, 1000 - OF_ONE);
	world.now += SECOND;
	world.log_lines = 0;
	domain_log(d1, LOG_WARN, "d1: later");
	assert_int_equal(world.log_lines, 2); /* how many were left out, and the line */
	assert_string_equal(world.last_line, "d1: later");
	assert_int_equal(d1->log.left_out, 0);
}

static void test_a_flood_does_not_silence_another_domain(void **state)
{
	struct domain *d2 = world_domain(2, 1);

	for (unsigned int i = 0; i < 1000; i++)
		domain_log(d1, LOG_WARN, "d1: again");
	domain_log(d2, LOG_WARN, "d2: mine");
	assert_string_equal(world.last_line, "d2: mine");
}

static void test_all_together_have_a_limit(void **state)
{
	for (domid_t id = 2; id < 12; id++)
		world_domain(id, 1);
	world.log_lines = 0;
	for (unsigned int i = 0; i < 100; i++)
		for (domid_t id = 1; id < 12; id++)
			domain_log(domain_find(id), LOG_ERROR, "d%u: again", id);
	assert_int_equal(world.log_lines, OF_ALL);
}

/* Once in a life: neither its own lines nor others' hide it, and it is not said again. */
static void test_why_a_domain_ended_is_said_once_whatever_is_said_beside_it(void **state)
{
	for (domid_t id = 2; id < 12; id++)
		world_domain(id, 1);
	for (unsigned int i = 0; i < 100; i++)
		for (domid_t id = 1; id < 12; id++)
			domain_log(domain_find(id), LOG_ERROR, "d%u: again", id);
	world.log_lines = 0;

	for (unsigned int i = 0; i < 100; i++)
		domain_crash(d1, "number %u", i);

	assert_string_equal(d1->crash_reason, "number 0");
	assert_int_equal(world.log_lines, 1 + d1->is_shut_down);
}

/* Where the vcpu was when it happened is said only of the vcpu that it happened to. */
static char crash_line[256];

static void keep_crash(const char *line)
{
	if (__builtin_strstr(line, "crashed: "))
		strlcpy(crash_line, line, sizeof(crash_line));
}

static void test_a_crash_names_the_vcpu_that_did_it(void **state)
{
	struct domain *d2 = world_domain(2, 1);

	world.on_log = keep_crash;
	world_run(d1->vcpu[0]);
	guest_regs()->rip = 0x1234;
	domain_crash(d1, "its own doing");
	assert_string_equal(crash_line, "d1v0: crashed: its own doing (rip 1234)");
	world_run(dom0->vcpu[0]);
	domain_crash(d2, "another's doing");
	assert_string_equal(crash_line, "d2: crashed: another's doing");
	guest_regs()->rip = 0;
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_a_flood_is_cut_at_every_level),
		CLAIM(test_what_was_left_out_is_counted),
		CLAIM(test_a_flood_does_not_silence_another_domain),
		CLAIM(test_all_together_have_a_limit),
		CLAIM(test_a_crash_names_the_vcpu_that_did_it),
		CLAIM(test_why_a_domain_ended_is_said_once_whatever_is_said_beside_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
