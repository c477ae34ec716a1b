/* SPDX-License-Identifier: MIT */
/*
 * audit.c - recounts the frame table from everything that may hold a reference: the equality of
 * security.md D2.
 */
#include <stdio.h>

#include "lib/string.h"
#include "machine.h"
#include "pv/pt_entry.h"
#include "x86/layout.h"
#include "x86/pte.h"

static unsigned int refs[FAKE_FRAMES], types[FAKE_FRAMES];

static bool is_table(const struct frame *f)
{
	enum frame_type t = frame_type_of(f);

	return t >= FT_L1 && t <= FT_L4 && frame_type_count(f) && !(f->ref & FRAME_FREE);
}

static void hold(struct frame *f, bool with_type)
{
	refs[f - frame_table]++;
	types[f - frame_table] += with_type;
}

static void count_entry(u64 entry, unsigned int level, bool has_type)
{
	mfn_t mfn = pte_mfn(entry);

	if (!mfn_is_ram(mfn))
		return;
	if (level > 1)
		hold(mfn_to_frame(mfn), has_type);
	else if (!(entry & PTE_GRANT))
		hold(mfn_to_frame(mfn), entry & PTE_RW);
}

static void count_table(struct frame *f)
{
	unsigned int level = frame_type_of(f), nr = PT_ENTRIES;
	const u64 *table = mfn_to_virt(frame_to_mfn(f));

	if (f->type & FT_PARTIAL) {
		nr = f->nval;
		hold(f, true); /* I8: PARTIAL's own */
		if (f->pset)
			count_entry(table[nr], level, false);
	} else if (!(f->type & FT_VALID)) {
		nr = 0;
	}
	for (unsigned int i = 0; i < nr; i++)
		if (pt_slot_is_guest(level, i) && (table[i] & PTE_P))
			count_entry(table[i], level, true);
}

static void count_vcpu(const struct pv_vcpu *pv)
{
	if (pv->cr3_kernel)
		hold(pv->cr3_kernel, true);
	if (pv->cr3_user)
		hold(pv->cr3_user, true);
	for (unsigned int i = 0; i < ARRAY_SIZE(pv->gdt_frame); i++)
		if (pv->gdt_frame[i])
			hold(pv->gdt_frame[i], true);
	for (unsigned int i = 0; i < ARRAY_SIZE(pv->ldt_frame); i++)
		if (pv->ldt_frame[i])
			hold(pv->ldt_frame[i], true);
	for (unsigned int i = 0; i < pv->nr_deferred; i++)
		hold(pv->deferred[i], false);
}

/* I5: what is in use as a table or descriptors has no writable mapping, live or remembered. */
static bool has_stale_writable(const struct frame *f)
{
	enum frame_type t = frame_type_of(f);

	return t != FT_NONE && t != FT_WR && frame_type_count(f) && tlb_has(frame_to_mfn(f), true);
}

unsigned int audit(const unsigned int *extra_refs, const unsigned int *extra_wr)
{
	unsigned int wrong = 0;

	memset(refs, 0, sizeof(refs));
	memset(types, 0, sizeof(types));
	for (u64 i = 0; i < frame_table_nr; i++) {
		struct frame *f = &frame_table[i];

		if (f->ref & FRAME_FREE || f->owner >= FAKE_DOMAINS)
			continue;
		if (f->ref & FRAME_ALLOC)
			hold(f, false);
		if (f->type & FT_PINNED)
			hold(f, true);
		if (is_table(f))
			count_table(f);
		if (extra_refs)
			refs[i] += extra_refs[i];
		if (extra_wr)
			types[i] += extra_wr[i];
	}
	for (unsigned int i = 0; i < FAKE_VCPUS; i++)
		count_vcpu(&fake_vcpu[i].pv);
	for (u64 i = 0; i < frame_table_nr; i++) {
		const struct frame *f = &frame_table[i];
		bool bad;

		if (f->ref & FRAME_FREE || f->owner >= FAKE_DOMAINS) {
			bad = refs[i] != 0;
		} else {
			bad = frame_ref_count(f) != refs[i] || frame_type_count(f) != types[i] ||
			      has_stale_writable(f);
		}
		if (!bad)
			continue;
		wrong++;
		fprintf(stderr, "frame %lu: owner %u ref %#lx (%u counted) type %#lx (%u counted)%s\n",
			(unsigned long)i, f->owner, (unsigned long)frame_refs(f), refs[i],
			(unsigned long)f->type, types[i],
			has_stale_writable(f) ? " stale writable translation" : "");
	}
	return wrong;
}
