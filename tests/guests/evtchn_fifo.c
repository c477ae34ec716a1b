/* SPDX-License-Identifier: MIT */
#include "claim.h"

/* D11: Linux stays with the two-level ABI then. */
GUEST_TEST(evtchn_fifo, "the FIFO ABI is refused with ENOSYS", ALSO_DOM0)
{
	struct evtchn_init_control init = { .control_gfn = virt_to_mfn(page_alloc()) };
	struct evtchn_set_priority priority = { 1, 3 };

	check_is(hc_evtchn(EVTCHNOP_init_control, &init), -ENOSYS);
	check_is(hc_evtchn(EVTCHNOP_set_priority, &priority), -ENOSYS);
}
