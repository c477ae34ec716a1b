/* SPDX-License-Identifier: MIT */
/* store_mark.c - see store_mark.h. Two numbers, each with its complement behind it. */
#include "store_mark.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>

#include "store_priv.h"

struct mark {
	uint64_t begun, not_begun, done, not_done;
};

struct store_mark {
	volatile struct mark now;	/* a kill leaves what has been written so far */
};

static void path_in(const char *dir, char path[700])
{
	snprintf(path, 700, "%.600s/" STORE_MARK_NAME, dir);
}

struct store_mark *store_mark_open(const char *dir)
{
	struct store_mark *m = MAP_FAILED;
	char path[700];
	int fd;

	path_in(dir, path);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd >= 0 && fallocate(fd, 0, 0, sizeof(*m)) == 0)
		m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (fd >= 0)
		close(fd);
	if (m != MAP_FAILED)
		return m;
	/* One that says what is not true any more is worse than none. */
	unlink(path);
	return NULL;
}

void store_mark_close(struct store_mark *m)
{
	if (m)
		munmap(m, sizeof(*m));
}

void store_mark_begin(struct store_mark *m, uint64_t number)
{
	if (!m)
		return;
	m->now.begun = number;
	m->now.not_begun = ~number;
}

void store_mark_done(struct store_mark *m, uint64_t number)
{
	if (!m)
		return;
	/* Begun at least: an environment that is opened has not begun anything. */
	store_mark_begin(m, number);
	m->now.done = number;
	m->now.not_done = ~number;
}

int store_mark_read(const char *dir, uint64_t *done, uint64_t *begun)
{
	struct mark m = { 0 };
	char path[700];
	ssize_t n;
	int fd;

	path_in(dir, path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return store_file_wrong(errno) ? 0 : -errno;
	n = read(fd, &m, sizeof(m));
	if (n < 0)
		n = store_file_wrong(errno) ? 0 : -errno;
	close(fd);
	if (n != sizeof(m))
		return n < 0 ? (int)n : 0;
	*done = m.done;
	*begun = m.begun;
	return m.begun == ~m.not_begun && m.done == ~m.not_done && m.begun - m.done <= 1;
}
