/* SPDX-License-Identifier: MIT */
/*
 * kernel_load.c - the builder's only thread.
 *
 * Lock: none. owner hands the struct from the starter to the thread and back: whichever of
 * "thread finished" and "starter released" comes second frees it.
 */
#include "kernel_load.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unpack.h"

#define KERNEL_FILE_MAX (128ull << 20)

enum owner { OWNER_WORKING, OWNER_FINISHED, OWNER_RELEASED };

struct kernel_load {
	_Atomic enum owner owner;
	int wake_fd;
	int err;			/* this and below: the thread's until OWNER_FINISHED */
	char path[1024];
	char why[KERNEL_LOAD_WHY];
	uint8_t *file;
	struct unpacked kernel;
	struct elf64 elf;
};

static int read_all(int fd, uint8_t *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, data + done, size - done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

int kernel_load_file(const char *what, const char *path, uint64_t max, uint8_t **data, size_t *len,
		     char *why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

	*data = NULL;
	if (fd < 0) {
		err = -errno;
		snprintf(why, KERNEL_LOAD_WHY,
			 "%s file %s cannot be opened in dom0: %s: check %s=", what, path,
			 strerror(-err), what);
		return err;
	}
	if (fstat(fd, &st) || !S_ISREG(st.st_mode) || (uint64_t)st.st_size > max) {
		snprintf(why, KERNEL_LOAD_WHY,
			 "%s file %s is not a regular file of at most %llu MiB", what, path,
			 (unsigned long long)(max >> 20));
		close(fd);
		return -EINVAL;
	}
	*len = (size_t)st.st_size;
	*data = malloc(*len + 1);
	err = *data ? read_all(fd, *data, *len) : -ENOMEM;
	close(fd);
	if (err) {
		snprintf(why, KERNEL_LOAD_WHY, "%s file %s cannot be read: %s", what, path,
			 strerror(-err));
		free(*data);
		*data = NULL;
	}
	return err;
}

static int load(struct kernel_load *k)
{
	size_t len = 0;
	int err = kernel_load_file("kernel", k->path, KERNEL_FILE_MAX, &k->file, &len, k->why);

	if (err)
		return err;
	err = unpack_kernel(&k->kernel, k->file, len);
	if (err) {
		snprintf(k->why, sizeof(k->why), "kernel file %.300s %s", k->path,
			 unpack_strerror(err));
		return err;
	}
	if (k->kernel.owned) {
		free(k->file);
		k->file = NULL;
	}
	err = elf64_parse(&k->elf, k->kernel.image, k->kernel.len);
	if (err)
		snprintf(k->why, sizeof(k->why), "kernel file %.300s %s", k->path,
			 elf64_strerror(err));
	return err;
}

static void destroy(struct kernel_load *k)
{
	unpack_free(&k->kernel);
	free(k->file);
	free(k);
}

static void *thread(void *arg)
{
	struct kernel_load *k = arg;
	enum owner working = OWNER_WORKING;
	int wake_fd = k->wake_fd;
	uint64_t one = 1;

	k->err = load(k);
	/* After the exchange k is the starter's: touch it no more. */
	if (!atomic_compare_exchange_strong(&k->owner, &working, OWNER_FINISHED)) {
		destroy(k);
		return NULL;
	}
	if (write(wake_fd, &one, sizeof(one)) < 0)
		return NULL;	/* the counter is full: the loop is awake anyway */
	return NULL;
}

static int start_thread(struct kernel_load *k)
{
	pthread_attr_t attr;
	pthread_t id;
	int err;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	err = -pthread_create(&id, &attr, thread, k);
	pthread_attr_destroy(&attr);
	return err;
}

int kernel_load_start(const char *path, int wake_fd, struct kernel_load **out)
{
	struct kernel_load *k = calloc(1, sizeof(*k));
	int err = 0;

	if (!k)
		return -ENOMEM;
	snprintf(k->path, sizeof(k->path), "%s", path);
	k->wake_fd = wake_fd;
	if (wake_fd >= 0) {
		err = start_thread(k);
	} else {
		k->err = load(k);
		k->owner = OWNER_FINISHED;
	}
	if (err)
		destroy(k);
	else
		*out = k;
	return err;
}

int kernel_load_result(struct kernel_load *k, const struct elf64 **elf, const char **why)
{
	if (atomic_load(&k->owner) != OWNER_FINISHED)
		return -EINPROGRESS;
	*elf = &k->elf;
	*why = k->why;
	return k->err;
}

void kernel_load_release(struct kernel_load *k)
{
	enum owner working = OWNER_WORKING;

	if (k && !atomic_compare_exchange_strong(&k->owner, &working, OWNER_RELEASED))
		destroy(k);
}
