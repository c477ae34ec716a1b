/* SPDX-License-Identifier: MIT */
/*
 * frame.h - the frame table: one record a machine frame, saying who owns it, how often it is
 * referenced, and what it may be used as. The rules are security.md section D (D1, D2, D4).
 *
 * All counters change only under the hypervisor lock, so plain stores will do
 * (docs/decisions/0008-big-lock.md).
 */
#ifndef HV_MM_FRAME_H
#define HV_MM_FRAME_H

#include "lib/nospec.h"
#include "lib/types.h"
#include "x86/layout.h"

#include <xen/xen.h>

/* frame.ref: {owner:16 | flags:4 | WRITTEN | order:5 | count:38}. */
#define FRAME_ALLOC (1ULL << 47)   /* holds the owner's one allocation reference */
#define FRAME_XENHEAP (1ULL << 46) /* hypervisor memory shared: not the heap's by itself */
#define FRAME_FREE (1ULL << 45)    /* heads a free block: next and prev are valid */
#define FRAME_DIRTY (1ULL << 44)   /* RAM added at boot, not yet zeroed (page_alloc.h) */
#define FRAME_FLAGS (15ULL << 44)
/* since log-dirty mode last asked (pv/logdirty.h); else means nothing */
#define FRAME_WRITTEN (1ULL << 43)
#define FRAME_ORDER_SHIFT 38
#define FRAME_ORDER_MASK (31ULL << FRAME_ORDER_SHIFT)
#define FRAME_REF_MASK ((1ULL << FRAME_ORDER_SHIFT) - 1)

/* frame.type: {T:3 | PINNED | VALID | PARTIAL | LOGGED | FOREIGN | tcnt:24}. */
enum frame_type {
	FT_NONE = 0,
	FT_L1 = 1,
	FT_L2 = 2,
	FT_L3 = 3,
	FT_L4 = 4,
	FT_SEG = 5,
	FT_WR = 6,
};
#define FT_SHIFT 29
#define FT_MASK (7u << FT_SHIFT)
#define FT_PINNED (1u << 28)
#define FT_VALID (1u << 27)
#define FT_PARTIAL (1u << 26)
/* a table of a domain in log-dirty mode, VALID: `shadow` means something */
#define FT_LOGGED (1u << 25)
/* a level-1 table: maps, or did, another domain's frame writable by no grant */
#define FT_FOREIGN (1u << 24)
#define FT_COUNT_MASK ((1u << 24) - 1)

/* 16 bytes, four to a cache line: docs/decisions/0009-frame-record.md. */
struct frame {
	union {
		u64 ref;
		struct {
			u32 prev; /* FRAME_FREE: mfn of the neighbour on the free list */
			u16 high_ref;
			/* domid; DOMID_XEN: the hypervisor's or free, DOMID_IO: not RAM */
			u16 owner;
		};
	};
	union {
		u32 type;
		u32 next; /* FRAME_FREE: as prev; FRAME_LIST_END at the ends */
	};
	union {
		u32 stamp; /* TLB clock when the last type reference was dropped */
		u32 shadow; /* LOGGED: which shadow is its own (pv/shadow.h), 0: none */
		struct {
			u16 nval; /* PARTIAL: entries [0, nval) hold references */
			u16 pset; /* PARTIAL: entry nval holds one general reference too */
		};
	};
};
_Static_assert(sizeof(struct frame) == 16, "16 bytes a frame: 8 MiB of a 2 GiB machine");
#define FRAME_LIST_END 0xffffffffu

extern struct frame *frame_table; /* indexed by mfn; fixed after boot */
extern u64 frame_table_nr;        /* frames covered; fixed after boot */

/* The frame's record. @mfn: known to have one, as each of mfn_is_ram() has. */
static inline struct frame *mfn_to_frame(mfn_t mfn)
{
	return &frame_table[index_nospec(mfn_x(mfn), frame_table_nr)];
}

static inline mfn_t frame_to_mfn(const struct frame *f)
{
	return _mfn((u64)(f - frame_table));
}

/* @va: in the direct map; no guest's number. */
static inline struct frame *virt_to_frame(const void *va)
{
	return &frame_table[mfn_x(virt_to_mfn(va))];
}

/*
 * True when @mfn has a record and is RAM (owner is not DOMID_IO). @mfn: guest-controlled, any
 * value.
 */
bool mfn_is_ram(mfn_t mfn);

static inline enum frame_type frame_type_of(const struct frame *f)
{
	return (enum frame_type)(f->type >> FT_SHIFT);
}

static inline u32 frame_type_count(const struct frame *f)
{
	return f->type & FT_COUNT_MASK;
}

static inline u64 frame_ref_count(const struct frame *f)
{
	return f->ref & FRAME_REF_MASK;
}

/* The count with the flags, to be compared as a whole. */
static inline u64 frame_refs(const struct frame *f)
{
	return f->ref & (FRAME_REF_MASK | FRAME_FLAGS);
}

/* Sets count, flags and WRITTEN; owner and order stay. */
static inline void frame_set_refs(struct frame *f, u64 refs)
{
	f->ref = (f->ref & ~(FRAME_REF_MASK | FRAME_FLAGS | FRAME_WRITTEN)) | refs;
}

/*
 * What is in @f, or which of its owner's pages it is, changes or has changed: one instruction, so
 * that nobody asks who logs.
 */
static inline void frame_note_write(struct frame *f)
{
	f->ref |= FRAME_WRITTEN;
}

/* Of the free block, or of the hypervisor's own memory, that starts with @f. */
static inline unsigned int frame_order(const struct frame *f)
{
	return (unsigned int)((f->ref & FRAME_ORDER_MASK) >> FRAME_ORDER_SHIFT);
}

static inline void frame_set_order(struct frame *f, unsigned int order)
{
	f->ref = (f->ref & ~FRAME_ORDER_MASK) | (u64)order << FRAME_ORDER_SHIFT;
}

/*
 * The table in at most 2048 chunks: each domain counts its frames of each, so that who looks for
 * them passes by those where it has none.
 */
extern unsigned int frame_chunk_shift; /* log2 of frames a chunk; fixed after boot */
static inline u64 frame_chunk(u64 mfn)
{
	return mfn >> frame_chunk_shift;
}
static inline u64 frame_chunks(void)
{
	return frame_table_nr ? frame_chunk(frame_table_nr - 1) + 1 : 0;
}

/* --- the heap (mm/page_alloc.c) --- */

#define MAX_ORDER 20
/* Adds RAM [start, end) to the heap at boot or after init: records become free. */
void page_alloc_add(mfn_t start, mfn_t end);
/* 2^@order contiguous frames below 2^@addr_bits (0: anywhere); records: owner DOMID_XEN, ref 0.
 * Contents undefined at boot, zero after scrubbing. NULL: none. */
struct frame *frames_alloc(unsigned int order, unsigned int addr_bits);
/* Returns them. They must already be scrubbed and unreferenced. */
void frames_free(struct frame *f, unsigned int order);
/* Frames on the free lists. */
u64 page_alloc_free_frames(void);
/* All frames ever added to the heap. */
u64 page_alloc_total_frames(void);

/* --- hypervisor's own memory (mm/xmalloc.c) --- */

/* Zeroed bytes, 16-aligned; page-aligned when size >= PAGE_SIZE. NULL: out of memory. */
void *xzalloc(size_t size);
void xfree(void *p); /* NULL is allowed */
#define xzalloc_obj(T) ((T *)xzalloc(sizeof(T)))
#define xzalloc_array(T, n) ((T *)xzalloc(sizeof(T) * (n)))
/* 2^@order zeroed pages, owner DOMID_XEN. NULL: out of memory. */
void *xen_pages_alloc(unsigned int order);
void xen_pages_free(void *va, unsigned int order);

/* --- machine to physical --- */

#define M2P_INVALID (~0ULL)
/* @mfn holds part of the table itself: dom0 may map it, read-only (DOMID_XEN). */
bool mfn_is_m2p(mfn_t mfn);
extern u64 *m2p_table; /* writable view; guests see it read-only at MACH2PHYS_VIRT_START */
static inline void m2p_set(mfn_t mfn, u64 pfn)
{
	m2p_table[mfn_x(mfn)] = pfn;
	/* what was sent as another page is to be sent as this one */
	frame_note_write(mfn_to_frame(mfn));
}
static inline u64 m2p_get(mfn_t mfn)
{
	return m2p_table[mfn_x(mfn)];
}

/*
 * Boot: takes over the two arrays (already mapped and zeroed by the caller) and marks every frame
 * as DOMID_IO (not RAM); the boot code then marks what is RAM with frame_mark_xen or
 * page_alloc_add. @m2p has @m2p_len bytes, for @nr_frames entries or more: a toolstack maps whole 2
 * MiB of it (XENMEM_machphys_mfn_list), so all of its frames are mfn_is_m2p(), and what no entry
 * lies in is invalid.
 */
void frame_table_init(struct frame *table, u64 *m2p, u64 m2p_len, u64 nr_frames);
/* Boot: [start, end) is RAM in use by the hypervisor itself (image, tables, modules). */
void frame_mark_xen(mfn_t start, mfn_t end);

#endif
