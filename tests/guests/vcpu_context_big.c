/* SPDX-License-Identifier: MIT */
#include "claim.h"

static u64 *l4_with(unsigned int nr)
{
	u64 *l4 = page_alloc();

	for (unsigned int i = 0; i < nr; i++) {
		void *l3 = page_alloc();

		l4[i] = pte_make(virt_to_mfn(l3), PTE_TABLE);
		need(page_readonly(l3));
	}
	need(page_readonly(l4));
	return l4;
}

/*
 * Each time the hypervisor stops in the second table it gives back the first, and is stopped in
 * that.
 */
GUEST_TEST(vcpu_context_big, "a context with two large tables is taken however often it is stopped",
	   0)
{
	static struct vcpu_guest_context ctx;
	struct callback_register no_events = { .type = CALLBACKTYPE_event, .address = 0 };
	struct vcpu_info *vi = &shared_info->vcpu_info[0];
	u64 *kernel = l4_with(4), *user = l4_with(12);
	long rc;

	vcpu_context(&ctx, 1, NULL, NULL);
	ctx.ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn(kernel));
	ctx.ctrlreg[1] = virt_to_mfn(user) << PAGE_SHIFT;
	need(hc_callback(CALLBACKOP_register, &no_events));
	vi->evtchn_upcall_pending = 1;
	vi->evtchn_upcall_mask = 0;
	rc = hc_vcpu(VCPUOP_initialise, 1, &ctx);
	vi->evtchn_upcall_mask = 1;
	check_is(rc, 0);
}
