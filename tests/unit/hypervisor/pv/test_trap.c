/* SPDX-License-Identifier: MIT */
/*
 * test_trap.c - each exception of a guest ends where it belongs: in its own handler, in what is
 * done for it, or in its end. Intel SDM vol. 3, chapter 6; security.md C55, C59.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "guest.h"
#include "pv/domain_tlb.h"
#include "x86/asm.h"
#include "x86/lock.h"

#define HANDLER 0x500000

static u64 stack[64] __attribute__((aligned(16)));
static u8 code[32];
static struct cpu_user_regs *regs;
static struct pv_vcpu *pv;
static struct tree t;

static int fresh(void **state)
{
	if (run_guest(&t, &stack[40]))
		return -1;
	regs = guest_regs();
	pv = &current->pv;
	for (unsigned int i = 0; i < PV_NR_VECTORS; i++)
		pv->trap[i].address = HANDLER + i;
	memset(code, 0x90, sizeof(code));
	return 0;
}

static int done(void **state)
{
	machine_free();
	return 0;
}

static u64 trap(unsigned int vector, u32 error_code, bool in_kernel)
{
	pv->in_kernel = in_kernel;
	*regs = (struct cpu_user_regs){ .rip = (u64)(uintptr_t)code, .cs = 0x33, .ss = 0x2b, .rsp = (u64)(uintptr_t)&stack[30],
					.rflags = 0x202, .entry_vector = vector, .error_code = error_code };
	pv_trap(regs);
	assert_int_equal(fake_lock_depth, 0);
	return regs->rip;
}

/* Else the other CPUs wait for it, and nobody lets it go. */
static void test_no_trap_keeps_the_hypervisors_lock(void **state)
{
	static const u8 bytes[][3] = { { 0x0f, 0x32 }, { 0xfa }, { 0x0f, 0x20, 0xc0 }, { 0x0f, 0x01, 0xf9 }, { 0xf4 } };

	for (size_t i = 0; i < ARRAY_SIZE(bytes); i++)
		for (unsigned int vector = 0; vector < 32; vector++) {
			memcpy(code, bytes[i], sizeof(bytes[i]));
			trap(vector, 0, true);
			trap(vector, 0, false);
		}
}

static void test_an_exception_enters_its_own_handler(void **state)
{
	static const u8 vectors[] = { 0, 1, 3, 4, 5, 6, 10, 11, 12, 16, 17, 19 };

	for (size_t i = 0; i < ARRAY_SIZE(vectors); i++)
		for (int in_kernel = 0; in_kernel < 2; in_kernel++)
			assert_int_equal(trap(vectors[i], 0, in_kernel), HANDLER + vectors[i]);
	assert_int_equal(trap(12, 0x1238, false), HANDLER + 12);
	assert_int_equal(((u64 *)regs->rsp)[2], 0x1238);
}

static void test_a_debug_exception_says_what_it_was_of(void **state)
{
	fake_cpu.dr[6] = X86_DR6_DEFAULT | 1 << 14;
	assert_int_equal(trap(1, 0, false), HANDLER + 1);
	assert_int_equal(pv->debugreg[6], X86_DR6_DEFAULT | 1 << 14);
	assert_int_equal(fake_cpu.dr[6], X86_DR6_DEFAULT);
}

/* CR0.TS is the guest's own only if it asked for it. */
static void test_the_fpu_comes_back_unseen_unless_the_guest_wants_to_know(void **state)
{
	assert_int_equal(trap(7, 0, false), (u64)(uintptr_t)code);
	assert_true(current->fpu_dirty);
	pv->ctrlreg[0] |= X86_CR0_TS;
	assert_int_equal(trap(7, 0, false), HANDLER + 7);
	assert_false(pv->ctrlreg[0] & X86_CR0_TS); /* clear when its handler runs */
	current->fpu_dirty = false;
}

static u64 soft_int(u8 vector, u32 error_code, bool in_kernel)
{
	code[0] = 0xcd;
	code[1] = vector;
	return trap(13, error_code, in_kernel);
}

/*
 * The IDT refuses `int n` of ring 3 with 8n+2; QEMU says another number, so the instruction counts.
 */
static void test_a_programs_interrupt_uses_gates_that_are_open(void **state)
{
	const u64 after = (u64)(uintptr_t)code + 2;

	pv->trap[0x82].dpl = 3;
	assert_int_equal(soft_int(0x82, 0x82 * 8 + 2, false), HANDLER + 0x82);
	assert_int_equal(((u64 *)regs->rsp)[2], after);
	assert_int_equal(soft_int(0x82, 0x82 * 16 + 2, false), HANDLER + 0x82);
	for (u8 dpl = 0; dpl < 3; dpl++) {
		pv->trap[0x82].dpl = dpl;
		assert_int_equal(soft_int(0x82, 0x82 * 8 + 2, false), HANDLER + 13); /* not of user mode */
		assert_int_equal(((u64 *)regs->rsp)[2], 0x82 * 8 + 2);
		assert_int_equal(((u64 *)regs->rsp)[3], after - 2);
		assert_int_equal(soft_int(0x82, 0x82 * 8 + 2, true), HANDLER + 0x82); /* its kernel is ring 0 */
	}
	pv->trap[0x82] = (struct pv_trap){ .dpl = 3 };
	assert_int_equal(soft_int(0x82, 0x82 * 8 + 2, false), HANDLER + 13); /* there is none */
	pv->trap[0x82].address = HANDLER + 0x82;
	assert_int_equal(soft_int(0x82, 0x82 * 8, false), HANDLER + 13); /* of a selector */
	code[0] = 0x8e;
	assert_int_equal(trap(13, 0x82 * 8 + 2, false), HANDLER + 13); /* of no such instruction */
	fake_unmapped = (u64)(uintptr_t)code & ~PAGE_OFFSET_MASK;
	code[0] = 0xcd;
	assert_int_equal(trap(13, 0x82 * 8 + 2, false) == HANDLER + 0x82, false);
	fake_unmapped = 0;
}

static void test_privileged_instructions_are_done_for_the_kernel(void **state)
{
	memcpy(code, "\x0f\x06", 2); /* clts */
	pv->ctrlreg[0] |= X86_CR0_TS;
	assert_int_equal(trap(13, 0, true), (u64)(uintptr_t)code + 2);
	assert_false(pv->ctrlreg[0] & X86_CR0_TS);
	assert_int_equal(trap(13, 0, false), HANDLER + 13);
	memcpy(code, "\x0f\x0bxen\x0f\xa2", 7); /* the forced CPUID, of anybody */
	assert_int_equal(trap(6, 0, false), (u64)(uintptr_t)code + 7);
	code[2] = 'y';
	assert_int_equal(trap(6, 0, false), HANDLER + 6);
}

static void test_a_page_fault_is_the_guests_own(void **state)
{
	fake_cpu.cr2 = 0x123000;
	assert_int_equal(trap(14, 6, false), HANDLER + 14);
	assert_int_equal(((u64 *)regs->rsp)[2], 6);
	assert_int_equal(current->vcpu_info->arch.cr2, 0x123000);
	fake_cpu.cr2 = HV_HOLE_START + 0x1000; /* what is there is not told */
	assert_int_equal(trap(14, 5, false), HANDLER + 14);
	assert_int_equal(((u64 *)regs->rsp)[2], 4);
}

/*
 * In log-dirty mode a fault is told as the guest's own tables have it, wherever its addresses
 * begin: here they say that the page is there, and read-only.
 */
static void test_in_log_dirty_mode_the_guests_tables_say_what_a_fault_was(void **state)
{
	static const u64 va[] = { 0, HV_HOLE_END };
	struct frame *table[] = { t.l4, t.l3, t.l2, t.l1 };
	const u64 first = table_of(t.l4)[0], usual = pv->fault_range;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		table[i]->type |= FT_LOGGED;
	table_of(t.l4)[pt_index(HV_HOLE_END, 4)] = first;
	table_of(t.l1)[0] = entry_to(frame_new(1), PTE_P | PTE_US);
	pv->fault_range = 0;
	for (size_t i = 0; i < ARRAY_SIZE(va); i++) {
		fake_cpu.cr2 = va[i];
		assert_int_equal(trap(14, 6, true), HANDLER + 14);
		assert_int_equal(((u64 *)regs->rsp)[2] & 7, 3);
	}
	pv->fault_range = usual;
	fake_cpu.cr2 = HV_HOLE_END; /* without the mode it is told as the CPU has it */
	assert_int_equal(trap(14, 6, true), HANDLER + 14);
	assert_int_equal(((u64 *)regs->rsp)[2] & 7, 2);
	table_of(t.l4)[pt_index(HV_HOLE_END, 4)] = 0;
	table_of(t.l1)[0] = 0;
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		table[i]->type &= ~FT_LOGGED;
}

/*
 * The CPU's own reads of descriptors that are not there: the first and the last of each table, and
 * what is beside them.
 */
static void test_a_missing_descriptor_is_told_as_of_a_shorter_table(void **state)
{
	const u64 gdt = VCPU_GDT_VA(current->vcpu_id), ldt = VCPU_LDT_VA(current->vcpu_id);
	const u64 gdt_end = gdt + VCPU_GDT_PAGES * PAGE_SIZE, ldt_end = ldt + VCPU_LDT_PAGES * PAGE_SIZE;

	pv->ldt_base = 0x700000;
	fake_cpu.cr2 = gdt;
	assert_int_equal(trap(14, 0, false), HANDLER + 13);
	assert_int_equal(((u64 *)regs->rsp)[2], 0);
	fake_cpu.cr2 = gdt_end - 8;
	assert_int_equal(trap(14, 0, false), HANDLER + 13);
	assert_int_equal(((u64 *)regs->rsp)[2], VCPU_GDT_PAGES * PAGE_SIZE - 8);
	fake_cpu.cr2 = ldt;
	assert_int_equal(trap(14, 0, false), HANDLER + 14);
	assert_int_equal(current->vcpu_info->arch.cr2, 0x700000);
	fake_cpu.cr2 = ldt_end - 8;
	assert_int_equal(trap(14, 0, false), HANDLER + 14);
	assert_int_equal(current->vcpu_info->arch.cr2, 0x700000 + VCPU_LDT_PAGES * PAGE_SIZE - 8);
	for (int i = 0; i < 2; i++) { /* not of these tables: nobody's but the guest's */
		fake_cpu.cr2 = i ? ldt_end : gdt - 1;
		assert_int_equal(trap(14, 0, false), HANDLER + 14);
		assert_int_equal(current->vcpu_info->arch.cr2, fake_cpu.cr2);
	}
	fake_cpu.cr2 = ldt;
	assert_int_equal(trap(14, 4, false), HANDLER + 14); /* the program's own try */
	assert_int_equal(current->vcpu_info->arch.cr2, ldt);
}

static void test_only_cpus_that_there_are_are_flushed(void **state)
{
	fake_nr_cpus = 2;
	fake_cpus[0].vcpu = fake_cpus[2].vcpu = &fake_vcpu[1];
	fake_cpus[1].vcpu = &fake_vcpu[2];
	assert_int_equal(tlb_domain_cpus(&fake_domain[1]), 1);
	assert_int_equal(tlb_domain_cpus(&fake_domain[2]), 2);
	fake_cpus[1].vcpu = NULL;
	assert_int_equal(tlb_domain_cpus(&fake_domain[2]), 0);
	fake_cpus[2].vcpu = NULL;
	fake_cpus[0].vcpu = &fake_vcpu[1];
	fake_nr_cpus = 1;
}

/* xen/grant_table.h, GNTMAP_contains_pte: host_addr is that of an entry; security.md C34. */
static void test_a_grant_goes_into_an_entry_of_a_live_table(void **state)
{
	const mfn_t granted = frame_to_mfn(frame_new(2));
	const u64 at = maddr_of(t.l1, 7);
	const u32 flags = GNTMAP_host_map | GNTMAP_contains_pte;
	u64 *slot = &table_of(t.l1)[7];

	assert_int_equal(pv_grant_map_pte(at + 4, flags, granted), -EINVAL);
	assert_int_equal(pv_grant_map_pte((u64)FAKE_FRAMES << PAGE_SHIFT, flags, granted), -EINVAL);
	assert_int_equal(pv_grant_map_pte(maddr_of(t.l2, 7), flags, granted), -EINVAL);
	assert_int_equal(pv_grant_map_pte(maddr_of(frame_new(1), 7), flags, granted), -EINVAL); /* plain memory */
	assert_int_equal(pv_grant_map_pte(at, flags, granted), 0);
	assert_true(mfn_eq(pte_mfn(*slot), granted));
	assert_int_equal(*slot & (PTE_P | PTE_RW | PTE_GRANT), PTE_P | PTE_RW | PTE_GRANT);
	assert_int_equal(pv_grant_unmap_pte(at, 0, flags | GNTMAP_readonly, granted), -EINVAL);
	assert_int_equal(pv_grant_unmap_pte(at, 0, flags, _mfn(mfn_x(granted) + 1)), -EINVAL);
	assert_int_equal(pv_grant_unmap_pte(at, 0, flags, granted), 0);
	assert_int_equal(*slot, 0);
	assert_int_equal(pv_grant_unmap_pte(at, 0, flags, granted), -EINVAL);
	assert_int_equal(pv_grant_map_pte(at, flags | GNTMAP_readonly, granted), 0);
	assert_int_equal(*slot & (PTE_P | PTE_RW), PTE_P);
	assert_int_equal(pv_grant_unmap_pte(at, 0, flags | GNTMAP_readonly, granted), 0);
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_no_trap_keeps_the_hypervisors_lock),
		CLAIM(test_an_exception_enters_its_own_handler),
		CLAIM(test_a_debug_exception_says_what_it_was_of),
		CLAIM(test_the_fpu_comes_back_unseen_unless_the_guest_wants_to_know),
		CLAIM(test_a_programs_interrupt_uses_gates_that_are_open),
		CLAIM(test_privileged_instructions_are_done_for_the_kernel),
		CLAIM(test_a_page_fault_is_the_guests_own),
		CLAIM(test_in_log_dirty_mode_the_guests_tables_say_what_a_fault_was),
		CLAIM(test_a_missing_descriptor_is_told_as_of_a_shorter_table),
		CLAIM(test_only_cpus_that_there_are_are_flushed),
		CLAIM(test_a_grant_goes_into_an_entry_of_a_live_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
