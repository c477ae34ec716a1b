/* SPDX-License-Identifier: MIT */
/*
 * test_kernel_load.c - the loading thread: its answer, its wake-up, and leaving it alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "kernel_load.h"
#include "make_elf.h"

static char path[] = "/tmp/xend-kernel.XXXXXX";

static int setup(void **state)
{
	size_t len;
	uint8_t *elf = make_elf(&make_elf_linux, &len);
	int fd;

	strcpy(path + strlen(path) - 6, "XXXXXX");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, elf, len) != (ssize_t)len)
		return -1;
	close(fd);
	free(elf);
	return 0;
}

static int teardown(void **state)
{
	return unlink(path);
}

static void wait_for(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 10000), 1);
}

static void test_the_thread_wakes_the_loop_when_the_kernel_is_there(void **state)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	const struct xen_image *x;
	struct kernel_load *k;
	const char *why;

	assert_int_equal(kernel_load_start(path, 64 << 20, fd, &k), 0);
	wait_for(fd);
	assert_int_equal(kernel_load_result(k, &x, &why), 0);
	assert_true(x->virt_base == make_elf_linux.vbase);
	kernel_load_release(k);
	close(fd);
}

static void test_a_missing_file_is_the_thread_s_answer(void **state)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	const struct xen_image *x;
	struct kernel_load *k;
	const char *why;

	assert_int_equal(kernel_load_start("/nowhere/vmlinuz", 64 << 20, fd, &k), 0);
	wait_for(fd);
	assert_int_equal(kernel_load_result(k, &x, &why), -ENOENT);
	assert_string_equal(why, "kernel file /nowhere/vmlinuz cannot be opened in dom0: "
			    "No such file or directory: check kernel=");
	kernel_load_release(k);
	close(fd);
}

/* Whoever comes second frees: run often, so that both orders happen; ASan watches. */
static void test_a_load_given_up_early_cleans_up_by_itself(void **state)
{
	int fd = eventfd(0, EFD_NONBLOCK);

	for (int i = 0; i < 200; i++) {
		struct kernel_load *k;

		assert_int_equal(kernel_load_start(path, 64 << 20, fd, &k), 0);
		if (i % 2)
			usleep((useconds_t)(i * 7 % 300));
		kernel_load_release(k);
	}
	usleep(200000);
	close(fd);
}

static void test_without_a_wake_fd_the_answer_is_there_at_once(void **state)
{
	const struct xen_image *x;
	struct kernel_load *k;
	const char *why;

	assert_int_equal(kernel_load_start(path, 64 << 20, -1, &k), 0);
	assert_int_equal(kernel_load_result(k, &x, &why), 0);
	kernel_load_release(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_thread_wakes_the_loop_when_the_kernel_is_there),
		cmocka_unit_test(test_a_missing_file_is_the_thread_s_answer),
		cmocka_unit_test(test_a_load_given_up_early_cleans_up_by_itself),
		cmocka_unit_test(test_without_a_wake_fd_the_answer_is_there_at_once),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
