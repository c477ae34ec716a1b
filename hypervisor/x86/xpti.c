/* SPDX-License-Identifier: MIT */
/*
 * xpti.c - each CPU's level-4 table for guests. What it holds of the hypervisor: the pages of
 * entry.S, the IDT, the task segments and this CPU's stacks; no page of it is global, and with it
 * on none of the hypervisor's is.
 *
 * A copy is as good as its time: the count of changes of level-4 entries when it was made. Whoever
 * takes something away from a guest's tables flushes the CPUs that ran it, and these come out of
 * the hypervisor again, past xpti_before_guest().
 */
#include "x86/xpti.h"

#include "lib/log.h"
#include "x86/asm.h"
#include "x86/desc.h"
#include "x86/layout.h"
#include "x86/pagetable.h"
#include "x86/percpu.h"
#include "x86/pte.h"

extern u8 entry_text_start[], entry_text_end[], cpu_stack[];

bool xpti_is_on;
static u64 l4_changes = 1; /* written under the hypervisor lock, read without */
static struct {
	u64 *l4;
	u64 copied_cr3, copied_changes;
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

bool xpti_cpu_init(unsigned int cpu)
{
	u64 *l4;

	if (!xpti_is_on)
		return true;
	l4 = pt_page();
	if (!l4)
		return false;
	/* A CPU that does not start keeps its pages: it may still come. */
	if (!map_entry_text(l4) || !desc_map_entry(cpu, l4, map_as_hv) || !map_stacks(l4, cpu))
		return false;
	percpu[cpu].l4 = l4;
	cpu_info_of(cpu)->guest_cr3 = virt_to_maddr(l4);
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
	__atomic_store_n(&l4_changes, l4_changes + 1, __ATOMIC_SEQ_CST);
}

static bool is_stale(const struct cpu_info *c)
{
	return percpu[c->cpu_id].copied_cr3 != c->hv_cr3 ||
	       percpu[c->cpu_id].copied_changes != __atomic_load_n(&l4_changes, __ATOMIC_SEQ_CST);
}

/* Entry @slot of guests' copies is one of the tables that are loaded, not the hypervisor's. */
static bool is_copied(unsigned int slot)
{
	return slot < HV_L4_FIRST || slot > HV_L4_LAST || slot == pt_index(M2P_RO_START, 4) ||
	       slot == PERDOMAIN_L4_SLOT;
}

bool xpti_fault_is_stale(u64 va)
{
	const struct cpu_info *c = this_cpu();
	unsigned int slot = pt_index(va, 4);
	u64 copy, loaded;

	if (!xpti_is_on || !is_copied(slot))
		return false;
	copy = READ_ONCE(percpu[c->cpu_id].l4[slot]);
	loaded = READ_ONCE(((const u64 *)maddr_to_virt(c->hv_cr3))[slot]);
	/* Either was walked, or not. */
	if (!((copy ^ loaded) & ~PTE_A))
		return false;
	percpu[c->cpu_id].copied_cr3 = 0; /* whatever the count says */
	return true;
}

void xpti_before_guest(void)
{
	const struct cpu_info *c = this_cpu();
	u64 *to = percpu[c->cpu_id].l4;
	const u64 *from = maddr_to_virt(c->hv_cr3);

	if (!is_stale(c))
		return;
	/* First the time, then the copy: what changes meanwhile makes it stale again. */
	percpu[c->cpu_id].copied_changes = __atomic_load_n(&l4_changes, __ATOMIC_SEQ_CST);
	percpu[c->cpu_id].copied_cr3 = c->hv_cr3;
	for (unsigned int slot = 0; slot < PT_ENTRIES; slot++) {
		if (is_copied(slot))
			to[slot] = from[slot];
	}
}
