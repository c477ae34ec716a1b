/* SPDX-License-Identifier: MIT */
/* context.h - which page tables and segment bases are on the CPU. */
#ifndef HV_PV_CONTEXT_H
#define HV_PV_CONTEXT_H

#include "domain/domain.h"

/* Loads the tables of @v's present mode, dropping every translation, global ones too. */
void pv_load_cr3_flush(struct vcpu *v);
/* Between guest kernel and guest user: swaps CR3 and the GS bases of current. The target must exist. */
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

/* Loads @sel as the user's GS selector (its base follows from the descriptor tables), leaving the kernel's base alone. 0. */
int pv_set_user_gs_selector(u16 sel);

#endif
