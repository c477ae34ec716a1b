/* SPDX-License-Identifier: MIT */
/* pv_vcpu.h - the paravirtual part of a domain and a vcpu: what its CPU and MMU look like. */
#ifndef HV_DOMAIN_PV_VCPU_H
#define HV_DOMAIN_PV_VCPU_H

#include "lib/types.h"
#include "mm/frame.h"

#include <xen/xen.h>

#include "x86/cpu_bits.h"

struct frame;
struct log_dirty;

#define PV_NR_VECTORS 256

struct pv_trap {
	u64 address; /* 0: not set */
	u16 cs;
	u8 dpl;
	bool masks_events; /* TI_GET_IF */
};

struct pv_vcpu {
	/* CR3: frames hold one ref and one L4 typeref each (D2 I10) */
	struct frame *cr3_kernel; /* NULL only before the first context */
	struct frame *cr3_user;   /* NULL: none */
	bool in_kernel;           /* which of the two is loaded */
	u64 kernel_cr3, user_cr3; /* what the CPU loads for them (pv/context.h); 0: none */
	/*
	 * Faults of that many addresses from HV_HOLE_END on are the guest's own: all it has, or 0
	 * in log-dirty mode.
	 */
	u64 fault_range;

	u64 kernel_sp, kernel_ss; /* HYPERVISOR_stack_switch */
	u64 event_cb, failsafe_cb, syscall_cb, syscall32_cb, sysenter_cb, nmi_cb;
	bool failsafe_masks_events, syscall_masks_events;
	bool syscall32_masks_events, sysenter_masks_events;
	struct pv_trap trap[PV_NR_VECTORS];

	u64 fs_base, gs_base_kernel, gs_base_user; /* valid while not running; see pv/context.c */
	u16 ds, es, fs, gs;
	u64 ctrlreg[8]; /* guest's cr0 (TS, ...), cr2 in arch vcpu_info, cr4 */
	u64 debugreg[8];
	u32 iopl;
	bool nmi_pending, nmi_masked;

	u32 nr_gdt_entries; /* frames ceil(n/512), each with a SEG typeref */
	struct frame *gdt_frame[14];
	u64 ldt_base;
	u32 nr_ldt_entries;
	struct frame *ldt_frame[16]; /* mapped on demand; SEG typeref; NULL: not yet */
	u64 *window_l1; /* L1 entries of this vcpu's GDT+LDT window (32 entries) */
	u32 window_cpu; /* whose page of descriptors is in it */

	/*
	 * D5: partially devalidated frames, each with a reference, to be finished first; one a
	 * level
	 */
	struct frame *deferred[4];
	unsigned int nr_deferred;
	u64 xcr0, xcr0_ever; /* now; all that was ever enabled */
	u64 tsc_aux;
	u32 spec_ctrl; /* the guest's MSR, see x86/spec_ctrl.c */
};

struct pv_domain {
	u64 *perdomain_l3, *perdomain_l2; /* pages below L4 slot 260, pv/perdomain.c */
	int teardown_sweep; /* of pv_domain_relinquish: 0 unpin, 1 release, 2 done */
	struct log_dirty *log; /* NULL: not in log-dirty mode (pv/logdirty.h) */
};

#endif
