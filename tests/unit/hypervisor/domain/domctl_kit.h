/* SPDX-License-Identifier: MIT */
/* domctl_kit.h - a guest of two vcpus, and domctls about it, as dom0 asks for them. */
#ifndef TEST_DOMCTL_KIT_H
#define TEST_DOMCTL_KIT_H

#include "world.h"

#include <xen/domctl.h>

#include "x86/cpu.h"

#define NOWHERE ((void *)16) /* no memory of a guest's */
#define NR_VCPUS 2

static struct domain *d1;
static struct xen_domctl *op; /* of the guest's memory */

static int setup(void **state)
{
	cpu_has_xsave = true;
	world_reset();
	d1 = world_domain(1, NR_VCPUS);
	op = guest_alloc(sizeof(*op));
	return 0;
}

static int teardown(void **state)
{
	cpu_has_xsave = false;
	return world_end() != 0;
}

static long domctl(u32 cmd, domid_t domid)
{
	op->cmd = cmd;
	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	op->domain = domid;
	return hypercall(__HYPERVISOR_domctl, GUEST(op), 0, 0, 0);
}

#endif
