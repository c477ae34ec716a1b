/* SPDX-License-Identifier: MIT */
/*
 * softirq.c - work that an interrupt or a hypercall leaves for the way back to the guest, on this
 * CPU or another.
 */
#include "x86/asm.h"
#include "x86/layout.h"
#include "x86/lock.h"
#include "x86/probe.h"
#include "x86/smp.h"
#include "x86/softirq.h"
#include "x86/spec_ctrl.h"

static void (*handler[SOFTIRQ_NR])(void); /* fixed after boot */

void softirq_handle(enum softirq nr, void (*fn)(void))
{
	handler[nr] = fn;
}

void softirq_raise(enum softirq nr)
{
	__atomic_or_fetch(&this_cpu()->softirq_pending, 1u << nr, __ATOMIC_RELAXED);
}

void softirq_raise_on(unsigned int cpu, enum softirq nr)
{
	u32 bit = 1u << nr;

	if (cpu == this_cpu_id()) {
		softirq_raise(nr);
		return;
	}
	if (!(__atomic_fetch_or(&cpu_info_of(cpu)->softirq_pending, bit, __ATOMIC_SEQ_CST) & bit))
		smp_kick(cpu);
}

bool softirq_is_pending(void)
{
	return READ_ONCE(this_cpu()->softirq_pending) != 0;
}

static bool take(enum softirq nr)
{
	u32 *pending = &this_cpu()->softirq_pending;

	if (!(READ_ONCE(*pending) & 1u << nr) ||
	    !(__atomic_fetch_and(pending, ~(1u << nr), __ATOMIC_ACQUIRE) & 1u << nr))
		return false;
	if (unlikely(probe_is_on))
		probe_softirq((int)nr);
	return true;
}

void softirq_process(void)
{
	BUG_ON(!hv_lock_is_held());
	while (softirq_is_pending()) {
		for (enum softirq nr = 0; nr < SOFTIRQ_NR; nr++)
			if (take(nr))
				handler[nr]();
	}
	if (unlikely(probe_is_on))
		probe_softirq(-1);
}

void irq_window(void)
{
	if (unlikely(probe_is_on))
		probe_stop();
	/* sti takes effect after the next instruction */
	__asm__ volatile("sti; nop; cli" ::: "memory");
	if (unlikely(probe_is_on))
		probe_start();
}

/* A thread that sleeps gives its part of some buffers, with what is in them, to the one beside. */
static void empty_buffers(void)
{
	static const u16 selector = HV_DS;

	if (spec_plan.verw_on_exit)
		__asm__ volatile("verw %0" ::"m"(selector) : "cc", "memory");
}

void cpu_idle_wait(void)
{
	if (softirq_is_pending())
		return;
	empty_buffers();
	/* sti holds interrupts back for one instruction: none is lost between the check and hlt. */
	__asm__ volatile("sti; hlt; cli" ::: "memory");
}
