/* SPDX-License-Identifier: MIT */
/* ops_vcpu.c - a guest gives its last vcpu a context of its own making, and starts it. */
#include "guest.h"

#define OWN_VCPU (GUEST_VCPUS - 1) /* dom0 gives the others theirs */

static u64 any_l4(const struct guest *g)
{
	return mfn_to_maddr(_mfn(cpu_random(3) ? LOAD(g->pool[P_L4]) : any_frame(g)));
}

/* Tables and descriptors are whatever the guest has at that place by now. */
static bool initialise_start(struct guest *g, struct guest_vcpu *gv)
{
	struct vcpu_guest_context *c = (struct vcpu_guest_context *)gv->args;

	memset(c, 0, sizeof(*c));
	c->flags = VGCF_in_kernel;
	c->ctrlreg[3] = any_l4(g);
	c->ctrlreg[1] = cpu_random(2) ? any_l4(g) : 0;
	if (cpu_random(3) == 0) {
		c->gdt_ents = cpu_random(513);
		c->gdt_frames[0] = any_frame(g);
	}
	return call(__HYPERVISOR_vcpu_op, VCPUOP_initialise, OWN_VCPU, GUEST_PTR(c), 0);
}

static bool start_start(struct guest *g, struct guest_vcpu *gv)
{
	return call(__HYPERVISOR_vcpu_op, VCPUOP_up, OWN_VCPU, 0, 0);
}

struct op vcpu_ops[] = {
	{ "vcpu_initialise", 6, 0, initialise_start, NULL },
	{ "vcpu_start", 2, 0, start_start, NULL },
	{ .name = NULL },
};
