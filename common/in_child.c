/* SPDX-License-Identifier: MIT */
/* in_child.c - see in_child.h. */
#include "in_child.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "asan_fork.h"

static int hidden = -1;	/* single-threaded */

void in_child_hide(int fd)
{
	hidden = fd;
}

/* A child that waits for a disk keeps what the parent had open: it must not outlive it. */
static void end_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
}

/* What _exit() is told for @ret. */
static int code_of(int ret)
{
	/* 1 is what a sanitizer ends a process with: not to be taken for one. */
	return ret == -EPERM ? EACCES : -ret;
}

pid_t in_child_start(int (*work)(void *arg), void *arg)
{
	const struct rlimit no_core = { 0, 0 };
	pid_t parent = getpid(), pid;

	asan_fork_safe();
	pid = fork();
	if (pid != 0)
		return pid < 0 ? -errno : pid;
	end_with(parent);
	if (hidden >= 0)
		close(hidden);
	setrlimit(RLIMIT_CORE, &no_core);
	signal(SIGBUS, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
	_exit(code_of(work(arg)));
}

int in_child_result(int status)
{
	/* Somebody else has ended it, or the system for want of memory: that says nothing. */
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGKILL || WTERMSIG(status) == SIGTERM))
		return -EAGAIN;
	/* See code_of(). */
	if (!WIFEXITED(status) || WEXITSTATUS(status) == 1)
		return -EBADMSG;
	return -WEXITSTATUS(status);
}

static int run_once(int (*work)(void *arg), void *arg)
{
	pid_t pid = in_child_start(work, arg);
	int status;

	if (pid < 0)
		return pid;
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return in_child_result(status);
}

int in_child(int (*work)(void *arg), void *arg)
{
	int ret = -EAGAIN;

	for (unsigned int i = 0; ret == -EAGAIN && i < IN_CHILD_TRIES; i++)
		ret = run_once(work, arg);
	return ret;
}
