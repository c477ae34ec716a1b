/* SPDX-License-Identifier: MIT */
/*
 * ops_cpu.c - what guests do with the registers of the CPU: vector registers and XCR0, CR4, MSRs,
 * debug registers. Each vcpu knows what it left in its own, and after each step of any guest the
 * CPU it is on must hold that and nothing else.
 */
#include "guest.h"
#include "pv/context.h"
#include "pv/emul.h"
#include "x86/asm.h"
#include "x86/fpu_insn.h"
#include "x86/lock.h"

#define CR4_GUEST (X86_CR4_TSD | X86_CR4_FSGSBASE)

/* What a vcpu believes of its registers. */
struct registers {
	u32 domid_1; /* whose this is, + 1 */
	u64 x87, xmm, ymm_high, xcr0;
	u64 cr4, tsc_aux, fs_base;
	u64 dr[4], dr6, dr7;
};
static struct registers believed[SLOTS][GUEST_VCPUS];
static u64 next_value = 1;

/* A value nobody else has. */
static u64 unique(void)
{
	return __atomic_add_fetch(&next_value, 1, __ATOMIC_RELAXED);
}

/* Of current; a vcpu that is seen for the first time has what its context gave it. */
static struct registers *mine(void)
{
	const struct vcpu *v = current;
	struct registers *r = &believed[v->domain->domain_id % SLOTS][v->vcpu_id];

	if (r->domid_1 == v->domain->domain_id + 1u)
		return r;
	*r = (struct registers){ .domid_1 = v->domain->domain_id + 1u,
				 .xcr0 = v->pv.xcr0,
				 .cr4 = v->pv.ctrlreg[4] & CR4_GUEST,
				 .fs_base = fake_cpu.msr_fs_base,
				 .dr6 = X86_DR6_DEFAULT,
				 .dr7 = X86_DR7_DEFAULT };
	for (unsigned int i = 0; i < 4; i++)
		r->dr[i] = v->pv.debugreg[i];
	return r;
}

static void wrong(const char *what, u64 is, u64 wanted)
{
	machine_fail("CPU %u runs d%uv%u: %s is %#lx, not %#lx", this_cpu_id(),
		     current->domain->domain_id, current->vcpu_id, what, (unsigned long)is,
		     (unsigned long)wanted);
}

static void same(const char *what, u64 is, u64 wanted)
{
	if (is != wanted)
		wrong(what, is, wanted);
}

void check_registers(void)
{
	const struct registers *r = mine();

	same("XCR0", fake_fpu.xcr0, r->xcr0);
	same("CR4", fake_cpu.cr4 & CR4_GUEST, r->cr4);
	same("TSC_AUX", fake_cpu.msr_tsc_aux, r->tsc_aux);
	same("FS base", fake_cpu.msr_fs_base, r->fs_base);
	same("DR7", fake_cpu.dr[7] & 0xff, r->dr7 & 0xff);
	same("DR6 of the CPU", fake_cpu.dr[6] & 0xf, 0);
	for (unsigned int i = 0; i < 4 && r->dr7 & 0xff; i++)
		same("DR0-3", fake_cpu.dr[i], r->dr[i]);
	/* what a kernel's XSAVE would store */
	if (!(fake_cpu.cr0 & X86_CR0_TS) || fake_xsave_ignores_ts) {
		same("x87", fake_fpu.x87, r->x87);
		same("XMM", fake_fpu.xmm, r->xmm);
		same("YMM", fake_fpu.ymm_high, r->ymm_high);
	}
}

/* --- instructions --- */

/* Runs one in the guest's kernel. False: it is refused, which would be its #GP. */
static bool execute(struct guest_vcpu *gv, const char *bytes, size_t n, u64 rcx, u64 value)
{
	struct cpu_user_regs *regs = guest_regs();
	bool is_done;

	memset(gv->args, 0x90, 32);
	memcpy(gv->args, bytes, n);
	*regs = (struct cpu_user_regs){ .rip = GUEST_PTR(gv->args), .rcx = rcx,
					.rax = (u32)value, .rdx = value >> 32 };
	hv_lock();
	is_done = pv_emul_privileged(regs) == EMUL_DONE;
	hv_unlock();
	return is_done;
}
#define EXECUTE(gv, bytes, rcx, value) execute(gv, bytes, sizeof(bytes) - 1, rcx, value)

static bool is_valid_xcr0(u64 v)
{
	return v & 1 && !(v & ~FAKE_XCR0) && (!(v & 4) || v & 2);
}

static bool xsetbv_start(struct guest *g, struct guest_vcpu *gv)
{
	u64 value = cpu_random(10);

	if (EXECUTE(gv, "\x0f\x01\xd1", 0, value) != is_valid_xcr0(value))
		machine_fail("XSETBV %lu", (unsigned long)value);
	if (is_valid_xcr0(value))
		mine()->xcr0 = value;
	return is_valid_xcr0(value);
}

/* The first use traps; what is there is this vcpu's; then there is something new. */
static bool vector_start(struct guest *g, struct guest_vcpu *gv)
{
	struct registers *r = mine();

	if (fake_cpu.cr0 & X86_CR0_TS) {
		guest_regs()->entry_vector = 7;
		pv_trap(guest_regs());
	}
	check_registers();
	fake_fpu.fip = r->x87 = fake_fpu.x87 = cpu_random(3) ? unique() : 0;
	r->xmm = fake_fpu.xmm = cpu_random(3) ? unique() : 0;
	r->ymm_high = fake_fpu.ymm_high = r->xcr0 & 4 && cpu_random(3) ? unique() : r->ymm_high;
	return true;
}

static bool taskswitch_start(struct guest *g, struct guest_vcpu *gv)
{
	return call(__HYPERVISOR_fpu_taskswitch, 0, 0, 0, 0);
}

static bool cr4_start(struct guest *g, struct guest_vcpu *gv)
{
	u64 value = (u64)cpu_random(1 << 22);

	if (!EXECUTE(gv, "\x0f\x22\xe0", 0, value))
		return false;
	mine()->cr4 = value & CR4_GUEST;
	return true;
}

static bool tsc_aux_start(struct guest *g, struct guest_vcpu *gv)
{
	u64 value = cpu_random(4) ? unique() & 0xffffffff : 0;

	if (!EXECUTE(gv, "\x0f\x30", MSR_TSC_AUX, value))
		return false;
	mine()->tsc_aux = value;
	return true;
}

static bool fs_base_start(struct guest *g, struct guest_vcpu *gv)
{
	u64 value = cpu_random(8) ? unique() : 1ULL << 63;

	if (!EXECUTE(gv, "\x0f\x30", MSR_FS_BASE, value))
		return false;
	if (!va_is_canonical(value))
		machine_fail("FS base %lx was taken", (unsigned long)value);
	mine()->fs_base = value;
	return true;
}

static bool debug_start(struct guest *g, struct guest_vcpu *gv)
{
	u64 value = cpu_random(3) ? cpu_random(1 << 12) << 4 : HV_HOLE_START + cpu_random(100);

	gv->place = cpu_random(4);
	gv->mfn[0] = (u32)value;
	return call(__HYPERVISOR_set_debugreg, gv->place, value, 0, 0);
}

static bool debug_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	if (rc == 0)
		mine()->dr[gv->place] = gv->mfn[0];
	return rc == 0;
}

static bool arm_start(struct guest *g, struct guest_vcpu *gv)
{
	gv->mfn[0] = cpu_random(2) ? 1u << cpu_random(8) : 0;
	return call(__HYPERVISOR_set_debugreg, 7, gv->mfn[0], 0, 0);
}

static bool arm_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	if (rc == 0)
		mine()->dr7 = gv->mfn[0] | X86_DR7_DEFAULT;
	return rc == 0;
}

/* A #DB, and what it tells. */
static bool breakpoint_start(struct guest *g, struct guest_vcpu *gv)
{
	struct registers *r = mine();
	u32 which = 1u << cpu_random(4);

	fake_cpu.dr[6] |= which;
	r->dr6 |= which;
	pv_debug_trap(&current->pv);
	same("DR6 of the guest", current->pv.debugreg[6], r->dr6);
	return true;
}

static bool dr6_start(struct guest *g, struct guest_vcpu *gv)
{
	return call(__HYPERVISOR_set_debugreg, 6, 0, 0, 0);
}

static bool dr6_done(struct guest *g, struct guest_vcpu *gv, long rc)
{
	mine()->dr6 = X86_DR6_DEFAULT;
	return rc == 0;
}

struct op cpu_ops[] = {
	{ "XSETBV", 2, 1, xsetbv_start, NULL },
	{ "vector registers", 3, 1, vector_start, NULL },
	{ "clts", 1, 1, taskswitch_start, NULL },
	{ "CR4", 1, 1, cr4_start, NULL },
	{ "TSC_AUX", 2, 1, tsc_aux_start, NULL },
	{ "FS base", 1, 1, fs_base_start, NULL },
	{ "breakpoint address", 1, 1, debug_start, debug_done },
	{ "breakpoints armed", 2, 1, arm_start, arm_done },
	{ "breakpoint met", 1, 1, breakpoint_start, NULL },
	{ "DR6 cleared", 1, 1, dr6_start, dr6_done },
	{ .name = NULL },
};
