/* SPDX-License-Identifier: MIT */
/* hc_sched.c - sched_op: block, yield, poll, shutdown, watchdog. ABI: xen/sched.h. */
#include "domain/sched.h"

#include <xen/event_channel.h>

#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "x86/clock.h"
#include "x86/guest_access.h"

#define POLL_MAX_PORTS 128

static long op_yield(struct hc_args *a)
{
	sched_yield();
	return 0;
}

static long op_block(struct hc_args *a)
{
	WRITE_ONCE(current->vcpu_info->evtchn_upcall_mask, 0);
	sched_block();
	return 0;
}

static long op_shutdown(struct hc_args *a)
{
	struct sched_shutdown op;

	if (copy_from_guest(&op, a->a[1], sizeof(op)))
		return -EFAULT;
	if (op.reason > SHUTDOWN_MAX)
		return -EINVAL;
	domain_shutdown(current->domain, op.reason);
	return 0;
}

static long op_poll(struct hc_args *a)
{
	evtchn_port_t ports[POLL_MAX_PORTS];
	struct sched_poll op;

	if (copy_from_guest(&op, a->a[1], sizeof(op)))
		return -EFAULT;
	if (op.nr_ports > POLL_MAX_PORTS)
		return -EINVAL;
	if (copy_from_guest(ports, handle_va(op.ports), op.nr_ports * sizeof(*ports)))
		return -EFAULT;
	for (unsigned int i = 0; i < op.nr_ports; i++)
		if (ports[i] >= EVTCHN_2L_NR_CHANNELS)
			return -EINVAL;
	sched_poll(ports, op.nr_ports, (s_time_t)op.timeout);
	return 0;
}

static long op_remote_shutdown(struct hc_args *a)
{
	struct sched_remote_shutdown op;
	struct domain *d;
	int rc;

	if (copy_from_guest(&op, a->a[1], sizeof(op)))
		return -EFAULT;
	if (op.reason > SHUTDOWN_MAX)
		return -EINVAL;
	rc = domain_find_remote(op.domain_id, &d);
	if (rc)
		return rc;
	domain_shutdown(d, op.reason);
	return 0;
}

/* The code a later crash or halt will carry. */
static long op_shutdown_code(struct hc_args *a)
{
	struct sched_shutdown op;

	if (copy_from_guest(&op, a->a[1], sizeof(op)))
		return -EFAULT;
	if (op.reason > SHUTDOWN_MAX)
		return -EINVAL;
	current->domain->shutdown_code = op.reason;
	return 0;
}

static long op_watchdog(struct hc_args *a)
{
	struct sched_watchdog op;
	long rc;

	if (copy_from_guest(&op, a->a[1], sizeof(op)))
		return -EFAULT;
	rc = sched_watchdog(current->domain, op.id, op.timeout);
	if (rc < 0)
		return rc;
	a->value = rc; /* the number of a new one */
	return 0;
}

static long op_pin_override(struct hc_args *a)
{
	struct sched_pin_override op;

	if (!current->domain->is_privileged)
		return -EPERM;
	if (copy_from_guest(&op, a->a[1], sizeof(op)))
		return -EFAULT;
	return sched_pin(current, op.pcpu);
}

static long (*const sched_ops[])(struct hc_args *a) = {
	[SCHEDOP_yield] = op_yield,
	[SCHEDOP_block] = op_block,
	[SCHEDOP_shutdown] = op_shutdown,
	[SCHEDOP_poll] = op_poll,
	[SCHEDOP_remote_shutdown] = op_remote_shutdown,
	[SCHEDOP_shutdown_code] = op_shutdown_code,
	[SCHEDOP_watchdog] = op_watchdog,
	[SCHEDOP_pin_override] = op_pin_override,
};

long hc_sched_op(struct hc_args *a)
{
	u64 cmd = (u32)a->a[0];

	return cmd < ARRAY_SIZE(sched_ops) ? (*table_nospec(sched_ops, cmd))(a) : -ENOSYS;
}

/* The first ABI: the reason of a shutdown is the argument itself. */
long hc_sched_op_compat(struct hc_args *a)
{
	switch ((u32)a->a[0]) {
	case SCHEDOP_yield:
		return op_yield(a);
	case SCHEDOP_block:
		return op_block(a);
	case SCHEDOP_shutdown:
		if (a->a[1] > SHUTDOWN_MAX)
			return -EINVAL;
		domain_shutdown(current->domain, a->a[1]);
		return 0;
	default:
		return -ENOSYS;
	}
}

long hc_set_timer_op(struct hc_args *a)
{
	s_time_t timeout = (s_time_t)a->a[0];

	if (timeout == 0)
		timer_stop(&current->singleshot_timer);
	else /* a nonsense deadline fires at once: better a spurious interrupt than a lost one */
		timer_set(&current->singleshot_timer, timeout < 0 ? now_ns() : timeout);
	return 0;
}
