/* SPDX-License-Identifier: MIT */
/* watchdog.h - NMIs that notice a CPU which never leaves the hypervisor (watchdog.c). */
#ifndef HV_X86_WATCHDOG_H
#define HV_X86_WATCHDOG_H

#include "lib/types.h"

struct cpu_user_regs;

/* Boot: on, when asked for and this machine can. */
void watchdog_init(void);
/* An NMI at @regs. True: it was the watchdog's. */
bool watchdog_tick(const struct cpu_user_regs *regs);
/* The machine ends in an orderly way, which may take longer. */
void watchdog_stop(void);
bool watchdog_is_on(void);
/* This CPU came out of the hypervisor. */
void watchdog_softirq(void);

#endif
