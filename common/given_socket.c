/* SPDX-License-Identifier: MIT */
/* given_socket.c - see given_socket.h. No state; no lock. */
#include "given_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define FIRST_GIVEN 3	/* SD_LISTEN_FDS_START */
#define MOST_GIVEN 64

/* Variables that were meant for this process, not for one above it. 0: none. */
static long nr_given(void)
{
	const char *pid = getenv("LISTEN_PID"), *nr = getenv("LISTEN_FDS");
	long n = pid && nr && strtol(pid, NULL, 10) == getpid() ? strtol(nr, NULL, 10) : 0;

	return n < 0 || n > MOST_GIVEN ? 0 : n;
}

/* Sockets are told by their own names, so that their order in the unit does not matter. */
static bool listens_on(int fd, const char *path)
{
	struct sockaddr_un addr = { 0 };
	socklen_t len = sizeof(addr);
	int listening = 0;
	socklen_t size = sizeof(listening);

	return getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) == 0 && listening &&
	       getsockname(fd, (struct sockaddr *)&addr, &len) == 0 && len <= sizeof(addr) &&
	       addr.sun_family == AF_UNIX &&
	       strncmp(addr.sun_path, path, sizeof(addr.sun_path)) == 0;
}

int given_socket(const char *path)
{
	long nr = nr_given();

	for (int fd = FIRST_GIVEN; fd < FIRST_GIVEN + nr; fd++) {
		int copy;

		if (!listens_on(fd, path))
			continue;
		copy = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_GIVEN);
		return copy < 0 ? -errno : copy;
	}
	return -ENOENT;
}
