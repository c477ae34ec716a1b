/* SPDX-License-Identifier: MIT */
/* asm.h - single instructions as functions. Nothing here decides anything. */
#ifndef HV_X86_ASM_H
#define HV_X86_ASM_H

#include "lib/types.h"
#include "x86/cpu_bits.h"

#define mb() __asm__ volatile("mfence" ::: "memory")
#define lfence() __asm__ volatile("lfence" ::: "memory")
#define rmb() __asm__ volatile("" ::: "memory") /* x86 keeps loads in order */
#define wmb() __asm__ volatile("" ::: "memory") /* x86 keeps stores in order */
#define cpu_relax() __asm__ volatile("pause" ::: "memory")

static inline u64 rdmsr(u32 msr)
{
	u32 lo, hi;
	__asm__ volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return (u64)hi << 32 | lo;
}
static inline void wrmsr(u32 msr, u64 val)
{
	__asm__ volatile("wrmsr" ::"c"(msr), "a"((u32)val), "d"((u32)(val >> 32)) : "memory");
}
/* Fault-safe; 0 or -EFAULT (the #GP goes on by the exception table). Defined in x86/msr.c. */
int rdmsr_safe(u32 msr, u64 *val);
int wrmsr_safe(u32 msr, u64 val);

static inline u64 rdtsc(void)
{
	u32 lo, hi;
	__asm__ volatile("rdtsc" : "=a"(lo), "=d"(hi));
	return (u64)hi << 32 | lo;
}
static inline void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	__asm__ volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "0"(leaf), "2"(sub));
}
/* False: none is ready. */
static inline bool rdrand(u64 *value)
{
	bool ok;
	__asm__ volatile("rdrand %0" : "=r"(*value), "=@ccc"(ok));
	return ok;
}
/* What returns go to by prediction: nowhere. As entry.S does it on the way in. */
static inline void rsb_overwrite(void)
{
	__asm__ volatile("mov %0, %%ecx\n"
			 "1: call 2f\n"
			 "3: pause; lfence; jmp 3b\n"
			 "2: call 4f\n"
			 "5: pause; lfence; jmp 5b\n"
			 "4: dec %%ecx; jnz 1b; lfence\n"
			 "add %1, %%rsp" ::"i"(RSB_DEPTH / 2), "i"(RSB_DEPTH * 8)
			 : "rcx", "cc", "memory");
}
static inline u8 inb(u16 port)
{
	u8 v;
	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline u16 inw(u16 port)
{
	u16 v;
	__asm__ volatile("inw %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline u32 inl(u16 port)
{
	u32 v;
	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}
static inline void outb(u16 port, u8 v)
{
	__asm__ volatile("outb %0, %1" ::"a"(v), "Nd"(port));
}
static inline void outw(u16 port, u16 v)
{
	__asm__ volatile("outw %0, %1" ::"a"(v), "Nd"(port));
}
static inline void outl(u16 port, u32 v)
{
	__asm__ volatile("outl %0, %1" ::"a"(v), "Nd"(port));
}
static inline u64 read_cr0(void)
{
	u64 v;
	__asm__ volatile("mov %%cr0, %0" : "=r"(v));
	return v;
}
static inline void write_cr0(u64 v)
{
	__asm__ volatile("mov %0, %%cr0" ::"r"(v) : "memory");
}
static inline u64 read_cr2(void)
{
	u64 v;
	__asm__ volatile("mov %%cr2, %0" : "=r"(v));
	return v;
}
static inline u64 read_cr3(void)
{
	u64 v;
	__asm__ volatile("mov %%cr3, %0" : "=r"(v));
	return v;
}
static inline void write_cr3(u64 v)
{
	__asm__ volatile("mov %0, %%cr3" ::"r"(v) : "memory");
}
static inline u64 read_cr4(void)
{
	u64 v;
	__asm__ volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}
static inline void write_cr4(u64 v)
{
	__asm__ volatile("mov %0, %%cr4" ::"r"(v) : "memory");
}
static inline void invlpg(unsigned long va)
{
	__asm__ volatile("invlpg (%0)" ::"r"(va) : "memory");
}
static inline void swapgs(void)
{
	__asm__ volatile("swapgs" ::: "memory");
}
static inline void clts(void)
{
	__asm__ volatile("clts");
}
static inline void irq_disable(void)
{
	__asm__ volatile("cli" ::: "memory");
}
static inline void irq_enable(void)
{
	__asm__ volatile("sti" ::: "memory");
}

static inline bool va_is_canonical(u64 va)
{
	return ((s64)(va << 16) >> 16) == (s64)va;
}

#endif
