/* SPDX-License-Identifier: MIT */
/* guest.h - building page tables by hand for the tests of pv/. */
#ifndef TESTS_UNIT_HYPERVISOR_PV_GUEST_H
#define TESTS_UNIT_HYPERVISOR_PV_GUEST_H

#include "domain/memory.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "machine.h"
#include "pv/context.h"
#include "pv/mmu.h"
#include "pv/ptval.h"
#include "pv/pv.h"
#include "x86/layout.h"
#include "x86/pte.h"

#define RW (PTE_P | PTE_RW | PTE_US)
#define RO (PTE_P | PTE_US)

static inline u64 *table_of(struct frame *f)
{
	return mfn_to_virt(frame_to_mfn(f));
}

static inline u64 maddr_of(struct frame *f, unsigned int idx)
{
	return mfn_to_maddr(frame_to_mfn(f)) + idx * 8;
}

static inline u64 entry_to(struct frame *f, u64 flags)
{
	return pte_make(frame_to_mfn(f), flags);
}

/* A new frame of domain @d; the allocation must not leave anybody a translation to it. */
static inline struct frame *frame_new(unsigned int d)
{
	struct frame *f;

	if (domain_frames_alloc(&fake_domain[d], 0, 0, &f))
		return NULL;
	if (tlb_has(frame_to_mfn(f), false))
		hv_panic("frame %lu was given out with a live translation", (unsigned long)mfn_x(frame_to_mfn(f)));
	return f;
}

/* L4 -> L3 -> L2 -> L1, each with one entry at index 0. */
struct tree {
	struct frame *l4, *l3, *l2, *l1;
};

static inline struct tree tree_new(unsigned int d)
{
	struct tree t = { frame_new(d), frame_new(d), frame_new(d), frame_new(d) };

	table_of(t.l4)[0] = entry_to(t.l3, RW);
	table_of(t.l3)[0] = entry_to(t.l2, RW);
	table_of(t.l2)[0] = entry_to(t.l1, RW);
	return t;
}

static inline long update(u64 ptr, u64 val, u32 foreign)
{
	struct mmu_update req = { ptr, val };

	return call(hc_mmu_update, (u64)(uintptr_t)&req, 1, 0, foreign);
}

static inline long mmuext_foreign(unsigned int cmd, struct frame *f, u32 foreign)
{
	struct mmuext_op op = { .cmd = cmd };

	op.arg1.mfn = f ? mfn_x(frame_to_mfn(f)) : 0;
	return call(hc_mmuext_op, (u64)(uintptr_t)&op, 1, 0, foreign);
}

static inline long mmuext(unsigned int cmd, struct frame *f)
{
	return mmuext_foreign(cmd, f, DOMID_SELF);
}

/* Gives current the tree as its kernel tables, as a first context does. */
static inline int install(struct tree *t)
{
	int rc;

	do {
		rc = frame_get_and_type(t->l4, current->domain, FT_L4);
	} while (rc == -ERESTART);
	if (!rc) {
		current->pv.cr3_kernel = t->l4;
		current->pv.kernel_cr3 = pv_cr3_of(t->l4);
		current->pv.in_kernel = true;
	}
	return rc;
}

/*
 * A new guest of one vcpu runs on its own tables @t, its kernel's stack ends at @sp. -1: they are
 * refused.
 */
static inline int run_guest(struct tree *t, u64 *sp)
{
	machine_reset(0, 1);
	machine_run(1);
	*t = tree_new(1);
	if (install(t))
		return -1;
	current->pv.kernel_sp = (u64)(uintptr_t)sp;
	return 0;
}

#endif
