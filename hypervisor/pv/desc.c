/* SPDX-License-Identifier: MIT */
/*
 * desc.c - guest descriptor tables: what a descriptor may say (security.md D7), the GDT's frames,
 * the LDT's frames on demand, update_descriptor. Owns pv_vcpu.gdt_*, ldt_*.
 *
 * The tables are seen by the CPU through the vcpu's window (perdomain.c), never at guest addresses.
 */
#include "pv/desc.h"

#include "domain/frame_ref.h"
#include "domain/hc_args.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "pv/mmu.h"
#include "pv/ptval.h"
#include "pv/pv.h"
#include "x86/desc.h"
#include "x86/guest_access.h"
#include "x86/layout.h"
#include "x86/pte.h"
#include "x86/tlb.h"

#define DESC_P (1ULL << 47)
#define DESC_S (1ULL << 44)
#define DESC_DPL_SHIFT 45
#define DESC_DPL_MASK (3ULL << DESC_DPL_SHIFT)
#define DESC_TYPE_MASK (0xfULL << 40)
#define DESC_ACCESSED (1ULL << 40)
#define DESCS_PER_PAGE (PAGE_SIZE / 8)
#define GUEST_RING 3ULL
#define LDT_MAX_ENTRIES 8192
#define WINDOW_PTE (PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX)

/* The descriptor as it may stand in a guest's table. False: refused. */
static bool desc_check(u64 *desc)
{
	u64 d = *desc;

	if (!(d & DESC_P))
		return true;
	/*
	 * system descriptors (TSS, LDT, every gate) are the hypervisor's; the all-zero type is
	 * harmless
	 */
	if (!(d & DESC_S))
		return !(d & DESC_TYPE_MASK);
	if ((d & DESC_DPL_MASK) >> DESC_DPL_SHIFT < GUEST_RING)
		d = (d & ~DESC_DPL_MASK) | GUEST_RING << DESC_DPL_SHIFT;
	/*
	 * the CPU must never need to write the accessed bit into a frame the guest thinks constant
	 */
	*desc = d | DESC_ACCESSED;
	return true;
}

int pv_desc_validate_frame(void *page)
{
	u64 *desc = page;

	for (unsigned int i = 0; i < DESCS_PER_PAGE; i++)
		if (!desc_check(&desc[i]))
			return -EINVAL;
	return 0;
}

static void window_map(struct vcpu *v, unsigned int slot, struct frame *f)
{
	unsigned long va = VCPU_GDT_VA(v->vcpu_id) + slot * PAGE_SIZE;

	v->pv.window_l1[slot] = f ? pte_make(frame_to_mfn(f), WINDOW_PTE) : 0;
	tlb_flush_local_va(va);
}

void pv_gdt_clear(struct vcpu *v)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(v->pv.gdt_frame); i++) {
		struct frame *f = v->pv.gdt_frame[i];

		if (!f)
			continue;
		window_map(v, i, NULL);
		v->pv.gdt_frame[i] = NULL;
		frame_put_and_type(f);
	}
	v->pv.nr_gdt_entries = 0;
}

int pv_gdt_set(struct vcpu *v, const u64 *mfn, u32 nr_entries)
{
	unsigned int nr = (nr_entries + DESCS_PER_PAGE - 1) / DESCS_PER_PAGE, i;
	struct frame *f[ARRAY_SIZE(v->pv.gdt_frame)];
	int rc = 0;

	if (nr_entries > FIRST_RESERVED_GDT_ENTRY)
		return -EINVAL;
	for (i = 0; i < nr; i++) {
		if (!mfn_is_ram(_mfn(mfn[i]))) {
			rc = -EINVAL;
			break;
		}
		f[i] = mfn_to_frame(_mfn(mfn[i]));
		if (frame_get_and_type(f[i], v->domain, FT_SEG)) {
			rc = -EINVAL;
			break;
		}
	}
	if (rc) {
		while (i-- > 0)
			frame_put_and_type(f[i]);
		return rc;
	}
	pv_gdt_clear(v);
	for (i = 0; i < nr; i++) {
		v->pv.gdt_frame[i] = f[i];
		window_map(v, i, f[i]);
	}
	v->pv.nr_gdt_entries = nr_entries;
	return 0;
}

void pv_ldt_clear(struct vcpu *v)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(v->pv.ldt_frame); i++) {
		struct frame *f = v->pv.ldt_frame[i];

		if (!f)
			continue;
		window_map(v, VCPU_GDT_PAGES + i, NULL);
		v->pv.ldt_frame[i] = NULL;
		frame_put_and_type(f);
	}
	v->pv.nr_ldt_entries = 0;
}

int pv_ldt_set(struct vcpu *v, u64 va, u32 nr_entries)
{
	if ((va & PAGE_OFFSET_MASK) || nr_entries > LDT_MAX_ENTRIES)
		return -EINVAL;
	if (nr_entries && !guest_range_ok(va, nr_entries, 8))
		return -EINVAL;
	if (va == v->pv.ldt_base && nr_entries == v->pv.nr_ldt_entries)
		return 0;
	pv_ldt_clear(v);
	v->pv.ldt_base = va;
	v->pv.nr_ldt_entries = nr_entries;
	if (v == current)
		desc_load_ldt(VCPU_LDT_VA(v->vcpu_id), nr_entries);
	return 0;
}

bool pv_ldt_map(u64 offset)
{
	struct vcpu *v = current;
	unsigned int slot = (unsigned int)(offset >> PAGE_SHIFT);
	struct frame *f;
	u64 entry;

	if (offset >= v->pv.nr_ldt_entries * 8ULL || v->pv.ldt_frame[slot])
		return false;
	entry = pv_l1_entry(v, v->pv.ldt_base + (u64)slot * PAGE_SIZE);
	if (!(entry & PTE_P) || !mfn_is_ram(pte_mfn(entry)))
		return false;
	f = mfn_to_frame(pte_mfn(entry));
	if (frame_get_and_type(f, v->domain, FT_SEG))
		return false;
	v->pv.ldt_frame[slot] = f;
	window_map(v, VCPU_GDT_PAGES + slot, f);
	return true;
}

long hc_set_gdt(struct hc_args *a)
{
	u32 nr_entries = (u32)a->a[1], nr = (nr_entries + DESCS_PER_PAGE - 1) / DESCS_PER_PAGE;
	u64 mfn[ARRAY_SIZE(current->pv.gdt_frame)];
	int rc;

	if (nr_entries > FIRST_RESERVED_GDT_ENTRY)
		return -EINVAL;
	if (copy_from_guest(mfn, a->a[0], nr * sizeof(mfn[0])))
		return -EFAULT;
	rc = pv_gdt_set(current, mfn, nr_entries);
	if (!rc)
		desc_load_gdt(VCPU_GDT_VA(current->vcpu_id));
	return rc;
}

long hc_update_descriptor(struct hc_args *a)
{
	u64 maddr = a->a[0], desc = a->a[1];
	mfn_t mfn = maddr_to_mfn(maddr);
	enum frame_type type;
	struct frame *f;
	int rc;

	if ((maddr & 7) || !mfn_is_ram(mfn) || !desc_check(&desc))
		return -EINVAL;
	f = mfn_to_frame(mfn);
	if (!frame_get(f, current->domain))
		return -EINVAL;
	/*
	 * in use as a descriptor page: the checked value keeps it valid; else it must be plain
	 * memory
	 */
	type = frame_type_of(f) == FT_SEG && frame_type_count(f) ? FT_SEG : FT_WR;
	rc = frame_type_get(f, type);
	if (!rc) {
		WRITE_ONCE(*(u64 *)((char *)mfn_to_virt(mfn) + (maddr & PAGE_OFFSET_MASK)), desc);
		frame_note_write(f);
		frame_type_put(f);
	}
	frame_put(f);
	return rc;
}
