/* SPDX-License-Identifier: MIT */
/*
 * perdomain.c - the page tables below L4 slot 260: each vcpu's window of 16 GDT and 16 LDT pages.
 * One L3 and one L2 page a domain, one L1 page per 16 vcpus.
 */
#include "lib/errno.h"
#include "mm/frame.h"
#include "pv/desc.h"
#include "pv/pv.h"
#include "x86/desc.h"
#include "x86/layout.h"
#include "x86/pagetable.h"
#include "x86/pte.h"
#include "x86/smp.h"
#include "x86/tlb.h"
#include "x86/xpti.h"

#define TABLE_PTE (PTE_P | PTE_RW | PTE_A | PTE_D)
#define WINDOW_ENTRIES (VCPU_GDT_PAGES + VCPU_LDT_PAGES)

int pv_perdomain_init(struct domain *d)
{
	u64 *l3 = xen_pages_alloc(0), *l2 = xen_pages_alloc(0);

	if (!l3 || !l2) {
		if (l3)
			xen_pages_free(l3, 0);
		if (l2)
			xen_pages_free(l2, 0);
		return -ENOMEM;
	}
	l3[0] = pte_make(virt_to_mfn(l2), TABLE_PTE);
	d->pv.perdomain_l3 = l3;
	d->pv.perdomain_l2 = l2;
	return 0;
}

void pv_perdomain_fini(struct domain *d)
{
	u64 *l2 = d->pv.perdomain_l2;

	if (!l2)
		return;
	for (unsigned int i = 0; i < PT_ENTRIES; i++)
		if (l2[i] & PTE_P)
			xen_pages_free(mfn_to_virt(pte_mfn(l2[i])), 0);
	xen_pages_free(l2, 0);
	xen_pages_free(d->pv.perdomain_l3, 0);
	d->pv.perdomain_l2 = d->pv.perdomain_l3 = NULL;
	/* the walker may have cached the path: the pages are about to be somebody else's */
	tlb_flush_cpus(smp_cpu_mask());
}

int pv_window_init(struct vcpu *v)
{
	unsigned long va = VCPU_GDT_VA(v->vcpu_id);
	u64 *l2e = &v->domain->pv.perdomain_l2[pt_index(va, 2)];
	u64 *l1;

	if (!(*l2e & PTE_P)) {
		l1 = xen_pages_alloc(0);
		if (!l1)
			return -ENOMEM;
		*l2e = pte_make(virt_to_mfn(l1), TABLE_PTE);
	}
	l1 = mfn_to_virt(pte_mfn(*l2e));
	v->pv.window_l1 = &l1[pt_index(va, 1)];
	for (unsigned int i = 0; i < WINDOW_ENTRIES; i++)
		v->pv.window_l1[i] = 0;
	/* every guest runs with the hypervisor's descriptors at the same reserved selectors */
	v->pv.window_l1[HV_GDT_PAGE] =
		pte_make(desc_hv_gdt_mfn(0), PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX);
	return 0;
}

void pv_window_enter_cpu(struct vcpu *v)
{
	unsigned int cpu = this_cpu_id();

	if (v->pv.window_cpu == cpu)
		return;
	v->pv.window_l1[HV_GDT_PAGE] =
		pte_make(desc_hv_gdt_mfn(cpu), PTE_P | PTE_RW | PTE_A | PTE_D | PTE_NX);
	v->pv.window_cpu = cpu;
}

void pv_l4_fill_hv_slots(struct domain *d, u64 *l4)
{
	for (unsigned int i = HV_L4_FIRST; i <= HV_L4_LAST; i++)
		l4[i] = hv_l4[i];
	l4[PERDOMAIN_L4_SLOT] = pte_make(virt_to_mfn(d->pv.perdomain_l3), TABLE_PTE);
	xpti_l4_changed();
}
