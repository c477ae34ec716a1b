/* SPDX-License-Identifier: MIT */
/* script.c - hot-plug scripts: see script.h. */
#include "script.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SCRIPT_DIR "/etc/xen/scripts"
#define OWN_SCRIPT_DIR "/usr/lib/storevisor/scripts"
#define POLL_US 10000

void script_find(const char *name, char out[SCRIPT_PATH])
{
	snprintf(out, SCRIPT_PATH, "%s%s", name[0] == '/' ? "" : SCRIPT_DIR "/", name);
	/* What the operator put there wins; ours are where no other package has any. */
	if (name[0] != '/' && access(out, F_OK) < 0)
		snprintf(out, SCRIPT_PATH, OWN_SCRIPT_DIR "/%s", name);
}

static void exec_script(const struct script *s, int err)
{
	if (err >= 0)
		dup2(err, STDERR_FILENO);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 0);
	setenv("script", s->path, 1);
	for (const struct script_word *w = s->env; w->name; w++) {
		if (w->value)
			setenv(w->name, w->value, 1);
		else
			unsetenv(w->name);
	}
	setpgid(0, 0);
	execl(s->path, s->path, s->action, s->word, (char *)NULL);
	_exit(127);
}

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* The last line of what a script says, as it comes. */
struct said {
	int fd; /* non-blocking; -1: nobody listens */
	char *line;
	size_t len;
	bool ended; /* a new line begins with the next byte */
};

static void hear(struct said *said)
{
	char buf[512];
	ssize_t n;

	while (said->fd >= 0 && (n = read(said->fd, buf, sizeof(buf))) > 0) {
		/* Its place in the log does not depend on us: a short write is the log's loss. */
		(void)!write(STDERR_FILENO, buf, (size_t)n);
		for (ssize_t i = 0; i < n; i++) {
			if (buf[i] == '\n') {
				said->ended = true;
				continue;
			}
			if (said->ended)
				said->len = 0;
			said->ended = false;
			if (said->len + 1 < SCRIPT_SAID)
				said->line[said->len++] = buf[i] < ' ' ? ' ' : buf[i];
			said->line[said->len] = '\0';
		}
	}
}

static int wait_script(pid_t pid, struct said *said, unsigned int seconds)
{
	int64_t deadline_ms = now_ms() + (int64_t)seconds * 1000;
	int status;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		hear(said);
		if (now_ms() >= deadline_ms) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -ETIMEDOUT;
		}
		usleep(POLL_US);
	}
	hear(said);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -EIO;
}

int script_run(const struct script *s, char line[SCRIPT_SAID])
{
	struct said said = { .fd = -1, .line = line };
	int pipes[2] = { -1, -1 }, rc;
	pid_t pid;

	line[0] = '\0';
	if (access(s->path, X_OK) < 0)
		return -errno;
	/* Without one its words are in the log alone. Nonblocking is our end only. */
	if (pipe2(pipes, O_CLOEXEC) == 0 && fcntl(pipes[0], F_SETFL, O_NONBLOCK) == 0)
		said.fd = pipes[0];
	pid = fork();
	if (pid == 0)
		exec_script(s, pipes[1]);
	rc = pid < 0 ? -errno : 0;
	if (pipes[1] >= 0)
		close(pipes[1]);
	if (rc == 0)
		rc = wait_script(pid, &said, s->seconds);
	if (pipes[0] >= 0)
		close(pipes[0]);
	return rc;
}
