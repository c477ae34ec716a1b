/* SPDX-License-Identifier: MIT */
#include "claim.h"

static struct gnttab_copy copy(u64 from_mfn, grant_ref_t to, u16 from, u16 at, u16 len)
{
	struct gnttab_copy op = { .flags = GNTCOPY_dest_gref, .len = len, .status = 99 };
	long rc;

	op.source.u.gmfn = from_mfn;
	op.source.domid = DOMID_SELF;
	op.source.offset = from;
	op.dest.u.ref = to;
	op.dest.domid = guest_domid();
	op.dest.offset = at;
	rc = hc_gnttab(GNTTABOP_copy, &op, 1);
	if (rc)
		op.status = (int16_t)rc;
	return op;
}

GUEST_TEST(grant_copy,
	   "copies into a grant stay inside both pages, and need the right to write", ALSO_DOM0)
{
	u8 *from = page_alloc(), *to = page_alloc();
	domid_t self = guest_domid();
	u64 mfn = virt_to_mfn(from);
	grant_ref_t ref = grant_offer(self, virt_to_mfn(to), 0);
	grant_ref_t ro = grant_offer(self, virt_to_mfn(to), GTF_readonly);

	memset(from, 7, PAGE_SIZE);
	check_is(copy(mfn, ref, 100, 200, 300).status, GNTST_okay);
	check_is(to[199], 0);
	check_is(to[200], 7);
	check_is(to[499], 7);
	check_is(to[500], 0);
	check_is(copy(mfn, ref, 0, 0, PAGE_SIZE).status, GNTST_okay);
	check_is(copy(mfn, ref, 1, 0, PAGE_SIZE).status, GNTST_bad_copy_arg);
	check_is(copy(mfn, ref, 0, 4000, 97).status, GNTST_bad_copy_arg);
	check_is(copy(mfn, ref, 0xffff, 0xffff, 0xffff).status, GNTST_bad_copy_arg);
	check(copy(mfn, ro, 0, 0, 8).status < 0);
	check(copy(mfn, 1u << 30, 0, 0, 8).status < 0);
	check(copy(~0UL >> 12, ref, 0, 0, 8).status < 0);
	check(grant_end(ref));
	check(grant_end(ro));
	page_free(from);
	page_free(to);
}
