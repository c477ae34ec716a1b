/* SPDX-License-Identifier: MIT */
/* ops_memory.c - guests give memory back, get other memory, and swap some. */
#include <xen/memory.h>

#include "guest.h"

#define BATCH 4

struct reservation_args {
	struct xen_memory_reservation r;
	xen_pfn_t frame[BATCH];
};

/* Takes up to BATCH frames out of what the guest knows; 0: none. */
static u32 frames_take(struct guest *g, struct guest_vcpu *gv, xen_pfn_t *list)
{
	u32 wanted = 1 + cpu_random(BATCH), nr = 0;

	while (nr < wanted) {
		/* the tree it lives in stays, as a rule */
		u32 place = cpu_random(40) ? P_PLAIN + cpu_random(POOL - P_PLAIN) : any_place();
		u32 mfn = TAKE(g->pool[place]);

		if (!mfn)
			break;
		list[nr] = gv->mfn[nr] = mfn;
		nr++;
	}
	return nr;
}

static void frame_keep(struct guest *g, u32 mfn)
{
	for (u32 i = 0; i < POOL; i++) {
		u32 none = 0;

		if (__atomic_compare_exchange_n(&g->pool[i], &none, mfn, false, __ATOMIC_ACQ_REL,
						__ATOMIC_RELAXED))
			return;
	}
}

static bool reservation(struct guest_vcpu *gv, u32 cmd, u32 nr)
{
	struct reservation_args *a = (struct reservation_args *)gv->args;

	a->r = (struct xen_memory_reservation){ .nr_extents = nr, .domid = DOMID_SELF };
	set_xen_guest_handle(a->r.extent_start, a->frame);
	gv->place = nr;
	return call(__HYPERVISOR_memory_op, cmd, GUEST_PTR(a), 0, 0);
}

static bool decrease_start(struct guest *g, struct guest_vcpu *gv)
{
	struct reservation_args *a = (struct reservation_args *)gv->args;
	u32 nr = frames_take(g, gv, a->frame);

	return nr && reservation(gv, XENMEM_decrease_reservation, nr);
}

static bool decrease_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	for (u32 i = rc > 0 ? (u32)rc : 0; i < gv->place; i++)
		frame_keep(g, gv->mfn[i]);
	return rc > 0;
}

static bool populate_start(struct guest *g, struct guest_vcpu *gv)
{
	struct reservation_args *a = (struct reservation_args *)gv->args;
	u32 free = 0;

	for (u32 i = 0; i < POOL; i++)
		free += !LOAD(g->pool[i]);
	if (free < BATCH)
		return false;
	for (u32 i = 0; i < BATCH; i++)
		a->frame[i] = 100 + i;
	return reservation(gv,
			   cpu_random(2) ? XENMEM_populate_physmap : XENMEM_increase_reservation,
			   1 + cpu_random(BATCH));
}

static bool populate_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	struct reservation_args *a = (struct reservation_args *)gv->args;

	for (long i = 0; i < rc; i++)
		frame_keep(g, (u32)a->frame[i]);
	return rc > 0;
}

struct exchange_args {
	struct xen_memory_exchange x;
	xen_pfn_t in[BATCH], out[BATCH];
};

static bool exchange_start(struct guest *g, struct guest_vcpu *gv)
{
	struct exchange_args *a = (struct exchange_args *)gv->args;
	u32 nr = frames_take(g, gv, a->in);
	bool is_contiguous = nr == BATCH;

	if (!nr)
		return false;
	gv->place = nr;
	a->x = (struct xen_memory_exchange){
		.in = { .nr_extents = nr, .domid = DOMID_SELF },
		.out = { .nr_extents = is_contiguous ? 1 : nr,
			 .extent_order = is_contiguous ? 2 : 0,
			 .domid = DOMID_SELF }};
	for (u32 i = 0; i < BATCH; i++)
		a->out[i] = 200 + i;
	set_xen_guest_handle(a->x.in.extent_start, a->in);
	set_xen_guest_handle(a->x.out.extent_start, a->out);
	return call(__HYPERVISOR_memory_op, XENMEM_exchange, GUEST_PTR(a), 0, 0);
}

static bool exchange_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	struct exchange_args *a = (struct exchange_args *)gv->args;
	u32 done = (u32)a->x.nr_exchanged;
	bool is_contiguous = a->x.out.extent_order != 0;

	for (u32 i = 0; i < gv->place; i++)
		if (i >= done)
			frame_keep(g, gv->mfn[i]);
		else
			frame_keep(g, (u32)(is_contiguous ? a->out[0] + i : a->out[i]));
	return done > 0;
}

struct op memory_ops[] = {
	{ "decrease", 6, 1, decrease_start, decrease_done },
	{ "populate", 8, 2, populate_start, populate_done },
	{ "exchange", 3, 1, exchange_start, exchange_done },
	{ .name = NULL },
};
