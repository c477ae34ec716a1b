/* SPDX-License-Identifier: MIT */
/*
 * guest.c - what every guest of the random machine does: chooses the next operation, and carries it
 * through.
 */
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>

#define RIP_BEFORE 0x1000 /* of a `syscall`: where a hypercall that is issued again goes on */
#define RIP_AFTER 0x1002

struct guest guests[SLOTS];
static struct guest_vcpu guest_vcpus[SLOTS][GUEST_VCPUS];

static struct op *const op_lists[] = { memory_ops, mmu_ops, grant_ops, event_ops, control_ops, log_ops, cpu_ops,
				       vcpu_ops, firmware_ops, shared_ops };

struct guest *guest_of(const struct domain *d)
{
	return &guests[d->domain_id % SLOTS];
}

struct guest_vcpu *guest_vcpu_of(const struct vcpu *v)
{
	return &guest_vcpus[v->domain->domain_id % SLOTS][v->vcpu_id];
}

u32 any_place(void)
{
	return cpu_random(POOL);
}

u32 any_frame(const struct guest *g)
{
	for (unsigned int tries = 0; tries < 8; tries++) {
		u32 mfn = LOAD(g->pool[any_place()]);

		if (mfn)
			return mfn;
	}
	return 0;
}

struct guest *any_guest(void)
{
	return &guests[cpu_random(SLOTS)];
}

bool call(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3)
{
	*guest_regs() = (struct cpu_user_regs){
		.rax = nr, .rdi = a0, .rsi = a1, .rdx = a2, .r10 = a3, .rip = RIP_BEFORE};
	return true;
}

static void count(u64 *n)
{
	__atomic_add_fetch(n, 1, __ATOMIC_RELAXED);
}

static void hypercall_issue(struct guest *g, struct guest_vcpu *gv)
{
	struct cpu_user_regs *regs = guest_regs();
	const struct op *op = gv->op;
	bool worked;

	regs->rip = RIP_AFTER;
	hypercall_entry(regs);
	if (regs->rip == RIP_BEFORE)
		return; /* issued again once this vcpu has its turn */
	worked = op->done ? op->done(g, gv, (long)regs->rax) : (long)regs->rax >= 0;
	if (worked)
		count(&((struct op *)op)->worked);
	gv->op = NULL;
}

static const struct op *op_choose(bool is_dom0)
{
	static u32 total[2]; /* the same whoever computes it */
	u32 n = LOAD(total[is_dom0]), at;

	if (!n) {
		for (size_t l = 0; l < ARRAY_SIZE(op_lists); l++)
			for (const struct op *op = op_lists[l]; op->name; op++)
				n += is_dom0 ? op->weight_dom0 : op->weight;
		STORE(total[is_dom0], n);
	}
	at = cpu_random(n);
	for (size_t l = 0; l < ARRAY_SIZE(op_lists); l++)
		for (const struct op *op = op_lists[l]; op->name; op++) {
			u32 weight = is_dom0 ? op->weight_dom0 : op->weight;

			if (at < weight)
				return op;
			at -= weight;
		}
	abort();
}

/*
 * An event that waits makes the hypervisor stop at the next point where it may: whether one does,
 * the guest decides.
 */
static void wish_to_be_stopped(void)
{
	struct vcpu_info *vi = current->vcpu_info;

	__atomic_store_n(&vi->evtchn_upcall_mask, cpu_random(2), __ATOMIC_SEQ_CST);
	__atomic_store_n(&vi->evtchn_upcall_pending, 1, __ATOMIC_SEQ_CST);
}

/* What an event handler does first. */
static void take_events(void)
{
	struct vcpu_info *vi = current->vcpu_info;

	if (!__atomic_exchange_n(&vi->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST))
		return;
	__atomic_exchange_n(&vi->evtchn_pending_sel, 0, __ATOMIC_SEQ_CST);
	__atomic_exchange_n(&current->domain->shared_info->evtchn_pending[0], 0, __ATOMIC_SEQ_CST);
}

/*
 * A hypercall that was stopped goes on when the guest issues it again: it need not. dom0 does,
 * where it has to know how it went.
 */
static bool gives_up(struct guest *g, struct guest_vcpu *gv, bool is_dom0)
{
	const struct op *op = gv->op;

	if (cpu_random(4) || (is_dom0 && op->done))
		return false;
	if (op->done)
		op->done(g, gv, -ERESTART);
	gv->op = NULL;
	return true;
}

void guest_step(void)
{
	struct guest *g = guest_of(current->domain);
	struct guest_vcpu *gv = guest_vcpu_of(current);
	bool is_dom0 = current->domain->is_privileged;

	take_events();
	machine_advance(1 + cpu_random(4000));
	if (cpu_random(3) == 0)
		wish_to_be_stopped();
	if (gv->op) {
		if (!gives_up(g, gv, is_dom0))
			hypercall_issue(g, gv);
		return;
	}
	if (LOAD(guests_must_go) && !is_dom0)
		return;
	gv->op = op_choose(is_dom0);
	count(&((struct op *)gv->op)->tried);
	guest_regs()->rip = RIP_AFTER;
	if (!gv->op->start(g, gv)) {
		gv->op = NULL;
	} else if (guest_regs()->rip == RIP_BEFORE) {
		hypercall_issue(g, gv);
	} else {
		count(&((struct op *)gv->op)->worked);
		gv->op = NULL;
	}
}

/* --- a guest's beginning --- */

void guest_forget(struct guest *g)
{
	u32 *word = (u32 *)g;

	/* others may be looking, and believe what they see for a while */
	for (size_t i = 0; i < sizeof(*g) / sizeof(*word); i++)
		STORE(word[i], 0);
	for (unsigned int i = 0; i < GUEST_VCPUS; i++)
		guest_vcpus[g - guests][i].op = NULL;
}

void guests_begin(void)
{
	firmware_begin();
	machine_guest_memory(guest_vcpus, sizeof(guest_vcpus));
}

/* --- what became of it all --- */

void ops_print(void)
{
	for (size_t l = 0; l < ARRAY_SIZE(op_lists); l++)
		for (const struct op *op = op_lists[l]; op->name; op++)
			printf("%-24s %8lu tried %8lu worked\n", op->name,
			       (unsigned long)op->tried, (unsigned long)op->worked);
}

void ops_add_up(u64 *nr_worked)
{
	for (size_t l = 0; l < ARRAY_SIZE(op_lists); l++)
		for (const struct op *op = op_lists[l]; op->name; op++)
			*nr_worked++ += op->worked;
}

const char *ops_never_worked(const u64 *nr_worked)
{
	for (size_t l = 0; l < ARRAY_SIZE(op_lists); l++)
		for (const struct op *op = op_lists[l]; op->name; op++)
			if (!*nr_worked++)
				return op->name;
	return NULL;
}
