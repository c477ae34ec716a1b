/* SPDX-License-Identifier: MIT */
/* bootmem.c - see bootmem.h. A sorted array of taken ranges; neighbours are merged, so it stays
 * short. */
#include "boot/bootmem.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/e820.h"

#define MAX_TAKEN 256
#define LOW_MEMORY (1ULL << 20)	 /* firmware's; stays DOMID_IO for dom0 to look at */

static struct range {
	maddr_t start, end;
} taken[MAX_TAKEN];
static unsigned int nr_taken;
static bool closed;
static maddr_t mapped_end = 1ULL << 32; /* of the early direct map, head.S */

static void insert_at(unsigned int i, maddr_t start, maddr_t end)
{
	if (nr_taken == MAX_TAKEN)
		hv_panic("boot memory: too many separate ranges");
	memmove(&taken[i + 1], &taken[i], (nr_taken - i) * sizeof(taken[0]));
	taken[i] = (struct range){ start, end };
	nr_taken++;
}

static void remove_at(unsigned int i)
{
	nr_taken--;
	memmove(&taken[i], &taken[i + 1], (nr_taken - i) * sizeof(taken[0]));
}

void bootmem_reserve(maddr_t start, u64 len)
{
	maddr_t end = ALIGN_UP(start + len, PAGE_SIZE);
	unsigned int i = 0;

	start = ALIGN_DOWN(start, PAGE_SIZE);
	if (start >= end)
		return;
	while (i < nr_taken && taken[i].end < start)
		i++;
	/* Swallow every range that touches or overlaps the new one. */
	while (i < nr_taken && taken[i].start <= end) {
		start = MIN(start, taken[i].start);
		end = MAX(end, taken[i].end);
		remove_at(i);
	}
	insert_at(i, start, end);
}

/* The highest place for @size bytes in [start, end) beside the taken ranges; 0: none. */
static maddr_t find_in(maddr_t start, maddr_t end, u64 size, u64 align)
{
	unsigned int i = nr_taken;

	for (;;) {
		maddr_t at = end >= size ? ALIGN_DOWN(end - size, align) : 0;

		if (at < start || !at)
			return 0;
		while (i > 0 && taken[i - 1].start >= at + size)
			i--;
		if (i == 0 || taken[i - 1].end <= at)
			return at;
		end = taken[i - 1].start;
	}
}

maddr_t bootmem_alloc(u64 size, u64 align)
{
	size = ALIGN_UP(size, PAGE_SIZE);
	for (unsigned int i = machine_e820.nr; i-- > 0;) {
		const struct e820_entry *e = &machine_e820.entry[i];
		maddr_t start = MAX(ALIGN_UP(e->addr, PAGE_SIZE), LOW_MEMORY);
		maddr_t end = MIN(ALIGN_DOWN(e->addr + e->size, PAGE_SIZE), mapped_end);
		maddr_t at;

		if (e->type != E820_RAM || start >= end)
			continue;
		at = find_in(start, end, size, align);
		if (!at)
			continue;
		bootmem_reserve(at, size);
		return at;
	}
	hv_panic("boot memory: no %lu KiB of RAM free below %lu GiB", size >> 10, mapped_end >> 30);
}

void bootmem_mapped(maddr_t end)
{
	mapped_end = end;
}

bool bootmem_is_open(void)
{
	return !closed;
}

/* One stretch of RAM: gaps between the taken ranges become free. */
static void release_ram(maddr_t start, maddr_t end)
{
	for (unsigned int i = 0; i < nr_taken && start < end; i++) {
		maddr_t from = MAX(taken[i].start, start), to = MIN(taken[i].end, end);

		if (from >= to)
			continue;
		if (start < from)
			page_alloc_add(maddr_to_mfn(start), maddr_to_mfn(from));
		frame_mark_xen(maddr_to_mfn(from), maddr_to_mfn(to));
		start = to;
	}
	if (start < end)
		page_alloc_add(maddr_to_mfn(start), maddr_to_mfn(end));
}

void bootmem_close(void)
{
	closed = true;
	for (unsigned int i = 0; i < machine_e820.nr; i++) {
		const struct e820_entry *e = &machine_e820.entry[i];
		maddr_t start = MAX(ALIGN_UP(e->addr, PAGE_SIZE), LOW_MEMORY);
		maddr_t end = ALIGN_DOWN(e->addr + e->size, PAGE_SIZE);

		if (e->type == E820_RAM && start < end)
			release_ram(start, end);
	}
}
