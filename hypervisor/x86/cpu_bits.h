/* SPDX-License-Identifier: MIT */
/* cpu_bits.h - bits of control registers and flags, numbers of MSRs. Intel SDM volume 3A chapter 2,
 * volume 4. */
#ifndef HV_X86_CPU_BITS_H
#define HV_X86_CPU_BITS_H

#define X86_CR0_MP (1UL << 1)
#define X86_CR0_EM (1UL << 2)
#define X86_CR0_TS (1UL << 3)
#define X86_CR0_NE (1UL << 5)
#define X86_CR0_WP (1UL << 16)
#define X86_CR4_TSD (1UL << 2)
#define X86_CR4_DE (1UL << 3)
#define X86_CR4_PAE (1UL << 5)
#define X86_CR4_MCE (1UL << 6)
#define X86_CR4_PGE (1UL << 7)
#define X86_CR4_OSFXSR (1UL << 9)
#define X86_CR4_OSXMMEXCPT (1UL << 10)
#define X86_CR4_FSGSBASE (1UL << 16)
#define X86_CR4_OSXSAVE (1UL << 18)
#define X86_CR4_SMEP (1UL << 20)
#define X86_CR4_SMAP (1UL << 21)

#define X86_DR6_DEFAULT 0xffff0ff0UL
#define X86_DR7_DEFAULT 0x400UL

#define X86_EFLAGS_CF 0x00000001u
#define X86_EFLAGS_TF 0x00000100u
#define X86_EFLAGS_IF 0x00000200u
#define X86_EFLAGS_DF 0x00000400u
#define X86_EFLAGS_IOPL 0x00003000u
#define X86_EFLAGS_IOPL_SHIFT 12
#define X86_EFLAGS_NT 0x00004000u
#define X86_EFLAGS_RF 0x00010000u
#define X86_EFLAGS_VM 0x00020000u
#define X86_EFLAGS_AC 0x00040000u
#define X86_EFLAGS_VIF 0x00080000u
#define X86_EFLAGS_VIP 0x00100000u

#define MSR_EFER 0xc0000080u
#define MSR_STAR 0xc0000081u
#define MSR_LSTAR 0xc0000082u
#define MSR_CSTAR 0xc0000083u
#define MSR_SYSCALL_MASK 0xc0000084u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSR_SHADOW_GS_BASE 0xc0000102u
#define MSR_TSC_AUX 0xc0000103u
#define MSR_APIC_BASE 0x1bu

/* Entries of the largest return predictor: as many are overwritten. */
#define RSB_DEPTH 32

#endif
