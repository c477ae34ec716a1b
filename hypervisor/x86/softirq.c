/* SPDX-License-Identifier: MIT */
/*
 * softirq.c - work that an interrupt or a hypercall leaves for the way back to the guest.
 */
#include "domain/domain.h"
#include "domain/timer.h"
#include "x86/asm.h"
#include "x86/init.h"
#include "x86/machine.h"

u32 softirq_pending; /* bit: enum softirq */

void softirq_raise(enum softirq nr)
{
	softirq_pending |= 1u << nr;
}

bool softirq_is_pending(void)
{
	return READ_ONCE(softirq_pending) != 0;
}

void softirq_process(void)
{
	while (softirq_is_pending()) {
		if (softirq_pending & 1u << SOFTIRQ_TIMER) {
			softirq_pending &= ~(1u << SOFTIRQ_TIMER);
			timer_softirq();
		}
		if (softirq_pending & 1u << SOFTIRQ_SCHEDULE) {
			softirq_pending &= ~(1u << SOFTIRQ_SCHEDULE);
			sched_softirq();
		}
	}
}

void irq_window(void)
{
	/* sti takes effect after the next instruction */
	__asm__ volatile("sti; nop; cli" ::: "memory");
}

void cpu_idle_wait(void)
{
	/* sti holds interrupts back for one instruction: none is lost between the check and hlt. */
	if (!softirq_is_pending())
		__asm__ volatile("sti; hlt; cli" ::: "memory");
}
