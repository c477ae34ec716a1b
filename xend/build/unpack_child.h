/* SPDX-License-Identifier: MIT */
/*
 * unpack_child.h - unpack_kernel() in a process of its own, which has nothing but the file and the
 * room for the image, as nobody, with bounded memory and a handful of system calls: whatever a
 * kernel file does to a decoder, xend only learns that it failed.
 */
#ifndef XEND_UNPACK_CHILD_H
#define XEND_UNPACK_CHILD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Unpacks the @len bytes of the open file @fd. 0: *@image is a memory file with the image, nobody
 * else's any more; the caller closes it. Else what unpack_kernel() says; -EBADMSG: it crashed;
 * -EAGAIN: somebody killed it; -EINTR: @stop became true. @max: see struct unpack_to.
 */
int unpack_in_child(int fd, size_t len, size_t max, const atomic_bool *stop, int *image);

#endif
