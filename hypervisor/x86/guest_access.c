/* SPDX-License-Identifier: MIT */
/*
 * guest_access.c - copies between the hypervisor and guest virtual addresses, through the page
 * tables that are loaded. The range check keeps guests out of the hypervisor's hole; the page
 * tables and CR0.WP do the rest, faults end in -EFAULT by the exception table. D10 in security.md.
 */
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "x86/layout.h"

/* entry.S */
int guest_copy(void *dst, const void *src, size_t words, size_t tail);
int guest_zero(void *dst, size_t words, size_t tail);

/* Largest single copy: no object of the ABI comes near. */
#define COPY_MAX (1ULL << 30)

static inline bool range_ok(u64 va, u64 len)
{
	u64 end = va + len; /* exclusive */

	if (unlikely(len > COPY_MAX || end < va))
		return false;
	/* Lower half without the last non-canonical step, or wholly above the hole. */
	return end <= 1ULL << 47 || va >= HV_HOLE_END;
}

bool guest_range_ok(u64 va, u64 n, u64 size)
{
	u64 len;

	return !__builtin_mul_overflow(n, size, &len) && range_ok(va, len);
}

int copy_from_guest(void *dst, u64 va, size_t len)
{
	if (unlikely(!range_ok(va, len)))
		return -EFAULT;
	return unlikely(guest_copy(dst, (const void *)va, len / 8, len & 7)) ? -EFAULT : 0;
}

int copy_to_guest(u64 va, const void *src, size_t len)
{
	if (unlikely(!range_ok(va, len)))
		return -EFAULT;
	return unlikely(guest_copy((void *)va, src, len / 8, len & 7)) ? -EFAULT : 0;
}

int clear_guest(u64 va, size_t len)
{
	if (unlikely(!range_ok(va, len)))
		return -EFAULT;
	return unlikely(guest_zero((void *)va, len / 8, len & 7)) ? -EFAULT : 0;
}
