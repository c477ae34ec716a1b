/* SPDX-License-Identifier: MIT */
/* write_whole.c - see write_whole.h. */
#include "write_whole.h"

#include <errno.h>
#include <unistd.h>

int write_whole(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}
