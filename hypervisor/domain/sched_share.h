/* SPDX-License-Identifier: MIT */
/*
 * sched_share.h - dividing the CPU time that passed among those who want it, for sched_credit.c.
 * Lock: the hypervisor's.
 */
#ifndef HV_DOMAIN_SCHED_SHARE_H
#define HV_DOMAIN_SCHED_SHARE_H

#include "lib/types.h"

/* One who wants CPU time. All but @got is the caller's to fill in. */
struct share {
	struct share *next;
	u64 cpus;	/* bit n: may run on CPU n; one at least that the machine has */
	s64 weight;	/* beside others': 1 up to 2^28 */
	s64 limit;	/* it cannot use more, ns: 0 up to what passed */
	s64 got;	/* its share, ns: 0..@limit */
	bool is_sated;	/* it got its limit, not less by its weight */
};

/*
 * Divides @elapsed ns (up to 2^31) of each CPU in @cpus among the list from @first on. Each gets in
 * proportion to its weight, but for what it cannot use: that goes to the others who may run there,
 * again by weight. Those whose CPUs are a part of the machine get no more together than those give;
 * sets of CPUs that overlap without one holding the other are taken one by one.
 */
void shares_divide(struct share *first, u64 cpus, s64 elapsed);

#endif
