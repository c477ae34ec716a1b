/* SPDX-License-Identifier: MIT */
/*
 * echo.c - the floor: a server that sends each message back with one read and one write, and does
 * nothing else. What the machine itself costs.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "bench.h"

_Noreturn void echo_server(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), ep = epoll_create1(0);
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
				e.data.fd = accept(listener, NULL, NULL);
				epoll_ctl(ep, EPOLL_CTL_ADD, e.data.fd, &e);
				continue;
			}
			len = read(fd, buf, sizeof(buf));
			if (len <= 0 || write(fd, buf, len) != len)
				close(fd);
		}
	}
}
