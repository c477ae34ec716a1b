/* SPDX-License-Identifier: MIT */
/*
 * link.c - link HOST PORT: standard input and output over a connection, in place of ssh: what comes
 * goes on at once, as much as there is. busybox's nc passes on a KiB at a time, and takes ten times
 * as long for it.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

static char buf[1 << 18];

/* False: there will be no more. */
static int pass(int from, int to)
{
	ssize_t n = read(from, buf, sizeof(buf));

	for (ssize_t at = 0, done; at < n; at += done) {
		done = write(to, buf + at, (size_t)(n - at));
		if (done < 0)
			exit(1);
	}
	return n > 0;
}

int main(int argc, char **argv)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	struct pollfd p[] = { { .fd = 0, .events = POLLIN }, { .fd = fd, .events = POLLIN } };

	if (argc != 3)
		return 2;
	to.sin_addr.s_addr = inet_addr(argv[1]);
	to.sin_port = htons((unsigned short)atoi(argv[2]));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0) {
		perror(argv[1]);
		return 1;
	}
	while (poll(p, 2, -1) > 0) {
		if (p[0].revents && !pass(0, fd)) {
			shutdown(fd, SHUT_WR);
			p[0].fd = -1;
		}
		if (p[1].revents && !pass(fd, 1))
			return 0;
	}
	return 1;
}
