/* SPDX-License-Identifier: MIT */
/*
 * xpti.h - where Meltdown needs it, each CPU's guest runs on level-4 tables of that CPU: the
 * guest's own slots copied, and of the hypervisor's only the code and data that an entry touches
 * before entry.S has changed tables.
 */
#ifndef HV_X86_XPTI_H
#define HV_X86_XPTI_H

#include "lib/types.h"
#include "x86/percpu.h"

/* Fixed after boot. */
extern bool xpti_is_on;
/* The time of a copy: counts changes. Written under the hypervisor lock, read without. */
extern u64 xpti_l4_changes;

/* Boot CPU, after pagetable_init(): @on as planned. */
void xpti_init(bool on);
/* @cpu's tables. False: no memory, or none for what is below them; that CPU does not start. */
bool xpti_cpu_init(unsigned int cpu);

/*
 * An entry of a level-4 table, or which page is one, has changed: copies are stale. Hypervisor
 * lock. CPUs that run guests take a new copy on their next way out: one that could not wait for it
 * asks xpti_fault_is_stale() at its fault.
 */
void xpti_l4_changed(void);

/* For the next: guest_cr3 is none, or one of before. */
void xpti_copy_load(void);

/*
 * Before a return to a guest: it will run on this CPU's copy of the tables that are loaded, as they
 * are. Whoever has waited for the hypervisor lock since has answered flushes that this look did not
 * see, and passes it again: an IRET that faulted, too (entry/traps.c).
 */
static inline void xpti_before_guest(void)
{
	const struct cpu_info *c = this_cpu();

	if (unlikely(c->copied_cr3 != c->hv_cr3 ||
		     c->copied_changes != __atomic_load_n(&xpti_l4_changes, __ATOMIC_SEQ_CST)))
		xpti_copy_load();
}

/*
 * A guest's page fault at @va (any) is the copy's age, because the tables that are loaded say
 * something else of it: the guest is to try again, with the copy that xpti_before_guest() then
 * makes. What else has changed, or for whom, does not count: another guest that changes its tables
 * all the time would keep this one from its own faults.
 */
bool xpti_fault_is_stale(u64 va);

#endif
