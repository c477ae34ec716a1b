/* SPDX-License-Identifier: MIT */
/*
 * check.c - what must be true of a machine that stands still: security.md D2. The hypervisor's own
 * audit recounts references; here are the rules it cannot see: TLBs (I5) and the contents of free
 * memory (C25).
 */
#include "domain/gnttab.h"
#include "guest.h"
#include "pv/logdirty.h"
#include "x86/smp.h"

/* Part of a free block of the heap: only a block's first frame is marked. */
static bool is_free(u64 mfn)
{
	for (unsigned int order = 0; order <= MAX_ORDER; order++) {
		const struct frame *head = &frame_table[mfn & ~((1ULL << order) - 1)];

		if (head->ref & FRAME_FREE && frame_order(head) >= order)
			return true;
	}
	return false;
}

/* @d has a grant of @f mapped, by a handle that allows such an access. */
static bool is_granted(const struct domain *d, const struct frame *f, bool writable)
{
	const struct grant_table *t = d->gnttab;

	for (u32 i = 0; i < t->nr_maptrack_pages * MAPTRACK_PER_PAGE; i++) {
		const struct maptrack *m =
			&t->maptrack[i / MAPTRACK_PER_PAGE][i % MAPTRACK_PER_PAGE];
		const struct domain *rd;

		if (!(m->flags & GNTMAP_host_map) || (writable && m->flags & GNTMAP_readonly))
			continue;
		rd = domain_find(m->domid);
		if (rd && rd->gnttab->active[m->ref / GRANTS_PER_FRAME]
						    [m->ref % GRANTS_PER_FRAME].frame == f)
			return true;
	}
	return false;
}

/*
 * @f was shared with a domain that is dead and not gone, and nobody's entry names it any more: it
 * waits, as it was, for the domain's other pages. Who had it mapped may read it until it is used
 * again.
 */
static bool is_left_over(const struct frame *f)
{
	const void *page = mfn_to_virt(frame_to_mfn(f));

	for (const struct domain *d = domain_list; d; d = d->next) {
		if (!d->is_dying)
			continue;
		if (page == d->shared_info)
			return true;
		for (u32 i = 0; d->gnttab && i < d->gnttab->nr_frames; i++)
			if (page == d->gnttab->shared[i])
				return true;
	}
	return false;
}

static void complain(unsigned int cpu, const struct domain *d, const struct frame *f,
		     const char *what)
{
	machine_fail("CPU %u, which runs domain %u, %s: frame %lu of domain %u, ref %#lx type %#lx",
		     cpu, d->domain_id, what, (unsigned long)mfn_x(frame_to_mfn(f)), f->owner,
		     (unsigned long)frame_refs(f), (unsigned long)f->type);
}

static bool is_logged(const struct domain *d)
{
	return d->pv.log && d->pv.log->is_on && d->pv.log->op == LOGDIRTY_IDLE;
}

static void check_page(unsigned int cpu, const struct domain *d, const struct translation *t)
{
	enum frame_type type;
	const struct frame *f;

	if (!t->is_valid)
		return;
	if (!mfn_is_ram(_mfn(t->mfn))) {
		if (!d->is_privileged)
			machine_fail("CPU %u: domain %u reaches device memory", cpu, d->domain_id);
		return;
	}
	f = mfn_to_frame(_mfn(t->mfn));
	type = frame_type_of(f);
	if (is_free(t->mfn)) {
		/* what is read there is zero; what is written would be the next owner's */
		if (t->is_writable)
			complain(cpu, d, f, "can write free memory");
		return;
	}
	if (t->is_writable && f->owner == d->domain_id && is_logged(d) && !(f->ref & (FRAME_WRITTEN | FRAME_XENHEAP)))
		complain(cpu, d, f, "can write what is said not to be written");
	if (t->is_writable && type != FT_WR && type != FT_NONE && frame_type_count(f))
		complain(cpu, d, f, "can write a table");
	if (f->owner == d->domain_id || (d->is_privileged && f->owner < DOMID_FIRST_RESERVED))
		return;
	if (d->is_privileged && !t->is_writable && is_left_over(f))
		return;
	if (f->owner >= DOMID_FIRST_RESERVED || !is_granted(d, f, t->is_writable))
		complain(cpu, d, f, t->is_writable ? "can write what is not its" :
						     "can read what is not its");
}

/*
 * A shadow of @d's of the same table of @level as when it was reached, or one that is dropped and
 * not yet used again.
 */
static bool is_shadow(const struct domain *d, const struct translation *t, unsigned int level)
{
	const struct shadow_pool *p = d->pv.log ? d->pv.log->pool : NULL;

	for (u32 i = 1; p && i <= p->nr; i++)
		if (p->shadow[i].mfn == t->mfn)
			return !p->shadow[i].original ||
			       (p->shadow[i].original == t->original &&
				(unsigned int)frame_type_of(mfn_to_frame(_mfn(t->original))) == level);
	return false;
}

/* A table the walker would go through holds only what was checked, or nothing. */
static void check_path(unsigned int cpu, const struct domain *d, const struct translation *t,
		       unsigned int level)
{
	const struct frame *f;

	if (!t->is_valid || is_free(t->mfn) || is_shadow(d, t, level))
		return;
	f = mfn_to_frame(_mfn(t->mfn));
	if (f->owner != d->domain_id || (unsigned int)frame_type_of(f) != level)
		complain(cpu, d, f, "walks through what is no table");
}

void check_translations(void)
{
	for (unsigned int c = 0; c < smp_nr_cpus(); c++) {
		const struct vcpu *v = cpu_info_of(c)->vcpu;
		const struct tlb *t = &fake_tlb[c];

		if (!v)
			continue; /* the hypervisor's own tables */
		for (unsigned int i = 0; i < NR_VAS; i++)
			check_page(c, v->domain, &t->page[i]);
		for (unsigned int level = 1; level <= 3; level++)
			for (unsigned int i = 0; i < NR_VAS / 8; i++)
				check_path(c, v->domain, &t->table[level][i], level);
	}
}

static void check_free_memory(void)
{
	for (u64 mfn = 0; mfn < frame_table_nr; mfn++) {
		const u64 *word = mfn_to_virt(_mfn(mfn));

		/* (from boot on, never given out: it is zeroed when it is) */
		if (mfn_to_frame(_mfn(mfn))->owner != DOMID_XEN || !is_free(mfn))
			continue;
		for (unsigned int i = 0; i < 16; i++)
			if (word[i])
				machine_fail("frame %lu is free and not zero", (unsigned long)mfn);
	}
}

/*
 * No guest here does what a domain is ended for: if one is, the hypervisor blames it for a mistake
 * of its own.
 */
static void check_domains(void)
{
	for (const struct domain *d = domain_list; d; d = d->next) {
		if (d->is_crashed)
			machine_fail("domain %u crashed: %s", d->domain_id, d->crash_reason);
		if (d->tot_pages > d->max_pages)
			machine_fail("domain %u has %lu of %lu frames", d->domain_id,
				     (unsigned long)d->tot_pages, (unsigned long)d->max_pages);
	}
}

void check_everything(void)
{
	unsigned int nr_wrong;

	check_translations();
	check_log();
	check_free_memory();
	check_domains();
	if (pv_audit(&nr_wrong) == 0 && nr_wrong)
		machine_fail("the audit finds %u differences", nr_wrong);
}
