/* SPDX-License-Identifier: MIT */
/*
 * offsets.h - where entry.S finds the fields of struct cpu_user_regs. Checked against the public
 * header by static assertions in traps.c.
 */
#ifndef HV_X86_OFFSETS_H
#define HV_X86_OFFSETS_H

#define REGS_ERROR_CODE 120
#define REGS_ENTRY_VECTOR 124
#define REGS_RIP 128
#define REGS_CS 136
#define REGS_RFLAGS 144
#define REGS_RSP 152
#define REGS_SS 160
#define REGS_ES 168 /* the frame the CPU pushes ends here: TSS.rsp0 */
#define REGS_SIZE 200
/* struct cpu_info, which begins with the frame of a guest */
#define CPU_INFO_HV_CR3 232
#define CPU_INFO_GUEST_CR3 240
#define CPU_INFO_HV_SPEC_CTRL 248
#define CPU_INFO_GUEST_SPEC_CTRL 252
#define CPU_INFO_VERW 256
#define CPU_INFO_SIZE 296 /* struct cpu_info: the frame, then this CPU's own fields */

/* entry_vector of a frame made by `syscall`: RCX and R11 hold nothing but RIP and RFLAGS. */
#define TRAP_SYSCALL 0x100

#endif
