/* SPDX-License-Identifier: MIT */
/*
 * test_confine.c - a device process taken over by its guest tries what it likes: each forbidden
 * system call must be its last. Needs root, as the processes themselves do; skipped without.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <linux/if_tun.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/sys/evtchn.h>

#include <log.h>

#include "confine.h"

/* Runs @fn in a confined child. Returns its wait status. */
static int confined(void (*fn)(const void *), const void *arg)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		if (confine("65534") < 0)
			_exit(99);
		fn(arg);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return status;
}

static bool not_root(void)
{
	if (geteuid() == 0)
		return false;
	print_message("needs root\n");
	return true;
}

struct call {
	const char *name;
	long nr, a, b, c;
};

static const struct call forbidden[] = {
	{ "open", SYS_open, (long)"/etc/passwd", O_RDONLY, 0 },
	{ "openat", SYS_openat, AT_FDCWD, (long)"/etc/passwd", O_RDONLY },
	{ "creat", SYS_creat, (long)"/tmp/x", 0600, 0 },
	{ "socket", SYS_socket, AF_INET, SOCK_STREAM, 0 },
	{ "unix socket", SYS_socket, AF_UNIX, SOCK_STREAM, 0 },
	{ "connect", SYS_connect, 0, 0, 0 },
	{ "bind", SYS_bind, 0, 0, 0 },
	{ "execve", SYS_execve, (long)"/bin/sh", 0, 0 },
	{ "fork", SYS_fork, 0, 0, 0 },
	{ "vfork", SYS_vfork, 0, 0, 0 },
	{ "clone", SYS_clone, SIGCHLD, 0, 0 },
	{ "unshare", SYS_unshare, CLONE_NEWUSER, 0, 0 },
	{ "ptrace", SYS_ptrace, 0, 0, 0 },
	{ "kill", SYS_kill, 1, SIGKILL, 0 },
	{ "setuid", SYS_setuid, 0, 0, 0 },
	{ "mount", SYS_mount, 0, 0, 0 },
	{ "chroot", SYS_chroot, (long)"/", 0, 0 },
	{ "unlink", SYS_unlink, (long)"/tmp/x", 0, 0 },
	{ "rename", SYS_rename, (long)"/tmp/x", (long)"/tmp/y", 0 },
	{ "mkdir", SYS_mkdir, (long)"/tmp/x", 0700, 0 },
	{ "chmod", SYS_chmod, (long)"/tmp/x", 0777, 0 },
	{ "bpf", SYS_bpf, 0, 0, 0 },
	{ "io_uring_setup", SYS_io_uring_setup, 1, 0, 0 },
	{ "process_vm_writev", SYS_process_vm_writev, 1, 0, 0 },
	{ "init_module", SYS_init_module, 0, 0, 0 },
	{ "reboot", SYS_reboot, 0, 0, 0 },
	{ "typing into a terminal", SYS_ioctl, 0, TIOCSTI, (long)"x" },
	{ "another interface for the tap", SYS_ioctl, 0, TUNSETIFF, 0 },
	{ "signals by fcntl", SYS_fcntl, 0, F_SETOWN, 1 },
	{ "a chosen signal by fcntl", SYS_fcntl, 0, F_SETSIG, SIGKILL },
	{ "dropping a lock", SYS_fcntl, 0, F_SETLK, 0 },
	{ "a signal to another process", SYS_tgkill, 1, 1, SIGKILL },
	{ "memory to execute", SYS_mmap, 0, 4096, PROT_READ | PROT_EXEC },
	{ "making memory executable", SYS_mprotect, 0, 4096, PROT_READ | PROT_EXEC },
	{ "passing a descriptor on", SYS_sendmsg, 0, 0, 0 },
	{ "more descriptors", SYS_prlimit64, 0, 0, 0 },
	{ "taking another's descriptor", SYS_pidfd_getfd, 0, 0, 0 },
	{ "a process's descriptor", SYS_pidfd_open, 1, 0, 0 },
	{"a new event channel for a domain", SYS_ioctl, 0, IOCTL_EVTCHN_BIND_UNBOUND_PORT, 0},
};

static void try_call(const void *arg)
{
	const struct call *c = arg;

	syscall(c->nr, c->a, c->b, c->c, 0, 0);
}

static void test_each_forbidden_call_is_the_last(void **state)
{
	if (not_root())
		skip();
	for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++) {
		int status = confined(try_call, &forbidden[i]);

		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
			print_error("%s: wait status %#x\n", forbidden[i].name, status);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGSYS);
	}
}

struct letter {
	int fd;
	bool send, address;
};

static void send_or_receive(const void *arg)
{
	const struct letter *l = arg;
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = "/tmp/no-such-socket" };
	socklen_t len = sizeof(to);
	char byte = 'x';

	if (l->send)
		syscall(SYS_sendto, l->fd, &byte, 1, MSG_DONTWAIT, l->address ? &to : NULL,
			l->address ? len : 0);
	else
		syscall(SYS_recvfrom, l->fd, &byte, 1, MSG_DONTWAIT, l->address ? &to : NULL,
			l->address ? &len : NULL);
}

/* What a socket is connected to, and nobody else. */
static void test_nothing_is_sent_to_an_address(void **state)
{
	int fds[2];

	if (not_root())
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	for (unsigned int i = 0; i < 4; i++) {
		const struct letter l = { fds[0], i & 1, i & 2 };
		int status = confined(send_or_receive, &l);

		assert_int_equal(WIFSIGNALED(status) ? WTERMSIG(status) : 0, i & 2 ? SIGSYS : 0);
	}
	close(fds[0]);
	close(fds[1]);
}

static void look_at_self(const void *arg)
{
	uint64_t cap = ~0ull;
	char buf[4096], *line;
	ssize_t n = pread(*(const int *)arg, buf, sizeof(buf) - 1, 0);

	if (n <= 0)
		_exit(1);
	buf[n] = '\0';
	line = strstr(buf, "CapEff:");
	if (!line || sscanf(line, "CapEff: %lx", &cap) != 1 || cap != 0)
		_exit(2);
	line = strstr(buf, "NoNewPrivs:");
	if (!line || line[12] != '1')
		_exit(3);
}

static void check_identity(void)
{
	/* /proc/self/status must be open before. */
	int fd = open("/proc/self/status", O_RDONLY);

	if (confine("65534") < 0)
		_exit(99);
	look_at_self(&fd);
	_exit(0);
}

static void test_no_capability_is_left(void **state)
{
	int status;
	pid_t pid;

	if (not_root())
		skip();
	pid = fork();
	if (pid == 0)
		check_identity();
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void serve_like_a_backend(const void *arg)
{
	const int *fds = arg;
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char byte;

	if (page == MAP_FAILED || munmap(page, 4096) < 0)
		_exit(1);
	if (write(fds[1], "x", 1) != 1 || read(fds[0], &byte, 1) != 1)
		_exit(2);
	if (fdatasync(fds[1]) < 0 && errno != EINVAL)
		_exit(3);
}

static void test_what_serving_needs_still_works(void **state)
{
	int fds[2], status;

	if (not_root())
		skip();
	assert_int_equal(pipe(fds), 0);
	status = confined(serve_like_a_backend, fds);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* A device that nobody may serve is better than one served with the wrong rights. */
static void test_unknown_user_is_refused(void **state)
{
	static const char *const bad[] = { "no-such-user-here", "0", "0:0", "", "12x", "12:", "12:0" };

	if (not_root())
		skip();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		int status;
		pid_t pid = fork();

		if (pid == 0)
			_exit(confine(bad[i]) == -ENOENT && geteuid() == 0 ? 0 : 1);
		waitpid(pid, &status, 0);
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_forbidden_call_is_the_last),
		cmocka_unit_test(test_nothing_is_sent_to_an_address),
		cmocka_unit_test(test_no_capability_is_left),
		cmocka_unit_test(test_what_serving_needs_still_works),
		cmocka_unit_test(test_unknown_user_is_refused),
	};

	log_init("test", LOG_LVL_ERROR, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
