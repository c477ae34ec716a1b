/* SPDX-License-Identifier: MIT */
/*
 * pv.h - what the rest of the hypervisor asks of the paravirtual floor.
 */
#ifndef HV_PV_PV_H
#define HV_PV_PV_H

#include <xen/xen.h>

#include "domain/domain.h"
#include "domain/guest.h"

/* --- contexts (pv/domain.c) --- */
/* XEN_DOMCTL_setvcpucontext, VCPUOP_initialise, dom0: validates and takes a whole context.
 * @ctxt: guest-controlled, already copied in. -EINVAL bad value, -EBUSY, -ERESTART. */
int pv_vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *ctxt);
void pv_vcpu_get_context(const struct vcpu *v, struct vcpu_guest_context *ctxt);

/* --- traps (pv/traps.c): called by entry/ with the guest's registers on the CPU stack --- */
/* Any exception that happened in guest mode; regs->entry_vector, regs->error_code. */
void pv_trap(struct cpu_user_regs *regs);
/*
 * `syscall` executed in guest user mode: bounce to the guest kernel. (Kernel mode:
 * hypercall_entry.)
 */
void pv_syscall_from_user(struct cpu_user_regs *regs);
/* 32-bit compat: int 0x80 etc. come through pv_trap as #GP or soft vectors. */
void pv_int80(struct cpu_user_regs *regs);
/*
 * The guest's own return state (@regs) faulted on the way out, in ring 0: the exception is the
 * guest's, as if it had happened at the address it returns to. @regs->entry_vector, error_code: the
 * exception's.
 */
void pv_iret_fault(struct cpu_user_regs *regs);
/* Exit path, interrupts off: delivers a pending NMI or event upcall if allowed. */
void pv_deliver_pending(struct cpu_user_regs *regs);
/* A #PF inside the hypervisor on the per-domain window (LDT on demand). True: fixed, retry. */
bool pv_fixup_hv_fault(unsigned long va, u32 error_code);
/*
 * A #PF of the hypervisor at @va, any, where it may fault, as on guest memory. True: only a shadow
 * lacked it, retry.
 */
bool pv_fixup_copy_fault(unsigned long va, u32 error_code);

/* --- hypercalls implemented here; handlers in the sense of hypercall/hypercall.h --- */
struct hc_args;
long hc_set_trap_table(struct hc_args *a);
long hc_mmu_update(struct hc_args *a);
long hc_set_gdt(struct hc_args *a);
long hc_stack_switch(struct hc_args *a);
long hc_set_callbacks(struct hc_args *a);
long hc_fpu_taskswitch(struct hc_args *a);
long hc_set_debugreg(struct hc_args *a);
long hc_get_debugreg(struct hc_args *a);
long hc_update_descriptor(struct hc_args *a);
long hc_update_va_mapping(struct hc_args *a);
long hc_update_va_mapping_otherdomain(struct hc_args *a);
long hc_iret(struct hc_args *a);
long hc_set_segment_base(struct hc_args *a);
long hc_mmuext_op(struct hc_args *a);
long hc_callback_op(struct hc_args *a);

/* --- dom0 (boot/dom0_build.c is the caller) and others --- */
/* Fills the hypervisor's 16 slots (with @d's per-domain slot) into an L4 page. */
void pv_l4_fill_hv_slots(struct domain *d, u64 *l4);
/*
 * PV CPUID policy: what a guest of @d sees for leaf/sub, but for bits that follow a vcpu's control
 * registers, which are clear.
 */
void pv_cpuid(const struct domain *d, u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *dd);
/*
 * What the prefixed CPUID of @v puts into EAX, EBX, ECX, EDX: the policy, and OSXSAVE. User code
 * sees that as the guest's CR4 has it; a kernel always, as on Xen: Linux takes XSAVE for absent
 * where it is clear, before it has set CR4 at all.
 */
void pv_cpuid_executed(const struct vcpu *v, u32 leaf, u32 sub, u32 r[4]);

/*
 * Recounts all references and type references (pv/audit.c; security.md D2) and logs the first that
 * differ. *@nr_wrong: how many do. 0; -ENOMEM: no room to count. Hypervisor lock held throughout.
 */
int pv_audit(unsigned int *nr_wrong);

#endif
