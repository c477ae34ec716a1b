/* SPDX-License-Identifier: MIT */
/* nmi.h - non-maskable interrupts (nmi.c). */
#ifndef HV_X86_NMI_H
#define HV_X86_NMI_H

struct cpu_user_regs;

/* What entry/traps.c does with one. */
void nmi_handle(const struct cpu_user_regs *regs);

#endif
