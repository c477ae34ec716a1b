/* SPDX-License-Identifier: MIT */
/*
 * layout.h - every fixed virtual address and its owner. The hypervisor owns L4 slots 256..271 of
 * every page table; all else is the guest's.
 *
 *   slot 256   0xffff800000000000  M2P, read-only for guests            mm/frame.c
 *   slot 258   0xffff810000000000  uncached device mappings (ioremap)   x86/pagetable.c
 *   slot 260   0xffff820000000000  per-domain: GDT and LDT windows      pv/perdomain.c
 *   slot 261   0xffff828000000000  the image                            boot/head.S
 *              0xffff828040000000  CPU stacks                           x86/smp.c
 *   slot 262+  0xffff830000000000  direct map of all RAM, write-back    x86/pagetable.c
 */
#ifndef HV_X86_LAYOUT_H
#define HV_X86_LAYOUT_H

#define HV_L4_FIRST 256
#define HV_L4_LAST 271
#define HV_HOLE_START 0xffff800000000000
#define HV_HOLE_END 0xffff880000000000 /* exclusive */

#define M2P_RO_START 0xffff800000000000
#define IOREMAP_START 0xffff810000000000
#define PERDOMAIN_START 0xffff820000000000
#define PERDOMAIN_L4_SLOT 260
#define IMAGE_START 0xffff828000000000
#define IMAGE_PHYS 0x200000 /* load address; image virtual = IMAGE_START + physical - 0 */
#define DIRECTMAP_SIZE (HV_HOLE_END - 0xffff830000000000) /* 5 TiB; behind it are guests' slots */
#ifndef DIRECTMAP_START	    /* host tests put it over an array (tests/fakes/hv/host.h) */
#define DIRECTMAP_START 0xffff830000000000
#endif

/* Per-domain window: each vcpu has 16 GDT pages followed by 16 LDT pages. */
#define VCPU_GDT_PAGES 16
#define VCPU_LDT_PAGES 16
#define VCPU_WINDOW_SHIFT (12 + 5)
#define VCPU_GDT_VA(vcpu_id) (PERDOMAIN_START + ((unsigned long)(vcpu_id) << VCPU_WINDOW_SHIFT))
#define VCPU_LDT_VA(vcpu_id) (VCPU_GDT_VA(vcpu_id) + VCPU_GDT_PAGES * 4096UL)

/* Selectors in the hypervisor's page (index 14) of every GDT window; FLAT_RING3_* are public ABI.
 */
#define HV_GDT_PAGE 14
#define HV_CS 0xe008
#define HV_DS 0xe010
#define HV_TSS 0xe040
#define HV_LDT 0xe050

/*
 * Each CPU's stack area, aligned to its size: four interrupt stacks, an unmapped guard page, the
 * stack itself, and struct cpu_info (x86/percpu.h) at the top. Area n is at
 * CPU_STACKS_START + n * STACK_SIZE; the boot CPU's is also in the image. entry.S reaches them
 * relative to RIP, so they lie within 2 GiB of it (symbol cpu_stacks of hypervisor.lds).
 */
#define STACK_ORDER 4
#define STACK_SIZE_ASM (4096 << STACK_ORDER)
#define STACK_SIZE (4096UL << STACK_ORDER)
#define IST_STACK_SIZE 8192
#define STACK_GUARD_OFFSET 0x8000
#define CPU_STACKS_START 0xffff828040000000
#define NR_CPUS 32

#ifndef __ASSEMBLY__
#include "lib/types.h"
/* The hypervisor's writable, write-back view of RAM. */
static inline void *maddr_to_virt(maddr_t ma)
{
	return (void *)(DIRECTMAP_START + ma);
}
static inline void *mfn_to_virt(mfn_t mfn)
{
	return maddr_to_virt(mfn_to_maddr(mfn));
}
/* @va: in the direct map. */
static inline maddr_t virt_to_maddr(const void *va)
{
	return (unsigned long)va - DIRECTMAP_START;
}
static inline mfn_t virt_to_mfn(const void *va)
{
	return maddr_to_mfn(virt_to_maddr(va));
}
#endif
#endif
