/* SPDX-License-Identifier: MIT */
/*
 * ops_shared.c - pages that are shared with the hypervisor: dom0 finds a guest's shared_info and
 * grant frames and maps them, as its toolstack does; a guest gives pages of its own for descriptors
 * and for what it is told by.
 */
#include <xen/domctl.h>
#include <xen/memory.h>
#include <xen/physdev.h>

#include "guest.h"

/* What dom0 found last, of whichever guest, living or not. */
static u32 found_mfn, found_domid;

static bool keep(u32 domid, u64 mfn)
{
	STORE(found_domid, domid);
	STORE(found_mfn, (u32)mfn);
	return true;
}

static bool info_start(struct guest *g, struct guest_vcpu *gv)
{
	struct xen_domctl *op = (struct xen_domctl *)gv->args;

	gv->place = LOAD(any_guest()->domid);
	*op = (struct xen_domctl){ .cmd = XEN_DOMCTL_getdomaininfo,
				   .interface_version = XEN_DOMCTL_INTERFACE_VERSION,
				   .domain = (domid_t)gv->place };
	return gv->place && call(__HYPERVISOR_domctl, GUEST_PTR(op), 0, 0, 0);
}

static bool info_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	const struct xen_domctl *op = (struct xen_domctl *)gv->args;

	return rc == 0 && op->domain == gv->place && keep(gv->place, op->u.getdomaininfo.shared_info_frame);
}

static bool resource_start(struct guest *g, struct guest_vcpu *gv)
{
	struct xen_mem_acquire_resource *op = (struct xen_mem_acquire_resource *)gv->args;

	gv->place = LOAD(any_guest()->domid);
	*op = (struct xen_mem_acquire_resource){ .domid = (domid_t)gv->place,
						 .type = XENMEM_resource_grant_table,
						 .id = XENMEM_resource_grant_table_id_shared,
						 .frame = cpu_random(3),
						 .nr_frames = 1 };
	set_xen_guest_handle(op->frame_list, (xen_pfn_t *)(gv->args + 256));
	return gv->place && call(__HYPERVISOR_memory_op, XENMEM_acquire_resource, GUEST_PTR(op), 0, 0);
}

static bool resource_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	return rc == 0 && keep(gv->place, *(xen_pfn_t *)(gv->args + 256));
}

static bool map_start(struct guest *g, struct guest_vcpu *gv)
{
	struct mmu_update *req = (struct mmu_update *)gv->args;
	u32 mfn = LOAD(found_mfn), table = LOAD(g->pool[P_L1A + cpu_random(2)]);

	*req = (struct mmu_update){ mfn_to_maddr(_mfn(table)) + 8 * cpu_random(8),
				    pte_make(_mfn(mfn), PTE_P | PTE_US | (cpu_random(2) ? PTE_RW : 0)) };
	return mfn && call(__HYPERVISOR_mmu_update, GUEST_PTR(req), 1, 0, LOAD(found_domid));
}

/* --- a guest's own --- */

static bool descriptor_start(struct guest *g, struct guest_vcpu *gv)
{
	static const u64 some[] = { 0, 0x00cff3000000ffff, 0x00af9b000000ffff, 0x0000ec00e0080000, 1ULL << 40 };

	return call(__HYPERVISOR_update_descriptor, mfn_to_maddr(_mfn(any_frame(g))) + 8 * cpu_random(512),
		    some[cpu_random(ARRAY_SIZE(some))], 0, 0);
}

static bool eoi_start(struct guest *g, struct guest_vcpu *gv)
{
	*(struct physdev_pirq_eoi_gmfn *)gv->args = (struct physdev_pirq_eoi_gmfn){ .gmfn = any_frame(g) };
	return call(__HYPERVISOR_physdev_op, PHYSDEVOP_pirq_eoi_gmfn_v2, GUEST_PTR(gv->args), 0, 0);
}

/* What number it says a page of its own has: any. */
static bool number_start(struct guest *g, struct guest_vcpu *gv)
{
	struct mmu_update *req = (struct mmu_update *)gv->args;

	*req = (struct mmu_update){ mfn_to_maddr(_mfn(any_frame(g))) | MMU_MACHPHYS_UPDATE,
				    cpu_random(3) ? cpu_random(400) : ~0ULL >> cpu_random(64) };
	return call(__HYPERVISOR_mmu_update, GUEST_PTR(req), 1, 0, DOMID_SELF);
}

/* Several operations in one call, which may stop between them, and leave work behind after each. */
static bool batch_start(struct guest *g, struct guest_vcpu *gv)
{
	static const u32 cmds[] = { MMUEXT_PIN_L1_TABLE, MMUEXT_PIN_L2_TABLE, MMUEXT_UNPIN_TABLE,
				    MMUEXT_UNPIN_TABLE,  MMUEXT_CLEAR_PAGE,   MMUEXT_TLB_FLUSH_ALL };
	struct mmuext_op *op = (struct mmuext_op *)gv->args;
	u32 nr = 2 + cpu_random(6);

	for (u32 i = 0; i < nr; i++) {
		op[i] = (struct mmuext_op){ .cmd = cmds[cpu_random(ARRAY_SIZE(cmds))] };
		op[i].arg1.mfn = any_frame(g);
	}
	return call(__HYPERVISOR_mmuext_op, GUEST_PTR(op), nr, 0, DOMID_SELF);
}

struct op shared_ops[] = {
	{ "find_shared_info", 0, 2, info_start, info_done },
	{ "find_grants", 0, 2, resource_start, resource_done },
	{ "map_shared", 0, 4, map_start, NULL },
	{ "descriptor", 2, 1, descriptor_start, NULL },
	{ "eoi_page", 1, 0, eoi_start, NULL },
	{ "page_number", 1, 1, number_start, NULL },
	{ "mmuext_batch", 3, 1, batch_start, NULL },
	{ .name = NULL },
};
