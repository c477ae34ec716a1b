/* SPDX-License-Identifier: MIT */
/* preempt.h - when a long operation lets others have their turn. */
#ifndef HV_DOMAIN_PREEMPT_H
#define HV_DOMAIN_PREEMPT_H

#include "lib/types.h"

/* True when a long operation should return -ERESTART now: softirq or event work is pending. */
bool hypercall_should_preempt(void);

#endif
