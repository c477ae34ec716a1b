/* SPDX-License-Identifier: MIT */
/*
 * cpuid.c - the CPU as a paravirtual kernel should see it: the real one without what a PV guest
 * cannot use, by allow-masks per leaf, and the hypervisor's own leaves. Guest user mode sees the
 * real CPUID: nothing here is a secret.
 */
#include "domain/fpu.h"
#include "pv/pv.h"

#include <xen/arch-x86/cpuid.h>
#include <xen/version.h>

#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/spec_ctrl.h"

#define BIT(n) (1u << (n))

/* leaf 1 */
#define L1_EDX_ALLOWED                                                                             \
	(BIT(0) /* FPU */ | BIT(2) /* DE */ | BIT(4) /* TSC */ | BIT(5) /* MSR */ |                \
	 BIT(6) /* PAE */ | BIT(7) /* MCE */ | BIT(8) /* CX8 */ | BIT(9) /* APIC */ |              \
	 BIT(11) /* SEP */ | BIT(14) /* MCA */ | BIT(15) /* CMOV */ | BIT(16) /* PAT */ |          \
	 BIT(19) /* CLFLUSH */ | BIT(22) /* ACPI */ | BIT(23) /* MMX */ | BIT(24) /* FXSR */ |     \
	 BIT(25) /* SSE */ | BIT(26) /* SSE2 */ | BIT(27) /* SS */ | BIT(28) /* HTT */)
#define L1_ECX_ALLOWED                                                                             \
	(BIT(0) /* SSE3 */ | BIT(1) /* PCLMUL */ | BIT(9) /* SSSE3 */ | BIT(12) /* FMA */ |        \
	 BIT(13) /* CX16 */ | BIT(19) /* SSE4.1 */ | BIT(20) /* SSE4.2 */ | BIT(22) /* MOVBE */ |  \
	 BIT(23) /* POPCNT */ | BIT(25) /* AES */ | BIT(26) /* XSAVE */ | BIT(28) /* AVX */ |      \
	 BIT(29) /* F16C */ | BIT(30) /* RDRAND */)
#define L1_ECX_OSXSAVE BIT(27)
#define L1_ECX_HYPERVISOR BIT(31)
/* leaf 7.0 */
#define L7_EBX_ALLOWED                                                                             \
	(BIT(0) /* FSGSBASE */ | BIT(3) /* BMI1 */ | BIT(5) /* AVX2 */ | BIT(6) /* FDP */ |        \
	 BIT(8) /* BMI2 */ | BIT(9) /* ERMS */ | BIT(13) /* no FCS/FDS */ | BIT(18) /* RDSEED */ | \
	 BIT(19) /* ADX */ | BIT(23) /* CLFLUSHOPT */ | BIT(24) /* CLWB */ | BIT(29) /* SHA */)
#define L7_ECX_ALLOWED                                                                             \
	(BIT(8) /* GFNI */ | BIT(9) /* VAES */ | BIT(10) /* VPCLMUL */ |       \
	 BIT(22) /* RDPID */)
#define L7_EDX_ALLOWED (BIT(4) /* FSRM */ | BIT(10) /* MD_CLEAR */)
/* bits that promise a register; not L1D_FLUSH, which is of use to who runs guests */
#define L7_EDX_SPEC_CTRL (BIT(26) /* IBRSB */ | BIT(27) /* STIBP */ | BIT(31) /* SSBD */)
#define L7_EDX_ARCH_CAPS BIT(29)
/*
 * leaf 0xd.1; no supervisor states, no MSR that turns features off, and no XSAVEC, though Xen shows
 * it: QEMU's TCG has none, and with Bochs 2.7's a Linux ends in "Bad FPU state". Kernels take
 * XSAVEOPT then, which both have.
 */
#define LD_1_EAX_ALLOWED (BIT(0) /* XSAVEOPT */ | BIT(2) /* XGETBV(1) */)
/* leaf 0x80000008; AMD's SPEC_CTRL is there to be used, and not shown, as by Xen */
#define E8_EBX_ALLOWED (BIT(26) /* SSB_NO */ | BIT(29) /* BTC_NO */)
#define E8_EBX_IBPB (BIT(12) /* IBPB */ | BIT(30) /* IBPB_RET */)
/* leaf 0x80000001 */
#define E1_EDX_ALLOWED                                                                             \
	(BIT(11) /* SYSCALL */ | BIT(20) /* NX */ | BIT(22) /* MMXEXT */ | BIT(25) /* FFXSR */ |   \
	 BIT(27) /* RDTSCP */ | BIT(29) /* LM */ | BIT(30) /* 3DNOWEXT */ | BIT(31) /* 3DNOW */)
/* AMD repeats leaf 1's bits here */
#define E1_EDX_COMMON 0x0183f3ffu
#define E1_ECX_ALLOWED                                                                             \
	(BIT(0) /* LAHF */ | BIT(5) /* ABM */ | BIT(6) /* SSE4A */ | BIT(7) /* MISALIGNSSE */ |    \
	 BIT(8) /* 3DNOWPREFETCH */ | BIT(11) /* XOP */ | BIT(16) /* FMA4 */ | BIT(21) /* TBM */)
#define E7_EDX_ITSC BIT(8)

struct leaf {
	u32 a, b, c, d;
};

static void leaf_1(struct leaf *l)
{
	/* the number of the physical CPU it happens to run on is nothing to a guest */
	l->b &= 0x00ffffff;
	l->c = (l->c & L1_ECX_ALLOWED) | L1_ECX_HYPERVISOR;
	if (!fpu_xcr0_mask())
		l->c &= ~(BIT(26) | BIT(28) | BIT(12) | BIT(29));
	l->d &= L1_EDX_ALLOWED;
}

static void leaf_7(struct leaf *l, u32 sub)
{
	if (sub) {
		*l = (struct leaf){ 0 };
		return;
	}
	l->a = 0; /* no further sub-leaves */
	l->b &= L7_EBX_ALLOWED;
	l->c &= L7_ECX_ALLOWED;
	l->d &= L7_EDX_ALLOWED | (spec_plan.guest_spec_ctrl_mask ? L7_EDX_SPEC_CTRL : 0) |
		(spec_plan.has_arch_caps ? L7_EDX_ARCH_CAPS : 0);
}

static void leaf_d(struct leaf *l, u32 sub)
{
	u64 mask = fpu_xcr0_mask();

	if (sub == 0) {
		l->a = (u32)mask;
		l->c = (u32)fpu_area_size();
		l->d = (u32)(mask >> 32);
	} else if (sub == 1) {
		l->a &= LD_1_EAX_ALLOWED;
		l->b = l->c = l->d = 0;
	} else if (sub > 62 || !(mask & 1ULL << sub)) {
		*l = (struct leaf){ 0 };
	}
}

static void leaf_ext_1(struct leaf *l)
{
	u32 leaf1_a, leaf1_b, leaf1_c, leaf1_d;

	cpuid(1, 0, &leaf1_a, &leaf1_b, &leaf1_c, &leaf1_d);
	l->c &= E1_ECX_ALLOWED;
	l->d = (l->d & E1_EDX_ALLOWED) | (l->d & E1_EDX_COMMON & leaf1_d & L1_EDX_ALLOWED);
}

static void leaf_ext_8(struct leaf *l)
{
	l->a &= 0xffff;
	l->b &= E8_EBX_ALLOWED | (spec_plan.has_ibpb ? E8_EBX_IBPB : 0);
	l->c = l->d = 0;
}

/* 0x40000000..: who we are, as the ABI says it to PV guests. */
static void leaf_hypervisor(const struct domain *d, u32 index, struct leaf *l)
{
	*l = (struct leaf){ 0 };
	switch (index) {
	case 0:
		l->a = 0x40000005;
		l->b = XEN_CPUID_SIGNATURE_EBX;
		l->c = XEN_CPUID_SIGNATURE_ECX;
		l->d = XEN_CPUID_SIGNATURE_EDX;
		break;
	case 1:
		l->a = 4u << 16 | 17;
		break;
	case 2:
		l->a = 1; /* hypercall pages */
		l->b = 0x40000000;
		l->c = XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD;
		break;
	case 5:
		l->b = cpu_maxphys_bits;
		break;
	default:
		break;
	}
}

void pv_cpuid(const struct domain *d, u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *dd)
{
	struct leaf l;

	if (leaf >= 0x40000000 && leaf < 0x40010000) {
		/* one interface, at the first base; others in steps of 0x100 are empty */
		leaf_hypervisor(d, leaf < 0x40000100 ? leaf - 0x40000000 : ~0u, &l);
	} else {
		cpuid(leaf, sub, &l.a, &l.b, &l.c, &l.d);
		switch (leaf) {
		case 0:
			l.a = MIN(l.a, 0xdu);
			break;
		case 1:
			leaf_1(&l);
			break;
		case 5: /* MONITOR */
		case 6: /* power management */
		case 9:
		case 0xb: /* topology, with the physical CPU's number */
		case 0xa: /* performance counters */
			l = (struct leaf){ 0 };
			break;
		case 7:
			leaf_7(&l, sub);
			break;
		case 0xd:
			leaf_d(&l, sub);
			break;
		case 0x80000001:
			leaf_ext_1(&l);
			break;
		case 0x80000007:
			/* it holds where the guest stays: dom0 */
			l = (struct leaf){ .d = d->is_privileged ? l.d & E7_EDX_ITSC : 0 };
			break;
		case 0x80000008:
			leaf_ext_8(&l);
			break;
		default:
			if ((leaf > 0xd && leaf < 0x80000000) || leaf > 0x80000008)
				l = (struct leaf){ 0 };
			break;
		}
	}
	*a = l.a;
	*b = l.b;
	*c = l.c;
	*dd = l.d;
}

void pv_cpuid_executed(const struct vcpu *v, u32 leaf, u32 sub, u32 r[4])
{
	pv_cpuid(v->domain, leaf, sub, &r[0], &r[1], &r[2], &r[3]);
	if (leaf == 1 && fpu_xcr0_mask() &&
	    (v->pv.in_kernel || (v->pv.ctrlreg[4] & X86_CR4_OSXSAVE)))
		r[2] |= L1_ECX_OSXSAVE;
}
