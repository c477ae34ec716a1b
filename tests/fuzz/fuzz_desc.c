/* SPDX-License-Identifier: MIT */
/*
 * fuzz_desc.c - any values as descriptors, in pages that become descriptor tables and by
 * update_descriptor: whatever a CPU could load a segment from holds only what a guest may have.
 */
#include "fuzz_hv.h"

#include "pv/desc.h"
#include "x86/lock.h"

/* Intel SDM vol. 3, 3.4.5: the bits of a descriptor that say what it is. */
#define PRESENT (1ULL << 47)
#define CODE_OR_DATA (1ULL << 44)
#define DPL(d) ((d) >> 45 & 3)
#define TYPE(d) ((d) >> 40 & 15)

/* Not present; or code or data of the guest's ring; or of a type that no instruction can use. */
static bool is_allowed(u64 d)
{
	if (!(d & PRESENT))
		return true;
	return d & CODE_OR_DATA ? DPL(d) == 3 : TYPE(d) == 0;
}

static void check_frame(const struct vcpu *v, const struct frame *f, u64 window_entry)
{
	const u64 *desc = mfn_to_virt(frame_to_mfn(f));

	FUZZ_CHECK(frame_type_of(f) == FT_SEG && frame_type_count(f) && f->type & FT_VALID);
	FUZZ_CHECK(f->owner == v->domain->domain_id);
	FUZZ_CHECK(mfn_x(pte_mfn(window_entry)) == mfn_x(frame_to_mfn(f)));
	for (unsigned int i = 0; i < PAGE_SIZE / 8; i++)
		FUZZ_CHECK(is_allowed(desc[i]));
}

static void check_vcpu(const struct vcpu *v)
{
	const struct pv_vcpu *pv = &v->pv;

	for (unsigned int i = 0; i < VCPU_GDT_PAGES; i++) {
		const struct frame *f = i < ARRAY_SIZE(pv->gdt_frame) ? pv->gdt_frame[i] : NULL;

		if (f)
			check_frame(v, f, pv->window_l1[i]);
		else /* nothing, or the CPU's own page behind the guest's fourteen */
			FUZZ_CHECK(i >= ARRAY_SIZE(pv->gdt_frame) || !pv->window_l1[i]);
	}
	for (unsigned int i = 0; i < VCPU_LDT_PAGES; i++) {
		if (pv->ldt_frame[i])
			check_frame(v, pv->ldt_frame[i], pv->window_l1[VCPU_GDT_PAGES + i]);
		else
			FUZZ_CHECK(!pv->window_l1[VCPU_GDT_PAGES + i]);
	}
	FUZZ_CHECK(pv->nr_gdt_entries <= ARRAY_SIZE(pv->gdt_frame) * 512);
}

static void check(void)
{
	for (const struct domain *d = domain_list; d; d = d->next)
		for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
			if (d->vcpu[i] && d->vcpu[i]->pv.window_l1)
				check_vcpu(d->vcpu[i]);
}

/* A descriptor, with what matters in a byte of its own. */
static u64 take_desc(void)
{
	u64 b = take(1);

	return b & 1 ? take(8) : 0xffff | take(1) << 40 | (b & 0xf0) << 48;
}

static void store(u64 op)
{
	u64 b = take(1);

	guest_write(b % NR_VAS, (u32)(op & 15) * (b & 0x80 ? 32 : 1), take_desc());
}

static void set_gdt(u64 op)
{
	u64 *mfn = (u64 *)fuzz_memory;

	for (u64 i = 0; i <= (op & 3); i++)
		mfn[i] = op & 4 ? take(8) : take_frame();
	fuzz_hypercall(__HYPERVISOR_set_gdt, FUZZ_PTR(mfn), take(2), 0, 0);
}

static void update(u64 op)
{
	u64 slot = take_slot();

	if (!(op & 8))
		slot &= ~7ULL;
	fuzz_hypercall(__HYPERVISOR_update_descriptor, slot, take_desc(), 0, 0);
}

static void set_ldt(u64 op)
{
	struct mmuext_op *e = (struct mmuext_op *)fuzz_memory;

	*e = (struct mmuext_op){ .cmd = MMUEXT_SET_LDT };
	e->arg1.linear_addr = op & 8 ? take_value() : va_of(take(1) % NR_VAS);
	e->arg2.nr_ents = (u32)take(2);
	fuzz_hypercall(__HYPERVISOR_mmuext_op, FUZZ_PTR(e), 1, 0, DOMID_SELF);
}

/* The CPU looks at the LDT: a fault, as long as the page is not there. */
static void use_ldt(u64 op)
{
	hv_lock();
	pv_fixup_hv_fault(VCPU_LDT_VA(current->vcpu_id) + (op << PAGE_SHIFT), 0);
	hv_unlock();
}

static void map(u64 op)
{
	u64 va = va_of(take(1) % NR_VAS);

	fuzz_hypercall(__HYPERVISOR_update_va_mapping, va, take_entry(),
		       op & 1 ? UVMF_INVLPG | UVMF_ALL : UVMF_NONE, 0);
}

static void pin(u64 op)
{
	struct mmuext_op *e = (struct mmuext_op *)fuzz_memory;

	e->cmd = op & 8 ? MMUEXT_UNPIN_TABLE : MMUEXT_PIN_L1_TABLE + (op & 3);
	e->arg1.mfn = take_frame();
	fuzz_hypercall(__HYPERVISOR_mmuext_op, FUZZ_PTR(e), 1, 0, DOMID_SELF);
}

static void step(void)
{
	static void (*const kinds[8])(u64 op) = { store,	  store,   set_gdt, update,
						  set_ldt, use_ldt, map,	    pin };
	u64 op = take(1);

	kinds[op >> 4 & 7](op & 15);
}

int fuzz_one(const uint8_t *data, size_t size)
{
	fuzz_hv_run(data, size, step, check);
	return 0;
}
