/* SPDX-License-Identifier: MIT */
/*
 * test_blk_iscsi.c - disks of iSCSI targets: Debian's tgtd serves them, qemu-nbd asks it.
 * Operations, what is refused, a target that is killed and comes back, and a qemu-nbd that is
 * killed. Needs root.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <log.h>

#include "blk_served_kit.h"

#define TARGET "iqn.2026-01.test:disk"

static char name[128];
static unsigned int port;

/* --- the target ----------------------------------------------------------------------------- */

/* A port that nobody listens at. */
static unsigned int free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	return ntohs(at.sin_port);
}

static void start_target(void)
{
	char portal[64], ipc[96];

	snprintf(portal, sizeof(portal), "portal=127.0.0.1:%u", port);
	snprintf(ipc, sizeof(ipc), "%s/tgt", dir);
	setenv("TGT_IPC_SOCKET", ipc, 1);
	other_child = fork();
	if (other_child == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execl("/usr/sbin/tgtd", "tgtd", "-f", "--iscsi", portal, (char *)NULL);
		_exit(127);
	}
	/* It listens for what follows before it does for disks. */
	shell("PATH=$PATH:/usr/sbin; t='tgtadm --lld iscsi --tid 1'; exec 2>%s/said;"
	      "n=0; until $t --op new --mode target -T " TARGET "; do "
	      "n=$((n + 1)); [ $n -lt 200 ] || exit 1; sleep 0.05; done;"
	      "$t --op new --mode logicalunit --lun 1 -b %s &&"
	      "$t --op update --mode logicalunit --lun 1 --params thin_provisioning=1 &&"
	      "$t --op bind --mode target -I ALL", dir, file);
}

static void kill_target(void)
{
	if (other_child)
		kill(other_child, SIGKILL);
	if (other_child)
		waitpid(other_child, NULL, 0);
	other_child = 0;
}

/* --- what each test has --------------------------------------------------------------------- */

static int set_up(void **state)
{
	make_folder("blk-iscsi");
	shell("truncate -s 1M %s", file);
	port = free_port();
	start_target();
	snprintf(name, sizeof(name), "iscsi://localhost:%u/" TARGET "/1", port);
	server = (struct blk_server_want){ .image = name, .backing = "", .user = NOBODY };
	return 0;
}

static int tear_down(void **state)
{
	close_disk();
	kill_target();
	shell("rm -r %s", dir);
	return 0;
}

/* --- claims --------------------------------------------------------------------------------- */

static void test_what_was_written_is_at_the_target(void **state)
{
	uint8_t byte;
	int fd;

	open_disk(false);
	assert_int_equal(image.sectors, BLOCK / BLK_SECTOR * BLOCKS);
	assert_true(image.can_discard);
	fill(3, 0x33);
	assert_int_equal(first_byte(3), 0x33);
	assert_int_equal(one(BLK_IO_SYNC, NULL, 0), 0);
	fd = open(file, O_RDONLY);
	assert_int_equal(pread(fd, &byte, 1, 3 * BLOCK), 1);
	assert_int_equal(byte, 0x33);
	assert_int_equal(one(BLK_IO_PUNCH, NULL, 3), 0);
	assert_int_equal(pread(fd, &byte, 1, 3 * BLOCK), 1);
	assert_int_equal(byte, 0);
	close(fd);
	close_disk();
	server.readonly = true;
	open_disk(false);
	assert_int_equal(first_byte(3), 0);
}

static void login(const char *user, const char *password, unsigned int mode)
{
	shell("printf '# = x\\nnode.session.auth.authmethod = CHAP\\nnode.session.auth.username = %s\\n"
	      "node.session.auth.password =%s \\n' >%s/iscsid.conf; chmod %o %s/iscsid.conf",
	      user, password, dir, mode, dir);
}

/* As open-iscsi has it, in a file of root's; in no list of processes, and not in the store. */
static void test_a_target_that_asks_for_a_password_gets_it(void **state)
{
	char cmd[4096], path[64];
	ssize_t n;
	int fd;

	setenv("STOREVISOR_ISCSI_DIR", dir, 1);
	shell("PATH=$PATH:/usr/sbin; t='tgtadm --lld iscsi --mode account --user storevisor'; exec 2>%s/said;"
	      "$t --op new --password 'secret, with a comma' && $t --op bind --tid 1", dir);
	refused(-EHOSTUNREACH, "iSCSI");
	login("storevisor", "another one", 0600);
	refused(-EHOSTUNREACH, "iSCSI");
	login("storevisor", "secret, with a comma", 0644);
	refused(-EINVAL, "others than root may read the password");
	login("storevisor", "secret, with a comma", 0600);
	open_disk(false);
	fill(3, 0x33);
	assert_int_equal(first_byte(3), 0x33);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", server_pid());
	fd = open(path, O_RDONLY);
	n = read(fd, cmd, sizeof(cmd));
	close(fd);
	assert_true(n > 0);
	assert_null(memmem(cmd, (size_t)n, "with a comma", 12));
	unsetenv("STOREVISOR_ISCSI_DIR");
}

static void test_two_do_not_write_one(void **state)
{
	struct blk_nbd_want w = want();
	struct blk_image other;
	struct blk_io *io2;

	open_disk(false);
	assert_int_equal(blk_nbd_open(&other, &io2, &w, why, sizeof(why)), -EAGAIN);
	assert_non_null(strstr(why, "already in use by another domain"));
	/* The lock is its server's, too: that may be the last to know of a write. */
	blk_image_close(&image);
	assert_int_equal(blk_nbd_open(&other, &io2, &w, why, sizeof(why)), -EAGAIN);
	close_disk();
	assert_int_equal(blk_nbd_open(&other, &io2, &w, why, sizeof(why)), 0);
	blk_io_close(io2);
	blk_image_close(&other);
}

static void test_what_is_not_there_is_refused_in_one_line(void **state)
{
	snprintf(name, sizeof(name), "iscsi://127.0.0.1:%u/" TARGET "/7", port);
	refused(-EHOSTUNREACH, "iSCSI");
	snprintf(name, sizeof(name), "iscsi://127.0.0.1:%u/iqn.2026-01.test:other/1", port);
	refused(-EHOSTUNREACH, "not found");
	snprintf(name, sizeof(name), "iscsi://no-such-host.invalid:%u/" TARGET "/1", port);
	refused(-EHOSTUNREACH, "no-such-host.invalid: ");
	kill_target();
	snprintf(name, sizeof(name), "iscsi://127.0.0.1:%u/" TARGET "/1", port);
	refused(-EHOSTUNREACH, "refused");
}

/* In a child, as if the package were not there. */
static void refused_without_package(void)
{
	const struct blk_nbd_want w = want();

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("x", "/usr/lib/x86_64-linux-gnu/qemu", "tmpfs", 0, NULL))
		_exit(1);
	if (!blk_nbd_open(&image, &io, &w, why, sizeof(why)))
		_exit(2);
	_exit(strstr(why, "apt-get install qemu-block-extra") ? 0 : 3);
}

static void test_a_package_that_is_missing_is_named(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		refused_without_package();
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

/* All of them written once, over and over; the guest is told of no error and of no end. */
static void test_a_target_that_comes_back_is_gone_on_with(void **state)
{
	open_disk(false);
	for (unsigned int i = 0; i < BLOCKS; i++) {
		static uint8_t buf[BLOCK];
		int32_t res[BLK_IO_DEPTH] = { -1 };

		memset(buf, (int)(i % 200 + 1), BLOCK);
		add(BLK_IO_WRITE, 0, buf, i);
		blk_io_start(io);
		if (i == 100)
			kill_target();
		if (i == 100)
			start_target();
		collect(1, res);
		assert_int_equal(res[0], BLOCK);
	}
	for (unsigned int i = 0; i < BLOCKS; i++)
		assert_int_equal(first_byte(i), i % 200 + 1);
}

static void test_nothing_told_is_lost_when_its_server_is_killed(void **state)
{
	static uint8_t buf[BLOCK];
	volatile unsigned int told = 0;

	open_disk(false);
	if (setjmp(lost_to) == 0) {
		for (;; told++) {
			int32_t res[BLK_IO_DEPTH] = { -1 };

			memset(buf, (int)(told % 200 + 1), BLOCK);
			add(BLK_IO_WRITE, 0, buf, told % BLOCKS);
			blk_io_start(io);
			if (told == 100)
				kill(server_pid(), SIGKILL);
			collect(1, res);
		}
	}
	assert_true(told >= 100);
	close_disk();
	open_disk(true);
	for (unsigned int i = 0; i < told; i++)
		assert_int_equal(first_byte(i), i % 200 + 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_what_was_written_is_at_the_target),
		T(test_a_target_that_asks_for_a_password_gets_it),
		T(test_two_do_not_write_one),
		T(test_what_is_not_there_is_refused_in_one_line),
		T(test_a_package_that_is_missing_is_named),
		T(test_a_target_that_comes_back_is_gone_on_with),
		T(test_nothing_told_is_lost_when_its_server_is_killed),
	};

	if (geteuid()) {
		print_message("needs root\n");
		return 77;
	}
	signal(SIGPIPE, SIG_IGN);
	log_init("test", LOG_LVL_ERROR, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
