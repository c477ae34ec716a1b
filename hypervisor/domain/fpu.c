/* SPDX-License-Identifier: MIT */
/*
 * fpu.c - floating point and vector state of vcpus, saved only when used. The guest sees its state
 * always there: CR0.TS is set while another vcpu's state may be in the registers, and the #NM loads
 * it. Owns XCR0, the state registers and each vcpu's fpu_area. Source: Intel SDM vol. 1, chapter
 * 13.
 *
 * State is saved and loaded while XCR0 has everything the hypervisor manages, whatever the guest's
 * has: what a vcpu has not in its area then becomes initial, and nothing of the one before it is
 * left to be seen by turning a feature on. A CPU on which XSAVE and XRSTOR go past CR0.TS has its
 * registers loaded at each switch. What is loaded was checked when it came (xcr0_ok,
 * xsave_ok, fpu_take_fxsave); a CPU that refuses it all the same ends the domain, not the host.
 */
#include "domain/fpu.h"

#include "domain/domain.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/fpu_insn.h"
#include "x86/percpu.h"
#include "x86/spec_ctrl.h"

#define XCR0_X87 (1UL << 0)
#define XCR0_SSE (1UL << 1)
#define XCR0_AVX (1UL << 2)
#define XCR0_LEGACY (XCR0_X87 | XCR0_SSE)
#define XCR0_KNOWN (XCR0_LEGACY | XCR0_AVX)

/* Offsets in an FXSAVE image, which an XSAVE area begins with. */
#define FX_FCW 0
#define FX_MXCSR 24
#define FX_MXCSR_MASK 28
#define FX_ST 32
#define FX_XMM 160
#define FX_END 416
#define FXSAVE_SIZE 512
#define XSAVE_HEADER 512
#define XSAVE_HEADER_SIZE 64

#define FCW_RESET 0x37f
#define MXCSR_RESET 0x1f80
#define MXCSR_MASK_DEFAULT 0xffbf /* SDM vol. 1, 11.6.6: where the CPU names none */

#define CPUID_8_EBX_RSTR_FP_ERR_PTRS (1u << 2)

static u64 xcr0_mask;
static u32 mxcsr_mask = MXCSR_MASK_DEFAULT;
static size_t area_size = FXSAVE_SIZE;
static bool pointers_stay; /* FXRSTOR and XRSTOR may leave FIP, FDP and FOP as they were */
static u64 xcr0_loaded[NR_CPUS];
bool fpu_is_eager;

static u64 *header_of(void *area)
{
	return (u64 *)((u8 *)area + XSAVE_HEADER);
}

static void area_reset(u8 *area)
{
	memset(area, 0, area_size);
	*(u16 *)(area + FX_FCW) = FCW_RESET;
	*(u32 *)(area + FX_MXCSR) = MXCSR_RESET;
}

static int xcr0_load(u64 value)
{
	u64 *loaded = &xcr0_loaded[this_cpu_id()];

	if (value == *loaded)
		return 0;
	if (xsetbv_safe(value))
		return -EFAULT;
	*loaded = value;
	return 0;
}

/* Before the registers as a whole are saved or loaded. */
static void xcr0_load_all(void)
{
	BUG_ON(xcr0_load(xcr0_mask));
}

/* On AMD's older CPUs, unless an exception is pending in the image. */
static bool find_pointers_stay(void)
{
	u32 a, b, c, d;

	if (memcmp(cpu_vendor, "AuthenticAMD", 12) && memcmp(cpu_vendor, "HygonGenuine", 12))
		return false;
	cpuid(0x80000000, 0, &a, &b, &c, &d);
	if (a < 0x80000008)
		return true;
	cpuid(0x80000008, 0, &a, &b, &c, &d);
	return !(b & CPUID_8_EBX_RSTR_FP_ERR_PTRS);
}

/* What boot's instructions write. */
static u8 boot_area[XSAVE_HEADER + XSAVE_HEADER_SIZE] __attribute__((aligned(64)));

/*
 * QEMU's TCG (7.2 and later) has no #NM for XSAVE and XRSTOR, though for all else: where the #NM is
 * what loads the state, a guest's kernel that switches its tasks would store and load another's.
 */
static bool find_eager(void)
{
	if (cpu_has_xsave && !xsave_safe(boot_area, XCR0_LEGACY)) {
		log_info("fpu: XSAVE goes past CR0.TS here: registers are loaded at each switch");
		return true;
	}
	return spec_plan.eager_fpu;
}

static void read_facts(void)
{
	u32 mask;

	fxsave(boot_area);
	memcpy(&mask, boot_area + FX_MXCSR_MASK, sizeof(mask));
	mxcsr_mask = mask ? mask : MXCSR_MASK_DEFAULT;
	pointers_stay = find_pointers_stay();
}

void fpu_init(void)
{
	u32 a, b, c, d;

	if (this_cpu_id() == 0)
		read_facts();
	if (cpu_has_xsave) {
		cpuid(0xd, 0, &a, &b, &c, &d);
		xcr0_mask = (a | (u64)d << 32) & XCR0_KNOWN;
		xcr0_loaded[this_cpu_id()] = 0; /* whatever the firmware left */
		xcr0_load_all();
		cpuid(0xd, 0, &a, &b, &c, &d);
		area_size = b; /* for what XCR0 has enabled */
	}
	write_cr0(read_cr0() | X86_CR0_TS);
	if (this_cpu_id() == 0)
		fpu_is_eager = find_eager();
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
	area_reset(area);
	v->fpu_area = area;
	v->fpu_dirty = false;
	v->pv.xcr0 = v->pv.xcr0_ever = xcr0_mask & XCR0_LEGACY;
	return 0;
}

void fpu_vcpu_fini(struct vcpu *v)
{
	xfree(v->fpu_area);
	v->fpu_area = NULL;
}

/* --- the registers --- */

void fpu_switch_out(struct vcpu *v)
{
	if (!v->fpu_dirty)
		return;
	clts(); /* the guest may have set its own TS meanwhile */
	if (cpu_has_xsave) {
		xcr0_load_all();
		xsave(v->fpu_area, v->pv.xcr0_ever);
	} else {
		fxsave(v->fpu_area);
	}
	v->fpu_dirty = false;
	write_cr0(read_cr0() | X86_CR0_TS);
}

void fpu_switch_in(struct vcpu *v)
{
	if (!cpu_has_xsave || !xcr0_load(v->pv.xcr0))
		return;
	v->pv.xcr0 = v->pv.xcr0_ever = xcr0_mask; /* more than it asked for, and all its own */
	xcr0_load_all();
}

static int state_load(const u8 *area)
{
	if (pointers_stay)
		x87_pointers_clear();
	if (!cpu_has_xsave)
		return fxrstor_safe(area);
	xcr0_load_all();
	return xrstor_safe(area);
}

void fpu_load(struct vcpu *v)
{
	clts();
	if (v->fpu_dirty)
		return; /* its state is still there: only TS had been set */
	if (state_load(v->fpu_area)) {
		area_reset(v->fpu_area);
		BUG_ON(state_load(v->fpu_area));
		domain_crash(v->domain, "the CPU refuses its floating point state");
	}
	fpu_switch_in(v);
	v->fpu_dirty = true;
}

void fpu_load_early(struct vcpu *v)
{
	fpu_load(v);
	if (v->pv.ctrlreg[0] & X86_CR0_TS)
		write_cr0(read_cr0() | X86_CR0_TS);
}

/* --- what comes from outside --- */

static bool xcr0_ok(u64 value)
{
	return (value & XCR0_X87) && !(value & ~xcr0_mask) &&
	       (!(value & XCR0_AVX) || (value & XCR0_SSE));
}

int fpu_set_xcr0(struct vcpu *v, u64 value)
{
	if (!cpu_has_xsave || !xcr0_ok(value))
		return -EINVAL;
	v->pv.xcr0 = value;
	v->pv.xcr0_ever |= value;
	if (v == current)
		fpu_switch_in(v);
	return 0;
}

void fpu_take_fxsave(struct vcpu *v, const void *image)
{
	u8 *area = v->fpu_area;

	memcpy(area, image, FXSAVE_SIZE);
	*(u32 *)(area + FX_MXCSR) &= mxcsr_mask;
	if (cpu_has_xsave)
		*header_of(area) |= XCR0_LEGACY;
}

void fpu_give_fxsave(const struct vcpu *v, void *image)
{
	u64 present = cpu_has_xsave ? *header_of(v->fpu_area) : XCR0_LEGACY;
	u8 *to = image;

	/* What XSAVE found in its initial state it has not written. */
	memcpy(to, v->fpu_area, FXSAVE_SIZE);
	if (!(present & XCR0_X87)) {
		memset(to, 0, FX_MXCSR);
		memset(to + FX_ST, 0, FX_XMM - FX_ST);
		*(u16 *)(to + FX_FCW) = FCW_RESET;
	}
	if (!(present & XCR0_SSE))
		memset(to + FX_XMM, 0, FX_END - FX_XMM);
}

static bool xsave_ok(const u8 *area, u64 states)
{
	u64 header[XSAVE_HEADER_SIZE / 8];
	u32 mxcsr;

	memcpy(&mxcsr, area + FX_MXCSR, sizeof(mxcsr));
	memcpy(header, area + XSAVE_HEADER, sizeof(header));
	for (size_t i = 1; i < ARRAY_SIZE(header); i++)
		if (header[i])
			return false;
	return !(header[0] & ~states) && !(mxcsr & ~mxcsr_mask);
}

int fpu_take_xsave(struct vcpu *v, u64 xcr0, u64 xcr0_ever, const void *area, size_t len)
{
	if (!cpu_has_xsave || len < XSAVE_HEADER + XSAVE_HEADER_SIZE || len > area_size)
		return -EINVAL;
	if (!xcr0_ok(xcr0) || !xcr0_ok(xcr0_ever) || (xcr0 & ~xcr0_ever) ||
	    !xsave_ok(area, xcr0_ever))
		return -EINVAL;
	memset(v->fpu_area, 0, area_size);
	memcpy(v->fpu_area, area, len);
	v->pv.xcr0 = xcr0;
	v->pv.xcr0_ever = xcr0_ever | XCR0_LEGACY;
	return 0;
}
