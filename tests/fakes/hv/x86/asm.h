/* SPDX-License-Identifier: MIT */
/*
 * asm.h (fake) - the machine's registers as variables, so that pv/ runs on the host. Found before hypervisor/x86/asm.h
 * on the include path; same names, same meaning.
 */
#ifndef TESTS_FAKES_HV_X86_ASM_H
#define TESTS_FAKES_HV_X86_ASM_H

#include "lib/types.h"

struct fake_cpu {
	u64 msr_fs_base, msr_gs_base, msr_shadow_gs_base, msr_efer, msr_tsc_aux, msr_apic_base;
	u64 cr0, cr2, cr4, tsc;
	u16 port;	     /* of the last access */
	u32 port_value;	     /* read from every port; the last written */
	unsigned int nr_port_accesses;
};
extern struct fake_cpu fake_cpu;

u64 rdmsr(u32 msr);
void wrmsr(u32 msr, u64 val);
int rdmsr_safe(u32 msr, u64 *val);
int wrmsr_safe(u32 msr, u64 val);
u32 fake_port_read(u16 port);
void fake_port_write(u16 port, u32 v);

static inline u64 rdtsc(void)
{
	return fake_cpu.tsc++;
}
static inline void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	__asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "0"(leaf), "2"(sub));
}
#define inb(port) ((u8)fake_port_read(port))
#define inw(port) ((u16)fake_port_read(port))
#define inl(port) fake_port_read(port)
#define outb(port, v) fake_port_write(port, v)
#define outw(port, v) fake_port_write(port, v)
#define outl(port, v) fake_port_write(port, v)
static inline u64 read_cr0(void)
{
	return fake_cpu.cr0;
}
static inline void write_cr0(u64 v)
{
	fake_cpu.cr0 = v;
}
static inline u64 read_cr2(void)
{
	return fake_cpu.cr2;
}
static inline u64 read_cr4(void)
{
	return fake_cpu.cr4;
}
static inline void clts(void)
{
	fake_cpu.cr0 &= ~8UL;
}

#define X86_CR0_TS (1UL << 3)
#define X86_CR4_TSD (1UL << 2)
#define X86_CR4_DE (1UL << 3)
#define X86_CR4_PAE (1UL << 5)
#define X86_CR4_OSFXSR (1UL << 9)
#define X86_CR4_OSXMMEXCPT (1UL << 10)
#define X86_CR4_FSGSBASE (1UL << 16)
#define X86_CR4_OSXSAVE (1UL << 18)

#define X86_EFLAGS_CF 0x00000001u
#define X86_EFLAGS_TF 0x00000100u
#define X86_EFLAGS_IF 0x00000200u
#define X86_EFLAGS_DF 0x00000400u
#define X86_EFLAGS_IOPL 0x00003000u
#define X86_EFLAGS_NT 0x00004000u
#define X86_EFLAGS_RF 0x00010000u
#define X86_EFLAGS_VM 0x00020000u
#define X86_EFLAGS_AC 0x00040000u
#define X86_EFLAGS_VIF 0x00080000u
#define X86_EFLAGS_VIP 0x00100000u

#define MSR_EFER 0xc0000080u
#define MSR_FS_BASE 0xc0000100u
#define MSR_GS_BASE 0xc0000101u
#define MSR_SHADOW_GS_BASE 0xc0000102u
#define MSR_TSC_AUX 0xc0000103u
#define MSR_APIC_BASE 0x1bu

static inline bool va_is_canonical(u64 va)
{
	return ((s64)(va << 16) >> 16) == (s64)va;
}

#endif
