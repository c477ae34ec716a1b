/* SPDX-License-Identifier: MIT */
/* hc_vcpu.c - vcpu_op: bringing vcpus up and down, their timers, and the areas they register.
 * ABI: xen/vcpu.h. */
#include "domain/domain.h"
#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "pv/pv.h"
#include "x86/clock.h"
#include "x86/guest_access.h"

#define PERIOD_MIN_NS 1000000ULL /* as Xen: a guest does not keep the CPU busy with ticks */

static long op_initialise(struct vcpu *v, u64 arg)
{
	struct vcpu_guest_context *ctxt;
	long rc = -EFAULT;

	if (v->is_initialised)
		return -EEXIST;
	ctxt = xzalloc_obj(struct vcpu_guest_context);
	if (!ctxt)
		return -ENOMEM;
	if (copy_from_guest(ctxt, arg, sizeof(*ctxt)) == 0)
		rc = pv_vcpu_set_context(v, ctxt);
	xfree(ctxt);
	return rc;
}

static long op_up(struct vcpu *v, u64 arg)
{
	return vcpu_up(v);
}

static long op_down(struct vcpu *v, u64 arg)
{
	vcpu_down(v);
	return 0;
}

static long op_get_runstate_info(struct vcpu *v, u64 arg)
{
	struct vcpu_runstate_info info;

	vcpu_runstate_get(v, &info);
	return copy_to_guest(arg, &info, sizeof(info));
}

static long op_register_runstate(struct vcpu *v, u64 arg)
{
	struct vcpu_register_runstate_memory_area op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (!guest_range_ok(op.addr.p, 1, sizeof(struct vcpu_runstate_info)))
		return -EFAULT;
	v->runstate_guest = op.addr.p;
	vcpu_runstate_publish(v);
	return 0;
}

static long op_register_time(struct vcpu *v, u64 arg)
{
	struct vcpu_register_time_memory_area op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (!guest_range_ok(op.addr.p, 1, sizeof(struct vcpu_time_info)))
		return -EFAULT;
	v->time_guest = op.addr.p;
	v->time_tsc_base = 0;
	vcpu_time_update(v);
	return 0;
}

static long op_register_vcpu_info(struct vcpu *v, u64 arg)
{
	struct vcpu_register_vcpu_info op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	return vcpu_register_info(v, op.mfn, op.offset);
}

static long op_set_periodic(struct vcpu *v, u64 arg)
{
	struct vcpu_set_periodic_timer op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.period_ns < PERIOD_MIN_NS || op.period_ns > 1ULL << 62)
		return -EINVAL;
	v->periodic_period_ns = op.period_ns;
	v->periodic_last_ns = now_ns();
	if (v->is_running)
		vcpu_periodic_start(v);
	return 0;
}

static long op_stop_periodic(struct vcpu *v, u64 arg)
{
	v->periodic_period_ns = 0;
	vcpu_periodic_stop(v);
	return 0;
}

static long op_set_singleshot(struct vcpu *v, u64 arg)
{
	struct vcpu_set_singleshot_timer op;

	if (v != current)
		return -EINVAL;
	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	if (op.flags & VCPU_SSHOTTMR_future && (s_time_t)op.timeout_abs_ns < now_ns())
		return -ETIME;
	timer_set(&v->singleshot_timer, (s_time_t)op.timeout_abs_ns);
	return 0;
}

static long op_stop_singleshot(struct vcpu *v, u64 arg)
{
	if (v != current)
		return -EINVAL;
	timer_stop(&v->singleshot_timer);
	return 0;
}

static long op_send_nmi(struct vcpu *v, u64 arg)
{
	v->pv.nmi_pending = true;
	vcpu_kick(v);
	return 0;
}

/* Only meaningful for a vcpu pinned for good, which none is. */
static long op_get_physid(struct vcpu *v, u64 arg)
{
	return -EINVAL;
}

static long (*const vcpu_ops[])(struct vcpu *v, u64 arg) = {
	[VCPUOP_initialise] = op_initialise,
	[VCPUOP_up] = op_up,
	[VCPUOP_down] = op_down,
	[VCPUOP_get_runstate_info] = op_get_runstate_info,
	[VCPUOP_register_runstate_memory_area] = op_register_runstate,
	[VCPUOP_set_periodic_timer] = op_set_periodic,
	[VCPUOP_stop_periodic_timer] = op_stop_periodic,
	[VCPUOP_set_singleshot_timer] = op_set_singleshot,
	[VCPUOP_stop_singleshot_timer] = op_stop_singleshot,
	[VCPUOP_register_vcpu_info] = op_register_vcpu_info,
	[VCPUOP_send_nmi] = op_send_nmi,
	[VCPUOP_get_physid] = op_get_physid,
	[VCPUOP_register_vcpu_time_memory_area] = op_register_time,
};

long hc_vcpu_op(struct hc_args *a)
{
	u32 cmd = (u32)a->a[0], id = (u32)a->a[1];
	struct domain *d = current->domain;

	if (id >= d->nr_vcpus_max)
		return -ENOENT;
	id = (u32)index_nospec(id, d->nr_vcpus_max);
	if (!d->vcpu[id])
		return -ENOENT;
	if (cmd == VCPUOP_is_up) {
		a->value = !(d->vcpu[id]->pause_flags & VPF_DOWN);
		return 0;
	}
	if (cmd >= ARRAY_SIZE(vcpu_ops))
		return -ENOSYS;
	cmd = (u32)index_nospec(cmd, ARRAY_SIZE(vcpu_ops));
	if (!vcpu_ops[cmd])
		return -ENOSYS;
	return vcpu_ops[cmd](d->vcpu[id], a->a[2]);
}
