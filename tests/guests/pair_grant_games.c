/* SPDX-License-Identifier: MIT */
#include "pair.h"

#define VALUE 0x1234567890abcdefUL

enum { THEIRS, OURS };

/* Maps what the other granted, which plays with it meanwhile; grants what the other plays with. */
static void rules(void)
{
	volatile u64 *view = pair_view();
	u64 *mine = page_alloc();
	grant_ref_t ref = grant_offer(pair_peer, virt_to_mfn(mine), 0);
	struct gnttab_map_grant_ref m;

	pair_await(1);
	m = grant_map(pair_peer, (grant_ref_t)pair_word[THEIRS], (void *)view, GNTMAP_host_map);
	check_is(m.status, GNTST_okay);
	check(*view == VALUE);
	pair_word[OURS] = ref;
	pair_reach(1);
	pair_await(2); /* the entry is another by now, and the page the other's no more */
	check(*view == VALUE);
	*view = 7;
	check(!grant_end(ref)); /* and it has ours mapped */
	check_is(grant_unmap(m.handle, (void *)view), GNTST_okay);
	check(peek_faults(view));
	check(grant_map(pair_peer, (grant_ref_t)pair_word[THEIRS], (void *)view, GNTMAP_host_map)
		      .status < 0);
	pair_reach(2);
	pair_await(3);
	check(!grant_end(ref)); /* one of two mappings is left, whatever was unmapped how often */
	pair_reach(3);
	pair_await(4);
	check(grant_end(ref));
	pair_reach(4);
	pair_await(5);
}

static void play_granter(void)
{
	u64 *page = page_alloc(), *other = page_alloc();
	grant_ref_t ref = grant_offer(pair_peer, virt_to_mfn(page), 0);
	struct grant_entry_v1 *e = &grants_table()[ref];
	xen_pfn_t mfn = virt_to_mfn(page);
	struct xen_memory_reservation r = { .nr_extents = 1, .domid = DOMID_SELF };
	struct gnttab_swap_grant_ref swap =
		{ ref, grant_offer(pair_peer, virt_to_mfn(other), 0), 0 };

	*page = VALUE;
	pair_word[THEIRS] = ref;
	pair_reach(1);
	pair_await(1);
	check_is(hc_gnttab(GNTTABOP_swap_grant_ref, &swap, 1), 0);
	check(swap.status < 0);
	WRITE_ONCE(e->frame, (u32)virt_to_mfn(other));
	WRITE_ONCE(e->domid, 0);
	WRITE_ONCE(e->flags, GTF_accept_transfer);
	WRITE_ONCE(e->flags, 0);
	need(map_page(page, 0));
	set_xen_guest_handle(r.extent_start, &mfn);
	hc_memory(XENMEM_decrease_reservation, &r);
}

static void play_mapper(grant_ref_t ref)
{
	u64 *view = pair_view(), *second = pair_view();
	struct gnttab_map_grant_ref m = grant_map(pair_peer, ref, view, GNTMAP_host_map);
	struct gnttab_map_grant_ref n = grant_map(pair_peer, ref, second, GNTMAP_host_map);

	check_is(m.status, GNTST_okay);
	check_is(n.status, GNTST_okay);
	pair_reach(2);
	pair_await(2);
	check_is(grant_unmap(m.handle, view), GNTST_okay);
	for (unsigned int i = 0; i < 50; i++) {
		check(grant_unmap(m.handle, view) < 0);
		check(grant_unmap(m.handle, second) < 0);
		check(grant_unmap(n.handle, view) < 0);
		check(grant_unmap(n.handle + 1 + i, second) < 0);
	}
	check(!poke_faults(second));
	pair_reach(3);
	pair_await(3);
	check_is(grant_unmap(n.handle, second), GNTST_okay);
	check(peek_faults(second));
	pair_reach(4);
	pair_await(4);
	check(grant_map(pair_peer, ref, view, GNTMAP_host_map).status < 0);
	pair_reach(5);
}

static void attack(void)
{
	play_granter();
	play_mapper((grant_ref_t)pair_word[OURS]);
}

GUEST_TEST(pair_grant_games,
	   "a mapping is what it was made as, whatever either side does to entry, page or handle",
	   0)
{
	pair_run(rules, attack);
}
