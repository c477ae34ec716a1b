/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* D8, D9: the boot test counts the frames afterwards. */
GUEST_TEST(grant_teardown,
	   "a domain that ends with grants mapped leaves none of its frames behind", 0)
{
	domid_t self = guest_domid();

	for (unsigned int i = 0; i < 30; i++) {
		u64 *mine = page_alloc(), *view = page_alloc();
		grant_ref_t ref = grant_offer(self, virt_to_mfn(mine), 0);

		check_is(grant_map(self, ref, view, GNTMAP_host_map).status, GNTST_okay);
	}
}
