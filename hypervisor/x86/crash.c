/* SPDX-License-Identifier: MIT */
/*
 * crash.c - what the machine was doing when it had to stop, into the log. Owns a note of each CPU
 * that was stopped. Runs in any state: takes no lock, follows no pointer of a guest.
 */
#include "lib/log.h"
#include "x86/asm.h"
#include "x86/crash.h"
#include "x86/layout.h"
#include "x86/percpu.h"
#include "x86/smp.h"

#define STACK_WORDS 16

static struct {
	u64 rip;
	u16 cs;
	bool is_stopped;
} notes[NR_CPUS]; /* each written by its own CPU, then read by the one that reports */

static void (*name_vcpu)(const struct vcpu *v, char *buf, size_t size); /* fixed after boot */

void crash_set_namer(void (*fn)(const struct vcpu *v, char *buf, size_t size))
{
	name_vcpu = fn;
}

static void print_registers(const struct cpu_user_regs *r)
{
	log_error("rip %04x:%016lx rsp %04x:%016lx flags %08lx", r->cs, r->rip, r->ss, r->rsp,
		  r->rflags);
	log_error("rax %016lx rbx %016lx rcx %016lx rdx %016lx", r->rax, r->rbx, r->rcx, r->rdx);
	log_error("rsi %016lx rdi %016lx rbp %016lx r8  %016lx", r->rsi, r->rdi, r->rbp, r->r8);
	log_error("r9  %016lx r10 %016lx r11 %016lx r12 %016lx", r->r9, r->r10, r->r11, r->r12);
	log_error("r13 %016lx r14 %016lx r15 %016lx cr2 %016lx", r->r13, r->r14, r->r15,
		  read_cr2());
	log_error("cr0 %016lx cr3 %016lx cr4 %016lx", read_cr0(), read_cr3(), read_cr4());
}

/* Words of the CPU stack that point into the image: most are return addresses. */
static void print_stack(u64 rsp)
{
	extern const u8 text_start[], text_end[];
	const u64 *end = (const u64 *)this_cpu();
	unsigned int shown = 0;

	if ((rsp ^ (u64)(uintptr_t)end) >= STACK_SIZE)
		return; /* not in this CPU's area: nothing to trust */
	for (const u64 *p = (const u64 *)(rsp & ~7UL); p < end && shown < STACK_WORDS; p++) {
		if (*p < (u64)(uintptr_t)text_start || *p >= (u64)(uintptr_t)text_end)
			continue;
		log_error("  stack %016lx: %016lx", (unsigned long)p, (unsigned long)*p);
		shown++;
	}
}

static void print_place(unsigned int cpu, u16 cs, u64 rip)
{
	const struct vcpu *v = cpu_info_of(cpu)->vcpu;
	const char *where = cs & 3 ? "in the guest" : "in the hypervisor";
	char who[24] = "no vcpu";

	if (v && name_vcpu)
		name_vcpu(v, who, sizeof(who));
	log_error("CPU %u: %s, %s at %016lx", cpu, who, where, (unsigned long)rip);
}

void crash_print(const struct cpu_user_regs *regs)
{
	print_place(this_cpu_id(), regs->cs, regs->rip);
	print_registers(regs);
	print_stack(regs->rsp);
}

void crash_note(const struct cpu_user_regs *regs)
{
	unsigned int cpu = this_cpu_id();

	notes[cpu].rip = regs->rip;
	notes[cpu].cs = regs->cs;
	__atomic_store_n(&notes[cpu].is_stopped, true, __ATOMIC_RELEASE);
}

void crash_print_others(void)
{
	for (unsigned int i = 0; i < smp_nr_cpus(); i++)
		if (__atomic_load_n(&notes[i].is_stopped, __ATOMIC_ACQUIRE))
			print_place(i, notes[i].cs, notes[i].rip);
}
