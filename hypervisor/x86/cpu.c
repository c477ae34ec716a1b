/* SPDX-License-Identifier: MIT */
/* cpu.c - what the boot CPU can do, and every CPU's control registers. */
#include "lib/log.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/init.h"
#include "x86/machine.h"
#include "x86/percpu.h"

char cpu_vendor[13];
unsigned int cpu_maxphys_bits;
bool cpu_has_xsave, cpu_has_fsgsbase, cpu_has_nx;

#define MSR_PAT 0x277u
/* WB, WT, UC-, UC, WC, WP: the order Xen's ABI promises to guests (their PTE cache bits index it).
 */
#define PAT_XEN 0x050100070406UL
#define EFER_SCE (1UL << 0)
#define EFER_NXE (1UL << 11)
#define CPUID_1_ECX_XSAVE (1u << 26)
#define CPUID_7_EBX_FSGSBASE (1u << 0)
#define CPUID_EXT1_EDX_NX (1u << 20)

static u32 cpuid_max(u32 base)
{
	u32 a, b, c, d;

	cpuid(base, 0, &a, &b, &c, &d);
	return a;
}

static void read_facts(void)
{
	u32 a, b, c, d, max;

	cpuid(0, 0, &max, &b, &c, &d);
	memcpy(cpu_vendor, &b, 4);
	memcpy(cpu_vendor + 4, &d, 4);
	memcpy(cpu_vendor + 8, &c, 4);
	cpuid(1, 0, &a, &b, &c, &d);
	cpu_has_xsave = c & CPUID_1_ECX_XSAVE;
	if (max >= 7) {
		cpuid(7, 0, &a, &b, &c, &d);
		cpu_has_fsgsbase = b & CPUID_7_EBX_FSGSBASE;
	}
	cpuid(0x80000001, 0, &a, &b, &c, &d);
	cpu_has_nx = d & CPUID_EXT1_EDX_NX;
	cpu_maxphys_bits = 36;
	if (cpuid_max(0x80000000) >= 0x80000008) {
		cpuid(0x80000008, 0, &a, &b, &c, &d);
		cpu_maxphys_bits = a & 0xff;
	}
}

void cpu_init(void)
{
	u64 cr4 = X86_CR4_PAE | X86_CR4_PGE | X86_CR4_DE | X86_CR4_MCE | X86_CR4_OSFXSR |
		  X86_CR4_OSXMMEXCPT;

	if (this_cpu_id() == 0)
		read_facts();
	if (!cpu_has_nx)
		hv_panic("this CPU has no NX bit, or the firmware turned it off");
	if (cpu_has_xsave)
		cr4 |= X86_CR4_OSXSAVE;
	if (cpu_has_fsgsbase)
		cr4 |= X86_CR4_FSGSBASE;
	write_cr4(cr4);
	wrmsr(MSR_PAT, PAT_XEN);
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
	write_cr0((read_cr0() & ~(X86_CR0_EM | X86_CR0_TS)) | X86_CR0_WP | X86_CR0_NE | X86_CR0_MP);
	if (this_cpu_id() == 0)
		log_info("cpu: %s, %u physical address bits%s%s", cpu_vendor, cpu_maxphys_bits,
			 cpu_has_xsave ? ", xsave" : "", cpu_has_fsgsbase ? ", fsgsbase" : "");
}
