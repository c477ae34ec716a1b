/* SPDX-License-Identifier: MIT */
/* listen.c - see listen.h. */
#include "listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <event2/event.h>
#include <event2/listener.h>

#include "conn.h"
#include "given_socket.h"
#include "httpd.h"
#include "log.h"

#define BACKLOG 128

/* Of a socket that nobody listens on any more the place is taken; nothing else is. */
static int clear_place(const struct sockaddr_un *addr)
{
	struct stat st;
	int fd, rc;

	if (lstat(addr->sun_path, &st) != 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	rc = fd < 0 ? -errno : connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
	if (rc == 0)
		rc = -EADDRINUSE;
	else if (rc == -1)
		rc = errno == ECONNREFUSED ? 0 : -errno;
	if (fd >= 0)
		close(fd);
	return rc ? rc : unlink(addr->sun_path) == 0 ? 0 : -errno;
}

static int bound(int fd, const void *addr, socklen_t len)
{
	int rc;

	if (fd < 0)
		return -errno;
	if (bind(fd, addr, len) == 0 && listen(fd, BACKLOG) == 0)
		return fd;
	rc = -errno;
	close(fd);
	return rc;
}

int listen_unix(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = given_socket(path), rc;

	if (fd != -ENOENT)
		return fd;
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	strcpy(addr.sun_path, path);
	rc = clear_place(&addr);
	if (rc)
		return rc;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	fd = bound(fd, &addr, sizeof(addr));
	if (fd >= 0 && chmod(path, 0666) != 0) {
		rc = -errno;
		close(fd);
		return rc;
	}
	return fd;
}

int listen_port(uint16_t *port)
{
	struct sockaddr_in addr = {
		.sin_family = AF_INET, .sin_port = htons(*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(addr);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	fd = bound(fd, &addr, sizeof(addr));
	if (fd >= 0 && getsockname(fd, (struct sockaddr *)&addr, &len) == 0)
		*port = ntohs(addr.sin_port);
	return fd;
}

static void on_accept(struct evconnlistener *l, evutil_socket_t fd, struct sockaddr *addr, int len,
		      void *arg)
{
	(void)l;
	(void)addr;
	(void)len;
	conn_create(arg, fd);
}

/* Without descriptors it is better to wait than to ask again at once. */
static void on_error(struct evconnlistener *l, void *arg)
{
	struct httpd *srv = arg;

	log_warn("accept");
	if (srv->nr_conns)
		evconnlistener_disable(l);
}

int listen_begin(struct httpd *srv, int fd)
{
	srv->listener = evconnlistener_new(srv->base, on_accept, srv, LEV_OPT_CLOSE_ON_FREE |
					   LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	if (!srv->listener)
		return -ENOMEM;
	evconnlistener_set_error_cb(srv->listener, on_error);
	return 0;
}
