/* SPDX-License-Identifier: MIT */
/*
 * domctl.h - what the files of domctl share: hc_domctl.c dispatches, domctl_life.c, domctl_vcpu.c,
 * domctl_shadow.c and domctl_misc.c implement. Each operation gets the copied-in structure and,
 * unless its row says otherwise, the domain it names.
 */
#ifndef HV_HYPERCALL_DOMCTL_H
#define HV_HYPERCALL_DOMCTL_H

#include "domain/domain.h"

#include "hypercall/handlers.h"

typedef long (*domctl_fn_t)(struct domain *d, struct xen_domctl *op);

/* --- domctl_life.c --- */
long domctl_createdomain(struct domain *unused, struct xen_domctl *op);
long domctl_destroydomain(struct domain *d, struct xen_domctl *op);
long domctl_pausedomain(struct domain *d, struct xen_domctl *op);
long domctl_unpausedomain(struct domain *d, struct xen_domctl *op);
long domctl_resumedomain(struct domain *d, struct xen_domctl *op);
long domctl_getdomaininfo(struct domain *unused, struct xen_domctl *op);
long domctl_max_vcpus(struct domain *d, struct xen_domctl *op);
long domctl_max_mem(struct domain *d, struct xen_domctl *op);
long domctl_setdomainhandle(struct domain *d, struct xen_domctl *op);
/* Everything getdomaininfo and getdomaininfolist tell. */
void domctl_fill_info(const struct domain *d, struct xen_domctl_getdomaininfo *info);

/* --- domctl_vcpu.c --- */
long domctl_setvcpucontext(struct domain *d, struct xen_domctl *op);
long domctl_getvcpucontext(struct domain *d, struct xen_domctl *op);
long domctl_getvcpuinfo(struct domain *d, struct xen_domctl *op);
long domctl_setvcpuaffinity(struct domain *d, struct xen_domctl *op);
long domctl_getvcpuaffinity(struct domain *d, struct xen_domctl *op);
long domctl_set_ext_vcpucontext(struct domain *d, struct xen_domctl *op);
long domctl_get_ext_vcpucontext(struct domain *d, struct xen_domctl *op);
long domctl_get_vcpu_msrs(struct domain *d, struct xen_domctl *op);
long domctl_set_vcpu_msrs(struct domain *d, struct xen_domctl *op);
long domctl_getvcpuextstate(struct domain *d, struct xen_domctl *op);
long domctl_setvcpuextstate(struct domain *d, struct xen_domctl *op);
long domctl_sendtrigger(struct domain *d, struct xen_domctl *op);

/* --- domctl_shadow.c --- */
long domctl_shadow_op(struct domain *d, struct xen_domctl *op);

/* --- domctl_misc.c --- */
long domctl_scheduler_op(struct domain *d, struct xen_domctl *op);
long domctl_permission(struct domain *d, struct xen_domctl *op);
long domctl_hypercall_init(struct domain *d, struct xen_domctl *op);
long domctl_settimeoffset(struct domain *d, struct xen_domctl *op);
long domctl_set_address_size(struct domain *d, struct xen_domctl *op);
long domctl_get_address_size(struct domain *d, struct xen_domctl *op);
long domctl_set_target(struct domain *d, struct xen_domctl *op);
long domctl_subscribe(struct domain *d, struct xen_domctl *op);
long domctl_settscinfo(struct domain *d, struct xen_domctl *op);
long domctl_gettscinfo(struct domain *d, struct xen_domctl *op);
long domctl_getpageframeinfo3(struct domain *d, struct xen_domctl *op);
long domctl_set_virq_handler(struct domain *d, struct xen_domctl *op);
long domctl_setnodeaffinity(struct domain *d, struct xen_domctl *op);
long domctl_getnodeaffinity(struct domain *d, struct xen_domctl *op);
long domctl_get_cpu_policy(struct domain *d, struct xen_domctl *op);
long domctl_set_cpu_policy(struct domain *d, struct xen_domctl *op);
long domctl_accept(struct domain *d, struct xen_domctl *op);

/*
 * Copies @bits out to a guest's bitmap, as much as it holds; what it has beyond 64 is zero.
 * -EFAULT.
 */
long domctl_put_bitmap(const struct xenctl_bitmap *map, u64 bits);
/* Copies in the first 64 bits of a guest's bitmap. -EFAULT. */
long domctl_get_bitmap(const struct xenctl_bitmap *map, u64 *bits);

#endif
