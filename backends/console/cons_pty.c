/* SPDX-License-Identifier: MIT */
/* cons_pty.c - console pty: see cons_pty.h. */
#include "cons_pty.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <termios.h>
#include <unistd.h>

/* Sets raw mode through a slave that is closed again: only then does the master see hang-ups. */
static int make_raw(const char *slave)
{
	struct termios term;
	int fd = open(slave, O_RDWR | O_NOCTTY | O_CLOEXEC), rc = 0;

	if (fd < 0)
		return -errno;
	if (tcgetattr(fd, &term) < 0) {
		rc = -errno;
	} else {
		cfmakeraw(&term);
		if (tcsetattr(fd, TCSANOW, &term) < 0)
			rc = -errno;
	}
	close(fd);
	return rc;
}

static int open_parts(struct cons_pty *pty)
{
	int rc;

	pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (pty->master < 0 || grantpt(pty->master) < 0 || unlockpt(pty->master) < 0)
		return -errno;
	rc = ptsname_r(pty->master, pty->slave, sizeof(pty->slave));
	if (rc != 0)
		return -rc;
	rc = make_raw(pty->slave);
	if (rc < 0)
		return rc;
	pty->inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
	if (pty->inotify < 0 || inotify_add_watch(pty->inotify, pty->slave, IN_OPEN | IN_CLOSE) < 0)
		return -errno;
	return 0;
}

int cons_pty_open(struct cons_pty *pty)
{
	int rc;

	*pty = (struct cons_pty){ .master = -1, .inotify = -1 };
	rc = open_parts(pty);
	if (rc < 0)
		cons_pty_close(pty);
	return rc;
}

void cons_pty_close(struct cons_pty *pty)
{
	if (pty->master >= 0)
		close(pty->master);
	if (pty->inotify >= 0)
		close(pty->inotify);
	pty->master = pty->inotify = -1;
}

bool cons_pty_attached(struct cons_pty *pty)
{
	char buf[1024];
	struct pollfd p = { .fd = pty->master };

	while (read(pty->inotify, buf, sizeof(buf)) > 0)
		;
	return poll(&p, 1, 0) >= 0 && !(p.revents & POLLHUP);
}
