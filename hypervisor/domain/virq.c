/* SPDX-License-Identifier: MIT */
/*
 * virq.c - virtual interrupts: which are per vcpu, and which domain handles the global ones.
 * Owns the handler table; the ports themselves are evtchn.c's. ABI: xen/xen.h, VIRQ_*.
 */
#include "domain/evtchn.h"

#include "lib/errno.h"

static struct domain *global_handler[NR_VIRQS]; /* NULL: dom0 */

bool virq_is_per_vcpu(u32 virq)
{
	static const u32 per_vcpu =
		1u << VIRQ_TIMER | 1u << VIRQ_DEBUG | 1u << VIRQ_XENOPROF | 1u << VIRQ_XENPMU;

	return virq < NR_VIRQS && (per_vcpu >> virq & 1);
}

void virq_raise_vcpu(struct vcpu *v, unsigned int virq)
{
	evtchn_port_t port = v->virq_to_evtchn[virq];

	if (port)
		evtchn_set_pending(v->domain, v, port);
}

void virq_raise_global(unsigned int virq)
{
	struct domain *d = global_handler[virq] ? global_handler[virq] : dom0;

	if (!d)
		return;
	/* Bound on vcpu 0, but bind_vcpu may have moved it. */
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		if (d->vcpu[i] && d->vcpu[i]->virq_to_evtchn[virq]) {
			virq_raise_vcpu(d->vcpu[i], virq);
			return;
		}
}

int virq_set_handler(struct domain *d, u32 virq)
{
	if (virq >= NR_VIRQS || virq_is_per_vcpu(virq) || (d && d->is_dying))
		return -EINVAL;
	global_handler[virq] = d == dom0 ? NULL : d;
	return 0;
}

void virq_forget_domain(const struct domain *d)
{
	for (unsigned int i = 0; i < NR_VIRQS; i++)
		if (global_handler[i] == d)
			global_handler[i] = NULL;
}
