/* SPDX-License-Identifier: MIT */
/*
 * evtchn.h - event channels, two-level ABI: ports, binding, sending. Guest-controlled values are
 * ports and domids; everything else is validated by the caller.
 */
#ifndef HV_DOMAIN_EVTCHN_H
#define HV_DOMAIN_EVTCHN_H

#include "domain/domain.h"

int evtchn_init(struct domain *d);     /* 0, -ENOMEM */
void evtchn_destroy(struct domain *d); /* closes all ports; idempotent */

/* Raises @virq on one vcpu (per-vcpu virqs: VIRQ_TIMER, VIRQ_DEBUG, VIRQ_XENOPROF, VIRQ_XENPMU). */
void virq_raise_vcpu(struct vcpu *v, unsigned int virq);
/* Raises a global virq on the domain that bound it on vcpu 0 (dom0's VIRQ_DOM_EXC, VIRQ_CONSOLE, ...). */
void virq_raise_global(unsigned int virq);
/* A device interrupt for dom0: sets the port bound to @pirq pending. False: nobody bound it. */
bool evtchn_raise_pirq(struct domain *d, unsigned int pirq);

#endif
