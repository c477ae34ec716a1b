/* SPDX-License-Identifier: MIT */
/* input_pipe.c - see input_pipe.h. */
#include "input_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal.h"

_Static_assert(sizeof(union xenkbd_in_event) <= PIPE_BUF, "an event is written whole or not");

void input_pipe_drain(int fd)
{
	char scrap[1024];

	while (read(fd, scrap, sizeof(scrap)) > 0)
		;
}

/* @devid is 0 in both kinds: a domain has one screen. */
int input_pipe_open(unsigned int domid, bool make)
{
	char journal[256], name[300];
	struct stat st;
	int fd, rc;

	rc = journal_name(journal, sizeof(journal), "vfb", domid, 0);
	if (rc == 0)
		rc = journal_input_name(name, sizeof(name), journal);
	if (rc < 0)
		return rc;
	if (make && mkfifo(name, 0600) < 0 && errno != EEXIST)
		return -errno;
	fd = open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? -EAGAIN : -errno;
	if (fstat(fd, &st) < 0 || !S_ISFIFO(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

bool input_pipe_put(int fd, const union xenkbd_in_event *event)
{
	return write(fd, event, sizeof(*event)) == (ssize_t)sizeof(*event);
}

bool input_pipe_get(int fd, union xenkbd_in_event *event)
{
	return read(fd, event, sizeof(*event)) == (ssize_t)sizeof(*event);
}
