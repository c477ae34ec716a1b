/* SPDX-License-Identifier: MIT */
/* test_in_child.c - processes that are made while other threads of the program work. */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "in_child.h"

#define NR_THREADS 2
#define NR_CHILDREN 100
#define PATIENCE_S 100

static atomic_bool is_over;

static const size_t sizes[] = { 16, 400, 4000, 40000, 120000 };
#define NR_SIZES (sizeof(sizes) / sizeof(sizes[0]))

static bool allocate(void)
{
	void *p[NR_SIZES];
	bool ok = true;

	for (size_t i = 0; i < NR_SIZES; i++) {
		p[i] = malloc(sizes[i]);
		ok &= p[i] != NULL;
	}
	for (size_t i = 0; i < NR_SIZES; i++)
		free(p[i]);
	return ok;
}

static void *thread(void *arg)
{
	while (!atomic_load(&is_over))
		allocate();
	return arg;
}

static int work(void *arg)
{
	char *copy = strdup("a few words");

	free(copy);
	return copy && allocate() ? 0 : -1;
}

/* Its status; -1: it hung, and was killed. */
static int status_of(pid_t pid)
{
	const struct timespec soon = { .tv_nsec = 1000000 };
	time_t end = time(NULL) + PATIENCE_S;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (time(NULL) > end) {
			kill(pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		nanosleep(&soon, NULL);
	}
	return status;
}

static void test_a_child_allocates_whatever_others_did_when_it_was_made(void **state)
{
	pthread_t id[NR_THREADS];
	int status = 0;

	(void)state;
	for (int i = 0; i < NR_THREADS; i++)
		assert_int_equal(pthread_create(&id[i], NULL, thread, NULL), 0);
	for (int i = 0; i < NR_CHILDREN && !status; i++) {
		pid_t pid = in_child_start(work, NULL);

		status = pid > 0 ? status_of(pid) : -1;
	}
	atomic_store(&is_over, true);
	for (int i = 0; i < NR_THREADS; i++)
		pthread_join(id[i], NULL);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_child_allocates_whatever_others_did_when_it_was_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
