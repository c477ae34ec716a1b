/* SPDX-License-Identifier: MIT */
/* test_log.c - what the log says when standard error takes no line. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "log.h"

/* Another process that has the pipe may have set it so that a write does not wait. */
static void test_a_line_that_did_not_fit_is_told_of(void **state)
{
	static char said[70000];
	int own = dup(STDERR_FILENO), to[2];
	ssize_t n;

	(void)state;
	assert_int_equal(pipe2(to, O_CLOEXEC | O_NONBLOCK), 0);
	while (write(to[1], said, 4096) > 0)
		;
	dup2(to[1], STDERR_FILENO);
	log_warnx("one");
	log_warnx("two");
	while (read(to[0], said, sizeof(said)) > 0)
		;
	log_warnx("three");
	log_warnx("four");
	dup2(own, STDERR_FILENO);
	n = read(to[0], said, sizeof(said) - 1);
	assert_true(n > 0);
	said[n] = '\0';
	assert_string_equal(said, "storevisor: warning: (2 lines before it were lost) three\n"
				  "storevisor: warning: four\n");
	close(own);
	close(to[0]);
	close(to[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_line_that_did_not_fit_is_told_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
