/* SPDX-License-Identifier: MIT */
/* vif_script.c - network hot-plug scripts: see vif_script.h. */
#include "vif_script.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "store.h"

#define SCRIPT_DIR "/etc/xen/scripts"
#define OWN_SCRIPT_DIR "/usr/lib/storevisor/scripts"
#define HOME "/local/domain/0/"
#define POLL_US 10000

/* A missing key is an empty string; only a value that does not fit is an error. */
static int read_optional(struct xs_handle *xs, const char *dir, const char *key, char *buf,
			 size_t len)
{
	int rc = store_read_str(xs, dir, key, buf, len);

	if (rc == -ENOENT) {
		buf[0] = '\0';
		return 0;
	}
	return rc;
}

int vif_script_read(struct vif_script *s, struct xs_handle *xs, const char *dir)
{
	char script[200] = "vif-bridge";
	unsigned int domid, devid;
	int rc;

	memset(s, 0, sizeof(*s));
	rc = read_optional(xs, dir, "script", script, sizeof(script));
	if (rc == 0)
		rc = read_optional(xs, dir, "bridge", s->bridge, sizeof(s->bridge));
	if (rc == 0)
		rc = read_optional(xs, dir, "ip", s->ip, sizeof(s->ip));
	if (rc == 0)
		rc = read_optional(xs, dir, "gatewaydev", s->gatewaydev, sizeof(s->gatewaydev));
	if (rc == 0)
		rc = read_optional(xs, dir, "vifname", s->vif, sizeof(s->vif));
	if (rc < 0)
		return rc;
	if (!script[0])
		strcpy(script, "vif-bridge");
	snprintf(s->script, sizeof(s->script), "%s%s", script[0] == '/' ? "" : SCRIPT_DIR "/",
		 script);
	/* What the operator put there wins; ours are where no other package has any. */
	if (script[0] != '/' && access(s->script, F_OK) < 0)
		snprintf(s->script, sizeof(s->script), OWN_SCRIPT_DIR "/%s", script);
	if (sscanf(dir, HOME "backend/vif/%u/%u", &domid, &devid) != 2)
		return -EINVAL;
	if (!s->vif[0] &&
	    snprintf(s->vif, sizeof(s->vif), "vif%u.%u", domid, devid) >= (int)sizeof(s->vif))
		return -EINVAL;
	snprintf(s->path, sizeof(s->path), "%s", dir + strlen(HOME));
	return 0;
}

static void exec_script(const struct vif_script *s, const char *action, int err)
{
	if (err >= 0)
		dup2(err, STDERR_FILENO);
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 0);
	setenv("script", s->script, 1);
	setenv("vif", s->vif, 1);
	setenv("bridge", s->bridge, 1);
	setenv("ip", s->ip, 1);
	/* Without one a script has its own default, eth0 as a rule. */
	if (s->gatewaydev[0])
		setenv("netdev", s->gatewaydev, 1);
	else
		unsetenv("netdev");
	setenv("XENBUS_PATH", s->path, 1);
	setenv("XENBUS_TYPE", "vif", 1);
	setenv("XENBUS_BASE_PATH", "backend", 1);
	setpgid(0, 0);
	execl(s->script, s->script, action, "type_if=vif", (char *)NULL);
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
			if (said->len + 1 < VIF_SCRIPT_SAID)
				said->line[said->len++] = buf[i] < ' ' ? ' ' : buf[i];
			said->line[said->len] = '\0';
		}
	}
}

static int wait_script(pid_t pid, struct said *said)
{
	int64_t deadline_ms = now_ms() + VIF_SCRIPT_SECONDS * 1000;
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

int vif_script_run(const struct vif_script *s, const char *action, char line[VIF_SCRIPT_SAID])
{
	struct said said = { .fd = -1, .line = line };
	int pipes[2] = { -1, -1 }, rc;
	pid_t pid;

	line[0] = '\0';
	if (access(s->script, X_OK) < 0)
		return -errno;
	/* Without one its words are in the log alone. Nonblocking is our end only. */
	if (pipe2(pipes, O_CLOEXEC) == 0 && fcntl(pipes[0], F_SETFL, O_NONBLOCK) == 0)
		said.fd = pipes[0];
	pid = fork();
	if (pid == 0)
		exec_script(s, action, pipes[1]);
	rc = pid < 0 ? -errno : 0;
	if (pipes[1] >= 0)
		close(pipes[1]);
	if (rc == 0)
		rc = wait_script(pid, &said);
	if (pipes[0] >= 0)
		close(pipes[0]);
	return rc;
}
