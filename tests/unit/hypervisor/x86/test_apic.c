/* SPDX-License-Identifier: MIT */
/*
 * test_apic.c - the local APIC in both modes, on a fake one that refuses what the Intel SDM, vol.
 * 3, tables 11-6 and 11-5 refuse: registers that x2APIC mode lacks, and changes of mode.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/timer.h"
#include "lib/boot_options.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/asm.h"
#include "x86/clock.h"
#include "x86/pagetable.h"

#define BASE 0xfee00000u
#define BASE_BSP (1u << 8)
#define X2APIC (1u << 10)
#define ENABLE (1u << 11)
#define ICR 0x300
#define ICR_HIGH 0x310

struct acpi_facts acpi_facts;
struct boot_options boot_options;

static bool cpu_has_x2apic;
static u64 base_msr;
static u32 page[1024];	     /* the registers in memory */
static u64 x2reg[64];	     /* and as MSRs */
static unsigned int nr_fences; /* since the last write of a register */
static s_time_t now;

/* --- the machine below --- */

void hv_panic(const char *fmt, ...)
{
	abort();
}

void *ioremap(maddr_t start, size_t len)
{
	assert_int_equal(start, BASE);
	return page;
}

s_time_t now_ns(void)
{
	return now;
}

void mb(void)
{
	nr_fences++;
}

void lfence(void)
{
	nr_fences++;
}

void cpu_relax(void)
{
	page[ICR / 4] &= ~(1u << 12);
}

void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	assert_int_equal(leaf, 1);
	*a = *b = *d = 0;
	*c = cpu_has_x2apic ? 1u << 21 : 0;
}

static void change_mode(u64 val)
{
	u64 from = base_msr & (ENABLE | X2APIC), to = val & (ENABLE | X2APIC);

	assert_false(to == X2APIC);
	assert_false(from == (ENABLE | X2APIC) && to == ENABLE);
	assert_false(from == 0 && to == (ENABLE | X2APIC));
	assert_true(!(to & X2APIC) || cpu_has_x2apic);
	assert_int_equal(val & ~(u64)(ENABLE | X2APIC), BASE | BASE_BSP);
	base_msr = val;
}

/* What MSR @msr is as an offset of registers; only in x2APIC mode is there any. */
static u32 offset_of(u32 msr)
{
	assert_in_range(msr, 0x800, 0x83f);
	assert_true(base_msr & X2APIC);
	return (msr - 0x800) * 16;
}

u64 rdmsr(u32 msr)
{
	if (msr == MSR_APIC_BASE)
		return base_msr;
	return x2reg[offset_of(msr) / 16];
}

void wrmsr(u32 msr, u64 val)
{
	u32 reg;

	if (msr == MSR_APIC_BASE) {
		change_mode(val);
		return;
	}
	reg = offset_of(msr);
	/*
	 * ID, version, LDR, the timer's count: read only; DFR and the ICR's upper half: not there
	 */
	assert_false(reg == 0x20 || reg == 0x30 || reg == 0xd0 || reg == 0xe0 || reg == 0x390 ||
		     reg == ICR_HIGH);
	assert_true(reg == ICR || val >> 32 == 0);
	if (reg == 0xb0)
		assert_int_equal(val, 0);
	if (reg == ICR)
		assert_int_equal(nr_fences, 2);
	nr_fences = 0;
	x2reg[reg / 16] = val;
}

/* --- claims --- */

static int fresh(void **state)
{
	memset(page, 0, sizeof(page));
	memset(x2reg, 0, sizeof(x2reg));
	acpi_facts.lapic = BASE;
	boot_options = (struct boot_options){ 0 };
	cpu_has_x2apic = false;
	base_msr = BASE | BASE_BSP | ENABLE;
	nr_fences = 0;
	return 0;
}

/* First: memory, once mapped, is gone back to by no later apic_init() of this process. */
static void test_x2apic_mode_is_used_where_the_cpu_has_it(void **state)
{
	cpu_has_x2apic = true;
	apic_init();
	assert_int_equal(base_msr, BASE | BASE_BSP | ENABLE | X2APIC);
	assert_int_equal(x2reg[0xf], 0x100 | VECTOR_SPURIOUS);
	assert_int_equal(x2reg[0x32], 0x10000 | VECTOR_TIMER);
	assert_int_equal(x2reg[0x35], 0x10000);
	assert_int_equal(x2reg[0x36], 0x400);
	for (size_t i = 0; i < 1024; i++)
		assert_int_equal(page[i], 0);
	x2reg[2] = 0x112; /* 32 bits of id, not the upper eight */
	assert_int_equal(apic_id(), 0x112);
	apic_timer_start();
	apic_timer_set_khz(1000000);
	now = 1000;
	apic_timer_set(now + 5000);
	assert_int_equal(x2reg[0x38], 5000);
	apic_eoi();
}

static void test_an_interrupt_is_one_write_behind_a_fence(void **state)
{
	cpu_has_x2apic = true;
	apic_init();
	apic_send(0x47, VECTOR_KICK);
	assert_int_equal(x2reg[0x30], (u64)0x47 << 32 | 0x4000 | VECTOR_KICK);
	apic_send_init(3);
	assert_int_equal(x2reg[0x30], (u64)3 << 32 | 0x4500);
	apic_send_startup(3, 9);
	assert_int_equal(x2reg[0x30], (u64)3 << 32 | 0x4609);
	apic_send_nmi_to_others();
	assert_int_equal(x2reg[0x30], 0xc4400);
}

static void test_every_mode_the_firmware_may_leave_is_taken_over(void **state)
{
	static const u32 left[] = { 0, ENABLE, ENABLE | X2APIC };

	cpu_has_x2apic = true;
	for (size_t i = 0; i < 3; i++) {
		base_msr = BASE | BASE_BSP | left[i];
		apic_init();
		assert_int_equal(base_msr, BASE | BASE_BSP | ENABLE | X2APIC);
	}
	boot_options.x2apic = OPTION_OFF;
	for (size_t i = 0; i < 3; i++) {
		base_msr = BASE | BASE_BSP | left[i];
		apic_init();
		assert_int_equal(base_msr, BASE | BASE_BSP | ENABLE);
	}
}

static void test_without_it_the_registers_are_memory(void **state)
{
	apic_init();
	assert_int_equal(base_msr, BASE | BASE_BSP | ENABLE);
	assert_int_equal(page[0xf0 / 4], 0x100 | VECTOR_SPURIOUS);
	assert_int_equal(page[0xe0 / 4], ~0u);
	page[0x20 / 4] = 0x12000000;
	assert_int_equal(apic_id(), 0x12);
	page[ICR / 4] = 1u << 12; /* the last one is still on its way */
	apic_send(5, VECTOR_REQUEST);
	assert_int_equal(page[ICR_HIGH / 4], 5u << 24);
	assert_int_equal(page[ICR / 4], 0x4000 | VECTOR_REQUEST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_x2apic_mode_is_used_where_the_cpu_has_it, fresh),
		cmocka_unit_test_setup(test_an_interrupt_is_one_write_behind_a_fence, fresh),
		cmocka_unit_test_setup(test_every_mode_the_firmware_may_leave_is_taken_over, fresh),
		cmocka_unit_test_setup(test_without_it_the_registers_are_memory, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
