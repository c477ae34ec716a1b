/* SPDX-License-Identifier: MIT */
/*
 * test_emul.c - each privileged instruction does to the registers what it would do on a CPU of the
 * guest's own, for the kernel, and nothing for its programs. Intel SDM vol. 2.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "guest.h"
#include "pv/emul.h"
#include "pv/insn.h"
#include "x86/asm.h"
#include "x86/cpu.h"

#define HANDLER 0x500000
#define FULL 0x1122334455667788ULL
#define BUS 0xa1b2c3d4u /* what every port says */

static u64 stack[64] __attribute__((aligned(16)));
static u8 code[32];
static u8 two_pages[2 * PAGE_SIZE] __attribute__((aligned(PAGE_SIZE)));
static struct cpu_user_regs *regs;
static struct pv_vcpu *pv;

static int fresh(void **state)
{
	struct tree t;

	if (run_guest(&t, &stack[40]))
		return -1;
	regs = guest_regs();
	pv = &current->pv;
	memset(two_pages, 0, sizeof(two_pages));
	return 0;
}

static int done(void **state)
{
	machine_free();
	return 0;
}

static void dom0_runs(void)
{
	machine_run(0);
	pv = &current->pv;
	pv->in_kernel = true;
	pv->iopl = 1;
	for (unsigned int i = 0; i < PV_NR_VECTORS; i++)
		pv->trap[i].address = HANDLER + i;
	pv->kernel_sp = (u64)(uintptr_t)&stack[40];
	regs = guest_regs();
}

static enum emul_result emulate(const char *bytes, size_t n)
{
	memset(code, 0x90, sizeof(code));
	memcpy(code, bytes, n);
	regs->rip = (u64)(uintptr_t)code;
	return pv_emul_privileged(regs);
}

static u64 after(size_t n)
{
	return (u64)(uintptr_t)code + n;
}

static void test_ports_are_read_and_written_in_each_size(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		u16 port;
		u64 rax; /* in: what it becomes of FULL; out: 0 */
		u32 out;
	} ports[] = {
		{ "\xec", 1, 0x60, (FULL & ~0xffULL) | 0xd4, 0 }, { "\x66\xed", 2, 0x60, (FULL & ~0xffffULL) | 0xc3d4, 0 },
		{ "\xed", 1, 0x60, BUS, 0 }, { "\x48\xed", 2, 0x60, BUS, 0 }, { "\xe4\x71", 2, 0x71, (FULL & ~0xffULL) | 0xd4, 0 },
		{ "\xe5\xf0", 2, 0xf0, BUS, 0 }, { "\x66\xe5\xf0", 3, 0xf0, (FULL & ~0xffffULL) | 0xc3d4, 0 },
		{ "\xee", 1, 0x60, 0, 0x88 }, { "\x66\xef", 2, 0x60, 0, 0x7788 }, { "\xef", 1, 0x60, 0, 0x55667788 },
		{ "\x48\xef", 2, 0x60, 0, 0x55667788 }, { "\xe6\xf0", 2, 0xf0, 0, 0x88 }, { "\xe7\x80", 2, 0x80, 0, 0x55667788 },
	};

	dom0_runs();
	for (size_t i = 0; i < ARRAY_SIZE(ports); i++) {
		*regs = (struct cpu_user_regs){ .rax = FULL, .rdx = 0xffff0060 };
		fake_cpu.port_value = BUS;
		fake_cpu.nr_port_accesses = 0;
		assert_int_equal(emulate(ports[i].bytes, ports[i].n), EMUL_DONE);
		assert_int_equal(regs->rip, after(ports[i].n));
		assert_int_equal(fake_cpu.port, ports[i].port);
		assert_int_equal(fake_cpu.nr_port_accesses, 1);
		assert_int_equal(regs->rax, ports[i].rax ? ports[i].rax : FULL);
		if (ports[i].out)
			assert_int_equal(fake_cpu.port_value, ports[i].out);
	}
}

static void test_strings_of_ports_go_on_from_where_they_are(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
		u64 flags, rcx, rcx_after;
		int moved;
		int accesses, size;
	} strings[] = {
		{ "\x6c", 1, 0, 5, 5, 1, 1, 1 }, { "\xf3\x6c", 2, 0, 3, 0, 3, 3, 1 }, { "\xf3\x66\x6d", 3, 0, 3, 0, 6, 3, 2 },
		{ "\xf3\x6d", 2, 0, 3, 0, 12, 3, 4 }, { "\xf3\x48\x6d", 3, 0, 2, 0, 8, 2, 4 }, { "\xf3\x6d", 2, X86_EFLAGS_DF, 3, 0, -12, 3, 4 },
		{ "\xf3\x6c", 2, 0, 0, 0, 0, 0, 1 }, { "\x6d", 1, X86_EFLAGS_DF, 5, 5, -4, 1, 4 },
	};
	u8 *middle = two_pages + 256;

	dom0_runs();
	for (size_t i = 0; i < ARRAY_SIZE(strings); i++)
		for (unsigned int is_out = 0; is_out < 2; is_out++) {
			char bytes[4];

			memcpy(bytes, strings[i].bytes, strings[i].n);
			bytes[strings[i].n - 1] = (char)(bytes[strings[i].n - 1] + 2 * is_out);
			memset(two_pages, 0x55, sizeof(two_pages));
			fake_cpu.port_value = BUS;
			fake_cpu.nr_port_accesses = 0;
			*regs = (struct cpu_user_regs){ .rcx = strings[i].rcx, .rdx = 0x402, .rflags = strings[i].flags,
							.rdi = (u64)(uintptr_t)middle, .rsi = (u64)(uintptr_t)middle };
			assert_int_equal(emulate(bytes, strings[i].n), EMUL_DONE);
			assert_int_equal(regs->rip, after(strings[i].n));
			assert_int_equal(regs->rcx, strings[i].rcx_after);
			assert_int_equal(regs->rdi - (u64)(uintptr_t)middle, is_out ? 0 : (u64)strings[i].moved);
			assert_int_equal(regs->rsi - (u64)(uintptr_t)middle, is_out ? (u64)strings[i].moved : 0);
			assert_int_equal(fake_cpu.nr_port_accesses, strings[i].accesses);
			if (is_out && strings[i].accesses)
				assert_int_equal(fake_cpu.port_value, 0x55555555u >> (32 - 8 * strings[i].size));
			if (is_out || !strings[i].accesses)
				continue;
			for (int k = 0; k < 4; k++) /* the first element, and what is behind it */
				assert_int_equal(middle[k], k < (strings[i].moved > 0 ? strings[i].moved : strings[i].size) ?
							    (u8)(BUS >> 8 * (k % strings[i].size)) : 0x55);
		}
	*regs = (struct cpu_user_regs){ .rsi = (u64)(uintptr_t)middle };
	assert_int_equal(emulate("\x64\x6e", 2), EMUL_REFUSED); /* by FS */
}

/* What was done of it stays done, the rest is done when the page is there. */
static void test_a_fault_in_a_string_is_at_its_element(void **state)
{
	dom0_runs();
	for (unsigned int is_out = 0; is_out < 2; is_out++) {
		const u64 start = (u64)(uintptr_t)two_pages + PAGE_SIZE - 2;

		fake_unmapped = (u64)(uintptr_t)two_pages + PAGE_SIZE;
		fake_cpu.nr_port_accesses = 0;
		*regs = (struct cpu_user_regs){ .rcx = 5, .rdx = 0x402, .rdi = start, .rsi = start, .cs = 0xe033,
						.rsp = (u64)(uintptr_t)&stack[40] };
		assert_int_equal(emulate(is_out ? "\xf3\x6e" : "\xf3\x6c", 2), EMUL_FAULTED);
		assert_int_equal(current->vcpu_info->arch.cr2, fake_unmapped);
		assert_int_equal(regs->rip, HANDLER + 14);
		assert_int_equal(regs->rcx, 3);
		assert_int_equal(is_out ? regs->rsi : regs->rdi, fake_unmapped);
		assert_int_equal(((u64 *)regs->rsp)[2], is_out ? 0 : 2);
		assert_int_equal(((u64 *)regs->rsp)[3], after(0)); /* the same instruction again */
		assert_int_equal(fake_cpu.nr_port_accesses, is_out ? 2 : 3);
		fake_unmapped = 0;
	}
}

static void test_a_long_string_lets_others_in(void **state)
{
	dom0_runs();
	machine_preempt(1);
	*regs = (struct cpu_user_regs){ .rcx = 3, .rdx = 0x402, .rsi = (u64)(uintptr_t)two_pages };
	assert_int_equal(emulate("\xf3\x6e", 2), EMUL_DONE);
	assert_int_equal(regs->rip, after(0));
	assert_int_equal(regs->rcx, 2);
	assert_int_equal(regs->rsi, (u64)(uintptr_t)two_pages + 1);
	machine_preempt(0);
	assert_int_equal(emulate("\xf3\x6e", 2), EMUL_DONE);
	assert_int_equal(regs->rip, after(2));
	assert_int_equal(regs->rcx, 0);
}

static u64 read_cr(unsigned int nr)
{
	const char bytes[] = { 0x0f, 0x20, (char)(0xc3 | nr << 3) }; /* mov %crN, %rbx */

	regs->rbx = FULL;
	assert_int_equal(emulate(bytes, 3), EMUL_DONE);
	assert_int_equal(regs->rip, after(3));
	return regs->rbx;
}

static void write_cr(unsigned int nr, u64 val)
{
	const char bytes[] = { 0x0f, 0x22, (char)(0xc3 | nr << 3) };

	regs->rbx = val;
	assert_int_equal(emulate(bytes, 3), EMUL_DONE);
	assert_int_equal(regs->rip, after(3));
}

static void test_control_registers_are_the_kernels_own_as_far_as_it_has_any(void **state)
{
	fake_cpu.cr0 = 0x80010033 | X86_CR0_TS;
	pv->ctrlreg[0] = 0;
	assert_int_equal(read_cr(0), 0x80010033);
	fake_cpu.cr0 = 0x80010033;
	pv->ctrlreg[0] = X86_CR0_TS;
	assert_int_equal(read_cr(0), 0x80010033 | X86_CR0_TS);
	write_cr(0, 0x80010033);
	assert_int_equal(pv->ctrlreg[0], 0);
	write_cr(0, X86_CR0_TS);
	assert_int_equal(pv->ctrlreg[0], X86_CR0_TS);
	assert_true(fake_cpu.cr0 & X86_CR0_TS);
	write_cr(2, 0x123000);
	assert_int_equal(current->vcpu_info->arch.cr2, 0x123000);
	assert_int_equal(read_cr(2), 0x123000);
	assert_int_equal(read_cr(3), mfn_to_maddr(frame_to_mfn(pv->cr3_kernel)));
	fake_cpu.cr4 = X86_CR4_PGE | X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT;
	write_cr(4, X86_CR4_TSD | X86_CR4_SMEP);
	assert_int_equal(pv->ctrlreg[4], X86_CR4_TSD);
	assert_int_equal(fake_cpu.cr4, X86_CR4_PGE | X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_TSD);
	assert_int_equal(read_cr(4), X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_TSD);
	assert_int_equal(emulate("\x0f\x20\xc8", 3), EMUL_REFUSED); /* CR1, CR8, and to CR3 */
	assert_int_equal(emulate("\x44\x0f\x20\xc0", 4), EMUL_REFUSED);
	assert_int_equal(emulate("\x0f\x22\xc8", 3), EMUL_REFUSED);
	assert_int_equal(emulate("\x44\x0f\x22\xc0", 4), EMUL_REFUSED);
	assert_int_equal(emulate("\x0f\x22\xd8", 3), EMUL_REFUSED);
}

static void test_debug_registers_by_instruction(void **state)
{
	regs->rbx = 0x7000;
	assert_int_equal(emulate("\x0f\x23\xcb", 3), EMUL_DONE); /* mov %rbx, %dr1 */
	assert_int_equal(pv->debugreg[1], 0x7000);
	regs->rdx = 0;
	assert_int_equal(emulate("\x0f\x21\xca", 3), EMUL_DONE); /* mov %dr1, %rdx */
	assert_int_equal(regs->rdx, 0x7000);
	regs->rbx = HV_HOLE_START;
	assert_int_equal(emulate("\x0f\x23\xcb", 3), EMUL_REFUSED);
	assert_int_equal(emulate("\x44\x0f\x23\xc3", 4), EMUL_REFUSED); /* DR8 */
	assert_int_equal(emulate("\x44\x0f\x21\xc3", 4), EMUL_REFUSED);
	assert_int_equal(pv->debugreg[1], 0x7000);
}

static void test_the_time_is_told_in_halves(void **state)
{
	for (unsigned int in_kernel = 0; in_kernel < 2; in_kernel++)
		for (unsigned int tsd = 0; tsd < 2; tsd++)
			for (unsigned int p = 0; p < 2; p++) {
				bool may = in_kernel || !tsd;

				pv->in_kernel = in_kernel;
				pv->ctrlreg[4] = tsd ? X86_CR4_TSD : 0;
				pv->tsc_aux = 0x99;
				fake_cpu.tsc = FULL;
				*regs = (struct cpu_user_regs){ .rax = ~0ULL, .rdx = ~0ULL, .rcx = 1 };
				assert_int_equal(emulate(p ? "\x0f\x01\xf9" : "\x0f\x31", p ? 3 : 2), may ? EMUL_DONE : EMUL_REFUSED);
				assert_int_equal(regs->rax, may ? (u32)FULL : ~0ULL);
				assert_int_equal(regs->rdx, may ? FULL >> 32 : ~0ULL);
				assert_int_equal(regs->rcx, may && p ? 0x99 : 1);
				assert_int_equal(regs->rip, after(may ? 2 + p : 0));
			}
}

/* A register is EDX:EAX: what is above in both is of no account. */
static void test_model_specific_registers_are_two_halves(void **state)
{
	static const char *const wrmsr[] = { "\x0f\x30", "\x2e\x0f\x30" }, *const rdmsr_insn[] = { "\x0f\x32", "\x2e\x0f\x32" };

	for (unsigned int prefix = 0; prefix < 2; prefix++) {
		*regs = (struct cpu_user_regs){ .rcx = 0xffffffff00000000 | MSR_FS_BASE, .rax = 0xffffffff89abcdef, .rdx = 0xffffffff00001234 };
		assert_int_equal(emulate(wrmsr[prefix], 2 + prefix), EMUL_DONE);
		assert_int_equal(fake_cpu.msr_fs_base, 0x123489abcdef);
		assert_int_equal(regs->rip, after(2 + prefix));
		*regs = (struct cpu_user_regs){ .rcx = MSR_FS_BASE, .rax = ~0ULL, .rdx = ~0ULL };
		assert_int_equal(emulate(rdmsr_insn[prefix], 2 + prefix), EMUL_DONE);
		assert_int_equal(regs->rax, 0x89abcdef);
		assert_int_equal(regs->rdx, 0x1234);
		assert_int_equal(regs->rip, after(2 + prefix));
	}
}

static void test_extended_states_are_one_register_of_the_kernels(void **state)
{
	static const struct {
		u32 rcx, rdx;
		bool in_kernel;
		enum emul_result result;
	} sets[] = { { 0, 0, true, EMUL_DONE }, { 1, 0, true, EMUL_REFUSED }, { 0, 1, true, EMUL_REFUSED }, { 0, 0, false, EMUL_REFUSED } };

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		pv->in_kernel = sets[i].in_kernel;
		*regs = (struct cpu_user_regs){ .rax = 3, .rcx = sets[i].rcx, .rdx = sets[i].rdx };
		assert_int_equal(emulate("\x0f\x01\xd1", 3), sets[i].result);
	}
}

static void test_what_is_no_such_instruction_is_refused(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} others[] = {
		{ "\x0f\x01\x11", 3 }, { "\x0f\x01\xd0", 3 }, { "\x0f\x01\xf8", 3 }, { "\x0f\x01\xc9", 3 }, /* LGDT, XGETBV, SWAPGS, MWAIT */
		{ "\x0f\x01\xe1", 3 }, { "\xf4", 1 }, { "\x0f\x33", 2 }, { "\xcd\x03", 2 }, { "\x48\x89\x03", 3 }, { "\xcf", 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		assert_int_equal(emulate(others[i].bytes, others[i].n), EMUL_REFUSED);
		assert_int_equal(regs->rip, after(0));
	}
	fake_unmapped = (u64)(uintptr_t)code & ~PAGE_OFFSET_MASK;
	assert_int_equal(emulate("\xfa", 1), EMUL_REFUSED); /* nothing can be read there */
	fake_unmapped = 0;
}

static void test_programs_execute_none_of_them(void **state)
{
	static const struct {
		const char *bytes;
		size_t n;
	} kernels[] = { { "\x0f\x06", 2 }, { "\x0f\x09", 2 }, { "\x0f\x08", 2 }, { "\x0f\x20\xc0", 3 }, { "\x0f\x22\xd0", 3 }, { "\x0f\x21\xc0", 3 },
			{ "\x0f\x23\xc0", 3 }, { "\x0f\x30", 2 }, { "\x2e\x0f\x32", 3 }, { "\x0f\x32", 2 }, { "\x0f\x01\xd1", 3 } };

	for (unsigned int in_kernel = 0; in_kernel < 2; in_kernel++)
		for (size_t i = 0; i < ARRAY_SIZE(kernels); i++) {
			pv->in_kernel = in_kernel;
			*regs = (struct cpu_user_regs){ .rcx = kernels[i].n == 3 && kernels[i].bytes[1] == 1 ? 0 : MSR_FS_BASE, .rax = 3 };
			assert_int_equal(emulate(kernels[i].bytes, kernels[i].n), in_kernel ? EMUL_DONE : EMUL_REFUSED);
		}
}

/* Of anybody, in each leaf and subleaf; the upper halves are cleared. */
static void test_the_forced_cpuid_sets_four_registers(void **state)
{
	u32 r[4];

	memcpy(code, "\x0f\x0bxen\x0f\xa2", 7);
	for (u32 sub = 0; sub < 3; sub++) {
		*regs = (struct cpu_user_regs){ .rip = after(0), .rax = 0xffffffff0000000d, .rcx = 0xffffffff00000000 | sub, .rbx = ~0ULL,
						.rdx = ~0ULL };
		pv_cpuid(current->domain, 0xd, sub, &r[0], &r[1], &r[2], &r[3]);
		assert_true(pv_emul_forced_cpuid(regs));
		assert_int_equal(regs->rax, r[0]);
		assert_int_equal(regs->rbx, r[1]);
		assert_int_equal(regs->rcx, r[2]);
		assert_int_equal(regs->rdx, r[3]);
	}
}

/* Leaf 1's bit 27, OSXSAVE, which is shown to who executes it. */
static void test_the_forced_cpuid_is_the_vcpus_own(void **state)
{
	memcpy(code, "\x0f\x0bxen\x0f\xa2", 7);
	for (unsigned int in_kernel = 0; in_kernel < 2; in_kernel++) {
		current->pv.in_kernel = in_kernel;
		*regs = (struct cpu_user_regs){ .rip = after(0), .rax = 1 };
		assert_true(pv_emul_forced_cpuid(regs));
		assert_int_equal(regs->rcx >> 27 & 1, in_kernel);
	}
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_ports_are_read_and_written_in_each_size),
		CLAIM(test_strings_of_ports_go_on_from_where_they_are),
		CLAIM(test_a_fault_in_a_string_is_at_its_element),
		CLAIM(test_a_long_string_lets_others_in),
		CLAIM(test_control_registers_are_the_kernels_own_as_far_as_it_has_any),
		CLAIM(test_debug_registers_by_instruction),
		CLAIM(test_the_time_is_told_in_halves),
		CLAIM(test_model_specific_registers_are_two_halves),
		CLAIM(test_extended_states_are_one_register_of_the_kernels),
		CLAIM(test_what_is_no_such_instruction_is_refused),
		CLAIM(test_programs_execute_none_of_them),
		CLAIM(test_the_forced_cpuid_sets_four_registers),
		CLAIM(test_the_forced_cpuid_is_the_vcpus_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
