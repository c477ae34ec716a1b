/* SPDX-License-Identifier: MIT */
/* boot_options.h - the hypervisor's command line. */
#ifndef HV_LIB_BOOT_OPTIONS_H
#define HV_LIB_BOOT_OPTIONS_H

#include "lib/spec_options.h"
#include "lib/types.h"

enum nmi_action { NMI_REPORT, NMI_FATAL, NMI_IGNORE };

/* Parsed; fixed after boot. */
struct boot_options {
	u64 dom0_mem_bytes;	     /* 0: all but a reserve */
	unsigned int dom0_max_vcpus; /* 0: as many as CPUs */
	unsigned int max_cpus;	     /* 0: all of the machine */
	bool noreboot;
	enum nmi_action nmi; /* what follows one that nobody asked for */
	enum option_choice watchdog; /* off by default */
	unsigned int watchdog_timeout; /* seconds */
	enum option_choice smep, smap; /* default: where the CPU has it and it works (x86/cpu.c) */
	int ucode_module; /* that has microcode: nth, from the end if negative; 0: none */
	bool ucode_scan;  /* it is looked for */
	enum option_choice x2apic; /* default: where the CPU has it */
	struct spec_options spec; /* against faults of speculative execution */
	int log_level; /* enum log_level */
	int guest_log_level;
	u32 com1_baud;
	bool console_com1, console_vga;
	char cmdline[1024]; /* whole, for XENVER_commandline */
};
extern struct boot_options boot_options;

/* Fills @o from @line. Unknown options and bad values are named in the log and ignored. */
void options_parse(struct boot_options *o, const char *line);

#endif
