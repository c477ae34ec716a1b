/* SPDX-License-Identifier: MIT */
/*
 * desc.c - the hypervisor's descriptors: the IDT, and for each CPU a GDT page, which is page 14 of
 * the GDT window of the vcpu it runs, and a TSS with interrupt stacks. The public selectors in it
 * are ABI (xen-x86_64.h).
 * Source: Intel SDM vol. 3, chapters 3.5, 6.14, 7.7.
 */
#include <xen/xen.h>

#include "lib/string.h"
#include "x86/asm.h"
#include "x86/desc.h"
#include "x86/layout.h"
#include "x86/offsets.h"
#include "x86/percpu.h"

enum ist { IST_DB = 1, IST_NMI, IST_DF, IST_MC, IST_NR };

/* Present, accessed, flat segments; the accessed bit is preset so that the page is never written.
 */
#define DESC_CODE64_DPL0 0x00af9b000000ffffULL
#define DESC_DATA_DPL0 0x00cf93000000ffffULL
#define DESC_CODE32_DPL3 0x00cffb000000ffffULL
#define DESC_DATA_DPL3 0x00cff3000000ffffULL
#define DESC_CODE64_DPL3 0x00affb000000ffffULL
#define DESC_TYPE_LDT 0x2
#define DESC_TYPE_TSS 0x9

#define GATE_INTERRUPT_DPL0 0x8e
#define GATE_INTERRUPT_DPL3 0xee

struct idt_gate {
	u16 offset0, selector;
	u8 ist, type;
	u16 offset1;
	u32 offset2, reserved;
};
_Static_assert(sizeof(struct idt_gate) == 16, "SDM figure 6-8");

struct tss {
	u32 reserved0;
	u64 rsp[3], reserved1, ist[7], reserved2;
	u16 reserved3, io_bitmap;
} __attribute__((packed));
_Static_assert(sizeof(struct tss) == 104, "SDM figure 8-11");

struct descriptor_register {
	u16 limit;
	u64 base;
} __attribute__((packed));

#define SYSCALL_STUB_SIZE 64 /* entry.S: one for each CPU */
extern const u8 trap_stubs[], syscall_entry[], syscall32_entry[];

static u64 boot_cpu_gdt[512] __attribute__((aligned(4096)));
static struct idt_gate idt[256] __attribute__((aligned(4096)));
static struct {
	u64 *gdt; /* a page of its own: it holds this CPU's TSS and its vcpu's LDT */
	mfn_t gdt_mfn;
	bool has_ldt;
	struct tss tss;
} percpu[NR_CPUS] __attribute__((aligned(128)));

#define GDT_INDEX(selector) (((selector)&0xfff) / 8)

static void set_system_descriptor(u64 *gdt, unsigned int selector, u64 base, u32 limit, u8 type)
{
	u64 *d = &gdt[GDT_INDEX(selector)];

	d[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | (u64)(0x80 | type) << 40 |
	       (u64)(limit >> 16 & 0xf) << 48 | (base >> 24 & 0xff) << 56;
	d[1] = base >> 32;
}

static void set_gate(unsigned int vector, u8 type, u8 ist)
{
	u64 stub = (u64)(uintptr_t)trap_stubs + vector * 16;

	idt[vector] = (struct idt_gate){
		.offset0 = (u16)stub,
		.selector = HV_CS,
		.ist = ist,
		.type = type,
		.offset1 = (u16)(stub >> 16),
		.offset2 = (u32)(stub >> 32),
	};
}

static void fill_idt(void)
{
	for (unsigned int v = 0; v < 256; v++)
		set_gate(v, GATE_INTERRUPT_DPL0, 0);
	set_gate(1, GATE_INTERRUPT_DPL0, IST_DB);
	set_gate(2, GATE_INTERRUPT_DPL0, IST_NMI);
	set_gate(8, GATE_INTERRUPT_DPL0, IST_DF);
	set_gate(18, GATE_INTERRUPT_DPL0, IST_MC);
	/* What a guest's user mode may execute itself; other `int n` become #GP for the emulation.
	 */
	set_gate(3, GATE_INTERRUPT_DPL3, 0);
	set_gate(4, GATE_INTERRUPT_DPL3, 0);
	set_gate(0x80, GATE_INTERRUPT_DPL3, 0);
}

static void fill_gdt(u64 *gdt, const struct tss *tss)
{
	gdt[GDT_INDEX(HV_CS)] = DESC_CODE64_DPL0;
	gdt[GDT_INDEX(HV_DS)] = DESC_DATA_DPL0;
	gdt[GDT_INDEX(FLAT_RING3_CS32)] = DESC_CODE32_DPL3;
	gdt[GDT_INDEX(FLAT_RING3_SS64)] = DESC_DATA_DPL3;
	gdt[GDT_INDEX(FLAT_RING3_CS64)] = DESC_CODE64_DPL3;
	set_system_descriptor(gdt, HV_TSS, (u64)(uintptr_t)tss, sizeof(*tss) - 1, DESC_TYPE_TSS);
}

void desc_load_gdt(unsigned long gdt_va)
{
	struct descriptor_register r = { .limit = 0xffff, .base = gdt_va };

	__asm__ volatile("lgdt %0" ::"m"(r));
}

void desc_load_ldt(unsigned long ldt_va, u32 nr_entries)
{
	unsigned int cpu = this_cpu_id();

	if (!nr_entries && !percpu[cpu].has_ldt)
		return;
	percpu[cpu].has_ldt = nr_entries != 0;
	if (nr_entries)
		set_system_descriptor(percpu[cpu].gdt, HV_LDT, ldt_va, nr_entries * 8 - 1,
				      DESC_TYPE_LDT);
	__asm__ volatile("lldt %w0" ::"r"(nr_entries ? HV_LDT : 0));
}

void desc_load_own(void)
{
	desc_load_ldt(0, 0);
	/* As in a vcpu's window: the hypervisor's page is at offset 0xe000 of the table. */
	desc_load_gdt((unsigned long)percpu[this_cpu_id()].gdt - HV_GDT_PAGE * PAGE_SIZE);
}

mfn_t desc_hv_gdt_mfn(unsigned int cpu)
{
	return percpu[cpu].gdt_mfn;
}

/* The GDT is not among them: a guest runs on that of its own window. */
bool desc_map_entry(unsigned int cpu, u64 *l4, bool (*map)(u64 *l4, unsigned long va, size_t len))
{
	unsigned long tss = (unsigned long)&percpu[cpu].tss;

	return map(l4, (unsigned long)idt, sizeof(idt)) &&
	       map(l4, ALIGN_DOWN(tss, PAGE_SIZE), PAGE_SIZE);
}

void desc_give_page(unsigned int cpu, void *page)
{
	percpu[cpu].gdt = page;
	percpu[cpu].gdt_mfn = virt_to_mfn(page);
}

static void load_segments(void)
{
	__asm__ volatile(
		"push %0; lea 1f(%%rip), %%rax; push %%rax; lretq; 1:"
		"mov %w1, %%ss; mov %w2, %%ds; mov %w2, %%es; mov %w2, %%fs; mov %w2, %%gs" ::"i"(
			HV_CS),
		"r"(HV_DS), "r"(0)
		: "rax", "memory");
}

static void set_syscall_msrs(void)
{
	/* sysretq takes CS = base + 16, SS = base + 8; syscall takes CS, SS = CS + 8. */
	wrmsr(MSR_STAR, (u64)FLAT_RING3_CS32 << 48 | (u64)HV_CS << 32);
	wrmsr(MSR_LSTAR, (u64)(uintptr_t)syscall_entry + this_cpu_id() * SYSCALL_STUB_SIZE);
	wrmsr(MSR_CSTAR, (u64)(uintptr_t)syscall32_entry + this_cpu_id() * SYSCALL_STUB_SIZE);
	wrmsr(MSR_SYSCALL_MASK, X86_EFLAGS_IF | X86_EFLAGS_TF | X86_EFLAGS_DF | X86_EFLAGS_IOPL |
					X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_VM |
					X86_EFLAGS_AC);
	wrmsr_safe(0x174, 0); /* SYSENTER_CS: sysenter is #GP */
}

void desc_init(void)
{
	struct descriptor_register r = { .limit = sizeof(idt) - 1, .base = (u64)(uintptr_t)idt };
	unsigned int cpu = this_cpu_id();
	unsigned long area = CPU_STACKS_START + cpu * STACK_SIZE;
	struct tss *tss = &percpu[cpu].tss;

	if (cpu == 0) {
		percpu[0].gdt = boot_cpu_gdt;
		percpu[0].gdt_mfn = maddr_to_mfn((u64)(uintptr_t)boot_cpu_gdt - IMAGE_START);
		fill_idt();
	}
	fill_gdt(percpu[cpu].gdt, tss);
	tss->rsp[0] = (u64)(uintptr_t)cpu_info_of(cpu) + REGS_ES;
	for (unsigned int i = 1; i < IST_NR; i++)
		tss->ist[i - 1] = area + i * IST_STACK_SIZE;
	tss->io_bitmap = sizeof(*tss); /* none: every IN and OUT of a guest is #GP */
	/*
	 * After a reset the LDT is memory from address 0 on, which is a guest's: it could put a
	 * gate into ring 0 there.
	 */
	percpu[cpu].has_ldt = true;
	desc_load_own();
	load_segments();
	__asm__ volatile("ltr %w0" ::"r"(HV_TSS));
	__asm__ volatile("lidt %0" ::"m"(r));
	set_syscall_msrs();
}
