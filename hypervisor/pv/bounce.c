/* SPDX-License-Identifier: MIT */
/*
 * bounce.c - enters the guest kernel on a trap, an event or a system call. The frame's layout is the
 * public ABI's (xen/arch-x86/xen-x86_64.h); security.md C52, C53.
 */
#include "pv/bounce.h"

#include "hypercall/hypercall.h"
#include "pv/context.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/offsets.h"

#define FRAME_MAX_WORDS 8
#define FLAGS_CLEARED_ON_ENTRY                                                                     \
	(X86_EFLAGS_AC | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT | X86_EFLAGS_TF |           \
	 X86_EFLAGS_IOPL)

/* Flags as the guest believes them: IF is its event mask, IOPL is virtual. */
static u64 guest_view_of_flags(const struct vcpu *v, u64 flags)
{
	flags &= ~(u64)(X86_EFLAGS_IF | X86_EFLAGS_IOPL);
	if (!v->vcpu_info->evtchn_upcall_mask)
		flags |= X86_EFLAGS_IF;
	if (v->domain->vm_assist & (1UL << VMASST_TYPE_architectural_iopl))
		flags |= (u64)v->pv.iopl << 12;
	return flags;
}

static void bounce(struct cpu_user_regs *regs, u64 address, bool masks_events, bool has_error,
		   u32 error_code)
{
	struct vcpu *v = current;
	u64 frame[FRAME_MAX_WORDS], sp, cs = regs->cs;
	unsigned int n = 0;

	if (!address) {
		domain_crash(v->domain, "no guest handler for trap %u (error %#x) at %#lx",
			     (unsigned int)regs->entry_vector & 0xff, error_code,
			     (unsigned long)regs->rip);
		return;
	}
	if (v->pv.in_kernel) {
		sp = regs->rsp;
		cs &= ~3ULL; /* the guest kernel sees itself in ring 0 */
	} else {
		pv_toggle_mode(v);
		sp = v->pv.kernel_sp;
	}
	frame[n++] = regs->rcx;
	frame[n++] = regs->r11;
	if (has_error)
		frame[n++] = error_code;
	frame[n++] = regs->rip;
	frame[n++] = (cs & 0xffff) | (u64)v->vcpu_info->evtchn_upcall_mask << 32;
	frame[n++] = guest_view_of_flags(v, regs->rflags);
	frame[n++] = regs->rsp;
	frame[n++] = regs->ss;
	sp = (sp & ~0xfULL) - n * sizeof(frame[0]);
	if (copy_to_guest(sp, frame, n * sizeof(frame[0]))) {
		domain_crash(v->domain, "kernel stack %#lx cannot be written for a trap frame",
			     (unsigned long)sp);
		return;
	}
	if (masks_events)
		v->vcpu_info->evtchn_upcall_mask = 1;
	regs->rip = address;
	regs->cs = FLAT_KERNEL_CS;
	regs->ss = FLAT_KERNEL_SS;
	regs->rsp = sp;
	regs->rflags = (regs->rflags & ~(u64)FLAGS_CLEARED_ON_ENTRY) | X86_EFLAGS_IF;
	regs->entry_vector = TRAP_SYSCALL; /* rcx and r11 are on the guest's stack: the fast way out may use them */
}

void pv_bounce(struct cpu_user_regs *regs, u64 address, bool masks_events)
{
	bounce(regs, address, masks_events, false, 0);
}

void pv_bounce_error(struct cpu_user_regs *regs, u64 address, bool masks_events, u32 error_code)
{
	bounce(regs, address, masks_events, true, error_code);
}

/* Vectors with an error code: #DF #TS #NP #SS #GP #PF #AC. */
#define ERROR_CODE_VECTORS ((1u << 8) | (1u << 10) | (1u << 11) | (1u << 12) | (1u << 13) | (1u << 14) | (1u << 17))

void pv_inject_trap(struct cpu_user_regs *regs, unsigned int vector, u32 error_code)
{
	const struct pv_trap *t = &current->pv.trap[vector];

	regs->entry_vector = vector;
	if (vector < 32 && (ERROR_CODE_VECTORS & (1u << vector)))
		pv_bounce_error(regs, t->address, t->masks_events, error_code);
	else
		pv_bounce(regs, t->address, t->masks_events);
}

void pv_inject_page_fault(struct cpu_user_regs *regs, u64 va, u32 error_code)
{
	current->vcpu_info->arch.cr2 = va;
	/* the guest's idea of user mode: its kernel also runs in ring 3 */
	if (current->pv.in_kernel)
		error_code &= ~4u;
	else
		error_code |= 4u;
	pv_inject_trap(regs, 14, error_code);
}
