/* SPDX-License-Identifier: MIT */
/*
 * reconcile.h - the record says what should be; this makes the domain follow.
 */
#ifndef XEND_RECONCILE_H
#define XEND_RECONCILE_H

#include <stdbool.h>
#include <stdint.h>

struct xend;
struct domain;

/*
 * Compares record and domain and begins what is missing. May drop @d. Not during a walk. When to
 * look again, absolute ns: 0 is at once, later is for a record that could not be read.
 */
uint64_t reconcile(struct xend *x, struct domain *d);

/*
 * If @d has no domain and begins one as soon as it is looked at (between two lives of a restart,
 * just switched on): takes that back, in the record too. Whether there was anything to take back.
 */
bool reconcile_withdraw(struct xend *x, struct domain *d);

/* Looks at the hypervisor's list: who died, who vanished, who was paused by another tool. */
void reconcile_deaths(struct xend *x);

/* A walk up has ended: the guest runs. */
void reconcile_built(struct xend *x, struct domain *d);

/* Another host has it: its record goes. */
void reconcile_moved(struct xend *x, struct domain *d);
/* A walk down has ended: nothing is left. May drop @d. */
void reconcile_undone(struct xend *x, struct domain *d);

#endif
