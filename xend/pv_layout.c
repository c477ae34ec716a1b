/* SPDX-License-Identifier: MIT */
/*
 * pv_layout.c - the arithmetic of a PV guest's start of day.
 *
 * Owns the choice of every initial frame and address. Not: their contents (pv_image.c).
 * The page tables map themselves, so their number depends on itself: planned in rounds that
 * can only grow, until the plan holds them.
 * Source: xen/xen.h.
 */
#include "pv_layout.h"

#include <errno.h>

#include "guest_ram.h"

#define VA_BITS 48
#define VA_MASK ((1ULL << VA_BITS) - 1)
#define MIN_PADDING (512u << 10)
#define MAP_ALIGN (4u << 20)
#define HOLE_START 0xffff800000000000ULL	/* Xen's own slots of every address space */
#define HOLE_END 0xffff880000000000ULL

static uint64_t pages(uint64_t bytes)
{
	return (bytes + GUEST_PAGE_SIZE - 1) / GUEST_PAGE_SIZE;
}

static bool canonical(uint64_t va)
{
	uint64_t top = va >> (VA_BITS - 1);

	return top == 0 || top == (1ULL << (64 - VA_BITS + 1)) - 1;
}

static bool range_usable(uint64_t va, uint64_t nr)
{
	uint64_t last = va + nr * GUEST_PAGE_SIZE - 1;

	return nr && va % GUEST_PAGE_SIZE == 0 && last >= va && canonical(va) && canonical(last) &&
	       (va >> 63) == (last >> 63) && (last < HOLE_START || va >= HOLE_END);
}

static bool overlap(const struct pv_area *a, const struct pv_area *b)
{
	return a->vaddr < b->vaddr + b->nr * GUEST_PAGE_SIZE &&
	       b->vaddr < a->vaddr + a->nr * GUEST_PAGE_SIZE;
}

/* Runs of tables of one level that the ranges need; equal or touching runs are merged. */
static unsigned int plan_level(struct pv_layout *l, unsigned int level)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < l->nr_ranges; i++) {
		const struct pv_area *r = &l->range[i];
		uint64_t end = (r->vaddr + r->nr * GUEST_PAGE_SIZE - 1) & VA_MASK;
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
static uint64_t plan_tables(struct pv_layout *l)
{
	uint64_t pfn = l->tables.pfn;

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

static void place(struct pv_layout *l, struct pv_area *a, uint64_t *next, uint64_t nr)
{
	a->pfn = *next;
	a->nr = nr;
	a->vaddr = l->virt_base + *next * GUEST_PAGE_SIZE;
	*next += nr;
}

/* A small guest has no frames to map up to the alignment: all it has, but for what lies apart. */
static uint64_t end_within_memory(const struct pv_layout *l, uint64_t end, uint64_t padded)
{
	uint64_t apart = l->p2m_mapped_apart ? pages(l->nr_pages * sizeof(uint64_t)) : 0;
	uint64_t room;

	if (!l->initrd_mapped)
		apart += pages(l->initrd_len);
	room = l->nr_pages > apart ? l->nr_pages - apart : 0;
	if ((end - l->virt_base) / GUEST_PAGE_SIZE <= room)
		return end;
	return room > (padded - l->virt_base) / GUEST_PAGE_SIZE ?
		       l->virt_base + room * GUEST_PAGE_SIZE :
		       l->virt_base + pages(padded - l->virt_base) * GUEST_PAGE_SIZE;
}

/* Everything for a given number of page tables; returns the first frame not used. */
static uint64_t place_all(struct pv_layout *l, const struct elf64 *elf, uint64_t nr_tables)
{
	uint64_t next = l->kernel.pfn + l->kernel.nr, end, padded;

	if (l->initrd_mapped)
		place(l, &l->initrd, &next, pages(l->initrd_len));
	if (!l->p2m_mapped_apart)
		place(l, &l->p2m, &next, pages(l->nr_pages * sizeof(uint64_t)));
	place(l, &l->start_info, &next, 1);
	place(l, &l->store, &next, 1);
	place(l, &l->console, &next, 1);
	place(l, &l->tables, &next, nr_tables);
	place(l, &l->stack, &next, 1);

	padded = l->virt_base + next * GUEST_PAGE_SIZE + MIN_PADDING;
	end = (padded + MAP_ALIGN - 1) & ~(uint64_t)(MAP_ALIGN - 1);
	/* VIRT_BASE may lie so near the top that the padding wraps: end at the top then. */
	if (end < l->virt_base)
		end = 0;
	end = end_within_memory(l, end, padded);
	l->virt_end = end;
	l->range[0] = (struct pv_area){ 0, (end - l->virt_base) / GUEST_PAGE_SIZE, l->virt_base };
	l->nr_ranges = 1;
	next = l->range[0].nr;

	if (l->p2m_mapped_apart) {
		place(l, &l->p2m, &next, pages(l->nr_pages * sizeof(uint64_t)));
		l->p2m.vaddr = elf->init_p2m;
		l->range[l->nr_ranges++] = l->p2m;
	}
	if (!l->initrd_mapped)
		place(l, &l->initrd, &next, pages(l->initrd_len));
	return next;
}

static int plan_kernel(struct pv_layout *l, const struct elf64 *elf)
{
	uint64_t start, end;

	l->paddr_delta = elf->paddr_offset;
	if (elf->pstart < elf->paddr_offset)
		return -EINVAL;
	start = elf->pstart - elf->paddr_offset;
	end = elf->pend - elf->paddr_offset;
	l->virt_base = elf->virt_base;
	l->kernel.pfn = start / GUEST_PAGE_SIZE;
	l->kernel.nr = pages(end) - l->kernel.pfn;
	l->kernel.vaddr = l->virt_base + l->kernel.pfn * GUEST_PAGE_SIZE;
	if (!range_usable(l->virt_base, pages(end)))
		return -EINVAL;
	l->entry = elf->entry;
	if (l->entry < l->virt_base || l->entry - l->virt_base >= end)
		return -EINVAL;
	if (elf->hypercall_page == ELF64_ADDR_UNSET)
		return 0;
	if (elf->hypercall_page % GUEST_PAGE_SIZE || elf->hypercall_page < l->kernel.vaddr ||
	    elf->hypercall_page - l->virt_base >= end)
		return -EINVAL;
	l->has_hypercall_page = true;
	l->hypercall_pfn = (elf->hypercall_page - l->virt_base) / GUEST_PAGE_SIZE;
	return 0;
}

int pv_layout_plan(struct pv_layout *l, const struct elf64 *elf, uint64_t nr_pages,
		   uint64_t initrd_len, uint64_t *needed_pages)
{
	uint64_t guess = PV_LEVELS, used, got;
	int err;

	*l = (struct pv_layout){ .nr_pages = nr_pages, .initrd_len = initrd_len };
	err = plan_kernel(l, elf);
	if (err)
		return err;
	l->initrd_mapped = initrd_len && !elf->mod_start_pfn;
	l->p2m_mapped_apart = elf->init_p2m != ELF64_ADDR_UNSET;
	do {
		used = place_all(l, elf, guess);
		got = plan_tables(l);
		if (got <= guess)
			break;
		guess = got;
	} while (used <= nr_pages);

	for (unsigned int i = 0; i < l->nr_ranges; i++) {
		if (!range_usable(l->range[i].vaddr, l->range[i].nr))
			return -EINVAL;
	}
	if (l->nr_ranges == 2 && overlap(&l->range[0], &l->range[1]))
		return -EINVAL;
	*needed_pages = used;
	return used <= nr_pages ? 0 : -ENOMEM;
}

bool pv_layout_table(const struct pv_layout *l, unsigned int level, uint64_t vaddr, uint64_t *pfn)
{
	uint64_t idx = (vaddr & VA_MASK) >> pv_level_shift(level);

	for (unsigned int i = 0; i < l->nr_tables[level]; i++) {
		const struct pv_tables *t = &l->table[level][i];

		if (idx >= t->first && idx <= t->last) {
			*pfn = t->pfn + (idx - t->first);
			return true;
		}
	}
	return false;
}
