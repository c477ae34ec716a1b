/* SPDX-License-Identifier: MIT */
#include "claim.h"

static u64 read_fs(void)
{
	u64 value;

	__asm__ volatile("mov %%fs:0, %0" : "=r"(value));
	return value;
}

static u64 read_gs(void)
{
	u64 value;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(value));
	return value;
}

GUEST_TEST(segment_base, "segment bases are set, and refused when not canonical", ALSO_DOM0)
{
	static u64 a = 0xa, b = 0xb;

	check_is(hypercall(set_segment_base, SEGBASE_FS, &a), 0);
	check_is(read_fs(), 0xa);
	check_is(hypercall(set_segment_base, SEGBASE_GS_KERNEL, &b), 0);
	check_is(read_gs(), 0xb);
	check_is(hypercall(set_segment_base, SEGBASE_GS_USER, &a), 0);
	check_is(read_gs(), 0xb);
	check_is(hypercall(set_segment_base, SEGBASE_GS_USER_SEL, 0), 0);
	for (unsigned int which = SEGBASE_FS; which <= SEGBASE_GS_KERNEL; which++)
		check_is(hypercall(set_segment_base, which, 0x0000800000000000UL), -EINVAL);
	/* what a program can write itself, its kernel can put back */
	check_is(hypercall(set_segment_base, SEGBASE_GS_USER, 0xffff800000000000UL), 0);
	check_is(hypercall(set_segment_base, 9, 0), -EINVAL);
	check_is(hypercall(set_segment_base, SEGBASE_FS, 0), 0);
	check_is(hypercall(set_segment_base, SEGBASE_GS_USER, 0), 0);
	check_is(hypercall(set_segment_base, SEGBASE_GS_KERNEL, 0), 0);
}
