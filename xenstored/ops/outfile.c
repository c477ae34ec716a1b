/* SPDX-License-Identifier: MIT */
/* outfile.c - see outfile.h. */
#include "outfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server.h"

/* The directory above @dir, which is closed. -1: there is none. */
static int above(int dir, const struct stat *at)
{
	int up = openat(dir, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat st;

	close(dir);
	if (up < 0 || (fstat(up, &st) == 0 && (st.st_dev != at->st_dev || st.st_ino != at->st_ino)))
		return up;
	close(up);
	return -1;
}

/* Whether descriptor @dir is the directory @name, or below it. */
static bool is_within(int dir, const char *name)
{
	struct stat own, at;
	bool found = false;
	int fd;

	if (!name || stat(name, &own) < 0)
		return false;
	fd = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	/* Where one cannot look it may be. */
	if (fd < 0)
		return true;
	while (fd >= 0 && !found) {
		if (fstat(fd, &at) < 0)
			break;
		found = at.st_dev == own.st_dev && at.st_ino == own.st_ino;
		if (!found)
			fd = above(fd, &at);
	}
	if (fd >= 0)
		close(fd);
	return found;
}

/* The directory that @path is in, or -Exxx. */
static int open_dir(const struct server_config *cfg, const char *path, size_t len)
{
	char name[512];
	int fd;

	if (path[0] != '/' || len >= sizeof(name))
		return -EINVAL;
	memcpy(name, path, len);
	memcpy(name + len, "", 1);
	fd = open(len ? name : "/", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!is_within(fd, cfg->state_dir) && !is_within(fd, cfg->run_dir))
		return fd;
	if (cfg->log_path && strcmp(path, cfg->log_path) == 0)
		return fd;
	close(fd);
	return -EINVAL;
}

int outfile_open(const struct server_config *cfg, const char *path)
{
	const char *leaf = strrchr(path, '/');
	int dir = open_dir(cfg, path, leaf ? (size_t)(leaf - path) : 0);
	struct stat st;
	int fd, ret;

	if (dir < 0)
		return dir;
	fd = openat(dir, leaf + 1,
		    O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	ret = fd < 0 ? (errno == ELOOP || errno == ENXIO ? -EINVAL : -errno) : fd;
	close(dir);
	if (ret >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return -EINVAL;
	}
	return ret;
}
