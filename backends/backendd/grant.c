/* SPDX-License-Identifier: MIT */
/* grant.c - see grant.h. */
#include "grant.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <log.h>

#include "store_ask.h"

#define AGAIN_MS 20	  /* while the daemon is down */
#define PAUSE_MS 500	  /* between two answers to one process */
#define PAUSE_NS (PAUSE_MS * 1000000ULL)

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

void grant_init(struct grant *g)
{
	g->fd = -1;
	g->question = g->later = NULL;
	g->answered_ns = 0;
	g->refused = false;
}

void grant_end(struct grant *g)
{
	if (g->question)
		event_free(g->question);
	if (g->later)
		event_free(g->later);
	if (g->fd >= 0)
		close(g->fd);
	grant_init(g);
}

static void wait_ms(struct grant *g, unsigned int ms)
{
	const struct timeval tv = { 0, (suseconds_t)ms * 1000 };

	event_add(g->later, &tv);
}

/* What it was given and has not taken holds a connection: there is one such at most. */
static bool has_unread(const struct grant *g)
{
	int bytes = 0;

	return ioctl(g->fd, SIOCOUTQ, &bytes) == 0 && bytes > 0;
}

/* Whether the daemon is only away; else it is there and refuses, which waiting does not mend. */
static bool is_away(int err)
{
	return err == -ECONNREFUSED || err == -ENOENT || err == -ECONNRESET || err == -EPIPE;
}

static void no_connection(struct grant *g, int err)
{
	if (is_away(err)) {
		wait_ms(g, AGAIN_MS);
		return;
	}
	if (!g->refused)
		log_warnx("%s: no connection to the store: %s", g->scope.path, strerror(-err));
	g->refused = true;
	wait_ms(g, PAUSE_MS);
}

static void answer(struct grant *g)
{
	int conn;

	if ((g->answered_ns && now_ns() - g->answered_ns < PAUSE_NS) || has_unread(g)) {
		wait_ms(g, PAUSE_MS);
		return;
	}
	conn = store_confined_connect(&g->scope);
	if (conn < 0) {
		no_connection(g, conn);
		return;
	}
	g->refused = false;
	if (store_ask_answer(g->fd, conn) == 0)
		log_debug("%s: has a new connection to the store", g->scope.path);
	g->answered_ns = now_ns();
	close(conn);
}

static void on_question(evutil_socket_t fd, short what, void *arg)
{
	struct grant *g = arg;
	bool closed, asked = store_ask_take(g->fd, &closed);

	if (closed)
		grant_end(g);
	else if (asked && !event_pending(g->later, EV_TIMEOUT, NULL))
		answer(g);
}

static void on_later(evutil_socket_t fd, short what, void *arg)
{
	answer(arg);
}

int grant_listen(struct grant *g, struct event_base *base, int fd)
{
	g->fd = fd;
	g->question = event_new(base, fd, EV_READ | EV_PERSIST, on_question, g);
	g->later = evtimer_new(base, on_later, g);
	if (g->question && g->later && event_add(g->question, NULL) == 0)
		return 0;
	grant_end(g);
	return -ENOMEM;
}

/* The process may have put anything at that number: it has to be a socket of the right kind. */
static bool is_pair(int fd)
{
	int domain = 0, type = 0;
	socklen_t len = sizeof(int);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_SEQPACKET;
}

int grant_adopt(struct grant *g, struct event_base *base, int pidfd)
{
	int fd = pidfd_getfd(pidfd, STORE_ANSWER_FD, 0);

	if (fd < 0)
		return -errno;
	if (!is_pair(fd)) {
		close(fd);
		return -ENOTSOCK;
	}
	return grant_listen(g, base, fd);
}

int grant_pair(int *ours, int *theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	*theirs = pair[0];
	*ours = pair[1];
	return 0;
}

int grant_child(int ours, int theirs)
{
	/* Out of the way first: either may have the other's number. */
	int a = fcntl(theirs, F_DUPFD_CLOEXEC, STORE_ANSWER_FD + 1);
	int b = fcntl(ours, F_DUPFD_CLOEXEC, STORE_ANSWER_FD + 1);

	return a < 0 || b < 0 || dup2(a, STORE_ASK_FD) < 0 || dup2(b, STORE_ANSWER_FD) < 0 ? -1 : 0;
}
