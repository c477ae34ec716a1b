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
#include "lib/string.h"
#include "x86/asm.h"
#include "x86/init.h"
#include "x86/layout.h"
#include "x86/machine.h"
#include "x86/percpu.h"
#include "x86/pte.h"

#define L4_ENTRIES 512

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

bool xpti_is_stale(void)
{
	const struct cpu_info *c = this_cpu();

	return xpti_is_on && (percpu[c->cpu_id].copied_cr3 != c->hv_cr3 ||
			      percpu[c->cpu_id].copied_changes !=
				      __atomic_load_n(&l4_changes, __ATOMIC_SEQ_CST));
}

void xpti_before_guest(void)
{
	const struct cpu_info *c = this_cpu();
	u64 *to = percpu[c->cpu_id].l4;
	const u64 *from = maddr_to_virt(c->hv_cr3);

	if (!xpti_is_stale())
		return;
	/* First the time, then the copy: what changes meanwhile makes it stale again. */
	percpu[c->cpu_id].copied_changes = __atomic_load_n(&l4_changes, __ATOMIC_SEQ_CST);
	percpu[c->cpu_id].copied_cr3 = c->hv_cr3;
	memcpy(to, from, HV_L4_FIRST * sizeof(*to));
	memcpy(to + HV_L4_LAST + 1, from + HV_L4_LAST + 1,
	       (L4_ENTRIES - HV_L4_LAST - 1) * sizeof(*to));
	to[(M2P_RO_START >> 39) & 511] = from[(M2P_RO_START >> 39) & 511];
	to[PERDOMAIN_L4_SLOT] = from[PERDOMAIN_L4_SLOT];
}
