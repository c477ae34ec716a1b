/* SPDX-License-Identifier: MIT */
/*
 * asm.h (fake) - the machine's registers as variables, so that pv/ runs on the host. Found before
 * hypervisor/x86/asm.h on the include path; same names, same meaning.
 */
#ifndef TESTS_FAKES_HV_X86_ASM_H
#define TESTS_FAKES_HV_X86_ASM_H

#include "lib/types.h"
#include "x86/cpu_bits.h"
#include "x86/percpu.h"

struct fake_registers {
	u64 msr_fs_base, msr_gs_base, msr_shadow_gs_base, msr_efer, msr_tsc_aux, msr_apic_base;
	u64 cr0, cr2, cr4, tsc;
	u64 dr[8];
	u16 ds, es, fs, gs;
	u16 port;	     /* of the last access */
	u32 port_value;	     /* read from every port; the last written */
	unsigned int nr_port_accesses;
	/*
	 * The last of what it was told, where the order counts, a letter each: '3' CR3, 'f' all of
	 * its TLB dropped, 'g' GDT, 'l' LDT, 'o' the hypervisor's own of both, 's' a selector.
	 */
	char did[32];
	u64 cr3;
	u64 gdt_va, ldt_va; /* loaded; the hypervisor's own: 0 */
	u32 nr_ldt_entries;
};
extern struct fake_registers fake_registers[NR_CPUS];
/* Of the CPU that asks. */
#define fake_cpu fake_registers[this_cpu_id()]

void fake_did(char what);
/* Read at each drop of the TLB, if set: what the walker then finds there. */
extern const u64 *fake_walked;
extern u64 fake_found;

/* What a CPU does while it waits for another; only machines with several have it. */
void fake_cpu_relax(void);
#define cpu_relax() fake_cpu_relax()

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
/* The host's CPU, but that it has what fake fpu_insn.h does; or what a test says. */
extern void (*fake_cpuid)(u32 leaf, u32 sub, u32 reg[4]);
void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d);
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
void write_cr3(u64 v);
void write_cr4(u64 v); /* a change of PGE empties the TLB of the CPU the test is on */
void invlpg(unsigned long va);
static inline void swapgs(void)
{
	u64 gs = fake_cpu.msr_gs_base;

	fake_cpu.msr_gs_base = fake_cpu.msr_shadow_gs_base;
	fake_cpu.msr_shadow_gs_base = gs;
}
static inline void clts(void)
{
	fake_cpu.cr0 &= ~8UL;
}

static inline void wmb(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

static inline bool va_is_canonical(u64 va)
{
	return ((s64)(va << 16) >> 16) == (s64)va;
}

#endif
