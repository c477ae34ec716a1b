/* SPDX-License-Identifier: MIT */
/* claim.c - see claim.h. Used at the start only; no lock. */
#include "claim.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "log.h"

/* How long another daemon may still be going down. */
#define TRIES		300
#define PAUSE_NS	10000000

static int lock_now(int fd)
{
	struct flock all = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(fd, F_SETLK, &all) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
}

/* The file @name, made if need be, with our lock on it. The descriptor, or -Exxx. */
static int open_locked(const char *name, mode_t mode)
{
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode);
	struct stat st;
	int ret;

	if (fd < 0)
		return -errno;
	ret = fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EEXIST;
	if (ret == 0)
		ret = lock_now(fd);
	for (int i = 0; ret == -EBUSY && i < TRIES; i++) {
		nanosleep(&pause, NULL);
		ret = lock_now(fd);
	}
	if (ret == 0)
		return fd;
	close(fd);
	return ret;
}

/* Daemons that know nothing of our locks answer on their socket. -EBUSY then; else 0, -Exxx. */
static int nobody_answers(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct stat st;
	int fd, ret;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (!S_ISSOCK(st.st_mode))
		return -EEXIST;
	if (strlen(path) >= sizeof(addr.sun_path))
		return -ENAMETOOLONG;
	memcpy(addr.sun_path, path, strlen(path) + 1);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	/* EAGAIN: somebody listens, and has more to do than it can. */
	ret = connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0 || errno == EAGAIN ?
		      -EBUSY :
		      0;
	close(fd);
	return ret;
}

static int complain(const char *path, int err)
{
	if (err == -EBUSY)
		log_errorx("another process serves %s", path);
	else if (err == -EEXIST)
		log_errorx("%s is something else than this daemon makes there", path);
	else
		log_errorx("cannot take %s: %s", path, strerror(-err));
	return err;
}

int claim_socket(const char *path, bool ours)
{
	char name[sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof(".lock")];
	const struct timespec pause = { .tv_nsec = PAUSE_NS };
	int fd, ret;

	if ((size_t)snprintf(name, sizeof(name), "%s.lock", path) >= sizeof(name))
		return complain(path, -ENAMETOOLONG);
	fd = open_locked(name, 0600);
	ret = fd < 0 ? fd : ours ? 0 : nobody_answers(path);
	/* A child of a daemon that was killed may have its socket for a moment. */
	for (int i = 0; ret == -EBUSY && fd >= 0 && i < TRIES; i++) {
		nanosleep(&pause, NULL);
		ret = nobody_answers(path);
	}
	if (ret == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return complain(path, ret);
}

int claim_pid_file(const char *path)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	int fd = open_locked(path, 0644);

	if (fd < 0)
		return complain(path, fd);
	if (ftruncate(fd, 0) == 0 && write(fd, text, (size_t)len) == len)
		return fd;
	close(fd);
	return complain(path, -EIO);
}
