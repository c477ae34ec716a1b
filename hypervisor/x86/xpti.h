/* SPDX-License-Identifier: MIT */
/*
 * xpti.h - where Meltdown needs it, each CPU's guest runs on level-4 tables of that CPU: the
 * guest's own slots copied, and of the hypervisor's only the code and data that an entry touches
 * before entry.S has changed tables.
 */
#ifndef HV_X86_XPTI_H
#define HV_X86_XPTI_H

#include "lib/types.h"

/* Fixed after boot. */
extern bool xpti_is_on;

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

/*
 * Before a return to a guest: it will run on this CPU's copy of the tables that are loaded, as they
 * are.
 */
void xpti_before_guest(void);

/*
 * A guest's page fault at @va (any) is the copy's age, because the tables that are loaded say
 * something else of it: the guest is to try again, with the copy that xpti_before_guest() then
 * makes. What else has changed, or for whom, does not count: another guest that changes its tables
 * all the time would keep this one from its own faults.
 */
bool xpti_fault_is_stale(u64 va);

#endif
