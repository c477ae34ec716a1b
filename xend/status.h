/* SPDX-License-Identifier: MIT */
/*
 * status.h - /status/domain/NAME: what is, for everybody to read.
 */
#ifndef XEND_STATUS_H
#define XEND_STATUS_H

#include <stdbool.h>

struct xend;
struct domain;
struct hv_domain;
struct txn;

/* Writes state, domid, uuid, error and pending in one transaction. */
void status_write(struct xend *x, const struct domain *d);
/* The same, as a part of another one. */
void status_write_in(struct txn *tx, const struct domain *d);
/*
 * The same of one whose record is off, for as long as it is: who switches it on takes away what is
 * said of its last life, and waits for what is said of the next. Whether it was off still.
 */
bool status_write_off(struct xend *x, const struct domain *d);
/* Whether @d, which has a domain, has what its record says. Not, where the store does not say. */
bool status_is_as_built(struct xend *x, const struct domain *d);
/* The journal: the step about to be done or undone and what follows afterwards. */
int status_write_step(struct xend *x, const struct domain *d, const char *step);
void status_remove(struct xend *x, const char *name);
/* It runs from now on: xm uptime counts from here. */
void status_started(struct xend *x, const struct domain *d);
/* All of a domain that other tools built: the key foreign says so. */
void status_write_foreign(struct xend *x, const char *name, const struct hv_domain *h);
/* The figures of one running domain that change by themselves. */
void status_refresh_one(struct xend *x, const struct domain *d);
/* Those of all running domains and of dom0. */
void status_refresh(struct xend *x);

#endif
