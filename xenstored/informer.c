/* SPDX-License-Identifier: MIT */
/* informer.c - see informer.h. */
#include "informer.h"

#include <errno.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xen/xen.h>

#include "confined.h"

struct answer {
	int32_t err;
	uint32_t domid;
	struct hv_domain info;
};

static int load_filter(int source, unsigned long request)
{
	static const int allowed[] = { SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(exit_group),
				       SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall) };
	const struct confined_ioctl one = { source, request };

	return confined_filter(allowed, sizeof(allowed) / sizeof(allowed[0]), &one);
}

static void serve(const struct informer_source *src, int fd)
{
	uint32_t domid;
	ssize_t n;

	while ((n = recv(fd, &domid, sizeof(domid), MSG_TRUNC)) > 0) {
		struct answer a = { .err = -EINVAL };

		if (n == sizeof(domid) && domid < DOMID_FIRST_RESERVED) {
			a.domid = domid;
			a.err = src->ask(src->arg, domid, &a.info);
		}
		if (send(fd, &a, sizeof(a), MSG_NOSIGNAL) != sizeof(a))
			break;
	}
}

static _Noreturn void informer(const struct informer_source *src, int fd)
{
	struct answer ready = { 0 };
	int source;

	/* Nothing that the daemon has open is its business. */
	confined_keep(3, &fd, 1);
	source = src->open(src->arg);
	ready.err = source < 0 ? source : confined_become_nobody();
	if (ready.err == 0)
		ready.err = load_filter(source, src->request);
	if (send(fd, &ready, sizeof(ready), MSG_NOSIGNAL) == sizeof(ready) && ready.err == 0)
		serve(src, fd);
	_exit(0);
}

/* A grandchild, so that nobody has to wait for its end. */
static int fork_away(const struct informer_source *src, int fd)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		pid = fork();
		if (pid == 0)
			informer(src, fd);
		_exit(pid < 0);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0)
		return -EAGAIN;
	return 0;
}

static int take_answer(int fd, uint32_t domid, struct answer *a)
{
	ssize_t n;

	do
		n = recv(fd, a, sizeof(*a), 0);
	while (n < 0 && errno == EINTR);
	if (n != sizeof(*a) || (a->err == 0 && a->domid != domid))
		return -EIO;
	return a->err;
}

int informer_start(const struct informer_source *src)
{
	struct answer a;
	int pair[2], ret;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	ret = fork_away(src, pair[1]);
	close(pair[1]);
	if (ret == 0)
		ret = take_answer(pair[0], 0, &a);
	if (ret == 0)
		return pair[0];
	close(pair[0]);
	return ret;
}

int informer_ask(int fd, uint32_t domid, struct hv_domain *out)
{
	struct answer a;
	int ret;

	if (send(fd, &domid, sizeof(domid), MSG_NOSIGNAL) != sizeof(domid))
		return -EIO;
	ret = take_answer(fd, domid, &a);
	if (ret == 0)
		*out = a.info;
	return ret == 0 || ret == -ENOENT ? ret : -EIO;
}
