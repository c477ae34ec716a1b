/* SPDX-License-Identifier: MIT */
/*
 * fake_store.c - a store daemon in a thread, for tests of clients.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <xenstore.h>

#include "fake_store.h"
#include "xs_bulk.h"

struct message {
	struct xsd_sockmsg hdr;
	char body[XENSTORE_PAYLOAD_MAX + 1];
};

static int read_all(int fd, void *to, size_t len)
{
	for (char *p = to; len;) {
		ssize_t n = read(fd, p, len);

		if (n <= 0)
			return -1;
		p += n;
		len -= n;
	}
	return 0;
}

static void send_message(int fd, uint32_t type, uint32_t req_id, uint32_t tx, const char *body,
			 size_t len)
{
	struct message m = { .hdr = { type, req_id, tx, len } };

	memcpy(m.body, body, len);
	/* a client that is gone already: its own business */
	(void)!send(fd, &m, sizeof(m.hdr) + len, MSG_NOSIGNAL);
}

static void answer(struct fake_store *f, int c, const struct message *m, const char *body,
		   size_t len)
{
	send_message(f->conns[c], m->hdr.type, m->hdr.req_id, m->hdr.tx_id, body, len);
}

static void ok(struct fake_store *f, int c, const struct message *m)
{
	answer(f, c, m, "OK", 3);
}

static void error(struct fake_store *f, int c, const struct message *m, const char *name)
{
	send_message(f->conns[c], XS_ERROR, m->hdr.req_id, m->hdr.tx_id, name, strlen(name) + 1);
}

static int find(const struct fake_store *f, const char *path)
{
	for (int i = 0; i < FAKE_NODES; i++)
		if (f->node[i] && strcmp(f->node[i], path) == 0)
			return i;
	return -1;
}

static void put_locked(struct fake_store *f, const char *path, const char *value)
{
	int i = find(f, path);

	if (i < 0)
		for (i = 0; f->node[i]; i++)
			;
	else
		free(f->value[i]);
	if (!f->node[i])
		f->node[i] = strdup(path);
	f->value[i] = strdup(value);
}

static void fire(struct fake_store *f, const char *path)
{
	char body[160];

	for (int i = 0; i < FAKE_WATCHES; i++) {
		size_t len = strlen(f->watch[i].path);

		if (!len || strncmp(path, f->watch[i].path, len) != 0)
			continue;
		len = sprintf(body, "%s%c%s", path, '\0', f->watch[i].token) + 1;
		send_message(f->conns[f->watch[i].conn], XS_WATCH_EVENT, 0, 0, body, len);
	}
}

static void list(struct fake_store *f, int c, const struct message *m, bool parts)
{
	static char names[65536];
	size_t len = 0, path_len = strlen(m->body), offset, n;
	char part[XENSTORE_PAYLOAD_MAX];

	if (find(f, m->body) < 0) {
		error(f, c, m, "ENOENT");
		return;
	}
	for (int i = 0; i < FAKE_NODES; i++)
		if (f->node[i] && strncmp(f->node[i], m->body, path_len) == 0 &&
		    f->node[i][path_len] == '/' && !strchr(f->node[i] + path_len + 1, '/'))
			len += sprintf(names + len, "%s", f->node[i] + path_len + 1) + 1;
	if (!parts) {
		if (len > f->listing_max)
			error(f, c, m, "E2BIG");
		else
			answer(f, c, m, names, len);
		return;
	}
	offset = atoi(m->body + path_len + 1);
	n = len - offset < f->listing_max ? len - offset : f->listing_max;
	while (n && names[offset + n - 1])
		n--;
	memcpy(part, f->churn && f->requests % 2 ? "78" : "77", 3);
	memcpy(part + 3, names + offset, n);
	part[3 + n] = '\0';
	answer(f, c, m, part, 3 + n + (offset + n == len));
}

static bool is_child(const struct fake_store *f, int i, const char *path)
{
	size_t len = strlen(path);

	return f->node[i] && strncmp(f->node[i], path, len) == 0 && f->node[i][len] == '/' &&
	       !strchr(f->node[i] + len + 1, '/');
}

/*
 * Behind the @at bytes of @out, with all below it down to @levels. Returns how many nodes these
 * are.
 */
static unsigned int dump_node(const struct fake_store *f, const char *path, unsigned int depth, unsigned int levels,
			      char *out, size_t *at)
{
	const char *name = depth ? strrchr(path, '/') + 1 : path, *value = f->value[find(f, path)];
	struct xs_bulk rec = { .kind = XS_BULK_NODE, .depth = (uint16_t)depth, .perms_len = 3 };
	unsigned int nr = 1;

	for (int i = 0; i < FAKE_NODES; i++)
		rec.tx += is_child(f, i, path);
	rec.name_len = (uint16_t)strlen(name);
	rec.value_len = (uint16_t)strlen(value);
	rec.len = sizeof(rec) + rec.name_len + rec.value_len + rec.perms_len;
	memcpy(out + *at, &rec, sizeof(rec));
	*at += sizeof(rec) + sprintf(out + *at + sizeof(rec), "%s%sn0", name, value) + 1;
	for (int i = 0; i < FAKE_NODES && depth < levels; i++)
		if (is_child(f, i, path))
			nr += dump_node(f, f->node[i], depth + 1, levels, out, at);
	return nr;
}

static void dump(struct fake_store *f, int c, const struct message *m)
{
	static char out[1 << 20];
	const char *path = m->body + sizeof("dump"), *levels = path + strlen(path) + 1;
	struct xs_bulk begin = { .kind = XS_BULK_BEGIN, .len = sizeof(begin), .gen = f->churn ? ++f->dumps : 7 };
	size_t at = sizeof(begin), n;

	f->dumps += !f->churn;
	memcpy(out, &begin, sizeof(begin));
	if (find(f, path) < 0) {
		error(f, c, m, "ENOENT");
		return;
	}
	if (dump_node(f, path, 0, (unsigned int)atoi(levels), out, &at) > f->dump_max) {
		error(f, c, m, "E2BIG");
		return;
	}
	for (size_t sent = 0; sent < at; sent += n) {
		n = at - sent < XENSTORE_PAYLOAD_MAX ? at - sent : XENSTORE_PAYLOAD_MAX;
		answer(f, c, m, out + sent, n);
	}
	answer(f, c, m, "", 0);
}

static void watch(struct fake_store *f, int c, const struct message *m)
{
	const char *token = m->body + strlen(m->body) + 1;
	char body[160];
	int i = 0;

	if (f->refuse_watches) {
		f->refuse_watches--;
		error(f, c, m, "ENOSPC");
		return;
	}
	if (f->no_depth && strlen(m->body) + strlen(token) + 2 < m->hdr.len) {
		error(f, c, m, "EINVAL");
		return;
	}
	while (f->watch[i].path[0])
		i++;
	f->watch[i].conn = c;
	snprintf(f->watch[i].path, sizeof(f->watch[i].path), "%.60s", m->body);
	snprintf(f->watch[i].token, sizeof(f->watch[i].token), "%.60s", token);
	ok(f, c, m);
	i = sprintf(body, "%s%c%s", m->body, '\0', token) + 1;
	send_message(f->conns[c], XS_WATCH_EVENT, 0, 0, body, i);
}

static void unwatch(struct fake_store *f, int c, const struct message *m)
{
	const char *token = m->body + strlen(m->body) + 1;

	for (int i = 0; i < FAKE_WATCHES; i++)
		if (f->watch[i].conn == c && strcmp(f->watch[i].path, m->body) == 0 &&
		    strcmp(f->watch[i].token, token) == 0) {
			f->watch[i].path[0] = '\0';
			ok(f, c, m);
			return;
		}
	error(f, c, m, "ENOENT");
}

static void read_node(struct fake_store *f, int c, const struct message *m)
{
	int i = find(f, m->body);

	f->reads++;
	if (i < 0)
		error(f, c, m, "ENOENT");
	else
		answer(f, c, m, f->value[i], strlen(f->value[i]));
}

static void end(struct fake_store *f, int c, const struct message *m)
{
	if (m->body[0] == 'T' && f->conflicts) {
		f->conflicts--;
		error(f, c, m, "EAGAIN");
	} else {
		ok(f, c, m);
	}
}

static void handle(struct fake_store *f, int c, const struct message *m)
{
	char text[16];

	switch (m->hdr.type) {
	case XS_READ:
		read_node(f, c, m);
		break;
	case XS_WRITE:
		f->writes++;
		put_locked(f, m->body, m->body + strlen(m->body) + 1);
		ok(f, c, m);
		fire(f, m->body);
		break;
	case XS_DIRECTORY:
	case XS_DIRECTORY_PART:
		list(f, c, m, m->hdr.type == XS_DIRECTORY_PART);
		break;
	case XS_GET_PERMS:
		answer(f, c, m, "n0\0r5", 6);
		break;
	case XS_WATCH:
		watch(f, c, m);
		break;
	case XS_UNWATCH:
		unwatch(f, c, m);
		break;
	case XS_TRANSACTION_START:
		answer(f, c, m, text, sprintf(text, "%u", ++f->next_tx) + 1);
		break;
	case XS_TRANSACTION_END:
		end(f, c, m);
		break;
	case XS_CONTROL:
		if (strcmp(m->body, "session") == 0 && f->session) {
			const char *say = f->session_once ? f->session_once : f->session;

			f->session_once = NULL;
			answer(f, c, m, say, strlen(say) + 1);
			break;
		}
		if (strcmp(m->body, "dump") == 0 && f->dump_max) {
			dump(f, c, m);
			break;
		}
		/* live-update is under way for ever; of the rest it knows as little as Debian's */
		if (strcmp(m->body, "live-update") != 0)
			error(f, c, m, "EINVAL");
		break;
	default:
		error(f, c, m, "ENOSYS");
	}
}

static void drop(struct fake_store *f, int c)
{
	if (f->conns[c] >= 0)
		close(f->conns[c]);
	f->conns[c] = -1;
	for (int i = 0; i < FAKE_WATCHES; i++)
		if (f->watch[i].conn == c)
			f->watch[i].path[0] = '\0';
}

static void serve(struct fake_store *f, int c)
{
	struct message m;

	if (read_all(f->conns[c], &m.hdr, sizeof(m.hdr)) != 0 ||
	    read_all(f->conns[c], m.body, m.hdr.len) != 0) {
		drop(f, c);
		return;
	}
	m.body[m.hdr.len] = '\0';
	f->requests++;
	if ((f->drop_after && --f->drop_after == 0) ||
	    (f->poison && strcmp(m.body, f->poison) == 0)) {
		drop(f, c);
	} else if (f->oversize) {
		f->oversize--;
		m.hdr.len = 5000;
		(void)!send(f->conns[c], &m.hdr, sizeof(m.hdr), MSG_NOSIGNAL);
	} else {
		handle(f, c, &m);
	}
}

static void accept_one(struct fake_store *f)
{
	int c = 0;

	while (f->conns[c] >= 0)
		c++;
	f->conns[c] = accept(f->listener, NULL, NULL);
	__atomic_add_fetch(&f->connects, 1, __ATOMIC_RELAXED);
}

static void *loop(void *arg)
{
	struct fake_store *f = arg;
	bool stop = false;

	while (!stop) {
		struct pollfd p[FAKE_CONNS + 2];

		pthread_mutex_lock(&f->lock);
		for (int i = 0; i < FAKE_CONNS; i++)
			p[i] = (struct pollfd){ .fd = f->conns[i], .events = POLLIN };
		p[FAKE_CONNS] = (struct pollfd){ .fd = f->listener, .events = POLLIN };
		p[FAKE_CONNS + 1] = (struct pollfd){ .fd = f->wake[0], .events = POLLIN };
		pthread_mutex_unlock(&f->lock);
		poll(p, FAKE_CONNS + 2, -1);
		pthread_mutex_lock(&f->lock);
		for (int i = 0; i < FAKE_CONNS; i++)
			if (p[i].revents && p[i].fd == f->conns[i])
				serve(f, i);
		if (p[FAKE_CONNS].revents && f->listener >= 0)
			accept_one(f);
		if (p[FAKE_CONNS + 1].revents)
			(void)!read(f->wake[0], p, 1);
		stop = f->stop;
		pthread_mutex_unlock(&f->lock);
	}
	return NULL;
}

/* ---- for the tests ---- */

static void wake(struct fake_store *f)
{
	(void)!write(f->wake[1], "", 1);
}

static void listen_on(struct fake_store *f)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memcpy(addr.sun_path, f->path, strlen(f->path) + 1);
	f->listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(f->listener, (struct sockaddr *)&addr, sizeof(addr)) != 0 ||
	    listen(f->listener, 16) != 0)
		abort();
}

void fake_start(struct fake_store *f)
{
	memset(f, 0, sizeof(*f));
	strcpy(f->dir, "/tmp/fake-store-XXXXXX");
	if (!mkdtemp(f->dir) || pipe(f->wake) != 0)
		abort();
	snprintf(f->path, sizeof(f->path), "%s/socket", f->dir);
	for (int i = 0; i < FAKE_CONNS; i++)
		f->conns[i] = -1;
	f->listing_max = XENSTORE_PAYLOAD_MAX;
	pthread_mutex_init(&f->lock, NULL);
	listen_on(f);
	pthread_create(&f->thread, NULL, loop, f);
}

void fake_stop(struct fake_store *f)
{
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_mutex_unlock(&f->lock);
	wake(f);
	pthread_join(f->thread, NULL);
	for (int i = 0; i < FAKE_CONNS; i++)
		drop(f, i);
	for (int i = 0; i < FAKE_NODES; i++) {
		free(f->node[i]);
		free(f->value[i]);
	}
	if (f->listener >= 0)
		close(f->listener);
	close(f->wake[0]);
	close(f->wake[1]);
	unlink(f->path);
	rmdir(f->dir);
}

void fake_put(struct fake_store *f, const char *path, const char *value)
{
	pthread_mutex_lock(&f->lock);
	put_locked(f, path, value);
	pthread_mutex_unlock(&f->lock);
}

void fake_break(struct fake_store *f)
{
	pthread_mutex_lock(&f->lock);
	for (int i = 0; i < FAKE_CONNS; i++)
		drop(f, i);
	pthread_mutex_unlock(&f->lock);
	wake(f);
}

void fake_accept(struct fake_store *f, bool yes)
{
	pthread_mutex_lock(&f->lock);
	if (!yes) {
		close(f->listener);
		f->listener = -1;
		unlink(f->path);
	} else {
		listen_on(f);
	}
	pthread_mutex_unlock(&f->lock);
	wake(f);
}
