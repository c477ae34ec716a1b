/* SPDX-License-Identifier: MIT */
/*
 * hc_evtchn.c - event_channel_op: copies each structure in, resolves domids, calls domain/evtchn.c.
 * FIFO operations are refused (architecture.md D11): Linux then uses the two-level ABI.
 * ABI: xen/event_channel.h.
 */
#include "domain/evtchn.h"
#include "hypercall/handlers.h"
#include "lib/errno.h"

static domid_t resolve_self(domid_t domid)
{
	return domid == DOMID_SELF ? current->domain->domain_id : domid;
}

static long op_alloc_unbound(u64 arg)
{
	struct evtchn_alloc_unbound op;
	struct domain *d;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = domain_find_remote(op.dom, &d);
	if (rc)
		return rc;
	rc = evtchn_alloc_unbound(d, resolve_self(op.remote_dom), &op.port);
	if (rc)
		return rc;
	return copy_to_guest(arg, &op, sizeof(op));
}

static long op_bind_interdomain(u64 arg)
{
	struct evtchn_bind_interdomain op;
	struct domain *rd;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rd = domain_find(resolve_self(op.remote_dom));
	if (!rd)
		return -ESRCH;
	rc = evtchn_bind_interdomain(current->domain, rd, op.remote_port, &op.local_port);
	if (rc)
		return rc;
	return copy_to_guest(arg, &op, sizeof(op));
}

static long op_bind_virq(u64 arg)
{
	struct evtchn_bind_virq op;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = evtchn_bind_virq(current->domain, op.virq, op.vcpu, &op.port);
	if (rc)
		return rc;
	return copy_to_guest(arg, &op, sizeof(op));
}

static long op_bind_ipi(u64 arg)
{
	struct evtchn_bind_ipi op;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = evtchn_bind_ipi(current->domain, op.vcpu, &op.port);
	if (rc)
		return rc;
	return copy_to_guest(arg, &op, sizeof(op));
}

static long op_bind_pirq(u64 arg)
{
	struct evtchn_bind_pirq op;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = evtchn_bind_pirq(current->domain, op.pirq, &op.port);
	if (rc)
		return rc;
	return copy_to_guest(arg, &op, sizeof(op));
}

static long op_close(u64 arg)
{
	struct evtchn_close op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	return evtchn_close(current->domain, op.port);
}

static long op_send(u64 arg)
{
	struct evtchn_send op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	return evtchn_send(current->domain, op.port);
}

static long op_status(u64 arg)
{
	struct evtchn_status op;
	struct domain *d;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = domain_find_remote(op.dom, &d);
	if (!rc)
		rc = evtchn_status(d, op.port, &op);
	if (rc)
		return rc;
	return copy_to_guest(arg, &op, sizeof(op));
}

static long op_bind_vcpu(u64 arg)
{
	struct evtchn_bind_vcpu op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	return evtchn_bind_vcpu(current->domain, op.port, op.vcpu);
}

static long op_unmask(u64 arg)
{
	struct evtchn_unmask op;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	return evtchn_unmask(current->domain, op.port);
}

static long op_reset(u64 arg)
{
	struct evtchn_reset op;
	struct domain *d;
	int rc;

	if (copy_from_guest(&op, arg, sizeof(op)))
		return -EFAULT;
	rc = domain_find_remote(op.dom, &d);
	if (rc)
		return rc;
	evtchn_reset(d);
	return 0;
}

static long (*const evtchn_ops[])(u64 arg) = {
	[EVTCHNOP_bind_interdomain] = op_bind_interdomain,
	[EVTCHNOP_bind_virq] = op_bind_virq,
	[EVTCHNOP_bind_pirq] = op_bind_pirq,
	[EVTCHNOP_close] = op_close,
	[EVTCHNOP_send] = op_send,
	[EVTCHNOP_status] = op_status,
	[EVTCHNOP_alloc_unbound] = op_alloc_unbound,
	[EVTCHNOP_bind_ipi] = op_bind_ipi,
	[EVTCHNOP_bind_vcpu] = op_bind_vcpu,
	[EVTCHNOP_unmask] = op_unmask,
	[EVTCHNOP_reset] = op_reset,
};

static long evtchn_op(u32 cmd, u64 arg)
{
	return cmd < ARRAY_SIZE(evtchn_ops) && evtchn_ops[cmd] ? evtchn_ops[cmd](arg) : -ENOSYS;
}

long hc_event_channel_op(struct hc_args *a)
{
	return evtchn_op((u32)a->a[0], a->a[1]);
}

/* The first ABI: command and structure together behind one pointer. */
long hc_event_channel_op_compat(struct hc_args *a)
{
	u32 cmd;

	if (copy_from_guest(&cmd, a->a[0], sizeof(cmd)))
		return -EFAULT;
	return evtchn_op(cmd, a->a[0] + offsetof(struct evtchn_op, u));
}
