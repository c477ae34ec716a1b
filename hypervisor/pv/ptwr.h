/* SPDX-License-Identifier: MIT */
/* ptwr.h - trapped stores to page tables. */
#ifndef HV_PV_PTWR_H
#define HV_PV_PTWR_H

#include "domain/domain.h"

/*
 * A write fault of current's kernel at @va, which maps a page read-only. True: it was a store to
 * one of the domain's level-1 tables, the entry was checked and changed, and @regs is past the
 * instruction; or it was preempted, and @regs runs it again. Takes the lock. False: the guest gets
 * its page fault.
 */
bool pv_ptwr_fault(struct cpu_user_regs *regs, u64 va);

#endif
