/* SPDX-License-Identifier: MIT */
/* successor.c - see successor.h. */
#include "successor.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TRIES		1000
#define PAUSE_NS	1000000

static _Noreturn void ask(int fd)
{
	char *const argv[] = { "xenstored", "--takes-over=" SUCCESSOR_VERSION, NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	/* It may be anything: it gets nothing of ours. */
	for (int i = 0; i < 3; i++)
		dup2(null, i);
	fexecve(fd, argv, (char *const[]){ NULL });
	_exit(127);
}

/* Whether it says yes, and soon. */
static bool agrees(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int status = -1;

	for (int i = 0; i < TRIES; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) && WEXITSTATUS(status) == SUCCESSOR_YES;
		nanosleep(&pause, NULL);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return false;
}

int successor_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	pid_t pid;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	pid = fork();
	if (pid == 0)
		ask(fd);
	if (pid > 0 && agrees(pid))
		return fd;
	close(fd);
	return pid < 0 ? -EAGAIN : -EINVAL;
}

int successor_exec(int fd, char **argv)
{
	if (fd >= 0)
		fexecve(fd, argv, environ);
	else
		execv("/proc/self/exe", argv);
	return -errno;
}
