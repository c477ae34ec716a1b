/* SPDX-License-Identifier: MIT */
/*
 * xpti.c - each CPU's level-4 tables for guests. What they hold of the hypervisor: the pages of
 * entry.S, the IDT, the task segments and this CPU's stacks; no page of it is global, and with it
 * on none of the hypervisor's is.
 *
 * A copy is as good as its time: the count of changes of level-4 entries when it was made. Whoever
 * takes something away from a guest's tables flushes the CPUs that ran it, and these come out of
 * the hypervisor again, past xpti_before_guest(). A page that becomes a level-4 table counts as a
 * change: a copy of what it was before is never taken for one of what it is.
 *
 * A CPU keeps several copies: a system call changes tables twice, because a guest's kernel and its
 * processes have their own, and two processes that take turns have four.
 */
#include "x86/xpti.h"

#include "lib/log.h"
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/desc.h"
#include "x86/layout.h"
#include "x86/pagetable.h"
#include "x86/percpu.h"
#include "x86/pte.h"

extern u8 entry_text_start[], entry_text_end[], cpu_stack[];

bool xpti_is_on;
u64 xpti_l4_changes = 1;

#define NR_COPIES 4
/* A table of a guest's as it was at a time. */
struct copy {
	u64 *l4;
	u64 cr3;     /* whose copy; 0: nobody's */
	u64 changes; /* the count then; 0: at no time */
};
static struct copies {
	struct copy copy[NR_COPIES];
	struct copy *now; /* the guest runs on it */
	unsigned int oldest;
} percpu[NR_CPUS];

static bool map_entry_text(u64 *l4)
{
	unsigned long va = (unsigned long)entry_text_start;

	return pt_map_in(l4, va, va - IMAGE_START, (u64)(entry_text_end - entry_text_start), 0);
}

/* Page by page as the hypervisor's own tables have it. */
static bool map_as_hv(u64 *l4, unsigned long va, size_t len)
{
	for (unsigned long end = va + len; va < end; va += PAGE_SIZE) {
		maddr_t ma;

		if (pt_lookup(va, &ma) && !pt_map_in(l4, va, ma, PAGE_SIZE, PTE_RW | PTE_NX))
			return false;
	}
	return true;
}

static bool map_stacks(u64 *l4, unsigned int cpu)
{
	if (!map_as_hv(l4, CPU_STACKS_START + cpu * STACK_SIZE, STACK_SIZE))
		return false;
	/* The boot CPU comes to its first guest on its stack's other address. */
	return cpu || map_as_hv(l4, (unsigned long)cpu_stack, STACK_SIZE);
}

static bool map_entries(u64 *l4, unsigned int cpu)
{
	return map_entry_text(l4) && desc_map_entry(cpu, l4, map_as_hv) && map_stacks(l4, cpu);
}

static void use(struct cpu_info *c, struct copy *copy)
{
	percpu[c->cpu_id].now = copy;
	c->guest_cr3 = virt_to_maddr(copy->l4);
	c->copied_cr3 = copy->cr3;
	c->copied_changes = copy->changes;
}

bool xpti_cpu_init(unsigned int cpu)
{
	struct copies *p = &percpu[cpu];

	if (!xpti_is_on)
		return true;
	/* A CPU that does not start keeps its pages: it may still come. */
	for (unsigned int i = 0; i < NR_COPIES; i++) {
		p->copy[i] = (struct copy){ .l4 = pt_page() };
		if (!p->copy[i].l4)
			return false;
		/* What is below the first one's entries is there for all. */
		if (i)
			memcpy(p->copy[i].l4, p->copy[0].l4, PAGE_SIZE);
		else if (!map_entries(p->copy[0].l4, cpu))
			return false;
	}
	use(cpu_info_of(cpu), &p->copy[0]);
	return true;
}

void xpti_init(bool on)
{
	xpti_is_on = on;
	if (!xpti_cpu_init(0))
		hv_panic("no memory for a page table");
}

void xpti_l4_changed(void)
{
	__atomic_store_n(&xpti_l4_changes, xpti_l4_changes + 1, __ATOMIC_SEQ_CST);
}

/* Entry @slot of guests' copies is one of the tables that are loaded, not the hypervisor's. */
static bool is_copied(unsigned int slot)
{
	return slot < HV_L4_FIRST || slot > HV_L4_LAST || slot == pt_index(M2P_RO_START, 4) ||
	       slot == PERDOMAIN_L4_SLOT;
}

bool xpti_fault_is_stale(u64 va)
{
	struct cpu_info *c = this_cpu();
	struct copy *now = percpu[c->cpu_id].now;
	unsigned int slot = pt_index(va, 4);
	u64 copied, loaded;

	if (!xpti_is_on || !is_copied(slot))
		return false;
	copied = READ_ONCE(now->l4[slot]);
	loaded = READ_ONCE(((const u64 *)maddr_to_virt(c->hv_cr3))[slot]);
	/* Either was walked, or not. */
	if (!((copied ^ loaded) & ~PTE_A))
		return false;
	c->copied_changes = now->changes = 0; /* whatever the count says */
	return true;
}

/* The copy of @cr3's tables, of whatever time, or one to make it in. */
static struct copy *copy_of(struct copies *p, u64 cr3)
{
	for (unsigned int i = 0; i < NR_COPIES; i++)
		if (p->copy[i].cr3 == cr3)
			return &p->copy[i];
	p->oldest = (p->oldest + 1) % NR_COPIES;
	return &p->copy[p->oldest];
}

/* Entry by entry: another CPU may be at it, and half of an entry would be none of either. */
static void copy_make(struct copy *copy, u64 cr3)
{
	const u64 *from = maddr_to_virt(cr3);

	/* First the time, then the copy: what changes meanwhile makes it stale again. */
	copy->changes = __atomic_load_n(&xpti_l4_changes, __ATOMIC_SEQ_CST);
	copy->cr3 = cr3;
	for (unsigned int slot = 0; slot < PT_ENTRIES; slot++)
		if (is_copied(slot))
			WRITE_ONCE(copy->l4[slot], READ_ONCE(from[slot]));
}

void xpti_copy_load(void)
{
	struct cpu_info *c = this_cpu();
	struct copy *copy = copy_of(&percpu[c->cpu_id], c->hv_cr3);

	if (copy->cr3 != c->hv_cr3 ||
	    copy->changes != __atomic_load_n(&xpti_l4_changes, __ATOMIC_SEQ_CST))
		copy_make(copy, c->hv_cr3);
	use(c, copy);
}
