/* SPDX-License-Identifier: MIT */
/*
 * test_informer.c - who may make hypercalls for the store. A daemon taken over by a client tries
 * what it likes, and so does an informer: neither gets further than it was. Needs root, as the
 * daemon does; skipped without.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <xen/xen.h>
#include <xen/memory.h>
#include <xen/sys/privcmd.h>

#include "informer.h"
#include "sandbox.h"

/* Above this, a domid asks the informer to do what it may not: the row of crimes[]. */
#define CRIME 1000u

/* Written by the informer, which is another process. */
struct seen {
	pid_t pid;
	int source;
};
static struct seen *seen;

static char secret[64];

static int fake_open(void *arg)
{
	seen->pid = getpid();
	seen->source = open(secret, O_RDWR | O_CLOEXEC);
	return seen->source < 0 ? -errno : seen->source;
}

static void crime_open(void) { open("/etc/passwd", O_RDONLY); }
static void crime_socket(void) { socket(AF_UNIX, SOCK_STREAM, 0); }
static void crime_write(void) { (void)!write(seen->source, "x", 1); }
static void crime_read(void) { (void)!read(seen->source, seen, 0); }
static void crime_fork(void) { fork(); }
static void crime_kill(void) { kill(getppid(), 0); }
static void crime_mmap(void) { mmap(NULL, 4096, PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0); }
static void crime_exec(void) { execl("/bin/true", "true", NULL); }
static void crime_mapping(void) { ioctl(seen->source, IOCTL_PRIVCMD_MMAP, NULL); }
static void crime_dm_op(void) { ioctl(seen->source, IOCTL_PRIVCMD_DM_OP, NULL); }
static void crime_elsewhere(void) { ioctl(0, IOCTL_PRIVCMD_HYPERCALL, NULL); }
static void crime_root(void) { (void)!setuid(0); }

static const struct {
	const char *name;
	void (*commit)(void);
} crimes[] = {
	{ "opening a file", crime_open },
	{ "making a socket", crime_socket },
	{ "writing to its source", crime_write },
	{ "reading from it", crime_read },
	{ "a process more", crime_fork },
	{ "a signal", crime_kill },
	{ "new code", crime_mmap },
	{ "another program", crime_exec },
	{ "mapping foreign memory", crime_mapping },
	{ "a device model's call", crime_dm_op },
	{ "its ioctl elsewhere", crime_elsewhere },
	{ "becoming root again", crime_root },
};

static int fake_ask(void *arg, unsigned int domid, struct hv_domain *out)
{
	if (domid >= CRIME) {
		crimes[domid - CRIME].commit();
		return 0;
	}
	/* The one ioctl passes the filter; a plain file does not know it. */
	if (ioctl(seen->source, IOCTL_PRIVCMD_HYPERCALL, NULL) == 0 || errno != ENOTTY)
		return -EIO;
	if (domid > 9)
		return -ENOENT;
	*out = (struct hv_domain){ .identity = domid * 11, .dying = domid == 4 };
	return 0;
}

static const struct informer_source source = {
	.open = fake_open, .ask = fake_ask, .request = IOCTL_PRIVCMD_HYPERCALL,
};

static int setup(void **state)
{
	int fd;

	if (getuid() != 0) {
		print_message("needs root\n");
		return 0;
	}
	strcpy(secret, "/tmp/xs-informer-XXXXXX");
	fd = mkstemp(secret);
	close(fd);
	seen = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	return fd < 0 || seen == MAP_FAILED ? -1 : 0;
}

static int teardown(void **state)
{
	return secret[0] ? unlink(secret) : 0;
}

static int started(void)
{
	int fd;

	if (getuid() != 0)
		skip();
	fd = informer_start(&source);
	assert_true(fd >= 0);
	return fd;
}

static void test_it_tells_what_is_true_of_a_domain(void **state)
{
	struct hv_domain info = { 0 };
	int fd = started();

	assert_int_equal(informer_ask(fd, 3, &info), 0);
	assert_int_equal(info.identity, 33);
	assert_false(info.dying);
	assert_int_equal(informer_ask(fd, 4, &info), 0);
	assert_true(info.dying);
	assert_int_equal(informer_ask(fd, 10, &info), -ENOENT);
	assert_int_equal(informer_ask(fd, 0xffffffff, &info), -EIO);
	assert_int_equal(informer_ask(fd, 3, &info), 0);
	close(fd);
}

static void test_it_takes_nothing_but_a_number(void **state)
{
	struct hv_domain info;
	char junk[4096];
	int fd = started();

	memset(junk, 1, sizeof(junk));
	for (size_t len = 1; len < sizeof(junk); len += 97) {
		if (len == 4)
			continue;
		assert_int_equal(send(fd, junk, len, MSG_NOSIGNAL), len);
		assert_true(recv(fd, junk, sizeof(junk), 0) > 0);
	}
	assert_int_equal(informer_ask(fd, 3, &info), 0);
	close(fd);
}

static void test_each_forbidden_call_is_its_last(void **state)
{
	struct hv_domain info;

	for (unsigned int i = 0; i < sizeof(crimes) / sizeof(crimes[0]); i++) {
		int fd = started();

		assert_int_equal(informer_ask(fd, 3, &info), 0);
		if (informer_ask(fd, CRIME + i, &info) != -EIO)
			fail_msg("it went on after %s", crimes[i].name);
		assert_int_equal(informer_ask(fd, 3, &info), -EIO);
		close(fd);
	}
}

/* A source that cannot be opened is an error at the start, not a wrong answer later. */
static int no_open(void *arg) { return -ENODEV; }

static void test_without_a_source_there_is_none(void **state)
{
	struct informer_source none = source;

	if (getuid() != 0)
		skip();
	none.open = no_open;
	assert_int_equal(informer_start(&none), -ENODEV);
}

/* --- the daemon, as of when somebody else decides what it does --- */

static bool proc_opens(const char *what)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)seen->pid, what);
	fd = open(path, O_RDWR | O_CLOEXEC);
	return fd >= 0 || errno != EACCES;
}

/* Whether any descriptor of ours is the source. */
static bool has_source(const struct stat *what)
{
	struct stat st;

	for (int fd = 0; fd < 256; fd++) {
		if (fstat(fd, &st) == 0 && st.st_ino == what->st_ino && st.st_dev == what->st_dev)
			return true;
	}
	return false;
}

static int hypercalls(int fd)
{
	static const unsigned long requests[] = { IOCTL_PRIVCMD_HYPERCALL, IOCTL_PRIVCMD_MMAP,
						  IOCTL_PRIVCMD_MMAPBATCH_V2, IOCTL_PRIVCMD_DM_OP,
						  IOCTL_PRIVCMD_HYPERCALL | 1ul << 63 };

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		if (ioctl(fd, requests[i], NULL) != -1 || errno != EPERM)
			return 10 + (int)i;
	}
	return 0;
}

/* Tries; 0 when nothing worked. The number of what did else. */
static int taken_daemon(int informer, const struct stat *what)
{
	struct hv_domain info;
	char byte;
	struct iovec mine = { &byte, 1 }, its = { (void *)taken_daemon, 1 };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC), ret;

	if (sandbox_enter(65534, 65534) < 0)
		return 1;
	ret = hypercalls(null);
	if (ret == 0)
		ret = hypercalls(informer);
	if (ret)
		return ret;
	if (open(secret, O_RDWR | O_CLOEXEC) >= 0 || has_source(what))
		return 2;
	if (proc_opens("mem") || proc_opens("fd/3") || proc_opens("fd/4"))
		return 3;
	if (process_vm_readv(seen->pid, &mine, 1, &its, 1, 0) >= 0)
		return 4;
	if (kill(seen->pid, SIGSTOP) == 0)
		return 5;
	if (syscall(SYS_pidfd_getfd, 3, seen->source, 0) >= 0)
		return 6;
	/* What it is there for works. */
	return informer_ask(informer, 3, &info) == 0 && info.identity == 33 ? 0 : 7;
}

static void test_a_taken_daemon_makes_no_hypercall(void **state)
{
	int fd = started(), status = 0;
	pid_t pid = fork();
	struct stat st;

	if (pid == 0)
		_exit(stat(secret, &st) < 0 ? 9 : taken_daemon(fd, &st));
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	close(fd);
}

int main(void)
{
#define T(f) cmocka_unit_test(f)
	const struct CMUnitTest tests[] = {
		T(test_it_tells_what_is_true_of_a_domain),
		T(test_it_takes_nothing_but_a_number),
		T(test_each_forbidden_call_is_its_last),
		T(test_without_a_source_there_is_none),
		T(test_a_taken_daemon_makes_no_hypercall),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
