/* SPDX-License-Identifier: MIT */
/*
 * test_console.c - claims about xm console: with a terminal, with pipes, over reboots.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>
#include <cmocka.h>

#include "fake_store.h"
#include "xm.h"
#include "xm_run.h"

#define CFG xm_file("demo.cfg")

/* A person at a terminal: xm runs in a thread on the slave, the test types on the master. */
struct person {
	int master, slave, status;
	pthread_t thread;
	const char *argv[8];
	char seen[8192];
	size_t nr_seen;
};

static void *sitting(void *data)
{
	struct person *p = data;
	FILE *in = fdopen(dup(p->slave), "r"), *out = fdopen(dup(p->slave), "w");
	FILE *err = fdopen(dup(p->slave), "w");
	int argc = 0;

	while (p->argv[argc])
		argc++;
	p->status = xm_main(argc, (char **)p->argv, in, out, err);
	fclose(in);
	fclose(out);
	fclose(err);
	return NULL;
}

static void sit_down(struct person *p)
{
	assert_int_equal(openpty(&p->master, &p->slave, NULL, NULL, NULL), 0);
	fcntl(p->master, F_SETFL, O_NONBLOCK);
	pthread_create(&p->thread, NULL, sitting, p);
}

/* Reads what the terminal shows until @text is there; false after a minute. */
static bool sees(struct person *p, const char *text)
{
	for (int i = 0; i < 6000; i++) {
		struct pollfd fd = { .fd = p->master, .events = POLLIN };
		ssize_t n;

		if (strstr(p->seen, text))
			return true;
		poll(&fd, 1, 10);
		n = read(p->master, p->seen + p->nr_seen, sizeof(p->seen) - p->nr_seen - 1);
		if (n > 0)
			p->nr_seen += (size_t)n;
		p->seen[p->nr_seen] = '\0';
	}
	print_message("seen: %s\n", p->seen);
	return false;
}

static void types(struct person *p, const char *text)
{
	assert_int_equal(write(p->master, text, strlen(text)), (ssize_t)strlen(text));
}

static void stand_up(struct person *p)
{
	pthread_join(p->thread, NULL);
	close(p->master);
	close(p->slave);
}

static bool is_raw(const struct person *p)
{
	struct termios t;

	return tcgetattr(p->slave, &t) == 0 && !(t.c_lflag & (ICANON | ECHO));
}

static void test_a_person_types_reads_and_leaves_with_ctrl_bracket(void **state)
{
	struct person p = { .argv = { "xm", "console", "demo" } };

	(void)state;
	OK("create", CFG);
	sit_down(&p);
	assert_true(sees(&p, "demo on domain 1\r\n"));
	assert_true(is_raw(&p));
	types(&p, "uname\r");
	assert_true(sees(&p, "heard uname"));
	types(&p, "last\r\035");
	stand_up(&p);

	assert_int_equal(p.status, 0);
	expect_key("/status/domain/demo/state", "running");
}

static void test_the_terminal_is_left_as_it_was_found(void **state)
{
	struct person p = { .argv = { "xm", "console", "demo" } };

	(void)state;
	OK("create", CFG);
	sit_down(&p);
	assert_true(sees(&p, "demo on domain 1"));
	types(&p, "\035");
	assert_true(sees(&p, "[console left]"));
	pthread_join(p.thread, NULL);

	assert_false(is_raw(&p));
	close(p.master);
	close(p.slave);
}

static void test_create_with_c_attaches(void **state)
{
	struct person p = { .argv = { "xm", "create", "-c", NULL } };
	char cfg[128];

	(void)state;
	snprintf(cfg, sizeof(cfg), "%s", CFG);
	p.argv[3] = cfg;
	sit_down(&p);
	assert_true(sees(&p, "Started domain demo"));
	assert_true(sees(&p, "demo on domain 1"));
	types(&p, "poweroff\r");
	stand_up(&p);

	assert_int_equal(p.status, 0);
	wait_key("/status/domain/demo/state", NULL);
	assert_int_equal(fake_store_count("/config/domain/demo"), 0);
}

static void test_the_console_stays_over_a_reboot_and_ends_with_the_domain(void **state)
{
	struct person p = { .argv = { "xm", "console", "demo" } };

	(void)state;
	OK("create", CFG);
	sit_down(&p);
	assert_true(sees(&p, "demo on domain 1"));
	types(&p, "reboot\r");
	assert_true(sees(&p, "[the domain started again]"));
	assert_true(sees(&p, "demo on domain 2"));
	types(&p, "hello\r");
	assert_true(sees(&p, "heard hello"));
	types(&p, "poweroff\r");
	assert_true(sees(&p, "[the domain is gone]"));
	stand_up(&p);

	assert_int_equal(p.status, 0);
}

/* Who looks at it is told where to look on. */
static void test_the_console_of_a_guest_that_moved_says_where_it_is(void **state)
{
	struct person p = { .argv = { "xm", "console", "demo" } };

	(void)state;
	OK("create", CFG);
	sit_down(&p);
	assert_true(sees(&p, "demo on domain 1"));
	fake_store_set("/config/domain/demo/moved", "01234567-89ab-cdef-0123-456789abcdef hostb");
	types(&p, "hello\r");
	assert_true(sees(&p, "heard hello"));
	types(&p, "poweroff\r");
	assert_true(sees(&p, "[demo runs on hostb now: xm console demo there has it"));
	stand_up(&p);
	assert_int_equal(p.status, 0);
}

static void test_a_signal_leaves_the_console_and_restores_the_terminal(void **state)
{
	struct person p = { .argv = { "xm", "console", "demo" } };

	(void)state;
	OK("create", CFG);
	sit_down(&p);
	assert_true(sees(&p, "demo on domain 1"));
	kill(getpid(), SIGINT);
	pthread_join(p.thread, NULL);
	assert_false(is_raw(&p));
	assert_int_equal(p.status, 0);
	close(p.master);
	close(p.slave);
}

static void test_lines_from_a_pipe_reach_the_guest_and_its_answers_the_output(void **state)
{
	(void)state;
	OK("create", CFG);
	xm_input("one\ntwo\n");
	OK("console", "--idle", "0.3", "demo");
	expect_out("demo on domain 1\r\nheard one\r\nheard two\r\n");
	assert_string_equal(xm_err, "");
}

static void test_without_input_the_output_is_read_to_the_end_of_the_domain(void **state)
{
	(void)state;
	OK("create", CFG);
	xm_input("poweroff\n");
	OK("console", "demo");
	expect_out("heard poweroff");
}

static void test_ctrl_bracket_in_a_script_leaves_too(void **state)
{
	(void)state;
	OK("create", CFG);
	xm_input("bye\n\035never");
	OK("console", "demo");
	OK("console", "--idle", "0.2", "demo");
	assert_null(strstr(xm_out, "never"));
}

static void test_what_has_no_console_says_so(void **state)
{
	(void)state;
	FAILS("console", "nobody");
	expect_err("there is no domain 'nobody'");
	FAILS("console", "Domain-0");
	expect_err("Domain-0's console is the machine's own");
	OK("new", CFG);
	FAILS("console", "demo");
	expect_err("domain 'demo' is not running (it is defined)");
	WRONG("console", "--idle", "x", "demo");
	WRONG("console", "-t", "serial", "demo");
	expect_err("there is no console of type 'serial'");
	WRONG("console", "-n", "1", "demo");
}

static void test_only_a_terminal_is_opened_whatever_the_key_says(void **state)
{
	static const char *const paths[] = { "/etc/passwd", "/dev/pts/../../etc/passwd", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char name[16], override[32], extra[] = "extra=fake=mute", tty[64];

		snprintf(name, sizeof(name), "g%zu", i);
		snprintf(override, sizeof(override), "name=%s", name);
		OK("create", CFG, override, extra);
		snprintf(tty, sizeof(tty), "/local/domain/%zu/console/tty", i + 1);
		fake_store_set(tty, paths[i]);
		interrupt_when(tty, paths[i]);
		OK("console", name);
		assert_string_equal(xm_out, "");
	}
}

static void test_waiting_for_a_console_ends_when_the_domain_does(void **state)
{
	(void)state;
	OK("new", CFG);
	fake_store_set("/status/domain/demo/domid", "1");
	fake_store_set("/status/domain/demo/state", "starting");
	interrupt_when("/status/domain/demo/state", "starting");
	OK("console", "demo");
	assert_string_equal(xm_out, "");
}

#define LIVE(f) cmocka_unit_test_setup_teardown(f, xm_setup, xm_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		LIVE(test_a_person_types_reads_and_leaves_with_ctrl_bracket),
		LIVE(test_the_terminal_is_left_as_it_was_found),
		LIVE(test_create_with_c_attaches),
		LIVE(test_the_console_stays_over_a_reboot_and_ends_with_the_domain),
		LIVE(test_the_console_of_a_guest_that_moved_says_where_it_is),
		LIVE(test_a_signal_leaves_the_console_and_restores_the_terminal),
		LIVE(test_lines_from_a_pipe_reach_the_guest_and_its_answers_the_output),
		LIVE(test_without_input_the_output_is_read_to_the_end_of_the_domain),
		LIVE(test_ctrl_bracket_in_a_script_leaves_too),
		LIVE(test_what_has_no_console_says_so),
		LIVE(test_only_a_terminal_is_opened_whatever_the_key_says),
		cmocka_unit_test_setup_teardown(test_waiting_for_a_console_ends_when_the_domain_does,
						xm_setup_bare, xm_teardown),
	};

	return cmocka_run_group_tests_name("xm: console", tests, xm_group_setup, xm_group_teardown);
}
