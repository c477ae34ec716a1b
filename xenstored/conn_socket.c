/* SPDX-License-Identifier: MIT */
/*
 * conn_socket.c - local sockets. One read() takes everything that has arrived, all complete
 * requests in it are carried out, one write() answers them.
 */
#include "conn_socket.h"

#include <errno.h>
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "conn.h"
#include "log.h"
#include "server.h"

/* Requests of one socket before others get their turn. */
#define SOCKET_BUDGET 256
#define READ_SIZE (64u * 1024u)

struct sock {
	int fd;
	struct event *readable;
	struct event *writable;
	bool reading;
	bool writing;
};

struct listener {
	struct server *srv;
	struct event *ev;
	int fd;
	bool read_only;
	char *path;
};

static struct sock *sock_of(struct conn *c)
{
	return c->transport;
}

static void set_reading(struct sock *s, bool on)
{
	if (s->reading == on)
		return;
	s->reading = on;
	if (on)
		event_add(s->readable, NULL);
	else
		event_del(s->readable);
}

static void set_writing(struct sock *s, bool on)
{
	if (s->writing == on)
		return;
	s->writing = on;
	if (on)
		event_add(s->writable, NULL);
	else
		event_del(s->writable);
}

static void socket_flush(struct conn *c)
{
	struct sock *s = sock_of(c);

	while (buf_len(&c->out) > 0) {
		ssize_t n = send(s->fd, buf_front(&c->out), buf_len(&c->out), MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN)
				conn_kill(c);
			break;
		}
		buf_take(&c->out, (size_t)n);
		conn_refill(c);
	}
	set_writing(s, !c->dead && buf_len(&c->out) > 0);
	if (buf_len(&c->out) == 0)
		c->nr_outstanding = 0;
}

/* Carries out what has arrived in conn->in. */
static void process_backlog(struct conn *c)
{
	struct sock *s = sock_of(c);
	size_t used = conn_input(c, buf_front(&c->in), buf_len(&c->in), SOCKET_BUDGET);
	struct xsd_sockmsg hdr;
	int next;

	buf_take(&c->in, used);
	if (c->dead)
		return;
	next = xs_wire_get_hdr(buf_front(&c->in), buf_len(&c->in), &hdr);
	if (next > 0 && (size_t)next <= buf_len(&c->in) && conn_may_start(c))
		server_again(c->srv, c);
	/* While requests wait here, the rest waits in the socket. */
	set_reading(s, conn_may_start(c) && buf_len(&c->in) < READ_SIZE);
}

static void socket_readable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;
	struct server *srv = c->srv;
	size_t used = 0;
	char *into = srv->scratch;
	ssize_t n;

	if (c->dead)
		return;
	if (buf_len(&c->in) > 0) {
		into = buf_room(&c->in, READ_SIZE);
		if (!into) {
			conn_kill(c);
			return;
		}
	}
	n = recv(fd, into, READ_SIZE, 0);
	if (n <= 0) {
		if (n == 0 || (errno != EAGAIN && errno != EINTR))
			conn_kill(c);
		return;
	}
	if (into == srv->scratch) {
		/* The common case: whole requests, carried out where they were read. */
		used = conn_input(c, into, (size_t)n, SOCKET_BUDGET);
		if (used < (size_t)n && buf_append(&c->in, into + used, (size_t)n - used) < 0)
			conn_kill(c);
	} else {
		buf_added(&c->in, (size_t)n);
	}
	if (!c->dead && buf_len(&c->in) > 0)
		process_backlog(c);
	server_turn(srv);
}

static void socket_writable(evutil_socket_t fd, short what, void *arg)
{
	struct conn *c = arg;

	if (c->dead)
		return;
	socket_flush(c);
	if (!c->dead && !sock_of(c)->reading)
		process_backlog(c);
	server_turn(c->srv);
}

/* Called at the end of a turn: see server_again(). */
static void socket_serve(struct conn *c)
{
	process_backlog(c);
}

static void socket_resume(struct conn *c)
{
	server_again(c->srv, c);
}

static void socket_fini(struct conn *c)
{
	struct sock *s = sock_of(c);

	event_free(s->readable);
	event_free(s->writable);
	close(s->fd);
	free(s);
}

static const struct conn_ops socket_ops = {
	.flush = socket_flush,
	.serve = socket_serve,
	.resume = socket_resume,
	.fini = socket_fini,
};

int conn_socket_create(struct server *srv, int fd, bool read_only)
{
	struct sock *s = calloc(1, sizeof(*s));
	struct conn *c = s ? conn_create(srv, &socket_ops, 0, NULL, s) : NULL;

	if (!c) {
		free(s);
		return -ENOMEM;
	}
	s->fd = fd;
	c->read_only = read_only;
	evutil_make_socket_nonblocking(fd);
	s->readable = event_new(srv->base, fd, EV_READ | EV_PERSIST, socket_readable, c);
	s->writable = event_new(srv->base, fd, EV_WRITE | EV_PERSIST, socket_writable, c);
	srv->stats.conns_accepted++;
	set_reading(s, true);
	return 0;
}

static void listener_resume(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	event_add(l->ev, NULL);
}

/* Out of descriptors: stop accepting for a moment instead of spinning. */
static void accept_paused(struct listener *l)
{
	struct timeval soon = { .tv_usec = 100000 };

	log_warn("cannot accept more clients");
	event_del(l->ev);
	event_base_once(l->srv->base, -1, EV_TIMEOUT, listener_resume, l, &soon);
}

static void listener_readable(evutil_socket_t fd, short what, void *arg)
{
	struct listener *l = arg;

	for (int i = 0; i < 64; i++) {
		int client = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (client < 0) {
			if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
				accept_paused(l);
			return;
		}
		if (conn_socket_create(l->srv, client, l->read_only) < 0)
			close(client);
	}
}

static int bind_fresh(const char *path, unsigned int mode)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		log_errorx("socket path too long (at most %zu bytes): %s",
			   sizeof(addr.sun_path) - 1, path);
		return -1;
	}
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(path);
	if (fd < 0 || bind(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0 ||
	    chmod(path, mode) < 0 || listen(fd, 1024) < 0) {
		log_error("cannot listen on %s", path);
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

struct listener *listener_open(struct server *srv, const char *path, unsigned int mode,
			       bool read_only, int fd)
{
	struct listener *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->srv = srv;
	l->read_only = read_only;
	l->path = strdup(path);
	l->fd = fd >= 0 ? fd : bind_fresh(path, mode);
	if (l->fd < 0) {
		free(l->path);
		free(l);
		return NULL;
	}
	l->ev = event_new(srv->base, l->fd, EV_READ | EV_PERSIST, listener_readable, l);
	event_add(l->ev, NULL);
	return l;
}

int listener_fd(const struct listener *l)
{
	return l->fd;
}

void listener_close(struct listener *l, bool unlink_path)
{
	if (!l)
		return;
	event_free(l->ev);
	close(l->fd);
	if (unlink_path)
		unlink(l->path);
	free(l->path);
	free(l);
}
