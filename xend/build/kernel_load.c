/* SPDX-License-Identifier: MIT */
/*
 * kernel_load.c - the file is opened and parsed here, by a worker; a process of its own unpacks it.
 */
#include "kernel_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unpack.h"
#include "unpack_child.h"
#include "worker.h"

#define KERNEL_FILE_MAX (128ull << 20)

struct kernel_load {
	struct worker worker;
	char path[1024];
	size_t max;			/* bytes it may unpack to */
	void *kernel;			/* mapped, @len bytes; NULL */
	size_t len;
	struct xen_image image;
};

int kernel_load_open(const char *what, const char *path, uint64_t max, size_t *len, char *why)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), err;

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
	return fd;
}

/* The image that the other process made: it is gone, so nobody changes it any more. */
static int map_image(struct kernel_load *k, int image)
{
	struct stat st;
	void *p = MAP_FAILED;

	if (fstat(image, &st) == 0 && st.st_size > 0)
		p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, image, 0);
	close(image);
	if (p == MAP_FAILED)
		return -ENOMEM;
	k->kernel = p;
	k->len = (size_t)st.st_size;
	return 0;
}

static int unpack(struct kernel_load *k)
{
	size_t len = 0;
	int image = -1, err;
	int fd = kernel_load_open("kernel", k->path, KERNEL_FILE_MAX, &len, k->worker.why);

	if (fd < 0)
		return fd;
	err = unpack_in_child(fd, len, k->max, &k->worker.stop, &image);
	close(fd);
	if (!err)
		err = map_image(k, image);
	if (err)
		worker_fail(&k->worker, err, "kernel file %.300s %s", k->path,
			    unpack_strerror(err));
	return err;
}

static int load(struct worker *w)
{
	struct kernel_load *k = (struct kernel_load *)w;
	const char *reason = "";
	int err = unpack(k);

	if (err)
		return err;
	err = xen_image_parse(&k->image, k->kernel, k->len, &reason);
	if (err)
		worker_fail(w, err, "kernel file %.300s %s", k->path, reason);
	return err;
}

static void destroy(struct worker *w)
{
	struct kernel_load *k = (struct kernel_load *)w;

	if (k->kernel)
		munmap(k->kernel, k->len);
	free(k);
}

int kernel_load_start(const char *path, uint64_t memory, int wake_fd, struct kernel_load **out)
{
	struct kernel_load *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return -ENOMEM;
	k->worker.run = load;
	k->worker.destroy = destroy;
	k->max = memory < UNPACK_MAX ? (size_t)memory : UNPACK_MAX;
	snprintf(k->path, sizeof(k->path), "%s", path);
	err = worker_start(&k->worker, wake_fd);
	if (!err)
		*out = k;
	return err;
}

int kernel_load_result(struct kernel_load *k, const struct xen_image **image, const char **why)
{
	*image = &k->image;
	*why = k->worker.why;
	return worker_result(&k->worker);
}

void kernel_load_release(struct kernel_load *k)
{
	worker_release(k ? &k->worker : NULL);
}
