/* SPDX-License-Identifier: MIT */
/* desc.h - the descriptor tables of each CPU (desc.c). */
#ifndef HV_X86_DESC_H
#define HV_X86_DESC_H

#include "lib/types.h"

/* Every CPU, at boot: needs struct cpu_info's hv_cr3. */
void desc_init(void);
/* Loads GDTR for the window at @gdt_va and the TSS; called at vcpu switch-in. */
void desc_load_gdt(unsigned long gdt_va);
void desc_load_ldt(unsigned long ldt_va, u32 nr_entries); /* 0 entries: none */
/* Machine frame of CPU @cpu's GDT page (index 14 of the window of the vcpu it runs). */
mfn_t desc_hv_gdt_mfn(unsigned int cpu);
/* Back to the CPU's own page, without LDT: before the tables that map a window are left. */
void desc_load_own(void);
/* @page, zeroed, of the heap, is @cpu's descriptor table. */
void desc_give_page(unsigned int cpu, void *page);
/*
 * Calls @map(@l4, address, bytes) for what the CPU reads by itself when a guest is interrupted.
 * False: one of them was.
 */
bool desc_map_entry(unsigned int cpu, u64 *l4, bool (*map)(u64 *l4, unsigned long va, size_t len));

#endif
