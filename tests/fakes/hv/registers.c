/* SPDX-License-Identifier: MIT */
/* registers.c - the fake CPUs' registers and ports, as far as pv/ reaches for them. */
#include "domain/domain.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "x86/asm.h"
#include "x86/fpu_insn.h"
#include "x86/ioports.h"

struct fake_registers fake_registers[NR_CPUS];
void (*fake_cpuid)(u32 leaf, u32 sub, u32 reg[4]);

void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	/* leaf 0xd: the second is of what XCR0 has enabled, the third of all there is */
	u32 reg[4] = { FAKE_XCR0, fake_fpu.xcr0 & 4 ? FAKE_AREA : 576, FAKE_AREA, 0 };

	if (fake_cpuid)
		fake_cpuid(leaf, sub, reg);
	else if (leaf != 0xd || sub != 0)
		__asm__ volatile("cpuid"
				 : "=a"(reg[0]), "=b"(reg[1]), "=c"(reg[2]), "=d"(reg[3])
				 : "0"(leaf), "2"(sub));
	*a = reg[0];
	*b = reg[1];
	*c = reg[2];
	*d = reg[3];
}

const u64 *fake_walked;
u64 fake_found;

void fake_did(char what)
{
	size_t len = __builtin_strlen(fake_cpu.did);

	if (len == sizeof(fake_cpu.did) - 1)
		__builtin_memmove(fake_cpu.did, fake_cpu.did + 1, len--);
	fake_cpu.did[len] = what;
	fake_cpu.did[len + 1] = 0;
}

static u64 *msr_find(u32 msr)
{
	switch (msr) {
	case MSR_FS_BASE:
		return &fake_cpu.msr_fs_base;
	case MSR_GS_BASE:
		return &fake_cpu.msr_gs_base;
	case MSR_SHADOW_GS_BASE:
		return &fake_cpu.msr_shadow_gs_base;
	case MSR_EFER:
		return &fake_cpu.msr_efer;
	case MSR_TSC_AUX:
		return &fake_cpu.msr_tsc_aux;
	case MSR_APIC_BASE:
		return &fake_cpu.msr_apic_base;
	default:
		return NULL;
	}
}

/* A register the fake CPU does not have is a #GP: fatal unless the accessor is safe. */
u64 rdmsr(u32 msr)
{
	u64 *r = msr_find(msr);

	if (!r)
		hv_panic("rdmsr %#x", msr);
	return *r;
}

void wrmsr(u32 msr, u64 val)
{
	u64 *r = msr_find(msr);

	if (!r)
		hv_panic("wrmsr %#x", msr);
	*r = val;
}

int rdmsr_safe(u32 msr, u64 *val)
{
	u64 *r = msr_find(msr);

	if (!r)
		return -EFAULT;
	*val = *r;
	return 0;
}

int wrmsr_safe(u32 msr, u64 val)
{
	u64 *r = msr_find(msr);

	if (!r)
		return -EFAULT;
	*r = val;
	return 0;
}

u32 fake_port_read(u16 port)
{
	fake_cpu.port = port;
	fake_cpu.nr_port_accesses++;
	return fake_cpu.port_value;
}

void fake_port_write(u16 port, u32 v)
{
	fake_cpu.port = port;
	fake_cpu.port_value = v;
	fake_cpu.nr_port_accesses++;
}

bool ioport_is_hv(u16 port, unsigned int len)
{
	return port <= 0x3ff && port + len > 0x3f8;
}
