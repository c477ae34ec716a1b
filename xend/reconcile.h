/* SPDX-License-Identifier: MIT */
/*
 * reconcile.h - the record says what should be; this makes the domain follow.
 */
#ifndef XEND_RECONCILE_H
#define XEND_RECONCILE_H

struct xend;
struct domain;

/* Compares record and domain and begins what is missing. May drop @d. Not during a walk. */
void reconcile(struct xend *x, struct domain *d);

/* Looks at the hypervisor's list: who died, who vanished, who was paused by another tool. */
void reconcile_deaths(struct xend *x);

/* A walk up has ended: the guest runs. */
void reconcile_built(struct xend *x, struct domain *d);

/* A walk down has ended: nothing is left. May drop @d. */
void reconcile_undone(struct xend *x, struct domain *d);

#endif
