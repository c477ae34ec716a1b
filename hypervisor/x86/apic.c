/* SPDX-License-Identifier: MIT */
/*
 * apic.c - the local APIC of each CPU: end of interrupt, the one-shot timer, and interrupts to
 * other CPUs. Its registers are MSRs where the CPU has x2APIC mode; else memory, at one address for
 * all: who reads it sees its own. Source: Intel SDM vol. 3, chapter 11 (x2APIC: 11.12).
 */
#include "lib/boot_options.h"
#include "lib/log.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/asm.h"
#include "x86/clock.h"
#include "x86/pagetable.h"

#define APIC_ID 0x20
#define APIC_TPR 0x80
#define APIC_EOI 0xb0
#define APIC_LDR 0xd0
#define APIC_DFR 0xe0
#define APIC_SVR 0xf0
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310
#define APIC_LVT_TIMER 0x320
#define APIC_LVT_THERMAL 0x330
#define APIC_LVT_PERF 0x340
#define APIC_LVT_LINT0 0x350
#define APIC_LVT_LINT1 0x360
#define APIC_LVT_ERROR 0x370
#define APIC_TIMER_INIT 0x380
#define APIC_TIMER_NOW 0x390
#define APIC_TIMER_DIVIDE 0x3e0

#define APIC_SVR_ENABLE (1u << 8)
#define APIC_LVT_MASKED (1u << 16)
#define APIC_LVT_NMI (4u << 8)
#define APIC_DIVIDE_1 0xb
#define ICR_NMI (4u << 8)
#define ICR_INIT (5u << 8)
#define ICR_STARTUP (6u << 8)
#define ICR_PENDING (1u << 12)
#define ICR_ASSERT (1u << 14)
#define ICR_ALL_BUT_SELF (3u << 18)
#define APIC_BASE_ENABLE (1UL << 11)
#define APIC_BASE_X2APIC (1UL << 10)
#define MSR_X2APIC 0x800u /* + offset / 16; ICR: both halves in the lower one's */
#define CPUID_1_ECX_X2APIC (1u << 21)

#define TIMER_MIN_TICKS 64

static volatile u32 *regs; /* NULL in x2APIC mode */
static u64 timer_khz;

static void apic_write(u32 reg, u32 value)
{
	if (regs)
		regs[reg / 4] = value;
	else
		wrmsr(MSR_X2APIC + reg / 16, value);
}

static u32 apic_read(u32 reg)
{
	return regs ? regs[reg / 4] : (u32)rdmsr(MSR_X2APIC + reg / 16);
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

u32 apic_id(void)
{
	return apic_read(APIC_ID) >> (regs ? 24 : 0);
}

static bool has_x2apic(void)
{
	u32 a, b, c, d;

	cpuid(1, 0, &a, &b, &c, &d);
	return c & CPUID_1_ECX_X2APIC && boot_options.x2apic != OPTION_OFF;
}

/* From whatever mode the firmware left: x2APIC is entered from xAPIC, and left by disabling. */
static void enable(bool x2apic)
{
	u64 base = rdmsr(MSR_APIC_BASE), off = base & ~(APIC_BASE_ENABLE | APIC_BASE_X2APIC);

	if (base & APIC_BASE_X2APIC) {
		if (x2apic)
			return;
		wrmsr(MSR_APIC_BASE, off);
	}
	wrmsr(MSR_APIC_BASE, off | APIC_BASE_ENABLE);
	if (x2apic)
		wrmsr(MSR_APIC_BASE, off | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
}

void apic_init(void)
{
	bool x2apic = has_x2apic();

	enable(x2apic);
	if (!x2apic && !regs)
		regs = ioremap(acpi_facts.lapic, PAGE_SIZE);
	apic_write(APIC_TPR, 0);
	apic_write(APIC_LVT_TIMER, APIC_LVT_MASKED | VECTOR_TIMER);
	apic_write(APIC_LVT_LINT0, APIC_LVT_MASKED);
	apic_write(APIC_LVT_LINT1, APIC_LVT_NMI);
	apic_write(APIC_LVT_ERROR, VECTOR_ERROR);
	if (!x2apic) { /* which has its own, fixed */
		apic_write(APIC_DFR, ~0u);
		apic_write(APIC_LDR, 1u << 24);
	}
	apic_write(APIC_SVR, APIC_SVR_ENABLE | VECTOR_SPURIOUS);
	apic_write(APIC_TIMER_DIVIDE, APIC_DIVIDE_1);
	apic_write(APIC_TIMER_INIT, 0);
	apic_eoi();
}

void apic_timer_start_raw(u32 count)
{
	apic_write(APIC_TIMER_INIT, count);
}

u32 apic_timer_read_raw(void)
{
	return apic_read(APIC_TIMER_NOW);
}

void apic_timer_set_khz(u64 khz)
{
	timer_khz = khz;
}

void apic_timer_start(void)
{
	apic_write(APIC_TIMER_INIT, 0);
	apic_write(APIC_LVT_TIMER, VECTOR_TIMER); /* one-shot, unmasked */
}

static void icr_write(u32 dest, u32 low)
{
	if (!regs) {
		/* The MSR's write waits for no store before it: whoever is called must see them. */
		mb();
		lfence();
		wrmsr(MSR_X2APIC + APIC_ICR_LOW / 16, (u64)dest << 32 | low);
		return;
	}
	while (apic_read(APIC_ICR_LOW) & ICR_PENDING)
		cpu_relax();
	apic_write(APIC_ICR_HIGH, dest << 24);
	apic_write(APIC_ICR_LOW, low);
}

void apic_send(u32 id, u8 vector)
{
	icr_write(id, vector | ICR_ASSERT);
}

void apic_send_init(u32 id)
{
	icr_write(id, ICR_INIT | ICR_ASSERT);
}

void apic_send_startup(u32 id, u8 page)
{
	icr_write(id, ICR_STARTUP | ICR_ASSERT | page);
}

void apic_send_nmi_to_others(void)
{
	icr_write(0, ICR_NMI | ICR_ASSERT | ICR_ALL_BUT_SELF);
}

void apic_timer_set(s_time_t deadline_ns)
{
	s_time_t left;
	u64 ticks;

	if (deadline_ns <= 0) {
		apic_write(APIC_TIMER_INIT, 0);
		return;
	}
	left = deadline_ns - now_ns();
	if (left > 1000000000)
		left = 1000000000; /* fires early, timer_softirq() then sets the rest */
	ticks = left > 0 ? (u64)left * timer_khz / 1000000 : 0;
	apic_write(APIC_TIMER_INIT, (u32)MIN(MAX(ticks, (u64)TIMER_MIN_TICKS), 0xffffffffULL));
}
