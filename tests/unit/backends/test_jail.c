/* SPDX-License-Identifier: MIT */
/* test_jail.c - what a disk's server reaches when somebody took it over. Needs root. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/sockios.h>

#include <cmocka.h>

#include "jail.h"

#define NOBODY "65534:65534"

static char dir[64];

static int set_up(void **state)
{
	strcpy(dir, "/tmp/test-jail-XXXXXX");
	assert_non_null(mkdtemp(dir));
	return 0;
}

static int tear_down(void **state)
{
	return rmdir(dir);
}

/* What a server that an image took over might try, with @network or without. */
static void try_everything(bool network)
{
	const struct jail jail = { .dir = dir, .user = NOBODY, .network = network };
	const char *step;
	int status;

	if (jail_enter(&jail, getppid(), &step))
		_exit(1);
	status = 2;
	if (access("/usr/bin/env", X_OK) || open("/etc/passwd", O_RDONLY) >= 0 ||
	    access("/usr/local", F_OK) == 0 || access("/usr/share", F_OK) == 0 ||
	    open("/usr/x", O_CREAT | O_WRONLY, 0600) >= 0 || mkdir("/x", 0700) == 0)
		_exit(status);
	status = 3;
	if (kill(getppid(), 0) == 0 || ptrace(PTRACE_ATTACH, getppid(), 0, 0) == 0 ||
	    fork() >= 0 || unshare(CLONE_NEWUSER) == 0 || chroot("/usr") == 0 || setuid(0) == 0 ||
	    mknod("/usr/x", S_IFBLK, 0) == 0 || mount("x", "/usr", "tmpfs", 0, NULL) == 0)
		_exit(status);
	status = 4;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || socket(AF_NETLINK, SOCK_RAW, 0) >= 0 ||
	    socket(AF_PACKET, SOCK_RAW, 0) >= 0 || socket(AF_INET, SOCK_RAW, 1) >= 0)
		_exit(status);
	_exit((socket(AF_INET, SOCK_STREAM, 0) >= 0) == network ? 0 : 5);
}

static void test_who_took_it_over_reaches_nothing(void **state)
{
	for (int network = 0; network < 2; network++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			try_everything(network);
		waitpid(pid, &status, 0);
		assert_int_equal(status, 0);
	}
}

/* --- processes of the same user: other disks', and their servers --------------------------- */

static int refused(int rc)
{
	return rc < 0 && errno == EPERM;
}

/* All that has an effect on @other, whose user is this one's; and an end that is put off. */
static void try_other_process(pid_t other)
{
	const struct jail jail = { .dir = dir, .user = NOBODY };
	const struct f_owner_ex owner = { F_OWNER_PID, other };
	const struct sched_param param = { 0 };
	const struct rlimit none = { 0, 0 };
	const char *step;
	struct rlimit own;
	int fds[2], pid = other;

	if (pipe(fds) || jail_enter(&jail, getppid(), &step))
		_exit(1);
	if (!refused(kill(other, SIGKILL)) || !refused(fcntl(fds[0], F_SETOWN, other)) ||
	    !refused(fcntl(fds[0], F_SETOWN_EX, &owner)) ||
	    !refused(fcntl(fds[0], F_SETSIG, SIGKILL)) ||
	    !refused(ioctl(fds[0], FIOSETOWN, &pid)) || !refused(ioctl(fds[0], SIOCSPGRP, &pid)))
		_exit(2);
	if (!refused(prlimit(other, RLIMIT_CPU, &none, NULL)) ||
	    !refused(sched_setparam(other, &param)))
		_exit(3);
	if (!refused(prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)) || !refused(flock(fds[0], LOCK_UN)))
		_exit(4);
	_exit(getrlimit(RLIMIT_CPU, &own) || fcntl(fds[0], F_GETFL) < 0 ? 5 : 0);
}

static void test_who_took_it_over_reaches_no_process_of_its_user(void **state)
{
	int status, ready[2];
	pid_t other, pid;
	char c;

	assert_int_equal(pipe(ready), 0);
	other = fork();
	if (other == 0) {
		if (setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534) ||
		    write(ready[1], "", 1) != 1)
			_exit(1);
		pause();
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	pid = fork();
	if (pid == 0)
		try_other_process(other);
	waitpid(pid, &status, 0);
	kill(other, SIGTERM);
	assert_int_equal(status, 0);
	/* Ours was the first signal it was sent. */
	waitpid(other, &status, 0);
	assert_int_equal(status, SIGTERM);
	close(ready[0]);
	close(ready[1]);
}

/* A loader may look there: what is mounted below /usr is a part of it, and as read only. */
static void look_below_usr(void)
{
	const struct jail jail = { .dir = dir, .user = NOBODY };
	const char *step;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("x", "/usr/lib/locale", "tmpfs", 0, NULL) ||
	    close(open("/usr/lib/locale/there", O_CREAT | O_WRONLY, 0600)) ||
	    chmod("/usr/lib/locale/there", 0666))
		_exit(1);
	if (jail_enter(&jail, getppid(), &step) || access("/usr/lib/locale/there", R_OK))
		_exit(2);
	_exit(open("/usr/lib/locale/there", O_WRONLY) < 0 && errno == EROFS ? 0 : 3);
}

/* An iSCSI disk's server has no file: what only root may read in /usr is not for it. */
static void look_for_secret(void)
{
	const struct jail jail = { .dir = dir, .user = NOBODY, .network = true };
	const char *step;

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("x", "/usr/lib/locale", "tmpfs", 0, NULL) ||
	    close(open("/usr/lib/locale/secret", O_CREAT | O_WRONLY, 0600)))
		_exit(1);
	if (jail_enter(&jail, getppid(), &step))
		_exit(2);
	_exit(open("/usr/lib/locale/secret", O_RDONLY) < 0 && errno == EACCES ? 0 : 3);
}

static void test_without_files_it_has_no_right_at_all(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		look_for_secret();
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

static void test_what_is_mounted_below_usr_is_there(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		look_below_usr();
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

/* --- its program ---------------------------------------------------------------------------- */

static void run_another(void)
{
	const struct jail jail = { .dir = dir, .user = NOBODY, .program = "/usr/bin/dash" };
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)"exec /usr/bin/true", NULL };
	char *const env[] = { NULL };
	const char *step;

	if (jail_enter(&jail, getppid(), &step))
		_exit(1);
	if (!refused(execve("/usr/bin/true", argv, env)) ||
	    !refused(execveat(AT_FDCWD, "/usr/bin/true", argv, env, 0)))
		_exit(2);
	jail_run(&jail, argv, env);
	_exit(3);
}

/* One that a thread became would live on behind the disk's process. */
static void test_its_program_becomes_no_other(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		int nothing = open("/dev/null", O_RDWR);

		dup2(nothing, 2); /* the shell says what it cannot */
		run_another();
	}
	waitpid(pid, &status, 0);
	/* The shell's for what is there and cannot be run. */
	assert_int_equal(WEXITSTATUS(status), 126);
}

/* --- what may be read, and written ---------------------------------------------------------- */

/* /dev/null, and /dev/zero to be read only: to open one for writing writes nothing. */
static void open_devices(char node[2][96])
{
	struct jail jail = { .dir = dir, .user = NOBODY, .nr_files = 2 };
	const char *step;

	for (int i = 0; i < 2; i++)
		jail.file[i] = (struct jail_file){ .path = node[i], .readonly = i,
						   .fd = open(node[i], i ? O_RDONLY : O_RDWR) };
	if (jail_enter(&jail, getppid(), &step))
		_exit(1);
	if (open(node[0], O_RDWR) < 0 || open(node[1], O_RDONLY) < 0)
		_exit(2);
	_exit(open(node[1], O_RDWR) < 0 && errno == EACCES ? 0 : 3);
}

static void test_a_device_to_read_is_not_written(void **state)
{
	char node[2][96];
	int status;
	pid_t pid;

	for (int i = 0; i < 2; i++) {
		snprintf(node[i], sizeof(node[i]), "%s/node%d", dir, i);
		assert_int_equal(mknod(node[i], S_IFCHR | 0600, makedev(1, 3 + 2 * (dev_t)i)), 0);
	}
	pid = fork();
	if (pid == 0)
		open_devices(node);
	waitpid(pid, &status, 0);
	for (int i = 0; i < 2; i++)
		unlink(node[i]);
	assert_int_equal(status, 0);
}

/* --- what of the host stays in use ----------------------------------------------------------- */

/* Enters the jail, says so and stays as long as somebody has the other end of @stay. */
static void sit(const struct jail *jail, pid_t parent, int say, int stay)
{
	const char *step;
	int rc = jail_enter(jail, parent, &step);
	char c;

	_exit(write(say, &rc, sizeof(rc)) != sizeof(rc) || read(stay, &c, 1) != 0);
}

/* A file system that the host had mounted is gone when the host unmounts it. */
static void unmount_meanwhile(void)
{
	const struct jail jail = { .dir = dir, .user = NOBODY };
	struct pollfd p = { .fd = inotify_init1(IN_CLOEXEC), .events = POLLIN };
	struct inotify_event event;
	char at[96];
	int says[2], stays[2], rc = -1;

	snprintf(at, sizeof(at), "%s/mounted", dir);
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mkdir(at, 0755) || mount("x", at, "tmpfs", 0, NULL) || pipe(says) || pipe(stays) ||
	    inotify_add_watch(p.fd, at, IN_UNMOUNT) < 0)
		_exit(1);
	if (fork() == 0) {
		close(stays[1]);
		close(p.fd);
		sit(&jail, getppid(), says[1], stays[0]);
	}
	close(stays[0]);
	if (read(says[0], &rc, sizeof(rc)) != sizeof(rc) || rc || umount(at))
		_exit(2);
	/* The kernel tells it with the last mount's end; 20 s: it is not going to. */
	if (poll(&p, 1, 20000) != 1 || read(p.fd, &event, sizeof(event)) != sizeof(event))
		_exit(3);
	_exit(event.mask & IN_UNMOUNT ? 0 : 4);
}

static void test_what_the_host_unmounts_is_gone(void **state)
{
	char at[96];
	int status;
	pid_t pid = fork();

	if (pid == 0)
		unmount_meanwhile();
	waitpid(pid, &status, 0);
	snprintf(at, sizeof(at), "%s/mounted", dir);
	rmdir(at);
	assert_int_equal(status, 0);
}

/*
 * As on a host that runs from its initramfs, if @root_stays: the kernel does not let go of that
 * one.
 */
static bool root_stays;

long __wrap_syscall(long nr, long a, long b, long c, long d, long e);
long __real_syscall(long nr, long a, long b, long c, long d, long e);
long __wrap_syscall(long nr, long a, long b, long c, long d, long e)
{
	if (nr != SYS_pivot_root || !root_stays)
		return __real_syscall(nr, a, b, c, d, e);
	errno = EINVAL;
	return -1;
}

static void enter_from_a_root_that_stays(void)
{
	const struct jail jail = { .dir = dir, .user = NOBODY };
	const char *step;

	root_stays = true;
	if (jail_enter(&jail, getppid(), &step))
		_exit(2);
	_exit(access("/etc", F_OK) && access("/../etc", F_OK) && access("../etc", F_OK) &&
	      access(dir, F_OK) && !access("/usr/bin/env", X_OK) ? 0 : 3);
}

static void test_a_root_that_cannot_be_left_is_out_of_reach(void **state)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		enter_from_a_root_that_stays();
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

/* A name with more ".." than it has directories is the root's: of the jail, not of the host. */
static void look_for_odd_name(void)
{
	char real[96], odd[160];
	struct jail jail = { .dir = dir, .user = NOBODY, .nr_files = 1 };
	const char *step;
	int fd;

	snprintf(real, sizeof(real), "%s/real", dir);
	snprintf(odd, sizeof(odd), "/../../../../..%s", real);
	fd = unshare(CLONE_NEWNS) ? -1 : open(real, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		_exit(1);
	jail.file[0] = (struct jail_file){ .path = odd, .fd = fd };
	if (jail_enter(&jail, getppid(), &step))
		_exit(2);
	_exit(open(odd, O_RDWR) >= 0 && open(real, O_RDWR) >= 0 ? 0 : 3);
}

static void test_no_name_leads_out_of_it(void **state)
{
	char real[96];
	int status;
	pid_t pid = fork();

	if (pid == 0)
		look_for_odd_name();
	waitpid(pid, &status, 0);
	snprintf(real, sizeof(real), "%s/real", dir);
	unlink(real);
	assert_int_equal(status, 0);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_who_took_it_over_reaches_nothing),
		T(test_who_took_it_over_reaches_no_process_of_its_user),
		T(test_what_is_mounted_below_usr_is_there),
		T(test_without_files_it_has_no_right_at_all),
		T(test_its_program_becomes_no_other),
		T(test_a_device_to_read_is_not_written),
		T(test_what_the_host_unmounts_is_gone),
		T(test_a_root_that_cannot_be_left_is_out_of_reach),
		T(test_no_name_leads_out_of_it),
	};

	if (geteuid()) {
		print_message("needs root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
