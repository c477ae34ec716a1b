/* SPDX-License-Identifier: MIT */
/*
 * test_end.c - the ends of a program as the leak sanitizer sees them: who ends by cli_end or
 * cli_die is asked for nothing, who comes to the end of main is. Without a sanitizer only the
 * statuses are looked at.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "die.h"

static void lose_memory(void)
{
	char *volatile p = malloc(25);

	memset(p, 'x', 25);
}

/* The child: loses memory, and ends as @how says. */
static int end_by(const char *how)
{
	lose_memory();
	if (strcmp(how, "end") == 0)
		cli_end(7);
	if (strcmp(how, "die") == 0)
		cli_die(7, "nothing");
	return 7;
}

/* Its status; what is left on stacks and in registers hides no leak from the sanitizer. */
static int status_of(const char *how)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		setenv("LSAN_OPTIONS", "use_stacks=0:use_registers=0", 1);
		if (freopen("/dev/null", "w", stderr))
			execl("/proc/self/exe", "test_end", how, NULL);
		_exit(99);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void test_who_ends_from_within_is_asked_for_no_leaks(void **state)
{
	assert_int_equal(status_of("end"), 7);
	assert_int_equal(status_of("die"), 7);
}

static void test_who_returns_from_main_is(void **state)
{
#ifdef __SANITIZE_ADDRESS__
	assert_int_not_equal(status_of("return"), 7);
#else
	assert_int_equal(status_of("return"), 7);
#endif
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_who_ends_from_within_is_asked_for_no_leaks),
		cmocka_unit_test(test_who_returns_from_main_is),
	};

	return argc > 1 ? end_by(argv[1]) : cmocka_run_group_tests(tests, NULL, NULL);
}
