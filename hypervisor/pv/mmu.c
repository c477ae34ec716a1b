/* SPDX-License-Identifier: MIT */
/*
 * mmu.c - HYPERVISOR_mmu_update and update_va_mapping: entries of validated tables change only here
 * (and through the same pv_entry_update for trapped writes). ABI: xen/xen.h.
 */
#include "pv/mmu.h"

#include "domain/frame_ref.h"
#include "domain/hc_args.h"
#include "domain/preempt.h"
#include "lib/errno.h"
#include "mm/frame.h"
#include "pv/domain_tlb.h"
#include "pv/ptval.h"
#include "pv/pv.h"
#include "x86/guest_access.h"
#include "x86/layout.h"
#include "x86/pte.h"
#include "x86/tlb.h"
#include "x86/xpti.h"

/*
 * Changes in these alone need no new reference (C16). PTE_GRANT is not among them: it decides who
 * holds the references. Which of them a level may have is another question (pt_entry_bits_ok).
 */
#define FAST_BITS \
	((PTE_NX | PTE_AVL_LOW | PTE_AVL_HIGH | PTE_G | PTE_D | PTE_A | PTE_US) & ~PTE_GRANT)

/*
 * The frame of the level-1 table for @va; NULL: none. Kept alive by the tables above it, held by
 * nobody.
 */
static struct frame *walk_to_l1(const struct vcpu *v, u64 va)
{
	/* the kernel's tables map all a caller may name; the LDT is needed in user mode too */
	struct frame *f = v->pv.cr3_kernel;

	if (!f || !guest_address_ok(va))
		return NULL;
	for (unsigned int level = 4; level > 1; level--) {
		u64 entry = ((u64 *)mfn_to_virt(frame_to_mfn(f)))[pt_index(va, level)];

		if (!(entry & PTE_P))
			return NULL;
		f = mfn_to_frame(pte_mfn(entry));
	}
	return f;
}

u64 pv_l1_entry(const struct vcpu *v, u64 va)
{
	struct frame *f = walk_to_l1(v, va);

	return f ? READ_ONCE(((u64 *)mfn_to_virt(frame_to_mfn(f)))[pt_index(va, 1)]) : 0;
}

int pv_l1_hold(u64 va, struct frame **l1)
{
	*l1 = walk_to_l1(current, va);
	return *l1 ? frame_hold_table(*l1, current->domain, 1) : -EINVAL;
}

static void entry_write(u64 *slot, unsigned int level, u64 old, u64 val, bool preserve_ad)
{
	/* the MMU may set A and D under us; nothing else can change */
	if (!preserve_ad)
		WRITE_ONCE(*slot, val);
	else
		while (!__atomic_compare_exchange_n(slot, &old, val | (old & (PTE_A | PTE_D)),
						    false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
			;
	if (level == 4)
		xpti_l4_changed();
}

int pv_entry_exchange(struct frame *f, unsigned int idx, u64 old, u64 val,
		      const struct pt_subject *s)
{
	u64 *slot = (u64 *)mfn_to_virt(frame_to_mfn(f)) + idx, expected = old;
	u64 new = pt_entry_adjust(val, 1);
	bool takes_refs = (new & PTE_P) && (!(old & PTE_P) || ((old ^ new) & ~FAST_BITS));
	bool keeps_refs = (new & PTE_P) && !takes_refs;
	int rc;

	if (!ptval_entry_changes(f, 1, idx))
		return -EINVAL;
	if (((new & PTE_P) && !pt_entry_bits_ok(new, 1)) || !pt_entry_absent_ok(new))
		return -EINVAL;
	if (takes_refs) {
		new &= ~PTE_GRANT;
		rc = pt_entry_get(&new, 1, s);
		if (rc)
			return rc;
	}
	if (!__atomic_compare_exchange_n(slot, &expected, new, false, __ATOMIC_SEQ_CST,
					 __ATOMIC_SEQ_CST)) {
		if (takes_refs)
			pt_entry_put(new, 1, f);
		return -EAGAIN;
	}
	if (!keeps_refs)
		pt_entry_put(old, 1, f);
	return 0;
}

int pv_entry_update(struct frame *f, unsigned int level, unsigned int idx, u64 val,
		    bool preserve_ad,
		    const struct pt_subject *s)
{
	u64 *slot = (u64 *)mfn_to_virt(frame_to_mfn(f)) + idx;
	u64 old = READ_ONCE(*slot), new;
	int rc;

	if (!pt_slot_is_guest(level, idx) || !ptval_entry_changes(f, level, idx))
		return -EINVAL;
	if (!pt_entry_absent_ok(val))
		return -EINVAL;
	if (!(val & PTE_P)) {
		entry_write(slot, level, old, val, false);
		pt_entry_put(old, level, f);
		return 0;
	}
	new = pt_entry_adjust(val, level);
	if (!pt_entry_bits_ok(new, level))
		return -EINVAL;
	if ((old & PTE_P) && !((old ^ new) & ~FAST_BITS)) {
		entry_write(slot, level, old, new, preserve_ad);
		return 0;
	}
	new &= ~PTE_GRANT;
	rc = pt_entry_get(&new, level, s);
	if (unlikely(rc)) {
		if (rc != PT_ENTRY_FOREIGN)
			return rc;
		f->type |= FT_FOREIGN;
	}
	entry_write(slot, level, old, new, preserve_ad);
	pt_entry_put(old, level, f);
	return 0;
}

int pv_mmu_subject(domid_t domid, struct domain **out)
{
	if (domid == DOMID_SELF || domid == current->domain->domain_id) {
		*out = current->domain;
		return 0;
	}
	/* device memory has no owner: the level-1 rule asks whether the table's owner may map it */
	if (domid == DOMID_IO) {
		*out = current->domain;
		return current->domain->is_privileged ? 0 : -EPERM;
	}
	return domain_find_remote(domid, out);
}

/* A table nobody uses as one is the guest's plain memory. */
static int write_plain(struct frame *f, const struct domain *owner, u64 offset, u64 val)
{
	int rc = frame_get_and_type(f, owner, FT_WR);

	if (rc)
		return rc;
	*(u64 *)((char *)mfn_to_virt(frame_to_mfn(f)) + offset) = val;
	frame_note_write(f);
	frame_put_and_type(f);
	return 0;
}

static int update_pt(u64 ptr, u64 val, bool preserve_ad, const struct pt_subject *s)
{
	mfn_t mfn = maddr_to_mfn(ptr);
	u64 offset = ptr & PAGE_OFFSET_MASK & ~7ULL;
	enum frame_type type;
	struct frame *f;
	int rc;

	if (!mfn_is_ram(mfn))
		return -EINVAL;
	f = mfn_to_frame(mfn);
	if (!frame_get(f, s->pt_owner))
		return -EPERM;
	type = frame_type_of(f);
	if (frame_type_count(f) && type >= FT_L1 && type <= FT_L4) {
		/* a PARTIAL table is finished by the call that left it so */
		rc = (f->type & FT_VALID) ? frame_type_get(f, type) : -EINVAL;
		if (!rc) {
			rc = pv_entry_update(f, type, (unsigned int)(offset / 8), val, preserve_ad,
					     s);
			frame_type_put(f);
		}
	} else {
		rc = write_plain(f, s->pt_owner, offset, val);
	}
	frame_put(f);
	return rc;
}

static int update_machphys(u64 ptr, u64 pfn, const struct domain *owner)
{
	mfn_t mfn = maddr_to_mfn(ptr);
	struct frame *f;

	if (!mfn_is_ram(mfn))
		return -EINVAL;
	f = mfn_to_frame(mfn);
	if (!frame_get(f, owner))
		return -EPERM;
	m2p_set(mfn, pfn);
	frame_put(f);
	return 0;
}

static int update_one(const struct mmu_update *req, const struct pt_subject *s)
{
	u64 ptr = req->ptr & ~3ULL;

	switch (req->ptr & 3) {
	case MMU_NORMAL_PT_UPDATE:
	/* what gntdev's and privcmd's resources use; PV never translates */
	case MMU_PT_UPDATE_NO_TRANSLATE:
		return update_pt(ptr, req->val, false, s);
	case MMU_PT_UPDATE_PRESERVE_AD:
		return update_pt(ptr, req->val, true, s);
	case MMU_MACHPHYS_UPDATE:
		return update_machphys(ptr, req->val, s->frame_owner);
	default:
		return -ENOSYS;
	}
}

/*
 * High half of the foreign domid: owner of the tables, plus one; low half: owner of the frames
 * named in them. Both are held until mmu_subjects_put(): either may be dying, and an entry that is
 * replaced may be the last that kept it.
 */
static int mmu_subjects_get(u32 foreign, struct pt_subject *s)
{
	int rc = 0;

	s->pt_owner = s->frame_owner = current->domain;
	s->is_foreign = foreign != DOMID_SELF;
	s->is_of_hypervisor = (domid_t)foreign == DOMID_XEN;
	if (!s->is_of_hypervisor)
		rc = pv_mmu_subject((domid_t)foreign, &s->frame_owner);
	else if (!current->domain->is_privileged)
		rc = -EPERM;
	if (!rc && foreign >> 16)
		rc = pv_mmu_subject((domid_t)((foreign >> 16) - 1), &s->pt_owner);
	if (rc)
		return rc;
	domain_hold(s->pt_owner);
	domain_hold(s->frame_owner);
	return 0;
}

static void mmu_subjects_put(struct pt_subject *s)
{
	domain_unhold(s->pt_owner);
	domain_unhold(s->frame_owner);
}

/* Adds @nr to the guest's counter of entries done; a restarted call goes on counting. */
static int publish_done(u64 done_va, u32 nr, bool is_restart)
{
	u32 total = 0;

	if (!done_va)
		return 0;
	if (is_restart && copy_from_guest(&total, done_va, sizeof(total)))
		return -EFAULT;
	total += nr;
	return copy_to_guest(done_va, &total, sizeof(total));
}

long hc_mmu_update(struct hc_args *a)
{
	bool is_restart = a->a[1] & MMU_UPDATE_PREEMPTED;
	u32 count = (u32)a->a[1] & ~MMU_UPDATE_PREEMPTED, i;
	struct pt_subject s;
	int rc = mmu_subjects_get((u32)a->a[3], &s);

	if (rc)
		return rc;
	for (i = 0; i < count; i++) {
		struct mmu_update req;

		if (i && (current->pv.nr_deferred || hypercall_should_preempt())) {
			rc = -ERESTART;
			break;
		}
		if (copy_from_guest(&req, a->a[0] + i * sizeof(req), sizeof(req))) {
			rc = -EFAULT;
			break;
		}
		rc = update_one(&req, &s);
		if (rc)
			break;
	}
	mmu_subjects_put(&s);
	if (publish_done(a->a[2], i, is_restart) && !rc)
		rc = -EFAULT;
	if (rc == -ERESTART) {
		a->a[0] += i * sizeof(struct mmu_update);
		a->a[1] = (count - i) | MMU_UPDATE_PREEMPTED;
	}
	return rc;
}

int pv_vcpus_to_cpus(const struct domain *d, u64 mask_va, u64 *cpus)
{
	u64 vcpus = 0;

	if (copy_from_guest(&vcpus, mask_va, (d->nr_vcpus_max + 7) / 8))
		return -EFAULT;
	*cpus = 0;
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		if (vcpus >> i & 1 && d->vcpu[i] && d->vcpu[i]->state_cpu != NO_CPU)
			*cpus |= 1ULL << d->vcpu[i]->state_cpu;
	return 0;
}

/* Beside the kind of flush, @flags say where: nothing: here, UVMF_ALL, or the address of a mask. */
static int flush_as_asked(u64 va, u64 flags)
{
	u64 where = flags & ~UVMF_FLUSHTYPE_MASK, cpus;
	int rc = 0;

	if (where == UVMF_ALL)
		cpus = tlb_domain_cpus(current->domain);
	else if (where == UVMF_LOCAL)
		cpus = 1ULL << this_cpu_id();
	else
		rc = pv_vcpus_to_cpus(current->domain, where, &cpus);
	if (rc)
		return rc;
	switch (flags & UVMF_FLUSHTYPE_MASK) {
	case UVMF_TLB_FLUSH:
		tlb_flush_cpus(cpus);
		break;
	case UVMF_INVLPG:
		tlb_flush_va(cpus, va);
		break;
	default:
		break;
	}
	return 0;
}

static long va_mapping_update(u64 va, u64 val, u64 flags, struct domain *frame_owner)
{
	struct pt_subject s = { .pt_owner = current->domain, .frame_owner = frame_owner,
				.is_foreign = frame_owner != current->domain };
	struct frame *l1;
	int rc = pv_l1_hold(va, &l1);

	if (rc)
		return rc;
	rc = pv_entry_update(l1, 1, pt_index(va, 1), val, false, &s);
	frame_put_and_type(l1);
	return rc ? rc : flush_as_asked(va, flags);
}

long hc_update_va_mapping(struct hc_args *a)
{
	return va_mapping_update(a->a[0], a->a[1], a->a[2], current->domain);
}

long hc_update_va_mapping_otherdomain(struct hc_args *a)
{
	struct domain *owner;
	long rc = pv_mmu_subject((domid_t)a->a[3], &owner);

	if (rc)
		return rc;
	domain_hold(owner);
	rc = va_mapping_update(a->a[0], a->a[1], a->a[2], owner);
	domain_unhold(owner);
	return rc;
}
