/* SPDX-License-Identifier: MIT */
/*
 * ucode.h - newer microcode than the firmware's, from a file that the boot loader brought. Each CPU
 * takes it before anybody looks what the CPU can do.
 */
#ifndef HV_X86_UCODE_H
#define HV_X86_UCODE_H

#include "lib/types.h"

/* What decides which update is for a CPU. */
struct ucode_cpu {
	bool is_amd;
	u32 signature; /* CPUID 1.EAX */
	u32 platform;  /* Intel: one bit, of MSR 0x17 */
	u32 revision;  /* of the microcode that runs */
};

/* The vendor's file in an archive, by CPUID's vendor; NULL: nobody's. */
const char *ucode_file_name(const char *vendor);
/*
 * Pure: the newest update for @cpu that is newer than what it has, in the vendor's file [@data,
 * @data + @len), which may hold any bytes. *@size, *@revision of it; NULL: there is none.
 */
const void *ucode_pick(const void *data, u64 len, const struct ucode_cpu *cpu, u64 *size,
		       u32 *revision);

/* Boot CPU: what it is, and its vendor. */
struct ucode_cpu ucode_this_cpu(char vendor[13]);
/*
 * Boot CPU: @update is what every CPU takes from now on; it is mapped as long as the machine runs,
 * on a boundary of 16 bytes. NULL: they stay as they are.
 */
void ucode_set(const void *update, u32 revision);
/*
 * Every CPU, as the first of its setup: takes it unless it has it. Interrupts are off. False: it
 * does not run what was chosen, and so may lack what the boot CPU has now; logged.
 */
bool ucode_load(void);

#endif
