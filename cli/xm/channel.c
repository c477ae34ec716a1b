/* SPDX-License-Identifier: MIT */
/* channel.c - see channel.h. */
#include "channel.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int channel_open(struct xm *xm, struct channel *c)
{
	const char *dir = getenv("STOREVISOR_CHANNEL_DIR");
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int n;

	dir = dir && *dir ? dir : CHANNEL_DIR;
	mkdir(dir, 0700);
	n = snprintf(c->path, sizeof(c->path), "%s/move.%ld", dir, (long)getpid());
	if (n < 0 || (size_t)n >= sizeof(c->path))
		return xm_fail(xm, "%s: the path is too long", dir);
	memcpy(at.sun_path, c->path, (size_t)n + 1);
	unlink(c->path);
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd >= 0 && !bind(c->fd, (struct sockaddr *)&at, sizeof(at)) && !listen(c->fd, 1))
		return 0;
	n = errno;
	channel_close(c);
	return xm_fail(xm, "%s cannot be made: %s", at.sun_path, strerror(n));
}

void channel_close(struct channel *c)
{
	if (c->fd >= 0)
		close(c->fd);
	if (c->path[0])
		unlink(c->path);
	c->fd = -1;
	c->path[0] = '\0';
}
