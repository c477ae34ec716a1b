/* SPDX-License-Identifier: MIT */
/*
 * smp_start.c - starts the other CPUs: each runs a few bytes of real mode (head.S), sets itself up
 * and waits for dom0 to be ready. Source: Intel SDM vol. 3, chapters 8.4 and 10.6.
 */
#include "boot/smp_start.h"

#include "domain/domain.h"
#include "domain/fpu.h"
#include "lib/boot_options.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/asm.h"
#include "x86/clock.h"
#include "x86/cpu.h"
#include "x86/desc.h"
#include "x86/e820.h"
#include "x86/layout.h"
#include "x86/lock.h"
#include "x86/mce.h"
#include "x86/pagetable.h"
#include "x86/percpu.h"
#include "x86/smp.h"
#include "x86/tlb.h"
#include "x86/ucode.h"
#include "x86/xpti.h"

#define LOW_MEMORY_END 0xa0000UL /* a started CPU begins below it, in real mode */
#define START_TIMEOUT_NS 1000000000LL
#define INIT_DELAY_NS 10000000LL
#define STARTUP_DELAY_NS 200000LL

static bool is_released;

/* Read by the assembly of a starting CPU; one starts at a time. */
u64 ap_cr3, ap_stack;
static unsigned int ap_online; /* CPUs that reached C, the boot CPU among them */

void ap_main(void) __attribute__((noreturn));
extern const u8 ap_trampoline[], ap_trampoline_end[];

/* A page of real-mode memory that nobody uses while the hypervisor boots. */
static maddr_t trampoline_page(void)
{
	maddr_t best = 0;

	for (unsigned int i = 0; i < machine_e820.nr; i++) {
		const struct e820_entry *e = &machine_e820.entry[i];
		maddr_t end = ALIGN_DOWN(MIN(e->addr + e->size, LOW_MEMORY_END), PAGE_SIZE);

		if (e->type == E820_RAM && e->addr < LOW_MEMORY_END &&
		    end >= e->addr + PAGE_SIZE && end - PAGE_SIZE > best)
			best = end - PAGE_SIZE;
	}
	return best;
}

static void wait_ns(s_time_t ns)
{
	s_time_t end = now_ns() + ns;

	while (now_ns() < end)
		cpu_relax();
}

static bool has_come(unsigned int cpu, s_time_t timeout_ns)
{
	s_time_t end = now_ns() + timeout_ns;

	while (__atomic_load_n(&ap_online, __ATOMIC_ACQUIRE) <= cpu)
		if (now_ns() > end)
			return false;
		else
			cpu_relax();
	return true;
}

/* Gives @cpu a stack area and sends it to the page at @trampoline. */
static bool start_one(unsigned int cpu, maddr_t trampoline)
{
	u8 *area = xen_pages_alloc(STACK_ORDER);
	void *gdt = xen_pages_alloc(0);

	if (!area || !gdt) {
		log_error("smp: no memory for CPU %u", cpu);
		return false;
	}
	desc_give_page(cpu, gdt);
	smp_map_stack(cpu, virt_to_maddr(area));
	cpu_info_of(cpu)->cpu_id = cpu;
	if (!xpti_cpu_init(cpu)) {
		log_error("smp: no memory for the tables of CPU %u", cpu);
		return false;
	}
	cpu_info_of(cpu)->hv_cr3 = virt_to_maddr(hv_l4);
	ap_cr3 = virt_to_maddr(hv_l4);
	ap_stack = (u64)(uintptr_t)cpu_info_of(cpu) - 8;
	apic_send_init(smp_apic_id(cpu));
	wait_ns(INIT_DELAY_NS);
	for (unsigned int tries = 0; tries < 2; tries++) {
		apic_send_startup(smp_apic_id(cpu), (u8)(trampoline >> PAGE_SHIFT));
		if (has_come(cpu, tries ? START_TIMEOUT_NS : STARTUP_DELAY_NS))
			return true;
	}
	/* It may still come, to halt in ap_main(): its area stays. */
	log_error("smp: the CPU with APIC id %u does not start", smp_apic_id(cpu));
	return false;
}

/* First C of a started CPU, on its own stack; interrupts off. */
void ap_main(void)
{
	unsigned int cpu = this_cpu_id();

	desc_init();
	/* What the boot CPU has found in itself is used on all of them, on the very way in. */
	if (!ucode_load())
		for (;;)
			__asm__ volatile("cli; hlt");
	cpu_init();
	mce_init();
	apic_init();
	fpu_init();
	apic_timer_start();
	tlb_flush_local_all();
	__atomic_store_n(&ap_online, cpu + 1, __ATOMIC_RELEASE);
	while (!__atomic_load_n(&is_released, __ATOMIC_ACQUIRE))
		__asm__ volatile("sti; hlt; cli" ::: "memory");
	/* After start_one() gave it up: nobody counts it, so nobody would ask it to flush. */
	while (cpu >= smp_nr_cpus())
		__asm__ volatile("cli; hlt");
	hv_lock();
	sched_start_cpu();
}

void smp_release(void)
{
	__atomic_store_n(&is_released, true, __ATOMIC_SEQ_CST);
	for (unsigned int i = 1; i < smp_nr_cpus(); i++)
		smp_kick(i);
}

static u32 acpi_id_of(u32 id)
{
	for (unsigned int i = 0; i < acpi_facts.nr_cpus; i++)
		if (acpi_facts.cpu[i].apic_id == id)
			return acpi_facts.cpu[i].acpi_id;
	return 0;
}

/* One that does not come may yet: its place is not used again, and no other is tried. */
static void start_others(maddr_t trampoline)
{
	unsigned int wanted = MIN(boot_options.max_cpus ? boot_options.max_cpus : NR_CPUS,
				  (unsigned int)NR_CPUS);

	for (unsigned int i = 0; i < acpi_facts.nr_cpus && smp_nr_cpus() < wanted; i++) {
		unsigned int cpu = smp_nr_cpus();

		if (acpi_facts.cpu[i].apic_id == smp_apic_id(0))
			continue;
		smp_name_cpu(cpu, acpi_facts.cpu[i].apic_id, acpi_facts.cpu[i].acpi_id);
		if (!start_one(cpu, trampoline))
			return;
		smp_count_cpu();
	}
}

void smp_init(void)
{
	maddr_t page = trampoline_page();
	u8 *copy = page ? ioremap(page, PAGE_SIZE) : NULL;

	smp_name_cpu(0, apic_id(), acpi_id_of(apic_id()));
	ap_online = 1;
	if (!copy) {
		log_error("smp: no memory below 640 KiB: the other CPUs stay off");
		return;
	}
	memcpy(copy, ap_trampoline, (size_t)(ap_trampoline_end - ap_trampoline));
	start_others(page);
	log_info("smp: %u CPUs", smp_nr_cpus());
}
