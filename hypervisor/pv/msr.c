/* SPDX-License-Identifier: MIT */
/*
 * msr.c - the model-specific registers a guest may read or write: an allow-list (security.md C56);
 * all else is #GP, which Linux's safe accessors expect.
 */
#include "lib/errno.h"
#include "pv/context.h"
#include "pv/emul.h"
#include "x86/asm.h"
#include "x86/spec_ctrl.h"

#define APIC_BASE_BSP (1ULL << 8)
#define APIC_BASE_ENABLE (1ULL << 11)

enum msr_rule {
	MSR_HW,	  /* the hardware's value; writes refused */
	MSR_ZERO, /* reads as 0; writes of anything are dropped */
};

static const struct {
	u32 first, last;
	enum msr_rule rule;
} rules[] = {
	{ 0x277, 0x277, MSR_HW },           /* PAT: how the hypervisor set it, and Linux adapts */
	{ 0xfe, 0xfe, MSR_ZERO },           /* MTRRcap: none to program */
	{ 0x8b, 0x8b, MSR_HW },             /* microcode revision */
	{ 0x17, 0x17, MSR_HW },             /* platform id */
	{ 0x1a0, 0x1a0, MSR_HW },           /* MISC_ENABLE */
	{ 0xce, 0xce, MSR_ZERO },           /* PLATFORM_INFO */
	{ 0x179, 0x17a, MSR_ZERO },         /* MCG_CAP: no banks for a guest; MCG_STATUS */
	{ 0x400, 0x47f, MSR_ZERO },         /* machine-check banks */
	{ 0xc0010000, 0xc0010007, MSR_ZERO }, /* K7 performance counters */
	{ 0xc0010015, 0xc0010015, MSR_HW }, /* HWCR */
	{ 0xc0010055, 0xc0010055, MSR_ZERO }, /* C1E */
	{ 0xc0011029, 0xc0011029, MSR_ZERO }, /* DE_CFG */
};

static bool apic_base_read(const struct vcpu *v, u64 *val)
{
	/* Linux looks whether an APIC is enabled at the architectural place, and never uses it */
	*val = 0xfee00000 | APIC_BASE_ENABLE | (v->vcpu_id == 0 ? APIC_BASE_BSP : 0);
	return true;
}

bool pv_msr_read(struct vcpu *v, u32 msr, u64 *val)
{
	switch (msr) {
	case MSR_SHADOW_GS_BASE: /* once a context switch: first */
	case MSR_FS_BASE:
	case MSR_GS_BASE:
		*val = rdmsr(msr);
		return true;
	case MSR_EFER:
		*val = rdmsr(msr);
		return true;
	case MSR_APIC_BASE:
		return apic_base_read(v, val);
	case MSR_TSC_AUX:
		*val = v->pv.tsc_aux;
		return true;
	case MSR_SPEC_CTRL:
		*val = v->pv.spec_ctrl;
		return spec_plan.guest_spec_ctrl_mask;
	case MSR_ARCH_CAPABILITIES:
		*val = spec_plan.guest_arch_caps;
		return spec_plan.has_arch_caps;
	default:
		break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		if (msr < rules[i].first || msr > rules[i].last)
			continue;
		if (rules[i].rule == MSR_ZERO) {
			*val = 0;
			return true;
		}
		return !rdmsr_safe(msr, val);
	}
	return false;
}

bool pv_msr_write(struct vcpu *v, u32 msr, u64 val)
{
	switch (msr) {
	case MSR_SHADOW_GS_BASE:
	case MSR_FS_BASE:
	case MSR_GS_BASE:
		return !pv_set_segment_base(msr, val);
	case MSR_EFER: /* SCE, LME, LMA, NXE are on for everybody */
		return val == rdmsr(MSR_EFER);
	case MSR_TSC_AUX:
		return !(val >> 32) && pv_tsc_aux_set(v, val);
	case MSR_APIC_BASE:
		return true;
	case MSR_SPEC_CTRL:
	case MSR_PRED_CMD:
	case MSR_FLUSH_CMD:
		return spec_ctrl_guest_write(&v->pv.spec_ctrl, msr, val);
	default:
		break;
	}
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
		u64 now;

		if (msr < rules[i].first || msr > rules[i].last)
			continue;
		if (rules[i].rule == MSR_ZERO)
			return true;
		/* writing back what is there changes nothing */
		return !rdmsr_safe(msr, &now) && now == val;
	}
	return false;
}
