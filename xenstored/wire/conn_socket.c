/* SPDX-License-Identifier: MIT */
/*
 * conn_socket.c - local sockets. One recv() takes everything that has arrived, all complete
 * requests in it are carried out, one send() answers them. Edge-triggered: what is not read at
 * once is remembered as unread.
 */
#include "conn_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "again.h"
#include "claim.h"
#include "conn.h"
#include "domain.h"
#include "given_socket.h"
#include "log.h"
#include "server.h"

/* Requests of one socket before others get their turn. */
#define SOCKET_BUDGET 256
#define READ_SIZE (64u * 1024u)

struct sock {
	struct loop_fd io;
	bool unread;	/* there may be more in the socket */
	bool hung_up;	/* the client has closed its side: read up to the end */
	bool writing;	/* waiting until the socket takes more */
};

struct listener {
	struct server *srv;
	struct loop_fd io;
	bool read_only;
	bool given;	/* by the service manager, which keeps the name */
	char *path;
	int claim;	/* holds the name: claim.h */
};

#define SOCKET_EVENTS (LOOP_READ | LOOP_HANGUP | LOOP_EDGE)

static struct sock *sock_of(struct conn *c)
{
	return c->transport;
}

static void set_writing(struct conn *c, bool on)
{
	struct sock *s = sock_of(c);

	if (s->writing == on)
		return;
	s->writing = on;
	if (loop_change(c->srv->loop, &s->io, SOCKET_EVENTS | (on ? LOOP_WRITE : 0)) < 0)
		conn_kill(c);
}

/* Whether there is something to do for the client now. */
static bool has_work(struct conn *c)
{
	struct xsd_sockmsg hdr;
	int next;

	if ((!sock_of(c)->unread && buf_len(&c->in) == 0) || !conn_may_start(c))
		return false;
	/* While requests wait here, the rest waits in the socket. */
	if (sock_of(c)->unread && buf_len(&c->in) < READ_SIZE)
		return true;
	next = xs_wire_get_hdr(buf_front(&c->in), buf_len(&c->in), &hdr);
	return next > 0 && (size_t)next <= buf_len(&c->in);
}

/* There is nobody at the other end any more. */
static void gone(struct conn *c)
{
	c->hung_up = true;
	conn_kill(c);
}

static void socket_flush(struct conn *c)
{
	struct sock *s = sock_of(c);

	while (buf_len(&c->out) > 0) {
		ssize_t n = send(s->io.fd, buf_front(&c->out), buf_len(&c->out), MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0) {
			if (errno != EAGAIN)
				gone(c);
			break;
		}
		buf_take(&c->out, (size_t)n);
		conn_refill(c);
	}
	set_writing(c, !c->dead && buf_len(&c->out) > 0);
	if (buf_len(&c->out) == 0)
		c->nr_outstanding = 0;
	/* What had to wait for room in the output goes on. */
	if (!c->dead && has_work(c))
		conn_again(c);
}

/* Carries out what has arrived in conn->in. */
static void process_backlog(struct conn *c)
{
	size_t used = conn_input(c, buf_front(&c->in), buf_len(&c->in), SOCKET_BUDGET);

	buf_take(&c->in, used);
}

/* One recv() and what it brings. False: that cannot be kept. */
static bool receive(struct conn *c)
{
	struct server *srv = c->srv;
	struct sock *s = sock_of(c);
	bool empty = buf_len(&c->in) == 0;
	char *into = empty ? srv->wire.scratch : buf_room(&c->in, READ_SIZE);
	size_t used;
	ssize_t n;

	if (!into)
		return false;
	n = recv(s->io.fd, into, READ_SIZE, 0);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
		gone(c);
		return true;
	}
	/* Less than asked for: there is no more, and what comes is reported again. */
	s->unread = n < 0 ? errno == EINTR : n == READ_SIZE || s->hung_up;
	if (n < 0)
		return true;
	if (!empty) {
		buf_added(&c->in, (size_t)n);
		process_backlog(c);
		return true;
	}
	/* The common case: whole requests, carried out where they were read. */
	used = conn_input(c, into, (size_t)n, SOCKET_BUDGET);
	return used == (size_t)n || buf_append(&c->in, into + used, (size_t)n - used) == 0;
}

/* As much as one client gets before others have their turn. */
static void socket_serve(struct conn *c)
{
	struct sock *s = sock_of(c);

	if (c->dead || !conn_may_start(c))
		return;
	if (!s->unread || buf_len(&c->in) >= READ_SIZE)
		process_backlog(c);
	else if (!receive(c))
		conn_kill(c);
	if (!c->dead && has_work(c))
		conn_again(c);
}

static void socket_ready(void *arg, short events)
{
	struct conn *c = arg;
	struct sock *s = sock_of(c);

	if (c->dead)
		return;
	if (events & LOOP_HANGUP)
		s->hung_up = true;
	if (events & LOOP_READ || s->hung_up)
		s->unread = true;
	if (s->writing)
		socket_flush(c);
	socket_serve(c);
	server_turn(c->srv);
}

static void socket_resume(struct conn *c)
{
	conn_again(c);
}

static void socket_fini(struct conn *c)
{
	struct sock *s = sock_of(c);

	loop_remove(&s->io);
	close(s->io.fd);
	free(s);
}

static const struct conn_ops socket_ops = {
	.flush = socket_flush,
	.serve = socket_serve,
	.resume = socket_resume,
	.fini = socket_fini,
};

/* The program's name as it is now: for people who read the history, not for decisions. */
static void program_of(pid_t pid, char *out, size_t size)
{
	char path[32];
	ssize_t n = -1;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/comm", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, out, size - 1);
		close(fd);
	}
	out[n > 0 ? n : 0] = '\0';
	out[strcspn(out, "\n")] = '\0';
}

/* The groups of the process at the other end, when it connected, behind its own one. 0, -errno. */
static int groups_of(int fd, gid_t own, struct peer **out)
{
	socklen_t len = 0;
	struct peer *p;

	/* Too little room: the answer is how much it takes. */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) < 0 && errno != ERANGE)
		return -errno;
	p = malloc(sizeof(*p) + sizeof(gid_t) + len);
	if (!p)
		return -ENOMEM;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, p->gid + 1, &len) < 0) {
		free(p);
		return -errno;
	}
	p->gid[0] = own;
	p->nr_gids = 1 + len / (socklen_t)sizeof(gid_t);
	*out = p;
	return 0;
}

/* Who has connected, as the kernel says it. 0 or -errno. */
static int peer_of(int fd, struct conn *c)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int ret;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) < 0)
		return -errno;
	ret = groups_of(fd, peer.gid, &c->peer);
	if (ret < 0)
		return ret;
	c->peer->uid = peer.uid;
	c->who.uid = peer.uid;
	c->who.pid = (uint32_t)peer.pid;
	program_of(peer.pid, c->who.program, sizeof(c->who.program));
	return 0;
}

/* Whether people have as many connections as they may, all together. */
static bool are_many(const struct conn *c)
{
	const unsigned int most = c->srv->cfg.people_conns;
	unsigned int all = 0;

	for (const struct conn *o = c->srv->wire.conns; o; o = o->next)
		all += o->peer && !o->privileged && !o->dead;
	/* it is one of them itself */
	return most && all > most;
}

/* What it may do from now on. 0, -ENOMEM, or -EUSERS: there are as many as there may be. */
static int take_rights(struct conn *c)
{
	struct rights *r = &c->rights;
	int ret;

	people_judge(c->srv, c->peer, r);
	c->privileged = r->all;
	ret = user_join(c);
	if (ret < 0 || r->all)
		return ret;
	if (are_many(c))
		return -EUSERS;
	if (r->reads && r->id[0] == PERSON_NOBODY)
		c->read_only = true;
	c->domid = r->id[0];
	c->who.domid = r->id[0];
	return domain_find_or_adopt(c->srv, c->domid, &c->account);
}

int conn_socket_create(struct server *srv, int fd, bool read_only)
{
	struct sock *s = calloc(1, sizeof(*s));
	struct conn *c = s ? conn_create(srv, &socket_ops, 0, NULL, s) : NULL;

	if (!c) {
		free(s);
		return -ENOMEM;
	}
	c->read_only = read_only;
	s->io = (struct loop_fd){ .fd = fd, .ready = socket_ready, .arg = c };
	fcntl(fd, F_SETFL, O_NONBLOCK);
	if (peer_of(fd, c) < 0 || take_rights(c) < 0 ||
	    loop_add(srv->loop, &s->io, SOCKET_EVENTS) < 0)
		conn_kill(c);
	srv->stats.conns_accepted++;
	return 0;
}

void listener_resume(struct listener *l)
{
	if (l && !loop_has(&l->io))
		loop_add(l->srv->loop, &l->io, LOOP_READ);
}

/* Out of descriptors: stop accepting for a moment instead of spinning. */
static void accept_paused(struct listener *l)
{
	log_warn("cannot accept more clients");
	loop_remove(&l->io);
}

/* False: there is nobody, or no more can be taken now. */
static bool accept_one(struct listener *l)
{
	int client = accept4(l->io.fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (client < 0) {
		if (errno == EMFILE || errno == ENFILE || errno == ENOMEM)
			accept_paused(l);
		return false;
	}
	if (conn_socket_create(l->srv, client, l->read_only) < 0)
		close(client);
	return true;
}

static void listener_readable(void *arg, short events)
{
	struct listener *l = arg;

	for (int i = 0; i < 64 && accept_one(l); i++)
		;
	/* Who was not let in holds no descriptor till something else happens. */
	if (l->srv->wire.dead_list)
		server_turn(l->srv);
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
	int given;

	if (!l)
		return NULL;
	given = given_socket(path);
	l->given = given >= 0;
	if (l->given) {
		/* What a live update has left is the same socket. */
		if (fd >= 0)
			close(fd);
		fd = given;
		fcntl(fd, F_SETFL, O_NONBLOCK);
	}
	l->srv = srv;
	l->read_only = read_only;
	l->path = strdup(path);
	l->io = (struct loop_fd){ .ready = listener_readable, .arg = l };
	l->claim = claim_socket(path, fd >= 0);
	l->io.fd = fd >= 0 || l->claim < 0 ? fd : bind_fresh(path, mode);
	if (l->claim >= 0 && l->path && l->io.fd >= 0 && loop_add(srv->loop, &l->io, LOOP_READ) == 0)
		return l;
	if (l->claim >= 0)
		close(l->claim);
	free(l->path);
	free(l);
	return NULL;
}

int listener_fd(const struct listener *l)
{
	return l->io.fd;
}

bool listener_is_given(const struct listener *l)
{
	return l->given;
}

void listener_close(struct listener *l, bool unlink_path)
{
	if (!l)
		return;
	loop_remove(&l->io);
	close(l->io.fd);
	if (unlink_path && !l->given)
		unlink(l->path);
	if (l->claim >= 0)
		close(l->claim);
	free(l->path);
	free(l);
}
