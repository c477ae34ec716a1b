/* SPDX-License-Identifier: MIT */
/*
 * machine.h - what the upper floors may ask of the machine. Each block names the file behind it.
 */
#ifndef HV_X86_MACHINE_H
#define HV_X86_MACHINE_H

#include "lib/types.h"
#include "x86/pci.h"

#include <xen/xen.h>

struct domain;
struct tlb_space;
struct vcpu;

/* --- softirq.c --- */
enum softirq { SOFTIRQ_TIMER, SOFTIRQ_SCHEDULE, SOFTIRQ_WATCHDOG, SOFTIRQ_NR };
/* Boot: @fn does what @nr stands for, with the hypervisor lock held. */
void softirq_handle(enum softirq nr, void (*fn)(void));
void softirq_raise(enum softirq nr);
/* The same on CPU @cpu (online), which is interrupted for it. */
void softirq_raise_on(unsigned int cpu, enum softirq nr);
bool softirq_is_pending(void);
/* Runs the pending ones until none is left. Hypervisor lock
 * held. */
void softirq_process(void);
/* Waits for an interrupt with interrupts enabled; returns with them off, softirqs maybe pending.
 * Without the hypervisor lock. */
void cpu_idle_wait(void);
/* Takes the interrupts that wait, then goes on with them off: at preemption points of long
 * operations. */
void irq_window(void);

/* --- clock.c: TSC-based, calibrated against the PIT or HPET at boot --- */
s_time_t now_ns(void);
/* Parameters for vcpu_time_info: ns = ((tsc - tsc_base) << shift or >> -shift) * mul >> 32 +
 * ns_base. */
struct clock_params {
	u64 tsc_base, ns_base;
	u32 mul;
	s8 shift;
	u64 tsc_khz;
};
void clock_get_params(struct clock_params *out);
/* Seconds and ns of wall time at now_ns() == 0 (CMOS at boot; XENPF_settime64 later). */
void clock_get_wall(u64 *sec, u32 *nsec);
void clock_set_wall(u64 sec, u32 nsec, u64 system_time_ns);
/* --- apic.c --- */
/* Programs the local APIC timer for an absolute deadline; <= 0: stop. Fires SOFTIRQ_TIMER. */
void apic_timer_set(s_time_t deadline_ns);

/* --- irq.c, ioapic.c: device interrupts, all for dom0; gsi is validated here --- */
#define GSI_LIMIT 256
/* Who takes device interrupts. */
struct irq_guest {
	bool (*raise)(unsigned int gsi);	/* false: nobody listens */
	unsigned int (*cpu)(unsigned int gsi);	/* where it is handled; NO_CPU: anywhere */
};
/* Boot: before the first gsi_bind_guest(). */
void irq_set_guest(const struct irq_guest *guest);
unsigned int gsi_count(void);
/*
 * Interrupts by message have numbers from gsi_count() on, and the gsi_ functions take them too, but
 * for gsi_setup().
 */
bool gsi_is_msi(unsigned int gsi);
/* Debug key: a line of the log for each that is bound. */
void irq_print(void);
/* Sets trigger and polarity before first use. 0; -EEXIST already in use with the same; -EBUSY
 * different; -EINVAL. */
int gsi_setup(unsigned int gsi, bool level, bool active_low);
/* Starts delivery: unmasks; each interrupt is raised by irq_set_guest()'s. -EBUSY bound,
 * -EINVAL (hypervisor's own: timer, serial console). */
int gsi_bind_guest(unsigned int gsi);
void gsi_unbind_guest(unsigned int gsi);
/* The guest finished handling (PHYSDEVOP_eoi, or the eoi of an unmask): re-opens a level line. */
void gsi_guest_eoi(unsigned int gsi);
/* Level-triggered: the guest must EOI. */
bool gsi_needs_eoi(unsigned int gsi);
/* --- msi.c: dom0 is trusted to name its own devices --- */
struct msi_request {
	struct pci_device dev; /* of segment 0 */
	unsigned int entry;    /* of the MSI-X table */
	maddr_t table_base;    /* the BAR that holds the table; 0: plain MSI */
};
/*
 * A number, in *@line, for a message of a device, closed until bound. -ENODEV: no such capability;
 * -EINVAL: no such entry, or the table is elsewhere; -EBUSY: has one already; -ENXIO: the device's
 * memory is off; -ENOSPC; -ENOMEM.
 */
int msi_map(const struct msi_request *req, unsigned int *line);
void msi_unmap(unsigned int line);
/* Writes all messages of @dev again, after a sleep or a reset. */
void msi_restore(struct pci_device dev);

/* --- ioapic.c --- */
/* PHYSDEVOP_apic_read/write of dom0: register @reg of the IO-APIC at physical @base. -EINVAL. */
int ioapic_guest_read(u64 base, u32 reg, u32 *value);

/* --- acpi.c --- */
/*
 * Enters S5 with the values dom0 gives (XENPF_enter_acpi_sleep). -EINVAL: no such state; -EOPNOTSUPP:
 * one to wake from, which no CPU or guest would survive; -ENODEV.
 */
int acpi_enter_sleep(u16 pm1a_val, u16 pm1b_val, u8 sleep_state);
/* --- shutdown.c --- */
void machine_reboot(void) __attribute__((noreturn));
void machine_halt(void) __attribute__((noreturn));
void machine_power_off(void)
	__attribute__((noreturn)); /* via ACPI S5 from the FADT/DSDT-less default, else halt */

/* --- watchdog.c --- */
bool watchdog_is_on(void);
/* This CPU came out of the hypervisor. */
void watchdog_softirq(void);

/* --- uart.c, log.c: console --- */
/* dom0's output (console_io write) to the serial line and the ring; @len raw bytes, hypervisor
 * memory. */
void console_write_guest(domid_t domid, const char *buf, size_t len);
/* Who is told of typed keys. */
struct console_reader {
	bool (*debug_key)(char key); /* one for the hypervisor itself */
	void (*arrived)(void);	     /* console_read() has something */
};
/* Boot: before uart_irq_enable(). */
void console_set_reader(const struct console_reader *reader);
/* Bytes typed on the serial line and not yet read. */
size_t console_read(char *buf, size_t len);
/* Console ring for XEN_SYSCTL_readconsole: copies from free-running index *@idx (adjusted if
 * overrun). */
size_t conring_read(char *buf, size_t len, u32 *idx);
void conring_clear(void);

/* --- pagetable.c --- */
/* L4 entries 256..271 common to every page table (per-domain slot empty). */
extern u64 *hv_l4;
/*
 * Uncached; page granular; never unmapped. NULL: no addresses, or no memory for a table, are left.
 */
void *ioremap(maddr_t ma, size_t len);
/* --- tlb.c --- */
void tlb_flush_local_all(void); /* this CPU, global entries too */
void tlb_flush_local_va(unsigned long va);
u32 tlb_clock(void); /* stamp for frame.stamp, after the last mapping of it was removed */
/*
 * The rest needs the hypervisor lock, and returns when all named CPUs have flushed. @mask: a bit
 * an online CPU, this one possibly among them.
 */
void tlb_flush_cpus(u64 mask);
void tlb_flush_va(u64 mask, unsigned long va);
/* @s: of a new domain, of which no TLB holds anything. */
void tlb_space_init(struct tlb_space *s);
/* The owner of @s lost a frame, of which no entry of its tables is left. */
void tlb_note_released(struct tlb_space *s);
/* An entry of the tables of @s named another owner's frame, and is gone. Before the frame is let go. */
void tlb_note_foreign(struct tlb_space *s);
/*
 * Flushes the CPUs that may hold a translation of a frame of @owner's from before @stamp, when its last type reference
 * was dropped: those that run the owner, and those whose domain let go of a foreign frame since they last flushed.
 * @owner NULL: whose it is is not known, and all CPUs count that did not flush since @stamp.
 */
void tlb_flush_stale(const struct tlb_space *owner, u32 stamp);
/* The same of a frame given back at @stamp, by whomever: those CPUs whose domain lost one, or let go of one, since. */
void tlb_flush_released(u32 stamp);

/* --- desc.c --- */
/* Loads GDTR for the window at @gdt_va and the TSS; called at vcpu switch-in. */
void desc_load_gdt(unsigned long gdt_va);
void desc_load_ldt(unsigned long ldt_va, u32 nr_entries); /* 0 entries: none */
/* Machine frame of CPU @cpu's GDT page (index 14 of the window of the vcpu it runs). */
mfn_t desc_hv_gdt_mfn(unsigned int cpu);
/* Back to the CPU's own page, without LDT: before the tables that map a window are left. */
void desc_load_own(void);
/* True for IO ports the hypervisor keeps from dom0 (its UART, PIC, PIT channel 0, ...) */
bool ioport_is_hv(u16 port, unsigned int len);
/* True for MMIO frames the hypervisor keeps (LAPIC, IO-APICs). */
bool mmio_is_hv(mfn_t mfn);

/* --- cpu facts (cpu.c) --- */
extern char cpu_vendor[13];
extern unsigned int cpu_maxphys_bits;
extern bool cpu_has_xsave, cpu_has_fsgsbase, cpu_has_nx;

#endif
