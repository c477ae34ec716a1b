/* SPDX-License-Identifier: MIT */
/*
 * upward.c - THE list of what the machine's floor calls above itself: it knows no names there, each
 * is given to it once, here.
 */
#include "boot/upward.h"

#include "domain/domain.h"
#include "domain/evtchn.h"
#include "domain/timer.h"
#include "hypercall/debug_keys.h"
#include "lib/string.h"
#include "x86/console.h"
#include "x86/crash.h"
#include "x86/irq.h"
#include "x86/softirq.h"

static bool raise_gsi(unsigned int gsi)
{
	return dom0 && evtchn_raise_pirq(dom0, gsi);
}

static unsigned int cpu_of_gsi(unsigned int gsi)
{
	return evtchn_pirq_cpu(dom0, gsi);
}

static void keys_arrived(void)
{
	virq_raise_global(VIRQ_CONSOLE);
}

static void name_vcpu(const struct vcpu *v, char *buf, size_t size)
{
	snprintf(buf, size, "d%uv%u", v->domain->domain_id, v->vcpu_id);
}

static void run_timers(void)
{
	timer_softirq();
}

static void schedule(void)
{
	sched_softirq();
}

void upward_init(void)
{
	static const struct irq_guest dom0_irqs = { raise_gsi, cpu_of_gsi };
	static const struct console_reader dom0_keys = { debug_key, keys_arrived };

	softirq_handle(SOFTIRQ_TIMER, run_timers);
	softirq_handle(SOFTIRQ_SCHEDULE, schedule);
	irq_set_guest(&dom0_irqs);
	console_set_reader(&dom0_keys);
	crash_set_namer(name_vcpu);
}
