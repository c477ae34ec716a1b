/* SPDX-License-Identifier: MIT */
/*
 * dom0_memory.h - memory that dom0 gives to a domain that is about to start.
 *
 * Only down to what /config/host/dom0_min_mem says; without that key dom0 keeps what it has.
 */
#ifndef XEND_DOM0_MEMORY_H
#define XEND_DOM0_MEMORY_H

struct xend;
struct domain;

/*
 * The step before a domain is made, when its image is known: a saved one is as large as it was, a
 * new one as its record says. 0: there is enough; -EINPROGRESS: dom0 was asked and has not given it
 * all; -ENOMEM with d->error set: there is too little, and dom0 may not give as much; another error
 * with d->error set: the hypervisor does not tell.
 */
int dom0_memory_make_room(struct xend *x, struct domain *d);
/* Words for a dom0 that did not give in time. */
void dom0_memory_late(struct xend *x, struct domain *d);

#endif
