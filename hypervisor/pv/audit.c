/* SPDX-License-Identifier: MIT */
/*
 * audit.c - recounts every reference and type reference of every frame from all that may hold one,
 * and compares for equality: security.md D2. Changes nothing. It holds the hypervisor lock for as
 * long as it takes, some tens of milliseconds a GiB: a debug key, not for every day.
 */
#include "domain/gnttab.h"
#include "domain/memory.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "pv/pt_entry.h"
#include "pv/pv.h"
#include "pv/shadow.h"
#include "x86/layout.h"
#include "x86/pte.h"

#define LINES_MAX 10

struct audit {
	struct count {
		u32 refs, types;
	} *count; /* a frame each */
	unsigned int nr_wrong;
};

static void complain(struct audit *a, const struct frame *f, const char *what, u64 counted)
{
	if (a->nr_wrong++ >= LINES_MAX)
		return;
	log_error("audit: frame %#lx of d%u: ref %#lx type %#lx: %s, counted %lu",
		  (unsigned long)mfn_x(frame_to_mfn(f)), f->owner, (unsigned long)frame_refs(f),
		  (unsigned long)f->type, what, (unsigned long)counted);
}

static void hold(struct audit *a, const struct frame *f, bool with_type)
{
	struct count *c = &a->count[f - frame_table];

	c->refs++;
	c->types += with_type;
}

static void hold_if(struct audit *a, const struct frame *f, bool with_type)
{
	if (f)
		hold(a, f, with_type);
}

static bool is_domains(const struct frame *f)
{
	return f->owner < DOMID_FIRST_RESERVED && !(f->ref & FRAME_FREE);
}

static void count_entry(struct audit *a, u64 entry, unsigned int level, bool has_type)
{
	mfn_t mfn = pte_mfn(entry);

	if (!mfn_is_ram(mfn) || !is_domains(mfn_to_frame(mfn)))
		return;
	if (level > 1)
		hold(a, mfn_to_frame(mfn), has_type);
	else if (!(entry & PTE_GRANT))
		hold(a, mfn_to_frame(mfn), entry & PTE_RW);
}

static void count_table(struct audit *a, const struct frame *f)
{
	unsigned int level = frame_type_of(f), nr = PT_ENTRIES;
	const u64 *table = mfn_to_virt(frame_to_mfn(f));

	if (f->type & FT_PARTIAL) {
		nr = f->nval;
		hold(a, f, true); /* I8: PARTIAL's own */
		if (f->pset)
			count_entry(a, table[nr], level, false);
	} else if (!(f->type & FT_VALID)) {
		nr = 0;
	}
	for (unsigned int i = 0; i < nr; i++)
		if (pt_slot_is_guest(level, i) && (table[i] & PTE_P))
			count_entry(a, table[i], level, true);
}

static void count_frame(struct audit *a, const struct frame *f)
{
	enum frame_type t = frame_type_of(f);

	if (!is_domains(f))
		return;
	/* a shared page of the hypervisor has a type for good as long as it is shared */
	if (f->ref & FRAME_ALLOC)
		hold(a, f, f->ref & FRAME_XENHEAP);
	if (f->type & FT_PINNED)
		hold(a, f, true);
	if (t >= FT_L1 && t <= FT_L4 && frame_type_count(f))
		count_table(a, f);
}

static void count_vcpu(struct audit *a, const struct vcpu *v)
{
	const struct pv_vcpu *pv = &v->pv;

	hold_if(a, pv->cr3_kernel, true);
	hold_if(a, pv->cr3_user, true);
	hold_if(a, v->vcpu_info_frame, true);
	for (unsigned int i = 0; i < ARRAY_SIZE(pv->gdt_frame); i++)
		hold_if(a, pv->gdt_frame[i], true);
	for (unsigned int i = 0; i < ARRAY_SIZE(pv->ldt_frame); i++)
		hold_if(a, pv->ldt_frame[i], true);
	for (unsigned int i = 0; i < pv->nr_deferred; i++)
		hold(a, pv->deferred[i], false);
}

static const struct frame *granted_frame(const struct grant_table *t, grant_ref_t ref)
{
	const struct grant_active *active = t ? t->active[ref / GRANTS_PER_FRAME] : NULL;

	return active ? active[ref % GRANTS_PER_FRAME].frame : NULL;
}

/* What @d maps of others. */
static void count_grants(struct audit *a, const struct domain *d)
{
	const struct grant_table *t = d->gnttab;

	for (u32 i = 0; t && i < t->nr_maptrack_pages * MAPTRACK_PER_PAGE; i++) {
		const struct maptrack *m =
			&t->maptrack[i / MAPTRACK_PER_PAGE][i % MAPTRACK_PER_PAGE];
		const struct domain *rd;
		const struct frame *f;

		if (!(m->flags & (GNTMAP_host_map | GNTMAP_device_map)))
			continue;
		rd = domain_find(m->domid);
		f = rd ? granted_frame(rd->gnttab, m->ref) : NULL;
		if (!f) {
			a->nr_wrong++;
			log_error("audit: d%u: handle %u maps no grant of d%u", d->domain_id, i,
				  m->domid);
			continue;
		}
		if (m->flags & GNTMAP_host_map)
			hold(a, f, !(m->flags & GNTMAP_readonly));
		if (m->flags & GNTMAP_device_map)
			hold(a, f, !(m->flags & GNTMAP_readonly));
	}
}

static void count_domain(struct audit *a, const struct domain *d)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		if (d->vcpu[i])
			count_vcpu(a, d->vcpu[i]);
	hold_if(a, d->pirq_eoi_frame, true);
	count_grants(a, d);
}

static void compare_frame(struct audit *a, const struct frame *f)
{
	const struct count *c = &a->count[f - frame_table];
	u64 refs = frame_ref_count(f);

	if (!is_domains(f)) {
		if (c->refs)
			complain(a, f, "is nobody's and is held", c->refs);
		return;
	}
	if (refs != c->refs)
		complain(a, f, "references", c->refs);
	else if (frame_type_count(f) != c->types)
		complain(a, f, "type references", c->types);
	else if (f->ref & FRAME_ALLOC && !refs)
		complain(a, f, "allocated without a reference", 0); /* I1 */
}

/* The domain's own sums, and that nothing is lost between it and the heap. */
static void compare_domain(struct audit *a, const struct domain *d)
{
	u64 shared = 0, owned = 0;

	for (u64 i = 0; i < frame_table_nr; i++) {
		const struct frame *f = &frame_table[i];

		if (!is_domains(f) || f->owner != d->domain_id)
			continue;
		if (f->ref & FRAME_XENHEAP) {
			shared += f->ref & FRAME_ALLOC ? 1 : 0;
			continue;
		}
		owned++;
	}
	if (owned == d->tot_pages && shared == d->xenheap_pages)
		return;
	a->nr_wrong++;
	log_error("audit: d%u: tot_pages %lu xenheap_pages %lu, counted %lu %lu", d->domain_id,
		  (unsigned long)d->tot_pages, (unsigned long)d->xenheap_pages,
		  (unsigned long)owned, (unsigned long)shared);
}

static void compare_claims(struct audit *a)
{
	u64 claims = 0;

	for (const struct domain *d = domain_list; d; d = d->next)
		claims += d->outstanding_claim;
	if (claims == claims_outstanding())
		return;
	a->nr_wrong++;
	log_error("audit: %lu frames are claimed, counted %lu", (unsigned long)claims_outstanding(),
		  (unsigned long)claims);
}

static void compare_heap(struct audit *a)
{
	u64 free = 0;

	for (u64 i = 0; i < frame_table_nr; i++)
		if (frame_table[i].ref & FRAME_FREE)
			free += 1ULL << frame_order(&frame_table[i]);
	if (free == page_alloc_free_frames())
		return;
	a->nr_wrong++;
	log_error("audit: %lu frames on the free lists, counted %lu",
		  (unsigned long)page_alloc_free_frames(), (unsigned long)free);
}

int pv_audit(unsigned int *nr_wrong)
{
	struct audit a = { 0 };
	unsigned int order = 0, lines = LINES_MAX;

	while ((PAGE_SIZE << order) < frame_table_nr * sizeof(*a.count))
		order++;
	a.count = xen_pages_alloc(order);
	if (!a.count)
		return -ENOMEM;
	for (u64 i = 0; i < frame_table_nr; i++)
		count_frame(&a, &frame_table[i]);
	for (const struct domain *d = domain_list; d; d = d->next)
		count_domain(&a, d);
	for (u64 i = 0; i < frame_table_nr; i++)
		compare_frame(&a, &frame_table[i]);
	for (const struct domain *d = domain_list; d; d = d->next)
		compare_domain(&a, d);
	for (const struct domain *d = domain_list; d; d = d->next)
		a.nr_wrong += shadow_audit(d, &lines);
	compare_claims(&a);
	compare_heap(&a);
	xen_pages_free(a.count, order);
	*nr_wrong = a.nr_wrong;
	return 0;
}
