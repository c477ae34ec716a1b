/* SPDX-License-Identifier: MIT */
/*
 * domain.c - the life of the paravirtual part of a domain: its window tables, a vcpu's whole
 * context, and teardown in D9's order.
 */
#include "domain/fpu.h"
#include "domain/frame_ref.h"
#include "domain/memory.h"
#include "domain/preempt.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "mm/frame.h"
#include "pv/context.h"
#include "pv/desc.h"
#include "pv/logdirty.h"
#include "pv/ptval.h"
#include "pv/pv.h"
#include "pv/sweep.h"
#include "x86/asm.h"
#include "x86/guest_access.h"
#include "x86/layout.h"

int pv_domain_init(struct domain *d)
{
	return pv_perdomain_init(d);
}

void pv_domain_fini(struct domain *d)
{
	pv_perdomain_fini(d);
}

int pv_vcpu_init(struct vcpu *v)
{
	v->pv.in_kernel = true;
	logdirty_vcpu_init(v);
	pv_debug_init(&v->pv);
	return pv_window_init(v);
}

void pv_vcpu_fini(struct vcpu *v)
{
	v->pv.window_l1 = NULL; /* the pages go with the domain */
}

/* Everything of @c that is only values. Nothing is taken before all is checked. */
static int context_check(const struct vcpu_guest_context *c)
{
	const u64 addresses[] = { c->event_callback_eip, c->failsafe_callback_eip,
				  c->syscall_callback_eip, c->kernel_sp, c->user_regs.rip };

	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++)
		if (!guest_address_ok(addresses[i]))
			return -EINVAL;
	if (!pv_segment_base_ok(c->fs_base) || !pv_segment_base_ok(c->gs_base_kernel) ||
	    !pv_segment_base_ok(c->gs_base_user))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
		if (!guest_address_ok(c->trap_ctxt[i].address))
			return -EINVAL;
	if (c->gdt_ents > FIRST_RESERVED_GDT_ENTRY || c->ldt_ents > 8192 ||
	    (c->ldt_base & PAGE_OFFSET_MASK))
		return -EINVAL;
	if (c->ldt_ents && !guest_range_ok(c->ldt_base, c->ldt_ents, 8))
		return -EINVAL;
	for (int i = 0; i < 4; i++)
		if (!guest_address_ok(c->debugreg[i]))
			return -EINVAL;
	return 0;
}

static int l4_get(const struct domain *d, u64 cr3, struct frame **out)
{
	mfn_t mfn = maddr_to_mfn(cr3 & ~0xfffULL);

	if (!mfn_is_ram(mfn))
		return -EINVAL;
	*out = mfn_to_frame(mfn);
	return frame_get_and_type(*out, d, FT_L4);
}

static void callbacks_take(struct pv_vcpu *pv, const struct vcpu_guest_context *c)
{
	pv->event_cb = c->event_callback_eip;
	pv->failsafe_cb = c->failsafe_callback_eip;
	pv->syscall_cb = c->syscall_callback_eip;
	pv->failsafe_masks_events = c->flags & VGCF_failsafe_disables_events;
	pv->syscall_masks_events = c->flags & VGCF_syscall_disables_events;
	for (size_t i = 0; i < ARRAY_SIZE(c->trap_ctxt); i++)
		pv->trap[c->trap_ctxt[i].vector] = (struct pv_trap){
			.address = c->trap_ctxt[i].address,
			.cs = c->trap_ctxt[i].cs,
			.dpl = (u8)TI_GET_DPL(&c->trap_ctxt[i]),
			.masks_events = TI_GET_IF(&c->trap_ctxt[i]),
		};
}

static void registers_take(struct vcpu *v, const struct vcpu_guest_context *c)
{
	struct pv_vcpu *pv = &v->pv;

	v->regs = c->user_regs;
	v->regs.cs |= 3;
	v->regs.ss |= 3;
	v->regs.entry_vector = 0;
	pv->iopl = (c->user_regs.rflags & X86_EFLAGS_IOPL) >> X86_EFLAGS_IOPL_SHIFT;
	v->regs.rflags = (c->user_regs.rflags & ~(u64)(X86_EFLAGS_IOPL | X86_EFLAGS_VM)) |
			 X86_EFLAGS_IF | 2;
	pv->in_kernel = c->flags & VGCF_in_kernel;
	pv->kernel_ss = c->kernel_ss | 3;
	pv->kernel_sp = c->kernel_sp;
	pv->ds = c->user_regs.ds;
	pv->es = c->user_regs.es;
	pv->fs = c->user_regs.fs;
	pv->gs = c->user_regs.gs;
	pv->fs_base = c->fs_base;
	pv->gs_base_kernel = c->gs_base_kernel;
	pv->gs_base_user = c->gs_base_user;
	pv->ctrlreg[0] = c->ctrlreg[0] & X86_CR0_TS;
	pv->ctrlreg[4] = c->ctrlreg[4] & pv_cr4_guest_bits();
	for (int i = 0; i < 4; i++)
		pv->debugreg[i] = c->debugreg[i];
	if (c->flags & VGCF_I387_VALID)
		fpu_take_fxsave(v, &c->fpu_ctxt);
}

int pv_vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
	struct frame *kernel, *user = NULL;
	u64 gdt[ARRAY_SIZE(c->gdt_frames)];
	int rc = context_check(c);

	if (rc)
		return rc;
	if (v->pv.cr3_kernel || v->is_running)
		return -EBUSY; /* a context is given once; a reset vcpu has none */
	rc = l4_get(v->domain, c->ctrlreg[3], &kernel);
	if (rc)
		return rc;
	if (c->ctrlreg[1] >> PAGE_SHIFT)
		rc = l4_get(v->domain, c->ctrlreg[1], &user);
	if (rc)
		goto out_kernel;
	if (!(c->flags & VGCF_in_kernel) && !user) {
		rc = -EINVAL;
		goto out_kernel;
	}
	for (size_t i = 0; i < ARRAY_SIZE(gdt); i++)
		gdt[i] = c->gdt_frames[i];
	rc = pv_gdt_set(v, gdt, (u32)c->gdt_ents);
	if (rc)
		goto out_user;

	v->pv.cr3_kernel = kernel;
	v->pv.cr3_user = user;
	v->pv.kernel_cr3 = pv_cr3_of(kernel);
	v->pv.user_cr3 = user ? pv_cr3_of(user) : 0;
	v->pv.ldt_base = c->ldt_base;
	v->pv.nr_ldt_entries = (u32)c->ldt_ents;
	callbacks_take(&v->pv, c);
	registers_take(v, c);
	if (v->vcpu_id == 0)
		v->domain->vm_assist = c->vm_assist;
	v->is_initialised = true;
	return 0;

out_user:
	if (user)
		frame_put_and_type(user);
out_kernel:
	frame_put_and_type(kernel);
	return rc;
}

void pv_vcpu_get_context(const struct vcpu *v, struct vcpu_guest_context *c)
{
	const struct pv_vcpu *pv = &v->pv;

	memset(c, 0, sizeof(*c));
	fpu_give_fxsave(v, &c->fpu_ctxt);
	c->flags = VGCF_I387_VALID | (pv->in_kernel ? VGCF_in_kernel : 0) |
		   (pv->failsafe_masks_events ? VGCF_failsafe_disables_events : 0) |
		   (pv->syscall_masks_events ? VGCF_syscall_disables_events : 0) |
		   (v->pause_flags & VPF_DOWN ? 0 : VGCF_online);
	c->user_regs = v->regs;
	c->user_regs.rflags |= (u64)pv->iopl << X86_EFLAGS_IOPL_SHIFT;
	c->user_regs.entry_vector = 0;
	c->user_regs.error_code = 0;
	c->user_regs.ds = pv->ds;
	c->user_regs.es = pv->es;
	c->user_regs.fs = pv->fs;
	c->user_regs.gs = pv->gs;
	for (unsigned int i = 0; i < PV_NR_VECTORS; i++)
		c->trap_ctxt[i] = (struct trap_info){
			.vector = (u8)i,
			.flags = (u8)(pv->trap[i].dpl | (pv->trap[i].masks_events ? 4 : 0)),
			.cs = pv->trap[i].cs,
			.address = pv->trap[i].address,
		};
	c->ldt_base = pv->ldt_base;
	c->ldt_ents = pv->nr_ldt_entries;
	c->gdt_ents = pv->nr_gdt_entries;
	for (size_t i = 0; i < ARRAY_SIZE(pv->gdt_frame); i++)
		c->gdt_frames[i] = pv->gdt_frame[i] ? mfn_x(frame_to_mfn(pv->gdt_frame[i])) : 0;
	c->kernel_ss = pv->kernel_ss;
	c->kernel_sp = pv->kernel_sp;
	c->ctrlreg[0] = pv->ctrlreg[0];
	c->ctrlreg[4] = pv->ctrlreg[4];
	c->ctrlreg[3] = pv->cr3_kernel ? mfn_to_maddr(frame_to_mfn(pv->cr3_kernel)) : 0;
	c->ctrlreg[1] = pv->cr3_user ? mfn_to_maddr(frame_to_mfn(pv->cr3_user)) : 0;
	memcpy(c->debugreg, pv->debugreg, sizeof(c->debugreg));
	c->event_callback_eip = pv->event_cb;
	c->failsafe_callback_eip = pv->failsafe_cb;
	c->syscall_callback_eip = pv->syscall_cb;
	c->vm_assist = v->domain->vm_assist;
	c->fs_base = pv->fs_base;
	c->gs_base_kernel = pv->gs_base_kernel;
	c->gs_base_user = pv->gs_base_user;
}

/*
 * Drops one table of a dying vcpu. Preempted: the frame is PARTIAL and found by the sweep; nothing
 * is left here.
 */
static int cr3_drop(struct frame **slot)
{
	struct frame *f = *slot;
	int rc;

	if (!f)
		return 0;
	*slot = NULL;
	rc = frame_type_put_preemptible(f);
	frame_put(f);
	return rc;
}

static int vcpu_relinquish(struct vcpu *v)
{
	int rc;

	while (v->pv.nr_deferred) /* PARTIAL frames are found by the sweep */
		frame_put(v->pv.deferred[--v->pv.nr_deferred]);
	pv_gdt_clear(v);
	pv_ldt_clear(v);
	rc = cr3_drop(&v->pv.cr3_kernel);
	if (rc)
		return rc;
	return cr3_drop(&v->pv.cr3_user);
}

static int unpin(struct frame *f, void *unused)
{
	int rc = 0;

	frame_get_held(f); /* the pin may have been all that kept it */
	if (f->type & FT_PINNED) {
		f->type &= ~FT_PINNED;
		rc = frame_type_put_preemptible(f);
		frame_put(f);
	}
	if (!rc && (f->type & FT_PARTIAL))
		rc = ptval_finish_partial(f);
	frame_put(f);
	return rc;
}

static int release(struct frame *f, void *unused)
{
	domain_frame_release(f);
	return 0;
}

int pv_domain_relinquish(struct domain *d)
{
	int rc = logdirty_end(d);

	for (unsigned int i = 0; i < d->nr_vcpus_max && !rc; i++)
		if (d->vcpu[i])
			rc = vcpu_relinquish(d->vcpu[i]);
	/* types form no cycle, so without roots every table is devalidated */
	if (!rc && d->pv.teardown_sweep == 0) {
		rc = sweep_frames(d, &d->relinquish_cursor, unpin, NULL);
		if (!rc)
			d->pv.teardown_sweep = 1;
	}
	if (!rc && d->pv.teardown_sweep == 1) {
		rc = sweep_frames(d, &d->relinquish_cursor, release, NULL);
		if (!rc)
			d->pv.teardown_sweep = 2;
	}
	return rc;
}
