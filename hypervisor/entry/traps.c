/* SPDX-License-Identifier: MIT */
/*
 * traps.c - what entry.S calls: sends each entry up to the floor that handles it, does the work
 * due before a return to a guest, and deals with faults of the hypervisor itself.
 */
#include <xen/xen.h>

#include "domain/domain.h"
#include "domain/guest.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/layout.h"
#include "x86/lock.h"
#include "x86/mce.h"
#include "x86/nmi.h"
#include "x86/offsets.h"
#include "x86/segment.h"
#include "x86/shutdown.h"
#include "x86/smp.h"
#include "x86/softirq.h"
#include "x86/xpti.h"

#define OFFSET_IS(field, at)                                                                       \
	_Static_assert(offsetof(struct cpu_user_regs, field) == (at), "entry.S: " #field)
OFFSET_IS(error_code, REGS_ERROR_CODE);
OFFSET_IS(entry_vector, REGS_ENTRY_VECTOR);
OFFSET_IS(rip, REGS_RIP);
OFFSET_IS(cs, REGS_CS);
OFFSET_IS(rflags, REGS_RFLAGS);
OFFSET_IS(rsp, REGS_RSP);
OFFSET_IS(ss, REGS_SS);
OFFSET_IS(es, REGS_ES);
_Static_assert(sizeof(struct cpu_user_regs) == REGS_SIZE, "entry.S: frame size");

#define VEC_DB 1
#define VEC_NMI 2
#define VEC_PF 14
#define VEC_MC 18
#define NR_EXCEPTIONS 32
#define VEC_INT80 0x80

struct ex_entry {
	u64 fault_rip, fixup_rip;
};

extern const struct ex_entry ex_table_start[], ex_table_end[];
extern const u8 guest_iret[];

/* entry.S: an iret to where it came from, which ends the blocking of NMIs. */
void nmi_unblock(void);
/* Called by entry.S. True: the frame may return by sysret. */
bool guest_syscall(struct cpu_user_regs *regs);
bool guest_syscall32(struct cpu_user_regs *regs);
bool guest_trap(struct cpu_user_regs *regs);
void hv_trap(struct cpu_user_regs *regs);
/* The same before any other return to a guest: softirqs, then what is due for the guest. */
bool guest_exit_work(struct cpu_user_regs *regs);

/* An event is pending and not masked: the first of two bytes is not 0, and the second is. */
static inline bool event_is_due(const struct vcpu_info *vi)
{
	_Static_assert(offsetof(struct vcpu_info, evtchn_upcall_mask) ==
			       offsetof(struct vcpu_info, evtchn_upcall_pending) + 1,
		       "xen/xen.h: struct vcpu_info");
	u16 both = READ_ONCE(*(const u16 *)&vi->evtchn_upcall_pending);

	return (u16)(both - 1) < 0xff;
}

/* Something for the guest, or the hypervisor, is to be done before @v runs on. */
static inline bool exit_work_is_due(const struct vcpu *v)
{
	return unlikely(event_is_due(v->vcpu_info)) ||
	       unlikely(READ_ONCE(this_cpu()->softirq_pending)) || unlikely(v->pv.nmi_pending);
}

static __attribute__((noinline)) void exit_work_slow(struct cpu_user_regs *regs)
{
	do {
		if (softirq_is_pending()) {
			hv_lock();
			softirq_process();
			hv_unlock();
		}
		if (exit_work_is_due(current))
			pv_deliver_pending(regs);
	} while (softirq_is_pending());
}

/*
 * The guest may not turn interrupts off or gain IO rights by its frame. Sysret needs a canonical
 * RIP: with another one it faults in ring 0 on the guest's stack pointer.
 */
static inline bool frame_finish(struct cpu_user_regs *regs)
{
	regs->rflags = (regs->rflags & ~(u64)(X86_EFLAGS_IOPL | X86_EFLAGS_NT | X86_EFLAGS_VM |
					      X86_EFLAGS_VIF | X86_EFLAGS_VIP)) |
		       X86_EFLAGS_IF | 2;
	return regs->entry_vector == TRAP_SYSCALL && regs->cs == FLAT_RING3_CS64 &&
	       regs->ss == FLAT_RING3_SS64 && va_is_canonical(regs->rip);
}

static inline __attribute__((always_inline)) bool exit_work(struct cpu_user_regs *regs)
{
	if (exit_work_is_due(current))
		exit_work_slow(regs);
	if (unlikely(xpti_is_on))
		xpti_before_guest();
	return frame_finish(regs);
}

bool guest_exit_work(struct cpu_user_regs *regs)
{
	return exit_work(regs);
}

bool guest_syscall(struct cpu_user_regs *regs)
{
	if (likely(current->pv.in_kernel))
		hypercall_entry(regs);
	else
		pv_syscall_from_user(regs);
	return exit_work(regs);
}

bool guest_syscall32(struct cpu_user_regs *regs)
{
	if (current->pv.in_kernel)
		regs->rax = (u64)-ENOSYS; /* no 32-bit hypercalls from a 64-bit kernel */
	else
		pv_syscall_from_user(regs);
	return guest_exit_work(regs);
}

/*
 * Whoever runs next gets no NMI before somebody's iret, and may not need one for long: here is one.
 */
static void guest_nmi(const struct cpu_user_regs *regs)
{
	nmi_handle(regs);
	nmi_unblock();
}

bool guest_trap(struct cpu_user_regs *regs)
{
	u32 vec = regs->entry_vector;

	if (likely(vec < NR_EXCEPTIONS)) {
		if (vec == VEC_PF && unlikely(xpti_is_on) && xpti_fault_is_stale(read_cr2()))
			; /* on the way out it gets a copy of its tables as they are now */
		else if (vec == VEC_NMI)
			guest_nmi(regs);
		else if (vec == VEC_MC)
			mce_handle(regs);
		else
			pv_trap(regs);
	} else if (vec == VEC_INT80) {
		pv_int80(regs);
	} else {
		irq_dispatch((u8)vec);
	}
	return guest_exit_work(regs);
}

static u64 find_fixup(u64 rip)
{
	for (const struct ex_entry *e = ex_table_start; e < ex_table_end; e++)
		if (e->fault_rip == rip)
			return e->fixup_rip;
	return 0;
}

/*
 * The iret to a guest faulted. The guest's general registers are in @regs, the rest of its frame
 * still lies at the top of the stack, and there it becomes whole again.
 */
static struct cpu_user_regs *guest_iret_undo(const struct cpu_user_regs *regs)
{
	struct cpu_user_regs *guest = guest_regs();
	u32 vec = regs->entry_vector, code = regs->error_code;

	memmove(guest, regs, REGS_ERROR_CODE);
	guest->entry_vector = vec;
	guest->error_code = code;
	return guest;
}

/* On the frame's own values: the guest's. */
static void guest_iret_fault(const struct cpu_user_regs *regs)
{
	pv_iret_fault(guest_iret_undo(regs));
	return_to_guest();
}

/*
 * It only lacked a page of the window. Not back to where it was: who waits for the lock serves
 * flushes meanwhile, and whoever asked takes it that this CPU comes past xpti_before_guest().
 */
static void guest_iret_again(const struct cpu_user_regs *regs)
{
	guest_iret_undo(regs);
	return_to_guest();
}

void hv_trap(struct cpu_user_regs *regs)
{
	u32 vec = regs->entry_vector;
	bool is_iret;
	u64 fixup;

	if (vec >= NR_EXCEPTIONS) {
		irq_dispatch((u8)vec);
		return;
	}
	if (vec == VEC_NMI) {
		nmi_handle(regs);
		return;
	}
	if (vec == VEC_MC)
		mce_handle(regs);
	if (vec == VEC_DB) {
		/* A guest's single step or breakpoint held back over MOV SS until its syscall. */
		debugreg_write(6, X86_DR6_DEFAULT);
		return;
	}
	is_iret = regs->rip == (u64)(uintptr_t)guest_iret;
	if (vec == VEC_PF && current && pv_fixup_hv_fault(read_cr2(), regs->error_code)) {
		if (is_iret)
			guest_iret_again(regs);
		return;
	}
	if (is_iret)
		guest_iret_fault(regs);
	fixup = find_fixup(regs->rip);
	if (fixup) {
		if (vec == VEC_PF && current && pv_fixup_copy_fault(read_cr2(), regs->error_code))
			return;
		regs->rip = fixup;
		return;
	}
	hv_panic_at(regs, "exception %u, error %x, in the hypervisor", vec, regs->error_code);
}
