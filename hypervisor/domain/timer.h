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
};

/* @fn runs from softirq context, interrupts off, at or after the deadline. */
void timer_init(struct timer *t, void (*fn)(void *arg), void *arg);
/* Arms or re-arms. A deadline in the past fires at the next softirq. Never fails: room for every
 * timer is reserved by timer_init. */
void timer_set(struct timer *t, s_time_t deadline_ns);
void timer_stop(struct timer *t);
/* Before the memory of @t goes away. */
void timer_fini(struct timer *t);
/* SOFTIRQ_TIMER: runs what is due and programs the hardware for the next. */
void timer_softirq(void);

#endif
