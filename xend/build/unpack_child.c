/* SPDX-License-Identifier: MIT */
/* unpack_child.c - see unpack_child.h. */
#include "unpack_child.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#include "helper.h"
#include "unpack.h"

struct job {
	int fd, image;
	size_t len, max;
};

static uint8_t *room(void *arg, size_t len)
{
	const struct job *j = arg;
	uint8_t *p;

	if (ftruncate(j->image, (off_t)len))
		return NULL;
	p = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, j->image, 0);
	return p == MAP_FAILED ? NULL : p;
}

static int unpack(void *arg)
{
	struct job *j = arg;
	const struct unpack_to to = { room, j, j->max };
	/* A file that somebody cuts meanwhile ends this process, no other. */
	const void *file = j->len ? mmap(NULL, j->len, PROT_READ, MAP_PRIVATE, j->fd, 0) : "";

	return file == MAP_FAILED ? -ENOMEM : unpack_kernel(&to, file, j->len);
}

int unpack_in_child(int fd, size_t len, size_t max, const atomic_bool *stop, int *image)
{
	struct job j = { fd, memfd_create("kernel", MFD_CLOEXEC), len, max };
	const size_t largest = max > len ? max : len;
	const struct helper h = {
		.work = unpack, .arg = &j, .keep = { j.fd, j.image }, .nr_keep = 2,
		.limits = { 2 * (uint64_t)len + max + UNPACK_SCRATCH, largest, 300 },
	};
	int err = j.image < 0 ? -errno : helper_run(&h, stop);

	if (!err)
		*image = j.image;
	else if (j.image >= 0)
		close(j.image);
	return err;
}
