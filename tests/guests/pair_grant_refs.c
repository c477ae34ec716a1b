/* SPDX-License-Identifier: MIT */
#include "pair.h"

#define SECRET 0x5ec2e7115ec2e711UL

enum { OPEN, READ_ONLY, REVOKED, ANOTHERS, NR_REFS, BESIDE = NR_REFS };

static void rules(void)
{
	u64 *page[NR_REFS];
	const domid_t to[NR_REFS] = { pair_peer, pair_peer, pair_peer, 0 };

	for (unsigned int i = 0; i < NR_REFS; i++) {
		page[i] = page_alloc();
		for (unsigned int k = 0; k < 512; k++)
			page[i][k] = SECRET;
		pair_word[i] = grant_offer(to[i], virt_to_mfn(page[i]),
					   i == READ_ONLY ? GTF_readonly : 0);
	}
	check(grant_end((grant_ref_t)pair_word[REVOKED]));
	pair_reach(1);
	pair_await(1);
	for (unsigned int i = 0; i < NR_REFS; i++)
		for (unsigned int k = i == OPEN ? 1 : 0; k < 512; k++)
			check(page[i][k] == SECRET);
	check_is(page[OPEN][0], 1); /* what it may do, it could */
	for (unsigned int i = 0; i < NR_REFS; i++)
		check_is(grants_table()[pair_word[i]].flags & (GTF_reading | GTF_writing), 0);
}

static s16 map(grant_ref_t ref, void *view, u32 flags)
{
	return grant_map(pair_peer, ref, view, GNTMAP_host_map | flags).status;
}

/* A copy between @mine and the other's @ref; its status. */
static s16 copy(u64 *mine, grant_ref_t ref, bool to, u16 at, u16 len)
{
	struct gnttab_copy op = { .len = len, .status = GNTST_general_error };
	struct gnttab_copy_ptr *theirs = to ? &op.dest : &op.source;
	struct gnttab_copy_ptr *own = to ? &op.source : &op.dest;

	op.flags = to ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
	theirs->u.ref = ref;
	theirs->domid = pair_peer;
	theirs->offset = at;
	own->u.gmfn = virt_to_mfn(mine);
	own->domid = DOMID_SELF;
	need(hc_gnttab(GNTTABOP_copy, &op, 1));
	return op.status;
}

static void attack(void)
{
	u64 *mine = page_alloc(), *view = pair_view();
	grant_ref_t ref[NR_REFS];
	struct gnttab_map_grant_ref m;
	u64 mfn;

	pair_await(1);
	for (unsigned int i = 0; i < NR_REFS; i++)
		ref[i] = (grant_ref_t)pair_word[i];
	check(map(ref[ANOTHERS] + BESIDE, view, 0) < 0);
	check(map(1u << 30, view, 0) < 0);
	for (unsigned int i = REVOKED; i < NR_REFS; i++) {
		check(map(ref[i], view, 0) < 0);
		check(map(ref[i], view, GNTMAP_readonly) < 0);
		check(copy(mine, ref[i], false, 0, 8) < 0);
		check(copy(mine, ref[i], true, 0, 8) < 0);
	}
	check(map(ref[READ_ONLY], view, 0) < 0);
	check(copy(mine, ref[READ_ONLY], true, 0, 8) < 0);
	check(copy(mine, ref[OPEN], true, 4090, 7) < 0);
	check(copy(mine, ref[OPEN], false, 4090, 7) < 0);
	for (unsigned int k = 0; k < 512; k++)
		check(mine[k] == 0);
	mine[0] = 1;
	check_is(copy(mine, ref[OPEN], true, 0, 8), GNTST_okay);

	/* what it sees read-only it makes no other mapping of */
	m = grant_map(pair_peer, ref[READ_ONLY], view, GNTMAP_host_map | GNTMAP_readonly);
	check_is(m.status, GNTST_okay);
	check(view[0] == SECRET);
	check(poke_faults(view));
	mfn = m.dev_bus_addr >> PAGE_SHIFT;
	check(hc_update_va(mine, pte_make(mfn, PTE_DATA), UVMF_INVLPG) < 0);
	check(hc_mmu_update(pte_maddr(view, 1) | MMU_NORMAL_PT_UPDATE,
			    pte_make(mfn, PTE_DATA)) < 0);
	check(poke_faults(view));
	check_is(grant_unmap(m.handle, view), GNTST_okay);
	check(peek_faults(view));
	pair_reach(1);
}

GUEST_TEST(pair_grant_refs,
	   "of another domain's pages none is reached but by the grant, as it says",
	   0)
{
	pair_run(rules, attack);
}
