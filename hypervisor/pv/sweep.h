/* SPDX-License-Identifier: MIT */
/*
 * sweep.h - all frames of a domain, one after the other, in as many hypercalls as it takes.
 * Hypervisor lock.
 */
#ifndef HV_PV_SWEEP_H
#define HV_PV_SWEEP_H

#include "domain/domain.h"

/* Done to one frame. Not 0: the sweep stops there, and comes to the same frame again. */
typedef int (*sweep_fn)(struct frame *f, void *arg);

/*
 * Calls @step with each frame that @d owns, but for shared ones of the hypervisor, from mfn
 * *@cursor on (0 at first), which is 0 again at the end. Costs by where @d has frames, not by the
 * machine. 0; -ERESTART: others want the CPU; or what @step returned.
 */
int must_check sweep_frames(const struct domain *d, u64 *cursor, sweep_fn step, void *arg);

#endif
