/* SPDX-License-Identifier: MIT */
/*
 * engine.c - connections, the event loop, blocking requests.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "bench.h"

/* Everybody's input is read into this; only an unfinished message is kept by its connection. */
static char scratch[64 * 1024];

uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ULL + ts.tv_nsec;
}

_Noreturn void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fprintf(stderr, "store_bench: ");
	vfprintf(stderr, fmt, ap);
	fprintf(stderr, "\n");
	va_end(ap);
	exit(1);
}

int bench_connect(const struct bench *b)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	strncpy(addr.sun_path, b->socket, sizeof(addr.sun_path) - 1);
	for (int tries = 0; tries < 3000; tries++) {
		int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

		if (fd < 0)
			die("socket: %s", strerror(errno));
		if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
			return fd;
		close(fd);
		usleep(2000);
	}
	die("%s: %s", b->socket, strerror(errno));
}

/* ---- connections ---- */

void conns_open(struct bench *b, int n, reply_fn *fn)
{
	b->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	b->conns = calloc(n, sizeof(*b->conns));
	b->nr_conns = n;
	b->stopping = false;
	b->done = 0;
	memset(&b->latency, 0, sizeof(b->latency));
	for (int i = 0; i < n; i++) {
		struct conn *c = &b->conns[i];
		struct epoll_event e = { .events = EPOLLIN | EPOLLET, .data.ptr = c };

		*c = (struct conn){ .b = b, .idx = i, .fd = bench_connect(b), .on_reply = fn };
		epoll_ctl(b->epoll_fd, EPOLL_CTL_ADD, c->fd, &e);
	}
}

void conns_close(struct bench *b)
{
	for (int i = 0; i < b->nr_conns; i++) {
		close(b->conns[i].fd);
		free(b->conns[i].in);
		free(b->conns[i].out);
	}
	free(b->conns);
	close(b->epoll_fd);
	b->conns = NULL;
	b->nr_conns = 0;
}

static void out_add(struct conn *c, const void *data, size_t len)
{
	if (c->out_len + len > c->out_size) {
		c->out_size = (c->out_len + len) * 2;
		c->out = realloc(c->out, c->out_size);
	}
	memcpy(c->out + c->out_len, data, len);
	c->out_len += len;
}

static void request_head(struct conn *c, uint32_t type, uint32_t tx, size_t len)
{
	struct xsd_sockmsg hdr = { .type = type, .req_id = c->tail + 1, .tx_id = tx, .len = len };

	if (c->tail - c->head == MAX_IN_FLIGHT)
		die("more than %d requests in flight", MAX_IN_FLIGHT);
	c->sent_ns[c->tail++ % MAX_IN_FLIGHT] = now_ns();
	out_add(c, &hdr, sizeof(hdr));
}

void request(struct conn *c, uint32_t type, uint32_t tx, const void *payload, size_t len)
{
	request_head(c, type, tx, len);
	out_add(c, payload, len);
}

void request_str(struct conn *c, uint32_t type, uint32_t tx, const char *s)
{
	request(c, type, tx, s, strlen(s) + 1);
}

void request_write(struct conn *c, uint32_t tx, const char *path, const void *data, size_t len)
{
	size_t path_len = strlen(path) + 1;

	request_head(c, XS_WRITE, tx, path_len + len);
	out_add(c, path, path_len);
	out_add(c, data, len);
}

void conn_flush(struct conn *c)
{
	size_t at = 0;

	while (at < c->out_len) {
		ssize_t n = write(c->fd, c->out + at, c->out_len - at);

		if (n <= 0)
			die("%s: write: %s", c->b->name, strerror(errno));
		at += n;
	}
	c->out_len = 0;
}

static void handle(struct conn *c, const struct xsd_sockmsg *hdr, const char *body)
{
	if (hdr->type == XS_WATCH_EVENT) {
		if (c->on_event)
			c->on_event(c, hdr, body);
		return;
	}
	hist_add(&c->b->latency, now_ns() - c->sent_ns[c->head++ % MAX_IN_FLIGHT]);
	c->on_reply(c, hdr, body);
}

/* Handles whole messages, and keeps what is behind the last one. */
static void take_messages(struct conn *c, size_t len)
{
	struct xsd_sockmsg hdr;
	size_t at = 0;

	while (len - at >= sizeof(hdr)) {
		memcpy(&hdr, scratch + at, sizeof(hdr));
		if (len - at < sizeof(hdr) + hdr.len)
			break;
		handle(c, &hdr, scratch + at + sizeof(hdr));
		at += sizeof(hdr) + hdr.len;
	}
	c->in_len = len - at;
	if (c->in_len == 0)
		return;
	c->in = realloc(c->in, c->in_len);
	memcpy(c->in, scratch + at, c->in_len);
}

/* Edge-triggered: a read that fills the buffer is not the last one. */
static void receive(struct conn *c)
{
	size_t room;
	ssize_t n;

	do {
		room = sizeof(scratch) - c->in_len;
		if (c->in_len)
			memcpy(scratch, c->in, c->in_len);
		n = read(c->fd, scratch + c->in_len, room);
		if (n < 0 && errno == EAGAIN)
			break;
		if (n <= 0)
			die("%s: read: %s", c->b->name, n ? strerror(errno) : "connection closed");
		take_messages(c, c->in_len + (size_t)n);
	} while ((size_t)n == room);
	conn_flush(c);
}

void turn(struct bench *b, int ms)
{
	struct epoll_event e[256];
	int n;

	/* a single client pays for no more system calls than a client needs */
	if (b->nr_conns == 1 && ms != 0) {
		receive(b->conns);
		return;
	}
	n = epoll_wait(b->epoll_fd, e, 256, ms);
	for (int i = 0; i < n; i++)
		receive(e[i].data.ptr);
}

static bool idle(const struct bench *b)
{
	for (int i = 0; i < b->nr_conns; i++)
		if (b->conns[i].head != b->conns[i].tail)
			return false;
	return true;
}

static void flush_all(struct bench *b)
{
	for (int i = 0; i < b->nr_conns; i++)
		conn_flush(&b->conns[i]);
}

double run_for(struct bench *b, double seconds)
{
	uint64_t start = now_ns(), end = start + seconds * 1e9;

	flush_all(b);
	while (now_ns() < end)
		turn(b, 100);
	b->stopping = true;
	end = now_ns();
	while (!idle(b))
		turn(b, 100);
	return (end - start) / 1e9;
}

void run_until(struct bench *b, unsigned long target)
{
	flush_all(b);
	while (b->done < target)
		turn(b, 1000);
}

/* ---- blocking requests ---- */

static void read_all(int fd, void *to, size_t len)
{
	for (char *p = to; len;) {
		ssize_t n = read(fd, p, len);

		if (n <= 0)
			die("read: %s", n ? strerror(errno) : "connection closed");
		p += n;
		len -= n;
	}
}

uint32_t ask(int fd, uint32_t type, uint32_t tx, const void *payload, size_t len,
	     const char **body, size_t *body_len)
{
	static char reply[XENSTORE_PAYLOAD_MAX + 1];
	struct xsd_sockmsg hdr = { .type = type, .tx_id = tx, .len = len };
	struct iovec iov[2] = { { &hdr, sizeof(hdr) }, { (void *)payload, len } };

	if (writev(fd, iov, 2) != (ssize_t)(sizeof(hdr) + len))
		die("write: %s", strerror(errno));
	do {
		read_all(fd, &hdr, sizeof(hdr));
		if (hdr.len > XENSTORE_PAYLOAD_MAX)
			die("a reply of %u bytes", hdr.len);
		read_all(fd, reply, hdr.len);
	} while (hdr.type == XS_WATCH_EVENT);
	reply[hdr.len] = '\0';
	if (body)
		*body = reply;
	if (body_len)
		*body_len = hdr.len;
	return hdr.type;
}

uint32_t ask_str(int fd, uint32_t type, uint32_t tx, const char *s, const char **body)
{
	return ask(fd, type, tx, s, strlen(s) + 1, body, NULL);
}

void put(int fd, const char *path, const char *value)
{
	char payload[XENSTORE_PAYLOAD_MAX];
	size_t len = strlen(path) + 1, vlen = strlen(value);
	const char *why;

	memcpy(payload, path, len);
	memcpy(payload + len, value, vlen);
	if (ask(fd, XS_WRITE, 0, payload, len + vlen, &why, NULL) == XS_ERROR)
		die("write %s: %s", path, why);
}
