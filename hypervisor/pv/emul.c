/* SPDX-License-Identifier: MIT */
/*
 * emul.c - the privileged instructions a paravirtual kernel still executes: a table from opcode to
 * handler. Each acts on a copy of the registers that is taken only when it succeeded.
 */
#include "pv/emul.h"

#include "domain/fpu.h"
#include "domain/hc_args.h"
#include "domain/preempt.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "pv/bounce.h"
#include "pv/context.h"
#include "pv/insn.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/guest_access.h"
#include "x86/segment.h"
#include "x86/spec_ctrl.h"

#define RDMSR_CODE 0x320f /* 0f 32 */
#define WRMSR_CODE 0x300f
#define MSR_CODE_LEN 2

struct emul {
	struct insn insn;
	struct cpu_user_regs regs; /* the copy */
};

/* The guest's kernel counts as ring 1, unless it asked for the architecture's own meaning. */
static bool iopl_ok(void)
{
	const struct vcpu *v = current;
	bool is_ring0 = v->domain->vm_assist & (1UL << VMASST_TYPE_architectural_iopl);
	u32 ring = v->pv.in_kernel ? !is_ring0 : 3;

	return ring <= v->pv.iopl;
}

/* One more iteration of a string instruction? RCX and RSI/RDI are the guest's progress. */
static bool string_step(struct emul *e, u64 *index, unsigned int size)
{
	*index += e->regs.rflags & X86_EFLAGS_DF ? -(u64)size : size;
	return e->insn.rep && --e->regs.rcx != 0;
}

/*
 * INS/OUTS. Progress is kept in the registers, so that a fault or preemption resumes at the same
 * instruction.
 */
static enum emul_result string_io(struct emul *e, bool is_in)
{
	unsigned int size = insn_operand_size(&e->insn, !(e->insn.opcode & 1));
	u16 port = e->regs.dx;
	u64 *index = is_in ? &e->regs.rdi : &e->regs.rsi;

	size = MIN(size, 4u);
	if (e->insn.segment) /* FS/GS-based OUTS: nobody needs it */
		return EMUL_REFUSED;
	if (e->insn.rep && !e->regs.rcx)
		return EMUL_DONE;
	for (;;) {
		u32 val = 0;

		if (is_in) {
			val = pv_ioport_read(current->domain, port, size);
			if (copy_to_guest(*index, &val, size)) {
				*guest_regs() = e->regs; /* the elements done stay done */
				pv_inject_page_fault(guest_regs(), *index, 2);
				return EMUL_FAULTED;
			}
		} else {
			if (copy_from_guest(&val, *index, size)) {
				*guest_regs() = e->regs; /* the elements done stay done */
				pv_inject_page_fault(guest_regs(), *index, 0);
				return EMUL_FAULTED;
			}
			pv_ioport_write(current->domain, port, size, val);
		}
		if (!string_step(e, index, size))
			return EMUL_DONE;
		if (hypercall_should_preempt()) {
			e->insn.len = 0; /* again, from the registers as they are */
			return EMUL_DONE;
		}
	}
}

static enum emul_result do_ins(struct emul *e)
{
	return iopl_ok() ? string_io(e, true) : EMUL_REFUSED;
}

static enum emul_result do_outs(struct emul *e)
{
	return iopl_ok() ? string_io(e, false) : EMUL_REFUSED;
}

static enum emul_result do_in(struct emul *e)
{
	unsigned int size = MIN(insn_operand_size(&e->insn, !(e->insn.opcode & 1)), 4u);
	u16 port = e->insn.opcode < 0xe8 ? (u8)e->insn.imm : e->regs.dx;

	if (!iopl_ok())
		return EMUL_REFUSED;
	insn_reg_write(&e->insn, &e->regs, 0, size, pv_ioport_read(current->domain, port, size));
	return EMUL_DONE;
}

static enum emul_result do_out(struct emul *e)
{
	unsigned int size = MIN(insn_operand_size(&e->insn, !(e->insn.opcode & 1)), 4u);
	u16 port = e->insn.opcode < 0xe8 ? (u8)e->insn.imm : e->regs.dx;

	if (!iopl_ok())
		return EMUL_REFUSED;
	pv_ioport_write(current->domain, port, size,
			(u32)insn_reg_read(&e->insn, &e->regs, 0, size));
	return EMUL_DONE;
}

/* CLI, STI: the ABI says they do nothing; events are masked in vcpu_info. */
static enum emul_result do_cli_sti(struct emul *e)
{
	return iopl_ok() ? EMUL_DONE : EMUL_REFUSED;
}

static enum emul_result do_rdmsr(struct emul *e)
{
	u64 val = 0;

	if (!current->pv.in_kernel || !pv_msr_read(current, e->regs.ecx, &val))
		return EMUL_REFUSED;
	e->regs.rax = (u32)val;
	e->regs.rdx = val >> 32;
	return EMUL_DONE;
}

static enum emul_result do_wrmsr(struct emul *e)
{
	u64 val = (u64)e->regs.edx << 32 | e->regs.eax;

	if (!current->pv.in_kernel || !pv_msr_write(current, e->regs.ecx, val))
		return EMUL_REFUSED;
	return EMUL_DONE;
}

static enum emul_result do_cr_read(struct emul *e)
{
	const struct pv_vcpu *pv = &current->pv;
	u64 val;

	if (!pv->in_kernel)
		return EMUL_REFUSED;
	switch (e->insn.reg) {
	case 0: /* only TS is the guest's own */
		val = (read_cr0() & ~X86_CR0_TS) | (pv->ctrlreg[0] & X86_CR0_TS);
		break;
	case 2:
		val = current->vcpu_info->arch.cr2;
		break;
	case 3:
		val = mfn_to_maddr(frame_to_mfn(pv->cr3_kernel));
		break;
	case 4: /* what the guest set, and what is so for every guest */
		val = pv->ctrlreg[4] |
		      (read_cr4() & (X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT));
		break;
	default:
		return EMUL_REFUSED;
	}
	insn_reg_write(&e->insn, &e->regs, e->insn.rm, 8, val);
	return EMUL_DONE;
}

static enum emul_result do_cr_write(struct emul *e)
{
	struct pv_vcpu *pv = &current->pv;
	u64 val = insn_reg_read(&e->insn, &e->regs, e->insn.rm, 8);
	struct hc_args ts;

	if (!pv->in_kernel)
		return EMUL_REFUSED;
	switch (e->insn.reg) {
	case 0:
		ts.a[0] = !!(val & X86_CR0_TS);
		hc_fpu_taskswitch(&ts);
		return EMUL_DONE;
	case 2:
		current->vcpu_info->arch.cr2 = val;
		return EMUL_DONE;
	case 4: /* but for these the real CR4 stays the hypervisor's (C54) */
		pv->ctrlreg[4] = val & pv_cr4_guest_bits();
		pv_cr4_load(current);
		return EMUL_DONE;
	default:
		return EMUL_REFUSED;
	}
}

static enum emul_result do_clts(struct emul *e)
{
	struct hc_args ts = { { 0 } };

	if (!current->pv.in_kernel)
		return EMUL_REFUSED;
	hc_fpu_taskswitch(&ts);
	return EMUL_DONE;
}

static enum emul_result do_dr_write(struct emul *e)
{
	struct hc_args a = { { e->insn.reg, insn_reg_read(&e->insn, &e->regs, e->insn.rm, 8) } };

	if (!current->pv.in_kernel || hc_set_debugreg(&a))
		return EMUL_REFUSED;
	return EMUL_DONE;
}

static enum emul_result do_dr_read(struct emul *e)
{
	struct hc_args a = { { e->insn.reg } };

	if (!current->pv.in_kernel || hc_get_debugreg(&a))
		return EMUL_REFUSED;
	insn_reg_write(&e->insn, &e->regs, e->insn.rm, 8, (u64)a.value);
	return EMUL_DONE;
}

static enum emul_result do_wbinvd(struct emul *e)
{
	if (!current->pv.in_kernel)
		return EMUL_REFUSED;
	/* without devices of its own a guest has nothing to flush */
	if (current->domain->is_privileged)
		__asm__ volatile("wbinvd" ::: "memory");
	return EMUL_DONE;
}

/* Traps while the guest has set its CR4.TSD, which is for its user mode only. */
static enum emul_result do_rdtsc(struct emul *e)
{
	u64 tsc = rdtsc();

	if (!current->pv.in_kernel && current->pv.ctrlreg[4] & X86_CR4_TSD)
		return EMUL_REFUSED;
	e->regs.rax = (u32)tsc;
	e->regs.rdx = tsc >> 32;
	return EMUL_DONE;
}

static enum emul_result do_rdtscp(struct emul *e)
{
	enum emul_result result = do_rdtsc(e);

	if (result == EMUL_DONE)
		e->regs.rcx = current->pv.tsc_aux;
	return result;
}

static enum emul_result do_xsetbv(struct emul *e)
{
	u64 val = (u64)e->regs.edx << 32 | e->regs.eax;

	if (!current->pv.in_kernel || e->regs.ecx != 0)
		return EMUL_REFUSED;
	return fpu_set_xcr0(current, val) ? EMUL_REFUSED : EMUL_DONE;
}

static enum emul_result do_group7(struct emul *e)
{
	if (e->insn.mod != 3 || (e->insn.rm & 7) != 1)
		return EMUL_REFUSED;
	switch (e->insn.reg & 7) {
	case 2: /* 0f 01 d1 */
		return do_xsetbv(e);
	case 7: /* 0f 01 f9 */
		return do_rdtscp(e);
	default:
		return EMUL_REFUSED;
	}
}

static const struct {
	u16 opcode;
	enum emul_result (*fn)(struct emul *e);
} handlers[] = {
	{ 0xfa, do_cli_sti }, { 0xfb, do_cli_sti }, { 0xec, do_in },       { 0xed, do_in },
	{ 0xee, do_out },     { 0xef, do_out },     { 0x0f32, do_rdmsr },  { 0x0f30, do_wrmsr },
	{ 0xe4, do_in },      { 0xe5, do_in },      { 0xe6, do_out },      { 0xe7, do_out },
	{ 0x6c, do_ins },     { 0x6d, do_ins },     { 0x6e, do_outs },     { 0x6f, do_outs },
	{ 0x0f20, do_cr_read },  { 0x0f22, do_cr_write }, { 0x0f21, do_dr_read },
	{ 0x0f23, do_dr_write },
	{ 0x0f06, do_clts },  { 0x0f08, do_wbinvd }, { 0x0f09, do_wbinvd }, { 0x0f31, do_rdtsc },
	{ 0x0f01, do_group7 },
};

/* The guest's kernel stands before these two bytes: known before anything is decoded. */
static bool kernel_is_at(const struct cpu_user_regs *regs, u16 code)
{
	u16 bytes;

	return current->pv.in_kernel && !copy_from_guest(&bytes, regs->rip, sizeof(bytes)) &&
	       bytes == code;
}

/*
 * What a kernel executes at each of its context switches, to learn the user's GS base. False:
 * another instruction, or the long way says no.
 */
static bool rdmsr_at_once(struct cpu_user_regs *regs)
{
	u64 val;

	if (!kernel_is_at(regs, RDMSR_CODE) || !pv_msr_read(current, regs->ecx, &val))
		return false;
	regs->rax = (u32)val;
	regs->rdx = val >> 32;
	regs->rip += MSR_CODE_LEN;
	return true;
}

bool pv_emul_barrier(struct cpu_user_regs *regs)
{
	if ((regs->ecx != MSR_PRED_CMD && regs->ecx != MSR_FLUSH_CMD) ||
	    !kernel_is_at(regs, WRMSR_CODE) ||
	    !pv_msr_write(current, regs->ecx, (u64)regs->edx << 32 | regs->eax))
		return false;
	regs->rip += MSR_CODE_LEN;
	return true;
}

enum emul_result pv_emul_privileged(struct cpu_user_regs *regs)
{
	struct emul e;
	u64 fault_va;
	int rc;

	if (rdmsr_at_once(regs))
		return EMUL_DONE;
	rc = insn_fetch(&e.insn, regs, &fault_va);
	if (rc)
		return EMUL_REFUSED;
	e.regs = *regs;
	for (size_t n = 0; n < ARRAY_SIZE(handlers); n++) {
		enum emul_result result;

		if (handlers[n].opcode != e.insn.opcode)
			continue;
		result = handlers[n].fn(&e);
		if (result == EMUL_DONE) {
			e.regs.rip += e.insn.len;
			*regs = e.regs;
		}
		return result;
	}
	return EMUL_REFUSED;
}

bool pv_emul_forced_cpuid(struct cpu_user_regs *regs)
{
	static const u8 prefix[] = { 0x0f, 0x0b, 'x', 'e', 'n', 0x0f, 0xa2 };
	u8 bytes[sizeof(prefix)];
	u32 r[4];

	if (copy_from_guest(bytes, regs->rip, sizeof(bytes)) ||
	    memcmp(bytes, prefix, sizeof(bytes)))
		return false;
	pv_cpuid_executed(current, regs->eax, regs->ecx, r);
	regs->rax = r[0];
	regs->rbx = r[1];
	regs->rcx = r[2];
	regs->rdx = r[3];
	regs->rip += sizeof(bytes);
	return true;
}
