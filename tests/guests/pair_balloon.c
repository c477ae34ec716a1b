/* SPDX-License-Identifier: MIT */
#include "pair.h"

#define SECRET 0x5ec2e7115ec2e711UL
#define FRAMES 400
#define PAGES 100

/* Gives memory back and lives on. */
static void rules(void)
{
	static xen_pfn_t list[PAGES];
	struct xen_memory_reservation r = { .nr_extents = PAGES, .domid = DOMID_SELF };

	for (unsigned int i = 0; i < PAGES; i++) {
		u64 *page = page_alloc();

		for (unsigned int k = 0; k < 512; k++)
			page[k] = SECRET;
		pair_word[i] = list[i] = virt_to_mfn(page);
		need(map_page(page, 0));
	}
	set_xen_guest_handle(r.extent_start, list);
	check_is(hc_memory(XENMEM_decrease_reservation, &r), PAGES);
	pair_reach(1);
	pair_await(1);
}

/* C25. */
static void attack(void)
{
	static xen_pfn_t got[FRAMES];
	u64 *window = page_alloc();
	unsigned int nr, again = 0;

	pair_await(1);
	nr = pair_take_frames(got, FRAMES);
	check(nr > PAGES);
	for (unsigned int i = 0; i < nr; i++) {
		for (unsigned int k = 0; k < PAGES; k++)
			again += pair_word[k] == got[i];
		need(map_page(window, pte_make(got[i], PTE_DATA)));
		for (unsigned int k = 0; k < 512; k++)
			check(window[k] != SECRET);
	}
	say("frames: %u, of them %u the other's before\n", nr, again);
	pair_reach(1);
	if (!again)
		test_skip("none of the frames came back");
}

GUEST_TEST(pair_balloon, "what a living domain gave back, the next owner cannot read", 0)
{
	pair_run(rules, attack);
}
