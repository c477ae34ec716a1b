/* SPDX-License-Identifier: MIT */
/*
 * watchdog.c - notices a CPU that stays in the hypervisor: the PIT's channel 0 sends every CPU an
 * NMI 18 times a second, and each looks at itself. An NMI that finds the hypervisor leaves a
 * softirq behind; who has not done it for watchdog_timeout seconds will never return to a guest.
 * Source: Intel 8254 data sheet.
 */
#include "lib/boot_options.h"
#include "lib/log.h"
#include "x86/acpi.h"
#include "x86/asm.h"
#include "x86/clock.h"
#include "x86/ioapic.h"
#include "x86/percpu.h"
#include "x86/shutdown.h"
#include "x86/softirq.h"
#include "x86/watchdog.h"

#define PIT_CH0 0x40
#define PIT_MODE 0x43
#define PIT_CH0_RATE 0x34
#define TICK_US 54925 /* 65536 periods of the PIT */
#define FIRST_TICK_NS 500000000LL

static bool is_on;			  /* boot; then cleared by whoever ends the machine */
static unsigned int first_tick_seen;	  /* any CPU */
static unsigned int stuck_ticks[NR_CPUS]; /* each CPU's own */

void watchdog_softirq(void)
{
	stuck_ticks[this_cpu_id()] = 0;
}

bool watchdog_tick(const struct cpu_user_regs *regs)
{
	unsigned int *stuck = &stuck_ticks[this_cpu_id()];

	if (!READ_ONCE(is_on))
		return false;
	first_tick_seen = 1;
	if (regs->cs & 3 || this_cpu()->is_idle) {
		*stuck = 0;
		return true;
	}
	softirq_raise(SOFTIRQ_WATCHDOG);
	if (++*stuck > boot_options.watchdog_timeout * 1000000ULL / TICK_US)
		hv_panic_at(regs, "watchdog: CPU %u has been in the hypervisor for %u seconds",
			    this_cpu_id(), boot_options.watchdog_timeout);
	return true;
}

void watchdog_stop(void)
{
	if (!READ_ONCE(is_on))
		return;
	WRITE_ONCE(is_on, false);
	ioapic_mask(acpi_facts.isa[0].gsi, true);
}

bool watchdog_is_on(void)
{
	return READ_ONCE(is_on);
}

void watchdog_init(void)
{
	s_time_t end;

	if (boot_options.watchdog != OPTION_ON)
		return;
	softirq_handle(SOFTIRQ_WATCHDOG, watchdog_softirq);
	outb(PIT_MODE, PIT_CH0_RATE);
	outb(PIT_CH0, 0);
	outb(PIT_CH0, 0);
	WRITE_ONCE(is_on, true);
	ioapic_set_nmi_pin(acpi_facts.isa[0].gsi);
	end = now_ns() + FIRST_TICK_NS;
	while (!READ_ONCE(first_tick_seen) && now_ns() < end)
		cpu_relax();
	if (first_tick_seen) {
		log_info("watchdog: %u seconds", boot_options.watchdog_timeout);
		return;
	}
	watchdog_stop();
	log_warn("watchdog: off, this machine's PIT sends no NMI");
}
