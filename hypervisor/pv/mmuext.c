/* SPDX-License-Identifier: MIT */
/*
 * mmuext.c - HYPERVISOR_mmuext_op: pinning, base pointers, flushes, LDT. ABI: xen/xen.h, mmuext_op.
 */
#include "domain/frame_ref.h"
#include "domain/hc_args.h"
#include "domain/preempt.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "pv/context.h"
#include "pv/desc.h"
#include "pv/domain_tlb.h"
#include "pv/mmu.h"
#include "pv/ptval.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/guest_access.h"
#include "x86/layout.h"
#include "x86/pte.h"
#include "x86/smp.h"
#include "x86/tlb.h"

static int frame_of(u64 mfn, struct frame **out)
{
	if (!mfn_is_ram(_mfn(mfn)))
		return -EINVAL;
	*out = mfn_to_frame(_mfn(mfn));
	return 0;
}

static int op_pin(const struct mmuext_op *op, struct domain *owner)
{
	enum frame_type type = (enum frame_type)(FT_L1 + (op->cmd - MMUEXT_PIN_L1_TABLE));
	struct frame *f;
	int rc = frame_of(op->arg1.mfn, &f);

	if (!rc)
		rc = frame_get_and_type(f, owner, type);
	if (rc)
		return rc;
	if (f->type & FT_PINNED) {
		frame_put_and_type(f);
		return -EINVAL;
	}
	f->type |= FT_PINNED; /* owns the two references */
	frame_note_write(f);
	return 0;
}

static int op_unpin(const struct mmuext_op *op, struct domain *owner)
{
	struct frame *f;
	int rc = frame_of(op->arg1.mfn, &f);

	if (rc)
		return rc;
	if (!frame_get(f, owner))
		return -EPERM;
	if (f->type & FT_PINNED) {
		f->type &= ~FT_PINNED;
		frame_note_write(f);
		frame_put_and_type(f);
	} else {
		rc = -EINVAL;
	}
	frame_put(f);
	return rc;
}

static int op_new_baseptr(const struct mmuext_op *op, struct domain *owner)
{
	struct frame *f, *old = current->pv.cr3_kernel;
	int rc;

	if (owner != current->domain)
		return -EPERM;
	rc = frame_of(op->arg1.mfn, &f);
	if (rc)
		return rc;
	if (f != old) {
		rc = frame_get_and_type(f, owner, FT_L4);
		if (rc)
			return rc;
		/*
		 * Before it takes the place of what the CPU walks: room for it is made with what no
		 * vcpu has.
		 */
		current->pv.kernel_cr3 = pv_cr3_of(f);
		current->pv.cr3_kernel = f;
	}
	pv_load_cr3_flush(current);
	if (f != old)
		frame_put_and_type(old);
	return 0;
}

static int op_new_user_baseptr(const struct mmuext_op *op, struct domain *owner)
{
	struct frame *f = NULL, *old = current->pv.cr3_user;
	int rc;

	if (owner != current->domain)
		return -EPERM;
	if (op->arg1.mfn) {
		rc = frame_of(op->arg1.mfn, &f);
		if (!rc)
			rc = frame_get_and_type(f, owner, FT_L4);
		if (rc)
			return rc;
	}
	current->pv.cr3_user = f;
	current->pv.user_cr3 = f ? pv_cr3_of(f) : 0;
	if (old)
		frame_put_and_type(old);
	return 0;
}

static int op_flush_local(const struct mmuext_op *op, struct domain *owner)
{
	tlb_flush_local_all();
	return 0;
}

static int op_invlpg_local(const struct mmuext_op *op, struct domain *owner)
{
	if (guest_address_ok(op->arg1.linear_addr))
		tlb_flush_local_va(op->arg1.linear_addr);
	return 0;
}

/* Those of current's vcpus that arg2 names. */
static int op_flush_multi(const struct mmuext_op *op, struct domain *owner)
{
	u64 cpus;
	int rc = pv_vcpus_to_cpus(current->domain, handle_va(op->arg2.vcpumask), &cpus);

	if (rc)
		return rc;
	if (op->cmd == MMUEXT_TLB_FLUSH_MULTI)
		tlb_flush_cpus(cpus);
	else if (guest_address_ok(op->arg1.linear_addr))
		tlb_flush_va(cpus, op->arg1.linear_addr);
	return 0;
}

static int op_flush_everywhere(const struct mmuext_op *op, struct domain *owner)
{
	u64 cpus = tlb_domain_cpus(current->domain);

	if (op->cmd == MMUEXT_TLB_FLUSH_ALL)
		tlb_flush_cpus(cpus);
	else if (guest_address_ok(op->arg1.linear_addr))
		tlb_flush_va(cpus, op->arg1.linear_addr);
	return 0;
}

static int op_flush_cache(const struct mmuext_op *op, struct domain *owner)
{
	if (!current->domain->is_privileged)
		return -EACCES;
	__asm__ volatile("wbinvd" ::: "memory");
	if (op->cmd == MMUEXT_FLUSH_CACHE_GLOBAL)
		smp_request(smp_cpu_mask(), CPU_REQUEST_CACHE, 0);
	return 0;
}

static int op_set_ldt(const struct mmuext_op *op, struct domain *owner)
{
	if (owner != current->domain)
		return -EPERM;
	return pv_ldt_set(current, op->arg1.linear_addr, op->arg2.nr_ents);
}

/* A guest page written by the hypervisor on the guest's behalf: a WR reference first (D6). */
static int op_clear_page(const struct mmuext_op *op, struct domain *owner)
{
	struct frame *f;
	int rc = frame_of(op->arg1.mfn, &f);

	if (!rc)
		rc = frame_get_and_type(f, owner, FT_WR);
	if (rc)
		return rc;
	memset(mfn_to_virt(frame_to_mfn(f)), 0, PAGE_SIZE);
	frame_note_write(f);
	frame_put_and_type(f);
	return 0;
}

static int op_copy_page(const struct mmuext_op *op, struct domain *owner)
{
	struct frame *src, *dst;
	int rc = frame_of(op->arg2.src_mfn, &src);

	if (!rc)
		rc = frame_of(op->arg1.mfn, &dst);
	if (rc)
		return rc;
	if (!frame_get(src, owner))
		return -EPERM;
	rc = frame_get_and_type(dst, owner, FT_WR);
	if (!rc) {
		memcpy(mfn_to_virt(frame_to_mfn(dst)), mfn_to_virt(frame_to_mfn(src)), PAGE_SIZE);
		frame_note_write(dst);
		frame_put_and_type(dst);
	}
	frame_put(src);
	return rc;
}

typedef int (*mmuext_fn)(const struct mmuext_op *op, struct domain *owner);

static const mmuext_fn mmuext_table[] = {
	[MMUEXT_PIN_L1_TABLE] = op_pin,
	[MMUEXT_PIN_L2_TABLE] = op_pin,
	[MMUEXT_PIN_L3_TABLE] = op_pin,
	[MMUEXT_PIN_L4_TABLE] = op_pin,
	[MMUEXT_UNPIN_TABLE] = op_unpin,
	[MMUEXT_NEW_BASEPTR] = op_new_baseptr,
	[MMUEXT_TLB_FLUSH_LOCAL] = op_flush_local,
	[MMUEXT_INVLPG_LOCAL] = op_invlpg_local,
	[MMUEXT_TLB_FLUSH_MULTI] = op_flush_multi,
	[MMUEXT_INVLPG_MULTI] = op_flush_multi,
	[MMUEXT_TLB_FLUSH_ALL] = op_flush_everywhere,
	[MMUEXT_INVLPG_ALL] = op_flush_everywhere,
	[MMUEXT_FLUSH_CACHE] = op_flush_cache,
	[MMUEXT_SET_LDT] = op_set_ldt,
	[MMUEXT_NEW_USER_BASEPTR] = op_new_user_baseptr,
	[MMUEXT_CLEAR_PAGE] = op_clear_page,
	[MMUEXT_COPY_PAGE] = op_copy_page,
	[MMUEXT_FLUSH_CACHE_GLOBAL] = op_flush_cache,
};

long hc_mmuext_op(struct hc_args *a)
{
	u32 count = (u32)a->a[1] & ~MMU_UPDATE_PREEMPTED, i;
	struct domain *owner;
	int rc = pv_mmu_subject((domid_t)a->a[3], &owner);

	if (rc)
		return rc;
	domain_hold(owner); /* it may be dying, and go with the last frame let go here */
	for (i = 0; i < count; i++) {
		struct mmuext_op op;

		if (i && (current->pv.nr_deferred || hypercall_should_preempt())) {
			rc = -ERESTART;
			break;
		}
		if (copy_from_guest(&op, a->a[0] + i * sizeof(op), sizeof(op))) {
			rc = -EFAULT;
			break;
		}
		if (op.cmd >= ARRAY_SIZE(mmuext_table) || !*table_nospec(mmuext_table, op.cmd))
			rc = -EOPNOTSUPP;
		else
			rc = (*table_nospec(mmuext_table, op.cmd))(&op, owner);
		if (rc)
			break;
	}
	domain_unhold(owner);
	if (rc == -ERESTART) {
		a->a[0] += i * sizeof(struct mmuext_op);
		a->a[1] = count - i;
		return rc;
	}
	/* entries done; written once, a restart counts only its own part */
	if (a->a[2] && copy_to_guest(a->a[2], &i, sizeof(i)) && !rc)
		rc = -EFAULT;
	return rc;
}
