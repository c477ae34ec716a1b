/* SPDX-License-Identifier: MIT */
/*
 * xs_lib.c - the parts of the libxenstore API that need no connection: where the daemon is,
 * permission strings, path comparison. Opening a transport is here too.
 * Source: Debian's libxenstore.so.4 observed (strings, environment), xenstore_lib.h.
 */
/* What others are built against: it goes before the same from Xen, by the same guard. */
#include "public/xenstore.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "xs_client_priv.h"

#define DEFAULT_RUNDIR "/var/run/xenstored"

const char *xs_daemon_rundir(void)
{
	const char *dir = getenv("XENSTORED_RUNDIR");

	return dir ? dir : DEFAULT_RUNDIR;
}

/* The result is shared by all callers, as the API has it: always the same text in a process. */
static const char *daemon_path(char *buf, size_t size)
{
	const char *path = getenv("XENSTORED_PATH");

	if (path)
		return path;
	if ((size_t)snprintf(buf, size, "%s/socket", xs_daemon_rundir()) >= size)
		return NULL;
	return buf;
}

const char *xs_daemon_socket(void)
{
	static char buf[PATH_MAX];

	return daemon_path(buf, sizeof(buf));
}

const char *xs_daemon_socket_ro(void)
{
	static char buf[PATH_MAX];

	return daemon_path(buf, sizeof(buf));
}

static int open_socket(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd, err;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -1;
	if (connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	err = errno;
	close(fd);
	errno = err;
	return -1;
}

/* What is written to a file that somebody named by mistake would be in it. */
static bool is_device(const char *path, const struct stat *st)
{
	struct statfs fs;

	/* a device in /dev, a file of xenfs in /proc/xen */
	return S_ISCHR(st->st_mode) ||
	       (S_ISREG(st->st_mode) && statfs(path, &fs) == 0 && fs.f_type == XENFS_SUPER_MAGIC);
}

int xs_transport_open(const char *path, bool *is_socket)
{
	struct stat st;

	if (!path) {
		errno = ENAMETOOLONG;
		return -1;
	}
	if (stat(path, &st) != 0)
		return -1;
	*is_socket = S_ISSOCK(st.st_mode);
	if (!*is_socket && !is_device(path, &st)) {
		errno = ENOTSOCK;
		return -1;
	}
	return *is_socket ? open_socket(path) : open(path, O_RDWR | O_CLOEXEC);
}

bool xs_write_all(int fd, const void *data, unsigned int len)
{
	const char *p = data;

	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		p += n;
		len -= n;
	}
	return true;
}

static int perm_bits(char letter)
{
	switch (letter) {
	case 'r':
		return XS_PERM_READ;
	case 'w':
		return XS_PERM_WRITE;
	case 'b':
		return XS_PERM_READ | XS_PERM_WRITE;
	case 'n':
		return XS_PERM_NONE;
	default:
		return -1;
	}
}

bool xs_strings_to_perms(struct xs_permissions *perms, unsigned int num, const char *strings)
{
	const char *s = strings;

	for (unsigned int i = 0; i < num; i++) {
		int bits = perm_bits(*s);
		char *end;

		if (bits < 0) {
			errno = EINVAL;
			return false;
		}
		perms[i].perms = bits;
		errno = 0;
		perms[i].id = strtol(s + 1, &end, 0);
		if (end == s + 1 || *end || errno) {
			errno = EINVAL;
			return false;
		}
		s = end + 1;
	}
	return true;
}

bool xs_path_is_subpath(const char *parent, const char *child)
{
	size_t len = strlen(parent);

	/* "/" is nobody's parent here: the original compares text only, and callers rely on it */
	return strncmp(parent, child, len) == 0 && (child[len] == '/' || child[len] == '\0');
}
