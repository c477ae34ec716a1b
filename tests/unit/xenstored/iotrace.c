/* SPDX-License-Identifier: MIT */
/*
 * iotrace.c - see iotrace.h. Stands between the daemon, LMDB and the C library: these definitions
 * in the executable come before the library's. Only files below the two directories count.
 */
/* Both spellings of each function are defined here: neither may be an alias of the other. */
#undef _FILE_OFFSET_BITS

#include "iotrace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* Shared with the worker, which is forked later. */
static struct shared {
	uint64_t count, allocations;
} *shared;

static const char *trace_path;
static uint64_t fail_at;
static int fail_kind;
static bool fail_all;
static uint64_t starve_at;

static void __attribute__((constructor)) start(void)
{
	const char *count = getenv("XS_IO_COUNT"), *fail = getenv("XS_IO_FAIL");
	int fd = count ? (int)syscall(SYS_openat, AT_FDCWD, count, O_RDWR | O_CREAT, 0600) : -1;

	trace_path = getenv("XS_IO_TRACE");
	if (getenv("XS_MEM_FAIL"))
		starve_at = strtoull(getenv("XS_MEM_FAIL"), NULL, 10);
	if (fail) {
		char *at;

		fail_at = strtoull(fail, &at, 10);
		fail_kind = (int)strtol(at + 1, &at, 10);
		fail_all = *at == ':';
	}
	if (fd >= 0 && syscall(SYS_ftruncate, fd, 4096) < 0)
		abort();
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		      fd >= 0 ? MAP_SHARED : MAP_SHARED | MAP_ANONYMOUS, fd, 0);
	if (shared == MAP_FAILED)
		abort();
	if (fd >= 0)
		syscall(SYS_close, fd);
}

/* A sanitizer has an allocator of its own. */
#ifndef __SANITIZE_ADDRESS__

void *__libc_malloc(size_t len);
void *__libc_calloc(size_t nr, size_t len);
void *__libc_realloc(void *old, size_t len);

/* Whether this allocation is to fail. */
static bool starves(void)
{
	if (!shared || __atomic_add_fetch(&shared->allocations, 1, __ATOMIC_RELAXED) != starve_at)
		return false;
	errno = ENOMEM;
	return true;
}

void *malloc(size_t len)
{
	return starves() ? NULL : __libc_malloc(len);
}

void *calloc(size_t nr, size_t len)
{
	return starves() ? NULL : __libc_calloc(nr, len);
}

void *realloc(void *old, size_t len)
{
	return starves() ? NULL : __libc_realloc(old, len);
}

#endif

static bool ours(const char *path)
{
	return strstr(path, "/xs-live-") && !strstr(path, "/fake/");
}

static bool fd_path(int fd, char out[PATH_MAX])
{
	char link[40];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = syscall(SYS_readlinkat, AT_FDCWD, link, out, PATH_MAX - 1);
	if (n <= 0)
		return false;
	out[n] = '\0';
	return ours(out);
}

/*
 * The disk hangs: an operation on a file of STATE (or, FILE.sync, only one that waits for the disk:
 * @syncs) does not return while the file is there that says so. Who is in one is written beside it.
 */
static void hang(const char *path, bool syncs)
{
	const char *all = getenv("XS_IO_HANG");
	char only[200], held[200], text[16];
	int fd;

	if (!all || !strstr(path, "/tmp/xs-live-"))
		return;
	snprintf(only, sizeof(only), "%s.sync", all);
	snprintf(held, sizeof(held), "%s.held", all);
	for (bool told = false; syscall(SYS_faccessat, AT_FDCWD, all, F_OK) == 0 ||
				(syncs && syscall(SYS_faccessat, AT_FDCWD, only, F_OK) == 0);
	     told = true) {
		const struct timespec pause = { .tv_nsec = 1000000 };
		size_t len = (size_t)snprintf(text, sizeof(text), "%ld\n", syscall(SYS_getpid));

		fd = -1;
		if (!told)
			fd = (int)syscall(SYS_openat, AT_FDCWD, held, O_WRONLY | O_APPEND | O_CREAT,
					  0600);
		if (fd >= 0 && (syscall(SYS_write, fd, text, len) < 0 || syscall(SYS_close, fd) < 0))
			abort();
		syscall(SYS_nanosleep, &pause, NULL);
	}
}

/*
 * Whether this operation on @path is to fail; @partial: a write that can take a part instead. It
 * returns late when the disk hangs.
 */
static bool fails(const char *path, bool *partial)
{
	uint64_t n = __atomic_add_fetch(&shared->count, 1, __ATOMIC_RELAXED);

	hang(path, false);

	*partial = false;
	if (!fail_at || (fail_all ? n < fail_at : n != fail_at))
		return false;
	if (fail_kind < 0)
		syscall(SYS_kill, syscall(SYS_getpid), -fail_kind);
	*partial = fail_kind == 0;
	errno = fail_kind ? fail_kind : EIO;
	return true;
}

static void record(const struct io_event *head, const char *path, const struct iovec *data, int nr)
{
	struct io_event e = *head;
	struct iovec iov[2 + IOV_MAX / 2] = { { &e, sizeof(e) }, { (void *)path, 0 } };
	int fd;

	if (!trace_path || !strstr(path, "/tmp/"))
		return;
	e.path_len = (uint32_t)strlen(path);
	iov[1].iov_len = e.path_len;
	for (int i = 0; i < nr; i++) {
		iov[2 + i] = data[i];
		e.data_len += (uint32_t)data[i].iov_len;
	}
	fd = (int)syscall(SYS_openat, AT_FDCWD, trace_path, O_WRONLY | O_APPEND | O_CREAT, 0600);
	if (fd < 0 || syscall(SYS_writev, fd, iov, nr + 2) < 0)
		abort();
	syscall(SYS_close, fd);
}

static ssize_t vector(int fd, const struct iovec *iov, int nr, off_t offset, bool positioned)
{
	char path[PATH_MAX];
	off_t at = positioned ? offset : (off_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
	struct iovec one = iov[0];
	bool partial, counts = at >= 0 && fd_path(fd, path);
	ssize_t n;

	if (counts && fails(path, &partial)) {
		if (!partial || one.iov_len < 2)
			return -1;
		one.iov_len /= 2;
		iov = &one;
		nr = 1;
	}
	n = positioned ? syscall(SYS_pwritev, fd, iov, nr, offset, 0) :
			 syscall(SYS_writev, fd, iov, nr);
	if (counts && n > 0)
		record(&(struct io_event){ .op = IO_WRITE,
					   .dsync = !!(fcntl(fd, F_GETFL) & O_DSYNC),
					   .offset = (uint64_t)at },
		       path, iov, nr);
	return n;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t offset)
{
	struct iovec iov = { (void *)data, len };

	return vector(fd, &iov, 1, offset, true);
}

ssize_t pwrite64(int fd, const void *data, size_t len, off_t offset)
{
	return pwrite(fd, data, len, offset);
}

ssize_t write(int fd, const void *data, size_t len)
{
	struct iovec iov = { (void *)data, len };

	return vector(fd, &iov, 1, 0, false);
}

ssize_t writev(int fd, const struct iovec *iov, int nr)
{
	return vector(fd, iov, nr, 0, false);
}

static int sync_with(int fd, long nr)
{
	char path[PATH_MAX];
	bool partial, counts = fd_path(fd, path);
	int ret;

	if (counts)
		hang(path, true);
	if (counts && fails(path, &partial))
		return -1;
	ret = (int)syscall(nr, fd);
	if (counts && ret == 0)
		record(&(struct io_event){ .op = IO_SYNC }, path, NULL, 0);
	return ret;
}

int fsync(int fd)
{
	return sync_with(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return sync_with(fd, SYS_fdatasync);
}

int ftruncate(int fd, off_t len)
{
	char path[PATH_MAX];
	bool partial, counts = fd_path(fd, path);
	int ret;

	if (counts && fails(path, &partial))
		return -1;
	ret = (int)syscall(SYS_ftruncate, fd, len);
	if (counts && ret == 0)
		record(&(struct io_event){ .op = IO_TRUNCATE, .offset = (uint64_t)len }, path, NULL,
		       0);
	return ret;
}

int ftruncate64(int fd, off_t len)
{
	return ftruncate(fd, len);
}

/* Room is not content: what follows writes there. Only its failure matters. */
int posix_fallocate(int fd, off_t offset, off_t len)
{
	char path[PATH_MAX];
	bool partial;

	if (fd_path(fd, path) && fails(path, &partial))
		return errno;
	return syscall(SYS_fallocate, fd, 0, offset, len) < 0 ? errno : 0;
}

int posix_fallocate64(int fd, off_t offset, off_t len)
{
	return posix_fallocate(fd, offset, len);
}

static int open_with(const char *path, int flags, mode_t mode)
{
	struct stat st;
	bool partial, counts = ours(path);
	bool makes = counts && flags & O_CREAT && stat(path, &st) < 0;
	bool cuts = counts && flags & O_TRUNC && !makes;
	int fd;

	if (counts && fails(path, &partial))
		return -1;
	fd = (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
	if (fd >= 0 && makes)
		record(&(struct io_event){ .op = IO_CREATE }, path, NULL, 0);
	if (fd >= 0 && cuts)
		record(&(struct io_event){ .op = IO_TRUNCATE }, path, NULL, 0);
	return fd;
}

int open(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_with(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	va_list ap;
	mode_t mode;

	va_start(ap, flags);
	mode = va_arg(ap, mode_t);
	va_end(ap);
	return open_with(path, flags, mode);
}

static int two_paths(long nr, enum io_op op, const char *from, const char *to)
{
	const struct iovec data = { (void *)to, strlen(to) };
	bool partial;
	int ret;

	if (ours(from) && fails(from, &partial))
		return -1;
	ret = (int)syscall(nr, from, to);
	if (ret == 0)
		record(&(struct io_event){ .op = op }, from, &data, 1);
	return ret;
}

int rename(const char *from, const char *to)
{
	return two_paths(SYS_rename, IO_RENAME, from, to);
}

int link(const char *from, const char *to)
{
	return two_paths(SYS_link, IO_LINK, from, to);
}

int unlink(const char *path)
{
	bool partial;
	int ret;

	if (ours(path) && fails(path, &partial))
		return -1;
	ret = (int)syscall(SYS_unlink, path);
	if (ret == 0)
		record(&(struct io_event){ .op = IO_UNLINK }, path, NULL, 0);
	return ret;
}

int mkdir(const char *path, mode_t mode)
{
	bool partial;
	int ret;

	if (ours(path) && fails(path, &partial))
		return -1;
	ret = (int)syscall(SYS_mkdir, path, mode);
	if (ret == 0)
		record(&(struct io_event){ .op = IO_MKDIR }, path, NULL, 0);
	return ret;
}
