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

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

/* Whether descriptor @dir is the directory @name, or below it. Where one cannot look it may be. */
static bool is_within(int dir, const char *name)
{
	int fd = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat own, at, up;
	bool within = true, looking = fd >= 0 && fstat(fd, &at) == 0;

	if (looking && stat(name, &own) < 0) {
		within = errno != ENOENT;
		looking = false;
	}
	while (looking && !is_same(&at, &own)) {
		int above = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);

		close(fd);
		fd = above;
		looking = fd >= 0 && fstat(fd, &up) == 0;
		/* The root is above itself. */
		if (looking && is_same(&up, &at)) {
			within = false;
			break;
		}
		at = up;
	}
	if (fd >= 0)
		close(fd);
	return within;
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
	if ((!cfg->state_dir || !is_within(fd, cfg->state_dir)) &&
	    (!cfg->run_dir || !is_within(fd, cfg->run_dir)))
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
