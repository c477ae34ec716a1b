/* SPDX-License-Identifier: MIT */
/* guest_access.h - guest memory by address, through the page tables that are loaded. */
#ifndef HV_X86_GUEST_ACCESS_H
#define HV_X86_GUEST_ACCESS_H

#include "lib/nospec.h"
#include "lib/types.h"
#include "x86/layout.h"

/* Counted from the end of the hypervisor's hole, round 2^64, what guests have is one range. */
#define GUEST_VA_SIZE ((1ULL << 47) - HV_HOLE_END)

/* C51: @va (any) is canonical, and not in the hypervisor's hole. */
static inline bool guest_address_ok(u64 va)
{
	return va - HV_HOLE_END < GUEST_VA_SIZE;
}

/*
 * @va where that is so, else another address of which it is; by
 * arithmetic, so that no path that the CPU takes by mistake loads from what is the hypervisor's
 * (lib/nospec.h).
 */
static inline u64 guest_address_nospec(u64 va)
{
	return index_nospec(va - HV_HOLE_END, GUEST_VA_SIZE) + HV_HOLE_END;
}

/*
 * True when [va, va+n*size) is canonical, does not overflow, and stays outside the hypervisor's
 * hole.
 */
bool guest_range_ok(u64 va, u64 n, u64 size);
/* Fault-safe copies; 0 or -EFAULT (range or fault; a partial copy may have happened). */
int must_check copy_from_guest(void *dst, u64 va, size_t len);
int must_check copy_to_guest(u64 va, const void *src, size_t len);
int must_check clear_guest(u64 va, size_t len);
/* Typed: @handle is an XEN_GUEST_HANDLE, element @idx. */
#define handle_va(h) ((u64)(uintptr_t)(h).p)
#define copy_elem_from_handle(dst, h, idx)                                                         \
	copy_from_guest((dst), handle_va(h) + (u64)(idx) * sizeof(*(h).p), sizeof(*(h).p))
#define copy_elem_to_handle(h, idx, src)                                                           \
	copy_to_guest(handle_va(h) + (u64)(idx) * sizeof(*(h).p), (src), sizeof(*(h).p))

#endif
