/* SPDX-License-Identifier: MIT */
/*
 * fpu.c - floating point and vector state of vcpus, saved only when used. The guest sees its state
 * always there: CR0.TS is set while another vcpu's state may be in the registers, and the #NM loads
 * it. Source: Intel SDM vol. 1, chapter 13.
 */
#include "domain/domain.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "mm/frame.h"
#include "x86/asm.h"
#include "x86/init.h"
#include "x86/machine.h"

#define XCR0_X87 (1UL << 0)
#define XCR0_SSE (1UL << 1)
#define XCR0_AVX (1UL << 2)
#define XCR0_KNOWN (XCR0_X87 | XCR0_SSE | XCR0_AVX)

#define FX_FCW 0
#define FX_MXCSR 24
#define FCW_RESET 0x37f
#define MXCSR_RESET 0x1f80
#define FXSAVE_SIZE 512

static u64 xcr0_mask;
static size_t area_size = FXSAVE_SIZE;
static u64 xcr0_loaded[NR_CPUS];

static void xsetbv(u64 value)
{
	u64 *loaded = &xcr0_loaded[this_cpu_id()];

	if (value == *loaded)
		return;
	__asm__ volatile("xsetbv" ::"c"(0), "a"((u32)value), "d"((u32)(value >> 32)));
	*loaded = value;
}

void fpu_init(void)
{
	u32 a, b, c, d;

	if (cpu_has_xsave) {
		cpuid(0xd, 0, &a, &b, &c, &d);
		xcr0_mask = (a | (u64)d << 32) & XCR0_KNOWN;
		xsetbv(xcr0_mask);
		cpuid(0xd, 0, &a, &b, &c, &d);
		area_size = b; /* for what XCR0 has enabled */
	}
	write_cr0(read_cr0() | X86_CR0_TS);
}

u64 fpu_xcr0_mask(void)
{
	return xcr0_mask;
}

size_t fpu_area_size(void)
{
	return area_size;
}

int fpu_vcpu_init(struct vcpu *v)
{
	u8 *area =
		xzalloc(MAX(area_size, PAGE_SIZE)); /* page sized: XSAVE wants 64-byte alignment */

	if (!area)
		return -ENOMEM;
	*(u16 *)(area + FX_FCW) = FCW_RESET;
	*(u32 *)(area + FX_MXCSR) = MXCSR_RESET;
	v->fpu_area = area;
	v->fpu_dirty = false;
	v->pv.xcr0 = xcr0_mask & (XCR0_X87 | XCR0_SSE);
	return 0;
}

void fpu_vcpu_fini(struct vcpu *v)
{
	xfree(v->fpu_area);
	v->fpu_area = NULL;
}

void fpu_switch_out(struct vcpu *v)
{
	if (!v->fpu_dirty)
		return;
	clts(); /* the guest may have set its own TS meanwhile */
	if (cpu_has_xsave)
		__asm__ volatile("xsave64 (%0)" ::"r"(v->fpu_area), "a"(~0u), "d"(~0u) : "memory");
	else
		__asm__ volatile("fxsave64 (%0)" ::"r"(v->fpu_area) : "memory");
	v->fpu_dirty = false;
	write_cr0(read_cr0() | X86_CR0_TS);
}

void fpu_switch_in(struct vcpu *v)
{
	if (cpu_has_xsave)
		xsetbv(v->pv.xcr0);
}

void fpu_load(struct vcpu *v)
{
	clts();
	if (v->fpu_dirty)
		return; /* its state is still there: only TS had been set */
	if (cpu_has_xsave)
		__asm__ volatile("xrstor64 (%0)" ::"r"(v->fpu_area), "a"(~0u), "d"(~0u) : "memory");
	else
		__asm__ volatile("fxrstor64 (%0)" ::"r"(v->fpu_area) : "memory");
	v->fpu_dirty = true;
}

int fpu_set_xcr0(struct vcpu *v, u64 value)
{
	if (!cpu_has_xsave || !(value & XCR0_X87) || (value & ~xcr0_mask))
		return -EINVAL;
	if ((value & XCR0_AVX) && !(value & XCR0_SSE))
		return -EINVAL;
	v->pv.xcr0 = value;
	if (v == current)
		xsetbv(value);
	return 0;
}
