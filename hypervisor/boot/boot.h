/* SPDX-License-Identifier: MIT */
/* boot.h - what the boot loader gave us, and the steps of the boot list (boot/setup.c). */
#ifndef HV_BOOT_BOOT_H
#define HV_BOOT_BOOT_H

#include "lib/types.h"

#define E820_RAM 1
#define E820_RESERVED 2
#define E820_ACPI 3
#define E820_NVS 4
#define E820_UNUSABLE 5

struct e820_entry {
	u64 addr, size;
	u32 type;
} __attribute__((packed)); /* as XENMEM_machine_memory_map returns it */

struct e820_map {
	unsigned int nr;
	struct e820_entry entry[128];
};
extern struct e820_map machine_e820; /* fixed after boot; also given to dom0 */

struct boot_module {
	maddr_t start;
	u64 len;
	const char *cmdline;
};

enum nmi_action { NMI_REPORT, NMI_FATAL, NMI_IGNORE };
enum option_choice { OPTION_DEFAULT, OPTION_ON, OPTION_OFF };

/* Command line of the hypervisor, parsed (boot/options.c): unknown ones are warned about by name.
 */
struct boot_options {
	u64 dom0_mem_bytes;	     /* 0: all but a reserve */
	unsigned int dom0_max_vcpus; /* 0: as many as CPUs */
	unsigned int max_cpus;	     /* 0: all of the machine */
	bool noreboot;
	enum nmi_action nmi; /* what follows one that nobody asked for */
	enum option_choice watchdog; /* off by default */
	unsigned int watchdog_timeout; /* seconds */
	enum option_choice smep, smap; /* default: where the CPU has it and it works (x86/cpu.c) */
	enum option_choice x2apic; /* default: where the CPU has it */
	int log_level; /* enum log_level */
	int guest_log_level;
	u32 com1_baud;
	bool console_com1, console_vga;
	char cmdline[1024]; /* whole, for XENVER_commandline */
};
extern struct boot_options boot_options;

/* Address of ACPI's root pointer, found by acpi_init(); 0: none. */
extern maddr_t boot_rsdp;

/* Builds dom0 from the two modules (initrd.len 0: none) and returns its vcpu 0, ready to be
 * unpaused. Panics with a readable reason when the kernel cannot be used. */
struct vcpu *dom0_build(const struct boot_module *kernel, const struct boot_module *initrd);

/*
 * Unpacks the ELF image inside a bzImage (XZ, gzip, zstd payloads by Debian's libraries) or
 * returns @src itself when it is ELF already. *@out from xen pages (order in *@order; -1: points
 * into @src). 0; -EINVAL with a logged reason; -ENOMEM.
 */
int kernel_unpack(const void *src, size_t len, void **out, size_t *out_len, int *order);
/* Frees what kernel_unpack() gave; nothing happens for order -1. Much cheaper than
 * xen_pages_free(). */
void kernel_unpack_free(void *out, int order);

#endif
