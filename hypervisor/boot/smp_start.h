/* SPDX-License-Identifier: MIT */
/* smp_start.h - steps of the boot list for the other CPUs. */
#ifndef HV_BOOT_SMP_START_H
#define HV_BOOT_SMP_START_H

/* Starts all other CPUs the firmware names; each halts until smp_release(), then goes to
 * sched_start_cpu(). */
void smp_init(void);
/* dom0 is ready, they may run. */
void smp_release(void);

#endif
