/* SPDX-License-Identifier: MIT */
/*
 * test_traps.c - the last instruction of the way out faults: whatever was mended meanwhile, a guest
 * is entered only past the look at the age of its tables (x86/xpti.h). And what an exception leaves
 * in the CPU, which whoever runs next would find: NMIs that are held back, and DR6.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "domain/domain.h"
#include "domain/guest.h"
#include "hypercall/hypercall.h"
#include "pv/pv.h"
#include "x86/asm.h"
#include "x86/irq.h"
#include "x86/mce.h"
#include "x86/nmi.h"
#include "x86/offsets.h"
#include "x86/percpu.h"
#include "x86/shutdown.h"
#include "x86/softirq.h"
#include "x86/xpti.h"

#define VEC_DB 1
#define VEC_NMI 2
#define VEC_PF 14
#define DR6_STEP 0x4000
#define LDT_CS 0x0f
#define GUEST_RBX 0x1234
#define GUEST_RCX 0x5678

struct ex_entry {
	u64 fault_rip, fixup_rip;
};

bool guest_trap(struct cpu_user_regs *regs);
void hv_trap(struct cpu_user_regs *regs);
bool guest_exit_work(struct cpu_user_regs *regs);
void nmi_unblock(void);

const u8 guest_iret[1], elsewhere[1];
const struct ex_entry ex_table_start[1], ex_table_end[1];
struct fake_registers fake_registers[NR_CPUS];
bool xpti_is_on = true;
u64 xpti_l4_changes = 1;

static struct vcpu vcpu;
static struct vcpu_info vcpu_info;
static jmp_buf out;
static unsigned int nr_loads, nr_fixed, nr_nmis;
static bool is_window, nmis_are_blocked;

/* --- below and above traps.c --- */

/*
 * The lock is waited for, another CPU takes a level-4 entry away, and is told that this one
 * flushed.
 */
bool pv_fixup_hv_fault(unsigned long va, u32 error_code)
{
	if (!is_window)
		return false;
	nr_fixed++;
	xpti_l4_changes++;
	return true;
}

void return_to_guest(void)
{
	longjmp(out, 1);
}

void xpti_copy_load(void)
{
	nr_loads++;
	this_cpu()->copied_changes = xpti_l4_changes;
}

void pv_iret_fault(struct cpu_user_regs *regs)
{
	regs->rip = 0x7777;
}

bool softirq_is_pending(void)
{
	return false;
}

/* As the CPU: until an iret none comes. */
void nmi_handle(const struct cpu_user_regs *regs)
{
	assert_true(nmis_are_blocked);
	nr_nmis++;
}

void nmi_unblock(void)
{
	nmis_are_blocked = false;
}

bool xpti_fault_is_stale(u64 va)
{
	return false;
}

bool pv_fixup_copy_fault(unsigned long va, u32 error_code)
{
	return false;
}

void hv_panic_at(const struct cpu_user_regs *regs, const char *fmt, ...)
{
	abort();
}

#define NOT_CALLED(decl)                                                                           \
	decl                                                                                       \
	{                                                                                          \
		abort();                                                                           \
	}
NOT_CALLED(void softirq_process(void))
NOT_CALLED(void pv_deliver_pending(struct cpu_user_regs *regs))
NOT_CALLED(void hypercall_entry(struct cpu_user_regs *regs))
NOT_CALLED(void pv_syscall_from_user(struct cpu_user_regs *regs))
NOT_CALLED(void pv_int80(struct cpu_user_regs *regs))
NOT_CALLED(void pv_trap(struct cpu_user_regs *regs))
NOT_CALLED(void irq_dispatch(u8 vector))
NOT_CALLED(void mce_handle(const struct cpu_user_regs *regs))
NOT_CALLED(void hv_panic(const char *fmt, ...))

/* --- */

static int fresh(void **state)
{
	memset(&fake_cpus[0], 0, sizeof(fake_cpus[0]));
	vcpu.vcpu_info = &vcpu_info;
	this_cpu()->vcpu = &vcpu;
	nr_loads = nr_fixed = nr_nmis = 0;
	is_window = true;
	/* what the stack still has of the frame when iret reads it */
	guest_regs()->rip = 0x1000;
	guest_regs()->cs = LDT_CS;
	guest_regs()->entry_vector = TRAP_SYSCALL;
	xpti_before_guest();
	nr_loads = 0;
	return 0;
}

static struct cpu_user_regs fault_at(const u8 *rip)
{
	return (struct cpu_user_regs){ .rip = (u64)(uintptr_t)rip,
				       .entry_vector = VEC_PF,
				       .rbx = GUEST_RBX,
				       .rcx = GUEST_RCX };
}

/* True: the guest is entered by the way that looks. False: hv_trap() returned to where it was. */
static bool goes_out_again(struct cpu_user_regs *regs)
{
	if (setjmp(out))
		return true;
	hv_trap(regs);
	return false;
}

static void test_an_iret_whose_window_was_mended_goes_past_the_look_at_the_tables(void **state)
{
	struct cpu_user_regs regs = fault_at(guest_iret);

	assert_true(goes_out_again(&regs));

	assert_int_equal(nr_fixed, 1);
	assert_false(guest_exit_work(guest_regs())); /* not by sysret: RCX is the guest's own */
	assert_int_equal(nr_loads, 1);
	assert_int_equal(guest_regs()->rip, 0x1000);
	assert_int_equal(guest_regs()->cs, LDT_CS);
	assert_int_equal(guest_regs()->rbx, GUEST_RBX);
	assert_int_equal(guest_regs()->rcx, GUEST_RCX);
}

static void test_a_selector_loaded_in_the_middle_of_a_switch_is_loaded_again(void **state)
{
	struct cpu_user_regs regs = fault_at(elsewhere);

	assert_false(goes_out_again(&regs));
	assert_int_equal(nr_fixed, 1);
	assert_int_equal(regs.rip, (u64)(uintptr_t)elsewhere);
}

static void test_an_iret_that_cannot_be_mended_is_the_guests_fault(void **state)
{
	struct cpu_user_regs regs = fault_at(guest_iret);

	is_window = false;
	assert_true(goes_out_again(&regs));
	assert_int_equal(guest_regs()->rip, 0x7777);
	assert_int_equal(guest_regs()->rbx, GUEST_RBX);
}

/* By sysret or into another guest's kernel it may be long until somebody's iret. */
static void test_whoever_runs_after_an_nmi_is_reached_by_the_next(void **state)
{
	struct cpu_user_regs regs = { .entry_vector = VEC_NMI };

	nmis_are_blocked = true;
	guest_trap(&regs);
	assert_int_equal(nr_nmis, 1);
	assert_false(nmis_are_blocked);
}

/* The hypervisor's own iret ends it, where it came from. */
static void test_an_nmi_in_the_hypervisor_is_handled_where_it_came(void **state)
{
	struct cpu_user_regs regs = { .rip = (u64)(uintptr_t)elsewhere, .entry_vector = VEC_NMI };

	nmis_are_blocked = true;
	assert_false(goes_out_again(&regs));
	assert_int_equal(nr_nmis, 1);
	assert_int_equal(regs.rip, (u64)(uintptr_t)elsewhere);
}

static void test_a_step_that_was_held_back_into_the_hypervisor_tells_nobody(void **state)
{
	struct cpu_user_regs regs = { .rip = (u64)(uintptr_t)elsewhere, .entry_vector = VEC_DB };

	fake_registers[this_cpu_id()].dr[6] = X86_DR6_DEFAULT | DR6_STEP;
	assert_false(goes_out_again(&regs));
	assert_int_equal(fake_registers[this_cpu_id()].dr[6], X86_DR6_DEFAULT);
	assert_int_equal(regs.rip, (u64)(uintptr_t)elsewhere);
}

int main(void)
{
#define CLAIM(t) cmocka_unit_test_setup(t, fresh)
	const struct CMUnitTest tests[] = {
		CLAIM(test_an_iret_whose_window_was_mended_goes_past_the_look_at_the_tables),
		CLAIM(test_a_selector_loaded_in_the_middle_of_a_switch_is_loaded_again),
		CLAIM(test_an_iret_that_cannot_be_mended_is_the_guests_fault),
		CLAIM(test_whoever_runs_after_an_nmi_is_reached_by_the_next),
		CLAIM(test_an_nmi_in_the_hypervisor_is_handled_where_it_came),
		CLAIM(test_a_step_that_was_held_back_into_the_hypervisor_tells_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
