/* SPDX-License-Identifier: MIT */
/* context.h - which page tables and segment bases are on the CPU. */
#ifndef HV_PV_CONTEXT_H
#define HV_PV_CONTEXT_H

#include "domain/domain.h"

/* Loads the tables of @v's present mode, dropping every translation, global ones too. */
void pv_load_cr3_flush(struct vcpu *v);
/* Between guest kernel and guest user: swaps CR3 and the GS bases of current. The target must exist. */
void pv_toggle_mode(struct vcpu *v);

/* Loads @sel as the user's GS selector (its base follows from the descriptor tables), leaving the kernel's base alone. 0. */
int pv_set_user_gs_selector(u16 sel);

#endif
