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
/* boot/smp_start.c: the numbers of @cpu, which is online once smp_count_cpu() counted it. */
void smp_name_cpu(unsigned int cpu, u32 apic_id, u32 acpi_id);
void smp_count_cpu(void);
/* The stack area of @cpu at its place: @ma, of STACK_SIZE bytes. */
void smp_map_stack(unsigned int cpu, maddr_t ma);
/* pagetable.c: the boot CPU's stack area at its place among the others. */
void smp_map_boot_stack(void);

#endif
