/* SPDX-License-Identifier: MIT */
/*
 * shadow.c - see shadow.h. Owns struct shadow_pool and frame.shadow.
 *
 * The CPUs never write to a shadow: A, and D where it is writable, are set in each entry from the
 * beginning. So the guest's entries get both at the fault that fills one, and lose none that a CPU
 * would set later.
 */
#include "pv/shadow.h"

#include "domain/frame_ref.h"
#include "domain/preempt.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "pv/domain_tlb.h"
#include "pv/logdirty.h"
#include "pv/pt_entry.h"
#include "pv/pv.h"
#include "x86/layout.h"
#include "x86/tlb.h"
#include "x86/pte.h"
#include "x86/xpti.h"

#define PF_PRESENT 1u
#define PF_WRITE 2u
#define PF_FETCH 16u
#define PAGES_PER_CHECK 32 /* made between two looks whether others wait */
#define PATH_SHADOWS 3     /* what one fault may need, below level 4 */

/* --- the pool --- */

static u64 *page_of(const struct shadow_pool *p, u32 nr)
{
	return mfn_to_virt(_mfn(p->shadow[nr].mfn));
}

static u64 *table_of(const struct frame *f)
{
	return mfn_to_virt(frame_to_mfn(f));
}

static void push_free(struct shadow_pool *p, u32 nr)
{
	p->shadow[nr].original = p->shadow[nr].next = 0;
	if (p->nr_free++)
		p->shadow[p->last_free].next = nr;
	else
		p->first_free = nr;
	p->last_free = nr;
}

int shadow_pool_make(struct shadow_pool **pool, u32 nr)
{
	struct shadow_pool *p = *pool;

	if (!p) {
		p = *pool = xzalloc(sizeof(*p) + (nr + 1) * sizeof(p->shadow[0]));
		if (!p)
			return -ENOMEM;
	}
	while (p->nr < nr) {
		void *page = xen_pages_alloc(0);

		if (!page)
			return -ENOMEM;
		p->nr++;
		p->shadow[p->nr].mfn = (u32)mfn_x(virt_to_mfn(page));
		p->shadow[p->nr].stamp = tlb_clock();
		push_free(p, p->nr);
		if (p->nr % PAGES_PER_CHECK == 0 && hypercall_should_preempt())
			return -ERESTART;
	}
	return 0;
}

/* No table has one any more. */
static void let_go(struct shadow_pool *p)
{
	for (u32 i = 1; i <= p->nr; i++) {
		if (p->shadow[i].original)
			mfn_to_frame(_mfn(p->shadow[i].original))->shadow = 0;
		p->shadow[i].original = 0;
	}
}

int shadow_pool_free(struct shadow_pool **pool)
{
	struct shadow_pool *p = *pool;

	if (!p)
		return 0;
	let_go(p);
	while (p->nr) {
		xen_pages_free(page_of(p, p->nr), 0);
		p->nr--;
		if (p->nr % PAGES_PER_CHECK == 0 && p->nr && hypercall_should_preempt())
			return -ERESTART;
	}
	xfree(p);
	*pool = NULL;
	return 0;
}

/* --- dropping --- */

static void drop(struct shadow_pool *p, u32 nr)
{
	mfn_to_frame(_mfn(p->shadow[nr].original))->shadow = 0;
	p->shadow[nr].stamp = tlb_clock(); /* whoever named it does not any more */
	push_free(p, nr);
}

void shadow_entry_forget(struct domain *d, const struct frame *table, unsigned int idx)
{
	if (!table->shadow)
		return;
	WRITE_ONCE(page_of(d->pv.log->pool, table->shadow)[idx], 0);
	if (frame_type_of(table) == FT_L4)
		xpti_l4_changed();
}

void shadow_forget(struct domain *d, struct frame *table)
{
	if (table->shadow)
		drop(d->pv.log->pool, table->shadow);
}

static bool is_in_use(const struct domain *d, const struct frame *l4)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		if (d->vcpu[i] &&
		    (d->vcpu[i]->pv.cr3_kernel == l4 || d->vcpu[i]->pv.cr3_user == l4))
			return true;
	return false;
}

static void entries_clear(u64 *l4)
{
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (pt_slot_is_guest(4, i))
			WRITE_ONCE(l4[i], 0);
}

void shadow_drop_all(struct domain *d)
{
	struct shadow_pool *p = d->pv.log->pool;

	for (u32 i = 1; i <= p->nr; i++) {
		const struct frame *f = mfn_to_frame(_mfn(p->shadow[i].original));

		if (!p->shadow[i].original)
			continue;
		if (frame_type_of(f) == FT_L4 && is_in_use(d, f))
			entries_clear(page_of(p, i));
		else
			drop(p, i);
	}
	xpti_l4_changed();
	/*
	 * now, not when they are used again: what a CPU remembers of a dropped one may be writable
	 */
	tlb_flush_domain(d);
}

/* --- making --- */

/*
 * Room for @nr more. What vcpus have loaded is at most two for each, and the pool has many times
 * that.
 */
static void make_room(struct domain *d, u32 nr)
{
	if (d->pv.log->pool->nr_free < nr)
		shadow_drop_all(d);
}

/* An empty shadow for @table, which has none; there is room. */
static u32 make(struct domain *d, struct frame *table)
{
	struct shadow_pool *p = d->pv.log->pool;
	u32 nr = p->first_free;
	u64 *page = page_of(p, nr);

	p->first_free = p->shadow[nr].next;
	p->nr_free--;
	/* a CPU may still walk through it as what it was */
	tlb_flush_stale(&d->tlb, p->shadow[nr].stamp);
	memset(page, 0, PAGE_SIZE);
	if (frame_type_of(table) == FT_L4)
		pv_l4_fill_hv_slots(d, page);
	p->shadow[nr].original = (u32)mfn_x(frame_to_mfn(table));
	table->shadow = nr;
	return nr;
}

u64 shadow_of_l4(struct domain *d, struct frame *l4)
{
	if (!l4->shadow) {
		make_room(d, 1);
		make(d, l4);
	}
	return mfn_to_maddr(_mfn(d->pv.log->pool->shadow[l4->shadow].mfn));
}

/* --- the fault --- */

/* The guest's own tables on the way to an address, by level; and what they allow there together. */
struct path {
	struct frame *table[5];
	bool is_writable, is_executable;
};

/* False: some entry is not present. */
static bool path_walk(struct path *p, const struct vcpu *v, u64 va)
{
	struct frame *f = v->pv.in_kernel ? v->pv.cr3_kernel : v->pv.cr3_user;

	p->is_writable = p->is_executable = true;
	for (unsigned int level = 4; level > 0; level--) {
		u64 entry = READ_ONCE(table_of(f)[pt_index(va, level)]);

		if (!(entry & PTE_P))
			return false;
		if (unlikely(!(f->type & FT_LOGGED))) {
			domain_crash(v->domain, "a level %u table in use is not logged", level);
			return false;
		}
		p->is_writable &= !!(entry & PTE_RW);
		p->is_executable &= !(entry & PTE_NX);
		p->table[level] = f;
		if (level > 1)
			f = mfn_to_frame(pte_mfn(entry));
	}
	return true;
}

/* Sets @bits in an entry of the guest's as the MMU would. The entry as it is then. */
static u64 entry_touch(struct frame *table, unsigned int idx, u64 bits)
{
	u64 *slot = &table_of(table)[idx], entry = READ_ONCE(*slot);

	if ((entry & bits) == bits)
		return entry;
	frame_note_write(table);
	return __atomic_or_fetch(slot, bits, __ATOMIC_SEQ_CST);
}

/* Connects the shadow of the table at @level with that of the one below. */
static void path_link(struct domain *d, struct path *p, unsigned int level, u64 va)
{
	const struct shadow_pool *pool = d->pv.log->pool;
	struct frame *table = p->table[level], *below = p->table[level - 1];
	u64 *slot = &page_of(pool, table->shadow)[pt_index(va, level)];
	u64 entry;

	if (READ_ONCE(*slot) & PTE_P)
		return;
	if (!below->shadow)
		make(d, below);
	entry = entry_touch(table, pt_index(va, level), PTE_A);
	WRITE_ONCE(*slot, pte_make(_mfn(pool->shadow[below->shadow].mfn), entry & ~PTE_ADDR_MASK));
	if (level == 4)
		xpti_l4_changed();
}

/*
 * A write to @f of @d's is noted already; or, granted by another, it is noted as long as there is
 * the mapping.
 */
static bool is_noted(const struct frame *f, const struct domain *d)
{
	return f->ref & FRAME_WRITTEN || f->owner != d->domain_id;
}

/*
 * The entry of level 1: writable for a write, which is thereby noted; and what was written before
 * stays writable.
 */
static void path_end(struct domain *d, struct path *p, u64 va, bool is_write)
{
	struct log_dirty *log = d->pv.log;
	unsigned int idx = pt_index(va, 1);
	u64 entry = entry_touch(p->table[1], idx, is_write ? PTE_A | PTE_D : PTE_A);
	struct frame *f = mfn_to_frame(pte_mfn(entry));

	log->fault_count++;
	if (is_write)
		frame_note_write(f);
	else if (!(entry & PTE_D) || !is_noted(f, d))
		entry &= ~PTE_RW;
	WRITE_ONCE(page_of(log->pool, p->table[1]->shadow)[idx], entry);
}

bool shadow_fault(u64 va, u32 *code)
{
	struct domain *d = current->domain;
	bool is_write = *code & PF_WRITE;
	struct path p;

	if (!path_walk(&p, current, va))
		return false; /* no shadow has it either: the CPU said "not present" */
	if ((is_write && !p.is_writable) || (*code & PF_FETCH && !p.is_executable)) {
		*code |= PF_PRESENT;
		return false;
	}
	make_room(d, PATH_SHADOWS);
	for (unsigned int level = 4; level > 1; level--)
		path_link(d, &p, level, va);
	path_end(d, &p, va, is_write);
	return true;
}

/* --- the audit --- */

/*
 * What is wrong with @entry of the shadow of a table at @level, where the guest has @own. NULL:
 * nothing.
 */
static const char *entry_wrong(const struct domain *d, u64 entry, u64 own, unsigned int level)
{
	const struct shadow_pool *p = d->pv.log->pool;
	const struct frame *f = mfn_to_frame(pte_mfn(own));
	u64 same = ~(PTE_ADDR_MASK | PTE_RW | PTE_D);

	if (!(own & PTE_P))
		return "is there no more";
	if (!(own & PTE_A) || (entry ^ own) & same || (entry & ~own & PTE_RW))
		return "gives other rights";
	if (level > 1)
		return f->type & FT_LOGGED && f->shadow &&
				       p->shadow[f->shadow].mfn == mfn_x(pte_mfn(entry)) ?
			       NULL :
			       "names what is no shadow of that table";
	if (!mfn_eq(pte_mfn(entry), pte_mfn(own)))
		return "names another frame";
	return !(entry & PTE_RW) || (own & PTE_D && is_noted(f, d)) ? NULL :
								      "may be written unnoticed";
}

static const char *shadow_wrong(const struct domain *d, u32 nr)
{
	const struct shadow_pool *p = d->pv.log->pool;
	const struct frame *f = mfn_to_frame(_mfn(p->shadow[nr].original));
	unsigned int level = frame_type_of(f);
	const u64 *page = page_of(p, nr), *own = table_of(f);

	if (!(f->type & FT_LOGGED) || !(f->type & FT_VALID) || f->shadow != nr)
		return "is of no table";
	for (unsigned int i = 0; i < PT_ENTRIES; i++) {
		const char *what;

		if (!pt_slot_is_guest(level, i) || !(page[i] & PTE_P))
			continue;
		what = entry_wrong(d, page[i], own[i], level);
		if (what)
			return what;
	}
	return NULL;
}

unsigned int shadow_audit(const struct domain *d, unsigned int *lines)
{
	const struct shadow_pool *p = d->pv.log ? d->pv.log->pool : NULL;
	unsigned int nr_wrong = 0;

	for (u32 i = 1; p && i <= p->nr; i++) {
		const char *what = p->shadow[i].original ? shadow_wrong(d, i) : NULL;

		if (!what)
			continue;
		nr_wrong++;
		if (!*lines)
			continue;
		--*lines;
		log_error("audit: d%u: the shadow of table %#x: an entry %s", d->domain_id,
			  p->shadow[i].original, what);
	}
	return nr_wrong;
}
