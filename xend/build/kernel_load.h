/* SPDX-License-Identifier: MIT */
/*
 * kernel_load.h - a kernel file read, unpacked and parsed, beside the event loop.
 *
 * Unpacking takes seconds; a worker does it, so that requests and other domains are not kept
 * waiting.
 */
#ifndef XEND_KERNEL_LOAD_H
#define XEND_KERNEL_LOAD_H

#include <stddef.h>
#include <stdint.h>

#include "lib/xen_image.h"
#include "worker.h"

#define KERNEL_LOAD_WHY WORKER_WHY

struct kernel_load;

/*
 * Begins loading @path, for a domain of @memory bytes: it cannot unpack to more. With @wake_fd >= 0
 * (an eventfd) a thread does it and writes there when it has finished; with -1 it is done on
 * return. 0 or -ENOMEM/-EAGAIN (no thread).
 */
int kernel_load_start(const char *path, uint64_t memory, int wake_fd, struct kernel_load **out);

/*
 * 0: *@image is the kernel, valid until kernel_load_release(). -EINPROGRESS: not yet. Otherwise
 * the error, with *why in the user's words.
 */
int kernel_load_result(struct kernel_load *k, const struct xen_image **image, const char **why);

/* Done with it, finished or not: a thread still at work cleans up by itself. NULL is fine. */
void kernel_load_release(struct kernel_load *k);

/*
 * Opens the regular file @path, of *@len bytes, at most @max. @what is the record's key it comes
 * from, for the words in @why (KERNEL_LOAD_WHY bytes). The descriptor, or -errno.
 */
int kernel_load_open(const char *what, const char *path, uint64_t max, size_t *len, char *why);

#endif
