/* SPDX-License-Identifier: MIT */
/*
 * pv.c - the fakes of pv/ that domain/ and hypercall/ run on: a type is a count, and nothing else.
 */
#include "world.h"

#include "domain/frame_ref.h"
#include "domain/memory.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "lib/string.h"
#include "mm/page_alloc.h"
#include "pv/domain_tlb.h"
#include "pv/logdirty.h"
#include "pv/ptval.h"
#include "pv/pv.h"

int frame_type_get(struct frame *f, enum frame_type type)
{
	if (frame_type_count(f) && frame_type_of(f) != type)
		return -EINVAL;
	f->type = ((u32)type << FT_SHIFT) | FT_VALID | (frame_type_count(f) + 1);
	return 0;
}

void frame_type_put(struct frame *f)
{
	BUG_ON(frame_type_count(f) == 0);
	f->type--;
}

int frame_get_and_type(struct frame *f, const struct domain *d, enum frame_type type)
{
	int rc;

	if (!frame_get(f, d))
		return -EPERM;
	rc = frame_type_get(f, type);
	if (rc)
		frame_put(f);
	return rc;
}

void frame_put_and_type(struct frame *f)
{
	frame_type_put(f);
	frame_put(f);
}

int pv_drain_deferred(struct vcpu *v)
{
	if (world.drains_stop) {
		world.drains_stop--;
		return -ERESTART;
	}
	v->pv.nr_deferred = 0;
	return 0;
}

int pv_domain_init(struct domain *d)
{
	return 0;
}

void pv_domain_fini(struct domain *d)
{
}

int pv_vcpu_init(struct vcpu *v)
{
	return 0;
}

void pv_vcpu_fini(struct vcpu *v)
{
}

int pv_domain_relinquish(struct domain *d)
{
	for (u64 i = 0; i < frame_table_nr; i++)
		if (!(frame_table[i].ref & FRAME_FREE) && frame_table[i].owner == d->domain_id)
			domain_frame_release(&frame_table[i]);
	return 0;
}

int pv_vcpu_set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
	v->is_initialised = true;
	return 0;
}

void pv_vcpu_get_context(const struct vcpu *v, struct vcpu_guest_context *c)
{
	memset(c, 0, sizeof(*c));
	c->user_regs.rax = v->regs.rax;
	c->user_regs.rip = v->regs.rip;
}

void pv_vcpu_switch_out(struct vcpu *v)
{
	world_switched('p');
}

void pv_tables_leave(void)
{
	world_switched('t');
}

void pv_vcpu_switch_in(struct vcpu *v)
{
	world.switches_in++;
	world_switched('P');
}

int pv_audit(unsigned int *nr_wrong)
{
	world.audits++;
	*nr_wrong = 0;
	return 0;
}

int pv_grant_map_pte(u64 host_addr, u32 flags, mfn_t frame)
{
	if (world.pte_map_fails)
		return -EINVAL;
	world.pte_maps++;
	world.pte_flags = flags;
	return 0;
}

int pv_grant_unmap_pte(u64 host_addr, u64 new_addr, u32 flags, mfn_t frame)
{
	if (world.pte_unmap_fails)
		return -EINVAL;
	world.pte_maps--;
	world.pte_flags = flags;
	return 0;
}

void tlb_flush_domain(const struct domain *d)
{
	world.flushes++;
}

void pv_cpuid(const struct domain *d, u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *dd)
{
	*a = leaf == 0 ? 0xd : leaf == 0x80000000 ? 0x80000008 : 0;
	*b = 1000 + leaf % 1000 * 10 + sub; /* each register of each leaf another */
	*c = *b + 10000;
	*dd = *b + 20000;
}

#define FAKE_HC(n)                                                                                 \
	long hc_##n(struct hc_args *a)                                                             \
	{                                                                                          \
		return -ENOSYS;                                                                    \
	}
FAKE_HC(set_trap_table)
FAKE_HC(mmu_update)
FAKE_HC(set_gdt)
FAKE_HC(stack_switch)
FAKE_HC(set_callbacks)
FAKE_HC(fpu_taskswitch)
FAKE_HC(set_debugreg)
FAKE_HC(get_debugreg)
FAKE_HC(update_descriptor)
FAKE_HC(update_va_mapping)
FAKE_HC(update_va_mapping_otherdomain)
FAKE_HC(set_segment_base)
FAKE_HC(mmuext_op)
FAKE_HC(callback_op)

long hc_iret(struct hc_args *a)
{
	world.irets++;
	return HC_REGS_SET;
}

/* --- log-dirty mode: a flag, and answers that say which domain was asked --- */

static const struct domain *logged;

int logdirty_enable(struct domain *d)
{
	if (logged)
		return -EINVAL;
	logged = d;
	return 0;
}

int logdirty_disable(struct domain *d)
{
	logged = NULL;
	return 0;
}

int logdirty_report(struct domain *d, struct logdirty_report *r, bool is_clean)
{
	if (logged != d)
		return -EINVAL;
	r->fault_count = is_clean;
	r->dirty_count = (u32)r->nr_pages;
	return 0;
}

u32 logdirty_nr_pages(const struct domain *d)
{
	return logged == d ? 300 : 0;
}
