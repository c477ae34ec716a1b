/* SPDX-License-Identifier: MIT */
/*
 * smp.c - the table of CPUs, and their stack areas; each CPU's own fields are in its struct
 * cpu_info. boot/smp_start.c starts them; what they ask of each other is smp_request.c's.
 */
#include "x86/smp.h"

#include "x86/apic.h"
#include "x86/asm.h"
#include "x86/layout.h"
#include "x86/pagetable.h"
#include "x86/pte.h"

#define STOP_SPINS 1000000

static struct {
	u32 apic_id, acpi_id;
} cpus[NR_CPUS];
static unsigned int nr_cpus = 1; /* fixed after boot */
static bool is_stopping;

unsigned int smp_nr_cpus(void)
{
	return nr_cpus;
}

u64 smp_cpu_mask(void)
{
	return (1ULL << nr_cpus) - 1;
}

u32 smp_apic_id(unsigned int cpu)
{
	return cpus[cpu].apic_id;
}

u32 smp_acpi_id(unsigned int cpu)
{
	return cpus[cpu].acpi_id;
}

bool smp_is_stopping(void)
{
	return __atomic_load_n(&is_stopping, __ATOMIC_ACQUIRE);
}

void smp_stop_others(void)
{
	if (nr_cpus == 1 || __atomic_exchange_n(&is_stopping, true, __ATOMIC_SEQ_CST))
		return;
	apic_send_nmi_to_others();
	for (unsigned int i = 0; i < STOP_SPINS; i++)
		cpu_relax();
}

void smp_name_cpu(unsigned int cpu, u32 apic_id, u32 acpi_id)
{
	cpus[cpu].apic_id = apic_id;
	cpus[cpu].acpi_id = acpi_id;
}

void smp_count_cpu(void)
{
	nr_cpus++;
}

/* All but the guard page. */
void smp_map_stack(unsigned int cpu, maddr_t ma)
{
	unsigned long va = CPU_STACKS_START + cpu * STACK_SIZE;

	for (unsigned long off = 0; off < STACK_SIZE; off += PAGE_SIZE)
		if (off != STACK_GUARD_OFFSET)
			pt_map(va + off, ma + off, PAGE_SIZE, PTE_RW | PTE_NX | PTE_G);
}

void smp_map_boot_stack(void)
{
	extern u8 cpu_stack[];

	smp_map_stack(0, (unsigned long)cpu_stack - IMAGE_START);
}
