/* SPDX-License-Identifier: MIT */
/* notify.c - see notify.h. One thread; no lock. */
#include "notify.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

void notify_service(const char *state)
{
	static int fd = -1; /* a process has one manager: as long as it lives */
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	size_t len = path ? strlen(path) : 0;

	if (!len || len >= sizeof(addr.sun_path))
		return;
	memcpy(addr.sun_path, path, len);
	if (path[0] == '@')
		addr.sun_path[0] = '\0'; /* the abstract name space */
	if (fd < 0)
		fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	/* Nobody listening is no reason to stop, and one that is slow none to wait. */
	(void)!sendto(fd, state, strlen(state), MSG_NOSIGNAL | MSG_DONTWAIT,
		      (struct sockaddr *)&addr, offsetof(struct sockaddr_un, sun_path) + len);
}

/* What sd_booted(3) asks. */
#define SYSTEMD "/run/systemd/system"

const char *notify_log_of(const char *name)
{
	static char where[128];

	if (access(SYSTEMD, F_OK) == 0)
		snprintf(where, sizeof(where), "journalctl -u %.64s", name);
	else
		snprintf(where, sizeof(where), "/var/log/xen/%.64s.log", name);
	return where;
}
