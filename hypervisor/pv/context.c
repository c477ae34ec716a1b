/* SPDX-License-Identifier: MIT */
/*
 * context.c - puts a vcpu's page tables, descriptor windows, segment state and control registers on
 * the CPU and takes them off again. Owns CR3, TSC_AUX, the segment bases and the guest's bits of
 * CR4.
 *
 * GS: while the guest kernel runs, GS_BASE is the kernel's and SHADOW_GS_BASE the user's; in guest
 * user mode they are swapped. The guest may write its bases directly (FSGSBASE), so they are read
 * back when it leaves.
 */
#include "pv/context.h"

#include "lib/errno.h"
#include "mm/frame.h"
#include "pv/desc.h"
#include "pv/logdirty.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/desc.h"
#include "x86/layout.h"
#include "x86/pagetable.h"
#include "x86/percpu.h"
#include "x86/segment.h"
#include "x86/tlb.h"

/*
 * Of the bits a guest may set, those that change what its user mode may do; the others are so for
 * all.
 */
#define CR4_APPLIED (X86_CR4_TSD | X86_CR4_FSGSBASE)

u64 pv_cr3_of(struct frame *l4)
{
	if (unlikely(l4->type & FT_LOGGED))
		return logdirty_cr3_of(l4);
	return mfn_to_maddr(frame_to_mfn(l4));
}

static u64 cr3_of_mode(const struct vcpu *v)
{
	return v->pv.in_kernel ? v->pv.kernel_cr3 : v->pv.user_cr3;
}

static void load_cr3(u64 cr3)
{
	this_cpu()->hv_cr3 = cr3;
	write_cr3(cr3);
}

void pv_load_cr3_flush(struct vcpu *v)
{
	load_cr3(cr3_of_mode(v));
	tlb_flush_local_all();
}

void pv_toggle_mode(struct vcpu *v)
{
	v->pv.in_kernel = !v->pv.in_kernel;
	swapgs();
	/* user pages are global and stay; kernel pages are not and go */
	load_cr3(cr3_of_mode(v));
}

static void bases_save(struct pv_vcpu *pv)
{
	u64 gs = rdmsr(MSR_GS_BASE), shadow = rdmsr(MSR_SHADOW_GS_BASE);

	pv->fs_base = rdmsr(MSR_FS_BASE);
	pv->gs_base_kernel = pv->in_kernel ? gs : shadow;
	pv->gs_base_user = pv->in_kernel ? shadow : gs;
}

u64 pv_cr4_guest_bits(void)
{
	return X86_CR4_TSD | X86_CR4_DE | (cpu_has_fsgsbase ? X86_CR4_FSGSBASE : 0) |
	       (cpu_has_xsave ? X86_CR4_OSXSAVE : 0);
}

void pv_cr4_load(const struct vcpu *v)
{
	u64 now = read_cr4();
	u64 wanted = (now & ~CR4_APPLIED) | (v->pv.ctrlreg[4] & CR4_APPLIED);

	if (wanted != now)
		write_cr4(wanted);
}

void pv_vcpu_switch_out(struct vcpu *v)
{
	struct pv_vcpu *pv = &v->pv;

	bases_save(pv);
	segment_save(&pv->ds, &pv->es, &pv->fs, &pv->gs);
	pv_debug_unload(pv);
}

/*
 * A selector the guest's tables no longer hold faults on loading: it becomes null, as after a real
 * CPU's check.
 */
static void selectors_load(const struct pv_vcpu *pv)
{
	segment_load_ds(pv->ds);
	segment_load_es(pv->es);
	segment_load_fs(pv->fs);
	segment_load_gs(pv->gs);
}

/* Only CPUs with RDTSCP have the register, and few guests change it: a write where it differs. */
static bool tsc_aux_load(u64 val)
{
	static u64 loaded[NR_CPUS]; /* 0 since cpu_init() */
	u64 *here = &loaded[this_cpu_id()];

	if (val == *here)
		return true;
	if (wrmsr_safe(MSR_TSC_AUX, val))
		return false;
	*here = val;
	return true;
}

bool pv_tsc_aux_set(struct vcpu *v, u64 val)
{
	if (!tsc_aux_load(val))
		return false;
	v->pv.tsc_aux = val;
	return true;
}

void pv_vcpu_switch_in(struct vcpu *v)
{
	struct pv_vcpu *pv = &v->pv;

	this_cpu()->tlb_space = &v->domain->tlb;
	pv_window_enter_cpu(v);
	pv_load_cr3_flush(v);
	desc_load_gdt(VCPU_GDT_VA(v->vcpu_id));
	desc_load_ldt(VCPU_LDT_VA(v->vcpu_id), pv->nr_ldt_entries);
	selectors_load(pv);
	wrmsr(MSR_FS_BASE, pv->fs_base);
	wrmsr(MSR_GS_BASE, pv->in_kernel ? pv->gs_base_kernel : pv->gs_base_user);
	wrmsr(MSR_SHADOW_GS_BASE, pv->in_kernel ? pv->gs_base_user : pv->gs_base_kernel);
	tsc_aux_load(pv->tsc_aux);
	pv_cr4_load(v);
	pv_debug_load(pv);
}

void pv_tables_leave(void)
{
	desc_load_own(); /* the window is not in the hypervisor's own tables */
	load_cr3(virt_to_maddr(hv_l4));
	tlb_flush_local_all();
	this_cpu()->tlb_space = NULL;
}

bool pv_segment_base_ok(u64 base)
{
	return va_is_canonical(base);
}

int pv_set_segment_base(u32 msr, u64 base)
{
	if (!pv_segment_base_ok(base))
		return -EINVAL;
	wrmsr(msr, base);
	return 0;
}

int pv_set_user_gs_selector(u16 sel)
{
	/*
	 * in guest kernel mode the user's base is the shadow: load the selector between two swaps
	 */
	swapgs();
	segment_load_gs(sel);
	swapgs();
	return 0;
}
