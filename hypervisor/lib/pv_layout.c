/* SPDX-License-Identifier: MIT */
/*
 * pv_layout.c - the arithmetic of a PV domain's start of day.
 *
 * Owns the choice of every initial frame and address, and the first page tables. Not: what else the
 * frames hold (boot/dom0_build.c, xend's pv_image.c).
 * The page tables map themselves, so their number depends on itself: planned in rounds that
 * can only grow, until the plan holds them.
 * Source: xen/xen.h.
 */
#include "lib/pv_layout.h"

#include "lib/errno.h"

#define PTE_PRESENT 0x001ULL
#define PTE_RW 0x002ULL
#define PTE_USER 0x004ULL
#define PTE_ACCESSED 0x020ULL
#define PTE_DIRTY 0x040ULL

#define VA_BITS 48
#define VA_MASK ((1ULL << VA_BITS) - 1)
#define MIN_PADDING (512u << 10)
#define MAP_ALIGN (4u << 20)
#define HOLE_START 0xffff800000000000ULL	/* Xen's own slots of every address space */
#define HOLE_END 0xffff880000000000ULL

static bool canonical(u64 va)
{
	u64 top = va >> (VA_BITS - 1);

	return top == 0 || top == (1ULL << (64 - VA_BITS + 1)) - 1;
}

static bool range_usable(u64 va, u64 nr)
{
	u64 last = va + nr * PAGE_SIZE - 1;

	return nr && va % PAGE_SIZE == 0 && last >= va && canonical(va) && canonical(last) &&
	       (va >> 63) == (last >> 63) && (last < HOLE_START || va >= HOLE_END);
}

static bool overlap(const struct pv_area *a, const struct pv_area *b)
{
	return a->vaddr < b->vaddr + b->nr * PAGE_SIZE &&
	       b->vaddr < a->vaddr + a->nr * PAGE_SIZE;
}

/* Runs of tables of one level that the ranges need; equal or touching runs are merged. */
static unsigned int plan_level(struct pv_layout *l, unsigned int level)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->nr_ranges; i++) {
		const struct pv_area *r = &l->range[i];
		u64 end = (r->vaddr + r->nr * PAGE_SIZE - 1) & VA_MASK;
		struct pv_tables t = { .first = (r->vaddr & VA_MASK) >> pv_level_shift(level),
				       .last = end >> pv_level_shift(level) };
		struct pv_tables *prev = n ? &l->table[level][n - 1] : NULL;

		if (prev && t.first <= prev->last && t.last >= prev->first) {
			if (t.first < prev->first)
				prev->first = t.first;
			if (t.last > prev->last)
				prev->last = t.last;
		} else {
			l->table[level][n++] = t;
		}
	}
	l->nr_tables[level] = n;
	return n;
}

/* Gives every table a frame from l->tables.pfn on, top level first; returns their number. */
static u64 plan_tables(struct pv_layout *l)
{
	u64 pfn = l->tables.pfn;

	for (unsigned int level = PV_LEVELS; level >= 1; level--) {
		unsigned int n = plan_level(l, level);

		for (unsigned int i = 0; i < n; i++) {
			struct pv_tables *t = &l->table[level][i];

			t->pfn = pfn;
			pfn += t->last - t->first + 1;
		}
	}
	return pfn - l->tables.pfn;
}

static void place(struct pv_layout *l, struct pv_area *a, u64 *next, u64 nr)
{
	a->pfn = *next;
	a->nr = nr;
	a->vaddr = l->virt_base + *next * PAGE_SIZE;
	*next += nr;
}

/* A small guest has no frames to map up to the alignment: all it has, but for what lies apart. */
static u64 end_within_memory(const struct pv_layout *l, u64 end, u64 padded)
{
	u64 apart = l->p2m_mapped_apart ? PFN_UP(l->wish.nr_pages * sizeof(u64)) : 0;
	u64 room;

	if (!l->initrd_mapped)
		apart += PFN_UP(l->wish.initrd_len);
	room = l->wish.nr_pages > apart ? l->wish.nr_pages - apart : 0;
	if ((end - l->virt_base) / PAGE_SIZE <= room)
		return end;
	return room > (padded - l->virt_base) / PAGE_SIZE ?
		       l->virt_base + room * PAGE_SIZE :
		       l->virt_base + PFN_UP(padded - l->virt_base) * PAGE_SIZE;
}

/* Everything for a given number of page tables; returns the first frame not used. */
static u64 place_all(struct pv_layout *l, const struct xen_image *image, u64 nr_tables)
{
	u64 next = l->kernel.pfn + l->kernel.nr, end, padded;

	if (l->initrd_mapped)
		place(l, &l->initrd, &next, PFN_UP(l->wish.initrd_len));
	if (!l->p2m_mapped_apart)
		place(l, &l->p2m, &next, PFN_UP(l->wish.nr_pages * sizeof(u64)));
	place(l, &l->start_info, &next, 1);
	place(l, &l->store, &next, l->wish.has_rings);
	place(l, &l->console, &next, l->wish.has_rings);
	place(l, &l->tables, &next, nr_tables);
	place(l, &l->stack, &next, 1);

	padded = l->virt_base + next * PAGE_SIZE + MIN_PADDING;
	end = (padded + MAP_ALIGN - 1) & ~(u64)(MAP_ALIGN - 1);
	/* VIRT_BASE may lie so near the top that the padding wraps: end at the top then. */
	if (end < l->virt_base)
		end = 0;
	end = end_within_memory(l, end, padded);
	l->virt_end = end;
	l->range[0] = (struct pv_area){ 0, (end - l->virt_base) / PAGE_SIZE, l->virt_base };
	l->nr_ranges = 1;
	next = l->range[0].nr;

	if (l->p2m_mapped_apart) {
		place(l, &l->p2m, &next, PFN_UP(l->wish.nr_pages * sizeof(u64)));
		l->p2m.vaddr = image->init_p2m;
		l->range[l->nr_ranges++] = l->p2m;
	}
	if (!l->initrd_mapped)
		place(l, &l->initrd, &next, PFN_UP(l->wish.initrd_len));
	return next;
}

static int plan_kernel(struct pv_layout *l, const struct xen_image *image)
{
	u64 page = image->hypercall_page, end = image->end;

	l->paddr_delta = image->paddr_offset;
	l->virt_base = image->virt_base;
	l->kernel.pfn = image->start / PAGE_SIZE;
	l->kernel.nr = PFN_UP(end) - l->kernel.pfn;
	l->kernel.vaddr = l->virt_base + l->kernel.pfn * PAGE_SIZE;
	if (!range_usable(l->virt_base, PFN_UP(end)))
		return -EINVAL;
	l->entry = image->entry;
	if (page == XEN_IMAGE_UNSET)
		return 0;
	if (page % PAGE_SIZE || page < l->kernel.vaddr || page - l->virt_base >= end)
		return -EINVAL;
	l->has_hypercall_page = true;
	l->hypercall_pfn = (page - l->virt_base) / PAGE_SIZE;
	return 0;
}

int pv_layout_plan(struct pv_layout *l, const struct xen_image *image, const struct pv_wish *wish,
		   u64 *needed_pages)
{
	u64 guess = PV_LEVELS, used, got;
	int err;

	*l = (struct pv_layout){ .wish = *wish };
	err = plan_kernel(l, image);
	if (err)
		return err;
	l->initrd_mapped = wish->initrd_len && !image->initrd_unmapped;
	l->p2m_mapped_apart = image->init_p2m != XEN_IMAGE_UNSET;
	do {
		used = place_all(l, image, guess);
		got = plan_tables(l);
		if (got <= guess)
			break;
		guess = got;
	} while (used <= wish->nr_pages);

	for (unsigned int i = 0; i < l->nr_ranges; i++) {
		if (!range_usable(l->range[i].vaddr, l->range[i].nr))
			return -EINVAL;
	}
	if (l->nr_ranges == 2 && overlap(&l->range[0], &l->range[1]))
		return -EINVAL;
	*needed_pages = used;
	return used <= wish->nr_pages ? 0 : -ENOMEM;
}

bool pv_layout_table(const struct pv_layout *l, unsigned int level, u64 vaddr, u64 *pfn)
{
	u64 idx = (vaddr & VA_MASK) >> pv_level_shift(level);

	for (unsigned int i = 0; i < l->nr_tables[level]; i++) {
		const struct pv_tables *t = &l->table[level][i];

		if (idx >= t->first && idx <= t->last) {
			*pfn = t->pfn + (idx - t->first);
			return true;
		}
	}
	return false;
}

static bool is_table(const struct pv_layout *l, u64 pfn)
{
	return pfn >= l->tables.pfn && pfn < l->tables.pfn + l->tables.nr;
}

/* The frame that @vaddr shall show; false when it is not mapped. */
static bool target_of(const struct pv_layout *l, u64 vaddr, u64 *pfn)
{
	for (unsigned int i = 0; i < l->nr_ranges; i++) {
		const struct pv_area *r = &l->range[i];

		if (vaddr >= r->vaddr && vaddr - r->vaddr < r->nr * PAGE_SIZE) {
			*pfn = r->pfn + (vaddr - r->vaddr) / PAGE_SIZE;
			return true;
		}
	}
	return false;
}

static u64 entry_for(const struct pv_layout *l, const u64 *p2m, unsigned int level, u64 vaddr)
{
	u64 pfn;

	if (level > 1) {
		if (!pv_layout_table(l, level - 1, vaddr, &pfn))
			return 0;
		return p2m[pfn] << PAGE_SHIFT | PTE_PRESENT | PTE_RW | PTE_USER | PTE_ACCESSED;
	}
	if (!target_of(l, vaddr, &pfn))
		return 0;
	return p2m[pfn] << PAGE_SHIFT | PTE_PRESENT | PTE_ACCESSED |
	       (is_table(l, pfn) ? 0 : PTE_RW | PTE_DIRTY);
}

static u64 sign_extend(u64 va)
{
	return (u64)((s64)(va << 16) >> 16);
}

void pv_layout_fill(const struct pv_layout *l, const u64 *p2m, unsigned int level,
		    unsigned int run, u64 idx, u64 entries[PV_LAYOUT_ENTRIES])
{
	u64 base = (l->table[level][run].first + idx) << pv_level_shift(level);

	for (unsigned int e = 0; e < PV_LAYOUT_ENTRIES; e++)
		entries[e] = entry_for(l, p2m, level,
				       sign_extend(base + ((u64)e << (pv_level_shift(level) - 9))));
}
