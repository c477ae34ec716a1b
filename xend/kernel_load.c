/* SPDX-License-Identifier: MIT */
/*
 * kernel_load.c - the file is opened, unpacked and parsed here, by a worker.
 */
#include "kernel_load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unpack.h"
#include "worker.h"

#define KERNEL_FILE_MAX (128ull << 20)

struct kernel_load {
	struct worker worker;
	char path[1024];
	uint8_t *file;
	struct unpacked kernel;
	struct xen_image image;
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

static int load(struct worker *w)
{
	struct kernel_load *k = (struct kernel_load *)w;
	const char *reason = "";
	size_t len = 0;
	int err = kernel_load_file("kernel", k->path, KERNEL_FILE_MAX, &k->file, &len, w->why);

	if (err)
		return err;
	err = unpack_kernel(&k->kernel, k->file, len);
	if (err)
		return worker_fail(w, err, "kernel file %.300s %s", k->path, unpack_strerror(err));
	if (k->kernel.owned) {
		free(k->file);
		k->file = NULL;
	}
	err = xen_image_parse(&k->image, k->kernel.image, k->kernel.len, &reason);
	if (err)
		worker_fail(w, err, "kernel file %.300s %s", k->path, reason);
	return err;
}

static void destroy(struct worker *w)
{
	struct kernel_load *k = (struct kernel_load *)w;

	unpack_free(&k->kernel);
	free(k->file);
	free(k);
}

int kernel_load_start(const char *path, int wake_fd, struct kernel_load **out)
{
	struct kernel_load *k = calloc(1, sizeof(*k));
	int err;

	if (!k)
		return -ENOMEM;
	k->worker.run = load;
	k->worker.destroy = destroy;
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
