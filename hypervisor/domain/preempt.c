/* SPDX-License-Identifier: MIT */
/* preempt.c - see preempt.h. Lock: the hypervisor's. */
#include "domain/preempt.h"

#include "domain/domain.h"
#include "x86/lock.h"
#include "x86/softirq.h"

/* Steps of a long operation that others wait for. */
#define CHECKS_PER_TURN 16

/*
 * Another CPU wants the lock. Not at each check: going on costs a return to the guest, and a step
 * between two checks is short.
 */
static bool others_are_waiting(void)
{
	static unsigned int checks; /* hypervisor lock */

	return hv_lock_is_wanted() && ++checks % CHECKS_PER_TURN == 0;
}

bool hypercall_should_preempt(void)
{
	if (!current)
		return false; /* no guest runs yet while dom0 is being built */
	/* Interrupts are off in here: what waits must be let in before it can be seen pending. */
	irq_window();
	return softirq_is_pending() || vcpu_event_is_deliverable(current) || others_are_waiting();
}
