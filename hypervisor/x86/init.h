/* SPDX-License-Identifier: MIT */
/*
 * init.h - what boot/ and the files of x86/ ask of each other; nothing here is for upper floors.
 */
#ifndef HV_X86_INIT_H
#define HV_X86_INIT_H

#include <xen/xen.h>

#include "lib/types.h"

struct vcpu;

/* irq.c: an interrupt vector (>= 32) arrived. */
void irq_dispatch(u8 vector);
/* Vector of the hypervisor's own device interrupts. */
#define VECTOR_TIMER 0xf0
#define VECTOR_KICK 0xf1    /* leave the guest: a softirq or an event is there */
#define VECTOR_REQUEST 0xf2 /* smp.c: serve what is in cpu_info.requests */
#define VECTOR_ERROR 0xfe
#define VECTOR_SPURIOUS 0xff

/* The boot list's steps, in order of use (boot/setup.c). */
/* Those up to apic_init() and fpu_init() also run on every CPU smp_init() starts. */
void desc_init(void);	    /* desc.c: needs struct cpu_info's hv_cr3 */
/* cpu.c: facts, control registers; needs desc_init(), because a register may not be there. */
void cpu_init(void);
void pagetable_init(void);  /* pagetable.c: final page tables, W^X; needs e820, pt_set_pages() */
/* acpi.c: finds the tables, copies what the rest needs. @efi: UEFI's system table; 0: a BIOS. */
void acpi_init(maddr_t efi);
void pic_disable(void);	    /* pic.c */
void apic_init(void);	    /* apic.c: local APIC enabled, timer stopped */
void ioapic_init(void);	    /* ioapic.c: all pins masked */
void clock_init(void);	    /* clock.c: calibrates TSC and APIC timer, reads the CMOS clock */
void uart_irq_enable(void); /* uart.c: receive interrupt */

/* apic.c */
void apic_eoi(void);
u32 apic_id(void);
void apic_timer_start_raw(u32 count);
u32 apic_timer_read_raw(void);
/* Ticks a second, found by clock_init(). */
void apic_timer_set_khz(u64 khz);
/* On every CPU, once the ticks are known: lets the timer interrupt. */
void apic_timer_start(void);
/* Interrupts between CPUs, by APIC id. */
void apic_send(u32 apic_id, u8 vector);
void apic_send_init(u32 apic_id);
/* @page: number of the real-mode page to start at. */
void apic_send_startup(u32 apic_id, u8 page);
void apic_send_nmi_to_others(void);

/* smp.c: the boot CPU's stack area at its place among the others. */
void smp_map_boot_stack(void);
/* desc.c: @page, zeroed, of the heap, is @cpu's descriptor table. */
void desc_give_page(unsigned int cpu, void *page);
/*
 * Calls @map(@l4, address, bytes) for what the CPU reads by itself when a guest is interrupted.
 * False: one of them was.
 */
bool desc_map_entry(unsigned int cpu, u64 *l4, bool (*map)(u64 *l4, unsigned long va, size_t len));

/* Where a device interrupt goes. */
struct irq_route {
	u32 apic_id;
	u8 vector;
	bool level, active_low; /* lines of the IO-APIC only */
	bool masked;
};

/* ioapic.c */
unsigned int ioapic_pins(void); /* GSIs covered: 0 .. n-1 */
void ioapic_set_pin(unsigned int gsi, const struct irq_route *r);
/* Only the CPU changes that gets @gsi's interrupts. */
void ioapic_set_cpu(unsigned int gsi, u32 apic_id);
/* An edge on @gsi becomes an NMI on every CPU. */
void ioapic_set_nmi_pin(unsigned int gsi);
void ioapic_mask(unsigned int gsi, bool masked);
bool ioapic_owns_frame(mfn_t mfn);

/* efi.c: ACPI's root pointer by UEFI's system table at @system_table. 0: it names none. */
maddr_t efi_find_rsdp(maddr_t system_table);

/*
 * crash.c: what this CPU was doing at @regs: its vcpu, registers, return addresses on its stack.
 * The console must be free for this CPU.
 */
void crash_print(const struct cpu_user_regs *regs);
/* Boot: @fn says which vcpu is meant. */
void crash_set_namer(void (*fn)(const struct vcpu *v, char *buf, size_t size));
/* From the NMI that stops this CPU: kept for the CPU that reports. */
void crash_note(const struct cpu_user_regs *regs);
/* The notes of all stopped CPUs. */
void crash_print_others(void);
/* shutdown.c: hv_panic() with crash_print(@regs) and where the other CPUs were. */
void hv_panic_at(const struct cpu_user_regs *regs, const char *fmt, ...)
	__attribute__((format(printf, 2, 3), noreturn));

/* nmi.c, mce.c: what traps.c does with these two. */
void nmi_handle(const struct cpu_user_regs *regs);
void mce_handle(const struct cpu_user_regs *regs) __attribute__((noreturn));
/* On every CPU: machine checks are reported. */
void mce_init(void);

/* watchdog.c, boot list: on, when asked for and this machine can. */
void watchdog_init(void);
/* An NMI at @regs. True: it was the watchdog's. */
bool watchdog_tick(const struct cpu_user_regs *regs);
/* The machine ends in an orderly way, which may take longer. */
void watchdog_stop(void);

/* irq.c: a number for an interrupt by message, as a GSI above the IO-APICs'. -ENOSPC. */
int irq_line_alloc(unsigned int *line);
void irq_line_free(unsigned int line);
/* Its device lost its settings: writes the message again. */
void irq_line_restore(unsigned int line);
/* msi.c, for irq.c: the message of @line (of msi_map()). */
void msi_write(unsigned int line, const struct irq_route *r);
void msi_mask(unsigned int line, bool masked);

/* irq.c: a device of the hypervisor itself on ISA interrupt @irq. */
void irq_claim_isa(unsigned int irq, void (*handler)(void));

/* acpi.c: facts from the tables. */
#define ACPI_MAX_IOAPICS 8
#define ACPI_MAX_CPUS 64
struct acpi_facts {
	maddr_t lapic;
	unsigned int nr_cpus; /* usable ones */
	struct {
		u32 apic_id, acpi_id;
	} cpu[ACPI_MAX_CPUS];
	unsigned int nr_ioapics;
	struct {
		maddr_t base;
		u32 gsi_base;
	} ioapic[ACPI_MAX_IOAPICS];
	struct {
		u32 gsi;
		bool level, active_low;
	} isa[16];
	maddr_t hpet; /* 0: none */
	u16 pm1a_cnt, pm1b_cnt;
	u8 s5_a, s5_b; /* SLP_TYP values for S5 */
	bool has_reset;
	u8 reset_space, reset_value;
	u64 reset_addr;
};
extern struct acpi_facts acpi_facts;

/* ACPI's root pointer, found by acpi_init(); 0: none. */
extern maddr_t boot_rsdp;
bool acpi_power_off(void); /* false: no ACPI */
void acpi_reset(void);	   /* returns when the firmware offers none */

/* cmos.c: seconds since 1970 by the battery clock (taken as UTC). */
u64 cmos_read_seconds(void);

/* uart.c: polled output, bounded in time. */
void uart_init(u16 port, u32 baud);
void uart_write(const char *buf, size_t len);
u16 uart_port(void); /* 0: none */
/* console.c: a byte typed on the serial line. */
void console_input(char c);
/* The machine stops: lines go out whoever held the lock. */
void console_break_lock(void);

/* pagetable.c: @flags: PTE_* of pte.h; present always, levels are chosen by alignment. */
/* Where tables come from: a page in the direct map, NULL when there is none. */
void pt_set_pages(void *(*new_page)(void));
/* One of those, zeroed. NULL: the heap is empty; not while the machine boots. */
void *pt_page(void);
void pt_map(unsigned long va, maddr_t ma, u64 len, u64 flags);
/*
 * The same in another level-4 table than the hypervisor's own. False: no memory for a table; what
 * was mapped until then stays.
 */
bool pt_map_in(u64 *l4, unsigned long va, maddr_t ma, u64 len, u64 flags);
/* Where the hypervisor's 4 KiB page at @va is. False: none, or a larger one. */
bool pt_lookup(unsigned long va, maddr_t *ma);

#endif
