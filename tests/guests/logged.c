/* SPDX-License-Identifier: MIT */
/*
 * logged.c - the life of a guest that moves: it writes, remaps, forks, gives memory back and gets
 * other, swaps frames and grants, on two vcpus, and knows at any time what must be in each of its
 * pages and its tables. guestrun -l asks meanwhile which pages it wrote.
 */
#include "claim.h"

#define PAGES 24
#define WORDS 8
#define ROUNDS 12000 /* some tens of questions long */
#define CHECK_EVERY 64
#define SPACES 4

static u64 *page[PAGES];
static u64 model[PAGES][WORDS];
static u64 state = 88172645463325252ULL;

static u64 any(u64 below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % below;
}

static void write_some(void)
{
	for (unsigned int n = 0; n < 4; n++) {
		unsigned int i = (unsigned int)any(PAGES), w = (unsigned int)any(WORDS);

		model[i][w] = state;
		*(volatile u64 *)&page[i][w] = state;
	}
}

static void check_all(void)
{
	for (unsigned int i = 0; i < PAGES; i++)
		for (unsigned int w = 0; w < WORDS; w++)
			check_is(*(volatile u64 *)&page[i][w], model[i][w]);
}

/* Two pages change their frames; words stay with the frames. */
static void swap_mappings(void)
{
	unsigned int a = (unsigned int)any(PAGES), b = (unsigned int)any(PAGES);
	u64 ma = virt_to_mfn(page[a]), mb = virt_to_mfn(page[b]), words[WORDS];

	if (a == b)
		return;
	check_is(map_page(page[a], pte_make(mb, PTE_DATA)), 0);
	check_is(map_page(page[b], pte_make(ma, PTE_DATA)), 0);
	memcpy(words, model[a], sizeof(words));
	for (unsigned int w = 0; w < WORDS; w++) {
		check_is(*(volatile u64 *)&page[a][w], model[b][w]);
		check_is(*(volatile u64 *)&page[b][w], words[w]);
	}
	need(map_page(page[a], pte_make(ma, PTE_DATA)));
	need(map_page(page[b], pte_make(mb, PTE_DATA)));
}

/* A and D are the MMU's to set, and the guest's to clear. */
static void watch_bits(void)
{
	unsigned int i = (unsigned int)any(PAGES);
	const u64 *entry = pte_find(page[i], 1);
	u64 mfn = virt_to_mfn(page[i]);

	check_is(hc_update_va(page[i], pte_make(mfn, PTE_P | PTE_RW | PTE_US),
			      UVMF_INVLPG | UVMF_ALL), 0);
	check_is(*(volatile const u64 *)entry & (PTE_D | PTE_RW), PTE_RW);
	check_is(*(volatile u64 *)&page[i][0], model[i][0]);
	check_is(*(volatile const u64 *)entry & (PTE_A | PTE_D | PTE_RW), PTE_RW | PTE_A);
	model[i][0]++;
	*(volatile u64 *)&page[i][0] = model[i][0];
	check_is(*(volatile const u64 *)entry & (PTE_A | PTE_D | PTE_RW), PTE_RW | PTE_A | PTE_D);
}

static void *space_of(u64 n)
{
	return (void *)(0x40000000000UL + (n << 39));
}

/*
 * What hangs in the top-level table for each when it is in use; a table that hangs nowhere is no
 * table.
 */
static u64 hung_in[SPACES];

/* Another address space with tables of its own, in which a page is a copy until it is written. */
static void fork_and_write(void)
{
	u64 n = any(SPACES);
	void *va = space_of(n);
	unsigned int i = (unsigned int)any(PAGES);
	u64 *l4 = page_alloc(), *copy = page_alloc(), old = virt_to_mfn(pt_base());

	check_is(hc_mmu_update(pte_maddr(va, 4), hung_in[n]), 0);
	memcpy(copy, page[i], PAGE_SIZE);
	check_is(hc_update_va(va, pte_make(virt_to_mfn(page[i]), PTE_RO), UVMF_INVLPG), 0);
	check_is(*(volatile u64 *)va, model[i][0]);
	for (unsigned int e = 0; e < 512; e++)
		l4[e] = e >= 256 && e <= 271 ? 0 : pt_base()[e];
	need(page_readonly(l4));
	check_is(hc_mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(l4), 0), 0);
	check_is(*(volatile u64 *)va, model[i][0]);
	check_is(hc_update_va(va, pte_make(virt_to_mfn(copy), PTE_DATA), UVMF_INVLPG), 0);
	*(volatile u64 *)va = ~model[i][0];
	check_is(copy[0], ~model[i][0]);
	check_is(*(volatile u64 *)&page[i][0], model[i][0]);
	check_is(hc_mmuext(MMUEXT_NEW_BASEPTR, old, 0), 0);
	check_is(hc_mmu_update(pte_maddr(va, 4), 0), 0);
	need(hc_mmuext(MMUEXT_TLB_FLUSH_LOCAL, 0, 0));
	check_is(page_writable(l4), 0);
	page_free(l4);
	page_free(copy);
}

static void reservation_of(xen_pfn_t *frame, unsigned int cmd)
{
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };

	set_xen_guest_handle(r.extent_start, frame);
	check_is(hc_memory(cmd, &r), 1);
}

/* A page's frame goes, and another, empty, comes. */
static void balloon(void)
{
	unsigned int i = (unsigned int)any(PAGES);
	xen_pfn_t frame = virt_to_mfn(page[i]);

	need(map_page(page[i], 0));
	reservation_of(&frame, XENMEM_decrease_reservation);
	frame = virt_to_pfn(page[i]);
	reservation_of(&frame, XENMEM_populate_physmap);
	p2m_set(virt_to_pfn(page[i]), frame);
	need(page_writable(page[i]));
	memset(model[i], 0, sizeof(model[i]));
}

static void exchange(void)
{
	unsigned int i = (unsigned int)any(PAGES);
	xen_pfn_t in = virt_to_mfn(page[i]), out = virt_to_pfn(page[i]);
	struct xen_memory_exchange x = { .in = { .nr_extents = 1, .domid = DOMID_SELF },
					 .out = { .nr_extents = 1, .domid = DOMID_SELF } };

	set_xen_guest_handle(x.in.extent_start, &in);
	set_xen_guest_handle(x.out.extent_start, &out);
	need(map_page(page[i], 0));
	check_is(hc_memory(XENMEM_exchange, &x), 0);
	p2m_set(virt_to_pfn(page[i]), out);
	need(page_writable(page[i]));
	memset(model[i], 0, sizeof(model[i]));
}

/* Written by a grant's mapping, and by a copy. */
static void grant(void)
{
	unsigned int i = (unsigned int)any(PAGES), k = (unsigned int)any(PAGES);
	u64 *view = page_alloc();
	grant_ref_t ref = grant_offer(guest_domid(), virt_to_mfn(page[i]), 0);
	struct gnttab_map_grant_ref m;
	struct gnttab_copy c = { .source = { .u.gmfn = virt_to_mfn(page[k]), .domid = DOMID_SELF },
				 .dest = { .u.ref = ref, .domid = guest_domid() },
				 .len = sizeof(model[k]), .flags = GNTCOPY_dest_gref };

	need(map_page(view, 0));
	m = grant_map(guest_domid(), ref, view, GNTMAP_host_map);
	check_is(m.status, GNTST_okay);
	model[i][1] = state;
	*(volatile u64 *)&view[1] = state;
	check_is(grant_unmap(m.handle, view), GNTST_okay);
	check_is(hypercall(grant_table_op, GNTTABOP_copy, &c, 1), 0);
	check_is(c.status, GNTST_okay);
	memcpy(model[i], model[k], sizeof(model[i]));
	check(grant_end(ref));
	need(page_writable(view));
	page_free(view);
}

static volatile bool is_over;
static volatile u64 *others;

/* The other vcpu's pages are its own; the kernel's tables are shared. */
static void write_beside(void *arg)
{
	u64 nr = 0, mine[WORDS] = { 0 };

	while (!is_over) {
		unsigned int w = (unsigned int)(++nr % WORDS);

		if (others[w] != mine[w])
			break;
		others[w] = mine[w] = nr;
	}
	*(u64 *)arg = is_over ? nr : 0;
}

GUEST_TEST(logged,
	   "a guest finds its memory and its tables as it left them, whoever asks what it wrote", 0)
{
	static void (*const deeds[])(void) = { write_some,     write_some, write_some,
					       swap_mappings,  watch_bits, fork_and_write,
					       balloon,	       exchange,   grant };
	static volatile u64 turns;

	for (unsigned int i = 0; i < PAGES; i++)
		page[i] = page_alloc();
	for (unsigned int n = 0; n < SPACES; n++) {
		need(tables_make(space_of(n)));
		hung_in[n] = *pte_find(space_of(n), 4);
		need(hc_mmu_update(pte_maddr(space_of(n), 4), 0));
	}
	others = page_alloc();
	need(vcpu_run(1, write_beside, (void *)&turns));
	while (!others[1])
		hc_sched(SCHEDOP_yield, NULL);
	for (unsigned int n = 0; n < ROUNDS; n++) {
		deeds[any(ARRAY_SIZE(deeds))]();
		if (n % CHECK_EVERY == 0)
			check_all();
	}
	check_all();
	is_over = true;
	while (vcpu_is_up(1) > 0)
		hc_sched(SCHEDOP_yield, NULL);
	check(turns > 0);
}
