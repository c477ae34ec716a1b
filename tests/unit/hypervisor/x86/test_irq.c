/* SPDX-License-Identifier: MIT */
/* test_irq.c - device interrupts: who gets them, and when a level line opens again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "domain/domain.h"
#include "domain/evtchn.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "x86/acpi.h"
#include "x86/apic.h"
#include "x86/ioapic.h"
#include "x86/irq.h"
#include "x86/irq_route.h"
#include "x86/msi.h"
#include "x86/softirq.h"

#define PINS 150

struct acpi_facts acpi_facts;

static struct {
	u8 vector;
	bool level, active_low, masked;
	u32 apic_id;
} pin[PINS], message[GSI_LIMIT];
static unsigned int vcpu_cpu; /* where the vcpu last ran that handles device interrupts */
static unsigned int nr_eoi, raised[GSI_LIMIT], nr_handled, nr_requests;
static u32 raised_softirqs;

/* --- the machine below --- */

void hv_log(enum log_level level, const char *fmt, ...)
{
}

void hv_panic(const char *fmt, ...)
{
	abort();
}

void smp_serve_requests(void)
{
	nr_requests++;
}

unsigned int ioapic_pins(void)
{
	return PINS;
}

void ioapic_set_pin(unsigned int gsi, const struct irq_route *r)
{
	pin[gsi].vector = r->vector;
	pin[gsi].level = r->level;
	pin[gsi].active_low = r->active_low;
	pin[gsi].masked = r->masked;
	pin[gsi].apic_id = r->apic_id;
}

void ioapic_set_cpu(unsigned int gsi, u32 apic_id)
{
	pin[gsi].apic_id = apic_id;
}

void msi_write(unsigned int line, const struct irq_route *r)
{
	message[line].vector = r->vector;
	message[line].masked = r->masked;
	message[line].apic_id = r->apic_id;
}

void msi_mask(unsigned int line, bool masked)
{
	message[line].masked = masked;
}

static unsigned int cpu_of(unsigned int gsi)
{
	return vcpu_cpu;
}

void ioapic_mask(unsigned int gsi, bool masked)
{
	pin[gsi].masked = masked;
}

void apic_eoi(void)
{
	nr_eoi++;
}

void softirq_raise(enum softirq nr)
{
	raised_softirqs |= 1u << nr;
}

static bool raise_gsi(unsigned int gsi)
{
	raised[gsi]++;
	return true;
}

static void own_handler(void)
{
	nr_handled++;
}

static int setup(void **state)
{
	static const struct irq_guest guest = { raise_gsi, cpu_of };

	irq_set_guest(&guest);
	for (u32 i = 0; i < 16; i++)
		acpi_facts.isa[i].gsi = i;
	acpi_facts.isa[9].level = true;
	return 0;
}

static void test_an_edge_interrupt_reaches_dom0_and_stays_open(void **state)
{
	assert_int_equal(gsi_bind_guest(1), 0);
	assert_false(pin[1].level || pin[1].active_low || pin[1].masked);
	nr_eoi = 0;

	irq_dispatch(pin[1].vector);
	irq_dispatch(pin[1].vector);

	assert_int_equal(raised[1], 2);
	assert_int_equal(nr_eoi, 2);
	assert_false(pin[1].masked);
	assert_false(gsi_needs_eoi(1));
}

static void test_interrupts_from_other_cpus_serve_requests_and_need_no_lock(void **state)
{
	nr_eoi = 0;

	irq_dispatch(VECTOR_KICK);
	irq_dispatch(VECTOR_REQUEST);

	assert_int_equal(nr_eoi, 2);
	assert_int_equal(nr_requests, 2);
}

static void test_a_level_line_is_closed_until_dom0_is_done(void **state)
{
	assert_int_equal(gsi_setup(17, true, true), 0);
	assert_int_equal(gsi_bind_guest(17), 0);
	assert_true(pin[17].level && pin[17].active_low && !pin[17].masked);

	irq_dispatch(pin[17].vector);
	assert_int_equal(raised[17], 1);
	assert_true(pin[17].masked);
	assert_true(gsi_needs_eoi(17));

	gsi_guest_eoi(17);
	assert_false(pin[17].masked);
}

static void test_an_eoi_without_an_interrupt_changes_nothing(void **state)
{
	assert_int_equal(gsi_bind_guest(18), 0);
	pin[18].masked = true;

	gsi_guest_eoi(18);
	gsi_guest_eoi(GSI_LIMIT + 5);

	assert_true(pin[18].masked);
}

static void test_an_eoi_after_unbinding_does_not_open_the_line(void **state)
{
	assert_int_equal(gsi_bind_guest(19), 0);
	irq_dispatch(pin[19].vector);

	gsi_unbind_guest(19);
	gsi_guest_eoi(19);

	assert_true(pin[19].masked);
	assert_int_equal(gsi_bind_guest(19), 0);
	assert_false(pin[19].masked);
}

static void test_binding_twice_and_odd_numbers_are_refused(void **state)
{
	assert_int_equal(gsi_bind_guest(20), 0);
	assert_int_equal(gsi_bind_guest(20), -EBUSY);
	assert_int_equal(gsi_bind_guest(PINS), -EINVAL);
	assert_int_equal(gsi_bind_guest(~0u), -EINVAL);
	assert_int_equal(gsi_setup(PINS, true, true), -EINVAL);
	assert_int_equal(gsi_setup(20, true, true), -EEXIST);
	assert_int_equal(gsi_setup(20, false, true), -EBUSY);
}

static void test_the_hypervisors_own_interrupt_is_not_dom0s(void **state)
{
	irq_claim_isa(4, own_handler);
	assert_int_equal(gsi_bind_guest(4), -EINVAL);

	irq_dispatch(pin[4].vector);

	assert_int_equal(nr_handled, 1);
	assert_int_equal(raised[4], 0);
}

static void test_isa_interrupts_follow_the_firmwares_overrides(void **state)
{
	assert_int_equal(gsi_bind_guest(9), 0);

	assert_true(pin[9].level);
	assert_false(pin[9].active_low);
}

static void test_no_device_gets_the_vector_of_int80(void **state)
{
	for (unsigned int gsi = 30; gsi < PINS; gsi++) {
		assert_int_equal(gsi_bind_guest(gsi), 0);
		assert_int_not_equal(pin[gsi].vector, 0x80);
		raised[gsi] = 0;
		irq_dispatch(pin[gsi].vector);
		assert_int_equal(raised[gsi], 1);
	}
}

static void test_an_interrupt_by_message_is_dom0s_and_needs_no_eoi(void **state)
{
	unsigned int line;

	assert_int_equal(irq_line_alloc(&line), 0);
	assert_int_equal(line, PINS);
	assert_true(gsi_is_msi(line));
	assert_int_equal(gsi_bind_guest(line), 0);
	assert_false(message[line].masked);

	irq_dispatch(message[line].vector);
	assert_int_equal(raised[line], 1);
	assert_false(gsi_needs_eoi(line) || message[line].masked);

	gsi_unbind_guest(line);
	assert_true(message[line].masked);
	irq_line_free(line);
	assert_false(gsi_is_msi(line));
	irq_dispatch(message[line].vector); /* one that was on its way */
	assert_int_equal(raised[line], 1);
	assert_int_equal(gsi_bind_guest(line), -EINVAL);
}

static void test_messages_take_the_numbers_that_are_left(void **state)
{
	unsigned int line, nr = 0;

	while (!irq_line_alloc(&line)) {
		assert_true(line >= PINS && line < 0xff);
		nr++;
	}
	assert_int_equal(irq_line_alloc(&line), -ENOSPC);
	assert_int_equal(nr, 0xef - 0x30 - PINS);
	for (line = PINS; gsi_is_msi(line); line++)
		irq_line_free(line);
}

static void test_an_interrupt_follows_the_vcpu_that_handles_it(void **state)
{
	assert_int_equal(gsi_bind_guest(21), 0);
	assert_int_equal(pin[21].apic_id, 0);

	fake_nr_cpus = 2;
	vcpu_cpu = 1;
	irq_dispatch(pin[21].vector);
	assert_int_equal(pin[21].apic_id, 2);
	assert_true(pin[21].masked); /* a level line: until dom0 is done */
	gsi_guest_eoi(21);
	assert_false(pin[21].masked);

	vcpu_cpu = NO_CPU;
	irq_dispatch(pin[21].vector);
	assert_int_equal(pin[21].apic_id, 2);
	vcpu_cpu = 0;
	fake_nr_cpus = 1;
}

static void test_the_timer_raises_its_softirq_and_spurious_ones_are_not_acknowledged(void **state)
{
	nr_eoi = raised_softirqs = 0;

	irq_dispatch(VECTOR_TIMER);
	assert_int_equal(raised_softirqs, 1u << SOFTIRQ_TIMER);
	assert_int_equal(nr_eoi, 1);

	irq_dispatch(VECTOR_SPURIOUS);
	irq_dispatch(0x27);
	assert_int_equal(nr_eoi, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interrupts_from_other_cpus_serve_requests_and_need_no_lock),
		cmocka_unit_test(test_an_edge_interrupt_reaches_dom0_and_stays_open),
		cmocka_unit_test(test_a_level_line_is_closed_until_dom0_is_done),
		cmocka_unit_test(test_an_eoi_without_an_interrupt_changes_nothing),
		cmocka_unit_test(test_an_eoi_after_unbinding_does_not_open_the_line),
		cmocka_unit_test(test_binding_twice_and_odd_numbers_are_refused),
		cmocka_unit_test(test_the_hypervisors_own_interrupt_is_not_dom0s),
		cmocka_unit_test(test_isa_interrupts_follow_the_firmwares_overrides),
		cmocka_unit_test(test_no_device_gets_the_vector_of_int80),
		cmocka_unit_test(test_an_interrupt_by_message_is_dom0s_and_needs_no_eoi),
		cmocka_unit_test(test_messages_take_the_numbers_that_are_left),
		cmocka_unit_test(test_an_interrupt_follows_the_vcpu_that_handles_it),
		cmocka_unit_test(
			test_the_timer_raises_its_softirq_and_spurious_ones_are_not_acknowledged),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
