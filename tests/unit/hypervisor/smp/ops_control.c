/* SPDX-License-Identifier: MIT */
/*
 * ops_control.c - dom0 makes, pauses, moves and destroys the other guests, one hypercall at a time;
 * several of its vcpus do it at once, each with a slot of its own for as long as a call takes.
 */
#include <xen/domctl.h>
#include <xen/memory.h>

#include "guest.h"

#define DOMAIN_KB 512
#define FIRST_FRAMES (POOL - 8)
#define LIFE 120 /* one in so many visits of a slot ends its guest */

bool guests_must_go;

enum life {
	EMPTY,
	CREATED,
	HAS_VCPUS,
	HAS_LIMIT,
	HAS_MEMORY,
	HAS_VCPU0,
	HAS_VCPU1,
	RUNS,
	PAUSED,
	DIES,
};

static struct {
	u32 is_busy;
	enum life life, next; /* next: once the call under way has worked */
	u32 domid;
	u32 round; /* how many domains had the slot */
} slots[SLOTS];

struct control_args {
	struct xen_domctl op;
	struct xen_memory_reservation r;
	xen_pfn_t frame[POOL];
	struct vcpu_guest_context context;
	u8 cpumap[8];
};
_Static_assert(sizeof(struct control_args) <= sizeof(((struct guest_vcpu *)0)->args), "arguments");

bool guests_all_gone(void)
{
	for (unsigned int i = 1; i < SLOTS; i++)
		if (__atomic_load_n(&slots[i].life, __ATOMIC_ACQUIRE) != EMPTY)
			return false;
	return true;
}

static bool domctl(struct control_args *a, u32 slot, u32 cmd, enum life next)
{
	slots[slot].next = next;
	a->op.cmd = cmd;
	a->op.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	a->op.domain = (domid_t)slots[slot].domid;
	return call(__HYPERVISOR_domctl, GUEST_PTR(&a->op), 0, 0, 0);
}

static bool create(struct control_args *a, u32 slot)
{
	slots[slot].domid = slot + SLOTS * (1 + slots[slot].round++ % 4000);
	a->op.u.createdomain = (struct xen_domctl_createdomain){ .max_vcpus = GUEST_VCPUS,
								 .max_evtchn_port = 255,
								 .max_grant_frames = 2,
								 .max_maptrack_frames = 2,
								 .grant_opts = 1 };
	return domctl(a, slot, XEN_DOMCTL_createdomain, CREATED);
}

static bool add_vcpus(struct control_args *a, u32 slot)
{
	a->op.u.max_vcpus.max = GUEST_VCPUS;
	return domctl(a, slot, XEN_DOMCTL_max_vcpus, HAS_VCPUS);
}

static bool set_limit(struct control_args *a, u32 slot)
{
	a->op.u.max_mem.max_memkb = DOMAIN_KB;
	return domctl(a, slot, XEN_DOMCTL_max_mem, HAS_LIMIT);
}

static bool give_memory(struct control_args *a, u32 slot)
{
	a->r = (struct xen_memory_reservation){ .nr_extents = FIRST_FRAMES,
						.domid = (domid_t)slots[slot].domid };
	for (u32 i = 0; i < FIRST_FRAMES; i++)
		a->frame[i] = i;
	set_xen_guest_handle(a->r.extent_start, a->frame);
	slots[slot].next = HAS_MEMORY;
	return call(__HYPERVISOR_memory_op, XENMEM_populate_physmap, GUEST_PTR(&a->r), 0, 0);
}

/* The builder has its own mappings of the guest's memory: nobody else knows it yet. */
static void memory_arrived(struct control_args *a, u32 slot)
{
	struct guest *g = &guests[slot];

	guest_forget(g);
	for (u32 i = 0; i < FIRST_FRAMES; i++)
		STORE(g->pool[i], (u32)a->frame[i]);
	machine_build_tables(g->pool);
}

static bool give_context(struct control_args *a, u32 slot, u32 vcpu, enum life next)
{
	memset(&a->context, 0, sizeof(a->context));
	a->context.flags = VGCF_in_kernel | VGCF_online;
	a->context.ctrlreg[3] = mfn_to_maddr(_mfn(LOAD(guests[slot].pool[P_L4])));
	a->op.u.vcpucontext.vcpu = vcpu;
	set_xen_guest_handle(a->op.u.vcpucontext.ctxt, &a->context);
	return domctl(a, slot, XEN_DOMCTL_setvcpucontext, next);
}

/* What a toolstack does with a guest that runs. */
static bool disturb(struct control_args *a, u32 slot)
{
	switch (cpu_random(5)) {
	case 0:
		return domctl(a, slot, XEN_DOMCTL_pausedomain, PAUSED);
	case 3: /* it may have shut itself down */
		return domctl(a, slot, XEN_DOMCTL_resumedomain, RUNS);
	case 1:
		a->op.u.vcpuaffinity.vcpu = cpu_random(GUEST_VCPUS);
		a->op.u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
		a->op.u.vcpuaffinity.cpumap_hard.nr_bits = 64;
		memset(a->cpumap, 0, sizeof(a->cpumap));
		a->cpumap[0] = (u8)(1 + cpu_random(255));
		set_xen_guest_handle(a->op.u.vcpuaffinity.cpumap_hard.bitmap, a->cpumap);
		return domctl(a, slot, XEN_DOMCTL_setvcpuaffinity, RUNS);
	case 2:
		a->op.u.vcpucontext.vcpu = cpu_random(GUEST_VCPUS);
		set_xen_guest_handle(a->op.u.vcpucontext.ctxt, &a->context);
		return domctl(a, slot, XEN_DOMCTL_getvcpucontext, RUNS);
	default:
		return domctl(a, slot, XEN_DOMCTL_getdomaininfo, RUNS);
	}
}

static bool visit(struct control_args *a, u32 slot)
{
	switch (slots[slot].life) {
	case EMPTY:
		return create(a, slot);
	case CREATED:
		return add_vcpus(a, slot);
	case HAS_VCPUS:
		return set_limit(a, slot);
	case HAS_LIMIT:
		return give_memory(a, slot);
	case HAS_MEMORY:
		return give_context(a, slot, 0, HAS_VCPU0);
	case HAS_VCPU0:
		return give_context(a, slot, 1, HAS_VCPU1);
	case HAS_VCPU1:
		STORE(guests[slot].domid, slots[slot].domid);
		return domctl(a, slot, XEN_DOMCTL_unpausedomain, RUNS);
	case RUNS:
		return disturb(a, slot);
	case PAUSED:
		return domctl(a, slot, XEN_DOMCTL_unpausedomain, RUNS);
	case DIES:
		break;
	}
	return domctl(a, slot, XEN_DOMCTL_destroydomain, EMPTY);
}

u32 control_take_running(u32 *domid)
{
	u32 slot = 1 + cpu_random(SLOTS - 1);

	if (__atomic_exchange_n(&slots[slot].is_busy, 1, __ATOMIC_ACQUIRE))
		return 0;
	if ((slots[slot].life == RUNS || slots[slot].life == PAUSED) && !LOAD(guests_must_go)) {
		*domid = slots[slot].domid;
		return slot;
	}
	GIVE(slots[slot].is_busy, 0);
	return 0;
}

void control_give_back(u32 slot)
{
	GIVE(slots[slot].is_busy, 0);
}

/* Whether this visit is the last of the slot's guest. */
static bool is_over(u32 slot)
{
	if (slots[slot].life == EMPTY)
		return false;
	return LOAD(guests_must_go) || (slots[slot].life >= RUNS && cpu_random(LIFE) == 0);
}

static bool control_start(struct guest *g, struct guest_vcpu *gv)
{
	struct control_args *a = (struct control_args *)gv->args;
	u32 slot = 1 + cpu_random(SLOTS - 1);

	if (__atomic_exchange_n(&slots[slot].is_busy, 1, __ATOMIC_ACQUIRE))
		return false;
	if (is_over(slot))
		GIVE(slots[slot].life, DIES);
	if (LOAD(guests_must_go) && slots[slot].life == EMPTY) {
		GIVE(slots[slot].is_busy, 0);
		return false;
	}
	gv->place = slot;
	return visit(a, slot);
}

static bool control_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	struct control_args *a = (struct control_args *)gv->args;
	u32 slot = gv->place;
	bool is_ok = rc == 0;

	if (slots[slot].next == HAS_MEMORY && rc >= 0) {
		is_ok = rc == FIRST_FRAMES;
		if (is_ok)
			memory_arrived(a, slot);
	}
	if (is_ok)
		GIVE(slots[slot].life, slots[slot].next);
	else if (slots[slot].life != EMPTY)
		GIVE(slots[slot].life, DIES);
	GIVE(slots[slot].is_busy, 0);
	return is_ok;
}

/* dom0 shrinks and grows a guest's limit, and takes its frames: no ballooning of its own will. */
static bool take_memory_start(struct guest *g, struct guest_vcpu *gv)
{
	struct control_args *a = (struct control_args *)gv->args;
	struct guest *other = &guests[1 + cpu_random(SLOTS - 1)];
	u32 place = P_PLAIN + cpu_random(POOL - P_PLAIN);

	a->frame[0] = TAKE(other->pool[place]);
	if (!a->frame[0])
		return false;
	a->r = (struct xen_memory_reservation){ .nr_extents = 1,
						.domid = (domid_t)LOAD(other->domid) };
	set_xen_guest_handle(a->r.extent_start, a->frame);
	return call(__HYPERVISOR_memory_op, XENMEM_decrease_reservation, GUEST_PTR(&a->r), 0, 0);
}

static bool take_memory_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	return rc == 1;
}

struct op control_ops[] = {
	{ "control", 0, 40, control_start, control_done },
	{ "take_memory", 0, 2, take_memory_start, take_memory_done },
	{ .name = NULL },
};
