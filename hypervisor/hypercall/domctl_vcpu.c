/* SPDX-License-Identifier: MIT */
/*
 * domctl_vcpu.c - domctl: the state of a vcpu, in and out: contexts, affinity, FPU, MSRs. ABI:
 * xen/domctl.h.
 */
#include "domain/fpu.h"
#include "hypercall/domctl.h"

#include "domain/sched.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/guest_access.h"
#include "x86/smp.h"
#include "x86/spec_ctrl.h"

static struct vcpu *vcpu_find(const struct domain *d, u32 id)
{
	return id < d->nr_vcpus_max ? d->vcpu[id] : NULL;
}

/*
 * A vcpu that has a context may get new registers (resume after suspend), no other page tables.
 */
static long context_change(struct vcpu *v, const struct vcpu_guest_context *new)
{
	struct vcpu_guest_context *old = xzalloc_obj(struct vcpu_guest_context);
	long rc = 0;

	if (!old)
		return -ENOMEM;
	pv_vcpu_get_context(v, old);
	if (old->ctrlreg[3] != new->ctrlreg[3] || old->ctrlreg[1] != new->ctrlreg[1] ||
	    old->user_regs.cs != new->user_regs.cs || old->user_regs.rip != new->user_regs.rip ||
	    old->user_regs.ss != new->user_regs.ss ||
	    old->user_regs.rflags != new->user_regs.rflags)
		rc = -EBUSY;
	xfree(old);
	if (rc)
		return rc;
	/* Everything the CPU takes without checks of its own. */
	v->regs.rax = new->user_regs.rax;
	v->regs.rbx = new->user_regs.rbx;
	v->regs.rcx = new->user_regs.rcx;
	v->regs.rdx = new->user_regs.rdx;
	v->regs.rsi = new->user_regs.rsi;
	v->regs.rdi = new->user_regs.rdi;
	return 0;
}

long domctl_setvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = vcpu_find(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context *ctxt;
	long rc = -EFAULT;

	if (!v)
		return -ENOENT;
	if (d->is_dying)
		return -EINVAL;
	if (!handle_va(op->u.vcpucontext.ctxt))
		return -EINVAL; /* a reset: of no use to PV */
	ctxt = xzalloc_obj(struct vcpu_guest_context);
	if (!ctxt)
		return -ENOMEM;
	domain_pause(d);
	if (copy_elem_from_handle(ctxt, op->u.vcpucontext.ctxt, 0) == 0)
		rc = v->is_initialised ? context_change(v, ctxt) : pv_vcpu_set_context(v, ctxt);
	if (rc == 0 && v->vcpu_id == 0)
		wallclock_update(d); /* the builder has emptied the shared page since creation */
	if (rc == 0 && ctxt->flags & VGCF_online)
		rc = vcpu_up(v);
	domain_unpause(d);
	xfree(ctxt);
	return rc;
}

long domctl_getvcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = vcpu_find(d, op->u.vcpucontext.vcpu);
	struct vcpu_guest_context *ctxt;
	long rc;

	if (!v)
		return -ESRCH;
	if (!v->is_initialised)
		return -ENODATA;
	ctxt = xzalloc_obj(struct vcpu_guest_context);
	if (!ctxt)
		return -ENOMEM;
	pv_vcpu_get_context(v, ctxt);
	rc = copy_to_guest(handle_va(op->u.vcpucontext.ctxt), ctxt, sizeof(*ctxt));
	xfree(ctxt);
	return rc;
}

long domctl_getvcpuinfo(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_getvcpuinfo *info = &op->u.getvcpuinfo;
	struct vcpu *v = vcpu_find(d, info->vcpu);

	if (!v)
		return -ESRCH;
	info->online = !(v->pause_flags & VPF_DOWN);
	info->blocked = v->pause_flags & VPF_BLOCKED ? 1 : 0;
	info->running = v->is_running;
	info->cpu_time = vcpu_cpu_time_ns(v);
	info->cpu = v->last_cpu == NO_CPU ? 0 : v->last_cpu;
	return 0;
}

/* Hard: at least one CPU that is there. The answer says what takes effect. */
long domctl_setvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *aff = &op->u.vcpuaffinity;
	struct vcpu *v = vcpu_find(d, aff->vcpu);
	u64 bits;
	long rc = 0;

	if (!v)
		return -ESRCH;
	if (aff->flags & XEN_VCPUAFFINITY_HARD) {
		rc = domctl_get_bitmap(&aff->cpumap_hard, &bits);
		if (rc)
			return rc;
		if (!(bits & smp_cpu_mask()))
			return -EINVAL; /* names no CPU that is there */
		if (v->affinity_before_pin)
			v->affinity_before_pin = bits; /* takes effect when the pin ends */
		else
			v->affinity = bits;
		sched_affinity_changed(v);
		rc = domctl_put_bitmap(&aff->cpumap_hard, bits & smp_cpu_mask());
	}
	if (rc || !(aff->flags & XEN_VCPUAFFINITY_SOFT))
		return rc;
	rc = domctl_get_bitmap(&aff->cpumap_soft, &bits);
	if (rc)
		return rc;
	v->soft_affinity = bits;
	return domctl_put_bitmap(&aff->cpumap_soft, bits & v->affinity & smp_cpu_mask());
}

long domctl_getvcpuaffinity(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuaffinity *aff = &op->u.vcpuaffinity;
	struct vcpu *v = vcpu_find(d, aff->vcpu);
	long rc = 0;

	if (!v)
		return -ESRCH;
	if (aff->flags & XEN_VCPUAFFINITY_HARD)
		rc = domctl_put_bitmap(&aff->cpumap_hard, v->affinity);
	if (!rc && aff->flags & XEN_VCPUAFFINITY_SOFT)
		rc = domctl_put_bitmap(&aff->cpumap_soft, v->soft_affinity);
	return rc;
}

long domctl_get_ext_vcpucontext(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_ext_vcpucontext *ext = &op->u.ext_vcpucontext;
	const struct vcpu *v = vcpu_find(d, ext->vcpu);
	u32 id = ext->vcpu;

	if (!v || v == current)
		return -ESRCH;
	memset(ext, 0, sizeof(*ext));
	ext->vcpu = id;
	ext->size = sizeof(*ext);
	ext->sysenter_callback_cs = ext->syscall32_callback_cs = FLAT_KERNEL_CS;
	ext->sysenter_callback_eip = v->pv.sysenter_cb;
	ext->sysenter_disables_events = v->pv.sysenter_masks_events;
	ext->syscall32_callback_eip = v->pv.syscall32_cb;
	ext->syscall32_disables_events = v->pv.syscall32_masks_events;
	return 0;
}

long domctl_set_ext_vcpucontext(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_ext_vcpucontext *ext = &op->u.ext_vcpucontext;
	struct vcpu *v = vcpu_find(d, ext->vcpu);

	if (!v || v == current)
		return -ESRCH;
	if (ext->size < offsetof(struct xen_domctl_ext_vcpucontext, mcg_cap))
		return -EINVAL;
	if (!guest_address_ok(ext->sysenter_callback_eip) ||
	    !guest_address_ok(ext->syscall32_callback_eip))
		return -EINVAL;
	v->pv.sysenter_cb = ext->sysenter_callback_eip;
	v->pv.sysenter_masks_events = ext->sysenter_disables_events;
	v->pv.syscall32_cb = ext->syscall32_callback_eip;
	v->pv.syscall32_masks_events = ext->syscall32_disables_events;
	return 0;
}

/* --- the MSRs that a PV guest owns beyond its context --- */

static const u32 vcpu_msrs[] = { MSR_SPEC_CTRL, MSR_TSC_AUX };

static u64 vcpu_msr(const struct vcpu *v, u32 index)
{
	return index == MSR_SPEC_CTRL ? v->pv.spec_ctrl : v->pv.tsc_aux;
}

/* What WRMSR would take from the guest itself. */
static bool vcpu_msr_take(struct vcpu *v, u32 index, u64 val)
{
	switch (index) {
	case MSR_SPEC_CTRL:
		if (!spec_ctrl_guest_value_ok(val))
			return false;
		v->pv.spec_ctrl = (u32)val;
		return true;
	case MSR_TSC_AUX:
		if (val >> 32)
			return false;
		v->pv.tsc_aux = val;
		return true;
	default:
		return false;
	}
}

/* Those that are not 0, as after a reset. */
long domctl_get_vcpu_msrs(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpu_msrs *m = &op->u.vcpu_msrs;
	const struct vcpu *v = vcpu_find(d, m->vcpu);
	u32 nr = 0;

	if (!v || v == current)
		return -EINVAL;
	if (!handle_va(m->msrs)) {
		m->msr_count = ARRAY_SIZE(vcpu_msrs);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(vcpu_msrs); i++) {
		struct xen_domctl_vcpu_msr msr = { .index = vcpu_msrs[i],
						   .value = vcpu_msr(v, vcpu_msrs[i]) };

		if (!msr.value)
			continue;
		if (nr == m->msr_count)
			return -ENOBUFS;
		if (copy_elem_to_handle(m->msrs, nr++, &msr))
			return -EFAULT;
	}
	m->msr_count = nr;
	return 0;
}

long domctl_set_vcpu_msrs(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_vcpu_msrs *m = &op->u.vcpu_msrs;
	struct vcpu *v = vcpu_find(d, m->vcpu);

	if (!v || m->msr_count > ARRAY_SIZE(vcpu_msrs))
		return -EINVAL;
	if (v->state_cpu != NO_CPU)
		return -EBUSY; /* a CPU goes on with what it has of it */
	for (u32 i = 0; i < m->msr_count; i++) {
		struct xen_domctl_vcpu_msr msr;

		if (copy_elem_from_handle(&msr, m->msrs, i))
			return -EFAULT;
		if (msr.reserved || !vcpu_msr_take(v, msr.index, msr.value))
			return -EINVAL;
	}
	return 0;
}

/* --- extended FPU state: xcr0, xcr0_accum, then the XSAVE area --- */

#define XSTATE_PREFIX 16

long domctl_getvcpuextstate(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_vcpuextstate *x = &op->u.vcpuextstate;
	struct vcpu *v = vcpu_find(d, x->vcpu);
	u64 need = XSTATE_PREFIX + fpu_area_size();
	u64 prefix[2];

	if (!v || v == current || !cpu_has_xsave)
		return cpu_has_xsave ? -ESRCH : -EINVAL;
	if (x->size == 0 || !handle_va(x->buffer)) {
		x->xfeature_mask = fpu_xcr0_mask();
		x->size = need;
		return 0;
	}
	if (x->size != need || x->xfeature_mask != fpu_xcr0_mask())
		return -EINVAL;
	prefix[0] = v->pv.xcr0;
	prefix[1] = v->pv.xcr0_ever;
	if (copy_to_guest(handle_va(x->buffer), prefix, sizeof(prefix)))
		return -EFAULT;
	return copy_to_guest(handle_va(x->buffer) + XSTATE_PREFIX, v->fpu_area, fpu_area_size());
}

long domctl_setvcpuextstate(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_vcpuextstate *x = &op->u.vcpuextstate;
	struct vcpu *v = vcpu_find(d, x->vcpu);
	u64 prefix[2];
	size_t len;
	u8 *copy;
	long rc = -EFAULT;

	if (!v || v == current || !cpu_has_xsave)
		return -EINVAL;
	if (x->size < XSTATE_PREFIX || x->size > XSTATE_PREFIX + fpu_area_size())
		return -EINVAL;
	len = x->size - XSTATE_PREFIX;
	copy = xzalloc(fpu_area_size());
	if (!copy)
		return -ENOMEM;
	if (!copy_from_guest(prefix, handle_va(x->buffer), sizeof(prefix)) &&
	    !copy_from_guest(copy, handle_va(x->buffer) + XSTATE_PREFIX, len))
		rc = fpu_take_xsave(v, prefix[0], prefix[1], copy, len);
	xfree(copy);
	return rc;
}

long domctl_sendtrigger(struct domain *d, struct xen_domctl *op)
{
	struct vcpu *v = vcpu_find(d, op->u.sendtrigger.vcpu);

	if (op->u.sendtrigger.trigger != XEN_DOMCTL_SENDTRIGGER_NMI)
		return -ENOSYS; /* a PV guest has no power button */
	if (!v)
		return -ESRCH;
	v->pv.nmi_pending = true;
	vcpu_kick(v);
	return 0;
}
