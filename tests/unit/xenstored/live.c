/* SPDX-License-Identifier: MIT */
/* live.c - see live.h. */
#include "live.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "files.h"

struct live live;
bool live_quiet, live_fast, live_traced;

int live_init(int argc, char **argv)
{
	if (argc < 2) {
		fprintf(stderr, "usage: %s DAEMON\n", argv[0]);
		return 2;
	}
	live.program = argv[1];
	signal(SIGPIPE, SIG_IGN);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	return 0;
}

unsigned int live_rnd(unsigned int n)
{
	live.seed = live.seed * 1103515245u + 12345u;
	return (live.seed >> 8) % n;
}

unsigned int live_count(unsigned int ci, unsigned int more)
{
	return getenv("STOREVISOR_LONG") ? more : ci;
}

double live_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

int live_make(void)
{
	const char *seed = getenv("STOREVISOR_SEED");

	live.seed = seed ? (unsigned int)atoi(seed) : (unsigned int)getpid();
	if (!live_quiet)
		print_message("seed %u (STOREVISOR_SEED)\n", live.seed);
	strcpy(live.dir, "/dev/shm/xs-live-XXXXXX");
	strcpy(live.state_dir, live_fast ? "/dev/shm/xs-live-XXXXXX" : "/tmp/xs-live-XXXXXX");
	if (!mkdtemp(live.dir) || !mkdtemp(live.state_dir))
		return -1;
	snprintf(live.fake, sizeof(live.fake), "%s/fake", live.dir);
	snprintf(live.sock, sizeof(live.sock), "%s/socket", live.dir);
	live.hv = fake_hv_open(live.fake);
	live.extra_arg = NULL;
	live.pid = 0;
	return 0;
}

int live_remove(void)
{
	live_end();
	live.hv->close(live.hv);
	return files_remove(live.dir) | files_remove(live.state_dir);
}

void live_start(void)
{
	live.pid = fork();
	if (live.pid == 0) {
		char log[100];

		snprintf(log, sizeof(log), "%s/log", live.dir);
		setenv("XS_FAKE_DIR", live.fake, 1);
		unsetenv("XENSTORED_PATH");	/* that is for clients in the test */
		if (!freopen("/dev/null", "w", stdout) ||
		    (live_quiet && !freopen(log, "a", stderr)))
			_exit(9);
		execl(live.program, live.program, "-N", "--run-dir", live.dir, "--state-dir",
		      live.state_dir, live.extra_arg, NULL);
		_exit(9);
	}
}

pid_t live_worker(void)
{
	char path[64];
	int pid = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)live.pid, (int)live.pid);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%d", &pid), 1);
	fclose(f);
	return pid;
}

void live_kill(int sig)
{
	if (live.pid <= 0)
		return;
	kill(live.pid, sig);
	waitpid(live.pid, NULL, 0);
	live.pid = 0;
}

void live_settle(void)
{
	/* What a dead daemon has left running has become ours: live_init(). */
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

void live_end(void)
{
	live_kill(SIGKILL);
	live_settle();
}

/* --- a client on the socket --- */

int live_try_open(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", live.sock);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* Who listens: a child of a dead daemon may have its socket for a moment, and answers nothing. */
static bool is_the_daemons(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (live_traced || live.pid == 0 || peer.pid == live.pid);
}

int live_open(void)
{
	for (int i = 0; i < 10000; i++) {
		int fd = live_try_open();

		if (fd >= 0 && is_the_daemons(fd))
			return fd;
		if (fd >= 0)
			close(fd);
		usleep(1000);
	}
	fail_msg("the daemon does not come up");
	return -1;
}

static bool read_all(int fd, void *data, size_t len)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = read(fd, (char *)data + done, len - done);

		if (n <= 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

bool live_send(int fd, uint32_t type, uint32_t tx, const void *data, uint32_t len)
{
	return live_send_as(fd, 1, type, tx, data, len);
}

bool live_send_as(int fd, uint32_t id, uint32_t type, uint32_t tx, const void *data, uint32_t len)
{
	struct xsd_sockmsg hdr = { type, id, tx, len };
	char msg[XS_WIRE_MSG_MAX];

	memcpy(msg, &hdr, sizeof(hdr));
	memcpy(msg + sizeof(hdr), data, len);
	return send(fd, msg, sizeof(hdr) + len, MSG_NOSIGNAL) == (ssize_t)(sizeof(hdr) + len);
}

int live_await_len(int fd, char *out, uint32_t *len)
{
	struct xsd_sockmsg hdr;
	char data[XENSTORE_PAYLOAD_MAX + 1];

	if (!read_all(fd, &hdr, sizeof(hdr)) || hdr.len > XENSTORE_PAYLOAD_MAX ||
	    !read_all(fd, data, hdr.len))
		return -1;
	data[hdr.len] = '\0';
	if (out)
		memcpy(out, data, hdr.len + 1);
	*len = hdr.len;
	return hdr.type == XS_ERROR ? xs_wire_error_code(data, hdr.len) : 0;
}

int live_await(int fd, char *out)
{
	uint32_t len;

	return live_await_len(fd, out, &len);
}

int live_request(int fd, uint32_t type, const void *data, uint32_t len, char *out)
{
	return live_send(fd, type, 0, data, len) ? live_await(fd, out) : -1;
}

int live_write_number(int fd, const char *path, unsigned long value)
{
	char data[200];
	size_t len = strlen(path) + 1;

	memcpy(data, path, len);
	len += (size_t)snprintf(data + len, sizeof(data) - len, "%lu", value);
	return live_request(fd, XS_WRITE, data, (uint32_t)len, NULL);
}

bool live_is_answered(int fd)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };

	return poll(&pfd, 1, 0) > 0;
}

unsigned long live_read_number(int fd, const char *path)
{
	char out[XENSTORE_PAYLOAD_MAX + 1];
	int err = live_request(fd, XS_READ, path, (uint32_t)strlen(path) + 1, out);

	return err ? 0 : strtoul(out, NULL, 10);
}

int live_setup(void **state)
{
	(void)state;
	if (live_make() < 0)
		return -1;
	live_start();
	return 0;
}

int live_teardown(void **state)
{
	(void)state;
	return live_remove();
}

size_t live_own_bytes(void)
{
	char path[64], line[200];
	unsigned long kib = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", (int)live.pid);
	f = fopen(path, "re");
	assert_non_null(f);
	while (!kib && fgets(line, sizeof(line), f)) {
		if (strncmp(line, "RssAnon:", 8) == 0)
			kib = strtoul(line + 8, NULL, 10);
	}
	fclose(f);
	assert_true(kib > 0);
	return kib * 1024;
}

size_t live_file_bytes(void)
{
	char path[100];
	struct stat st;

	snprintf(path, sizeof(path), "%s/live/data.mdb", live.dir);
	assert_int_equal(stat(path, &st), 0);
	return (size_t)st.st_blocks * 512;
}
