/* SPDX-License-Identifier: MIT */
/*
 * stream.h - the form of a saved domain's memory: Xen's migration stream, version 3, x86 PV.
 *
 * Before it in the file stands our head (common/saved_head.h). All numbers but those of the first
 * header are little-endian. Source: Xen's document docs/specs/libxc-migration-stream.
 */
#ifndef XEND_STREAM_H
#define XEND_STREAM_H

#include <stdint.h>

#define STREAM_MARKER UINT64_MAX
#define STREAM_ID 0x58454e46u		/* "XENF" */
#define STREAM_VERSION 3u
#define STREAM_X86_PV 1u
#define STREAM_PAGE_SHIFT 12

struct stream_image {			/* big-endian */
	uint64_t marker;
	uint32_t id, version;
	uint16_t options, reserved;
	uint32_t reserved2;
};

struct stream_domain {
	uint32_t type;
	uint16_t page_shift, reserved;
	uint32_t xen_major, xen_minor;
};

enum stream_type {
	STREAM_END = 0,
	STREAM_PAGE_DATA = 1,
	STREAM_PV_INFO = 2,
	STREAM_P2M_FRAMES = 3,
	STREAM_VCPU_BASIC = 4,
	STREAM_VCPU_EXTENDED = 5,
	STREAM_VCPU_XSAVE = 6,
	STREAM_SHARED_INFO = 7,
	STREAM_TSC_INFO = 8,
	STREAM_VCPU_MSRS = 12,
	STREAM_VERIFY = 13,
	STREAM_STATIC_DATA_END = 16,
	STREAM_CPUID_POLICY = 17,	/* of Debian's Xen */
	STREAM_MSR_POLICY = 18,
};
#define STREAM_OPTIONAL 0x80000000u	/* of a type: who does not know it may skip it */
/* Ours, with bodies of stream_sum.h. */
#define STREAM_CHECK (STREAM_OPTIONAL | 0x53560001u)
#define STREAM_DIGEST (STREAM_OPTIONAL | 0x53560002u)
/*
 * A uint64_t, the length of a body of STREAM_PAGE_DATA, and that packed by zstd; only to who says
 * that it knows it.
 */
#define STREAM_PACKED 0x53560003u
/* The end of what the guest printed, for its console on the next host. */
#define STREAM_CONSOLE (STREAM_OPTIONAL | 0x53560004u)
#define STREAM_CONSOLE_MAX 15600

struct stream_record {
	uint32_t type, length;		/* of the body; padded to 8 bytes */
};

struct stream_pv_info {
	uint8_t guest_width, pt_levels;
	uint8_t reserved[6];
};

struct stream_p2m {
	uint32_t first_pfn, last_pfn;
	uint64_t pfn[];			/* of the frames of the p2m list */
};

/* For each frame of kind 0 to 12 its page follows, in order, behind the list. */
struct stream_pages {
	uint32_t count, reserved;
	uint64_t pfn[];			/* bits 63..60: hv_page_types() */
};
#define STREAM_PFN_MASK ((1ull << 52) - 1)
#define STREAM_TYPE_SHIFT 60
#define STREAM_BATCH 1024u		/* pages a record */
#define STREAM_PAGES_MAX (sizeof(struct stream_pages) + STREAM_BATCH * (8 + 4096))	/* bytes of its body */

struct stream_vcpu {
	uint32_t id, reserved;
};

struct stream_tsc {
	uint32_t mode, khz;
	uint64_t elapsed_ns;
	uint32_t incarnation, reserved;
};

/* Kinds of frames, hv_page_types(). */
#define PAGE_DATA 0u
#define PAGE_PINNED 8u
#define PAGE_BROKEN 13u
#define PAGE_ALLOC 14u			/* of the domain, without contents: all zero */
#define PAGE_NONE 15u
#define PAGE_LEVEL(type) ((type) <= 12u ? (type) & 7u : 0)
#define PAGE_HAS_DATA(type) ((type) <= 12u)

#endif
