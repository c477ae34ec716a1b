/* SPDX-License-Identifier: MIT */
/*
 * save_console.c - the end of what a guest printed, for who looks at its console on the next host.
 * What cannot be had is not sent, nor what is of an earlier domain of its name. It is read while
 * the guest stands still, so that nothing is missing: a few KiB that dom0 wrote, from its memory.
 */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "console_log_dir.h"
#include "save_priv.h"
#include "save_pv.h"
#include "stream.h"

/* False: it would be too long. */
static bool log_path(const char *name, char path[512])
{
	return snprintf(path, 512, "%s/guest-%s.log", console_log_dir(), name) < 512;
}

uint64_t save_console_len(const char *name)
{
	char path[512];
	struct stat st;

	return log_path(name, path) && !lstat(path, &st) && S_ISREG(st.st_mode) ?
		       (uint64_t)st.st_size : 0;
}

/*
 * The last bytes of the log behind @from, from the beginning of a line on. One that is shorter was
 * begun anew since.
 */
static size_t read_end(int fd, uint64_t from, char buf[STREAM_CONSOLE_MAX])
{
	struct stat st;
	bool is_cut;
	ssize_t n;
	char *line;

	if (fstat(fd, &st) || !S_ISREG(st.st_mode))
		return 0;
	if (from > (uint64_t)st.st_size)
		from = 0;
	is_cut = (uint64_t)st.st_size - from > STREAM_CONSOLE_MAX;
	if (is_cut)
		from = (uint64_t)st.st_size - STREAM_CONSOLE_MAX;
	n = pread(fd, buf, STREAM_CONSOLE_MAX, (off_t)from);
	if (n <= 0)
		return 0;
	line = is_cut ? memchr(buf, '\n', (size_t)n) : NULL;
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

	if (!log_path(s->head.name, path))
		return 0;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return 0;
	len = read_end(fd, s->log_from, buf);
	close(fd);
	return len ? save_put_record(s, STREAM_CONSOLE, buf, len, NULL, 0) : 0;
}
