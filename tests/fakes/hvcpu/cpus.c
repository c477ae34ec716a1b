/* SPDX-License-Identifier: MIT */
/* cpus.c - the fake CPUs' state (x86/percpu.h and x86/lock.h of this folder). */
#include "x86/lock.h"
#include "x86/probe.h"
#include "x86/smp.h"

struct cpu_info fake_cpus[NR_CPUS];
unsigned int fake_cpu_id, fake_nr_cpus = 1;
int fake_lock_depth;
bool fake_lock_is_wanted;

unsigned int smp_nr_cpus(void)
{
	return fake_nr_cpus;
}

u64 smp_cpu_mask(void)
{
	return (1ULL << fake_nr_cpus) - 1;
}

u32 smp_apic_id(unsigned int cpu)
{
	return cpu * 2;
}

u32 smp_acpi_id(unsigned int cpu)
{
	return cpu;
}

/* --- x86/probe.c, which is off --- */
bool probe_is_on;

void probe_interrupt(void)
{
}

void probe_hypercall(u64 nr, u64 op)
{
}

void probe_operation(u64 op)
{
}

void probe_forget(void)
{
}

void probe_restart(void)
{
}

void probe_print(const char *(*call_name)(u64 nr))
{
}
