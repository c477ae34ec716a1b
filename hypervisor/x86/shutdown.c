/* SPDX-License-Identifier: MIT */
/* shutdown.c - the ends of the machine: power-off, restart, halt, and panic. */
#include <stdarg.h>

#include "lib/boot_options.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/acpi.h"
#include "x86/asm.h"
#include "x86/console.h"
#include "x86/crash.h"
#include "x86/shutdown.h"
#include "x86/smp.h"
#include "x86/watchdog.h"

#define KBD_STATUS 0x64
#define KBD_COMMAND 0x64
#define KBD_INPUT_FULL 2
#define KBD_PULSE_RESET 0xfe
#define RESET_CONTROL 0xcf9
#define PANIC_PAUSE_MS 3000
#define PANIC_TEXT 400

/* Roughly; must work before the clock does: a read of port 0x80 takes about a microsecond. */
static void pause_ms(unsigned int ms)
{
	for (unsigned int i = 0; i < ms * 1000; i++)
		inb(0x80);
}

void machine_halt(void)
{
	irq_disable();
	watchdog_stop();
	smp_stop_others();
	log_info("the machine is halted");
	for (;;)
		__asm__ volatile("hlt");
}

void machine_reboot(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) no_idt = { 0, 0 };

	irq_disable();
	watchdog_stop();
	if (boot_options.noreboot)
		machine_halt();
	smp_stop_others();
	log_info("the machine restarts");
	acpi_reset();
	pause_ms(10);
	outb(RESET_CONTROL, 0x02);
	outb(RESET_CONTROL, 0x06);
	pause_ms(10);
	for (unsigned int i = 0; i < 1000 && (inb(KBD_STATUS) & KBD_INPUT_FULL); i++)
		pause_ms(1);
	outb(KBD_COMMAND, KBD_PULSE_RESET);
	pause_ms(10);
	/* Last resort: an exception without an IDT resets the CPU. */
	__asm__ volatile("lidt %0; int3" ::"m"(no_idt));
	machine_halt();
}

void machine_power_off(void)
{
	irq_disable();
	watchdog_stop();
	smp_stop_others();
	log_info("the machine turns off");
	if (acpi_power_off())
		pause_ms(1000);
	machine_halt();
}

/* @regs NULL: nothing to add to the text. */
static void __attribute__((noreturn)) panic(const struct cpu_user_regs *regs, const char *text)
{
	static bool panicking; /* atomic: the first one speaks */

	if (__atomic_exchange_n(&panicking, true, __ATOMIC_SEQ_CST))
		machine_halt();
	watchdog_stop();
	smp_stop_others();
	console_break_lock();
	log_error("****************************************");
	log_error("Panic: %s", text);
	if (regs)
		crash_print(regs);
	crash_print_others();
	log_error("****************************************");
	if (!boot_options.noreboot) {
		log_error("Restart in %u seconds; boot with 'noreboot' to keep this on the screen",
			  PANIC_PAUSE_MS / 1000);
		pause_ms(PANIC_PAUSE_MS);
		machine_reboot();
	}
	machine_halt();
}

void hv_panic(const char *fmt, ...)
{
	char text[PANIC_TEXT];
	va_list ap;

	irq_disable();
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	panic(NULL, text);
}

void hv_panic_at(const struct cpu_user_regs *regs, const char *fmt, ...)
{
	char text[PANIC_TEXT];
	va_list ap;

	irq_disable();
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	panic(regs, text);
}
