/* SPDX-License-Identifier: MIT */
/* boot.h - what the boot loader gave us, and the steps of the boot list (boot/setup.c). */
#ifndef HV_BOOT_BOOT_H
#define HV_BOOT_BOOT_H

#include "lib/types.h"

struct boot_module {
	maddr_t start;
	u64 len;
	const char *cmdline;
};

/* The screen, when it is in a graphics mode. */
struct boot_video {
	maddr_t addr;
	u16 pitch, width, height; /* bytes, pixels, pixels */
	u8 bits_per_pixel;	  /* 0: it is not */
	u8 rgb[6];		  /* position and size of red, green, blue */
};

/* Builds dom0 from the two modules (initrd.len 0: none) and returns its vcpu 0, ready to be
 * unpaused. Panics with a readable reason when the kernel cannot be used. */
struct vcpu *dom0_build(const struct boot_module *kernel, const struct boot_module *initrd,
			const struct boot_video *video);

/*
 * Unpacks the ELF image inside a bzImage (XZ, gzip, zstd payloads by Debian's libraries) or
 * returns @src itself when it is ELF already. *@out from xen pages (order in *@order; -1: points
 * into @src). 0; -EINVAL with a logged reason; -ENOMEM.
 */
int kernel_unpack(const void *src, size_t len, void **out, size_t *out_len, int *order);
/* Frees what kernel_unpack() gave; nothing happens for order -1. Much cheaper than
 * xen_pages_free(). */
void kernel_unpack_free(void *out, int order);

#endif
