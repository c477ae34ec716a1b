/* SPDX-License-Identifier: MIT */
/*
 * smp.h - the CPUs of the machine: how many run, and how one asks something of others.
 */
#ifndef HV_X86_SMP_H
#define HV_X86_SMP_H

#include "lib/types.h"

/* CPUs 0 .. n-1 are online; fixed after smp_init(). */
unsigned int smp_nr_cpus(void);
/* A bit for each of them. */
u64 smp_cpu_mask(void);
/* Local APIC number of an online CPU, and its number in ACPI's tables. */
u32 smp_apic_id(unsigned int cpu);
u32 smp_acpi_id(unsigned int cpu);

/* What one CPU may ask of another. */
enum cpu_request {
	CPU_REQUEST_FLUSH,  /* drop all translations a guest can have made */
	CPU_REQUEST_INVLPG, /* drop those of one page */
	CPU_REQUEST_CACHE,  /* write back the caches */
};

/*
 * Asks the CPUs in @mask (not this one) and waits until each has done it. Call with the hypervisor
 * lock held: a CPU that spins for it serves requests, as does one that runs a guest or idles.
 * @va: of CPU_REQUEST_INVLPG.
 */
void smp_request(u64 mask, enum cpu_request what, unsigned long va);
/* Does what was asked of this CPU: from the interrupt, and while it spins for the lock. */
void smp_serve_requests(void);
/* Makes another CPU leave its guest, or its sleep, to look at its softirqs and events. */
void smp_kick(unsigned int cpu);
/* Panic, power-off: no other CPU does anything any more. Waits a moment for them. */
void smp_stop_others(void);
/* True once smp_stop_others() was called: this CPU's NMI means "stop". */
bool smp_is_stopping(void);
/* Boot list: starts all other CPUs the firmware names; each halts until smp_release(), then goes to
 * sched_start_cpu(). */
void smp_init(void);
/* Boot list: dom0 is ready, they may run. */
void smp_release(void);

#endif
