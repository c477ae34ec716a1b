/* SPDX-License-Identifier: MIT */
/*
 * test_disk_use.c - claims about what dom0 uses: over a /proc and /sys of files made here.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <cmocka.h>

#include "disk_use.h"

static char root[] = "/tmp/disk-use-XXXXXX";
static char why[512];

static void put(const char *path, const char *text)
{
	char full[512];
	FILE *f;

	snprintf(full, sizeof(full), "%s%s", root, path);
	for (char *s = full + strlen(root) + 1; (s = strchr(s, '/')); s++) {
		*s = '\0';
		mkdir(full, 0700);
		*s = '/';
	}
	f = fopen(full, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int group_setup(void **state)
{
	char text[1024];

	(void)state;
	if (!mkdtemp(root))
		return -1;
	put("/free.img", "free");
	put("/looped.img", "looped");
	put("/swapped.img", "swapped");
	put("/mounted.img", "mounted");
	put("/proc/self/mountinfo",
	    "24 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
	    "25 24 0:40 /sub /home\\040dir rw - btrfs /dev/nothing rw\n"
	    "not a line\n");
	snprintf(text, sizeof(text), "Filename Type Size Used Priority\n%s/swapped.img file 1 0 -2\n",
		 root);
	put("/proc/swaps", text);
	snprintf(text, sizeof(text), "%s/looped.img\n", root);
	put("/sys/block/loop3/loop/backing_file", text);
	put("/sys/block/loop4/loop/other", "");
	put("/sys/block/sda/size", "1");
	put("/sys/dev/block/8:0/sda1/partition", "1\n");
	put("/sys/dev/block/8:0/sda1/dev", "8:1\n");
	put("/sys/dev/block/8:0/queue/dev", "8:99\n");
	put("/sys/dev/block/8:16/holders/dm-0", "");
	put("/sys/dev/block/8:32/sdc1/partition", "1\n");
	put("/sys/dev/block/8:32/sdc1/dev", "8:33\n");
	return 0;
}

static int group_teardown(void **state)
{
	char command[64];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void file_is(const char *name, int err, const char *text)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", root, name);
	assert_int_equal(disk_use(root, path, why, sizeof(why)), err);
	if (err)
		assert_string_equal(why, text);
}

static void device_is(unsigned int minor_nr, int err, const char *text)
{
	assert_int_equal(disk_use_device(root, makedev(8, minor_nr), why, sizeof(why)), err);
	if (err)
		assert_string_equal(why, text);
}

static void test_an_image_that_is_a_loop_device_or_swap_is_in_use(void **state)
{
	(void)state;
	file_is("free.img", 0, NULL);
	file_is("nowhere.img", 0, NULL);
	file_is("looped.img", -EBUSY, "is /dev/loop3 in dom0");
	file_is("swapped.img", -EBUSY, "is swap space of dom0");
}

static void test_a_mounted_device_its_disk_and_what_carries_another_are_in_use(void **state)
{
	(void)state;
	device_is(1, -EBUSY, "is mounted on /");
	device_is(0, -EBUSY, "has a partition, /dev/sda1, that is mounted on /");
	device_is(16, -EBUSY, "is in use by /dev/dm-0 in dom0");
	device_is(32, 0, NULL);
	device_is(33, 0, NULL);
}

static void test_a_mount_is_known_by_its_source_too(void **state)
{
	char text[1024];

	(void)state;
	snprintf(text, sizeof(text), "24 1 0:41 / /srv rw - btrfs %s/mounted.img rw\n", root);
	put("/proc/self/mountinfo", text);
	file_is("mounted.img", -EBUSY, "is mounted on /srv");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_image_that_is_a_loop_device_or_swap_is_in_use),
		cmocka_unit_test(test_a_mounted_device_its_disk_and_what_carries_another_are_in_use),
		cmocka_unit_test(test_a_mount_is_known_by_its_source_too),
	};

	return cmocka_run_group_tests_name("disk use", tests, group_setup, group_teardown);
}
