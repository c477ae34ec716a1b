/* SPDX-License-Identifier: MIT */
/* cons_log.c - bounded console log: see cons_log.h. */
#include "cons_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_one(const char *dir, const char *guest, const char *suffix)
{
	char path[512];

	if (snprintf(path, sizeof(path), "%s/guest-%s.log%s", dir, guest, suffix) >=
	    (int)sizeof(path))
		return -ENAMETOOLONG;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);

	return fd < 0 ? -errno : fd;
}

int cons_log_open(struct cons_log *log, const char *dir, const char *guest)
{
	off_t end;

	*log = (struct cons_log){ .fd = -1, .old_fd = -1 };
	if (!guest[0] || guest[0] == '.' || strchr(guest, '/'))
		return -EINVAL;
	if (mkdir(dir, 0750) < 0 && errno != EEXIST)
		return -errno;
	log->fd = open_one(dir, guest, "");
	if (log->fd < 0) {
		int rc = log->fd;

		log->fd = -1;
		return rc;
	}
	log->old_fd = open_one(dir, guest, ".1");
	if (log->old_fd < 0)
		log->old_fd = -1;
	end = lseek(log->fd, 0, SEEK_END);
	log->len = end > 0 ? (size_t)end : 0;
	return 0;
}

/* NAME.log is full: its bytes become NAME.log.1, and it starts empty. */
static void turn_over(struct cons_log *log)
{
	off_t from = 0;

	if (log->old_fd >= 0 && ftruncate(log->old_fd, 0) == 0 &&
	    lseek(log->old_fd, 0, SEEK_SET) == 0)
		while (sendfile(log->old_fd, log->fd, &from, CONS_LOG_MAX) > 0)
			;
	if (ftruncate(log->fd, 0) == 0) {
		lseek(log->fd, 0, SEEK_SET);
		log->len = 0;
	}
}

void cons_log_write(struct cons_log *log, const char *buf, size_t len)
{
	ssize_t n;

	if (log->fd < 0)
		return;
	if (log->len + len > CONS_LOG_MAX)
		turn_over(log);
	n = write(log->fd, buf, len);
	if (n > 0)
		log->len += (size_t)n;
}

void cons_log_close(struct cons_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	if (log->old_fd >= 0)
		close(log->old_fd);
	log->fd = log->old_fd = -1;
}
