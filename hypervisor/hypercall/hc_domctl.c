/* SPDX-License-Identifier: MIT */
/*
 * hc_domctl.c - domctl, dom0 only: the table of operations and what they have in common: the
 * interface version, finding the domain, copying the structure in and out. ABI: xen/domctl.h.
 */
#include "hypercall/domctl.h"

#include "lib/errno.h"
#include "x86/guest_access.h"
#include "x86/probe.h"

#define DF_NO_DOMAIN (1u << 0) /* op->domain is the operation's own matter */
#define DF_COPY_BACK (1u << 1) /* after a success */
#define DF_NOT_SELF (1u << 2)  /* -EINVAL on the caller's own domain */
#define DF_COPY_ALWAYS (1u << 3) /* also after a failure: it says where */
#define DF_STOPPED (1u << 4) /* with all vcpus of another domain off the CPUs, their state saved */

struct domctl_row {
	domctl_fn_t fn;
	u32 flags;
};

#define DOMCTL(n, fl) [XEN_DOMCTL_##n] = { domctl_##n, (fl) }
static const struct domctl_row domctl_table[] = {
	DOMCTL(createdomain, DF_NO_DOMAIN | DF_COPY_BACK),
	DOMCTL(destroydomain, DF_NOT_SELF | DF_STOPPED),
	DOMCTL(pausedomain, DF_NOT_SELF | DF_STOPPED),
	DOMCTL(unpausedomain, 0),
	DOMCTL(getdomaininfo, DF_NO_DOMAIN | DF_COPY_BACK),
	DOMCTL(setvcpuaffinity, DF_COPY_BACK),
	DOMCTL(shadow_op, DF_NOT_SELF | DF_STOPPED | DF_COPY_BACK),
	DOMCTL(max_mem, 0),
	DOMCTL(setvcpucontext, DF_NOT_SELF | DF_STOPPED),
	DOMCTL(getvcpucontext, DF_NOT_SELF | DF_STOPPED),
	DOMCTL(getvcpuinfo, DF_COPY_BACK),
	DOMCTL(max_vcpus, 0),
	DOMCTL(scheduler_op, DF_COPY_BACK),
	DOMCTL(setdomainhandle, 0),
	[XEN_DOMCTL_setdebugging] = { domctl_accept, DF_NOT_SELF },
	[XEN_DOMCTL_irq_permission] = { domctl_permission, 0 },
	[XEN_DOMCTL_iomem_permission] = { domctl_permission, 0 },
	[XEN_DOMCTL_ioport_permission] = { domctl_permission, 0 },
	DOMCTL(hypercall_init, 0),
	DOMCTL(settimeoffset, 0),
	DOMCTL(getvcpuaffinity, DF_COPY_BACK),
	DOMCTL(resumedomain, DF_NOT_SELF),
	DOMCTL(sendtrigger, 0),
	DOMCTL(subscribe, 0),
	DOMCTL(set_address_size, 0),
	DOMCTL(get_address_size, DF_COPY_BACK),
	DOMCTL(set_ext_vcpucontext, DF_STOPPED),
	DOMCTL(get_ext_vcpucontext, DF_COPY_BACK | DF_STOPPED),
	DOMCTL(set_target, DF_NOT_SELF),
	DOMCTL(gettscinfo, DF_COPY_BACK),
	DOMCTL(settscinfo, DF_NOT_SELF),
	DOMCTL(getpageframeinfo3, 0),
	DOMCTL(setvcpuextstate, DF_NOT_SELF | DF_STOPPED),
	DOMCTL(getvcpuextstate, DF_COPY_BACK | DF_STOPPED),
	DOMCTL(set_virq_handler, 0),
	DOMCTL(setnodeaffinity, 0),
	DOMCTL(getnodeaffinity, DF_COPY_BACK),
	DOMCTL(get_vcpu_msrs, DF_COPY_BACK | DF_STOPPED),
	DOMCTL(set_vcpu_msrs, DF_NOT_SELF | DF_STOPPED),
	DOMCTL(get_cpu_policy, DF_COPY_BACK),
	DOMCTL(set_cpu_policy, DF_NOT_SELF | DF_COPY_ALWAYS),
};

/* With @d out of the way, if the operation wants it so. @d may be gone afterwards. */
static long call_row(const struct domctl_row *row, struct domain *d, struct xen_domctl *op)
{
	long rc;

	if (!(row->flags & DF_STOPPED) || d == current->domain)
		return row->fn(d, op);
	if (!domain_stop(d))
		return -ERESTART;
	domain_hold(d);
	rc = row->fn(d, op);
	domain_go_on(d);
	domain_unhold(d);
	return rc;
}

long hc_domctl(struct hc_args *a)
{
	const struct domctl_row *row;
	struct domain *d = NULL;
	struct xen_domctl op;
	long rc;

	if (copy_from_guest(&op, a->a[0], sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_DOMCTL_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd >= ARRAY_SIZE(domctl_table) || !domctl_table[op.cmd].fn)
		return -ENOSYS;
	if (unlikely(probe_is_on))
		probe_operation(op.cmd);
	row = &domctl_table[op.cmd];
	if (!(row->flags & DF_NO_DOMAIN)) {
		d = op.domain == DOMID_SELF ? current->domain : domain_find(op.domain);
		if (!d)
			return -ESRCH;
		if (row->flags & DF_NOT_SELF && d == current->domain)
			return -EINVAL;
	}
	rc = call_row(row, d, &op);
	if (rc == -ERESTART)
		return rc;
	if (row->flags & (rc ? DF_COPY_ALWAYS : DF_COPY_BACK | DF_COPY_ALWAYS) &&
	    copy_to_guest(a->a[0], &op, sizeof(op)))
		return -EFAULT;
	return rc;
}
