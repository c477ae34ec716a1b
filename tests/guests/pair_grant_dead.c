/* SPDX-License-Identifier: MIT */
#include "pair.h"

#define SECRET 0x5ec2e7115ec2e711UL
#define FRAMES 300

static void rules(void)
{
	u64 *page = page_alloc();

	for (unsigned int k = 0; k < 512; k++)
		page[k] = SECRET;
	pair_word[0] = grant_offer(pair_peer, virt_to_mfn(page), 0);
	pair_word[1] = grant_offer(pair_peer, virt_to_mfn(page_alloc()), 0);
	pair_reach(1);
	pair_await(1);
}

/* D8: the frame stays what it is while somebody maps it, and is nobody's afterwards. */
static void attack(void)
{
	static xen_pfn_t got[FRAMES];
	u64 *view = pair_view(), *other = page_alloc();
	struct gnttab_map_grant_ref m;
	grant_ref_t ref, not_held;
	unsigned int nr;
	u64 mfn;

	pair_await(1);
	ref = (grant_ref_t)pair_word[0];
	not_held = (grant_ref_t)pair_word[1];
	m = grant_map(pair_peer, ref, view, GNTMAP_host_map);
	check_is(m.status, GNTST_okay);
	mfn = m.dev_bus_addr >> PAGE_SHIFT;
	pair_reach(1);
	pair_await_death(not_held);
	for (unsigned int k = 0; k < 512; k++)
		check(view[k] == SECRET);
	check(!poke_faults(view));
	nr = pair_take_frames(got, FRAMES);
	check(nr > 0);
	for (unsigned int i = 0; i < nr; i++)
		check(got[i] != mfn);
	check_is(grant_unmap(m.handle, view), GNTST_okay);
	check(peek_faults(view));
	check(grant_map(pair_peer, ref, view, GNTMAP_host_map).status < 0);
	check(hc_update_va(other, pte_make(mfn, PTE_RO), UVMF_INVLPG) < 0);
	check(grant_unmap(m.handle, view) < 0);
}

GUEST_TEST(pair_grant_dead, "the page of a dead granter lives as long as its mapping, no longer", 0)
{
	pair_run(rules, attack);
}
