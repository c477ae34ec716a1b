/* SPDX-License-Identifier: MIT */
/*
 * stack_guard.c - see stack_guard.h. The two symbols are the compiler's; the second one is also
 * called by Debian's decompression libraries, whose value is boot/libc_shim.c's.
 */
#include "x86/stack_guard.h"

#include "lib/log.h"
#include "x86/asm.h"

#define CPUID_1_ECX_RDRAND (1u << 30)
#define RDRAND_TRIES 10 /* Intel SDM vol. 1, chapter 7.3.17 */
/* Odd, its bits in no pattern: the TSC's low bits reach the high ones. */
#define SPREAD 0x9e3779b97f4a7c15UL

extern u64 __stack_chk_guard;
u64 __stack_chk_guard = SPREAD; /* until the boot CPU's stack_guard_init() */
void __stack_chk_fail(void) __attribute__((noreturn));

void __stack_chk_fail(void)
{
	hv_panic("the stack was overwritten below %p", __builtin_return_address(0));
}

/* 0: this CPU has no such instruction, or it does not answer. */
static u64 random_value(void)
{
	u32 a, b, c, d;
	u64 value;

	cpuid(1, 0, &a, &b, &c, &d);
	for (int i = 0; c & CPUID_1_ECX_RDRAND && i < RDRAND_TRIES; i++)
		if (rdrand(&value))
			return value;
	return 0;
}

__attribute__((no_stack_protector)) void stack_guard_init(void)
{
	/* a zero byte, which ends a string: what runs over by one stops there */
	__stack_chk_guard = (random_value() ^ rdtsc() * SPREAD) & ~0xffUL;
}
