/* SPDX-License-Identifier: MIT */
/* ops_mmu.c - guests and their page tables: touching memory, changing entries, flushing. */
#include "guest.h"
#include "pv/insn.h"
#include "pv/ptwr.h"
#include "x86/lock.h"

#define RW (PTE_P | PTE_RW | PTE_US)
#define RO (PTE_P | PTE_US)
#define VIEWS 5 /* entries from here on in the second level-1 table: grafted tables, read-only */

/* Mostly sensible; sometimes a strange bit, somebody else's frame, or nothing. */
static u64 any_entry(const struct guest *g)
{
	static const u64 odd[] = { PTE_PS, PTE_PCD, 1ULL << 45, PTE_GRANT, PTE_G, PTE_NX, PTE_A };
	u64 flags = cpu_random(3) ? RW : RO;

	if (cpu_random(5) == 0)
		return 0;
	if (cpu_random(12) == 0)
		flags |= odd[cpu_random(ARRAY_SIZE(odd))];
	if (cpu_random(16) == 0)
		g = any_guest();
	return pte_make(_mfn(any_frame(g)), flags);
}

static u32 any_index(void)
{
	return cpu_random(3) ? cpu_random(2) : cpu_random(8);
}

static u32 any_va(void)
{
	return cpu_random(3) ? cpu_random(16) : cpu_random(NR_VAS);
}

/* --- memory --- */

static bool touch_start(struct guest *g, struct guest_vcpu *gv)
{
	bool any = false;
	u64 value;

	for (u32 i = 1 + cpu_random(4); i; i--) {
		u32 va = any_va();

		cpu_take_interrupts();
		cpu_may_yield(6);
		if (cpu_random(3))
			any |= guest_write(va, any_index(), any_entry(g));
		else
			any |= guest_read(va, any_index(), &value);
	}
	return any;
}

/*
 * A store to a table mapped read-only faults, and the hypervisor does it. At (%rdi), from %rax,
 * compared with %rcx.
 */
static bool trapped_start(struct guest *g, struct guest_vcpu *gv)
{
	static const struct {
		u8 len, code[5];
	} stores[] = {
		{ 3, { 0x48, 0x89, 0x07 } },	      /* mov %rax,(%rdi) */
		{ 3, { 0x48, 0x87, 0x07 } },	      /* xchg %rax,(%rdi) */
		{ 5, { 0xf0, 0x48, 0x0f, 0xb1, 0x0f } }, /* lock cmpxchg %rcx,(%rdi) */
		{ 4, { 0xf0, 0x80, 0x27, 0xfd } },    /* lock andb $~2,(%rdi) */
		{ 2, { 0x89, 0x07 } },		      /* mov %eax,(%rdi) */
	};
	u32 which = cpu_random(2) ? 0 : cpu_random(ARRAY_SIZE(stores));
	u32 va = cpu_random(4) ? 8 + P_L1A + cpu_random(8 - P_L1A) : any_va(); /* its level-1 tables */
	u64 at = va_of(va) + any_index() * 8;
	struct cpu_user_regs regs = { .rip = GUEST_PTR(gv->args), .rdi = at, .rax = any_entry(g),
				      .rcx = any_entry(g), .cs = FLAT_KERNEL_CS };

	memcpy(gv->args, stores[which].code, sizeof(stores[which].code));
	return pv_ptwr_fault(&regs, at) && regs.rip != GUEST_PTR(gv->args);
}

/* --- entries --- */

static u64 slot_of(u32 mfn, u32 idx)
{
	return mfn_to_maddr(_mfn(mfn)) + 8 * idx +
	       (cpu_random(4) ? MMU_NORMAL_PT_UPDATE : MMU_PT_UPDATE_PRESERVE_AD);
}

static u64 any_slot(const struct guest *g)
{
	u32 mfn = cpu_random(3) ? LOAD(g->pool[P_L1A + cpu_random(2)]) : any_frame(g);

	return slot_of(mfn, any_index());
}

/* The upper tables: mostly what the guest began with, or it would soon have nothing mapped. */
static struct mmu_update any_upper(const struct guest *g)
{
	u32 place = cpu_random(P_L1A), idx = place == P_L2 ? cpu_random(2) : 0;
	u64 entry = pte_make(_mfn(LOAD(g->pool[place + 1 + idx])), RW);

	if (cpu_random(4) == 0)
		entry = any_entry(g);
	if (cpu_random(4) == 0)
		idx = cpu_random(3);
	return (struct mmu_update){ slot_of(LOAD(g->pool[place]), idx), entry };
}

static bool update_start(struct guest *g, struct guest_vcpu *gv)
{
	struct mmu_update *req = (struct mmu_update *)gv->args;
	u32 nr = 1 + cpu_random(4);

	for (u32 i = 0; i < nr; i++)
		req[i] = cpu_random(4) ? (struct mmu_update){ any_slot(g), any_entry(g) } :
					 any_upper(g);
	return call(__HYPERVISOR_mmu_update, GUEST_PTR(req), nr, 0, DOMID_SELF);
}

/* A frame that is neither a table nor mapped, if all is as it began. */
static u32 spare_frame(const struct guest *g)
{
	return LOAD(g->pool[P_PLAIN + 8 + cpu_random(POOL - P_PLAIN - 8)]);
}

/*
 * A new level-2 table with two level-1 tables below it, of which one maps something writable and is
 * itself mapped read-only: what the trapped stores go to.
 */
static bool graft_start(struct guest *g, struct guest_vcpu *gv)
{
	struct mmu_update *req = (struct mmu_update *)gv->args;
	u32 l2 = spare_frame(g), l1 = spare_frame(g), other = spare_frame(g), page = spare_frame(g);
	u32 l3 = LOAD(g->pool[P_L3]), view = LOAD(g->pool[P_L1B]);

	if (!l2 || !l1 || !other || !page)
		return false;
	req[0] = (struct mmu_update){ slot_of(l1, any_index()), pte_make(_mfn(page), RW) };
	req[1] = (struct mmu_update){ slot_of(l2, 0), pte_make(_mfn(l1), RW) };
	req[2] = (struct mmu_update){ slot_of(l2, 1), pte_make(_mfn(other), RW) };
	req[3] = (struct mmu_update){ slot_of(view, VIEWS + cpu_random(8 - VIEWS)), pte_make(_mfn(l1), RO) };
	req[4] = (struct mmu_update){ slot_of(l3, 1), pte_make(_mfn(l2), RW) };
	return call(__HYPERVISOR_mmu_update, GUEST_PTR(req), 5, 0, DOMID_SELF);
}

/* And its end, in one step or several. */
static bool prune_start(struct guest *g, struct guest_vcpu *gv)
{
	struct mmu_update *req = (struct mmu_update *)gv->args;

	*req = (struct mmu_update){ slot_of(LOAD(g->pool[P_L3]), 1), 0 };
	return call(__HYPERVISOR_mmu_update, GUEST_PTR(req), 1, 0, DOMID_SELF);
}

/* dom0 maps a guest's frame into its own tables, or changes the guest's. */
static bool foreign_start(struct guest *g, struct guest_vcpu *gv)
{
	struct mmu_update *req = (struct mmu_update *)gv->args;
	struct guest *other = any_guest();
	u32 domid = LOAD(other->domid), foreign = domid;
	bool is_theirs = cpu_random(4) == 0;

	if (is_theirs)
		foreign |= (domid + 1) << 16;
	*req = (struct mmu_update){ any_slot(is_theirs ? other : g),
				    pte_make(_mfn(any_frame(other)), cpu_random(3) ? RW : RO) };
	return call(__HYPERVISOR_mmu_update, GUEST_PTR(req), 1, 0, foreign);
}

static u64 any_flush(struct guest_vcpu *gv)
{
	u64 *mask = (u64 *)(gv->args + 64);

	*mask = cpu_random(4);
	switch (cpu_random(6)) {
	case 0:
		return UVMF_TLB_FLUSH | UVMF_LOCAL;
	case 1:
		return UVMF_INVLPG | UVMF_ALL;
	case 2:
		return UVMF_INVLPG | UVMF_LOCAL;
	case 3:
		return UVMF_TLB_FLUSH | GUEST_PTR(mask);
	default:
		return UVMF_NONE;
	}
}

static bool va_mapping_start(struct guest *g, struct guest_vcpu *gv)
{
	u64 flush = any_flush(gv);

	return call(__HYPERVISOR_update_va_mapping, va_of(any_va()), any_entry(g), flush, 0);
}

static bool va_other_start(struct guest *g, struct guest_vcpu *gv)
{
	struct guest *other = any_guest();
	u64 flush = any_flush(gv);

	return call(__HYPERVISOR_update_va_mapping_otherdomain, va_of(any_va()),
		    pte_make(_mfn(any_frame(other)), RW), flush, LOAD(other->domid));
}

/* --- mmuext --- */

static bool ext(struct guest_vcpu *gv, u32 cmd, u64 arg1, u64 arg2)
{
	struct mmuext_op *op = (struct mmuext_op *)gv->args;

	*op = (struct mmuext_op){ .cmd = cmd };
	op->arg1.mfn = arg1;
	op->arg2.src_mfn = arg2;
	return call(__HYPERVISOR_mmuext_op, GUEST_PTR(op), 1, 0, DOMID_SELF);
}

static bool pin_start(struct guest *g, struct guest_vcpu *gv)
{
	/* low levels more often: what is above needs them */
	u32 level = cpu_random(2) ? 0 : cpu_random(4);

	return ext(gv, MMUEXT_PIN_L1_TABLE + level, any_frame(g), 0);
}

static bool unpin_start(struct guest *g, struct guest_vcpu *gv)
{
	return ext(gv, MMUEXT_UNPIN_TABLE, any_frame(g), 0);
}

static bool baseptr_start(struct guest *g, struct guest_vcpu *gv)
{
	u32 mfn = cpu_random(2) ? LOAD(g->pool[P_L4]) : any_frame(g);

	return ext(gv, cpu_random(3) ? MMUEXT_NEW_BASEPTR : MMUEXT_NEW_USER_BASEPTR, mfn, 0);
}

static bool flush_start(struct guest *g, struct guest_vcpu *gv)
{
	static const u32 cmds[] = { MMUEXT_TLB_FLUSH_LOCAL, MMUEXT_INVLPG_LOCAL,
				    MMUEXT_TLB_FLUSH_ALL,   MMUEXT_INVLPG_ALL,
				    MMUEXT_TLB_FLUSH_MULTI, MMUEXT_INVLPG_MULTI };
	u64 *mask = (u64 *)(gv->args + 64);

	*mask = cpu_random(4);
	return ext(gv, cmds[cpu_random(ARRAY_SIZE(cmds))], va_of(any_va()), GUEST_PTR(mask));
}

static bool page_start(struct guest *g, struct guest_vcpu *gv)
{
	return ext(gv, cpu_random(2) ? MMUEXT_CLEAR_PAGE : MMUEXT_COPY_PAGE, any_frame(g),
		   any_frame(g));
}

static bool descriptors_start(struct guest *g, struct guest_vcpu *gv)
{
	u64 *mfn = (u64 *)gv->args;

	*mfn = any_frame(g);
	if (cpu_random(4) == 0)
		return ext(gv, MMUEXT_SET_LDT, va_of(any_va()), cpu_random(512));
	return call(__HYPERVISOR_set_gdt, GUEST_PTR(mfn), cpu_random(2) ? 0 : cpu_random(513), 0,
		    0);
}

/* The LDT is fetched by a fault inside the hypervisor. */
static bool ldt_start(struct guest *g, struct guest_vcpu *gv)
{
	bool is_fixed;

	hv_lock();
	is_fixed = pv_fixup_hv_fault(VCPU_LDT_VA(current->vcpu_id), 0);
	hv_unlock();
	return is_fixed;
}

struct op mmu_ops[] = {
	{ "touch", 60, 60, touch_start, NULL },
	{ "trapped_store", 12, 4, trapped_start, NULL },
	{ "mmu_update", 20, 10, update_start, NULL },
	{ "graft", 8, 2, graft_start, NULL },
	{ "prune", 6, 2, prune_start, NULL },
	{ "foreign_update", 1, 20, foreign_start, NULL },
	{ "va_mapping", 20, 10, va_mapping_start, NULL },
	{ "va_mapping_other", 1, 6, va_other_start, NULL },
	{ "pin", 8, 2, pin_start, NULL },
	{ "unpin", 5, 1, unpin_start, NULL },
	{ "baseptr", 2, 1, baseptr_start, NULL },
	{ "flush", 1, 1, flush_start, NULL },
	{ "page", 2, 1, page_start, NULL },
	{ "descriptors", 2, 1, descriptors_start, NULL },
	{ "ldt", 1, 1, ldt_start, NULL },
	{ .name = NULL },
};
