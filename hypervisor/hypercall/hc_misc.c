/* SPDX-License-Identifier: MIT */
/* hc_misc.c - small hypercalls without a noun of their own: vm_assist, nmi_op, xenpmu_op. */
#include "domain/domain.h"

#include <xen/nmi.h>

#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "x86/asm.h"
#include "x86/guest_access.h"
#include "x86/layout.h"

/* What 64-bit PV Linux enables. Types 0 and 2 are how things always are; 3 too. */
#define ASSIST_VALID                                                                               \
	(1u << VMASST_TYPE_4gb_segments | 1u << VMASST_TYPE_4gb_segments_notify |                  \
	 1u << VMASST_TYPE_writable_pagetables | 1u << VMASST_TYPE_pae_extended_cr3 |              \
	 1u << VMASST_TYPE_architectural_iopl | 1u << VMASST_TYPE_runstate_update_flag)

long hc_vm_assist(struct hc_args *a)
{
	u32 cmd = (u32)a->a[0], type = (u32)a->a[1];

	if (type >= 32 || !(ASSIST_VALID >> type & 1))
		return -EINVAL;
	switch (cmd) {
	case VMASST_CMD_enable:
		current->domain->vm_assist |= 1u << type;
		return 0;
	case VMASST_CMD_disable:
		current->domain->vm_assist &= ~(1u << type);
		return 0;
	default:
		return -ENOSYS;
	}
}

long hc_nmi_op(struct hc_args *a)
{
	struct vcpu *v = current->domain->vcpu[0];
	struct xennmi_callback cb;

	switch ((u32)a->a[0]) {
	case XENNMI_register_callback:
		if (copy_from_guest(&cb, a->a[1], sizeof(cb)))
			return -EFAULT;
		if (!guest_address_ok(cb.handler_address))
			return -EINVAL;
		v->pv.nmi_cb = cb.handler_address;
		return 0;
	case XENNMI_unregister_callback:
		v->pv.nmi_cb = 0;
		return 0;
	default:
		return -ENOSYS;
	}
}

/* No virtual performance counters: Linux goes without. */
long hc_xenpmu_op(struct hc_args *a)
{
	return -EOPNOTSUPP;
}
