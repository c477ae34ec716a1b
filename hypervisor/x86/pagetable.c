/* SPDX-License-Identifier: MIT */
/*
 * pagetable.c - the hypervisor's own mappings: direct map, image, read-only M2P, device registers.
 * All of their level-3 tables exist before the first guest table copies the sixteen L4 entries.
 */
#include "lib/log.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/e820.h"
#include "x86/layout.h"
#include "x86/pagetable.h"
#include "x86/percpu.h"
#include "x86/pte.h"
#include "x86/smp.h"
#include "x86/tlb.h"
#include "x86/xpti.h"

#define LEVEL_SHIFT(level) (12 + 9 * ((level)-1))
#define LEVEL_SIZE(level) (1UL << LEVEL_SHIFT(level))
#define LEVEL_INDEX(va, level) (((va) >> LEVEL_SHIFT(level)) & 511)

extern u8 image_start[], text_end[], rodata_start[], rodata_end[], image_end[];
extern u8 cpu_stack[];

u64 *hv_l4;
static unsigned long ioremap_next = IOREMAP_START;
#define IOREMAP_END (IOREMAP_START + (1UL << 30))

static void *(*new_page)(void);

void pt_set_pages(void *(*fn)(void))
{
	new_page = fn;
}

void *pt_page(void)
{
	void *page = new_page();

	if (page)
		memset(page, 0, PAGE_SIZE);
	return page;
}

/*
 * Flags a table entry of the path needs: user access only where the guest may look. NULL: no
 * memory.
 */
static u64 *next_table(u64 *entry, u64 leaf_flags)
{
	if (!(*entry & PTE_P)) {
		u64 *table = pt_page();

		if (!table)
			return NULL;
		*entry = virt_to_maddr(table) | PTE_P | PTE_RW | PTE_A | (leaf_flags & PTE_US);
	}
	return maddr_to_virt(*entry & PTE_ADDR_MASK);
}

static unsigned int leaf_level(unsigned long va, maddr_t ma, u64 len)
{
	unsigned long both = va | ma;

	if (!(both & (LEVEL_SIZE(2) - 1)) && len >= LEVEL_SIZE(2))
		return 2;
	return 1;
}

bool pt_map_in(u64 *l4, unsigned long va, maddr_t ma, u64 len, u64 flags)
{
	/* A global translation would stay while a guest runs on tables without it. */
	if (xpti_is_on)
		flags &= ~PTE_G;
	while (len) {
		unsigned int leaf = leaf_level(va, ma, len);
		u64 *table = l4;

		for (unsigned int level = 4; table && level > leaf; level--)
			table = next_table(&table[LEVEL_INDEX(va, level)], flags);
		if (!table)
			return false;
		table[LEVEL_INDEX(va, leaf)] =
			ma | flags | PTE_P | PTE_A | PTE_D | (leaf > 1 ? PTE_PS : 0);
		va += LEVEL_SIZE(leaf);
		ma += LEVEL_SIZE(leaf);
		len -= MIN(len, LEVEL_SIZE(leaf));
	}
	return true;
}

void pt_map(unsigned long va, maddr_t ma, u64 len, u64 flags)
{
	if (!pt_map_in(hv_l4, va, ma, len, flags))
		hv_panic("no memory for a page table");
}

/* The entry that maps @va, or the first on the way to it that is absent; of which level. */
static u64 leaf_entry(unsigned long va, unsigned int *level)
{
	u64 entry = hv_l4[LEVEL_INDEX(va, 4)];

	for (*level = 4; *level > 1 && entry & PTE_P && !(*level < 4 && entry & PTE_PS);) {
		const u64 *table = maddr_to_virt(entry & PTE_ADDR_MASK);

		entry = table[LEVEL_INDEX(va, --*level)];
	}
	return entry;
}

bool pt_lookup(unsigned long va, maddr_t *ma)
{
	unsigned int level;
	u64 entry = leaf_entry(va, &level);

	*ma = entry & PTE_ADDR_MASK;
	return level == 1 && entry & PTE_P;
}

void pt_check_rights(void)
{
	const maddr_t fixed = (unsigned long)image_start - IMAGE_START;
	const maddr_t fixed_end = (unsigned long)rodata_end - IMAGE_START;
	unsigned int level;

	for (unsigned long va = HV_HOLE_START; va < HV_HOLE_END; va += LEVEL_SIZE(level)) {
		u64 entry = leaf_entry(va, &level);
		maddr_t ma = entry & PTE_ADDR_MASK;

		if (!(entry & PTE_P) || !(entry & PTE_RW))
			continue;
		if (!(entry & PTE_NX))
			hv_panic("page table: %lx can be written and executed", va);
		if (ma < fixed_end && ma + LEVEL_SIZE(level) > fixed)
			hv_panic("page table: %lx writes to the hypervisor's own code or constants",
				 va);
	}
	if (!cpu_keeps_rights())
		hv_panic("page table: this CPU does not keep to read-only and no-execute");
	log_info("memory: nothing can be both written and executed");
}

/* Small pages up to the first 2 MiB boundary, then large ones, then the rest. */
static void map_direct_range(maddr_t start, maddr_t end)
{
	while (start < end) {
		maddr_t stop = start & (LEVEL_SIZE(2) - 1) ? ALIGN_UP(start + 1, LEVEL_SIZE(2))
							   : ALIGN_DOWN(end, LEVEL_SIZE(2));

		if (stop <= start || stop > end)
			stop = end;
		pt_map(DIRECTMAP_START + start, start, stop - start, PTE_RW | PTE_NX | PTE_G);
		start = stop;
	}
}

/*
 * Whole pages of RAM; holes (VGA, devices) stay unmapped, and so does the image: its text must not
 * be writable through a second address.
 */
static void map_direct(void)
{
	maddr_t image = (unsigned long)image_start - IMAGE_START;
	maddr_t behind = ALIGN_UP((unsigned long)image_end, PAGE_SIZE) - IMAGE_START;

	for (unsigned int i = 0; i < machine_e820.nr; i++) {
		const struct e820_entry *e = &machine_e820.entry[i];
		maddr_t start = ALIGN_UP(e->addr, PAGE_SIZE);
		maddr_t end = ALIGN_DOWN(e->addr + e->size, PAGE_SIZE);

		if (e->type != E820_RAM || start >= end)
			continue;
		map_direct_range(start, MIN(end, image));
		map_direct_range(MAX(start, behind), end);
	}
}

static void map_image(const u8 *start, const u8 *end, u64 flags)
{
	unsigned long va = ALIGN_DOWN((unsigned long)start, PAGE_SIZE);
	unsigned long stop = ALIGN_UP((unsigned long)end, PAGE_SIZE);

	/* Page by page: 4 KiB entries keep the rights of neighbours apart. */
	for (; va < stop; va += PAGE_SIZE)
		if (va != (unsigned long)cpu_stack + STACK_GUARD_OFFSET)
			pt_map(va, va - IMAGE_START, PAGE_SIZE, flags | PTE_G);
}

void pagetable_init(void)
{
	hv_l4 = pt_page();
	map_direct();
	map_image(image_start, text_end, 0);
	map_image(rodata_start, rodata_end, PTE_NX);
	map_image(rodata_end, image_end, PTE_NX | PTE_RW);
	smp_map_boot_stack();
	/* The slots every guest's table copies must never change again. */
	next_table(&hv_l4[LEVEL_INDEX(IOREMAP_START, 4)], 0);
	next_table(&hv_l4[LEVEL_INDEX(M2P_RO_START, 4)], PTE_US);
	this_cpu()->hv_cr3 = virt_to_maddr(hv_l4);
	write_cr3(virt_to_maddr(hv_l4));
	tlb_flush_local_all();
}

void *ioremap(maddr_t ma, size_t len)
{
	unsigned long offset = ma & PAGE_OFFSET_MASK;
	unsigned long va = ioremap_next;
	u64 size = ALIGN_UP(offset + len, PAGE_SIZE);

	if (size > IOREMAP_END - ioremap_next)
		return NULL;
	/* 4 KiB entries: device windows have no particular alignment. */
	for (u64 done = 0; done < size; done += PAGE_SIZE)
		if (!pt_map_in(hv_l4, va + done, (ma - offset) + done, PAGE_SIZE,
			       PTE_RW | PTE_NX | PTE_PCD | PTE_PWT | PTE_G))
			return NULL; /* the addresses are the next caller's: nobody has used them */
	ioremap_next += size;
	return (void *)(va + offset);
}
