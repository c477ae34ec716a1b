/* SPDX-License-Identifier: MIT */
/*
 * lock.c - the hypervisor lock, and the slow way to it: whoever waits serves the requests of the
 * owner, who may be waiting for exactly that.
 */
#include "x86/lock.h"

#include "x86/clock.h"
#include "x86/smp.h"

/* No hypercall may hold the lock a hundredth as long: then something is broken. */
#define STUCK_NS 10000000000LL

struct spinlock hv_big_lock = { .rank = LOCK_HV };

/* For the log when somebody waits too long. */
static void report_owner(void)
{
	for (unsigned int i = 0; i < smp_nr_cpus(); i++) {
		const struct cpu_info *c = cpu_info_of(i);

		if (c != this_cpu() && READ_ONCE(c->lock_depth))
			log_error("CPU %u waited for the hypervisor lock for 10 s; CPU %u holds it",
				  this_cpu_id(), i);
	}
}

void hv_lock_wait(u32 ticket)
{
	s_time_t began = now_ns();
	bool is_reported = false;

	while (__atomic_load_n(&hv_big_lock.owner, __ATOMIC_ACQUIRE) != ticket) {
		cpu_relax();
		smp_serve_requests();
		if (!is_reported && now_ns() - began > STUCK_NS) {
			is_reported = true;
			report_owner();
		}
	}
}
