/* SPDX-License-Identifier: MIT */
/*
 * hv_vcpu.c - domctl: virtual CPUs, where they may run, and how much.
 *
 * Source: xen/domctl.h (getvcpuinfo, vcpuaffinity, scheduler_op), xen/sysctl.h (sched_id). The
 * bitmaps are as long as a machine's CPUs here: HV_CPUS_MAX.
 */
#include "hv_internal.h"

#include <errno.h>
#include <string.h>

int hv_vcpu_info(struct hv *hv, uint16_t domid, unsigned int vcpu, struct hv_vcpu *info)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_getvcpuinfo, .domain = domid };
	const struct xen_domctl_getvcpuinfo *v = &op.u.getvcpuinfo;
	int err;

	op.u.getvcpuinfo.vcpu = vcpu;
	err = hv_domctl(hv, &op);
	if (!err)
		*info = (struct hv_vcpu){ .online = v->online, .blocked = v->blocked,
					  .running = v->running, .cpu_time_ns = v->cpu_time,
					  .cpu = v->cpu };
	return err == -ESRCH || err == -EINVAL ? -ENOENT : err;
}

/* Both maps at once; @flags says which count. */
static int affinity(struct hv *hv, uint32_t cmd, uint16_t domid, unsigned int vcpu, uint32_t flags,
		    struct hv_affinity *a)
{
	struct xen_domctl op = { .cmd = cmd, .domain = domid };
	struct xen_domctl_vcpuaffinity *v = &op.u.vcpuaffinity;
	struct hv_affinity *buf = hv_buf(hv, a, sizeof(*a));
	int err;

	if (!buf)
		return -ENOMEM;
	v->vcpu = vcpu;
	v->flags = flags;
	v->cpumap_hard.nr_bits = v->cpumap_soft.nr_bits = HV_CPUS_MAX;
	set_xen_guest_handle(v->cpumap_hard.bitmap, buf->hard);
	set_xen_guest_handle(v->cpumap_soft.bitmap, buf->soft);
	err = hv_domctl(hv, &op);
	if (!err)
		*a = *buf;
	hv_buf_free(hv, buf);
	return err;
}

int hv_vcpu_get_affinity(struct hv *hv, uint16_t domid, unsigned int vcpu, struct hv_affinity *a)
{
	memset(a, 0, sizeof(*a));
	return affinity(hv, XEN_DOMCTL_getvcpuaffinity, domid, vcpu,
			XEN_VCPUAFFINITY_HARD | XEN_VCPUAFFINITY_SOFT, a);
}

int hv_vcpu_set_affinity(struct hv *hv, uint16_t domid, unsigned int vcpu, bool hard, bool soft,
			 const struct hv_affinity *a)
{
	struct hv_affinity copy = *a;

	return affinity(hv, XEN_DOMCTL_setvcpuaffinity, domid, vcpu,
			(hard ? XEN_VCPUAFFINITY_HARD : 0) | (soft ? XEN_VCPUAFFINITY_SOFT : 0),
			&copy);
}

/* Weight and cap are in the same place for both schedulers that have them. */
static int sched_op(struct hv *hv, uint32_t cmd, uint16_t domid, struct hv_credit *c)
{
	struct xen_sysctl id = { .cmd = XEN_SYSCTL_sched_id };
	struct xen_domctl op = { .cmd = XEN_DOMCTL_scheduler_op, .domain = domid };
	struct xen_domctl_sched_credit *credit = &op.u.scheduler_op.u.credit;
	int err = hv_sysctl(hv, &id);

	_Static_assert(sizeof(struct xen_domctl_sched_credit) ==
		       sizeof(struct xen_domctl_sched_credit2), "xen/domctl.h: weight, cap");
	if (err)
		return err;
	op.u.scheduler_op.sched_id = id.u.sched_id.sched_id;
	if (op.u.scheduler_op.sched_id != XEN_SCHEDULER_CREDIT &&
	    op.u.scheduler_op.sched_id != XEN_SCHEDULER_CREDIT2)
		return -EOPNOTSUPP;
	op.u.scheduler_op.cmd = cmd;
	credit->weight = c->weight;
	credit->cap = c->cap;
	err = hv_domctl(hv, &op);
	if (!err)
		*c = (struct hv_credit){ credit->weight, credit->cap };
	return err;
}

int hv_credit_get(struct hv *hv, uint16_t domid, struct hv_credit *c)
{
	*c = (struct hv_credit){ 0 };
	return sched_op(hv, XEN_DOMCTL_SCHEDOP_getinfo, domid, c);
}

int hv_credit_set(struct hv *hv, uint16_t domid, const struct hv_credit *c)
{
	struct hv_credit copy = *c;

	return sched_op(hv, XEN_DOMCTL_SCHEDOP_putinfo, domid, &copy);
}
