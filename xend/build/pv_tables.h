/* SPDX-License-Identifier: MIT */
/*
 * pv_tables.h - a guest's page tables outside of a machine: entries that name pfns.
 *
 * Pure: no hypercalls. A page is 512 entries; only present ones name a frame.
 */
#ifndef XEND_PV_TABLES_H
#define XEND_PV_TABLES_H

#include <stdint.h>

#define PV_TABLE_ENTRIES 512u
#define PV_NO_FRAME UINT64_MAX

/* The frame that @entry names; PV_NO_FRAME when it is not present. */
uint64_t pv_entry_frame(uint64_t entry);

/*
 * Replaces what each entry of the level-@level page @in names by what @map says of it, into @out
 * (may be @in). The hypervisor's own slots of level 4 become 0. 0; -ENOENT: @map said PV_NO_FRAME
 * of the frame *@unknown.
 */
int pv_table_translate(const uint64_t *in, uint64_t *out, unsigned int level,
		       uint64_t (*map)(void *arg, uint64_t frame), void *arg, uint64_t *unknown);

#endif
