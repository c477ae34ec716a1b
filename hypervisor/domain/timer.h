/* SPDX-License-Identifier: MIT */
/* timer.h - one-shot timers on the hypervisor's monotonic clock (a heap ordered by deadline). */
#ifndef HV_DOMAIN_TIMER_H
#define HV_DOMAIN_TIMER_H

#include "lib/types.h"

struct timer {
	s_time_t deadline_ns;
	void (*fn)(void *arg);
	void *arg;
	u32 heap_pos; /* 1-based; 0: not armed */
	u32 cpu;      /* in whose heap, when armed: where it was armed, and fires */
	bool is_initialised;
};

/*
 * @fn runs from softirq context, interrupts off, at or after the deadline. Reserves room in the
 * heap. 0; -ENOMEM (impossible for the first 64 timers: boot code need not check).
 */
int timer_init(struct timer *t, void (*fn)(void *arg), void *arg);
/* Arms or re-arms. A deadline in the past fires at the next softirq. Never fails: room for every
 * timer is reserved by timer_init. */
void timer_set(struct timer *t, s_time_t deadline_ns);
void timer_stop(struct timer *t);
static inline bool timer_is_armed(const struct timer *t)
{
	return t->heap_pos != 0;
}
/* Before the memory of @t goes away. Idempotent; a zeroed timer is allowed. */
void timer_fini(struct timer *t);
/* SOFTIRQ_TIMER: runs what is due and programs the hardware for the next. */
void timer_softirq(void);

#endif
