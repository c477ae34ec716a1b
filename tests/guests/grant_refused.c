/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* C35, C37: every refusal is a negative status, and nothing stays held. */
GUEST_TEST(grant_refused,
	   "what was not granted to this domain is refused with the right status", ALSO_DOM0)
{
	u64 *mine = page_alloc(), *view = page_alloc();
	domid_t self = guest_domid();
	grant_ref_t ref = grant_offer(self, virt_to_mfn(mine), 0);
	grant_ref_t other = grant_offer(0x7001, virt_to_mfn(mine), 0);

	check_is(grant_map(self, 1u << 30, view, GNTMAP_host_map).status, GNTST_bad_gntref);
	check(grant_map(self, grant_alloc(), view, GNTMAP_host_map).status < 0);
	check(grant_map(self, other, view, GNTMAP_host_map).status < 0);
	check_is(grant_map(0x7001, ref, view, GNTMAP_host_map).status, GNTST_bad_domain);
	check_is(grant_map(DOMID_XEN, ref, view, GNTMAP_host_map).status, GNTST_bad_domain);
	check_is(grant_map(self, ref, view, 0).status, GNTST_bad_gntref);
	check(grant_map(self, ref, (void *)0x7000000000, GNTMAP_host_map).status < 0);
	check(grant_map(self, ref, (void *)(HYPERVISOR_VIRT_START + 0x1000), GNTMAP_host_map)
		      .status < 0);
	check(!(grants_table()[ref].flags & (GTF_reading | GTF_writing)));
	check(grant_end(ref));
	check(grant_end(other));
	page_free(mine);
	page_free(view);
}
