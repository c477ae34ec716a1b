/* SPDX-License-Identifier: MIT */
/* own_dir.c - see own_dir.h. Runs once; no lock. */
#include "own_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "server.h"

/* How long a daemon that is just ending may take, and how often to look. */
#define ENDING_TRIES	500
#define PAUSE_NS	10000000

/* A record lock: it ends with the process, and no fork inherits it. */
static bool lock(int fd)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_SETLK, &all) == 0;
}

/* A descriptor that keeps the directory, or -Exxx. */
static int own_dir(const char *dir)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	char path[512];
	int fd;

	if (mkdir(dir, 0755) < 0 && errno != EEXIST) {
		log_error("cannot make the directory %s", dir);
		return -errno;
	}
	snprintf(path, sizeof(path), "%s/lock", dir);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	for (int tries = 0; tries < ENDING_TRIES; tries++) {
		if (lock(fd))
			return fd;
		nanosleep(&pause, NULL);
	}
	log_errorx("another xenstored uses %s", dir);
	close(fd);
	return -EBUSY;
}

int own_dirs(struct server *srv)
{
	srv->run_lock = own_dir(srv->cfg.run_dir);
	if (srv->run_lock < 0) {
		log_errorx("cannot have %s for this daemon", srv->cfg.run_dir);
		return srv->run_lock;
	}
	srv->state_lock = own_dir(srv->cfg.state_dir);
	if (srv->state_lock == -EBUSY)
		return srv->state_lock;
	if (srv->state_lock < 0)
		log_error("%s cannot be written: the persistent part takes no changes",
			  srv->cfg.state_dir);
	return 0;
}
