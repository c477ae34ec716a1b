/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - the MMU of the fake machine's CPUs. A walk begins at the deepest table the CPU remembers
 * for the address, as a real one does with its paging-structure caches; what it finds is remembered
 * until the hypervisor flushes this CPU. Only the CPU itself touches its TLB, but for an audit.
 *
 * The race detector is told nothing of what happens here: guests race with whom they like.
 */
#include "machine.h"

#include "lib/string.h"
#include "pv/context.h"
#include "pv/desc.h"
#include "pv/logdirty.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/layout.h"
#include "x86/pte.h"

#define RACES __attribute__((no_sanitize("thread")))

#define FAULTS_MAX 1000

struct tlb fake_tlb[MACHINE_CPUS_MAX];

static struct tlb *here(void)
{
	return &fake_tlb[this_cpu_id()];
}

RACES static void forget(struct tlb *t)
{
	for (unsigned int i = 0; i < NR_VAS; i++)
		t->page[i].is_valid = false;
	for (unsigned int l = 1; l <= 3; l++)
		for (unsigned int i = 0; i < NR_VAS / 8; i++)
			t->table[l][i].is_valid = false;
	t->nr_flushes++;
}

/* What x86/tlb.c does to drop everything: a change of PGE. */
void write_cr4(u64 v)
{
	if ((v ^ fake_cpu.cr4) & X86_CR4_PGE)
		forget(here());
	fake_cpu.cr4 = v;
}

/* Drops the page, and all paths (Intel SDM vol. 3, 4.10.4.1). */
RACES void invlpg(unsigned long va)
{
	struct tlb *t = here();

	for (unsigned int i = 0; i < NR_VAS; i++)
		if (va_of(i) == (va & ~PAGE_OFFSET_MASK))
			t->page[i].is_valid = false;
	for (unsigned int l = 1; l <= 3; l++)
		for (unsigned int i = 0; i < NR_VAS / 8; i++)
			t->table[l][i].is_valid = false;
}

/* --- loading tables --- */

/* Tables outside RAM are the hypervisor's own: nothing of a guest's is in them. */
void write_cr3(u64 v)
{
	here()->cr3 = mfn_is_ram(maddr_to_mfn(v)) ? mfn_to_frame(maddr_to_mfn(v)) : NULL;
}

/* --- walking --- */

/* The table of @level that maps @va among those a CPU remembers: its place in tlb.table[level]. */
static unsigned int table_index(unsigned int va, unsigned int level)
{
	return va >> (3 + (level - 1));
}

/* Reads a present entry and sets A (and D) in it, as the MMU does: only if it still is the same. */
RACES static bool entry_use(u64 *slot, u64 flags, u64 *entry)
{
	u64 old = __atomic_load_n(slot, __ATOMIC_RELAXED);

	do {
		if (!(old & PTE_P) || ((flags & PTE_D) && !(old & PTE_RW)))
			return false;
		*entry = old | flags;
	} while (old != *entry && !__atomic_compare_exchange_n(slot, &old, *entry, false,
							       __ATOMIC_RELAXED, __ATOMIC_RELAXED));
	return true;
}

static void check_mfn(u64 mfn, unsigned int level)
{
	if (mfn >= MACHINE_FRAMES)
		machine_fail("CPU %u walks to a level %u table outside RAM", this_cpu_id(), level);
}

/* Where a walk for @va begins. False: no tables. */
RACES static bool walk_start(const struct tlb *t, unsigned int va, unsigned int *level, u64 *mfn,
			     bool *writable)
{
	for (*level = 1; *level <= 3; ++*level) {
		const struct translation *p = &t->table[*level][table_index(va, *level)];

		if (p->is_valid) {
			*mfn = p->mfn;
			*writable = p->is_writable;
			return true;
		}
	}
	if (!t->cr3)
		return false;
	*mfn = mfn_x(frame_to_mfn(t->cr3));
	*writable = true;
	return true;
}

/* Of which table @mfn is the shadow now; 0: of none. */
RACES static u32 original_of(u64 mfn)
{
	const struct log_dirty *log = current->domain->pv.log;

	for (u32 i = 1; log && log->pool && i <= log->pool->nr; i++)
		if (log->pool->shadow[i].mfn == mfn)
			return log->pool->shadow[i].original;
	return 0;
}

RACES static bool walk(struct tlb *t, unsigned int va, bool write)
{
	unsigned int level;
	bool writable;
	u64 mfn, entry;

	if (!walk_start(t, va, &level, &mfn, &writable))
		return false;
	for (;; level--) {
		u64 *slot = (u64 *)mfn_to_virt(_mfn(mfn)) + pt_index(va_of(va), level);
		u64 flags = level == 1 && write && writable ? PTE_A | PTE_D : PTE_A;

		if (!entry_use(slot, flags, &entry) || (write && !(entry & PTE_RW)))
			return false;
		writable &= !!(entry & PTE_RW);
		mfn = mfn_x(pte_mfn(entry));
		if (level == 1)
			break;
		check_mfn(mfn, level - 1);
		t->table[level - 1][table_index(va, level - 1)] =
			(struct translation){ (u32)mfn, original_of(mfn), true, writable, false };
	}
	if (write && !writable)
		return false;
	t->page[va] = (struct translation){ (u32)mfn, 0, true, writable, write };
	return mfn < MACHINE_FRAMES;
}

/* The word of RAM that an access reaches. NULL: the access faults. */
RACES static u64 *reach(unsigned int va, unsigned int word, bool write)
{
	struct tlb *t = here();
	struct translation *p = &t->page[va];

	if (!p->is_valid || (write && !(p->is_writable && p->is_dirty)))
		if (!walk(t, va, write))
			return NULL;
	return p->mfn < MACHINE_FRAMES ? (u64 *)mfn_to_virt(_mfn(p->mfn)) + word : NULL;
}

/*
 * A fault of an access: the CPU forgets what it knew of the address. True: the hypervisor says that
 * it runs again.
 */
static bool fault(unsigned int va, bool write)
{
	invlpg(va_of(va));
	return pv_fixup_copy_fault(va_of(va), write ? 2 : 0);
}

/* The same word, after as many faults as it takes. NULL: the last was the guest's own. */
static u64 *reach_or_fault(unsigned int va, unsigned int word, bool write)
{
	u64 *p;

	for (unsigned int tries = 0; !(p = reach(va, word, write)); tries++) {
		if (!fault(va, write))
			return NULL;
		if (tries > FAULTS_MAX)
			machine_fail("CPU %u: d%u faults at va %u for ever", this_cpu_id(),
				     current->domain->domain_id, va);
	}
	return p;
}

RACES bool guest_read(unsigned int va, unsigned int word, u64 *value)
{
	u64 *p = reach_or_fault(va, word, false);

	if (p)
		*value = __atomic_load_n(p, __ATOMIC_RELAXED);
	return p != NULL;
}

RACES bool guest_write(unsigned int va, unsigned int word, u64 value)
{
	u64 *p = reach_or_fault(va, word, true);

	if (p)
		__atomic_store_n(p, value, __ATOMIC_RELAXED);
	return p != NULL;
}
