/* SPDX-License-Identifier: MIT */
#include "claim.h"

#include <xen/nmi.h>

extern char entry_36[];
static unsigned int calls;

static bool on_nmi(struct trap_frame *f)
{
	if (f->vector != ENTRY_NMI)
		return false;
	calls++;
	return true;
}

GUEST_TEST(nmi, "an NMI that a vcpu sends itself enters the registered handler", 0)
{
	struct xennmi_callback cb = { .handler_address = (unsigned long)entry_36 };

	check_is(hypercall(nmi_op, XENNMI_register_callback, &cb), 0);
	trap_hook(on_nmi);
	check_is(hc_vcpu(VCPUOP_send_nmi, 0, NULL), 0);
	hc_version(XENVER_version, NULL);
	check_is(calls, 1);
	check_is(hypercall(nmi_op, XENNMI_unregister_callback, NULL), 0);
	check_is(hypercall(nmi_op, 99, NULL), -ENOSYS);
}
