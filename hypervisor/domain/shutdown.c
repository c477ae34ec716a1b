/* SPDX-License-Identifier: MIT */
/*
 * shutdown.c - how a domain stops: by its own wish, by breaking its contract, by its watchdog;
 * and the counted pauses. dom0's stop is the machine's.
 */
#include "domain/domain.h"

#include "domain/evtchn.h"
#include "lib/boot_options.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/lock.h"
#include "x86/shutdown.h"

static void domain_vcpus_sleep(struct domain *d)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		if (d->vcpu[i])
			vcpu_sleep(d->vcpu[i]);
}

static void domain_vcpus_wake(struct domain *d)
{
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		if (d->vcpu[i])
			vcpu_wake(d->vcpu[i]);
}

void domain_pause(struct domain *d)
{
	d->pause_count++;
	domain_vcpus_sleep(d);
}

void domain_unpause(struct domain *d)
{
	BUG_ON(d->pause_count == 0);
	d->pause_count--;
	domain_vcpus_wake(d);
}

void domain_pause_by_controller(struct domain *d)
{
	if (d->controller_pause_count < ~0u)
		d->controller_pause_count++;
	domain_vcpus_sleep(d);
}

int domain_unpause_by_controller(struct domain *d)
{
	if (d->controller_pause_count == 0)
		return -EINVAL;
	d->controller_pause_count--;
	domain_vcpus_wake(d);
	return 0;
}

static const char *const shutdown_names[] = {
	[SHUTDOWN_poweroff] = "power off", [SHUTDOWN_reboot] = "reboot",
	[SHUTDOWN_suspend] = "suspend",	   [SHUTDOWN_crash] = "crash",
	[SHUTDOWN_watchdog] = "watchdog",  [SHUTDOWN_soft_reset] = "soft reset",
};

static void machine_follows_dom0(u8 code)
{
	log_info("d0: %s: the machine follows",
		 code < ARRAY_SIZE(shutdown_names) ? shutdown_names[code] : "shutdown");
	if (code == SHUTDOWN_poweroff)
		machine_power_off();
	if (boot_options.noreboot)
		machine_halt();
	machine_reboot();
}

void domain_shutdown(struct domain *d, u8 code)
{
	if (d->is_shutting_down)
		return;
	if (d->is_privileged && d == dom0)
		machine_follows_dom0(code);
	d->shutdown_code = code;
	d->is_shutting_down = true;
	domain_vcpus_sleep(d);
	domain_shutdown_check(d);
}

void domain_shutdown_check(struct domain *d)
{
	u8 code = d->shutdown_code;

	if (!d->is_shutting_down || d->is_shut_down || d->is_dying)
		return;
	for (unsigned int i = 0; i < d->nr_vcpus_max; i++)
		if (d->vcpu[i] && d->vcpu[i]->is_running)
			return;
	d->is_shut_down = true;
	/* Not by the guest's budget: it says so once, until dom0 makes it go on. */
	log_info("d%u: shut down: %s", d->domain_id,
		 code < ARRAY_SIZE(shutdown_names) ? shutdown_names[code] : "unknown code");
	if (code == SHUTDOWN_suspend && d->suspend_evtchn && d->evtchn)
		evtchn_send(d, d->suspend_evtchn);
	else
		virq_raise_global(VIRQ_DOM_EXC);
}

void domain_resume(struct domain *d)
{
	if (!d->is_shutting_down || d->is_dying)
		return;
	d->is_shutting_down = false;
	d->is_shut_down = false;
	d->is_crashed = false;
	domain_vcpus_wake(d);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
	__builtin_va_list ap;

	hv_lock(); /* may come from a path without it, on several CPUs at once */
	if (d->is_crashed || d->is_dying) {
		hv_unlock();
		return; /* the first reason is the one that matters */
	}
	d->is_crashed = true;
	__builtin_va_start(ap, fmt);
	vsnprintf(d->crash_reason, sizeof(d->crash_reason), fmt, ap);
	__builtin_va_end(ap);
	/* Nor this: once in a domain's life, and others' lines must not hide why it ended. */
	if (current && current->domain == d)
		log_warn("d%uv%u: crashed: %s (rip %lx)", d->domain_id, current->vcpu_id,
			 d->crash_reason, (unsigned long)guest_regs()->rip);
	else
		log_warn("d%u: crashed: %s", d->domain_id, d->crash_reason);
	domain_shutdown(d, SHUTDOWN_crash);
	hv_unlock();
}
