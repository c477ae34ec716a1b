/* SPDX-License-Identifier: MIT */
/*
 * handlers.h - the handlers of hypercall/ itself (pv/pv.h declares the others), and what its
 * files share. Every argument is guest-controlled; a handler copies each structure in once.
 */
#ifndef HV_HYPERCALL_HANDLERS_H
#define HV_HYPERCALL_HANDLERS_H

#include "hypercall/hypercall.h"

long hc_sched_op_compat(struct hc_args *a);
long hc_platform_op(struct hc_args *a);
long hc_memory_op(struct hc_args *a);
long hc_multicall(struct hc_args *a);
long hc_set_timer_op(struct hc_args *a);
long hc_event_channel_op_compat(struct hc_args *a);
long hc_xen_version(struct hc_args *a);
long hc_console_io(struct hc_args *a);
long hc_physdev_op_compat(struct hc_args *a);
long hc_grant_table_op(struct hc_args *a);
long hc_vm_assist(struct hc_args *a);
long hc_vcpu_op(struct hc_args *a);
long hc_nmi_op(struct hc_args *a);
long hc_sched_op(struct hc_args *a);
long hc_xenpmu_op(struct hc_args *a);
long hc_event_channel_op(struct hc_args *a);
long hc_physdev_op(struct hc_args *a);
long hc_sysctl(struct hc_args *a);
long hc_domctl(struct hc_args *a);
long hc_hypfs_op(struct hc_args *a);

/*
 * One call through the table. @in_multicall refuses what a multicall must not hold. -ENOSYS,
 * -EPERM, -EINVAL, or how the handler's went; what it tells is in args->value.
 */
long hypercall_call(u64 nr, struct hc_args *args, bool in_multicall);
/* For traces; NULL: no such hypercall. */
const char *hypercall_name(u64 nr);

#endif
