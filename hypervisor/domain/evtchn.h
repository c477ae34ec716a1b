/* SPDX-License-Identifier: MIT */
/*
 * evtchn.h - event channels, two-level ABI: ports, binding, sending.
 *
 * Ports, domids, vcpu numbers and virq numbers are guest-controlled, any value; `d` is the domain
 * whose port is meant. A failed call changed nothing. Source: xen/event_channel.h; Xen 4.17 for
 * behaviour.
 */
#ifndef HV_DOMAIN_EVTCHN_H
#define HV_DOMAIN_EVTCHN_H

#include "domain/domain.h"

#include <xen/event_channel.h>

int evtchn_init(struct domain *d); /* 0, -ENOMEM */
/* Closes all ports, frees the table; idempotent. -ERESTART: some are closed, call again; 0. */
int must_check evtchn_destroy(struct domain *d);

/*
 * A port that @remote (domid, not resolved: may not exist yet) can bind to. -ENOSPC: quota;
 * -ENOMEM.
 */
int evtchn_alloc_unbound(struct domain *d, domid_t remote, evtchn_port_t *port);
/*
 * Connects a new port of @ld to @rd's unbound @rport reserved for @ld. -EINVAL: not so; -ENOSPC.
 */
int evtchn_bind_interdomain(struct domain *ld, struct domain *rd, evtchn_port_t rport,
			    evtchn_port_t *lport);
/*
 * -EINVAL: no such virq, or a global one on a vcpu other than 0; -ENOENT: vcpu; -EEXIST; -ENOSPC.
 */
int evtchn_bind_virq(struct domain *d, u32 virq, u32 vcpu_id, evtchn_port_t *port);
int evtchn_bind_ipi(struct domain *d, u32 vcpu_id, evtchn_port_t *port);
/* Starts delivery of a mapped pirq. -EPERM: not mapped; -EEXIST; gsi_bind_guest's errors. */
int evtchn_bind_pirq(struct domain *d, u32 pirq, evtchn_port_t *port);
/* -EINVAL: not open. The other end becomes unbound again, reserved for @d. */
int evtchn_close(struct domain *d, evtchn_port_t port);
/* Notifies the other end; an unbound port drops it silently. -EINVAL: port of another kind. */
int evtchn_send(struct domain *d, evtchn_port_t port);
/* Fills all but dom and port. -EINVAL: port out of range. */
int evtchn_status(struct domain *d, evtchn_port_t port, struct evtchn_status *st);
/*
 * -EINVAL: kind of port bound to its vcpu for good (IPI, per-vcpu VIRQ), closed; -ENOENT: vcpu.
 */
int evtchn_bind_vcpu(struct domain *d, evtchn_port_t port, u32 vcpu_id);
int evtchn_unmask(struct domain *d, evtchn_port_t port); /* -EINVAL: out of range */
/*
 * Closes all ports but keeps the table (EVTCHNOP_reset). -ERESTART: some are closed, call again; 0:
 * none is open, nor what was opened between two calls.
 */
int must_check evtchn_reset(struct domain *d);
/* True when @port's pending bit is set in @d's shared info. False too when out of range. */
bool evtchn_is_pending(const struct domain *d, evtchn_port_t port);
bool evtchn_is_masked(const struct domain *d, evtchn_port_t port);

/* Makes the upcall of @v pending, kicks it. */
void vcpu_mark_events_pending(struct vcpu *v);

/* --- domain/virq.c --- */
/*
 * Raises @virq on one vcpu (per-vcpu virqs: VIRQ_TIMER, VIRQ_DEBUG, VIRQ_XENOPROF, VIRQ_XENPMU).
 */
void virq_raise_vcpu(struct vcpu *v, unsigned int virq);
/* Raises a global virq on the domain that handles it (dom0 unless set), as bound on vcpu 0. */
void virq_raise_global(unsigned int virq);
/* XEN_DOMCTL_set_virq_handler. -EINVAL: not a global virq, @d is dying. @d NULL: back to dom0. */
int virq_set_handler(struct domain *d, u32 virq);
/* @d goes away: its global virqs return to dom0. */
void virq_forget_domain(const struct domain *d);
bool virq_is_per_vcpu(u32 virq);

/* A device interrupt for dom0: sets the port bound to @pirq pending. False: nobody bound it. */
bool evtchn_raise_pirq(struct domain *d, unsigned int pirq);
/*
 * The CPU where the vcpu last ran that @pirq's port notifies. NO_CPU: not bound, or it never ran.
 */
unsigned int evtchn_pirq_cpu(const struct domain *d, u32 pirq);
/* The port bound to @pirq; 0: none. */
evtchn_port_t evtchn_of_pirq(const struct domain *d, u32 pirq);
/* Sets the port pending on vcpu @v. @port: valid and open. */
void evtchn_set_pending(struct domain *d, struct vcpu *v, evtchn_port_t port);

#endif
