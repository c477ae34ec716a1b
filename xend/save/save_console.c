/* SPDX-License-Identifier: MIT */
/*
 * save_console.c - the end of what a guest printed, for who looks at its console on the next host.
 * What cannot be had is not sent.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console_log_dir.h"
#include "save_priv.h"
#include "stream.h"

/* The last bytes of the log, from the beginning of a line on. */
static size_t read_end(int fd, char buf[STREAM_CONSOLE_MAX])
{
	struct stat st;
	off_t at;
	ssize_t n;
	char *line;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	at = st.st_size > STREAM_CONSOLE_MAX ? st.st_size - STREAM_CONSOLE_MAX : 0;
	n = pread(fd, buf, STREAM_CONSOLE_MAX, at);
	if (n <= 0)
		return 0;
	line = at ? memchr(buf, '\n', (size_t)n) : NULL;
	if (!line)
		return (size_t)n;
	n -= ++line - buf;
	memmove(buf, line, (size_t)n);
	return (size_t)n;
}

int save_put_console(struct save *s)
{
	char path[512], buf[STREAM_CONSOLE_MAX];
	size_t len = 0;
	int fd;

	if (snprintf(path, sizeof(path), "%s/guest-%s.log", console_log_dir(), s->head.name) >= (int)sizeof(path))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return 0;
	len = read_end(fd, buf);
	close(fd);
	return len ? save_put_record(s, STREAM_CONSOLE, buf, len, NULL, 0) : 0;
}
