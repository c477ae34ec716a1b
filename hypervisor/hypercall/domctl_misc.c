/* SPDX-License-Identifier: MIT */
/*
 * domctl_misc.c - domctl: scheduling parameters, time, address size, rights, page types, CPU
 * policy. ABI: xen/domctl.h.
 */
#include "domain/evtchn.h"
#include "domain/sched.h"
#include "hypercall/domctl.h"
#include "hypercall/hc_cpu_policy.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "pv/ptval.h"
#include "x86/clock.h"
#include "x86/guest_access.h"
#include "x86/layout.h"

long domctl_put_bitmap(const struct xenctl_bitmap *map, u64 bits)
{
	u32 len = (map->nr_bits + 7) / 8;
	u64 zero = 0;

	if (copy_to_guest(handle_va(map->bitmap), &bits, MIN(len, 8u)))
		return -EFAULT;
	for (u32 done = 8; done < len; done += 8)
		if (copy_to_guest(handle_va(map->bitmap) + done, &zero, MIN(len - done, 8u)))
			return -EFAULT;
	return 0;
}

long domctl_get_bitmap(const struct xenctl_bitmap *map, u64 *bits)
{
	*bits = 0;
	if (copy_from_guest(bits, handle_va(map->bitmap), MIN((map->nr_bits + 7) / 8, 8u)))
		return -EFAULT;
	if (map->nr_bits < 64)
		*bits &= (1ULL << map->nr_bits) - 1;
	return 0;
}

/* What needs no change, and is allowed to be asked for. */
long domctl_accept(struct domain *d, struct xen_domctl *op)
{
	return 0;
}

long domctl_scheduler_op(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_scheduler_op *s = &op->u.scheduler_op;

	if (s->sched_id != XEN_SCHEDULER_CREDIT)
		return -EINVAL;
	switch (s->cmd) {
	case XEN_DOMCTL_SCHEDOP_getinfo:
		s->u.credit.weight = d->scheduler_weight;
		s->u.credit.cap = d->scheduler_cap;
		return 0;
	case XEN_DOMCTL_SCHEDOP_putinfo:
		return credit_set_params(d, s->u.credit.weight, s->u.credit.cap);
	default:
		return -EINVAL; /* nothing is kept for a single vcpu */
	}
}

/* A domU never has rights to devices, so taking them away always succeeds. */
long domctl_permission(struct domain *d, struct xen_domctl *op)
{
	bool allow = op->cmd == XEN_DOMCTL_irq_permission   ? op->u.irq_permission.allow_access :
		     op->cmd == XEN_DOMCTL_iomem_permission ? op->u.iomem_permission.allow_access :
							      op->u.ioport_permission.allow_access;

	if (d->is_privileged)
		return allow ? 0 : -EOPNOTSUPP;
	return allow ? -EOPNOTSUPP : 0;
}

long domctl_hypercall_init(struct domain *d, struct xen_domctl *op)
{
	mfn_t mfn = _mfn(op->u.hypercall_init.gmfn);
	struct frame *f;

	if (!mfn_is_ram(mfn))
		return -EACCES;
	f = mfn_to_frame(mfn);
	if (frame_get_and_type(f, d, FT_WR))
		return -EACCES;
	hypercall_page_fill(mfn_to_virt(mfn));
	frame_note_write(f);
	frame_put_and_type(f);
	return 0;
}

long domctl_settimeoffset(struct domain *d, struct xen_domctl *op)
{
	d->time_offset_s = op->u.settimeoffset.time_offset_seconds;
	if (d->shared_info)
		wallclock_update(d);
	return 0;
}

long domctl_set_address_size(struct domain *d, struct xen_domctl *op)
{
	switch (op->u.address_size.size) {
	case 64:
		return 0;
	case 32:
		return -EOPNOTSUPP; /* 64-bit PV guests only */
	default:
		return -EINVAL;
	}
}

long domctl_get_address_size(struct domain *d, struct xen_domctl *op)
{
	op->u.address_size.size = 64;
	return 0;
}

long domctl_set_target(struct domain *d, struct xen_domctl *op)
{
	struct domain *target = domain_find(op->u.set_target.target);

	if (!target || target->is_dying)
		return -ESRCH; /* a dying one forgot its referrers already */
	if (target == d || target->is_privileged)
		return -EINVAL;
	d->target = target;
	return 0;
}

long domctl_subscribe(struct domain *d, struct xen_domctl *op)
{
	if (op->u.subscribe.port >= EVTCHN_2L_NR_CHANNELS)
		return -EINVAL;
	d->suspend_evtchn = op->u.subscribe.port;
	return 0;
}

/*
 * TSC is always the machine's own: modes "default" and "native" are that, "always emulate" is
 * not.
 */
#define TSC_MODE_ALWAYS_EMULATE 1
#define TSC_MODE_NEVER_EMULATE 2

long domctl_settscinfo(struct domain *d, struct xen_domctl *op)
{
	u32 mode = op->u.tsc_info.tsc_mode;

	if (mode == TSC_MODE_ALWAYS_EMULATE)
		return -EOPNOTSUPP;
	if (mode > TSC_MODE_NEVER_EMULATE)
		return -EINVAL;
	d->tsc_mode = mode;
	return 0;
}

long domctl_gettscinfo(struct domain *d, struct xen_domctl *op)
{
	struct clock_params p;

	clock_get_params(&p);
	memset(&op->u.tsc_info, 0, sizeof(op->u.tsc_info));
	op->u.tsc_info.tsc_mode = d->tsc_mode;
	op->u.tsc_info.gtsc_khz = p.tsc_khz;
	op->u.tsc_info.elapsed_nsec = now_ns();
	return 0;
}

static xen_pfn_t pageframe_type(const struct domain *d, u64 gfn)
{
	static const u32 by_type[] = {
		[FT_L1] = XEN_DOMCTL_PFINFO_L1TAB,
		[FT_L2] = XEN_DOMCTL_PFINFO_L2TAB,
		[FT_L3] = XEN_DOMCTL_PFINFO_L3TAB,
		[FT_L4] = XEN_DOMCTL_PFINFO_L4TAB,
	};
	const struct frame *f;
	u32 type = 0;

	if (!mfn_is_ram(_mfn(gfn)))
		return XEN_DOMCTL_PFINFO_XTAB;
	f = mfn_to_frame(_mfn(gfn));
	if (f->owner != d->domain_id || !frame_ref_count(f))
		return XEN_DOMCTL_PFINFO_XTAB;
	if (frame_type_count(f) && frame_type_of(f) <= FT_L4)
		type = by_type[frame_type_of(f)];
	return type | (f->type & FT_PINNED ? XEN_DOMCTL_PFINFO_LPINTAB : 0);
}

long domctl_getpageframeinfo3(struct domain *d, struct xen_domctl *op)
{
	const struct xen_domctl_getpageframeinfo3 *g = &op->u.getpageframeinfo3;

	if (g->num > 1024)
		return -E2BIG;
	if (!guest_range_ok(handle_va(g->array), g->num, sizeof(xen_pfn_t)))
		return -EFAULT;
	for (u64 i = 0; i < g->num; i++) {
		xen_pfn_t gfn;

		if (copy_elem_from_handle(&gfn, g->array, i))
			return -EFAULT;
		gfn = pageframe_type(d, gfn);
		if (copy_elem_to_handle(g->array, i, &gfn))
			return -EFAULT;
	}
	return 0;
}

long domctl_set_virq_handler(struct domain *d, struct xen_domctl *op)
{
	return virq_set_handler(d, op->u.set_virq_handler.virq);
}

long domctl_setnodeaffinity(struct domain *d, struct xen_domctl *op)
{
	u64 bits;
	long rc = domctl_get_bitmap(&op->u.nodeaffinity.nodemap, &bits);

	if (rc)
		return rc;
	return bits & 1 ? 0 : -EINVAL; /* there is one node */
}

long domctl_getnodeaffinity(struct domain *d, struct xen_domctl *op)
{
	return domctl_put_bitmap(&op->u.nodeaffinity.nodemap, 1);
}

long domctl_get_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;
	long rc = cpu_policy_write_leaves(d, handle_va(p->leaves), &p->nr_leaves);

	return rc ? rc : cpu_policy_write_msrs(handle_va(p->msrs), &p->nr_msrs);
}

/*
 * What a guest may see is decided by the hypervisor alone; a policy of the toolstack is read (so
 * that a broken one is noticed) and has no further effect. docs/hypercalls.md says so.
 */
long domctl_set_cpu_policy(struct domain *d, struct xen_domctl *op)
{
	struct xen_domctl_cpu_policy *p = &op->u.cpu_policy;

	p->err_leaf = p->err_subleaf = p->err_msr = ~0u;
	if (p->nr_leaves > 512 || p->nr_msrs > 64)
		return -E2BIG;
	for (u32 i = 0; i < p->nr_leaves; i++) {
		xen_cpuid_leaf_t leaf;

		if (copy_elem_from_handle(&leaf, p->leaves, i))
			return -EFAULT;
	}
	for (u32 i = 0; i < p->nr_msrs; i++) {
		xen_msr_entry_t msr;

		if (copy_elem_from_handle(&msr, p->msrs, i))
			return -EFAULT;
		if (msr.flags) {
			p->err_msr = msr.idx;
			return -EINVAL;
		}
	}
	return 0;
}
