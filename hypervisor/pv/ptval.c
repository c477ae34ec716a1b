/* SPDX-License-Identifier: MIT */
/*
 * ptval.c - the page-type state machine. Owns struct frame's type word, nval and pset, and
 * vcpu.pv.deferred. What one entry may contain is pt_entry.c's business.
 *
 * Levels strictly decrease from a table to what it names (same-level entries are refused, D11), so
 * the mutual calls frame_type_get -> validate -> pt_entry_get -> frame_type_get are at most four
 * deep, and there are no cycles of type references.
 *
 * Order (D4, C18): claim the new type, flush what the old type left in the TLB, then validate.
 */
#include "pv/ptval.h"

#include "domain/frame_ref.h"
#include "domain/preempt.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/frame.h"
#include "pv/logdirty.h"
#include "pv/pt_entry.h"
#include "pv/desc.h"
#include "pv/pv.h"
#include "x86/layout.h"
#include "x86/pte.h"
#include "x86/tlb.h"

/* Level-1 entries dropped between two looks whether others wait. */
#ifndef PUTS_PER_CHECK /* the random machines' tables have few */
#define PUTS_PER_CHECK 64
#endif

static bool type_is_table(enum frame_type t)
{
	return t >= FT_L1 && t <= FT_L4;
}

/* Most tables are nearly empty, and all of one is looked through: so many entries at once. */
#define SCAN_STEP 8

static bool any_present(const u64 *e)
{
	_Static_assert(SCAN_STEP == 8 && PT_ENTRIES % SCAN_STEP == 0, "the terms below");
	return (e[0] | e[1] | e[2] | e[3] | e[4] | e[5] | e[6] | e[7]) & PTE_P;
}

/* The first present entry of @table from @nr on; PT_ENTRIES: none. */
static unsigned int present_from(const u64 *table, unsigned int nr)
{
	while (nr < PT_ENTRIES) {
		if (nr % SCAN_STEP == 0 && !any_present(table + nr))
			nr += SCAN_STEP;
		else if (table[nr] & PTE_P)
			break;
		else
			nr++;
	}
	return nr;
}

/* How many of the first @nr entries there are up to the last present one; 0: none is. */
static unsigned int present_below(const u64 *table, unsigned int nr)
{
	while (nr > 0) {
		if (nr % SCAN_STEP == 0 && !any_present(table + nr - SCAN_STEP))
			nr -= SCAN_STEP;
		else if (table[nr - 1] & PTE_P)
			break;
		else
			nr--;
	}
	return nr;
}

/* PARTIAL carries one type and one general reference of its own (I8). */
static void partial_set(struct frame *f, unsigned int nval, bool pset)
{
	f->nval = (u16)nval;
	f->pset = pset;
	f->type |= FT_PARTIAL;
	frame_get_held(f);
}

/*
 * Defined below: a table's last reference and its entries call each other, one level down each
 * time.
 */
static int table_devalidate(struct frame *f, unsigned int level, unsigned int *nr, bool *pset);

/*
 * Finishes the child of a pset entry of a table of @level: its general reference is ours. If it
 * still is the PARTIAL table that it was when the entry was looked at, that work is undone first.
 * Others may have ended that, and the guest made another table of it since, PARTIAL as well: that
 * is left to who meets it. So each call in here is a level below, however many such tables name
 * each other.
 */
static int pset_child_finish(u64 entry, unsigned int level)
{
	struct frame *child = mfn_to_frame(pte_mfn(entry));
	int rc = 0;

	if (child->type & FT_PARTIAL && (unsigned int)frame_type_of(child) == level - 1)
		rc = ptval_finish_partial(child);
	if (!rc)
		frame_put(child);
	return rc;
}

/* Drops the last type reference of a validated table; the caller's reference is consumed. */
static int table_last_put(struct frame *f)
{
	unsigned int nr = PT_ENTRIES;
	bool pset = false;
	int rc;

	if (unlikely(f->type & FT_LOGGED))
		logdirty_table_ends(f);
	f->type &= ~FT_VALID; /* I8: !VALID, tcnt 1: locked for devalidation */
	rc = table_devalidate(f, frame_type_of(f), &nr, &pset);
	if (rc) {
		partial_set(f, nr, pset);
		return rc;
	}
	f->stamp = tlb_clock();
	f->type--;
	return 0;
}

/*
 * Drops what one present entry of level > 1 holds. On preemption the child is PARTIAL with the type
 * reference, and the general one stays with the entry (pset).
 */
static int child_put(struct frame *child)
{
	if (frame_type_count(child) == 1) {
		int rc = table_last_put(child);

		if (rc)
			return rc;
	} else {
		child->type--;
	}
	frame_put(child);
	return 0;
}

/*
 * Drops the references of entries [0, *nr) of a table, last first, and before them entry *nr's
 * general one when *@pset. On preemption *@nr and *@pset tell where to go on.
 */
static int table_devalidate(struct frame *f, unsigned int level, unsigned int *nr, bool *pset)
{
	const u64 *table = mfn_to_virt(frame_to_mfn(f));
	unsigned int nr_put = 0;
	int rc;

	if (*pset) {
		rc = pset_child_finish(table[*nr], level);
		if (rc)
			return rc;
		*pset = false;
	}
	while ((*nr = present_below(table, *nr)) > 0) {
		u64 entry = table[--*nr];

		if (!pt_slot_is_guest(level, *nr))
			continue;
		if (level == 1) {
			pt_entry_put(entry, 1, f);
			/*
			 * it may have been all that kept its frame: then all CPUs of the owner were
			 * flushed for it
			 */
			if (++nr_put % PUTS_PER_CHECK)
				continue;
		} else {
			rc = child_put(mfn_to_frame(pte_mfn(entry)));
			if (rc) {
				*pset = true;
				return rc;
			}
		}
		if (*nr > 0 && hypercall_should_preempt())
			return -ERESTART;
	}
	return 0;
}

int ptval_finish_partial(struct frame *f)
{
	unsigned int nr = f->nval;
	bool pset = f->pset;
	int rc;

	f->type &= ~FT_PARTIAL;
	rc = table_devalidate(f, frame_type_of(f), &nr, &pset);
	if (rc) {
		f->nval = (u16)nr; /* PARTIAL keeps the references it had */
		f->pset = pset;
		f->type |= FT_PARTIAL;
		return rc;
	}
	f->stamp = tlb_clock();
	f->type--;
	frame_put(f);
	return 0;
}

/*
 * Leaves a PARTIAL frame to be finished when the current vcpu next enters (D5). Every way in
 * drains, and one operation leaves at most one frame a level. Were it not so, the frame would stay
 * PARTIAL with its own references until its owner's teardown meets it, and the owner ends: a list
 * is no reason to stop the host.
 */
static void defer(struct frame *f)
{
	struct pv_vcpu *pv = &current->pv;

	if (unlikely(pv->nr_deferred == ARRAY_SIZE(pv->deferred))) {
		domain_crash(frame_owner(f), "more tables to devalidate than a call can leave");
		return;
	}
	frame_get_held(f);
	pv->deferred[pv->nr_deferred++] = f;
}

int pv_drain_deferred(struct vcpu *v)
{
	struct pv_vcpu *pv = &v->pv;

	while (unlikely(pv->nr_deferred)) {
		struct frame *f = pv->deferred[pv->nr_deferred - 1];
		int rc = (f->type & FT_PARTIAL) ? ptval_finish_partial(f) : 0;

		if (rc)
			return rc;
		pv->nr_deferred--;
		frame_put(f);
	}
	return 0;
}

/* Validates entries from @nr on. On a bad entry everything done is undone (or deferred). */
static int table_validate(struct frame *f, unsigned int level, unsigned int nr, bool pset)
{
	u64 *table = mfn_to_virt(frame_to_mfn(f));
	struct domain *owner = frame_owner(f);
	struct pt_subject s = { .pt_owner = owner, .frame_owner = owner };
	int rc = 0;

	frame_note_write(f); /* what entries become is not what the guest wrote */
	for (; (nr = present_from(table, nr)) < PT_ENTRIES; nr++, pset = false) {
		u64 entry = table[nr];

		if (!pt_slot_is_guest(level, nr))
			continue;
		/*
		 * A grant mapping is a hypercall's doing: the bit means nothing in a table made by
		 * a guest.
		 */
		entry = pt_entry_adjust(entry & ~PTE_GRANT, level);
		if (pset)
			/* pt_entry_get takes its own again */
			frame_put(mfn_to_frame(pte_mfn(entry)));
		rc = pt_entry_get(&entry, level, &s);
		if (rc)
			break;
		table[nr] = entry;
		if (level > 1 && nr + 1 < PT_ENTRIES && hypercall_should_preempt()) {
			nr++;
			rc = -ERESTART;
			partial_set(f, nr, false);
			return rc;
		}
	}
	if (rc == -ERESTART) {
		/* pset: this entry's general reference */
		frame_get_held(mfn_to_frame(pte_mfn(table[nr])));
		partial_set(f, nr, true);
		return rc;
	}
	if (rc) {
		bool no_pset = false;

		if (table_devalidate(f, level, &nr, &no_pset)) {
			partial_set(f, nr, no_pset);
			defer(f);
		} else {
			f->stamp = tlb_clock(); /* what a PARTIAL frame keeps lies over it */
			f->type--;
		}
		return rc;
	}
	if (level == 4)
		pv_l4_fill_hv_slots(owner, table);
	f->type |= FT_VALID;
	if (unlikely(owner->pv.log))
		logdirty_table_begins(f);
	return 0;
}

/* Validates what was just claimed: tcnt is 1, nobody else uses the frame. */
static int type_validate(struct frame *f, enum frame_type type, unsigned int nr, bool pset)
{
	int rc;

	if (type_is_table(type)) {
		if (!nr && !pset && !pt_table_absent_ok(mfn_to_virt(frame_to_mfn(f)))) {
			f->type--;
			return -EINVAL;
		}
		return table_validate(f, type, nr, pset);
	}
	if (type == FT_SEG) {
		frame_note_write(f);
		rc = pv_desc_validate_frame(mfn_to_virt(frame_to_mfn(f)));
		if (rc) {
			f->type--;
			return rc;
		}
	}
	f->type |= FT_VALID;
	return 0;
}

/*
 * The frame was of another type, all of whose references are gone: what its old type left in a TLB
 * must not survive.
 */
static void flush_old_type(const struct frame *f, enum frame_type old)
{
	const struct domain *owner;

	/* WR: stale writable translations; Ln: stale paging-structure entries through it */
	if (old == FT_NONE || old == FT_SEG)
		return;
	owner = frame_owner(f);
	tlb_flush_stale(owner ? &owner->tlb : NULL, f->stamp);
}

int frame_type_get(struct frame *f, enum frame_type type)
{
	enum frame_type old = frame_type_of(f);
	int rc;

	if (unlikely(frame_type_count(f) == FT_COUNT_MASK))
		return -EINVAL; /* D4: refused, never wrapped */
	if (frame_type_count(f) == 0) {
		if (old == type && (f->type & FT_VALID)) {
			f->type++;
			return 0;
		}
		f->type = ((u32)type << FT_SHIFT) | 1;
		if (old != type)
			flush_old_type(f, old);
		return type_validate(f, type, 0, false);
	}
	if (old != type)
		return -EINVAL;
	if (likely(f->type & FT_VALID)) {
		f->type++;
		return 0;
	}
	if (!(f->type & FT_PARTIAL))
		return -EINVAL; /* being validated further up this very call */
	f->type &= ~FT_PARTIAL; /* take the work over, with PARTIAL's type reference */
	rc = type_validate(f, type, f->nval, f->pset);
	frame_put(f); /* PARTIAL's general reference */
	return rc;
}

int frame_type_put_preemptible(struct frame *f)
{
	/*
	 * who puts holds a reference of a frame in use whose contents were checked (C22); what is
	 * not held is not dropped
	 */
	if (unlikely(frame_type_count(f) == 0 || !(f->type & FT_VALID))) {
		CHECKED_BUG();
		domain_crash(current->domain, "a type reference that nobody holds was dropped");
		return 0;
	}
	if (frame_type_count(f) > 1) {
		f->type--;
		return 0;
	}
	if (!type_is_table(frame_type_of(f))) {
		f->stamp = tlb_clock();
		f->type--; /* WR and SEG keep T and VALID for the next user */
		return 0;
	}
	return table_last_put(f);
}

void frame_type_put(struct frame *f)
{
	if (frame_type_put_preemptible(f))
		defer(f);
}

int frame_get_and_type(struct frame *f, const struct domain *d, enum frame_type type)
{
	int rc;

	if (!frame_get(f, d))
		return -EPERM;
	rc = frame_type_get(f, type);
	if (rc)
		frame_put(f);
	return rc;
}

int frame_hold_table(struct frame *f, const struct domain *d, unsigned int level)
{
	if ((unsigned int)frame_type_of(f) != level || !frame_type_count(f) ||
	    !(f->type & FT_VALID))
		return -EINVAL;
	return frame_get_and_type(f, d, (enum frame_type)level);
}

/* Of the flags in @among a table that is held has VALID alone. */
static inline bool is_held(const struct frame *f, unsigned int level, u32 among)
{
	return (f->type & (FT_MASK | among)) == (level << FT_SHIFT | FT_VALID) &&
	       frame_type_count(f) && frame_ref_count(f);
}

bool ptval_entry_changes(struct frame *f, unsigned int level, unsigned int idx)
{
	if (likely(is_held(f, level, FT_VALID | FT_LOGGED)))
		return true;
	if (is_held(f, level, FT_VALID)) {
		logdirty_entry_changes(f, idx);
		return true;
	}
	CHECKED_BUG();
	domain_crash(current->domain, "a level %u table changed its type while it was held", level);
	return false;
}

void frame_put_and_type(struct frame *f)
{
	frame_type_put(f);
	frame_put(f);
}
