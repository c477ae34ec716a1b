/* SPDX-License-Identifier: MIT */
/*
 * traps.c - every exception of a guest: what the hypervisor handles itself (page-table stores,
 * privileged instructions, the lazy FPU, the LDT), and what is the guest's own and goes to its trap
 * table.
 */
#include "domain/fpu.h"
#include "domain/hc_args.h"
#include "lib/log.h"
#include "lib/errno.h"
#include "pv/bounce.h"
#include "pv/context.h"
#include "pv/desc.h"
#include "pv/emul.h"
#include "pv/enter.h"
#include "pv/ptwr.h"
#include "pv/pv.h"
#include "pv/shadow.h"
#include "x86/asm.h"
#include "x86/guest_access.h"
#include "x86/layout.h"
#include "x86/lock.h"
#include "x86/segment.h"

#define PF_PRESENT 1u
#define PF_WRITE 2u
#define PF_USER 4u
#define PF_RESERVED 8u
#define GP_IDT 2u
#define SELECTOR_INDEX 0xfff8u

#define VEC_DB 1
#define VEC_UD 6
#define VEC_NM 7
#define VEC_GP 13
#define VEC_PF 14

/* `int n` from ring 3: the IDT refuses it with the vector in the error code. */
static bool soft_int(struct cpu_user_regs *regs)
{
	u8 bytes[2];
	unsigned int vector;

	/* QEMU 7.2 shifts the vector once too often: the instruction itself says which it was */
	if (!(regs->error_code & GP_IDT) || copy_from_guest(bytes, regs->rip, sizeof(bytes)) ||
	    bytes[0] != 0xcd)
		return false;
	vector = bytes[1];
	/* only gates the guest opened to its user mode */
	if (!current->pv.in_kernel && current->pv.trap[vector].dpl < 3)
		return false;
	if (!current->pv.trap[vector].address)
		return false;
	regs->rip += sizeof(bytes);
	pv_inject_trap(regs, vector, 0);
	return true;
}

static void general_protection(struct cpu_user_regs *regs)
{
	if (regs->error_code) {
		if (!soft_int(regs))
			pv_inject_trap(regs, VEC_GP, regs->error_code);
		return;
	}
	if (pv_emul_barrier(regs))
		return;
	if (pv_enter())
		return; /* the instruction runs again */
	if (pv_emul_privileged(regs) == EMUL_REFUSED)
		pv_inject_trap(regs, VEC_GP, 0);
	pv_leave();
}

/*
 * The CPU itself, on the guest's account, read a descriptor that is not there: of the vcpu's GDT,
 * as the CPU says of a smaller limit; of its LDT, as of that table at the guest's own address.
 */
static bool descriptor_fault(struct cpu_user_regs *regs, u64 va, u32 code)
{
	u64 gdt = VCPU_GDT_VA(current->vcpu_id), ldt = VCPU_LDT_VA(current->vcpu_id);

	if (code & PF_USER)
		return false;
	if (va >= gdt && va < gdt + VCPU_GDT_PAGES * PAGE_SIZE) {
		pv_inject_trap(regs, VEC_GP, (u32)(va - gdt) & SELECTOR_INDEX);
		return true;
	}
	if (va < ldt || va >= ldt + VCPU_LDT_PAGES * PAGE_SIZE)
		return false;
	pv_inject_page_fault(regs, va - ldt + current->pv.ldt_base, code);
	return true;
}

static bool shadow_fault_locked(u64 va, u32 *code)
{
	bool is_done;

	hv_lock();
	is_done = shadow_fault(va, code);
	hv_unlock();
	return is_done;
}

static inline __attribute__((always_inline)) void own_fault(struct cpu_user_regs *regs, u64 va,
							    u32 code)
{
	if (code & PF_RESERVED) {
		/* validated tables have no reserved bits set */
		domain_log(current->domain, LOG_ERROR,
			   "d%u: reserved bit in a page-table entry for %#lx",
			   current->domain->domain_id, (unsigned long)va);
	}
	if ((code & (PF_PRESENT | PF_WRITE)) == (PF_PRESENT | PF_WRITE) && current->pv.in_kernel &&
	    pv_ptwr_fault(regs, va))
		return;
	pv_inject_page_fault(regs, va, code);
}

/*
 * At an address of the hypervisor's; or of a guest in log-dirty mode, whose own tables may not say
 * what the CPU's code does.
 */
static __attribute__((noinline)) void odd_fault(struct cpu_user_regs *regs, u64 va)
{
	u32 code = regs->error_code;

	if (guest_address_ok(va)) {
		if (!shadow_fault_locked(va, &code))
			own_fault(regs, va, code);
		return;
	}
	/* a selector load reaches into the LDT window on the CPU's own account */
	if (!(code & PF_USER) && pv_fixup_hv_fault(va, code))
		return;
	if (descriptor_fault(regs, va, code))
		return;
	/* what is there is not told */
	pv_inject_page_fault(regs, va, code & ~PF_PRESENT);
}

/* Without the lock, but for those that change something: most faults are the guest's own. */
static void page_fault(struct cpu_user_regs *regs)
{
	u64 va = read_cr2();

	/* as guest_address_ok() says, outside log-dirty mode, and with as many comparisons */
	if (unlikely(va - HV_HOLE_END >= current->pv.fault_range))
		odd_fault(regs, va);
	else
		own_fault(regs, va, regs->error_code);
}

static void device_not_available(struct cpu_user_regs *regs)
{
	fpu_load(current);
	if (!(current->pv.ctrlreg[0] & X86_CR0_TS))
		return;
	/*
	 * the guest's own lazy switching: its handler clears its TS (ABI: already clear when it
	 * runs)
	 */
	current->pv.ctrlreg[0] &= ~X86_CR0_TS;
	pv_inject_trap(regs, VEC_NM, 0);
}

static void debug_exception(struct cpu_user_regs *regs)
{
	pv_debug_trap(&current->pv);
	pv_inject_trap(regs, VEC_DB, 0);
}

static void undefined_opcode(struct cpu_user_regs *regs)
{
	if (!pv_emul_forced_cpuid(regs))
		pv_inject_trap(regs, VEC_UD, 0);
}

void pv_trap(struct cpu_user_regs *regs)
{
	switch (regs->entry_vector) {
	case VEC_PF:
		page_fault(regs);
		break;
	case VEC_GP:
		general_protection(regs);
		break;
	case VEC_NM:
		device_not_available(regs);
		break;
	case VEC_UD:
		undefined_opcode(regs);
		break;
	case VEC_DB:
		debug_exception(regs);
		break;
	default:
		pv_inject_trap(regs, regs->entry_vector, regs->error_code);
		break;
	}
}

bool pv_fixup_hv_fault(unsigned long va, u32 error_code)
{
	unsigned long ldt = VCPU_LDT_VA(current->vcpu_id);
	bool is_mapped;

	if ((error_code & PF_PRESENT) || va < ldt || va >= ldt + VCPU_LDT_PAGES * PAGE_SIZE)
		return false;
	/*
	 * Not pv_enter(): a selector load of the hypervisor's own, in the middle of a switch, comes
	 * here too. The frame is looked at and taken in one step.
	 */
	hv_lock();
	is_mapped = pv_ldt_map(va - ldt);
	hv_unlock();
	return is_mapped;
}

bool pv_fixup_copy_fault(unsigned long va, u32 error_code)
{
	return guest_address_ok(va) && !current->pv.fault_range &&
	       shadow_fault_locked(va, &error_code);
}

void pv_iret_fault(struct cpu_user_regs *regs)
{
	if (regs->entry_vector != VEC_PF)
		pv_inject_trap(regs, regs->entry_vector, regs->error_code);
	else if (!descriptor_fault(regs, read_cr2(), regs->error_code))
		domain_crash(current->domain, "return to cs %#x ss %#x rip %#lx faults at %#lx",
			     regs->cs,
			     regs->ss, (unsigned long)regs->rip, read_cr2());
}
