/* SPDX-License-Identifier: MIT */
/*
 * xen_image.h - what a PV kernel's image says to Xen: its notes, or the older guest string. Pure,
 * as elf.h; the hypervisor reads dom0's kernel with it, xend every other.
 * Source: xen/elfnote.h; which are optional, and what stands for them: as Xen 4.17.
 */
#ifndef HV_LIB_XEN_IMAGE_H
#define HV_LIB_XEN_IMAGE_H

#include "lib/elf.h"

#define XEN_IMAGE_UNSET (~0ULL)

struct xen_image {
	struct elf_image elf;
	char guest_os[32], loader[16], xen_version[16], features[128];
	u64 virt_base;	    /* where pseudo-physical address 0 is mapped; 0 when not said */
	u64 paddr_offset;   /* subtracted from the segments' addresses */
	u64 entry;	    /* virtual; the ELF header's when not said; inside the kernel */
	u64 init_p2m;	    /* XEN_IMAGE_UNSET: the p2m lies in the first mapping */
	u64 hypercall_page; /* XEN_IMAGE_UNSET: none is wanted */
	bool initrd_unmapped;	     /* a module may be given by its pfn */
	bool has_supported_features; /* the note was there */
	u32 supported_features;
	u64 start, end; /* pseudo-physical bytes the segments cover; end - start < 2^40 */
};

/*
 * Reads @len bytes. 0; -ENOEXEC not ELF64 x86-64; -EOPNOTSUPP not made for Xen; -EINVAL truncated
 * or contradicts itself. @reason: what is wrong, to follow the file's name.
 */
int must_check xen_image_parse(struct xen_image *x, const void *bytes, size_t len,
			       const char **reason);

#endif
