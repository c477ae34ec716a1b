/* SPDX-License-Identifier: MIT */
/*
 * test_entry_code.c - entry.S itself, executed in this process: what only ring 0 may do faults, and
 * the handler of the fault does it to a fake CPU. Whatever way in, C code runs with the
 * hypervisor's tables, SPEC_CTRL and predictors, and nothing of a guest's in registers, and what
 * was interrupted goes on with its own.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ucontext.h>

#include <cmocka.h>

#include "x86/alt.h"
#include "x86/percpu.h"

#define MSR_SPEC_CTRL 0x48
#define MSR_PRED_CMD 0x49
#define HV_SPEC_CTRL 0x401u
#define GUEST_SPEC_CTRL 0x4u
#define HV_CR3 0x1000
#define GUEST_CR3 0x2000
#define RBX_BEFORE 0x1111
#define R12_BEFORE 0x2222
#define VEC_NMI 2
#define VEC_UD 6 /* has no error code */
#define STUB_SIZE 16
#define INT3 0xcc
#define ALL                                                                                        \
	(1u << ALT_XPTI | 1u << ALT_SPEC_CTRL | 1u << ALT_IBPB | 1u << ALT_RSB | 1u << ALT_BHB |   \
	 1u << ALT_VERW | 1u << ALT_DIV)

extern const struct alt_site alt_sites_start[], alt_sites_end[];
extern u8 entry_text_start[], entry_text_end[], syscall_entry[], syscall32_entry[], trap_stubs[],
	guest_iret[];
void return_to_guest(void) __attribute__((noreturn));

u8 cpu_stacks[NR_CPUS * STACK_SIZE] __attribute__((aligned(STACK_SIZE)));

/* The fake CPU, and what its C code saw of it first. */
static struct {
	u64 cr3;
	u32 spec_ctrl;
	unsigned int nr_ibpb, nr_privileged;
} machine, seen;
static unsigned int nr_calls;
static bool iret_has_faulted; /* hv_trap() is to send the guest out again */
static sigjmp_buf way_out;
static u64 rbx_after, r12_after;

static struct cpu_info *info(void)
{
	return (struct cpu_info *)(cpu_stacks + STACK_SIZE - CPU_INFO_SIZE);
}

static void called(void)
{
	if (nr_calls++ == 0)
		seen = machine;
	else if (machine.spec_ctrl != seen.spec_ctrl || machine.cr3 != seen.cr3)
		seen.spec_ctrl = ~0u;
}

/* --- what entry.S calls --- */

/* RBX, RBP and R8 to R15 as C code would find them. */
u64 registers_at_call[10];

#define NOTES_REGISTERS(name)                                                                      \
	__asm__(".pushsection .text\n"                                                             \
		".globl " #name "\n" #name ":\n"                                                   \
		"mov %rbx, registers_at_call\n"                                                    \
		"mov %rbp, registers_at_call + 8\n"                                                \
		"mov %r8, registers_at_call + 16\n"                                                \
		"mov %r9, registers_at_call + 24\n"                                                \
		"mov %r10, registers_at_call + 32\n"                                               \
		"mov %r11, registers_at_call + 40\n"                                               \
		"mov %r12, registers_at_call + 48\n"                                               \
		"mov %r13, registers_at_call + 56\n"                                               \
		"mov %r14, registers_at_call + 64\n"                                               \
		"mov %r15, registers_at_call + 72\n"                                               \
		"jmp " #name "_in_c\n"                                                             \
		".popsection")
NOTES_REGISTERS(guest_syscall);
NOTES_REGISTERS(guest_syscall32);
NOTES_REGISTERS(guest_trap);

bool guest_syscall_in_c(struct cpu_user_regs *regs)
{
	called();
	return false;
}

bool guest_syscall32_in_c(struct cpu_user_regs *regs)
{
	called();
	return false;
}

bool guest_trap_in_c(struct cpu_user_regs *regs)
{
	called();
	return false;
}

bool guest_exit_work(struct cpu_user_regs *regs)
{
	called();
	return false;
}

void hv_trap(struct cpu_user_regs *regs)
{
	called();
	if (iret_has_faulted)
		return_to_guest();
}

/* --- ring 0's instructions --- */

/* Returns the instruction's length; 0: the way out. */
static unsigned int execute(const u8 *insn, greg_t *r)
{
	if (insn[0] == 0x48 && insn[1] == 0xcf)
		return 0;
	machine.nr_privileged++;
	if (insn[0] != 0x0f)
		return 0;
	switch (insn[1]) {
	case 0x20: /* from CR3 */
		r[(insn[2] & 7) == 3 ? REG_RBX : REG_RAX] = (greg_t)machine.cr3;
		return 3;
	case 0x22:
		machine.cr3 = (u64)r[(insn[2] & 7) == 3 ? REG_RBX : REG_RAX];
		return 3;
	case 0x30:
		if (r[REG_RCX] == MSR_SPEC_CTRL)
			machine.spec_ctrl = (u32)r[REG_RAX];
		else if (r[REG_RCX] == MSR_PRED_CMD)
			machine.nr_ibpb += r[REG_RAX] & 1;
		return 2;
	case 0x32:
		r[REG_RAX] = machine.spec_ctrl;
		r[REG_RDX] = 0;
		return 2;
	default:
		return 0;
	}
}

static void on_fault(int sig, siginfo_t *si, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	unsigned int len = execute((const u8 *)r[REG_RIP], r);

	r[REG_RIP] += len;
	if (len)
		return;
	rbx_after = (u64)r[REG_RBX];
	r12_after = (u64)r[REG_R12];
	siglongjmp(way_out, 1);
}

static int setup(void **state)
{
	static u8 stack[64 << 10];
	const stack_t alt = { .ss_sp = stack, .ss_size = sizeof(stack) };

	return mprotect(entry_text_start, (size_t)(entry_text_end - entry_text_start),
			PROT_READ | PROT_WRITE | PROT_EXEC) ||
	       sigaltstack(&alt, NULL);
}

static void reset(u32 features, u64 cr3, u32 spec_ctrl)
{
	const struct sigaction sa = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO | SA_ONSTACK };

	sigaction(SIGSEGV, &sa, NULL); /* after cmocka's, which each test begins with */
	alt_apply(alt_sites_start, alt_sites_end, features);
	memset(cpu_stacks, 0, STACK_SIZE);
	info()->hv_cr3 = HV_CR3;
	info()->guest_cr3 = GUEST_CR3;
	info()->hv_spec_ctrl = HV_SPEC_CTRL;
	info()->guest_spec_ctrl = GUEST_SPEC_CTRL;
	memset(&machine, 0, sizeof(machine));
	machine.cr3 = cr3;
	machine.spec_ctrl = spec_ctrl;
	nr_calls = 0;
	iret_has_faulted = false;
}

/* What the CPU pushes, below @top; then the code at @entry, until an IRET. */
static void enter(const u8 *entry, u8 *top, u64 cs)
{
	u64 *sp = (u64 *)top - 5;

	sp[1] = cs;
	if (sigsetjmp(way_out, 1))
		return;
	__asm__ volatile("mov %%rdx, %%rsp; mov %[rbx], %%ebx; mov %[r12], %%r12d; mov %%ebx, %%ebp;"
			 "mov %%ebx, %%r8d; mov %%ebx, %%r9d; mov %%ebx, %%r10d; mov %%ebx, %%r11d;"
			 "mov %%ebx, %%r13d; mov %%ebx, %%r14d; mov %%ebx, %%r15d; jmp *%%rax" ::
				 "a"(entry),
			 "d"(sp), [rbx] "i"(RBX_BEFORE), [r12] "i"(R12_BEFORE));
	__builtin_unreachable();
}

static u8 *stub(unsigned int vector)
{
	return trap_stubs + vector * STUB_SIZE;
}

static u8 *stack_of_guest_frame(void)
{
	return (u8 *)info() + REGS_ES;
}

#define IST_TOP (cpu_stacks + 2 * IST_STACK_SIZE)
#define HV_TOP (cpu_stacks + STACK_SIZE - CPU_INFO_SIZE - 1024)

static void assert_c_was_safe(unsigned int calls)
{
	assert_int_equal(nr_calls, calls);
	assert_int_equal(seen.spec_ctrl, HV_SPEC_CTRL);
	assert_int_equal(seen.cr3, HV_CR3);
	assert_int_equal(seen.nr_ibpb, 1);
}

static const struct {
	u8 *entry;
	unsigned int vector; /* where there is no @entry */
} ways[] = { { .entry = syscall_entry }, { .entry = syscall32_entry }, { .vector = VEC_UD },
	     { .vector = VEC_NMI } };

static u8 *entry_of(size_t way)
{
	return ways[way].entry ? ways[way].entry : stub(ways[way].vector);
}

static u8 *top_of(size_t way)
{
	return ways[way].vector == VEC_NMI ? IST_TOP : stack_of_guest_frame();
}

static void test_a_guests_way_in_changes_everything_and_its_way_out_back(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		reset(ALL, GUEST_CR3, GUEST_SPEC_CTRL);
		enter(entry_of(i), top_of(i), 3);
		assert_c_was_safe(1);
		assert_int_equal(machine.spec_ctrl, GUEST_SPEC_CTRL);
		assert_int_equal(machine.cr3, GUEST_CR3);
	}
}

/* On the first or last instructions of the hypervisor the guest's registers are loaded. */
static void test_a_fault_between_the_two_finds_the_hypervisors_and_leaves_what_was(void **state)
{
	const unsigned int vectors[] = { VEC_NMI, VEC_UD };
	const struct {
		u64 cr3;
		u32 spec_ctrl;
	} before[] = { { GUEST_CR3, GUEST_SPEC_CTRL }, { HV_CR3, GUEST_SPEC_CTRL }, { HV_CR3, HV_SPEC_CTRL } };

	for (size_t v = 0; v < ARRAY_SIZE(vectors); v++) {
		for (size_t i = 0; i < ARRAY_SIZE(before); i++) {
			reset(ALL, before[i].cr3, before[i].spec_ctrl);
			enter(stub(vectors[v]), vectors[v] == VEC_NMI ? IST_TOP : HV_TOP, 0);
			assert_c_was_safe(1);
			assert_int_equal(machine.spec_ctrl, before[i].spec_ctrl);
			assert_int_equal(machine.cr3, before[i].cr3);
			assert_int_equal(rbx_after, RBX_BEFORE);
			assert_int_equal(r12_after, R12_BEFORE);
		}
	}
}

static void test_an_iret_that_faults_is_handled_with_the_hypervisors(void **state)
{
	reset(ALL, GUEST_CR3, GUEST_SPEC_CTRL);
	iret_has_faulted = true;
	enter(stub(VEC_UD), HV_TOP, 0);
	assert_c_was_safe(2);
	assert_int_equal(machine.spec_ctrl, GUEST_SPEC_CTRL);
	assert_int_equal(machine.cr3, GUEST_CR3);
}

/* What a mispredicted path of the hypervisor's could take for an address or an index. */
static void test_no_register_of_a_guests_reaches_c_code(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
		reset(0, HV_CR3, 0);
		memset(registers_at_call, 0xff, sizeof(registers_at_call));
		enter(entry_of(i), top_of(i), 3);
		assert_int_equal(nr_calls, 1);
		for (size_t r = 0; r < ARRAY_SIZE(registers_at_call); r++)
			assert_int_equal(registers_at_call[r], 0);
	}
}

/* A VERW stands close before @at, behind everything that loads. */
static bool is_behind_verw(const u8 *at)
{
	for (const struct alt_site *s = alt_sites_start; s < alt_sites_end; s++) {
		u64 end = s->address + s->len;

		if (s->feature == ALT_VERW && end <= (u64)(uintptr_t)at && (u64)(uintptr_t)at - end < 8)
			return true;
	}
	return false;
}

static void test_each_way_out_to_a_guest_empties_the_buffers_last(void **state)
{
	static const u8 sysretq[] = { 0x48, 0x0f, 0x07 };
	size_t len = (size_t)(entry_text_end - entry_text_start);
	unsigned int nr = 0;

	assert_true(is_behind_verw(guest_iret));
	for (size_t at = 0; at + sizeof(sysretq) <= len; at++) {
		if (memcmp(entry_text_start + at, sysretq, sizeof(sysretq)))
			continue;
		nr++;
		assert_true(is_behind_verw(entry_text_start + at));
	}
	assert_int_equal(nr, 1);
}

static void test_a_cpu_that_needs_nothing_executes_nothing(void **state)
{
	reset(0, HV_CR3, 0);
	enter(stub(VEC_UD), stack_of_guest_frame(), 3);
	enter(stub(VEC_UD), HV_TOP, 0);
	enter(syscall_entry, stack_of_guest_frame(), 3);
	assert_int_equal(nr_calls, 3);
	assert_int_equal(machine.nr_privileged, 0);
}

/* A CPU may run on behind an indirect jump, whose target it does not know yet. */
static void test_nothing_stands_behind_an_indirect_jump(void **state)
{
	unsigned int nr = 0;

	for (const struct alt_site *s = alt_sites_start; s < alt_sites_end; s++) {
		const u8 *code = (const u8 *)(uintptr_t)s->code;

		if (s->feature != ALT_THUNK_JMP && s->feature != ALT_THUNK_LFENCE)
			continue;
		nr++;
		assert_true(s->code_len <= s->len);
		assert_int_equal(code[s->code_len - 1], INT3);
	}
	assert_int_equal(nr, 15 * 2); /* RSP is never a target */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_guests_way_in_changes_everything_and_its_way_out_back),
		cmocka_unit_test(
			test_a_fault_between_the_two_finds_the_hypervisors_and_leaves_what_was),
		cmocka_unit_test(test_an_iret_that_faults_is_handled_with_the_hypervisors),
		cmocka_unit_test(test_no_register_of_a_guests_reaches_c_code),
		cmocka_unit_test(test_each_way_out_to_a_guest_empties_the_buffers_last),
		cmocka_unit_test(test_nothing_stands_behind_an_indirect_jump),
		cmocka_unit_test(test_a_cpu_that_needs_nothing_executes_nothing),
	};

	return cmocka_run_group_tests(tests, setup, NULL);
}
