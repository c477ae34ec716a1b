/* SPDX-License-Identifier: MIT */
/* write_whole.h - all bytes to a descriptor that blocks, whatever interrupts. */
#ifndef COMMON_WRITE_WHOLE_H
#define COMMON_WRITE_WHOLE_H

#include <stddef.h>

/* 0; -errno of write(2): some bytes may have gone out. */
int write_whole(int fd, const void *data, size_t len);

#endif
