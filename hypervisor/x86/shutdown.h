/* SPDX-License-Identifier: MIT */
/* shutdown.h - the ends of the machine (shutdown.c). */
#ifndef HV_X86_SHUTDOWN_H
#define HV_X86_SHUTDOWN_H

struct cpu_user_regs;

void machine_reboot(void) __attribute__((noreturn));
void machine_halt(void) __attribute__((noreturn));
/* By ACPI's S5, else as machine_halt(). */
void machine_power_off(void) __attribute__((noreturn));
/* hv_panic() with crash_print(@regs) and where the other CPUs were. */
void hv_panic_at(const struct cpu_user_regs *regs, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

#endif
