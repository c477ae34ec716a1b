/* SPDX-License-Identifier: MIT */
/* cpu.c - what the boot CPU can do, and every CPU's control registers. */
#include "lib/boot_options.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/percpu.h"
#include "x86/segment.h"
#include "x86/spec_ctrl.h"

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
#define CPUID_7_EBX_SMEP (1u << 7)
#define CPUID_7_EBX_SMAP (1u << 20)
#define CPUID_EXT1_EDX_NX (1u << 20)
#define CPUID_EXT1_EDX_RDTSCP (1u << 27)

/*
 * CR4 bits that every CPU gets because the boot CPU has the feature. UMIP is not among them: a PV
 * kernel's own SGDT runs in ring 3, so that Linux, which answers its programs' with it, would die.
 */
static const struct {
	u32 ebx; /* of CPUID leaf 7 */
	u64 cr4;
	const char *name;
} leaf_7_features[] = {
	{ CPUID_7_EBX_SMEP, X86_CR4_SMEP, ", smep" },
	{ CPUID_7_EBX_SMAP, X86_CR4_SMAP, ", smap" },
};
static u64 leaf_7_cr4;   /* fixed after boot */
static bool has_tsc_aux; /* the same */

/* CPUID leaf 0x40000000 of QEMU's own interpreter. */
#define CPUID_HYPERVISOR 0x40000000u
#define CPUID_1_ECX_HYPERVISOR (1u << 31)
#define SIGNATURE_TCG "TCGTCGTCGTCG"

static u32 cpuid_max(u32 base)
{
	u32 a, b, c, d;

	cpuid(base, 0, &a, &b, &c, &d);
	return a;
}

static bool is_tcg(void)
{
	u32 a, r[3];

	cpuid(1, 0, &a, &r[0], &r[1], &r[2]);
	if (!(r[1] & CPUID_1_ECX_HYPERVISOR))
		return false;
	cpuid(CPUID_HYPERVISOR, 0, &a, &r[0], &r[1], &r[2]);
	return !memcmp(r, SIGNATURE_TCG, sizeof(r));
}

/*
 * What the command line says about SMEP and SMAP. By default SMAP stays off under QEMU's TCG (7.2
 * and before 9.1), which takes the stack accesses of IRET and far calls in ring 3 for ring 0's:
 * no paravirtual Linux gets past its first IRET there.
 */
static void apply_options(void)
{
	if (boot_options.smep == OPTION_OFF)
		leaf_7_cr4 &= ~X86_CR4_SMEP;
	if (boot_options.smap == OPTION_OFF || (boot_options.smap == OPTION_DEFAULT && is_tcg()))
		leaf_7_cr4 &= ~X86_CR4_SMAP;
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
		for (size_t i = 0; i < ARRAY_SIZE(leaf_7_features); i++)
			if (b & leaf_7_features[i].ebx)
				leaf_7_cr4 |= leaf_7_features[i].cr4;
		cpu_has_fsgsbase = b & CPUID_7_EBX_FSGSBASE;
	}
	apply_options();
	cpuid(0x80000001, 0, &a, &b, &c, &d);
	cpu_has_nx = d & CPUID_EXT1_EDX_NX;
	has_tsc_aux = d & CPUID_EXT1_EDX_RDTSCP;
	cpu_maxphys_bits = 36;
	if (cpuid_max(0x80000000) >= 0x80000008) {
		cpuid(0x80000008, 0, &a, &b, &c, &d);
		cpu_maxphys_bits = a & 0xff;
	}
}

static void log_facts(void)
{
	char features[64] = "";

	for (size_t i = 0; i < ARRAY_SIZE(leaf_7_features); i++)
		if (read_cr4() & leaf_7_features[i].cr4)
			strlcpy(features + strlen(features), leaf_7_features[i].name,
				sizeof(features) - strlen(features));
	log_info("cpu: %s, %u physical address bits%s%s", cpu_vendor, cpu_maxphys_bits,
		 cpu_has_xsave ? ", xsave" : "", features);
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
	write_cr4(cr4 | (leaf_7_cr4 & ~X86_CR4_SMAP));
	debugreg_write(7, X86_DR7_DEFAULT);
	debugreg_write(6, X86_DR6_DEFAULT);
	wrmsr(MSR_PAT, PAT_XEN);
	if (has_tsc_aux)
		wrmsr(MSR_TSC_AUX, 0); /* as its owner, pv/context.c, remembers it */
	wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_SCE | EFER_NXE);
	write_cr0((read_cr0() & ~(X86_CR0_EM | X86_CR0_TS)) | X86_CR0_WP | X86_CR0_NE | X86_CR0_MP);
	spec_ctrl_init(leaf_7_cr4 & X86_CR4_SMAP);
	write_cr4(cr4 | leaf_7_cr4);
	if (this_cpu_id() == 0)
		log_facts();
}

bool cpu_keeps_rights(void)
{
	return read_cr0() & X86_CR0_WP && rdmsr(MSR_EFER) & EFER_NXE;
}
