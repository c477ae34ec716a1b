/* SPDX-License-Identifier: MIT */
/*
 * nmi.c - non-maskable interrupts: another CPU's order to stop, the watchdog's tick, and what
 * hardware or a person's button sends. They come at any instruction, so nothing here takes a lock
 * that this CPU may hold.
 */
#include "lib/boot_options.h"
#include "lib/log.h"
#include "x86/asm.h"
#include "x86/crash.h"
#include "x86/lock.h"
#include "x86/nmi.h"
#include "x86/percpu.h"
#include "x86/shutdown.h"
#include "x86/smp.h"
#include "x86/watchdog.h"

#define PORT_STATUS 0x61
#define STATUS_IO_CHECK 0x40
#define STATUS_PCI_SERR 0x80
#define MAX_REPORTS 10

static void stop_here(const struct cpu_user_regs *regs)
{
	crash_note(regs);
	for (;;)
		__asm__ volatile("cli; hlt");
}

static void report(const struct cpu_user_regs *regs, u8 status)
{
	static unsigned int nr_reports;

	if (boot_options.nmi == NMI_FATAL)
		hv_panic_at(regs, "NMI, status port 0x61 = %02x", status);
	/* In the middle of a line of this CPU's the log's lock would never be free. */
	if (boot_options.nmi == NMI_IGNORE || this_cpu()->locks_held & 1u << LOCK_CONSOLE ||
	    nr_reports++ >= MAX_REPORTS)
		return;
	log_error("NMI, status port 0x61 = %02x%s%s", status,
		  status & STATUS_IO_CHECK ? ", I/O check" : "",
		  status & STATUS_PCI_SERR ? ", PCI system error" : "");
	crash_print(regs);
}

void nmi_handle(const struct cpu_user_regs *regs)
{
	u8 status;

	if (smp_is_stopping())
		stop_here(regs);
	status = inb(PORT_STATUS);
	if (!watchdog_tick(regs) || status & (STATUS_IO_CHECK | STATUS_PCI_SERR))
		report(regs, status);
}
