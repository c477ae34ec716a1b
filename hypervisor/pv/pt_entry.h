/* SPDX-License-Identifier: MIT */
/*
 * pt_entry.h - one page-table entry: the rules of security.md D3, and the references it holds.
 */
#ifndef HV_PV_PT_ENTRY_H
#define HV_PV_PT_ENTRY_H

#include "domain/domain.h"
#include "x86/layout.h"

/* On whose behalf an entry is taken. */
struct pt_subject {
	struct domain *pt_owner; /* owner of the table */
	/*
	 * Not its owner's own frames: @frame_owner's; or with is_of_hypervisor (DOMID_XEN) a
	 * level-1 entry may name the M2P, nothing else.
	 */
	bool is_foreign, is_of_hypervisor;
	struct domain *frame_owner; /* whose frames a level-1 entry may name */
};

/* True for slots of a level-4 table that belong to the guest. */
static inline bool pt_slot_is_guest(unsigned int level, unsigned int idx)
{
	return level != 4 || idx < HV_L4_FIRST || idx > HV_L4_LAST;
}

/*
 * Rewrites a guest's present entry into what the hardware gets: US forced, kernel marker, no G on
 * kernel pages, UC for device memory. Non-present entries come back unchanged. @level: 1..4.
 */
u64 pt_entry_adjust(u64 entry, unsigned int level);

/* True: a present @entry of @level holds no reserved bit, and no address this CPU has not (C17). */
bool pt_entry_bits_ok(u64 entry, unsigned int level);

/*
 * False: an @entry that is not present names memory, on a CPU that reads it from its cache all the
 * same (L1TF). Linux inverts the address in such entries there.
 */
bool pt_entry_absent_ok(u64 entry);
/* The same of all entries of the @table. */
bool pt_table_absent_ok(const u64 *table);

/*
 * Takes the references entry @*entry of @level holds (already adjusted; MMIO may change its cache
 * bits). 0; -EINVAL reserved bits, a bad frame, or (level > 1) one of another type; -EPERM not the
 * subject's; -EBUSY (level 1) writable, and the frame is in use as another type; -ERESTART (only
 * level > 1). PT_ENTRY_FOREIGN: taken, and for another domain's frame, writable: the table is
 * FT_FOREIGN. Only with is_foreign.
 */
#define PT_ENTRY_FOREIGN 1
int must_check pt_entry_get(u64 *entry, unsigned int level, const struct pt_subject *s);
/*
 * Drops them; @table: where @entry was, or was to be. Level > 1 may leave deferred work on current.
 */
void pt_entry_put(u64 entry, unsigned int level, const struct frame *table);

#endif
