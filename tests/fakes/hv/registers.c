/* SPDX-License-Identifier: MIT */
/* registers.c - the fake CPU's registers, ports and FPU, as far as pv/ reaches for them. */
#include "domain/domain.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "x86/asm.h"
#include "x86/machine.h"
#include "x86/segment.h"

FAKE_PER_CPU struct fake_cpu fake_cpu;
u64 fake_debugreg[8];

u64 fpu_xcr0_mask(void)
{
	return 7; /* x87, SSE, AVX */
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

void fpu_load(struct vcpu *v)
{
	clts();
	v->fpu_dirty = true;
}

int fpu_set_xcr0(struct vcpu *v, u64 value)
{
	v->pv.xcr0 = value;
	return 0;
}

size_t fpu_area_size(void)
{
	return 832;
}
