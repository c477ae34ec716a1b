/* SPDX-License-Identifier: MIT */
#include "claim.h"

static void leaf(u32 nr, u32 r[4])
{
	/* the forced-emulation prefix of xen/arch-x86/xen.h */
	__asm__ volatile("ud2a; .ascii \"xen\"; cpuid"
			 : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3])
			 : "0"(nr), "2"(0));
}

GUEST_TEST(cpuid,
	   "the prefixed CPUID names the hypervisor and hides what a guest may not use", ALSO_DOM0)
{
	u32 r[4];

	leaf(0x40000000, r);
	check(r[0] >= 0x40000002);
	check(memcmp(&r[1], "XenVMMXenVMM", 12) == 0);
	leaf(0x40000001, r);
	check_is(r[0] >> 16, hc_version(XENVER_version, NULL) >> 16);
	leaf(1, r);
	check(r[2] >> 31);		/* a hypervisor is there */
	check(!(r[2] & 1u << 5));	/* VMX */
	check(!(r[3] & 1u << 3));	/* PSE: no large pages */
	check(r[3] & 1u << 6);		/* PAE */
	/* a kernel sees OSXSAVE with XSAVE, before it has set CR4: Linux asks then */
	check_is(r[2] >> 27 & 1, r[2] >> 26 & 1);
	leaf(0x80000001, r);
	check(!(r[2] & 1u << 2));	/* SVM */
	check(r[3] & 1u << 29);		/* long mode */
}
