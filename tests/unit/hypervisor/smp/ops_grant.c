/* SPDX-License-Identifier: MIT */
/* ops_grant.c - guests grant each other frames, map, unmap, copy and revoke, all at once. */
#include "domain/gnttab.h"
#include "guest.h"

/* The guest writes its own shared table, whatever the hypervisor does with it meanwhile. */
static bool grant_start(struct guest *g, struct guest_vcpu *gv)
{
	u32 ref = cpu_random(REFS);
	grant_entry_v1_t *e = &current->domain->gnttab->shared[0][ref];
	u32 to = LOAD(any_guest()->domid), mfn = any_frame(g);
	u16 flags = GTF_permit_access | (cpu_random(4) ? 0 : GTF_readonly);

	if (cpu_random(8) == 0) { /* revoked, in use or not */
		__atomic_store_n((u32 *)e, 0, __ATOMIC_SEQ_CST);
		return true;
	}
	if (__atomic_load_n(&e->flags, __ATOMIC_SEQ_CST) & (GTF_reading | GTF_writing) &&
	    cpu_random(8))
		return false;
	if (cpu_random(32) == 0)
		mfn = any_frame(any_guest()); /* not its own */
	__atomic_store_n(&e->frame, mfn, __ATOMIC_SEQ_CST);
	__atomic_store_n((u32 *)e, to << 16 | flags, __ATOMIC_SEQ_CST);
	STORE(g->granted_to_1[ref], to + 1);
	return true;
}

/* A reference that @other told this guest of, as guests do through the store. */
static u32 any_ref(const struct guest *g, const struct guest *other)
{
	u32 ref = cpu_random(REFS);

	for (u32 i = 0; i < REFS; i++, ref = (ref + 1) % REFS)
		if (LOAD(other->granted_to_1[ref]) == LOAD(g->domid) + 1)
			break;
	return ref;
}

static u64 any_host_addr(struct guest *g, u32 *flags)
{
	if (cpu_random(3))
		return va_of(cpu_random(NR_VAS / 4));
	*flags |= GNTMAP_contains_pte;
	return mfn_to_maddr(_mfn(LOAD(g->pool[P_L1A + cpu_random(2)]))) + 8 * cpu_random(8);
}

static bool map_start(struct guest *g, struct guest_vcpu *gv)
{
	struct gnttab_map_grant_ref *op = (struct gnttab_map_grant_ref *)gv->args;
	u32 flags = cpu_random(3) ? 0 : GNTMAP_readonly;
	struct guest *other = any_guest();
	u64 host;

	gv->place = cpu_random(HANDLES);
	if (LOAD(g->mapping[gv->place].handle_1))
		return false;
	flags |= cpu_random(6) ? GNTMAP_host_map :
		 cpu_random(2) ? GNTMAP_host_map | GNTMAP_device_map : GNTMAP_device_map;
	host = any_host_addr(g, &flags);
	*op = (struct gnttab_map_grant_ref){ .host_addr = host,
					     .flags = flags,
					     .ref = any_ref(g, other),
					     .dom = (domid_t)LOAD(other->domid) };
	return call(__HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, GUEST_PTR(op), 1, 0);
}

static bool map_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	struct gnttab_map_grant_ref *op = (struct gnttab_map_grant_ref *)gv->args;

	if (rc || op->status != GNTST_okay)
		return false;
	for (u32 i = 0; i < HANDLES; i++) {
		struct mapping *m = &g->mapping[(gv->place + i) % HANDLES];
		u32 none = 0;

		if (!__atomic_compare_exchange_n(&m->handle_1, &none, op->handle + 1, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
			continue;
		/* whoever unmaps it before this is told that it is not there */
		STORE(m->host_addr, op->host_addr);
		return true;
	}
	return true;
}

static bool unmap_start(struct guest *g, struct guest_vcpu *gv)
{
	struct gnttab_unmap_grant_ref *op = (struct gnttab_unmap_grant_ref *)gv->args;
	u32 nr = 0;

	for (u32 tries = 1 + cpu_random(4); tries; tries--) {
		struct mapping *m = &g->mapping[cpu_random(HANDLES)];
		/* sometimes a sibling unmaps the same */
		u32 handle_1 = cpu_random(4) ? TAKE(m->handle_1) : LOAD(m->handle_1);

		if (handle_1)
			op[nr++] = (struct gnttab_unmap_grant_ref){
				.host_addr = LOAD(m->host_addr), .handle = handle_1 - 1};
	}
	return nr &&
	       call(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, GUEST_PTR(op), nr, 0);
}

static bool unmap_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	struct gnttab_unmap_grant_ref *op = (struct gnttab_unmap_grant_ref *)gv->args;

	return rc == 0 && op->status == GNTST_okay;
}

static bool replace_start(struct guest *g, struct guest_vcpu *gv)
{
	struct gnttab_unmap_and_replace *op = (struct gnttab_unmap_and_replace *)gv->args;
	struct mapping *m = &g->mapping[cpu_random(HANDLES)];
	u32 handle_1 = TAKE(m->handle_1);

	if (!handle_1)
		return false;
	*op = (struct gnttab_unmap_and_replace){ .host_addr = LOAD(m->host_addr),
						 .new_addr = va_of(cpu_random(16)),
						 .handle = handle_1 - 1 };
	return call(__HYPERVISOR_grant_table_op, GNTTABOP_unmap_and_replace, GUEST_PTR(op), 1, 0);
}

static bool replace_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	struct gnttab_unmap_and_replace *op = (struct gnttab_unmap_and_replace *)gv->args;

	return rc == 0 && op->status == GNTST_okay;
}

static void copy_end(struct guest *g, struct gnttab_copy *op, bool is_dest)
{
	bool is_granted = cpu_random(2);
	struct guest *other = any_guest();
	u32 dom = is_granted ? LOAD(other->domid) : DOMID_SELF;

	if (is_dest) {
		op->dest.domid = (domid_t)dom;
		if (is_granted)
			op->dest.u.ref = any_ref(g, other);
		else
			op->dest.u.gmfn = any_frame(g);
		op->flags |= is_granted ? GNTCOPY_dest_gref : 0;
		return;
	}
	op->source.domid = (domid_t)dom;
	if (is_granted)
		op->source.u.ref = any_ref(g, other);
	else
		op->source.u.gmfn = any_frame(g);
	op->flags |= is_granted ? GNTCOPY_source_gref : 0;
}

static bool copy_start(struct guest *g, struct guest_vcpu *gv)
{
	struct gnttab_copy *op = (struct gnttab_copy *)gv->args;
	u32 nr = 1 + cpu_random(3);

	for (u32 i = 0; i < nr; i++) {
		op[i] = (struct gnttab_copy){ .len = (u16)(8 * cpu_random(64)) };
		copy_end(g, &op[i], false);
		copy_end(g, &op[i], true);
	}
	return call(__HYPERVISOR_grant_table_op, GNTTABOP_copy, GUEST_PTR(op), nr, 0);
}

static bool copy_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	return rc == 0 && ((struct gnttab_copy *)gv->args)->status == GNTST_okay;
}

static bool swap_start(struct guest *g, struct guest_vcpu *gv)
{
	struct gnttab_swap_grant_ref *op = (struct gnttab_swap_grant_ref *)gv->args;

	*op = (struct gnttab_swap_grant_ref){ .ref_a = cpu_random(REFS), .ref_b = cpu_random(REFS) };
	return call(__HYPERVISOR_grant_table_op, GNTTABOP_swap_grant_ref, GUEST_PTR(op), 1, 0);
}

static bool setup_start(struct guest *g, struct guest_vcpu *gv)
{
	struct gnttab_setup_table *op = (struct gnttab_setup_table *)gv->args;

	*op = (struct gnttab_setup_table){ .dom = DOMID_SELF, .nr_frames = 1 + cpu_random(2) };
	set_xen_guest_handle(op->frame_list, (xen_pfn_t *)(gv->args + 128));
	return call(__HYPERVISOR_grant_table_op, GNTTABOP_setup_table, GUEST_PTR(op), 1, 0);
}

struct op grant_ops[] = {
	{ "grant", 12, 6, grant_start, NULL },
	{ "grant_map", 12, 12, map_start, map_done },
	{ "grant_unmap", 8, 8, unmap_start, unmap_done },
	{ "grant_replace", 1, 1, replace_start, replace_done },
	{ "grant_copy", 6, 6, copy_start, copy_done },
	{ "grant_swap", 1, 1, swap_start, NULL },
	{ "grant_setup", 1, 1, setup_start, NULL },
	{ .name = NULL },
};
