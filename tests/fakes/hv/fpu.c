/* SPDX-License-Identifier: MIT */
/* fpu.c - the fake CPUs' floating point registers (x86/fpu_insn.h of this folder). */
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/fpu_insn.h"

#define X87 1u
#define SSE 2u
#define AVX 4u
#define PENDING 0x80u /* FSW.ES */

/* An area: an FXSAVE image with the first word of each kind, the header, the first of AVX. */
struct area {
	u16 fcw, fsw;
	u32 other;
	u64 fip, fdp;
	u32 mxcsr, mxcsr_mask;
	u64 x87[16], xmm[44];
	u64 present, header[7];
	u64 ymm_high[32];
};
_Static_assert(sizeof(struct area) == FAKE_AREA && offsetof(struct area, xmm) == 160 &&
		       offsetof(struct area, present) == 512,
	       "SDM vol. 1, 13.4");

struct fake_fpu_registers fake_fpus[NR_CPUS];
bool fake_pointers_stay, fake_fpu_refuses, fake_xsave_ignores_ts;

static int fault(void)
{
	fake_fpu.nr_faults++;
	return -EFAULT;
}

static void need_ts_clear(void)
{
	if (fake_cpu.cr0 & X86_CR0_TS)
		hv_panic("#NM in the hypervisor");
}

int xsetbv_safe(u64 value)
{
	if (!(value & X87) || value & ~FAKE_XCR0 || ((value & AVX) && !(value & SSE)))
		return fault();
	fake_fpu.xcr0 = value;
	return 0;
}

static bool is_refused(const struct area *a)
{
	bool refuses = fake_fpu_refuses;

	if (refuses)
		fake_fpu_refuses = false;
	return refuses || a->mxcsr & ~FAKE_MXCSR_MASK;
}

static void x87_load(const struct area *a, bool is_present)
{
	fake_fpu.x87 = is_present ? a->x87[0] : 0;
	if (!fake_pointers_stay || a->fsw & PENDING)
		fake_fpu.fip = is_present ? a->fip : 0;
}

int xrstor_safe(const void *area)
{
	const struct area *a = area;

	need_ts_clear();
	if (is_refused(a) || a->present & ~fake_fpu.xcr0)
		return fault();
	for (unsigned int i = 0; i < ARRAY_SIZE(a->header); i++)
		if (a->header[i])
			return fault();
	if (fake_fpu.xcr0 & X87)
		x87_load(a, a->present & X87);
	if (fake_fpu.xcr0 & (SSE | AVX))
		fake_fpu.mxcsr = a->mxcsr;
	if (fake_fpu.xcr0 & SSE)
		fake_fpu.xmm = a->present & SSE ? a->xmm[0] : 0;
	if (fake_fpu.xcr0 & AVX)
		fake_fpu.ymm_high = a->present & AVX ? a->ymm_high[0] : 0;
	return 0;
}

int fxrstor_safe(const void *area)
{
	const struct area *a = area;

	need_ts_clear();
	if (is_refused(a))
		return fault();
	x87_load(a, true);
	fake_fpu.mxcsr = a->mxcsr;
	fake_fpu.xmm = a->xmm[0];
	return 0;
}

void fxsave(void *area)
{
	struct area *a = area;

	need_ts_clear();
	a->x87[0] = fake_fpu.x87;
	if (!fake_pointers_stay)
		a->fip = fake_fpu.fip;
	a->mxcsr = fake_fpu.mxcsr;
	a->mxcsr_mask = FAKE_MXCSR_MASK;
	a->xmm[0] = fake_fpu.xmm;
}

/* Those of @states that are not all zero, as the CPU counts them in use. */
void xsave(void *area, u64 states)
{
	struct area *a = area;
	u64 in_use = (fake_fpu.x87 || fake_fpu.fip ? X87 : 0) | (fake_fpu.xmm ? SSE : 0) |
		     (fake_fpu.ymm_high ? AVX : 0);

	need_ts_clear();
	states &= fake_fpu.xcr0;
	if (states & X87 & in_use) {
		a->x87[0] = fake_fpu.x87;
		if (!fake_pointers_stay)
			a->fip = fake_fpu.fip;
	}
	if (states & (SSE | AVX))
		a->mxcsr = fake_fpu.mxcsr;
	if (states & SSE & in_use)
		a->xmm[0] = fake_fpu.xmm;
	if (states & AVX & in_use)
		a->ymm_high[0] = fake_fpu.ymm_high;
	a->present = (a->present & ~states) | (states & in_use);
}

int xsave_safe(void *area, u64 states)
{
	u64 cr0 = fake_cpu.cr0;

	if ((cr0 & X86_CR0_TS) && !fake_xsave_ignores_ts)
		return -EFAULT;
	fake_cpu.cr0 = cr0 & ~X86_CR0_TS;
	xsave(area, states);
	fake_cpu.cr0 = cr0;
	return 0;
}

void x87_pointers_clear(void)
{
	need_ts_clear();
	fake_fpu.fip = 0;
}
