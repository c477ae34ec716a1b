/* SPDX-License-Identifier: MIT */
/*
 * guest_disk.c - see guest_disk.h.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest_disk.h"
#include "store.h"

#define BELOW "/../lib/storevisor/guest-disk"
#define WORDS_MAX 16

struct child {
	pid_t pid;
	int in, out;
	bool said_error;
	size_t len;
	char line[2 * DISK_PATH_MAX];
};

/* PREFIX/lib/storevisor/guest-disk of PREFIX/sbin/xm. */
static bool find_program(char path[DISK_PATH_MAX + sizeof(BELOW)])
{
	ssize_t n = readlink("/proc/self/exe", path, DISK_PATH_MAX);
	char *slash;

	if (n <= 0)
		return false;
	path[n] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash ? slash : path, BELOW);
	return access(path, X_OK) == 0;
}

/* A group of its own: Ctrl-C is xm's to pass on, once, to all of it. */
static void become(const char *program, const char *const *words, int in, int out, pid_t parent)
{
	const char *argv[WORDS_MAX + 2] = { program };
	sigset_t none;

	for (size_t i = 0; words[i] && i < WORDS_MAX; i++)
		argv[i + 1] = words[i];
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent || dup2(in, 0) < 0 || dup2(out, 1) < 0)
		_exit(127);
	signal(SIGPIPE, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execv(program, (char *const *)argv);
	_exit(127);
}

static int begin(struct child *c, const char *program, const char *const *words)
{
	int in[2], out[2];
	pid_t parent = getpid();

	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(out, O_CLOEXEC) < 0) {
		close(in[0]);
		close(in[1]);
		return -errno;
	}
	fflush(NULL);
	c->pid = fork();
	if (c->pid == 0)
		become(program, words, in[0], out[1], parent);
	if (c->pid > 0)
		setpgid(c->pid, c->pid);
	close(in[0]);
	close(out[1]);
	c->in = in[1];
	c->out = out[0];
	if (c->pid > 0)
		return 0;
	close(c->in);
	close(c->out);
	return -EAGAIN;
}

static void take_line(struct xm *xm, struct guest_disk *d, struct child *c)
{
	const char *line = c->line;

	if (strncmp(line, "note ", 5) == 0 && !d->quiet) {
		fprintf(xm->err, "%s\n", line + 5);
		fflush(xm->err);
	} else if (strncmp(line, "error ", 6) == 0) {
		c->said_error = true;
		xm_fail(xm, "%s", line + 6);
	} else if (strncmp(line, "made ", 5) == 0 || strncmp(line, "took ", 5) == 0) {
		snprintf(d->path, sizeof(d->path), "%.*s", DISK_PATH_MAX, line + 5);
		d->took = line[0] == 't';
	}
}

/* What a line has beyond the room for one is dropped. */
static void take(struct xm *xm, struct guest_disk *d, struct child *c, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\n') {
			c->line[c->len] = '\0';
			take_line(xm, d, c);
			c->len = 0;
		} else if (c->len < sizeof(c->line) - 1) {
			c->line[c->len++] = text[i];
		}
	}
}

/* Until it says no more. Whether it was told to end. */
static bool listen_to(struct xm *xm, struct guest_disk *d, struct child *c, int interrupt_fd)
{
	struct pollfd fds[] = { { c->out, POLLIN, 0 }, { interrupt_fd, POLLIN, 0 } };
	char text[512];
	ssize_t n;

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents) {
			kill(-c->pid, SIGTERM);
			fds[1].fd = -1;
			continue;
		}
		n = read(c->out, text, sizeof(text));
		if (n > 0)
			take(xm, d, c, text, (size_t)n);
		else if (n == 0 || errno != EINTR)
			return fds[1].fd < 0 && interrupt_fd >= 0;
	}
}

static int end(struct xm *xm, struct child *c, bool interrupted)
{
	int status;

	while (waitpid(c->pid, &status, 0) < 0 && errno == EINTR)
		;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (interrupted) {
		xm_fail(xm, "interrupted; nothing is left of it");
		return CLI_INTERRUPTED;
	}
	if (!c->said_error && WIFEXITED(status))
		return xm_fail(xm, "guest-disk ended with status %d and gave no reason",
			       WEXITSTATUS(status));
	if (!c->said_error)
		return xm_fail(xm, "guest-disk was ended by signal %d", WTERMSIG(status));
	return 1;
}

int guest_disk_run(struct xm *xm, struct guest_disk *d)
{
	char program[DISK_PATH_MAX + sizeof(BELOW)];
	struct child c = { 0 };
	struct interrupts in;
	bool interrupted;
	int ret;

	d->path[0] = '\0';
	d->took = false;
	if (!find_program(program))
		return xm_fail(xm, "there is no %s, which makes disks: is storevisor-utils whole?",
			       program);
	interrupts_open(&in);
	ret = begin(&c, program, d->words);
	if (ret) {
		interrupts_close(&in);
		return xm_fail(xm, "cannot start %s: %s", program, strerror(-ret));
	}
	if (d->input && write(c.in, d->input, strlen(d->input)) < 0)
		xm_warn(xm, "guest-disk takes no input: %s", strerror(errno));
	close(c.in);
	interrupted = listen_to(xm, d, &c, in.fd);
	ret = end(xm, &c, interrupted);
	close(c.out);
	interrupts_close(&in);
	return ret;
}
