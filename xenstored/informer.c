/* SPDX-License-Identifier: MIT */
/* informer.c - see informer.h. */
#include "informer.h"

#include <errno.h>
#include <grp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <xen/xen.h>

#define NOBODY 65534

struct answer {
	int32_t err;
	uint32_t domid;
	struct hv_domain info;
};

static int become_nobody(void)
{
	if (getuid() == 0 &&
	    (setgroups(0, NULL) < 0 || setresgid(NOBODY, NOBODY, NOBODY) < 0 ||
	     setresuid(NOBODY, NOBODY, NOBODY) < 0))
		return -errno;
	/* Its memory and descriptors are nobody's, also not those of who has the same user. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return 0;
}

static int load_filter(int source, unsigned long request)
{
	static const int allowed[] = { SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(exit_group),
				       SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall) };
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int ret = ctx ? 0 : -ENOMEM;

	for (size_t i = 0; ret == 0 && i < sizeof(allowed) / sizeof(allowed[0]); i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (ret == 0)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 2,
				       SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)source),
				       SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, request));
	if (ret == 0)
		ret = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return ret;
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
	if (fd > 3)
		close_range(3, (unsigned int)fd - 1, 0);
	close_range((unsigned int)fd + 1, ~0u, 0);
	source = src->open(src->arg);
	ready.err = source < 0 ? source : become_nobody();
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
