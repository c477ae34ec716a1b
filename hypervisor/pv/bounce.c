/* SPDX-License-Identifier: MIT */
/*
 * bounce.c - enters the guest kernel on a trap, an event or a system call. The frame's layout is
 * the public ABI's (xen/arch-x86/xen-x86_64.h); security.md C52, C53.
 */
#include "pv/bounce.h"

#include "pv/context.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/guest_access.h"
#include "x86/offsets.h"

#define FLAGS_CLEARED_ON_ENTRY                                                                     \
	(X86_EFLAGS_AC | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT | X86_EFLAGS_TF |           \
	 X86_EFLAGS_IOPL)

/* Flags as the guest believes them: IF is its event mask, IOPL is virtual. */
static u64 guest_view_of_flags(const struct vcpu *v, u64 flags)
{
	flags &= ~(u64)(X86_EFLAGS_IF | X86_EFLAGS_IOPL);
	if (!READ_ONCE(v->vcpu_info->evtchn_upcall_mask))
		flags |= X86_EFLAGS_IF;
	if (v->domain->vm_assist & (1UL << VMASST_TYPE_architectural_iopl))
		flags |= (u64)v->pv.iopl << X86_EFLAGS_IOPL_SHIFT;
	return flags;
}

/* The frame's words from its end: what is below of the array stays unused. */
enum { F_ERROR = 2, F_RIP, F_CS, F_RFLAGS, F_RSP, F_SS, F_WORDS };

static inline __attribute__((always_inline)) void
bounce(struct cpu_user_regs *regs, u64 address, bool masks_events, bool has_error, u32 error_code)
{
	struct vcpu *v = current;
	u64 frame[F_WORDS];
	unsigned int first = has_error ? 0 : 1;
	size_t size = (F_WORDS - first) * sizeof(frame[0]);

	if (unlikely(!address)) {
		domain_crash(v->domain, "no guest handler for trap %u (error %#x) at %#lx",
			     (unsigned int)regs->entry_vector & 0xff, error_code,
			     (unsigned long)regs->rip);
		return;
	}
	frame[first] = regs->rcx;
	frame[first + 1] = regs->r11;
	if (has_error)
		frame[F_ERROR] = error_code;
	frame[F_RIP] = regs->rip;
	frame[F_CS] = regs->cs | (u64)READ_ONCE(v->vcpu_info->evtchn_upcall_mask) << 32;
	frame[F_RFLAGS] = guest_view_of_flags(v, regs->rflags);
	frame[F_RSP] = regs->rsp;
	frame[F_SS] = regs->ss;
	if (v->pv.in_kernel) {
		frame[F_CS] &= ~3ULL; /* the guest kernel sees itself in ring 0 */
	} else {
		pv_toggle_mode(v);
		regs->rsp = v->pv.kernel_sp;
	}
	regs->rsp = (regs->rsp & ~0xfULL) - size;
	regs->rip = address;
	regs->cs = FLAT_KERNEL_CS;
	regs->ss = FLAT_KERNEL_SS;
	regs->rflags = (regs->rflags & ~(u64)FLAGS_CLEARED_ON_ENTRY) | X86_EFLAGS_IF;
	/* rcx and r11 are on the guest's stack: the fast way out may use them */
	regs->entry_vector = TRAP_SYSCALL;
	if (masks_events)
		WRITE_ONCE(v->vcpu_info->evtchn_upcall_mask, 1);
	if (unlikely(copy_to_guest(regs->rsp, &frame[first], size)))
		domain_crash(v->domain,
			     "kernel stack %#lx cannot be written for a trap frame of %#lx",
			     (unsigned long)regs->rsp, (unsigned long)frame[F_RIP]);
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
#define ERROR_CODE_VECTORS \
	((1u << 8) | (1u << 10) | (1u << 11) | (1u << 12) | (1u << 13) | (1u << 14) | (1u << 17))

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
