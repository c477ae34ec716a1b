/* SPDX-License-Identifier: MIT */
/* journal.c - a device's surviving page and its lock: see journal.h. */
#include "journal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOURNAL_MAGIC 0x53564a33u /* "SVJ3": change with the layout */

_Static_assert(sizeof(struct journal_page) <= JOURNAL_HEAD, "it is all in the head");

const char *journal_dir(void)
{
	const char *dir = getenv("STOREVISOR_BACKEND_DIR");

	return dir ? dir : "/run/xen/backend";
}

int journal_dir_make(void)
{
	char path[256];
	size_t len = strlen(journal_dir());

	if (len >= sizeof(path))
		return -ENAMETOOLONG;
	memcpy(path, journal_dir(), len + 1);
	for (char *c = path + 1; c <= path + len; c++) {
		if (*c && *c != '/')
			continue;
		*c = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return -errno;
		if (c < path + len)
			*c = '/';
	}
	return 0;
}

static bool is_lock(const struct dirent *e)
{
	return !strncmp(e->d_name, JOURNAL_LOCK, strlen(JOURNAL_LOCK));
}

void journal_dir_remove(void)
{
	DIR *dir = opendir(journal_dir());
	bool used = false;
	struct dirent *e;

	if (!dir)
		return;
	while ((e = readdir(dir)))
		used |= e->d_name[0] != '.' && !is_lock(e);
	/* Who has a lock has a journal. */
	rewinddir(dir);
	while (!used && (e = readdir(dir)))
		if (is_lock(e))
			unlinkat(dirfd(dir), e->d_name, 0);
	closedir(dir);
	rmdir(journal_dir());
}

int journal_name(char *buf, size_t len, const char *type, unsigned int domid, unsigned int devid)
{
	int n = snprintf(buf, len, "%s/%s-%u-%u", journal_dir(), type, domid, devid);

	return n < 0 || (size_t)n >= len ? -ENAMETOOLONG : 0;
}

static int name_beside(char *buf, size_t len, const char *name, const char *what)
{
	int n = snprintf(buf, len, "%s.%s", name, what);

	return n < 0 || (size_t)n >= len ? -ENAMETOOLONG : 0;
}

int journal_log_name(char *buf, size_t len, const char *name)
{
	return name_beside(buf, len, name, "log");
}

int journal_input_name(char *buf, size_t len, const char *name)
{
	return name_beside(buf, len, name, "input");
}

void journal_remove(const char *name)
{
	char beside[300];

	unlink(name);
	if (journal_log_name(beside, sizeof(beside), name) == 0)
		unlink(beside);
	if (journal_input_name(beside, sizeof(beside), name) == 0)
		unlink(beside);
}

static int lock_and_map(struct journal *j, size_t extra)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;

	if (fcntl(j->fd, F_SETLK, &lock) < 0)
		return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	if (fstat(j->fd, &st) < 0)
		return -errno;
	j->len = JOURNAL_HEAD + extra;
	j->fresh = (size_t)st.st_size != j->len;
	/* Through 0, so that a file of another layout leaves no old byte behind. */
	if (j->fresh && (ftruncate(j->fd, 0) < 0 || ftruncate(j->fd, (off_t)j->len) < 0))
		return -errno;
	j->page = mmap(NULL, j->len, PROT_READ | PROT_WRITE, MAP_SHARED, j->fd, 0);
	if (j->page == MAP_FAILED)
		return -errno;
	if (j->page->magic != JOURNAL_MAGIC) {
		memset(j->page, 0, j->len);
		j->page->magic = JOURNAL_MAGIC;
		j->fresh = true;
	}
	return 0;
}

int journal_open(struct journal *j, const char *name, size_t extra)
{
	int rc = journal_dir_make();

	*j = (struct journal){ .fd = -1 };
	if (rc < 0)
		return rc;
	j->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (j->fd < 0)
		return -errno;
	rc = lock_and_map(j, extra);
	if (rc < 0) {
		close(j->fd);
		j->fd = -1;
	}
	return rc;
}

void journal_close(struct journal *j)
{
	if (j->fd < 0)
		return;
	munmap(j->page, j->len);
	close(j->fd);
	j->fd = -1;
}

pid_t journal_owner(const char *name)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = open(name, O_RDWR | O_CLOEXEC | O_NOFOLLOW), rc = 0;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	if (fcntl(fd, F_GETLK, &lock) < 0)
		rc = -errno;
	close(fd);
	if (rc < 0)
		return rc;
	return lock.l_type == F_UNLCK ? 0 : lock.l_pid;
}

pid_t journal_server(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int32_t pid = 0;

	if (fd < 0)
		return 0;
	if (pread(fd, &pid, sizeof(pid), offsetof(struct journal_page, server)) != sizeof(pid))
		pid = 0;
	close(fd);
	return pid;
}
