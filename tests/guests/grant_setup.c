/* SPDX-License-Identifier: MIT */
#include "claim.h"

static long op_of(unsigned int op, void *arg)
{
	return hc_gnttab(op, arg, 1);
}

GUEST_TEST(grant_setup,
	   "the grant table tells its size and version and gives its frames", ALSO_DOM0)
{
	struct gnttab_query_size size = { .dom = DOMID_SELF };
	struct gnttab_get_version version = { .dom = DOMID_SELF };
	struct gnttab_set_version set = { .version = 1 };
	struct gnttab_setup_table setup = { .dom = DOMID_SELF };
	xen_pfn_t frames[4] = { 0 };

	check_is(op_of(GNTTABOP_query_size, &size), 0);
	check_is(size.status, GNTST_okay);
	check(size.max_nr_frames >= 4);
	check_is(op_of(GNTTABOP_get_version, &version), 0);
	check_is(version.version, 1);
	check_is(op_of(GNTTABOP_set_version, &set), 0);
	check_is(set.version, 1);
	setup.nr_frames = 4;
	set_xen_guest_handle(setup.frame_list, frames);
	check_is(op_of(GNTTABOP_setup_table, &setup), 0);
	check_is(setup.status, GNTST_okay);
	check(frames[0] && frames[3] && frames[0] != frames[3]);
	setup.nr_frames = size.max_nr_frames + 1;
	op_of(GNTTABOP_setup_table, &setup);
	check(setup.status < 0);
	set.version = 3;
	check_is(op_of(GNTTABOP_set_version, &set), -EINVAL);
}
