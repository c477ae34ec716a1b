/* SPDX-License-Identifier: MIT */
/*
 * save_file.c - the file of a save: beside its place until it is whole and on the disk.
 *
 * Where it is, others may write too: what has its name already is no place to write a guest's
 * memory. Its file system may be another machine's, and answer nothing for hours: all here is a
 * worker's.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "save_priv.h"
#include "save_pv.h"

#define WINDOW (4 << 20)		/* bytes on their way to the disk; twice that wait for it at most */

/* Whether @path is the file that @s writes: another save may have put its own there since. */
static bool is_ours(const struct save *s, const char *path)
{
	struct stat ours, there;

	return !fstat(s->fd, &ours) && !lstat(path, &there) && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* What a killed xend left goes; -EBUSY: another save writes there. */
static int clear(const char *path)
{
	int fd = open(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	bool busy = fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK;

	if (fd >= 0)
		close(fd);
	if (busy)
		return -EBUSY;
	return unlink(path) && errno != ENOENT ? -errno : 0;
}

static int make(struct save *s)
{
	int err = clear(s->partial);

	if (err)
		return err;
	s->fd = open(s->partial, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (s->fd < 0)
		return -errno;
	/* Where there are no locks, two saves with one name are told apart by nobody. */
	return flock(s->fd, LOCK_EX | LOCK_NB) && errno == EWOULDBLOCK ? -EBUSY : 0;
}

int save_file_make(struct save *s)
{
	int err = make(s);

	return err ? worker_fail(&s->worker, err, "%.400s cannot be written in dom0: %s", s->partial,
				 err == -EBUSY ? "another save writes it" : strerror(-err)) : 0;
}

/*
 * What was written goes to the disk beside what is written next, so that a disk that takes nothing
 * is seen by that, and what is left for the end is little. File systems that cannot be told so do
 * it at the end.
 */
int save_file_written(struct save *s, size_t len)
{
	static const unsigned int both = SYNC_FILE_RANGE_WAIT_BEFORE | SYNC_FILE_RANGE_WRITE |
					 SYNC_FILE_RANGE_WAIT_AFTER;
	off_t from = s->synced;

	s->written += (off_t)len;
	if (s->written - from < WINDOW)
		return 0;
	s->synced = s->written;
	if (!sync_file_range(s->fd, from, s->written - from, SYNC_FILE_RANGE_WRITE) &&
	    (!from || !sync_file_range(s->fd, from - WINDOW, WINDOW, both)))
		return 0;
	return errno == EIO || errno == ENOSPC || errno == EDQUOT ? -errno : 0;
}

/* That a file has a new name is on the disk when its directory is. */
static int sync_dir_of(const char *path)
{
	char *copy = strdup(path);
	int fd = copy ? open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int err = fd < 0 || fsync(fd) ? -errno : 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return err == -EINVAL ? 0 : err;	/* a file system that knows no such thing */
}

int save_file_place(struct save *s)
{
	int err = fsync(s->fd) ? -errno : 0;

	if (err)
		return save_fail(s, err, "the disk does not take it");
	/* The guest runs on: an older file of that name is worth more. */
	if (atomic_load(&s->worker.stop))
		return worker_fail(&s->worker, -EINTR, "withdrawn");
	if (rename(s->partial, s->path))
		return worker_fail(&s->worker, -errno, "%.400s cannot be made: %s", s->path,
				   strerror(errno));
	s->is_placed = true;
	err = sync_dir_of(s->path);
	return err ? save_fail(s, err, "the disk does not take its name") : 0;
}

void save_file_close(struct save *s)
{
	const char *made = s->is_placed ? s->path : s->partial;

	if (!s->is_taken && is_ours(s, made))
		unlink(made);
	close(s->fd);
	s->fd = -1;
}
