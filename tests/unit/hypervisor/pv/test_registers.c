/* SPDX-License-Identifier: MIT */
/*
 * test_registers.c - what one vcpu leaves in the CPU's registers is not there for the next, and
 * each runs with what it asked for: control registers, debug registers, MSRs, selectors.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "guest.h"
#include "pv/context.h"
#include "pv/emul.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/desc.h"
#include "x86/pagetable.h"
#include "x86/percpu.h"
#include "x86/segment.h"

#define BASE_CR4 (X86_CR4_PGE | X86_CR4_PAE | X86_CR4_SMEP)

static struct vcpu *const a = &fake_vcpu[1], *const b = &fake_vcpu[2];
static u8 code[32];

static void run(struct vcpu *v)
{
	if (current)
		pv_vcpu_switch_out(current);
	current = v;
	pv_vcpu_switch_in(v);
}

static int fresh(void **state)
{
	struct tree t;

	machine_reset(0, 1);
	for (unsigned int i = 1; i <= 2; i++) {
		machine_run(i);
		t = tree_new(i);
		if (install(&t))
			return -1;
		current->pv.in_kernel = true;
		current->pv.cr3_user = current->pv.cr3_kernel;
	}
	fake_cpu.cr4 = BASE_CR4;
	machine_unload();
	run(a);
	return 0;
}

static int done(void **state)
{
	a->pv.cr3_user = b->pv.cr3_user = NULL;
	machine_free();
	return 0;
}

static enum emul_result emulate(const char *bytes, size_t n)
{
	memset(code, 0x90, sizeof(code));
	memcpy(code, bytes, n);
	guest_regs()->rip = (u64)(uintptr_t)code;
	return pv_emul_privileged(guest_regs());
}
#define EMULATE(bytes) emulate(bytes, sizeof(bytes) - 1)
#define WRITE_CR4 "\x0f\x22\xe0"
#define READ_CR4 "\x0f\x20\xe0"
#define RDTSC "\x0f\x31"
#define RDTSCP "\x0f\x01\xf9"
#define WRMSR "\x0f\x30"

static void write_cr4_as_guest(u64 v)
{
	guest_regs()->rax = v;
	assert_int_equal(EMULATE(WRITE_CR4), EMUL_DONE);
}

static void test_cr4_is_the_hypervisors_and_what_the_guest_may_set(void **state)
{
	write_cr4_as_guest(~0ULL);
	assert_int_equal(fake_cpu.cr4, BASE_CR4 | X86_CR4_TSD | X86_CR4_FSGSBASE);
	run(b);
	assert_int_equal(fake_cpu.cr4, BASE_CR4);
	run(a);
	assert_int_equal(fake_cpu.cr4, BASE_CR4 | X86_CR4_TSD | X86_CR4_FSGSBASE);
	write_cr4_as_guest(0);
	assert_int_equal(fake_cpu.cr4, BASE_CR4);
}

static void test_a_cpu_without_a_feature_is_never_told_to_use_it(void **state)
{
	cpu_has_fsgsbase = false;
	write_cr4_as_guest(X86_CR4_FSGSBASE);
	assert_int_equal(fake_cpu.cr4, BASE_CR4);
	assert_int_equal(EMULATE(READ_CR4), EMUL_DONE);
	assert_int_equal(guest_regs()->rax & X86_CR4_FSGSBASE, 0);
	cpu_has_fsgsbase = true;
}

static void test_tsd_is_for_the_guests_user_mode(void **state)
{
	a->pv.tsc_aux = 5;
	write_cr4_as_guest(X86_CR4_TSD);
	assert_int_equal(EMULATE(RDTSC), EMUL_DONE);
	assert_int_equal(EMULATE(RDTSCP), EMUL_DONE);
	assert_int_equal(guest_regs()->rcx, 5);
	pv_toggle_mode(a);
	assert_int_equal(EMULATE(RDTSC), EMUL_REFUSED);
	assert_int_equal(EMULATE(RDTSCP), EMUL_REFUSED);
	pv_toggle_mode(a);
}

static void tsc_aux_as_guest(u32 value)
{
	*guest_regs() = (struct cpu_user_regs){ .rcx = MSR_TSC_AUX, .rax = value };
	assert_int_equal(EMULATE(WRMSR), EMUL_DONE);
}

static void test_tsc_aux_is_each_vcpus_own(void **state)
{
	tsc_aux_as_guest(7);
	assert_int_equal(fake_cpu.msr_tsc_aux, 7);
	run(b);
	assert_int_equal(fake_cpu.msr_tsc_aux, 0);
	tsc_aux_as_guest(9);
	run(a);
	assert_int_equal(fake_cpu.msr_tsc_aux, 7);
	tsc_aux_as_guest(0);
	run(b);
	assert_int_equal(fake_cpu.msr_tsc_aux, 9);
}

static long set_debugreg(u64 nr, u64 value)
{
	return call(hc_set_debugreg, nr, value, 0, 0);
}

static u64 dr6_of_current(void)
{
	return (u64)call(hc_get_debugreg, 6, 0, 0, 0);
}

static void test_dr6_tells_nothing_of_another_guest(void **state)
{
	assert_int_equal(set_debugreg(0, 0x1000), 0);
	assert_int_equal(set_debugreg(7, 1), 0);
	fake_cpu.dr[6] = X86_DR6_DEFAULT | 1; /* its breakpoint */
	pv_debug_trap(&a->pv);
	assert_int_equal(dr6_of_current(), X86_DR6_DEFAULT | 1);
	run(b);
	fake_cpu.dr[6] |= 1 << 14; /* a single step: the CPU clears no status bit by itself */
	pv_debug_trap(&b->pv);
	assert_int_equal(dr6_of_current(), X86_DR6_DEFAULT | 1 << 14);
	assert_int_equal(fake_cpu.dr[6], X86_DR6_DEFAULT);
	run(a);
	assert_int_equal(dr6_of_current(), X86_DR6_DEFAULT | 1);
}

static void test_what_a_guest_writes_to_dr6_is_not_the_cpus(void **state)
{
	assert_int_equal(set_debugreg(7, 1), 0);
	assert_int_equal(set_debugreg(6, 0xf), 0);
	assert_int_equal(dr6_of_current(), X86_DR6_DEFAULT | 0xf);
	run(b);
	run(a);
	assert_int_equal(fake_cpu.dr[6], 0); /* never written: as the fake CPU began */
}

static void test_breakpoints_are_armed_only_while_their_guest_runs(void **state)
{
	assert_int_equal(set_debugreg(3, 0x5000), 0);
	assert_int_equal(set_debugreg(7, 0xc0), 0);
	run(b);
	assert_int_equal(fake_cpu.dr[7], X86_DR7_DEFAULT);
	assert_int_equal(set_debugreg(0, 0x6000), 0); /* not armed: the CPU need not know */
	run(a);
	assert_int_equal(fake_cpu.dr[3], 0x5000);
	assert_int_equal(fake_cpu.dr[7], 0xc0 | X86_DR7_DEFAULT);
	assert_int_equal(set_debugreg(7, 0), 0);
	assert_int_equal(fake_cpu.dr[7], X86_DR7_DEFAULT);
	assert_int_equal(set_debugreg(7, 1ULL << 32), -EPERM);
}

static void test_bases_and_selectors_follow_the_vcpu(void **state)
{
	fake_cpu = (struct fake_registers){ .cr4 = BASE_CR4, .msr_fs_base = 1, .msr_gs_base = 2,
					    .msr_shadow_gs_base = 3, .ds = 4, .es = 5, .fs = 6, .gs = 7 };
	run(b);
	assert_int_equal(fake_cpu.msr_fs_base | fake_cpu.msr_gs_base | fake_cpu.msr_shadow_gs_base, 0);
	assert_int_equal(fake_cpu.ds | fake_cpu.es | fake_cpu.fs | fake_cpu.gs, 0);
	run(a);
	assert_int_equal(fake_cpu.msr_fs_base, 1);
	assert_int_equal(fake_cpu.msr_gs_base, 2);
	assert_int_equal(fake_cpu.msr_shadow_gs_base, 3);
	assert_int_equal(fake_cpu.gs, 7);
}

/*
 * The window is as it is to be before the tables are walked, these before descriptors are read from
 * it, which is when a selector is loaded; and a selector's base goes before the vcpu's own takes
 * its place.
 */
static void test_a_cpu_is_told_in_an_order_that_works(void **state)
{
	const u64 *own = &b->pv.window_l1[HV_GDT_PAGE];

	b->pv.nr_ldt_entries = 7;
	b->pv.fs_base = 0xf5;
	b->pv.gs_base_kernel = 0x65;
	pv_vcpu_switch_out(a);
	fake_nr_cpus = 2;
	fake_cpu_id = 1;
	fake_cpu.cr4 = BASE_CR4;
	fake_walked = own;
	current = b;
	pv_vcpu_switch_in(b);
	assert_string_equal(fake_cpu.did, "3fglssss");
	assert_int_equal(fake_cpu.cr3, b->pv.kernel_cr3);
	assert_int_equal(this_cpu()->hv_cr3, b->pv.kernel_cr3);
	assert_int_equal(fake_cpu.gdt_va, VCPU_GDT_VA(b->vcpu_id));
	assert_int_equal(fake_cpu.ldt_va, VCPU_LDT_VA(b->vcpu_id));
	assert_int_equal(fake_cpu.nr_ldt_entries, 7);
	assert_int_equal(fake_cpu.msr_fs_base, 0xf5);
	assert_int_equal(fake_cpu.msr_gs_base, 0x65);
	assert_ptr_equal(this_cpu()->tlb_space, &b->domain->tlb);
	/*
	 * the hypervisor's own descriptors are each CPU's, and were there before it forgot the
	 * others
	 */
	assert_true(mfn_eq(pte_mfn(*own), desc_hv_gdt_mfn(1)));
	assert_int_equal(fake_found, *own);
	/* and off again: nothing of the guest's is walked or remembered */
	fake_cpu.did[0] = 0;
	pv_tables_leave();
	assert_string_equal(fake_cpu.did, "o3f");
	assert_int_equal(fake_cpu.cr3, virt_to_maddr(hv_l4));
	assert_int_equal(fake_cpu.gdt_va | fake_cpu.ldt_va, 0);
	assert_null(this_cpu()->tlb_space);
	pv_vcpu_switch_out(b);
	current = NULL;
	fake_cpu_id = 0;
	b->pv.nr_ldt_entries = 0;
}

static void test_each_mode_has_its_tables(void **state)
{
	a->pv.user_cr3 = 0x7000;
	fake_cpu.did[0] = 0;
	pv_toggle_mode(a);
	assert_int_equal(fake_cpu.cr3, 0x7000);
	assert_int_equal(this_cpu()->hv_cr3, 0x7000);
	pv_toggle_mode(a);
	assert_int_equal(fake_cpu.cr3, a->pv.kernel_cr3);
	assert_string_equal(fake_cpu.did, "33"); /* what is of the user's is global and stays */
	pv_load_cr3_flush(a);
	assert_string_equal(fake_cpu.did, "333f");
}

static void test_a_breakpoint_of_a_guest_that_has_some_moves_at_once(void **state)
{
	assert_int_equal(call(hc_get_debugreg, 7, 0, 0, 0), X86_DR7_DEFAULT); /* from the beginning */
	assert_int_equal(call(hc_get_debugreg, 6, 0, 0, 0), X86_DR6_DEFAULT);
	assert_int_equal(set_debugreg(7, 1), 0);
	for (u64 nr = 0; nr < 4; nr++) {
		assert_int_equal(set_debugreg(nr, 0x7000 + nr), 0);
		assert_int_equal(fake_cpu.dr[nr], 0x7000 + nr);
	}
	assert_int_equal(set_debugreg(7, 0), 0);
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_cr4_is_the_hypervisors_and_what_the_guest_may_set),
		CLAIM(test_a_cpu_without_a_feature_is_never_told_to_use_it),
		CLAIM(test_tsd_is_for_the_guests_user_mode),
		CLAIM(test_tsc_aux_is_each_vcpus_own),
		CLAIM(test_dr6_tells_nothing_of_another_guest),
		CLAIM(test_what_a_guest_writes_to_dr6_is_not_the_cpus),
		CLAIM(test_breakpoints_are_armed_only_while_their_guest_runs),
		CLAIM(test_bases_and_selectors_follow_the_vcpu),
		CLAIM(test_a_cpu_is_told_in_an_order_that_works),
		CLAIM(test_each_mode_has_its_tables),
		CLAIM(test_a_breakpoint_of_a_guest_that_has_some_moves_at_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
