/* SPDX-License-Identifier: MIT */
/*
 * hc_sysctl.c - sysctl, dom0 only: facts about the machine for the toolstack. One node, one
 * pool. ABI: xen/sysctl.h.
 */
#include "domain/sched.h"

#include <xen/sysctl.h>

#include "hypercall/debug_keys.h"
#include "hypercall/domctl.h"
#include "hypercall/hc_cpu_policy.h"
#include "hypercall/memory.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/asm.h"
#include "x86/clock.h"
#include "x86/console.h"
#include "x86/e820.h"
#include "x86/guest_access.h"
#include "x86/smp.h"

#define CREDIT_RATELIMIT_US 1000
#define DEBUG_KEYS_MAX 16 /* of one call: each may print much */

static long op_readconsole(struct xen_sysctl *s)
{
	struct xen_sysctl_readconsole *op = &s->u.readconsole;
	u32 idx = op->incremental ? op->index : 0, done = 0;
	char buf[256];

	while (done < op->count) {
		size_t len = conring_read(buf, MIN(op->count - done, (u32)sizeof(buf)), &idx);

		if (len == 0)
			break;
		if (copy_to_guest(handle_va(op->buffer) + done, buf, len))
			return -EFAULT;
		done += len;
	}
	if (op->clear)
		conring_clear();
	op->count = done;
	op->index = idx;
	return 0;
}

/* Keys nobody knows are nothing, as in Xen. */
static long op_debug_keys(struct xen_sysctl *s)
{
	struct xen_sysctl_debug_keys *op = &s->u.debug_keys;

	for (u32 i = 0; i < MIN(op->nr_keys, (u32)DEBUG_KEYS_MAX); i++) {
		char key;

		if (copy_elem_from_handle(&key, op->keys, i))
			return -EFAULT;
		debug_key(key);
	}
	return 0;
}

/* All RAM of the machine, whoever has it. */
static u64 machine_ram_frames(void)
{
	u64 nr = 0;

	for (unsigned int i = 0; i < machine_e820.nr; i++)
		if (machine_e820.entry[i].type == E820_RAM)
			nr += machine_e820.entry[i].size >> PAGE_SHIFT;
	return nr;
}

static long op_physinfo(struct xen_sysctl *s)
{
	struct xen_sysctl_physinfo *p = &s->u.physinfo;
	u32 words[FEATURE_WORDS];
	struct clock_params clock;

	memset(p, 0, sizeof(*p));
	clock_get_params(&clock);
	cpu_policy_featureset(NULL, words);
	p->threads_per_core = 1;
	p->cores_per_socket = 1;
	p->nr_cpus = smp_nr_cpus();
	p->max_cpu_id = smp_nr_cpus() - 1;
	p->nr_nodes = 1;
	p->cpu_khz = clock.tsc_khz;
	p->capabilities = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1;
	p->total_pages = machine_ram_frames(); /* the hypervisor's own included, as in Xen */
	p->free_pages = page_alloc_free_frames();
	p->outstanding_pages = claims_outstanding();
	p->max_mfn = frame_table_nr - 1;
	memcpy(p->hw_cap, words, MIN(sizeof(p->hw_cap), sizeof(words)));
	return 0;
}

static long op_sched_id(struct xen_sysctl *s)
{
	s->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT;
	return 0;
}

static long op_getdomaininfolist(struct xen_sysctl *s)
{
	struct xen_sysctl_getdomaininfolist *op = &s->u.getdomaininfolist;
	u32 nr = 0;

	for (const struct domain *d = domain_list; d && nr < op->max_domains; d = d->next) {
		struct xen_domctl_getdomaininfo info;

		if (d->domain_id < op->first_domain)
			continue;
		domctl_fill_info(d, &info);
		if (copy_elem_to_handle(op->buffer, nr, &info))
			return -EFAULT;
		nr++;
	}
	op->num_domains = nr;
	return 0;
}

static long op_getcpuinfo(struct xen_sysctl *s)
{
	struct xen_sysctl_getcpuinfo *op = &s->u.getcpuinfo;

	op->nr_cpus = MIN(op->max_cpus, smp_nr_cpus());
	for (u32 i = 0; i < op->nr_cpus; i++) {
		struct xen_sysctl_cpuinfo info = { .idletime = sched_idle_time_ns(i) };

		if (copy_elem_to_handle(op->info, i, &info))
			return -EFAULT;
	}
	return 0;
}

static long op_availheap(struct xen_sysctl *s)
{
	s->u.availheap.avail_bytes = page_alloc_free_frames() << PAGE_SHIFT;
	return 0;
}

static long op_cputopoinfo(struct xen_sysctl *s)
{
	struct xen_sysctl_cputopoinfo *op = &s->u.cputopoinfo;

	if (!handle_va(op->cputopo)) {
		op->num_cpus = smp_nr_cpus();
		return 0;
	}
	op->num_cpus = MIN(op->num_cpus, smp_nr_cpus());
	for (u32 i = 0; i < op->num_cpus; i++) {
		struct xen_sysctl_cputopo topo = { .socket = i };

		if (copy_elem_to_handle(op->cputopo, i, &topo))
			return -EFAULT;
	}
	return 0;
}

static long op_numainfo(struct xen_sysctl *s)
{
	struct xen_sysctl_numainfo *op = &s->u.numainfo;
	struct xen_sysctl_meminfo mem = {
		.memsize = page_alloc_total_frames() << PAGE_SHIFT,
		.memfree = page_alloc_free_frames() << PAGE_SHIFT,
	};
	u32 distance = 10; /* to itself, as ACPI's SLIT counts */

	if (op->num_nodes && handle_va(op->meminfo) && copy_elem_to_handle(op->meminfo, 0, &mem))
		return -EFAULT;
	if (op->num_nodes && handle_va(op->distance) &&
	    copy_elem_to_handle(op->distance, 0, &distance))
		return -EFAULT;
	op->num_nodes = 1;
	return 0;
}

static long op_cpupool(struct xen_sysctl *s)
{
	struct xen_sysctl_cpupool_op *op = &s->u.cpupool_op;

	if (op->op == XEN_SYSCTL_CPUPOOL_OP_FREEINFO)
		return domctl_put_bitmap(&op->cpumap, 0);
	if (op->op != XEN_SYSCTL_CPUPOOL_OP_INFO)
		return -EOPNOTSUPP; /* there is one pool, and it stays */
	/* "The pool at or after this number"; ANY as its own value means the first. */
	if (op->cpupool_id != 0 && op->cpupool_id != XEN_SYSCTL_CPUPOOL_PAR_ANY)
		return -ENOENT;
	op->cpupool_id = 0;
	op->sched_id = XEN_SCHEDULER_CREDIT;
	op->n_dom = 0;
	for (const struct domain *d = domain_list; d; d = d->next)
		op->n_dom++;
	return domctl_put_bitmap(&op->cpumap, smp_cpu_mask());
}

static long op_scheduler(struct xen_sysctl *s)
{
	struct xen_sysctl_scheduler_op *op = &s->u.scheduler_op;

	if (op->cpupool_id != 0)
		return -ESRCH;
	if (op->sched_id != XEN_SCHEDULER_CREDIT)
		return -EINVAL;
	if (op->cmd != XEN_SYSCTL_SCHEDOP_getinfo)
		return -EOPNOTSUPP;
	op->u.sched_credit.tslice_ms = 30;
	op->u.sched_credit.ratelimit_us = CREDIT_RATELIMIT_US;
	op->u.sched_credit.vcpu_migr_delay_us = 0;
	return 0;
}

static long op_levelling_caps(struct xen_sysctl *s)
{
	s->u.cpu_levelling_caps.caps = 0;
	return 0;
}

/* NULL: the machine itself. Guests are PV only, and all see what dom0's policy shows. */
static bool policy_subject(u32 index, u32 nr_host_kinds, const struct domain **d)
{
	*d = index < nr_host_kinds ? NULL : current->domain;
	return index <= XEN_SYSCTL_cpu_policy_hvm_default;
}

static long op_featureset(struct xen_sysctl *s)
{
	struct xen_sysctl_cpu_featureset *op = &s->u.cpu_featureset;
	u32 words[FEATURE_WORDS];
	const struct domain *d;

	if (!policy_subject(op->index, XEN_SYSCTL_cpu_featureset_pv, &d))
		return -EINVAL;
	if (op->index == XEN_SYSCTL_cpu_featureset_hvm ||
	    op->index == XEN_SYSCTL_cpu_featureset_hvm_max)
		return -EOPNOTSUPP;
	cpu_policy_featureset(d, words);
	if (!handle_va(op->features)) {
		op->nr_features = FEATURE_WORDS;
		return 0;
	}
	if (op->nr_features < FEATURE_WORDS)
		return -ENOBUFS;
	op->nr_features = FEATURE_WORDS;
	return copy_to_guest(handle_va(op->features), words, sizeof(words));
}

static long op_cpu_policy(struct xen_sysctl *s)
{
	struct xen_sysctl_cpu_policy *op = &s->u.cpu_policy;
	const struct domain *d;
	long rc;

	if (op->_rsvd || !policy_subject(op->index, XEN_SYSCTL_cpu_policy_pv_max, &d))
		return -EINVAL;
	if (op->index == XEN_SYSCTL_cpu_policy_hvm_max ||
	    op->index == XEN_SYSCTL_cpu_policy_hvm_default)
		return -EOPNOTSUPP;
	rc = cpu_policy_write_leaves(d, handle_va(op->leaves), &op->nr_leaves);
	return rc ? rc : cpu_policy_write_msrs(handle_va(op->msrs), &op->nr_msrs);
}

static long (*const sysctl_ops[])(struct xen_sysctl *s) = {
	[XEN_SYSCTL_readconsole] = op_readconsole,
	[XEN_SYSCTL_physinfo] = op_physinfo,
	[XEN_SYSCTL_debug_keys] = op_debug_keys,
	[XEN_SYSCTL_sched_id] = op_sched_id,
	[XEN_SYSCTL_getdomaininfolist] = op_getdomaininfolist,
	[XEN_SYSCTL_getcpuinfo] = op_getcpuinfo,
	[XEN_SYSCTL_availheap] = op_availheap,
	[XEN_SYSCTL_cputopoinfo] = op_cputopoinfo,
	[XEN_SYSCTL_numainfo] = op_numainfo,
	[XEN_SYSCTL_cpupool_op] = op_cpupool,
	[XEN_SYSCTL_scheduler_op] = op_scheduler,
	[XEN_SYSCTL_get_cpu_levelling_caps] = op_levelling_caps,
	[XEN_SYSCTL_get_cpu_featureset] = op_featureset,
	[XEN_SYSCTL_get_cpu_policy] = op_cpu_policy,
};

long hc_sysctl(struct hc_args *a)
{
	struct xen_sysctl op;
	long rc;

	if (copy_from_guest(&op, a->a[0], sizeof(op)))
		return -EFAULT;
	if (op.interface_version != XEN_SYSCTL_INTERFACE_VERSION)
		return -EACCES;
	if (op.cmd >= ARRAY_SIZE(sysctl_ops) || !sysctl_ops[op.cmd])
		return -ENOSYS;
	rc = sysctl_ops[op.cmd](&op);
	if (rc == 0 && copy_to_guest(a->a[0], &op, sizeof(op)))
		return -EFAULT;
	return rc;
}
