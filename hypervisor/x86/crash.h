/* SPDX-License-Identifier: MIT */
/* crash.h - what the machine was doing when it had to stop (crash.c). */
#ifndef HV_X86_CRASH_H
#define HV_X86_CRASH_H

#include "lib/types.h"

struct cpu_user_regs;
struct vcpu;

/*
 * What this CPU was doing at @regs: its vcpu, registers, return addresses on its stack.
 * The console must be free for this CPU.
 */
void crash_print(const struct cpu_user_regs *regs);
/* Boot: @fn says which vcpu is meant. */
void crash_set_namer(void (*fn)(const struct vcpu *v, char *buf, size_t size));
/* From the NMI that stops this CPU: kept for the CPU that reports. */
void crash_note(const struct cpu_user_regs *regs);
/* The notes of all stopped CPUs. */
void crash_print_others(void);

#endif
