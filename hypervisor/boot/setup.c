/* SPDX-License-Identifier: MIT */
/*
 * setup.c - the boot list: one call, one comment a line, in boot order. Runs once, on the boot CPU,
 * with interrupts off.
 */
#include "boot/boot.h"
#include "boot/bootmem.h"
#include "boot/multiboot2.h"
#include "boot/smp_start.h"
#include "boot/ucode_module.h"
#include "boot/upward.h"
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
#include "x86/ioapic.h"
#include "x86/layout.h"
#include "x86/lock.h"
#include "x86/mce.h"
#include "x86/pagetable.h"
#include "x86/percpu.h"
#include "x86/pic.h"
#include "x86/pte.h"
#include "x86/smp.h"
#include "x86/spec_ctrl.h"
#include "x86/stack_guard.h"
#include "x86/uart.h"
#include "x86/ucode.h"
#include "x86/watchdog.h"
#include "x86/xpti.h"

#define COM1_PORT 0x3f8
#define LARGE_PAGE (2UL << 20)

extern u8 image_start[], image_end[];

void boot_main(u32 magic, u32 mbi_phys) __attribute__((noreturn));

static struct boot_info info;

/* Copies what the loader said; from here on its structures may be overwritten. */
static void read_boot_info(u32 magic, u32 mbi_phys)
{
	const char *reason = NULL;

	uart_init(COM1_PORT, boot_options.com1_baud);
	if (!multiboot2_parse(magic, maddr_to_virt(mbi_phys), &info, &machine_e820, &reason))
		hv_panic("boot: %s", reason);
}

/* Options first, because they say how much is printed and at what speed. */
static void read_options(void)
{
	options_parse(&boot_options, info.cmdline);
	uart_init(COM1_PORT, boot_options.com1_baud);
	log_info("Storevisor %s, Xen ABI 4.17, starts", SV_VERSION);
	log_info("command line: %s", boot_options.cmdline);
	if (info.nr_modules == 0)
		hv_panic("boot: no dom0 kernel: give it to GRUB with 'module2 /boot/vmlinuz-...'");
}

static void reserve_boot_memory(void)
{
	e820_sanitise(&machine_e820, DIRECTMAP_SIZE);
	bootmem_reserve(IMAGE_PHYS, (u64)(image_end - image_start));
	for (unsigned int i = 0; i < info.nr_modules; i++)
		bootmem_reserve(info.module[i].start, info.module[i].len);
	log_info("memory: %lu MiB of RAM, highest byte %lx", e820_ram_bytes(&machine_e820) >> 20,
		 e820_ram_end(&machine_e820) - 1);
}

/* The frame table and the machine-to-physical array; guests see the second read-only. */
static void make_frame_tables(void)
{
	u64 nr = PFN_UP(e820_ram_end(&machine_e820));
	u64 m2p_len = ALIGN_UP(nr * sizeof(u64), LARGE_PAGE);
	maddr_t m2p = bootmem_alloc(m2p_len, LARGE_PAGE);
	maddr_t table = bootmem_alloc(nr * sizeof(struct frame), PAGE_SIZE);

	memset(maddr_to_virt(table), 0, nr * sizeof(struct frame));
	pt_map(M2P_RO_START, m2p, m2p_len, PTE_US | PTE_NX);
	frame_table_init(maddr_to_virt(table), maddr_to_virt(m2p), m2p_len, nr);
}

static void start_dom0(void)
{
	static const struct boot_module none;
	/* behind the kernel, unless that is microcode alone */
	unsigned int initrd = ucode_module(&info, &boot_options) == 1 ? 2 : 1;
	struct vcpu *v = dom0_build(&info.module[0],
				    initrd < info.nr_modules ? &info.module[initrd] : &none,
				    &info.video);

	domain_unpause_by_controller(v->domain); /* a new domain starts paused */
	vcpu_up(v);
}

/* The modules were copied into dom0: their memory goes to the heap. */
static void free_modules(void)
{
	for (unsigned int i = 0; i < info.nr_modules; i++) {
		maddr_t start = ALIGN_UP(info.module[i].start, PAGE_SIZE);
		maddr_t end = ALIGN_DOWN(info.module[i].start + info.module[i].len, PAGE_SIZE);

		if (start < end)
			page_alloc_add(maddr_to_mfn(start), maddr_to_mfn(end));
	}
	log_info("memory: %lu MiB free for guests", page_alloc_free_frames() >> (20 - PAGE_SHIFT));
}

static void *boot_page(void)
{
	return maddr_to_virt(bootmem_alloc(PAGE_SIZE, PAGE_SIZE));
}

static void *heap_page(void)
{
	return xen_pages_alloc(0);
}

void boot_main(u32 magic, u32 mbi_phys)
{
	stack_guard_init();		 /* what lies below return addresses from here on */
	this_cpu()->hv_cr3 = read_cr3(); /* what a fault of the hypervisor's is handled on */
	read_boot_info(magic, mbi_phys); /* command line, modules, memory map */
	read_options();			 /* and say hello */
	reserve_boot_memory();		 /* RAM that is in use already */
	desc_init();			 /* GDT, IDT, TSS: faults are handled from here on */
	ucode_find(&info, &boot_options); /* newer than the firmware's */
	if (!ucode_load())		 /* before anybody looks what the CPU can do */
		ucode_set(NULL, 0);
	cpu_init();			 /* features, control registers; some may fault */
	pt_set_pages(boot_page);	 /* before there is a heap */
	xpti_is_on = spec_plan.xpti;	 /* no global mappings then */
	pagetable_init();		 /* direct map, image with its rights, this CPU's stack */
	bootmem_mapped(DIRECTMAP_SIZE);	 /* the tables of much RAM have no room below 4 GiB */
	make_frame_tables();		 /* who owns which frame */
	bootmem_close();		 /* the rest of RAM is the heap */
	pt_set_pages(heap_page);	 /* which gives page tables, too */
	xpti_init(spec_plan.xpti);	 /* guests' tables of this CPU */
	spec_ctrl_report();		 /* faults of this CPU, and what is done */
	upward_init();			 /* whom the machine tells what happens */
	acpi_init(info.efi_system_table); /* where the devices of the next lines are */
	pic_disable();			 /* the IO-APIC delivers instead */
	mce_init();			 /* broken hardware is reported */
	apic_init();			 /* interrupts of this CPU */
	ioapic_init();			 /* device interrupts, all masked */
	clock_init();			 /* system time, the timer, wall time */
	uart_measure();
	fpu_init();			 /* what guests may use */
	sched_init();			 /* run queues */
	hv_lock();			 /* what follows is seen by all CPUs */
	smp_init();			 /* the other CPUs, which halt for now */
	pt_check_rights();		 /* code is not written, data is not executed */
	start_dom0();			 /* the first domain */
	free_modules();			 /* kernel and initrd as loaded by GRUB */
	uart_irq_enable();		 /* keys typed on the serial line reach dom0 */
	watchdog_init();		 /* notices a CPU that hangs */
	smp_release();			 /* the other CPUs look for work */
	sched_start_cpu();		 /* and never come back */
}
