/* SPDX-License-Identifier: MIT */
/* mce.h - machine checks (mce.c). */
#ifndef HV_X86_MCE_H
#define HV_X86_MCE_H

struct cpu_user_regs;

/* What entry/traps.c does with one. */
void mce_handle(const struct cpu_user_regs *regs) __attribute__((noreturn));
/* On every CPU: machine checks are reported. */
void mce_init(void);

#endif
