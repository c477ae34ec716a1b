/* SPDX-License-Identifier: MIT */
/*
 * cpu_share.h - what a record says of the CPUs a domain gets: cpus, cpu_weight, cap.
 */
#ifndef XEND_CPU_SHARE_H
#define XEND_CPU_SHARE_H

#include <stdbool.h>

struct xend;
struct domain;
struct record;

/*
 * Makes the hypervisor follow d->rec. What is the hypervisor's own default is not asked for, unless
 * @again: the domain may have another setting by now. 0; -errno after domain_error().
 */
int sched_apply(struct xend *x, struct domain *d, bool again);

/* Only weight and cap, whatever it has now. 0; -errno after domain_error(). */
int sched_share(struct xend *x, struct domain *d);

/* Whether two records say the same of it. */
bool sched_same(const struct record *a, const struct record *b);
/* Makes @to say of it what @from does. */
void sched_keep(struct record *to, const struct record *from);

#endif
