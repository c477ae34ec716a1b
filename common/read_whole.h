/* SPDX-License-Identifier: MIT */
/* read_whole.h - so many bytes of a descriptor that blocks, whatever interrupts. */
#ifndef COMMON_READ_WHOLE_H
#define COMMON_READ_WHOLE_H

#include <stddef.h>

/* 0; -EINVAL: it ends before; -errno of read(2). */
int read_whole(int fd, void *data, size_t len);

#endif
