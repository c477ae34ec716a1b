/* SPDX-License-Identifier: MIT */
/*
 * callback.c - where the guest kernel wants to be entered, and delivery of what is pending: trap
 * table, callbacks, kernel stack, events, NMI, system calls from user mode, and the way back
 * (iret).
 */
#include <xen/callback.h>

#include "domain/hc_args.h"
#include "domain/preempt.h"
#include "lib/errno.h"
#include "lib/nospec.h"
#include "lib/string.h"
#include "pv/bounce.h"
#include "pv/context.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/guest_access.h"
#include "x86/layout.h"
#include "x86/offsets.h"

#define TRAPS_PER_CHECK 32
#define VEC_GP 13
#define VEC_INT80 0x80
#define INT_LEN 2 /* bytes of `int 0x80` */
#define GP_IDT 2  /* error code bit: the index is a vector */

long hc_set_trap_table(struct hc_args *a)
{
	struct pv_trap *trap = current->pv.trap;

	if (!a->a[0]) {
		memset(trap, 0, sizeof(current->pv.trap));
		return 0;
	}
	for (unsigned int n = 0;; n++, a->a[0] += sizeof(struct trap_info)) {
		struct trap_info t;

		if (n >= TRAPS_PER_CHECK && hypercall_should_preempt())
			return -ERESTART;
		if (copy_from_guest(&t, a->a[0], sizeof(t)))
			return -EFAULT;
		if (!t.address)
			return 0;
		if (!guest_address_ok(t.address))
			return -EINVAL;
		trap[t.vector] = (struct pv_trap){
			.address = t.address,
			.cs = t.cs,
			.dpl = (u8)TI_GET_DPL(&t),
			.masks_events = TI_GET_IF(&t),
		};
	}
}

long hc_stack_switch(struct hc_args *a)
{
	if (!guest_address_ok(a->a[1]))
		return -EINVAL;
	current->pv.kernel_ss = a->a[0] | 3;
	current->pv.kernel_sp = a->a[1];
	return 0;
}

/* Where each kind of callback is kept. Events and NMIs always arrive with events masked. */
static int callback_register(struct pv_vcpu *pv, unsigned int type, u64 address, bool masks)
{
	const struct {
		u64 *address;
		bool *masks; /* NULL: the guest has no say */
	} callbacks[] = {
		[CALLBACKTYPE_event] = { &pv->event_cb, NULL },
		[CALLBACKTYPE_failsafe] = { &pv->failsafe_cb, &pv->failsafe_masks_events },
		[CALLBACKTYPE_syscall] = { &pv->syscall_cb, &pv->syscall_masks_events },
		[CALLBACKTYPE_syscall32] = { &pv->syscall32_cb, &pv->syscall32_masks_events },
		[CALLBACKTYPE_sysenter] = { &pv->sysenter_cb, &pv->sysenter_masks_events },
		[CALLBACKTYPE_nmi] = { &pv->nmi_cb, NULL },
	};

	if (!guest_address_ok(address))
		return -EINVAL;
	if (type >= ARRAY_SIZE(callbacks))
		return -ENOSYS;
	type = (unsigned int)index_nospec(type, ARRAY_SIZE(callbacks));
	if (!callbacks[type].address)
		return -ENOSYS;
	*callbacks[type].address = address;
	if (callbacks[type].masks)
		*callbacks[type].masks = masks;
	return 0;
}

long hc_callback_op(struct hc_args *a)
{
	struct callback_register reg;
	struct callback_unregister unreg;

	switch (a->a[0]) {
	case CALLBACKOP_register:
		if (copy_from_guest(&reg, a->a[1], sizeof(reg)))
			return -EFAULT;
		return callback_register(&current->pv, reg.type, reg.address,
					 reg.flags & CALLBACKF_mask_events);
	case CALLBACKOP_unregister:
		if (copy_from_guest(&unreg, a->a[1], sizeof(unreg)))
			return -EFAULT;
		/* the kernel cannot live without the others */
		if (unreg.type != CALLBACKTYPE_nmi)
			return -EINVAL;
		current->pv.nmi_cb = 0;
		return 0;
	default:
		return -ENOSYS;
	}
}

/* The old interface: event, failsafe, syscall entry points in one call. */
long hc_set_callbacks(struct hc_args *a)
{
	struct pv_vcpu *pv = &current->pv;
	int rc = callback_register(pv, CALLBACKTYPE_event, a->a[0], true);

	if (!rc)
		rc = callback_register(pv, CALLBACKTYPE_failsafe, a->a[1], false);
	if (!rc)
		rc = callback_register(pv, CALLBACKTYPE_syscall, a->a[2], false);
	return rc;
}

void pv_deliver_pending(struct cpu_user_regs *regs)
{
	struct vcpu *v = current;

	if (v->pv.nmi_pending && !v->pv.nmi_masked && v->pv.nmi_cb) {
		v->pv.nmi_pending = false;
		v->pv.nmi_masked = true; /* until the guest's iret */
		pv_bounce(regs, v->pv.nmi_cb, true);
		return;
	}
	if (vcpu_event_is_deliverable(v) && v->pv.event_cb)
		pv_bounce(regs, v->pv.event_cb, true);
}

void pv_syscall_from_user(struct cpu_user_regs *regs)
{
	const struct pv_vcpu *pv = &current->pv;

	if (regs->cs == FLAT_USER_CS32 && pv->syscall32_cb)
		pv_bounce(regs, pv->syscall32_cb, pv->syscall32_masks_events);
	else if (pv->syscall_cb)
		pv_bounce(regs, pv->syscall_cb, pv->syscall_masks_events);
	else
		pv_inject_trap(regs, 6, 0);
}

void pv_int80(struct cpu_user_regs *regs)
{
	const struct pv_trap *t = &current->pv.trap[VEC_INT80];

	if (t->address && (current->pv.in_kernel || t->dpl == 3)) {
		pv_inject_trap(regs, VEC_INT80, 0);
		return;
	}
	/* what the CPU does without such a gate: user mode must not be able to end its kernel */
	regs->rip -= INT_LEN;
	pv_inject_trap(regs, VEC_GP, VEC_INT80 << 3 | GP_IDT);
}

/* Which bits of RFLAGS a guest may set by itself; IOPL and VM never. */
#define FLAGS_REFUSED (X86_EFLAGS_IOPL | X86_EFLAGS_VM | X86_EFLAGS_VIF | X86_EFLAGS_VIP)

long hc_iret(struct hc_args *a)
{
	struct cpu_user_regs *regs = guest_regs();
	struct vcpu *v = current;
	struct iret_context c;

	if (copy_from_guest(&c, regs->rsp, sizeof(c))) {
		domain_crash(v->domain, "iret frame at %#lx cannot be read",
			     (unsigned long)regs->rsp);
		return HC_REGS_SET;
	}
	if ((c.cs & 3) == 3) {
		if (!v->pv.cr3_user) {
			domain_crash(v->domain, "iret to user mode without user page tables");
			return HC_REGS_SET;
		}
		pv_toggle_mode(v);
	}
	if (v->domain->vm_assist & (1UL << VMASST_TYPE_architectural_iopl))
		v->pv.iopl = (c.rflags & X86_EFLAGS_IOPL) >> X86_EFLAGS_IOPL_SHIFT;
	regs->rip = c.rip;
	regs->cs = (u16)(c.cs | 3);
	regs->ss = (u16)(c.ss | 3);
	regs->rsp = c.rsp;
	regs->rflags = (c.rflags & ~(u64)FLAGS_REFUSED) | X86_EFLAGS_IF | 2;
	regs->rax = c.rax;
	if (c.flags & VGCF_in_syscall) {
		regs->entry_vector = TRAP_SYSCALL;
	} else {
		regs->entry_vector = 0;
		regs->r11 = c.r11;
		regs->rcx = c.rcx;
	}
	WRITE_ONCE(v->vcpu_info->evtchn_upcall_mask, !(c.rflags & X86_EFLAGS_IF));
	v->pv.nmi_masked = false;
	return HC_REGS_SET;
}

long hc_fpu_taskswitch(struct hc_args *a)
{
	if (a->a[0]) {
		current->pv.ctrlreg[0] |= X86_CR0_TS;
		write_cr0(read_cr0() | X86_CR0_TS);
		return 0;
	}
	current->pv.ctrlreg[0] &= ~X86_CR0_TS;
	/* the registers may still be another vcpu's: then #NM brings ours first */
	if (current->fpu_dirty)
		clts();
	return 0;
}

long hc_set_segment_base(struct hc_args *a)
{
	u64 base = a->a[1];

	switch (a->a[0]) {
	case SEGBASE_FS:
		return pv_set_segment_base(MSR_FS_BASE, base);
	case SEGBASE_GS_USER:
		return pv_set_segment_base(MSR_SHADOW_GS_BASE, base);
	case SEGBASE_GS_KERNEL:
		return pv_set_segment_base(MSR_GS_BASE, base);
	case SEGBASE_GS_USER_SEL:
		return pv_set_user_gs_selector((u16)base);
	default:
		return -EINVAL;
	}
}
