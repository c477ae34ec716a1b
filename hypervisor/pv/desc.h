/* SPDX-License-Identifier: MIT */
/*
 * desc.h - guest descriptor tables (security.md D7): GDT frames, the LDT on demand, single updates.
 */
#ifndef HV_PV_DESC_H
#define HV_PV_DESC_H

#include "domain/domain.h"

/* Checks every descriptor of a page, raising DPL to the guest's ring. 0; -EINVAL. */
int pv_desc_validate_frame(void *page);
/*
 * Installs a GDT of @nr_entries in frames @mfn[]. Takes SEG references; drops the old. 0; -EINVAL:
 * too many, or a frame that is not the domain's, not RAM, of another type, or holds what no guest
 * may have.
 */
int pv_gdt_set(struct vcpu *v, const u64 *mfn, u32 nr_entries);
void pv_gdt_clear(struct vcpu *v);
/* Names the LDT by guest virtual address; frames are mapped on first use. 0, -EINVAL. */
int pv_ldt_set(struct vcpu *v, u64 va, u32 nr_entries);
void pv_ldt_clear(struct vcpu *v);
/* A fault at @offset bytes into current's LDT: maps that frame. False: the guest's own fault. */
bool pv_ldt_map(u64 offset);

/* --- perdomain.c --- */
int pv_perdomain_init(struct domain *d);  /* -ENOMEM */
void pv_perdomain_fini(struct domain *d);
/* Sets v->pv.window_l1, building the tables it lies in. -ENOMEM. */
int pv_window_init(struct vcpu *v);
/* Puts this CPU's page of descriptors into the window; before its tables are loaded and flushed. */
void pv_window_enter_cpu(struct vcpu *v);

#endif
