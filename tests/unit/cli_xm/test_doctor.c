/* SPDX-License-Identifier: MIT */
/*
 * test_doctor.c - xm doctor: each thing that goes wrong on hosts is made to, on a host of files,
 * and found; and is not found any more when it is right again.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "doctor.h"
#include "fake_store.h"
#include "xm_run.h"

#define CFG xm_file("demo.cfg")

static void test_doctor_names_what_is_wrong_and_the_cure(void **state)
{
	(void)state;
	OK("new", CFG);
	OK("create", CFG, "name=web", "vif=['bridge=lo']");
	OK("new", CFG, "name=switched",
	   "vif=['bridge=lo.5:6,script=vif-openvswitch', 'bridge=ovs9:6,script=vif-openvswitch']");
	fake_store_set("/config/domain/demo/kernel", "/nowhere/k");
	fake_store_set("/local/domain/0/backend/vbd/1/51712/hotplug-status", "connected");
	fake_store_set("/local/domain/0/backend/vif/1/0/hotplug-error", "no such bridge");
	fake_store_set("/local/domain/0/backend/vif/1/0/hotplug-status", "error");
	fake_store_set("/config/network/bridge", "nobr7");
	FAILS("doctor");

	expect_out("\nok   the store answers (");
	expect_out("\nok   xend answers (");
	expect_out("\nok   1408 MiB of memory are free for domains\n");
	expect_out("\nNOTE Meltdown: open: turned off\n");
	expect_out("\nBAD  demo: kernel /nowhere/k: No such file or directory\n");
	expect_out("\nBAD  bridge nobr7 does not exist: storevisor-network bridge nobr7 makes it ");
	expect_out("\nBAD  web: network card 0: bridge lo does not exist\n");
	expect_out("\nBAD  switched: network card 1: bridge ovs9:6 does not exist\n");
	assert_null(strstr(xm_out, "network card 0: bridge lo.5"));
	expect_out("\nok   web: vbd 51712 is served\n");
	expect_out("\nBAD  web: vif 0 is not served: no such bridge\n");
}

static bool full; /* every file system is */

int __wrap_statvfs64(const char *path, struct statvfs *fs);
int __wrap_statvfs64(const char *path, struct statvfs *fs)
{
	*fs = (struct statvfs){ .f_frsize = 4096, .f_blocks = 1 << 20, .f_files = 1000,
				.f_bavail = full ? 100 : 1 << 18, .f_favail = 10 };
	/* What the kernel makes up has no size, and is not full for that. */
	if (strcmp(path, "/run") == 0)
		fs->f_blocks = fs->f_bavail = 0;
	return 0;
}

static void test_doctor_sees_a_full_disk(void **state)
{
	(void)state;
	OK("new", CFG);
	assert_int_equal(truncate(xm_file("disk.img"), 64 << 20), 0);
	FAILS("doctor");
	expect_out("\nok   the store and the logs have room\n");
	full = true;
	FAILS("doctor");
	full = false;
	expect_out("\nBAD  /var/lib/xenstored: its file system is full (0 MiB left): no record can "
		   "be changed: make room\n");
	expect_out("\nBAD  /var/log: its file system is full (0 MiB left): nothing is logged");
	expect_out("disk.img: its file system is full (0 MiB left), and the image is not all there "
		   "yet: make room\n");
	if (strstr(xm_out, "/run: its file system is full"))
		fail_msg("a file system without a size is not full: %s", xm_out);
}

static void test_doctor_knows_which_images_grow(void **state)
{
	(void)state;
	OK("new", CFG);
	/* As long as it is, it is there. */
	assert_int_equal(truncate(xm_file("disk.img"), 0), 0);
	full = true;
	FAILS("doctor");
	if (strstr(xm_out, "disk.img: its file system is full"))
		fail_msg("a raw image that is all there does not grow: %s", xm_out);
	fake_store_set("/config/domain/demo/disk/0/format", "qcow2");
	FAILS("doctor");
	full = false;
	expect_out("disk.img: its file system is full (0 MiB left), and the image is not all there "
		   "yet: make room\n");
}

static void test_doctor_says_that_the_store_is_not_there(void **state)
{
	(void)state;
	fake_store_refuse_open(ENOENT);
	NO_STORE("doctor");
	expect_out("BAD  the store does not answer: start xenstored\n");
}

/* ---- a host of files ---- */

static char root[300];

/* File @path of the host; @text NULL: it goes. Directories are made. */
static void host_file(const char *path, const char *text, mode_t mode)
{
	char at[600];
	FILE *f;

	snprintf(at, sizeof(at), "%s%s", root, path);
	if (!text) {
		unlink(at);
		return;
	}
	for (char *slash = strchr(at + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(at, 0755);
		*slash = '/';
	}
	f = fopen(at, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	assert_int_equal(chmod(at, mode), 0);
}

/* One where nothing is wrong, with a domain that runs and one that does not. */
static int setup_host(void **state)
{
	int ret = xm_setup(state);

	snprintf(root, sizeof(root), "%s", xm_file("host"));
	mkdir(root, 0755);
	doctor_root = root;
	host_file("/proc/xen/capabilities", "control_d\n", 0644);
	host_file("/proc/77/comm", "backendd\n", 0644);
	host_file("/proc/sys/net/ipv4/ip_forward", "0\n", 0644);
	host_file("/proc/swaps", "Filename Type Size Used Priority\n", 0644);
	host_file("/dev/xen/privcmd", "", 0600);
	host_file("/dev/xen/evtchn", "", 0600);
	host_file("/dev/xen/gntdev", "", 0600);
	host_file("/sys/class/net/xenbr0/bridge/bridge_id", "1", 0644);
	host_file("/sys/block/README", "", 0644);
	host_file("/etc/xen/scripts/vif-bridge", "#!/bin/sh\n", 0755);
	host_file("/usr/lib/storevisor/scripts/vif-route", "#!/bin/sh\n", 0755);
	host_file("/usr/bin/qemu-nbd", "#!/bin/sh\n", 0755);
	host_file("/boot/storevisor.gz", "", 0644);
	host_file("/usr/sbin/storevisor-boot", "#!/bin/sh\necho 'by default: under the hypervisor'\n", 0755);
	OK("create", CFG, "name=web", "disk=[]", "vif=['mac=00:16:3e:00:00:01']");
	fake_store_set("/local/domain/0/backend/vif/1/0/hotplug-status", "connected");
	fake_store_set("/local/domain/0/backend/console/1/0/hotplug-status", "connected");
	OK("new", CFG, "vif=['mac=00:16:3e:00:00:02']");
	return ret;
}

static int teardown_host(void **state)
{
	char command[320];

	doctor_root = "";
	snprintf(command, sizeof(command), "rm -rf '%s'", root);
	return system(command) | xm_teardown(state);
}

static void test_nothing_is_found_where_nothing_is_wrong(void **state)
{
	(void)state;
	OK("doctor");
	assert_null(strstr(xm_out, "BAD"));
	assert_null(strstr(xm_out, "storevisor-boot"));
}

/*
 * A key of the store, or (with a mode) a file of the host, as it is when things are wrong, and the
 * words.
 */
static const struct {
	const char *at, *wrong;
	mode_t mode;
	const char *right, *says;
} cases[] = {
	{ "/proc/xen/capabilities", NULL, 0644, "control_d\n", "BAD  this is not Domain-0" },
	{ "/dev/xen/gntdev", NULL, 0600, "", "BAD  /dev/xen/gntdev is not there: modprobe xen-gntdev" },
	{ "/status/store", "degraded", 0, "whole", "BAD  the store has lost something, or brought it back" },
	{ "/proc/77/comm", "frontendd\n", 0644, "backendd\n", "BAD  backendd does not run: " },
	{ "/sys/bus/xen-backend/drivers/vif", "", 0644, NULL,
	  "BAD  the kernel's xen-netback is loaded and would serve domains beside backendd: rmmod xen-netback" },
	{ "/sys/bus/xen-backend/drivers/vbd", "", 0644, NULL, "BAD  the kernel's xen-blkback is loaded" },
	{ "/config/network/bridge", "br9", 0, "xenbr0", "BAD  bridge br9 does not exist: storevisor-network" },
	{ "/config/domain/demo/vif/0/bridge", "br8", 0, "xenbr0", "BAD  demo: network card 0: bridge br8 does" },
	{ "/etc/xen/scripts/vif-bridge", NULL, 0755, "#!/bin/sh\n",
	  "BAD  demo: network card 0: script vif-bridge is not there: put it into /etc/xen/scripts/" },
	{ "/etc/xen/scripts/vif-bridge", "#!/bin/sh\n", 0644, "#!/bin/sh\n",
	  "BAD  demo: network card 0: script vif-bridge cannot be run: chmod +x " },
	{ "/config/domain/demo/disk/0/target", "script:block-drbd:mail", 0, NULL,
	  "BAD  demo: disk xvda: script block-drbd is not there: put it into /etc/xen/scripts/" },
	{ "/config/domain/web/vif/0/script", "vif-route", 0, "vif-bridge",
	  "BAD  web: network card 0 is routed, and this machine passes no packets on: sysctl" },
	{ "/config/domain/demo/kernel", "/nowhere/k", 0, NULL, "BAD  demo: kernel /nowhere/k: No such file" },
	{ "/config/domain/demo/memory", "much", 0, "64", "BAD  demo: in its record: memory=much is not possible" },
	{ "/config/domain/demo/disk/0/target", "file:/nowhere/d", 0, NULL, "BAD  demo: disk xvda: /nowhere/d: No" },
	{ "/config/domain/demo/vif/0/mac", "00:16:3e:00:00:01", 0, "00:16:3e:00:00:02",
	  "have network cards of one address, 00:16:3e:00:00:01: give one another" },
	{ "/local/domain/0/backend/vif/1/0/hotplug-status", "error", 0, "connected", "BAD  web: vif 0 is not served" },
	{ "/status/domain/demo/state", "crashed", 0, "defined", "BAD  demo: is crashed: 'xm why demo' tells more" },
};

/* What is right may be run, whether it is a program or not. */
static void put(size_t i, const char *value, bool right)
{
	if (cases[i].mode)
		host_file(cases[i].at, value, right ? 0755 : cases[i].mode);
	else
		fake_store_set(cases[i].at, value);
}

static void test_each_thing_that_is_wrong_is_found_until_it_is_right(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *right = cases[i].mode ? NULL : fake_store_get(cases[i].at);

		put(i, cases[i].wrong, false);
		if (xm_run("doctor", NULL) != 1 || !strstr(xm_out, cases[i].says))
			fail_msg("%s: not said: %s\n%s", cases[i].at, cases[i].says, xm_out);
		put(i, cases[i].right ? cases[i].right : right, true);
		free(right);
		expect_status(xm_run("doctor", NULL), 0);
	}
}

static void test_what_dom0_uses_itself_is_no_guests_to_write_to(void **state)
{
	char swaps[400];

	(void)state;
	snprintf(swaps, sizeof(swaps), "Filename Type Size Used Priority\n%s file 4 0 -2\n", xm_file("disk.img"));
	host_file("/proc/swaps", swaps, 0644);
	FAILS("doctor");
	expect_out("disk.img is swap space of dom0: two that write to it destroy it: end that, or give");
	fake_store_set("/config/domain/demo/disk/0/mode", "r");
	OK("doctor");
}

/* By whichever name: the two may be meant for one another's absence. */
static void test_one_image_of_two_domains_is_told(void **state)
{
	char target[400];

	(void)state;
	assert_int_equal(symlink(xm_file("disk.img"), xm_file("other.img")), 0);
	snprintf(target, sizeof(target), "disk=['file:%s,xvdb,w']", xm_file("other.img"));
	OK("new", CFG, "name=two", target, "vif=[]");
	OK("doctor");
	unlink(xm_file("other.img"));
	expect_out("NOTE demo: disk xvda and two: disk xvdb are one, ");
	fake_store_set("/config/domain/two/disk/0/mode", "w!");
	fake_store_set("/config/domain/demo/disk/0/mode", "w!");
}

/* They may be those of a process that its guest has taken over. */
static void test_words_of_a_device_do_not_reach_the_terminal_raw(void **state)
{
	(void)state;
	fake_store_set("/local/domain/0/backend/vif/1/0/hotplug-status", "error");
	fake_store_set("/local/domain/0/backend/vif/1/0/hotplug-error", "\033[2J\nok   all is well");
	FAILS("doctor");
	expect_out("BAD  web: vif 0 is not served: \\x1b[2J");
	assert_null(strstr(xm_out, "\nok   all is well"));
}

static void test_two_records_of_one_uuid_are_told(void **state)
{
	char *uuid = fake_store_get("/config/domain/demo/uuid");

	(void)state;
	fake_store_set("/config/domain/web/uuid", uuid);
	free(uuid);
	FAILS("doctor");
	expect_out("have one uuid, ");
}

static void test_what_reads_an_image_of_another_format_is_missed(void **state)
{
	(void)state;
	fake_store_set("/config/domain/demo/disk/0/format", "qcow2");
	OK("doctor");
	host_file("/usr/bin/qemu-nbd", NULL, 0);
	FAILS("doctor");
	expect_out("BAD  demo: disk xvda: qemu-nbd, which reads it, is not there: apt install qemu-utils");
}

static void test_a_machine_that_boots_without_is_told(void **state)
{
	(void)state;
	host_file("/usr/sbin/storevisor-boot",
		  "#!/bin/sh\n[ \"$1\" = --status ] || exit 1\necho 'by default: without the hypervisor'\n"
		  "echo 'next time: storevisor'\n", 0755);
	OK("doctor");
	expect_out("NOTE the machine boots without the hypervisor unless it is told otherwise: storevisor-boot --d");
}

static void test_a_xend_that_does_not_answer_is_found_and_so_is_what_it_left(void **state)
{
	(void)state;
	fake_store_set("/host/free_kib", "2048");
	FAILS("doctor");
	expect_out("BAD  xend does not answer: start it, or see ");
	expect_out("BAD  2 MiB of memory are free for domains: end a domain, or give Domain-0 less");
}

int main(void)
{
#define HOST(name) cmocka_unit_test_setup_teardown(name, setup_host, teardown_host)
#define LIVE(name) cmocka_unit_test_setup_teardown(name, xm_setup, xm_teardown)
#define BARE(name) cmocka_unit_test_setup_teardown(name, xm_setup_bare, xm_teardown)
	const struct CMUnitTest tests[] = {
		LIVE(test_doctor_names_what_is_wrong_and_the_cure),
		LIVE(test_doctor_sees_a_full_disk),
		LIVE(test_doctor_knows_which_images_grow),
		BARE(test_doctor_says_that_the_store_is_not_there),
		BARE(test_a_xend_that_does_not_answer_is_found_and_so_is_what_it_left),
		HOST(test_nothing_is_found_where_nothing_is_wrong),
		HOST(test_each_thing_that_is_wrong_is_found_until_it_is_right),
		HOST(test_what_dom0_uses_itself_is_no_guests_to_write_to),
		HOST(test_one_image_of_two_domains_is_told),
		HOST(test_words_of_a_device_do_not_reach_the_terminal_raw),
		HOST(test_two_records_of_one_uuid_are_told),
		HOST(test_what_reads_an_image_of_another_format_is_missed),
		HOST(test_a_machine_that_boots_without_is_told),
	};

	return cmocka_run_group_tests_name("xm: doctor", tests, xm_group_setup, xm_group_teardown);
}
