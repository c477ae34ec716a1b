/* SPDX-License-Identifier: MIT */
/*
 * guest_access.c - copies between the hypervisor and guest virtual addresses, through the page
 * tables that are loaded. The range check keeps guests out of the hypervisor's hole; the page
 * tables and CR0.WP do the rest, faults end in -EFAULT by the exception table. D10 in security.md.
 */
#include "x86/guest_access.h"

#include "lib/errno.h"
#include "x86/layout.h"

/* copy.S: 0 or -EFAULT */
int guest_copy(void *dst, const void *src, size_t len);
int guest_zero(void *dst, size_t len);

/* Lower half without the last non-canonical step. */
#define LOW_END (1ULL << 47)

/* Where a guest's kernel keeps its arguments is asked first. No range goes round the end. */
static inline bool range_ok(u64 va, u64 len)
{
	if (likely(va >= HV_HOLE_END))
		return len < -va;
	return len <= LOW_END && va <= LOW_END - len;
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
	return guest_copy(dst, (const void *)guest_address_nospec(va), len);
}

int copy_to_guest(u64 va, const void *src, size_t len)
{
	if (unlikely(!range_ok(va, len)))
		return -EFAULT;
	return guest_copy((void *)guest_address_nospec(va), src, len);
}

int clear_guest(u64 va, size_t len)
{
	if (unlikely(!range_ok(va, len)))
		return -EFAULT;
	return guest_zero((void *)guest_address_nospec(va), len);
}
