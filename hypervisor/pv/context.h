/* SPDX-License-Identifier: MIT */
/* context.h - which page tables and segment bases are on the CPU. */
#ifndef HV_PV_CONTEXT_H
#define HV_PV_CONTEXT_H

#include "domain/domain.h"

/*
 * What a CPU loads for the guest's level-4 table @l4 of a live domain: the table, or in log-dirty
 * mode its shadow. Hypervisor lock.
 */
u64 pv_cr3_of(struct frame *l4);
/* Loads the tables of @v's present mode, dropping every translation, global ones too. */
void pv_load_cr3_flush(struct vcpu *v);
/*
 * Between guest kernel and guest user: swaps CR3 and the GS bases of current. The target must
 * exist.
 */
void pv_toggle_mode(struct vcpu *v);

/* CR4 bits a guest may set; in pv_vcpu.ctrlreg[4] no others are. Some of them the CPU then has. */
u64 pv_cr4_guest_bits(void);
/* The guest's own bits of CR4, into the CPU's. */
void pv_cr4_load(const struct vcpu *v);
/* TSC_AUX of current = @val, of 32 bits. False: this CPU has no such register. */
bool pv_tsc_aux_set(struct vcpu *v, u64 val);

/* --- debugreg.c --- */
void pv_debug_init(struct pv_vcpu *pv);
/* Into the CPU, when the guest has armed a breakpoint; and off again. */
void pv_debug_load(const struct pv_vcpu *pv);
void pv_debug_unload(const struct pv_vcpu *pv);
/* A #DB of the guest that runs: what the CPU says of it becomes its own. */
void pv_debug_trap(struct pv_vcpu *pv);

/*
 * What FS and GS may begin at: what a program writes there itself, by WRFSBASE, which asks for
 * nothing but a canonical address. Less, and a kernel could not give a program back what it had, or
 * be restored where one had it. Nobody reaches the hypervisor's hole by it: ring 3 may not touch
 * what is there.
 */
bool pv_segment_base_ok(u64 base);
/*
 * @msr: MSR_FS_BASE, MSR_GS_BASE or MSR_SHADOW_GS_BASE of current = @base (any). 0, -EINVAL: as
 * above.
 */
int pv_set_segment_base(u32 msr, u64 base);
/*
 * Loads @sel as the user's GS selector (its base follows from the descriptor tables), leaving the
 * kernel's base alone. 0.
 */
int pv_set_user_gs_selector(u16 sel);

#endif
