/* SPDX-License-Identifier: MIT */

#include "mm/frame.h"
/*
 * libc_shim.h - what Debian's static decompression libraries need of a C library and of the CPU.
 */
#ifndef HV_BOOT_LIBC_SHIM_H
#define HV_BOOT_LIBC_SHIM_H

struct frame;

/* Gives 2^@order frames back without zeroing them: the heap does that if a guest gets them. */
void frames_free_dirty(struct frame *f, unsigned int order);
/* Around every call into them: opens the FPU and gives the stack protector its canary at %fs:0x28.
 */
void libc_shim_enter(void);
void libc_shim_leave(void);

#endif
