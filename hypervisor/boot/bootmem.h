/* SPDX-License-Identifier: MIT */
/*
 * bootmem.h - memory before the heap exists: a list of the ranges of RAM that are taken. Boot CPU
 * only.
 */
#ifndef HV_BOOT_BOOTMEM_H
#define HV_BOOT_BOOTMEM_H

#include "lib/types.h"

/* Takes [start, start+len) out: image, modules, what the boot loader wrote. */
void bootmem_reserve(maddr_t start, u64 len);
/*
 * @size bytes from the top of the RAM that is mapped, @align a power of two. Contents undefined.
 * Panics when there is none.
 */
maddr_t bootmem_alloc(u64 size, u64 align);
/* The direct map has all RAM below @end now; before, the first 4 GiB. */
void bootmem_mapped(maddr_t end);
/* True until bootmem_close(). */
bool bootmem_is_open(void);
/*
 * Hands all RAM that is not taken to the heap and marks the rest as the hypervisor's. The modules
 * stay taken: their owner frees them later.
 */
void bootmem_close(void);

#endif
