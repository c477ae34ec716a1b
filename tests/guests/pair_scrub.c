/* SPDX-License-Identifier: MIT */
#include "pair.h"

#define SECRET 0x5ec2e7115ec2e711UL
#define FRAMES 500
#define PAGES 200

/* Leaves its memory behind, full of what nobody else may see. */
static void rules(void)
{
	pair_word[0] = grant_offer(pair_peer, virt_to_mfn(page_alloc()), 0);
	for (unsigned int i = 1; i <= PAGES; i++) {
		u64 *page = page_alloc();

		for (unsigned int k = 0; k < 512; k++)
			page[k] = SECRET;
		pair_word[i] = virt_to_mfn(page);
	}
	pair_reach(1);
	pair_await(1);
}

static bool was_theirs(const u64 *theirs, u64 mfn)
{
	for (unsigned int i = 0; i < PAGES; i++)
		if (theirs[i] == mfn)
			return true;
	return false;
}

/* C25: frames that were another domain's hold nothing of it. */
static void attack(void)
{
	static xen_pfn_t got[FRAMES];
	static u64 theirs[PAGES];
	u64 *window = page_alloc();
	unsigned int nr, again = 0;
	grant_ref_t ref;

	pair_await(1);
	ref = (grant_ref_t)pair_word[0];
	for (unsigned int i = 0; i < PAGES; i++)
		theirs[i] = pair_word[i + 1];
	pair_reach(1);
	pair_await_death(ref);
	sleep_ns(NS_PER_S / 2); /* until all of it is back */
	nr = pair_take_frames(got, FRAMES);
	check(nr > PAGES);
	for (unsigned int i = 0; i < nr; i++) {
		again += was_theirs(theirs, got[i]);
		need(map_page(window, pte_make(got[i], PTE_DATA)));
		for (unsigned int k = 0; k < 512; k++)
			check(window[k] != SECRET);
	}
	say("frames: %u, of them %u the other's before\n", nr, again);
	if (!again)
		test_skip("none of the frames came back");
}

GUEST_TEST(pair_scrub, "what a domain leaves behind, the next owner of its frames cannot read", 0)
{
	pair_run(rules, attack);
}
