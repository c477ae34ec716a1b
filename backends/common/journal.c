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
#define MAGIC_2 0x53564a32u	  /* "SVJ2": one queue */
#define HEAD_2 4096

/* A process of before may be followed by one of now: its guest's requests are in its journal. */
struct journal_page_2 {
	uint32_t magic, open, refs[2], port;
	struct rsp_record ring[2];
	int32_t server;
};

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

/*
 * What a journal of @size bytes has, as one of now; the device's own room begins with what it began
 * with.
 */
static void carry_over(const char *old, size_t size, char *now, size_t extra)
{
	const struct journal_page_2 *from = (const struct journal_page_2 *)old;
	struct journal_page *to = (struct journal_page *)now;

	to->open = from->open;
	to->nr_queues = 1;
	memcpy(to->refs, from->refs, sizeof(from->refs));
	to->port[0] = from->port;
	memcpy(to->ring, from->ring, sizeof(from->ring));
	to->server = from->server;
	memcpy(now + JOURNAL_HEAD, old + HEAD_2, size - HEAD_2 < extra ? size - HEAD_2 : extra);
	to->magic = JOURNAL_MAGIC;
}

/* One of before becomes one of now. Of any other nothing happens. 0 or -errno. */
static int modernise(struct journal *j, size_t size, size_t extra)
{
	char *old = NULL, *now = NULL;
	int rc = 0;

	if (size < HEAD_2 || size > HEAD_2 + extra)
		return 0;
	old = malloc(size);
	now = calloc(1, JOURNAL_HEAD + extra);
	if (!old || !now)
		rc = -ENOMEM;
	else if (pread(j->fd, old, size, 0) == (ssize_t)size &&
		 ((struct journal_page_2 *)old)->magic == MAGIC_2) {
		carry_over(old, size, now, extra);
		if (pwrite(j->fd, now, JOURNAL_HEAD + extra, 0) != (ssize_t)(JOURNAL_HEAD + extra))
			rc = errno ? -errno : -EIO;
	}
	free(old);
	free(now);
	return rc;
}

static int lock_and_map(struct journal *j, size_t extra)
{
	int rc;

	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	struct stat st;

	if (fcntl(j->fd, F_SETLK, &lock) < 0)
		return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	if (fstat(j->fd, &st) < 0)
		return -errno;
	rc = modernise(j, (size_t)st.st_size, extra);
	if (rc < 0)
		return rc;
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
	uint32_t magic = 0;
	int32_t pid = 0;
	off_t at;

	if (fd < 0)
		return 0;
	if (pread(fd, &magic, sizeof(magic), 0) != sizeof(magic))
		magic = 0;
	at = magic == MAGIC_2 ? offsetof(struct journal_page_2, server) : offsetof(struct journal_page, server);
	if (pread(fd, &pid, sizeof(pid), at) != sizeof(pid))
		pid = 0;
	close(fd);
	return pid;
}
