/* SPDX-License-Identifier: MIT */
/*
 * mmu_grant.c - writes and clears the page-table entry of a grant mapping in current's tables. The
 * references of the mapped frame belong to the grant's active entry; the entry carries PTE_GRANT,
 * and takes and drops none (D8: one place).
 */
#include "lib/errno.h"
#include "mm/frame.h"
#include "pv/logdirty.h"
#include "pv/mmu.h"
#include "pv/ptval.h"
#include "pv/pv.h"
#include "x86/layout.h"
#include "x86/pte.h"

#include <xen/grant_table.h>

#define AVL_LOW_SHIFT 9
#define GUEST_AVAIL_LOW 7u

/*
 * The level-1 entry named by @host_addr, about to change; its table held with a general and an L1
 * type reference.
 */
static int slot_get(u64 host_addr, u32 gnt_flags, struct frame **table, u64 **slot)
{
	struct frame *f;
	u64 idx;
	int rc;

	/* C34: only a live level-1 table; never turn a plain page into one by a grant */
	if (gnt_flags & GNTMAP_contains_pte) {
		if ((host_addr & 7) || !mfn_is_ram(maddr_to_mfn(host_addr)))
			return -EINVAL;
		f = mfn_to_frame(maddr_to_mfn(host_addr));
		idx = (host_addr & PAGE_OFFSET_MASK) / 8;
		rc = frame_hold_table(f, current->domain, 1);
	} else {
		idx = pt_index(host_addr, 1);
		rc = pv_l1_hold(host_addr, &f);
	}
	if (rc)
		return rc;
	if (unlikely(f->type & FT_LOGGED))
		logdirty_entry_changes(f, (unsigned int)idx);
	*table = f;
	*slot = (u64 *)mfn_to_virt(frame_to_mfn(f)) + idx;
	return 0;
}

int pv_grant_map_pte(u64 host_addr, u32 gnt_flags, mfn_t frame)
{
	u64 *slot, old, entry = pte_make(frame, PTE_P | PTE_A | PTE_D | PTE_GRANT);
	struct frame *table;
	int rc = slot_get(host_addr, gnt_flags, &table, &slot);

	if (rc)
		return rc;
	entry |= (u64)((gnt_flags >> _GNTMAP_guest_avail0) & GUEST_AVAIL_LOW) << AVL_LOW_SHIFT;
	if (!(gnt_flags & GNTMAP_readonly))
		entry |= PTE_RW;
	if (gnt_flags & GNTMAP_application_map)
		entry |= PTE_US;
	old = *slot;
	WRITE_ONCE(*slot, pt_entry_adjust(entry, 1));
	pt_entry_put(old, 1, table);
	frame_put_and_type(table);
	return 0;
}

static bool is_mapping_of(u64 entry, u32 gnt_flags, mfn_t frame)
{
	return (entry & (PTE_P | PTE_GRANT)) == (PTE_P | PTE_GRANT) &&
	       mfn_eq(pte_mfn(entry), frame) &&
	       !(entry & PTE_RW) == !!(gnt_flags & GNTMAP_readonly);
}

/*
 * Takes the entry that maps @va out of its place (unmap_and_replace): its references move with it,
 * and what is known of its table. Not from @to, of @to_table, where it goes: the mapping to be
 * undone would stay.
 */
static int entry_take(u64 va, struct frame *to_table, const u64 *to, u64 *entry)
{
	struct frame *table;
	u64 *slot;
	int rc = slot_get(va, 0, &table, &slot);

	if (rc)
		return rc;
	if (slot == to) {
		rc = -EINVAL;
	} else {
		*entry = *slot;
		WRITE_ONCE(*slot, 0);
		to_table->type |= table->type & FT_FOREIGN;
	}
	frame_put_and_type(table);
	return rc;
}

int pv_grant_unmap_pte(u64 host_addr, u64 new_addr, u32 gnt_flags, mfn_t frame)
{
	struct frame *table;
	u64 *slot, entry = 0;
	int rc = slot_get(host_addr, gnt_flags, &table, &slot);

	if (rc)
		return rc;
	if (!is_mapping_of(*slot, gnt_flags, frame))
		rc = -EINVAL;
	else if (new_addr)
		rc = entry_take(new_addr, table, slot, &entry);
	if (!rc)
		WRITE_ONCE(*slot, entry);
	frame_put_and_type(table);
	return rc;
}
