/* SPDX-License-Identifier: MIT */
/* store_confined.c - see store_confined.h. Wire format: xen/io/xs_wire.h. */
#include "store_confined.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include <xenstore.h>
#include <xen/io/xs_wire.h>

#define KEYS_MAX 24

/*
 * The keys a device's process writes. Never one that somebody with rights acts on: `params` and
 * `mode` are opened, `script` is run, `frontend` is believed by the next process.
 */
static const struct class {
	const char *type;
	const char *own[KEYS_MAX]; /* in the backend directory, besides those of every class */
	const char *front;	   /* in the frontend directory, or NULL */
	const char *home;	   /* of the domain's own directory, to be read; or NULL */
} classes[] = {
	{
		.type = "vbd",
		.own = { "feature-flush-cache", "feature-barrier", "feature-persistent",
			 "feature-max-indirect-segments", "max-ring-page-order", "feature-discard",
			 "discard-granularity", "discard-alignment", "discard-secure", "sectors",
			 "sector-size", "physical-sector-size", "info", "drained",
			 "multi-queue-max-queues" },
	},
	{
		.type = "vif",
		.own = { "feature-rx-copy", "feature-rx-flip", "feature-sg", "feature-gso-tcpv4",
			 "feature-gso-tcpv6", "feature-ipv6-csum-offload",
			 "feature-multicast-control", "feature-split-event-channels",
			 "feature-ctrl-ring", "multi-queue-max-queues" },
	},
	{ .type = "console", .front = "tty", .home = "name" },
	{
		.type = "vfb",
		.own = { "request-update", "feature-resize", "vnc-port" },
		.home = "name",
	},
	{ .type = "vkbd", .own = { "feature-abs-pointer", "width", "height" } },
};

static const char *const every_class[] = { "state", "hotplug-status", "hotplug-error", "error" };

/* The request's payload while it grows: strings, each ended by NUL. */
struct payload {
	size_t len;
	bool full;
	char bytes[XENSTORE_PAYLOAD_MAX];
};

static void add(struct payload *p, const char *what, const char *dir, const char *key)
{
	size_t room = sizeof(p->bytes) - p->len;
	int n = snprintf(p->bytes + p->len, room, "%s%s%s%s", what, dir, key[0] ? "/" : "", key);

	if (n < 0 || (size_t)n >= room)
		p->full = true;
	else
		p->len += (size_t)n + 1;
}

static const struct class *find_class(const char *type)
{
	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (!strcmp(classes[i].type, type))
			return &classes[i];
	return NULL;
}

static int build(struct payload *p, const struct store_scope *scope)
{
	const struct class *c = find_class(scope->type);
	char home[64];

	if (!c)
		return -EINVAL;
	snprintf(home, sizeof(home), "/local/domain/%u", scope->domid);
	add(p, "confine", "", "");
	add(p, "r", scope->path, "");
	add(p, "r", scope->frontend, "");
	for (size_t i = 0; i < sizeof(every_class) / sizeof(every_class[0]); i++)
		add(p, "w", scope->path, every_class[i]);
	for (size_t i = 0; i < KEYS_MAX && c->own[i]; i++)
		add(p, "w", scope->path, c->own[i]);
	if (c->front)
		add(p, "w", scope->frontend, c->front);
	if (c->home)
		add(p, "r", home, c->home);
	return p->full ? -EINVAL : 0;
}

static int receive(int fd, void *to, size_t len)
{
	for (size_t got = 0; got < len;) {
		ssize_t n = recv(fd, (char *)to + got, len - got, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		got += (size_t)n;
	}
	return 0;
}

static void set_patience(int fd, time_t seconds)
{
	const struct timeval tv = { seconds, 0 };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &tv, sizeof(tv));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &tv, sizeof(tv));
}

static int confine_connection(int fd, const struct payload *p)
{
	struct xsd_sockmsg hdr = { .type = XS_CONTROL, .len = (uint32_t)p->len };
	char answer[XENSTORE_PAYLOAD_MAX];
	const struct iovec iov[] = { { &hdr, sizeof(hdr) }, { (void *)p->bytes, p->len } };
	const struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = 2 };
	int rc;

	/* The first bytes on a socket, and fewer than its buffer: they go in one piece. */
	if (sendmsg(fd, &msg, MSG_NOSIGNAL) != (ssize_t)(sizeof(hdr) + p->len))
		return errno ? -errno : -EIO;
	rc = receive(fd, &hdr, sizeof(hdr));
	if (rc == 0 && hdr.len > sizeof(answer))
		return -EPROTO;
	if (rc == 0)
		rc = receive(fd, answer, hdr.len);
	if (rc < 0)
		return rc;
	return hdr.type == XS_CONTROL && hdr.len == 3 && !memcmp(answer, "OK", 3) ?
		       0 :
		       -EPROTONOSUPPORT;
}

static int connect_socket(void)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	const char *path = xs_daemon_socket();
	int fd, rc;

	if (!path || strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	set_patience(fd, STORE_CONFINED_WAIT_S);
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int store_confined_connect(const struct store_scope *scope)
{
	struct payload p = { 0 };
	int rc = build(&p, scope), fd;

	if (rc < 0)
		return rc;
	fd = connect_socket();
	if (fd < 0)
		return fd;
	rc = confine_connection(fd, &p);
	if (rc < 0) {
		close(fd);
		return rc;
	}
	set_patience(fd, 0);
	return fd;
}
