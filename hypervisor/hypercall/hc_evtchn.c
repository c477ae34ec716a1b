/* SPDX-License-Identifier: MIT */
/*
 * hc_evtchn.c - event_channel_op: copies each structure in, resolves domids, calls
 * domain/evtchn.c. FIFO operations are refused (architecture.md D11): Linux then uses the
 * two-level ABI. ABI: xen/event_channel.h.
 */
#include "domain/evtchn.h"
#include "hypercall/handlers.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "x86/guest_access.h"

static domid_t resolve_self(domid_t domid)
{
	return domid == DOMID_SELF ? current->domain->domain_id : domid;
}

/*
 * Every operation gets its structure already copied in; what it writes there goes back when it
 * succeeds.
 */
union evtchn_arg {
	struct evtchn_alloc_unbound alloc_unbound;
	struct evtchn_bind_interdomain bind_interdomain;
	struct evtchn_bind_virq bind_virq;
	struct evtchn_bind_ipi bind_ipi;
	struct evtchn_bind_pirq bind_pirq;
	struct evtchn_close close;
	struct evtchn_send send;
	struct evtchn_status status;
	struct evtchn_bind_vcpu bind_vcpu;
	struct evtchn_unmask unmask;
	struct evtchn_reset reset;
};

static int op_alloc_unbound(union evtchn_arg *arg)
{
	struct evtchn_alloc_unbound *op = &arg->alloc_unbound;
	struct domain *d;
	int rc = domain_find_remote(op->dom, &d);

	return rc ? rc : evtchn_alloc_unbound(d, resolve_self(op->remote_dom), &op->port);
}

static int op_bind_interdomain(union evtchn_arg *arg)
{
	struct evtchn_bind_interdomain *op = &arg->bind_interdomain;
	struct domain *rd = domain_find(resolve_self(op->remote_dom));

	if (!rd)
		return -ESRCH;
	return evtchn_bind_interdomain(current->domain, rd, op->remote_port, &op->local_port);
}

static int op_bind_virq(union evtchn_arg *arg)
{
	struct evtchn_bind_virq *op = &arg->bind_virq;

	return evtchn_bind_virq(current->domain, op->virq, op->vcpu, &op->port);
}

static int op_bind_ipi(union evtchn_arg *arg)
{
	return evtchn_bind_ipi(current->domain, arg->bind_ipi.vcpu, &arg->bind_ipi.port);
}

static int op_bind_pirq(union evtchn_arg *arg)
{
	return evtchn_bind_pirq(current->domain, arg->bind_pirq.pirq, &arg->bind_pirq.port);
}

static int op_close(union evtchn_arg *arg)
{
	return evtchn_close(current->domain, arg->close.port);
}

static int op_send(union evtchn_arg *arg)
{
	return evtchn_send(current->domain, arg->send.port);
}

static int op_status(union evtchn_arg *arg)
{
	struct domain *d;
	int rc = domain_find_remote(arg->status.dom, &d);

	return rc ? rc : evtchn_status(d, arg->status.port, &arg->status);
}

static int op_bind_vcpu(union evtchn_arg *arg)
{
	return evtchn_bind_vcpu(current->domain, arg->bind_vcpu.port, arg->bind_vcpu.vcpu);
}

static int op_unmask(union evtchn_arg *arg)
{
	return evtchn_unmask(current->domain, arg->unmask.port);
}

static int op_reset(union evtchn_arg *arg)
{
	struct domain *d;
	int rc = domain_find_remote(arg->reset.dom, &d);

	return rc ? rc : evtchn_reset(d);
}

#define OP(name, has_result)                                                                       \
	[EVTCHNOP_##name] = { op_##name, sizeof(struct evtchn_##name), has_result }

static const struct {
	int (*fn)(union evtchn_arg *arg);
	size_t size;
	bool has_result; /* the structure goes back to the guest */
} evtchn_ops[] = {
	OP(bind_interdomain, true), OP(bind_virq, true), OP(bind_pirq, true),	  OP(close, false),
	OP(send, false),	    OP(status, true),	 OP(alloc_unbound, true),
	OP(bind_ipi, true),
	OP(bind_vcpu, false),	    OP(unmask, false),	 OP(reset, false),
};
#undef OP

static long evtchn_op(u32 cmd, u64 va)
{
	union evtchn_arg arg;
	int rc;

	if (cmd >= ARRAY_SIZE(evtchn_ops))
		return -ENOSYS;
	cmd = (u32)index_nospec(cmd, ARRAY_SIZE(evtchn_ops));
	if (!evtchn_ops[cmd].fn)
		return -ENOSYS;
	if (copy_from_guest(&arg, va, evtchn_ops[cmd].size))
		return -EFAULT;
	rc = evtchn_ops[cmd].fn(&arg);
	if (rc || !evtchn_ops[cmd].has_result)
		return rc;
	return copy_to_guest(va, &arg, evtchn_ops[cmd].size);
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
