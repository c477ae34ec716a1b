/* SPDX-License-Identifier: MIT */
/*
 * ops_log.c - dom0 puts guests into log-dirty mode while they run, asks what they wrote, and takes
 * them out again.
 */
#include <xen/domctl.h>

#include "guest.h"
#include "x86/lock.h"

#define PAGES 512 /* more than any guest's M2P names */

struct log_args {
	struct xen_domctl op;
	u8 bitmap[PAGES / 8];
};

static bool is_logged[SLOTS]; /* of the slot that was taken */
static u32 domid_logged[SLOTS];

static u32 any_op(u32 slot)
{
	if (!is_logged[slot])
		return XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY;
	if (cpu_random(12) == 0)
		return XEN_DOMCTL_SHADOW_OP_OFF;
	return cpu_random(4) ? XEN_DOMCTL_SHADOW_OP_CLEAN : XEN_DOMCTL_SHADOW_OP_PEEK;
}

static bool log_start(struct guest *g, struct guest_vcpu *gv)
{
	struct log_args *a = (struct log_args *)gv->args;
	u32 domid, slot = control_take_running(&domid);

	if (!slot)
		return false;
	if (domid_logged[slot] != domid)
		is_logged[slot] = false;
	domid_logged[slot] = domid;
	gv->place = slot;
	log_begins(slot);
	memset(a->bitmap, 0xa5, sizeof(a->bitmap));
	a->op = (struct xen_domctl){ .cmd = XEN_DOMCTL_shadow_op,
				     .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				     .domain = (domid_t)domid };
	a->op.u.shadow_op.op = any_op(slot);
	a->op.u.shadow_op.pages = PAGES;
	set_xen_guest_handle(a->op.u.shadow_op.dirty_bitmap, a->bitmap);
	return call(__HYPERVISOR_domctl, GUEST_PTR(&a->op), 0, 0, 0);
}

static bool log_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	struct log_args *a = (struct log_args *)gv->args;
	u32 slot = gv->place, op = a->op.u.shadow_op.op;
	const struct domain *d;

	hv_lock(); /* it may not go while it is looked at */
	d = rc ? NULL : domain_find((domid_t)domid_logged[slot]);
	if (!rc && op == XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY)
		is_logged[slot] = true;
	if (!rc && op == XEN_DOMCTL_SHADOW_OP_OFF)
		is_logged[slot] = false;
	log_ends(slot, d, op == XEN_DOMCTL_SHADOW_OP_CLEAN ? a->bitmap : NULL, PAGES);
	hv_unlock();
	if (rc && rc != -ENOMEM)
		machine_fail("d%u: shadow_op %u: %ld", domid_logged[slot], op, rc);
	control_give_back(slot);
	return rc == 0;
}

struct op log_ops[] = {
	{ "log_dirty", 0, 12, log_start, log_done },
	{ .name = NULL },
};
