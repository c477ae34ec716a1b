/* SPDX-License-Identifier: MIT */
/*
 * pv_image.h - fills a new PV guest's memory by its layout.
 *
 * Works through struct guest_ram only, so the whole start-of-day image can be made and
 * inspected on a host without a hypervisor.
 */
#ifndef XEND_PV_IMAGE_H
#define XEND_PV_IMAGE_H

#include <stdint.h>

#include "guest_ram.h"
#include "lib/pv_layout.h"

/* What start_info tells the kernel besides the layout. */
struct pv_start {
	uint64_t shared_info_mfn;
	uint32_t store_port;		/* the guest's end of its store channel */
	uint32_t console_port;
	const char *cmdline;		/* cut to what start_info can hold: check before */
};

/* Each returns 0 or the negative errno of a write; -ERANGE never happens on a valid layout. */
int pv_image_load_kernel(const struct pv_layout *l, const struct elf_image *elf,
			 struct guest_ram *ram);
/* @len bytes of the initrd from its byte @at on. -ERANGE: more than were planned. */
int pv_image_load_initrd(const struct pv_layout *l, uint64_t at, const void *data, size_t len,
			 struct guest_ram *ram);
int pv_image_write_p2m(const struct pv_layout *l, struct guest_ram *ram);
int pv_image_write_tables(const struct pv_layout *l, struct guest_ram *ram);
int pv_image_write_start_info(const struct pv_layout *l, const struct pv_start *start,
			      struct guest_ram *ram);

/* The first vcpu's registers: struct vcpu_guest_context of <xen/xen.h>, zeroed by this call. */
struct vcpu_guest_context;
void pv_image_vcpu(const struct pv_layout *l, const uint64_t *p2m, struct vcpu_guest_context *ctx);

#endif
