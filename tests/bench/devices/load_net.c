/* SPDX-License-Identifier: MIT */
/* load_net.c - a TCP stream, small packets as fast as they go, and one to and fro. */
#define _GNU_SOURCE
#include "load.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHUNK (64 * 1024)
#define SMALL 64	  /* bytes of a small packet's payload */
#define QUIET_MS 300	  /* no more comes after that long without one */
#define TRIES 250
#define RECEIVE_BUFFER (8 << 20)

static struct sockaddr_in place(const char *address, const char *port)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = address ? inet_addr(address) : INADDR_ANY,
	};

	return at;
}

static int socket_at(int type, const struct sockaddr_in *at)
{
	const int one = 1;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (const struct sockaddr *)at, sizeof(*at)) < 0)
		fail("bind");
	return fd;
}

static int socket_to(int type, const struct sockaddr_in *to)
{
	for (int tries = 0; tries < TRIES; tries++) {
		int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

		if (fd >= 0 && connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0)
			return fd;
		close(fd);
		usleep(20000); /* the other end is being asked just now */
	}
	fail("connect");
}

/* Takes one stream and says at its end that all of it came. */
int load_sink(int argc, char **argv)
{
	struct sockaddr_in at = place(NULL, argc == 2 ? argv[1] : "0");
	int fd = socket_at(SOCK_STREAM, &at), conn;
	static char buf[CHUNK];

	if (listen(fd, 1) < 0)
		fail("listen");
	conn = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
	if (conn < 0)
		fail("accept");
	while (read(conn, buf, sizeof(buf)) > 0)
		;
	return write(conn, "", 1) != 1;
}

int load_source(int argc, char **argv)
{
	static char buf[CHUNK];
	struct sockaddr_in to;
	uint64_t bytes, start;
	int fd;

	if (argc != 4)
		return 2;
	to = place(argv[1], argv[2]);
	bytes = strtoul(argv[3], NULL, 0) * 1024;
	fd = socket_to(SOCK_STREAM, &to);
	memset(buf, 0x5a, sizeof(buf));
	/* the window opens first */
	for (unsigned int i = 0; i < 32; i++)
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			fail("write");
	MARK_BEGIN();
	start = now_ns();
	for (uint64_t sent = 0; sent < bytes; sent += sizeof(buf))
		if (write(fd, buf, sizeof(buf)) != sizeof(buf))
			fail("write");
	shutdown(fd, SHUT_WR);
	if (read(fd, buf, 1) != 1)
		fail("the sink's answer");
	start = now_ns() - start;
	MARK_END();
	printf("%.0f\n", (double)start / ((double)bytes / 1024));
	return 0;
}

/* How many small packets come, and how long a packet took, from the first to the last. */
int load_count(int argc, char **argv)
{
	struct sockaddr_in at = place(NULL, argc == 2 ? argv[1] : "0");
	int fd = socket_at(SOCK_DGRAM, &at), size = RECEIVE_BUFFER;
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint64_t first = 0, last = 0;
	unsigned int nr = 0;
	char buf[2048];

	setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	while (poll(&p, 1, nr ? QUIET_MS : 20000) > 0 && recv(fd, buf, sizeof(buf), 0) > 0) {
		last = now_ns();
		if (!nr++)
			first = last;
	}
	printf("%u %.0f\n", nr, nr > 1 ? (double)(last - first) / (nr - 1) : 0);
	return 0;
}

int load_flood(int argc, char **argv)
{
	char buf[SMALL] = "";
	struct sockaddr_in to;
	unsigned int count;
	uint64_t start;
	int fd;

	if (argc != 4)
		return 2;
	to = place(argv[1], argv[2]);
	count = (unsigned int)atoi(argv[3]);
	fd = socket_to(SOCK_DGRAM, &to);
	MARK_BEGIN();
	start = now_ns();
	for (unsigned int i = 0; i < count; i++)
		send(fd, buf, sizeof(buf), 0);
	start = now_ns() - start;
	MARK_END();
	printf("%.0f\n", (double)start / count);
	return 0;
}

/* Sends back what comes, until nothing has for a while. */
int load_echo(int argc, char **argv)
{
	struct sockaddr_in at = place(NULL, argc == 2 ? argv[1] : "0"), from;
	struct pollfd p = { .fd = socket_at(SOCK_DGRAM, &at), .events = POLLIN };
	char buf[2048];

	while (poll(&p, 1, 5000) > 0) {
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(p.fd, buf, sizeof(buf), 0, (struct sockaddr *)&from, &len);

		if (n == 1)
			break;
		if (n > 0)
			sendto(p.fd, buf, (size_t)n, 0, (struct sockaddr *)&from, len);
	}
	return 0;
}

int load_ping(int argc, char **argv)
{
	char buf[SMALL] = "";
	struct sockaddr_in to;
	uint64_t start = 0;
	int fd, count;

	if (argc != 4)
		return 2;
	to = place(argv[1], argv[2]);
	count = atoi(argv[3]);
	fd = socket_to(SOCK_DGRAM, &to);
	for (int i = -16; i < count; i++) {
		if (i == 0) {
			MARK_BEGIN();
			start = now_ns();
		}
		if (send(fd, buf, sizeof(buf), 0) < 0 || recv(fd, buf, sizeof(buf), 0) < 0)
			fail("echo");
	}
	start = now_ns() - start;
	MARK_END();
	send(fd, buf, 1, 0); /* the other end's end */
	printf("%.0f\n", (double)start / count);
	return 0;
}
