/* SPDX-License-Identifier: MIT */
/*
 * tlb_space.h - what x86/tlb.c has to know of a domain: which frames a TLB can hold by its page
 * tables. A domain has one, and a CPU names that of the domain whose tables it has loaded.
 */
#ifndef HV_X86_TLB_SPACE_H
#define HV_X86_TLB_SPACE_H

#include "lib/types.h"

/* Times of the TLB clock. Hypervisor lock. */
struct tlb_space {
	/* when its domain last lost a frame: one that may be somebody else's by now */
	u64 released;
	u64 foreign;  /* when an entry of its tables last let go of a frame of another domain */
};

#endif
