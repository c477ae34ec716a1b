/* SPDX-License-Identifier: MIT */
/*
 * echo.c - the floor: a server that sends each message back with one read and one write, and does
 * nothing else. What the machine itself costs. WATCH also subscribes the client, until UNWATCH: a
 * WRITE is then followed by one write to each subscriber.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

#define SUBSCRIBERS_MAX 1024

static int subscribers[SUBSCRIBERS_MAX];
static int nr_subscribers;

static bool push(int fd)
{
	static const struct {
		struct xsd_sockmsg hdr;
		char body[24];
	} event = { { .type = XS_WATCH_EVENT, .len = 24 }, "/bench/scale/node\0token" };

	return send(fd, &event, sizeof(event), MSG_NOSIGNAL) == sizeof(event);
}

static void unsubscribe(int fd)
{
	for (int i = 0; i < nr_subscribers; i++) {
		if (subscribers[i] == fd)
			subscribers[i--] = subscribers[--nr_subscribers];
	}
}

static void hang_up(int fd)
{
	unsubscribe(fd);
	close(fd);
}

static void answer(int fd, const char *msg, ssize_t len)
{
	struct xsd_sockmsg hdr;

	memcpy(&hdr, msg, sizeof(hdr));
	if (send(fd, msg, len, MSG_NOSIGNAL) != len) {
		hang_up(fd);
		return;
	}
	if (hdr.type == XS_UNWATCH)
		unsubscribe(fd);
	if (hdr.type == XS_WATCH && nr_subscribers < SUBSCRIBERS_MAX && push(fd))
		subscribers[nr_subscribers++] = fd;
	for (int i = 0; hdr.type == XS_WRITE && i < nr_subscribers; i++)
		push(subscribers[i]);
}

static void accept_all(int listener, int ep)
{
	struct epoll_event e = { .events = EPOLLIN | EPOLLET };

	while ((e.data.fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0)
		epoll_ctl(ep, EPOLL_CTL_ADD, e.data.fd, &e);
}

_Noreturn void echo_server(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0), ep = epoll_create1(0);
	struct epoll_event e = { .events = EPOLLIN, .data.fd = listener };
	static char buf[65536];

	strncpy(addr.sun_path, path, sizeof(addr.sun_path) - 1);
	unlink(path);
	if (bind(listener, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    listen(listener, 1024) != 0)
		die("echo: cannot serve %s", path);
	epoll_ctl(ep, EPOLL_CTL_ADD, listener, &e);
	for (;;) {
		struct epoll_event ready[64];
		int n = epoll_wait(ep, ready, 64, -1);

		for (int i = 0; i < n; i++) {
			int fd = ready[i].data.fd;
			ssize_t len;

			if (fd == listener) {
				accept_all(listener, ep);
				continue;
			}
			len = read(fd, buf, sizeof(buf));
			if (len <= 0)
				hang_up(fd);
			else
				answer(fd, buf, len);
		}
	}
}
