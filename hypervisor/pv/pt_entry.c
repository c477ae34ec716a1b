/* SPDX-License-Identifier: MIT */
/*
 * pt_entry.c - what one page-table entry may contain and which references it holds: the rules of
 * security.md D3. Knows nothing of types beyond asking ptval.c for them.
 */
#include "pv/pt_entry.h"

#include "domain/frame_ref.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "pv/ptval.h"
#include "x86/cpu.h"
#include "x86/ioports.h"
#include "x86/layout.h"
#include "x86/pte.h"
#include "x86/spec_ctrl.h"
#include "x86/tlb.h"

/* Bits a present entry may carry, besides the frame. PS is refused at every level above 1. */
#define ENTRY_ALLOWED \
	(PTE_P | PTE_RW | PTE_US | PTE_A | PTE_D | PTE_AVL_LOW | PTE_AVL_HIGH | PTE_NX)
#define L1_ALLOWED (ENTRY_ALLOWED | PTE_G | PTE_CACHE)

u64 pt_entry_adjust(u64 entry, unsigned int level)
{
	if (!(entry & PTE_P))
		return entry;
	if (level > 1) {
		entry |= PTE_US;
		return level == 4 ? entry | PTE_A : entry;
	}
	if (!(entry & PTE_US))
		return (entry & ~PTE_G) | PTE_US | PTE_GUEST_KERNEL;
	if (!(entry & PTE_GUEST_KERNEL))
		return entry | PTE_G; /* user pages outlive the switch to the kernel's tables */
	return entry & ~PTE_G;
}

bool pt_entry_bits_ok(u64 entry, unsigned int level)
{
	u64 allowed = level == 1 ? L1_ALLOWED : ENTRY_ALLOWED;
	u64 max = 1ULL << cpu_maxphys_bits;

	return !(entry & ~(allowed | PTE_ADDR_MASK)) && (entry & PTE_ADDR_MASK) < max;
}

/* The cache compares so many bits of an address at the least (Intel, "L1 Terminal Fault"). */
#define L1D_ADDRESS_MASK ((1ULL << 44) - 1)

bool pt_entry_absent_ok(u64 entry)
{
	u64 ma = entry & PTE_ADDR_MASK;

	return likely(!spec_plan.l1tf) || entry & PTE_P || !ma ||
	       !mfn_is_ram(maddr_to_mfn(ma & L1D_ADDRESS_MASK));
}

bool pt_table_absent_ok(const u64 *table)
{
	if (likely(!spec_plan.l1tf))
		return true;
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (!pt_entry_absent_ok(table[i]))
			return false;
	return true;
}

/* Device memory: only with the right to it, never cached as RAM. Holds no reference. */
static int l1_get_mmio(u64 *entry, mfn_t mfn, const struct pt_subject *s)
{
	u64 cache = *entry & PTE_CACHE;

	if (!s->pt_owner->is_privileged || mmio_is_hv(mfn))
		return -EPERM;
	/*
	 * UC, UC- and WC (PAT entries 2, 3 and the write-combining one Linux programs) stay; all
	 * else becomes UC
	 */
	if (cache != PTE_PCD && cache != (PTE_PCD | PTE_PWT) && cache != PTE_PAT)
		*entry = (*entry & ~PTE_CACHE) | PTE_PCD | PTE_PWT;
	return 0;
}

/*
 * The machine-to-physical table, for dom0's toolstack to read. Holds no reference: it never goes.
 */
static int l1_get_m2p(u64 entry)
{
	return !(entry & (PTE_RW | PTE_CACHE)) && mfn_is_m2p(pte_mfn(entry)) ? 0 : -EPERM;
}

/* In use as a table or as descriptors: the ABI says "busy" of a mapping, and of nothing else. */
static int l1_get_writable(struct frame *f, const struct domain *owner)
{
	int rc = frame_get_and_type(f, owner, FT_WR);

	return rc == -EINVAL ? -EBUSY : rc;
}

static int l1_get_ram(u64 *entry, const struct pt_subject *s)
{
	struct frame *f = mfn_to_frame(pte_mfn(*entry));

	if (*entry & PTE_CACHE) {
		/* C29: RAM is write-back for everybody; dom0 drivers ask for WC and get WB */
		if (!s->pt_owner->is_privileged)
			return -EINVAL;
		*entry &= ~PTE_CACHE;
	}
	if (*entry & PTE_RW)
		return l1_get_writable(f, s->frame_owner);
	return frame_get(f, s->frame_owner) ? 0 : -EPERM;
}

static int l1_get_foreign(u64 *entry, const struct pt_subject *s)
{
	int rc;

	if (s->is_of_hypervisor)
		return l1_get_m2p(*entry);
	rc = l1_get_ram(entry, s);
	return !rc && *entry & PTE_RW ? PT_ENTRY_FOREIGN : rc;
}

static int l1_get(u64 *entry, const struct pt_subject *s)
{
	mfn_t mfn = pte_mfn(*entry);

	if (!mfn_is_ram(mfn))
		return l1_get_mmio(entry, mfn, s);
	if (unlikely(s->is_foreign))
		return l1_get_foreign(entry, s);
	return l1_get_ram(entry, s);
}

int pt_entry_get(u64 *entry, unsigned int level, const struct pt_subject *s)
{
	mfn_t mfn = pte_mfn(*entry);

	if (!pt_entry_bits_ok(*entry, level))
		return -EINVAL;
	if (level == 1)
		return l1_get(entry, s);
	if (!mfn_is_ram(mfn))
		return -EINVAL;
	return frame_get_and_type(mfn_to_frame(mfn), s->pt_owner, (enum frame_type)(level - 1));
}

void pt_entry_put(u64 entry, unsigned int level, const struct frame *table)
{
	mfn_t mfn = pte_mfn(entry);
	struct frame *f;

	if (!(entry & PTE_P))
		return;
	if (level > 1) {
		frame_put_and_type(mfn_to_frame(mfn));
		return;
	}
	if ((entry & PTE_GRANT) || !mfn_is_ram(mfn))
		return;
	f = mfn_to_frame(mfn);
	/* what an entry holds has an owner: this is the M2P */
	if (f->owner == DOMID_XEN)
		return;
	/* no flush for the sake of the frame's owner would reach who runs on this table */
	if (f->owner != table->owner) {
		tlb_note_foreign(&frame_owner(table)->tlb);
		if (entry & PTE_RW)
			frame_note_write(f); /* until now it may have been */
	}
	if (entry & PTE_RW)
		frame_type_put(f);
	frame_put(f);
}
