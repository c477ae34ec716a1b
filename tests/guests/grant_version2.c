/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* D11: version 2 and transitive grants are left out. */
GUEST_TEST(grant_version2,
	   "version 2 of the grant table is refused, and the guest keeps version 1", ALSO_DOM0)
{
	struct gnttab_set_version set = { .version = 2 };

	check_is(hc_gnttab(GNTTABOP_set_version, &set, 1), -ENOSYS);
	check_is(hc_gnttab(GNTTABOP_transfer, NULL, 0), -ENOSYS);
}
