/* SPDX-License-Identifier: MIT */
/*
 * web.c - a small web server, and who asks it: one static program for a guest, for dom0, and for a
 * machine without a hypervisor, where the server has a network name space of its own.
 *
 *   web serve [-n] INTERFACE ADDRESS    waits for INTERFACE, gives it ADDRESS, serves PAGE bytes at port 80
 *   web get ADDRESS COUNT               that often, a connection each; prints instructions a page
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <x86intrin.h>

#define PAGE 8192
#define PORT 80

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void set_address(const char *name, const char *address)
{
	struct ifreq r = { 0 };
	struct sockaddr_in *at = (struct sockaddr_in *)&r.ifr_addr;
	int fd = socket(AF_INET, SOCK_DGRAM, 0), rc;

	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	at->sin_family = AF_INET;
	at->sin_addr.s_addr = inet_addr(address);
	for (int tries = 0; (rc = ioctl(fd, SIOCSIFADDR, &r)) < 0 && tries < 500; tries++)
		usleep(20000);
	at->sin_addr.s_addr = inet_addr("255.255.255.0");
	if (rc < 0 || ioctl(fd, SIOCSIFNETMASK, &r) < 0)
		fail(name);
	r.ifr_flags = IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &r) < 0)
		fail("up");
	close(fd);
}

/* One request, one answer, and the end of the connection. */
static void answer(int conn, const char *page, size_t len)
{
	char request[1024];
	size_t nr = 0;
	ssize_t n;

	while (nr < sizeof(request) - 1 && (n = read(conn, request + nr, sizeof(request) - 1 - nr)) > 0) {
		nr += (size_t)n;
		request[nr] = '\0';
		if (strstr(request, "\r\n\r\n"))
			break;
	}
	if (!strncmp(request, "GET / ", 6) && write(conn, page, len) != (ssize_t)len)
		fail("answer");
	close(conn);
}

static _Noreturn void serve(const char *interface, const char *address)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	static char page[PAGE + 256];
	int fd, one = 1, len = snprintf(page, 256, "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n"
					"Content-Length: %d\r\n\r\n", PAGE);

	memset(page + len, 'x', PAGE);
	set_address(interface, address);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 64) < 0)
		fail("serve");
	for (;;) {
		int conn = accept(fd, NULL, NULL);

		if (conn >= 0)
			answer(conn, page, (size_t)len + PAGE);
	}
}

/* Bytes that came, 0: nobody listens. */
static size_t get_one(const struct sockaddr_in *to)
{
	static const char ask[] = "GET / HTTP/1.0\r\nHost: web\r\n\r\n";
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char buf[4096];
	size_t all = 0;
	ssize_t n;

	if (connect(fd, (const struct sockaddr *)to, sizeof(*to)) == 0 &&
	    write(fd, ask, sizeof(ask) - 1) == (ssize_t)sizeof(ask) - 1)
		while ((n = read(fd, buf, sizeof(buf))) > 0)
			all += (size_t)n;
	close(fd);
	return all;
}

static int get(const char *address, int count)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT),
				  .sin_addr.s_addr = inet_addr(address) };
	unsigned long long start;

	for (int tries = 0; get_one(&to) < PAGE; tries++) {
		if (tries == 500)
			fail("get");
		usleep(20000);
	}
	for (int i = 0; i < 16; i++)
		get_one(&to);
	start = __rdtsc();
	for (int i = 0; i < count; i++)
		if (get_one(&to) < PAGE)
			fail("a page came back short");
	printf("%llu\n", (__rdtsc() - start) / (unsigned long long)count);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "get") && atoi(argv[3]) > 0)
		return get(argv[2], atoi(argv[3]));
	if (argc == 5 && !strcmp(argv[1], "serve") && !strcmp(argv[2], "-n")) {
		if (unshare(CLONE_NEWNET) < 0)
			fail("unshare");
		serve(argv[3], argv[4]);
	}
	if (argc == 4 && !strcmp(argv[1], "serve"))
		serve(argv[2], argv[3]);
	fprintf(stderr, "usage: web serve [-n] INTERFACE ADDRESS | web get ADDRESS COUNT\n");
	return 2;
}
