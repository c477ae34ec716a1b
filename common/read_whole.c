/* SPDX-License-Identifier: MIT */
/* read_whole.c - see read_whole.h. */
#include "read_whole.h"

#include <errno.h>
#include <unistd.h>

int read_whole(int fd, void *data, size_t len)
{
	char *p = data;

	while (len) {
		ssize_t n = read(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EINVAL;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
