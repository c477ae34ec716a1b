/* SPDX-License-Identifier: MIT */
/* helper.c - see helper.h. */
#include "helper.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "in_child.h"

#define LOOK_MS 100			/* how often whoever waits looks at its @stop */
#define END_LOOKS 10			/* by then one that ends by itself has ended */
#define FOR_EVER UINT_MAX		/* looks */

/* Memory, what it keeps, the end. Nothing that opens, sends signals, or makes a process. */
static const int allowed[] = {
	SCMP_SYS(mmap), SCMP_SYS(mprotect), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise),
	SCMP_SYS(brk), SCMP_SYS(futex), SCMP_SYS(sched_yield), SCMP_SYS(getrandom),
	SCMP_SYS(read), SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(ftruncate),
	SCMP_SYS(sigaltstack), SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall),
	SCMP_SYS(exit_group),
};

struct start {
	const struct helper *h;
	pid_t parent;
};

static int enter(const struct start *s)
{
	int ret;

	confined_keep(0, s->h->keep, s->h->nr_keep);
	ret = confined_limit(&s->h->limits);
	if (ret == 0)
		ret = confined_become_nobody();
	/* Only now: a change of user forgets it. */
	if (ret == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		ret = -errno;
	if (ret == 0 && getppid() != s->parent)
		ret = -ESRCH;
	return ret ? ret : confined_filter(allowed, sizeof(allowed) / sizeof(allowed[0]), NULL);
}

static int confined_work(void *arg)
{
	const struct start *s = arg;
	int ret = enter(s);

	return ret ? ret : s->h->work(s->h->arg);
}

pid_t helper_start(const struct helper *h)
{
	struct start s = { h, getpid() };

	return in_child_start(confined_work, &s);
}

/* What whoever waits says with these is never the other's word. */
static int result(int status)
{
	int ret = in_child_result(status);

	return ret == -EINPROGRESS || ret == -EINTR ? -EBADMSG : ret;
}

/* With @pidfd -1, for want of descriptors, poll() only sleeps. */
static int wait_end(pid_t pid, int pidfd, const atomic_bool *stop, unsigned int looks)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	bool stopped = false;
	int status;
	pid_t got;

	while ((got = waitpid(pid, &status, WNOHANG)) == 0 && !stopped && looks) {
		looks -= looks != FOR_EVER;
		if (poll(&p, 1, LOOK_MS) <= 0)
			stopped = atomic_load(stop);
	}
	if (got == 0)
		kill(pid, SIGKILL);
	while (got == 0 || (got < 0 && errno == EINTR))
		got = waitpid(pid, &status, 0);
	if (got < 0)
		return -errno;
	return stopped ? -EINTR : result(status);
}

static int wait_looks(pid_t pid, const atomic_bool *stop, unsigned int looks)
{
	int pidfd = (int)syscall(SYS_pidfd_open, pid, 0), ret = wait_end(pid, pidfd, stop, looks);

	if (pidfd >= 0)
		close(pidfd);
	return ret;
}

int helper_wait(pid_t pid, const atomic_bool *stop)
{
	return wait_looks(pid, stop, FOR_EVER);
}

int helper_end(pid_t pid, const atomic_bool *stop)
{
	return wait_looks(pid, stop, END_LOOKS);
}

int helper_run(const struct helper *h, const atomic_bool *stop)
{
	pid_t pid = helper_start(h);

	return pid < 0 ? pid : helper_wait(pid, stop);
}
