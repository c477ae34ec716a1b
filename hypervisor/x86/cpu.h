/* SPDX-License-Identifier: MIT */
/* cpu.h - what the boot CPU can do (cpu.c). */
#ifndef HV_X86_CPU_H
#define HV_X86_CPU_H

#include "lib/types.h"

extern char cpu_vendor[13];
extern unsigned int cpu_maxphys_bits;
extern bool cpu_has_xsave, cpu_has_fsgsbase, cpu_has_nx;

/*
 * Every CPU, at boot: facts, control registers; after desc_init(), because a register may not be
 * there.
 */
void cpu_init(void);
/* This CPU heeds read-only pages in ring 0 (CR0.WP) and no-execute ones (EFER.NXE). */
bool cpu_keeps_rights(void);

#endif
