/* SPDX-License-Identifier: MIT */
/* preempt.c - see preempt.h. Lock: the hypervisor's. */
#include "domain/preempt.h"

#include "domain/domain.h"
#include "x86/clock.h"
#include "x86/lock.h"
#include "x86/softirq.h"

/*
 * How long others wait for a long operation at the most: so many of its steps, and so much time,
 * whichever comes first. Most steps are short, and going on costs a return to the guest; but one
 * may be to empty 512 pages, and how many of which a guest makes up.
 */
#define CHECKS_PER_TURN 16
#define TURN_NS 200000

/* Another CPU wants the lock, and has wanted it for a turn. */
static bool others_are_waiting(void)
{
	/*
	 * hypervisor lock; a turn may be another operation's, which ended: then one check is too
	 * early
	 */
	static unsigned int checks;
	static s_time_t began_ns;
	s_time_t now;

	if (!hv_lock_is_wanted())
		return false;
	now = now_ns();
	if (checks++ == 0)
		began_ns = now;
	if (checks < CHECKS_PER_TURN && now - began_ns < TURN_NS)
		return false;
	checks = 0;
	return true;
}

bool hypercall_should_preempt(void)
{
	if (!current)
		return false; /* no guest runs yet while dom0 is being built */
	/* Interrupts are off in here: what waits must be let in before it can be seen pending. */
	irq_window();
	return softirq_is_pending() || vcpu_event_is_deliverable(current) || others_are_waiting();
}
