/* SPDX-License-Identifier: MIT */
/*
 * domctl_life.c - domctl: domains come, stop, go on and go; what is known about them. ABI:
 * xen/domctl.h.
 */
#include "hypercall/domctl.h"

#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/cpu.h"
#include "x86/layout.h"

/* No hardware-assisted guests, no device passthrough, no virtual PMU. */
#define CDF_VALID (XEN_DOMCTL_CDF_xs_domain)

static long config_check(const struct xen_domctl_createdomain *c)
{
	if (c->flags & ~CDF_VALID || c->iommu_opts)
		return -EINVAL;
	/* "At most version n": a guest gets version 1 whatever more the toolstack would allow. */
	if (XEN_DOMCTL_GRANT_version(c->grant_opts) == 0 ||
	    c->grant_opts & ~XEN_DOMCTL_GRANT_version_mask)
		return -EINVAL;
	if (c->cpupool_id || c->vmtrace_size || c->arch.emulation_flags ||
	    c->arch.misc_flags & ~XEN_X86_MISC_FLAGS_MAX)
		return -EINVAL;
	return 0;
}

long domctl_createdomain(struct domain *unused, struct xen_domctl *op)
{
	domid_t domid = op->domain;
	struct domain *d;
	long rc = config_check(&op->u.createdomain);

	if (rc) {
		log_debug("domctl: createdomain: flags %x vcpus %u grant %x refused",
			  op->u.createdomain.flags, op->u.createdomain.max_vcpus,
			  op->u.createdomain.grant_opts);
		return rc;
	}
	if (domid == 0 || domid > HV_MAX_DOMID)
		domid = domain_next_free_domid();
	if (domid > HV_MAX_DOMID)
		return -ENOMEM;
	rc = domain_create(domid, &op->u.createdomain, &d);
	if (rc)
		return rc;
	op->domain = domid;
	return 0;
}

long domctl_destroydomain(struct domain *d, struct xen_domctl *op)
{
	return domain_kill(d); /* another's: the caller is dom0 */
}

long domctl_pausedomain(struct domain *d, struct xen_domctl *op)
{
	domain_pause_by_controller(d);
	return 0;
}

long domctl_unpausedomain(struct domain *d, struct xen_domctl *op)
{
	return domain_unpause_by_controller(d);
}

long domctl_resumedomain(struct domain *d, struct xen_domctl *op)
{
	domain_resume(d);
	return 0;
}

static u32 domain_flags(const struct domain *d, u32 *nr_online)
{
	u32 flags = XEN_DOMINF_blocked;

	for (unsigned int i = 0; i < d->nr_vcpus_max; i++) {
		const struct vcpu *v = d->vcpu[i];

		if (!v || v->pause_flags & VPF_DOWN)
			continue;
		++*nr_online;
		if (!(v->pause_flags & (VPF_BLOCKED | VPF_POLLING)))
			flags &= ~(u32)XEN_DOMINF_blocked;
		if (v->is_running)
			flags |= XEN_DOMINF_running;
	}
	flags |= d->is_dying ? XEN_DOMINF_dying : 0;
	flags |= d->is_shut_down ? XEN_DOMINF_shutdown : 0;
	flags |= d->controller_pause_count ? XEN_DOMINF_paused : 0;
	flags |= d->create_flags & XEN_DOMCTL_CDF_xs_domain ? XEN_DOMINF_xs_domain : 0;
	return flags | (u32)d->shutdown_code << XEN_DOMINF_shutdownshift;
}

void domctl_fill_info(const struct domain *d, struct xen_domctl_getdomaininfo *info)
{
	memset(info, 0, sizeof(*info));
	info->domain = d->domain_id;
	info->flags = domain_flags(d, &info->nr_online_vcpus);
	info->max_vcpu_id = XEN_INVALID_MAX_VCPU_ID;
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++) {
		if (!d->vcpu[i])
			continue;
		info->max_vcpu_id = i;
		info->cpu_time += vcpu_cpu_time_ns(d->vcpu[i]);
	}
	info->tot_pages = d->tot_pages;
	info->max_pages = d->max_pages;
	info->outstanding_pages = d->outstanding_claim;
	info->shared_info_frame =
		d->shared_info ? mfn_x(virt_to_mfn(d->shared_info)) : INVALID_MFN_NR;
	memcpy(info->handle, d->handle, sizeof(info->handle));
	info->gpaddr_bits = cpu_maxphys_bits;
}

long domctl_getdomaininfo(struct domain *unused, struct xen_domctl *op)
{
	/* The first at or after the number: how a toolstack walks the list. */
	for (const struct domain *d = domain_list; d; d = d->next) {
		if (d->domain_id < op->domain)
			continue;
		domctl_fill_info(d, &op->u.getdomaininfo);
		op->domain = d->domain_id;
		return 0;
	}
	return -ESRCH;
}

long domctl_max_vcpus(struct domain *d, struct xen_domctl *op)
{
	u32 max = op->u.max_vcpus.max;
	int rc;

	if (d == current->domain || max != d->nr_vcpus_max || d->is_dying)
		return -EINVAL;
	for (u32 i = 0; i < max; i++) {
		if (d->vcpu[i])
			continue;
		rc = vcpu_create(d, i);
		if (rc)
			return rc;
	}
	return 0;
}

long domctl_max_mem(struct domain *d, struct xen_domctl *op)
{
	d->max_pages = MIN(op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10), (u64)~0u);
	return 0;
}

long domctl_setdomainhandle(struct domain *d, struct xen_domctl *op)
{
	memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
	return 0;
}
