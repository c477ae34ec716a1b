/* SPDX-License-Identifier: MIT */
/* acpi.h - what the firmware's tables say, and the states they let one enter (acpi.c). */
#ifndef HV_X86_ACPI_H
#define HV_X86_ACPI_H

#include "lib/types.h"

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

/* Boot: finds the tables, copies what the rest needs. @efi: UEFI's system table; 0: a BIOS. */
void acpi_init(maddr_t efi);
/* ACPI's root pointer, found by acpi_init(); 0: none. */
extern maddr_t boot_rsdp;
bool acpi_power_off(void); /* false: no ACPI */
void acpi_reset(void);	   /* returns when the firmware offers none */
/*
 * Enters S5 with the values dom0 gives (XENPF_enter_acpi_sleep). -EINVAL: no such state;
 * -EOPNOTSUPP: one to wake from, which no CPU or guest would survive; -ENODEV.
 */
int acpi_enter_sleep(u16 pm1a_val, u16 pm1b_val, u8 sleep_state);

#endif
