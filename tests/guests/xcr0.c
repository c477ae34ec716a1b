/* SPDX-License-Identifier: MIT */
#include "claim.h"

#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_1_ECX_AVX (1u << 28)
#define CR4_OSXSAVE (1UL << 18)

static volatile bool done;

static void xsetbv(void *value)
{
	__asm__ volatile("xsetbv" ::"c"(0), "a"((u32)(u64)value), "d"(0));
}

/* Whether XCR0 takes it; else it was this guest's own #GP. */
static bool try(u64 value)
{
	struct fault f = guard_run(xsetbv, (void *)value);

	if (f.happened)
		check_is(f.vector, TRAP_GP);
	return !f.happened;
}

static bool has_avx(void)
{
	u32 a = 1, b, c, d;

	__asm__ volatile("ud2a; .ascii \"xen\"; cpuid" : "+a"(a), "=b"(b), "=c"(c), "=d"(d) :
			 "2"(0));
	return (c & (CPUID_1_ECX_XSAVE | CPUID_1_ECX_AVX)) == (CPUID_1_ECX_XSAVE | CPUID_1_ECX_AVX);
}

static void xsave_on(void)
{
	u64 cr4;

	__asm__ volatile("mov %%cr4, %0" : "=r"(cr4));
	__asm__ volatile("mov %0, %%cr4" ::"r"(cr4 | CR4_OSXSAVE));
}

static void ymm_fill(void)
{
	__asm__ volatile("vpcmpeqd %%ymm5, %%ymm5, %%ymm5" ::: "memory");
}

/* The low word of one half of YMM5. */
static u64 ymm(unsigned int half)
{
	u64 value;

	if (half)
		__asm__ volatile("vextracti128 $1, %%ymm5, %%xmm6; vmovq %%xmm6, %0" : "=r"(value));
	else
		__asm__ volatile("movq %%xmm5, %0" : "=r"(value));
	return value;
}

static void other(void *arg)
{
	xsave_on();
	xsetbv((void *)7);
	ymm_fill();
	done = true;
}

static void other_fills(void)
{
	done = false;
	need(vcpu_run(1, other, NULL));
	while (!done)
		sleep_ns(NS_PER_MS);
	sleep_ns(10 * NS_PER_MS); /* until it is off the CPU again */
}

GUEST_TEST(xcr0, "XCR0 as small as it likes: no fault of the host, nothing of another vcpu's", 0)
{
	if (!has_avx())
		test_skip("no AVX");
	xsave_on();
	check(!try(0));
	check(!try(2));
	check(!try(5));
	check(!try(1UL << 31));
	/* with the feature it used turned off, its state goes and comes */
	check(try(7));
	ymm_fill();
	sleep_ns(10 * NS_PER_MS);
	check(try(3));
	check_is(ymm(0), -1);
	sleep_ns(10 * NS_PER_MS);
	check(try(7));
	check_is(ymm(1), -1);
	/* its own zeroes stay zeroes, under any XCR0, when another vcpu had the registers */
	__asm__ volatile("vzeroall" ::: "memory");
	check(try(1));
	other_fills();
	check_is(ymm(0), 0);
	check(try(7));
	check_is(ymm(1), 0);
}
