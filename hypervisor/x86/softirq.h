/* SPDX-License-Identifier: MIT */
/* softirq.h - work that waits until the hypervisor is about to leave for a guest (softirq.c). */
#ifndef HV_X86_SOFTIRQ_H
#define HV_X86_SOFTIRQ_H

#include "lib/types.h"

enum softirq { SOFTIRQ_TIMER, SOFTIRQ_SCHEDULE, SOFTIRQ_WATCHDOG, SOFTIRQ_NR };
/* Boot: @fn does what @nr stands for, with the hypervisor lock held. */
void softirq_handle(enum softirq nr, void (*fn)(void));
void softirq_raise(enum softirq nr);
/* The same on CPU @cpu (online), which is interrupted for it. */
void softirq_raise_on(unsigned int cpu, enum softirq nr);
bool softirq_is_pending(void);
/* Runs the pending ones until none is left. Hypervisor lock
 * held. */
void softirq_process(void);
/* Waits for an interrupt with interrupts enabled; returns with them off, softirqs maybe pending.
 * Without the hypervisor lock. */
void cpu_idle_wait(void);
/* Takes the interrupts that wait, then goes on with them off: at preemption points of long
 * operations. */
void irq_window(void);

#endif
