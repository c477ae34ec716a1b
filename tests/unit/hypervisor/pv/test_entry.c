/* SPDX-License-Identifier: MIT */
/*
 * test_entry.c - into the guest kernel and back: frames of traps, events and system calls, iret,
 * and the privileged instructions in between.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <xen/callback.h>

#include "guest.h"
#include "pv/bounce.h"
#include "pv/emul.h"
#include "pv/insn.h"
#include "x86/asm.h"
#include "x86/lock.h"
#include "x86/offsets.h"
#include "x86/segment.h"
#include "x86/spec_ctrl.h"

#define HANDLER 0x500000

extern void (*fake_on_barrier)(void); /* tests/fakes/hvcpu/spec.c */

static u64 stack[64];
static u8 code[32];
static struct cpu_user_regs *regs;
static struct pv_vcpu *pv;

static int fresh(void **state)
{
	struct tree t;

	if (run_guest(&t, &stack[32]))
		return -1;
	regs = guest_regs();
	pv = &current->pv;
	for (unsigned int i = 0; i < PV_NR_VECTORS; i++)
		pv->trap[i].address = i == 0x80 ? 0 : HANDLER + i;
	pv->event_cb = HANDLER + 0x1000;
	pv->syscall_cb = HANDLER + 0x2000;
	pv->failsafe_cb = HANDLER + 0x3000;
	*regs = (struct cpu_user_regs){ .rip = 0x400123, .cs = 0x33, .ss = 0x2b, .rsp = 0x7fff0008, .rcx = 0xcc,
					.r11 = 0x11, .rflags = 0x10202 | X86_EFLAGS_TF };
	return 0;
}

static int done(void **state)
{
	machine_free();
	return 0;
}

/* From user mode the frame starts at the kernel stack's top. */
static u64 *frame(unsigned int words)
{
	return (u64 *)ALIGN_DOWN((u64)(uintptr_t)&stack[32], 16UL) - words;
}

static void test_a_trap_from_user_mode_lands_on_the_kernel_stack(void **state)
{
	pv->in_kernel = false;
	fake_cpu.msr_shadow_gs_base = 0xffff888000001000;

	pv_inject_trap(regs, 13, 0x42);

	assert_true(pv->in_kernel);
	assert_int_equal(fake_cpu.msr_gs_base, 0xffff888000001000);
	assert_int_equal(regs->rip, HANDLER + 13);
	assert_int_equal(regs->rsp, (u64)(uintptr_t)frame(8));
	assert_int_equal(regs->cs, FLAT_KERNEL_CS);
	assert_int_equal(regs->rflags & (X86_EFLAGS_TF | X86_EFLAGS_RF | X86_EFLAGS_IF), X86_EFLAGS_IF);
	assert_int_equal(frame(8)[0], 0xcc);
	assert_int_equal(frame(8)[1], 0x11);
	assert_int_equal(frame(8)[2], 0x42);
	assert_int_equal(frame(8)[3], 0x400123);
	assert_int_equal(frame(8)[4], 0x33);
	assert_int_equal(frame(8)[6], 0x7fff0008);
	assert_int_equal(frame(8)[7], 0x2b);
}

static void test_a_trap_from_the_kernel_shows_it_in_ring_0(void **state)
{
	regs->cs = FLAT_KERNEL_CS;
	regs->rsp = (u64)(uintptr_t)&stack[20];
	pv_inject_trap(regs, 6, 0);
	assert_int_equal(((u64 *)regs->rsp)[3] & 3, 0);
	assert_int_equal(regs->rsp & 7, 0);
}

static void test_handlers_mask_events_when_they_asked_for_it(void **state)
{
	current->vcpu_info->evtchn_upcall_mask = 0;
	pv->in_kernel = false;
	pv_inject_trap(regs, 6, 0);
	assert_int_equal(current->vcpu_info->evtchn_upcall_mask, 0);
	assert_true(frame(7)[4] & X86_EFLAGS_IF);

	pv->in_kernel = false;
	pv->trap[6].masks_events = true;
	pv_inject_trap(regs, 6, 0);
	assert_int_equal(current->vcpu_info->evtchn_upcall_mask, 1);
}

static void test_a_pending_event_enters_once_and_masks(void **state)
{
	pv->in_kernel = false;
	current->vcpu_info->evtchn_upcall_pending = 1;
	pv_deliver_pending(regs);
	assert_int_equal(regs->rip, HANDLER + 0x1000);
	pv_deliver_pending(regs); /* masked now */
	assert_int_equal(regs->rsp, (u64)(uintptr_t)frame(7));
}

static void test_no_handler_or_no_stack_is_a_readable_end(void **state)
{
	pv->in_kernel = false;
	pv->trap[6].address = 0;
	pv_inject_trap(regs, 6, 0);
	assert_true(current->domain->is_crashed);
	assert_non_null(__builtin_strstr(current->domain->crash_reason, "no guest handler for trap 6"));

	current->domain->is_crashed = false;
	fake_unmapped = ALIGN_DOWN((u64)(uintptr_t)&stack[30], PAGE_SIZE); /* the frame's own page */
	pv_inject_trap(regs, 13, 0);
	assert_true(current->domain->is_crashed);
}

static void test_int_80_without_a_gate_is_a_protection_fault(void **state)
{
	pv->in_kernel = false;
	regs->rip = 0x400125; /* after the instruction */
	pv_int80(regs);
	assert_false(current->domain->is_crashed);
	assert_int_equal(regs->rip, HANDLER + 13);
	assert_int_equal(frame(8)[2], 0x402);
	assert_int_equal(frame(8)[3], 0x400123);

	pv->in_kernel = false;
	pv->trap[0x80] = (struct pv_trap){ .address = HANDLER + 0x80, .dpl = 0 };
	pv_int80(regs);
	assert_int_equal(regs->rip, HANDLER + 13); /* user mode may not use the kernel's own gate */
	pv->in_kernel = false;
	pv->trap[0x80].dpl = 3;
	pv_int80(regs);
	assert_int_equal(regs->rip, HANDLER + 0x80);
}

static void test_a_system_call_of_user_mode_goes_to_the_kernel(void **state)
{
	pv->in_kernel = false;
	pv_syscall_from_user(regs);
	assert_int_equal(regs->rip, HANDLER + 0x2000);
	pv->in_kernel = false;
	pv->syscall_cb = 0;
	pv_syscall_from_user(regs);
	assert_int_equal(regs->rip, HANDLER + 6); /* as on a CPU without the instruction */
}

static struct iret_context *iret_frame(u64 cs, u64 rflags, u64 flags)
{
	struct iret_context *c = (void *)&stack[4];

	*c = (struct iret_context){ .rax = 1, .r11 = 2, .rcx = 3, .flags = flags, .rip = 0x400777, .cs = cs,
				    .rflags = rflags, .rsp = 0x7ffe0000, .ss = 0x2b };
	regs->rsp = (u64)(uintptr_t)c;
	return c;
}

static void test_iret_returns_to_user_mode_without_privileges(void **state)
{
	struct hc_args a = { { 0 } };

	pv->cr3_user = pv->cr3_kernel;
	iret_frame(0x33, 0x247 | X86_EFLAGS_IOPL | X86_EFLAGS_VM, 0);
	assert_int_equal(hc_iret(&a), HC_REGS_SET);
	assert_false(pv->in_kernel);
	assert_int_equal(regs->rip, 0x400777);
	assert_int_equal(regs->rflags & (X86_EFLAGS_IOPL | X86_EFLAGS_VM), 0);
	assert_int_equal(regs->rcx, 3);
	assert_int_equal(regs->r11, 2);
	assert_int_equal(regs->rax, 1);
	assert_int_not_equal(regs->entry_vector, TRAP_SYSCALL);
	assert_int_equal(current->vcpu_info->evtchn_upcall_mask, 0);
	pv->cr3_user = NULL;
}

static void test_iret_to_the_kernel_keeps_ring_3_and_masks_events_again(void **state)
{
	struct hc_args a = { { 0 } };

	iret_frame(FLAT_KERNEL_CS & ~3, 2, VGCF_in_syscall);
	assert_int_equal(hc_iret(&a), HC_REGS_SET);
	assert_true(pv->in_kernel);
	assert_int_equal(regs->cs & 3, 3);
	assert_true(regs->rflags & X86_EFLAGS_IF); /* the real one is always on */
	assert_int_equal(current->vcpu_info->evtchn_upcall_mask, 1);
	assert_int_equal(regs->entry_vector, TRAP_SYSCALL);
}

static void test_a_bad_iret_ends_the_guest_not_the_host(void **state)
{
	struct hc_args a = { { 0 } };

	iret_frame(0x33, 2, 0);
	hc_iret(&a); /* no user tables */
	assert_true(current->domain->is_crashed);
	current->domain->is_crashed = false;
	regs->rsp = 0xffff800000000000; /* the hypervisor's hole */
	hc_iret(&a);
	assert_true(current->domain->is_crashed);
}

static void test_a_faulting_return_enters_the_exceptions_own_gate(void **state)
{
	pv->in_kernel = false;
	regs->entry_vector = 13;
	regs->error_code = 0x1230;
	pv_iret_fault(regs);
	assert_int_equal(regs->rip, HANDLER + 13);
	assert_int_equal(frame(8)[2], 0x1230);
	assert_int_equal(frame(8)[3], 0x400123);
	assert_false(current->domain->is_crashed);
}

static void page_fault_at(u64 va, bool at_return)
{
	fake_cpu.cr2 = va;
	regs->rip = 0x400123;
	regs->entry_vector = 14;
	regs->error_code = 0;
	if (at_return)
		pv_iret_fault(regs);
	else
		pv_trap(regs);
}

static void test_a_descriptor_that_is_not_there_faults_at_the_guests_own_table(void **state)
{
	u64 ldt = VCPU_LDT_VA(current->vcpu_id), gdt = VCPU_GDT_VA(current->vcpu_id);

	pv->ldt_base = 0x7fffffff0000;
	pv->in_kernel = false;
	for (int at_return = 0; at_return < 2; at_return++) {
		page_fault_at(ldt + 0x28, at_return);
		assert_int_equal(regs->rip, HANDLER + 14);
		assert_int_equal(current->vcpu_info->arch.cr2, 0x7fffffff0028);
		page_fault_at(gdt + 0x2008, at_return);
		assert_int_equal(regs->rip, HANDLER + 13);
		assert_int_equal(((u64 *)regs->rsp)[2], 0x2008);
	}
	assert_int_equal(current->vcpu_info->arch.cr2, 0x7fffffff0028);
	assert_false(current->domain->is_crashed);
	page_fault_at(0xffff800000000000, true);
	assert_true(current->domain->is_crashed);
}

static void test_callbacks_in_the_hypervisor_are_refused(void **state)
{
	const u64 hole = 0xffff800000000000;
	struct callback_register reg = { .type = CALLBACKTYPE_event, .address = hole };
	struct trap_info table[2] = { { .vector = 3, .address = 0x8000000000000000 }, { 0 } };

	assert_int_equal(call(hc_callback_op, CALLBACKOP_register, (u64)(uintptr_t)&reg, 0, 0), -EINVAL);
	assert_int_equal(call(hc_set_trap_table, (u64)(uintptr_t)table, 0, 0, 0), -EINVAL);
	assert_int_equal(call(hc_set_trap_table, hole, 0, 0, 0), -EFAULT);
	assert_int_equal(call(hc_callback_op, CALLBACKOP_register, hole, 0, 0), -EFAULT);
	assert_int_equal(call(hc_callback_op, CALLBACKOP_unregister, hole, 0, 0), -EFAULT);
	assert_int_equal(call(hc_callback_op, 77, hole, 0, 0), -ENOSYS);
	reg.address = HANDLER;
	reg.type = 99;
	assert_int_equal(call(hc_callback_op, CALLBACKOP_register, (u64)(uintptr_t)&reg, 0, 0), -ENOSYS);
	assert_int_equal(call(hc_set_segment_base, SEGBASE_GS_KERNEL, 0x800000000000, 0, 0), -EINVAL);
	assert_int_equal(call(hc_set_segment_base, SEGBASE_GS_USER, 0x1234000, 0, 0), 0);
	assert_int_equal(fake_cpu.msr_shadow_gs_base, 0x1234000);
}

static void test_debug_registers_never_watch_the_hypervisor(void **state)
{
	assert_int_equal(call(hc_set_debugreg, 0, 0xffff800000000000, 0, 0), -EPERM);
	assert_int_equal(call(hc_set_debugreg, 1, 0x401000, 0, 0), 0);
	assert_int_equal(call(hc_set_debugreg, 7, 0x20002, 0, 0), -EPERM); /* an I/O breakpoint */
	assert_int_equal(call(hc_set_debugreg, 7, 1 << 13 | 4, 0, 0), 0);
	assert_int_equal(fake_cpu.dr[7] & 1 << 13, 0); /* general detect stays off */
	assert_int_equal(call(hc_set_debugreg, 9, 0, 0, 0), -ENODEV);
	assert_int_equal(call(hc_get_debugreg, 1, 0, 0, 0), 0x401000);
}

/* --- privileged instructions --- */

static enum emul_result emulate(const char *bytes, size_t n)
{
	memset(code, 0x90, sizeof(code));
	memcpy(code, bytes, n);
	regs->rip = (u64)(uintptr_t)code;
	return pv_emul_privileged(regs);
}
#define EMULATE(bytes) emulate(bytes, sizeof(bytes) - 1)

static void test_ports_are_dom0s_and_not_the_hypervisors_own(void **state)
{
	fake_cpu.port_value = 0x5a;
	regs->rdx = 0x60;
	pv->iopl = 1;
	assert_int_equal(EMULATE("\xec"), EMUL_DONE); /* in %dx, %al: not privileged */
	assert_int_equal(regs->al, 0xff);
	assert_int_equal(fake_cpu.nr_port_accesses, 0);

	machine_run(0);
	current->pv.in_kernel = true;
	current->pv.iopl = 1;
	assert_int_equal(EMULATE("\xec"), EMUL_DONE);
	assert_int_equal(regs->al, 0x5a);
	assert_int_equal(EMULATE("\xe6\x80"), EMUL_DONE); /* out %al, $0x80 */
	assert_int_equal(fake_cpu.port, 0x80);
	regs->rdx = 0x3f8; /* the hypervisor's serial line */
	fake_cpu.nr_port_accesses = 0;
	assert_int_equal(EMULATE("\xee"), EMUL_DONE);
	assert_int_equal(fake_cpu.nr_port_accesses, 0);
}

static void test_string_output_goes_through_memory_once(void **state)
{
	static const char text[] = "abcd";

	machine_run(0);
	current->pv.in_kernel = true;
	current->pv.iopl = 1;
	regs->rdx = 0x402;
	regs->rsi = (u64)(uintptr_t)text;
	regs->rcx = 4;
	assert_int_equal(EMULATE("\xf3\x6e"), EMUL_DONE); /* rep outsb */
	assert_int_equal(regs->rcx, 0);
	assert_int_equal(regs->rsi, (u64)(uintptr_t)text + 4);
	assert_int_equal(fake_cpu.nr_port_accesses, 4);
	assert_int_equal(fake_cpu.port_value, 'd');
}

/* Intel SDM vol. 3, 17.2.2: DR4 and DR5 are other names of DR6 and DR7. */
static void test_each_way_reads_the_same_debug_register(void **state)
{
	static const char from_dr[][3] = { { 0x0f, 0x21, (char)0xc8 }, { 0x0f, 0x21, (char)0xe0 },
					   { 0x0f, 0x21, (char)0xe8 }, { 0x0f, 0x21, (char)0xf0 },
					   { 0x0f, 0x21, (char)0xf8 } };
	static const u64 nr[] = { 1, 4, 5, 6, 7 };

	pv->in_kernel = true;
	assert_int_equal(call(hc_set_debugreg, 1, 0x401000, 0, 0), 0);
	assert_int_equal(call(hc_set_debugreg, 6, 1, 0, 0), 0);
	assert_int_equal(call(hc_set_debugreg, 7, 4, 0, 0), 0);
	for (size_t i = 0; i < ARRAY_SIZE(nr); i++) {
		assert_int_equal(emulate(from_dr[i], 3), EMUL_DONE);
		assert_int_equal(regs->rax, (u64)call(hc_get_debugreg, nr[i], 0, 0, 0));
		assert_int_not_equal(regs->rax, 0);
	}
}

static void test_user_mode_may_not_execute_privileged_instructions(void **state)
{
	static const char *const insns[] = { "\xfa", "\xec", "\x0f\x32", "\x0f\x30", "\x0f\x20\xc0", "\x0f\x06" };

	pv->in_kernel = false;
	for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
		assert_int_equal(emulate(insns[i], strlen(insns[i])), EMUL_REFUSED);
}

static void test_the_virtual_io_privilege_level_decides_about_ports_and_flags(void **state)
{
	static const char *const insns[] = { "\xfa", "\xfb", "\xec", "\xee", "\xe4\x80", "\xe6\x80", "\x6e" };
	static const char byte;

	for (size_t i = 0; i < ARRAY_SIZE(insns); i++)
		for (u32 iopl = 0; iopl <= 3; iopl++)
			for (int in_kernel = 0; in_kernel < 2; in_kernel++) {
				pv->iopl = iopl;
				pv->in_kernel = in_kernel;
				regs->rsi = (u64)(uintptr_t)&byte;
				assert_int_equal(emulate(insns[i], strlen(insns[i])),
						 iopl >= (in_kernel ? 1 : 3) ? EMUL_DONE : EMUL_REFUSED);
			}
	/* the architecture's own meaning, when the guest asked for it: its kernel is ring 0 */
	current->domain->vm_assist |= 1UL << VMASST_TYPE_architectural_iopl;
	pv->iopl = 0;
	pv->in_kernel = true;
	assert_int_equal(EMULATE("\xfa"), EMUL_DONE);
}

static void test_control_registers_are_the_guests_idea(void **state)
{
	fake_cpu.cr4 = X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_FSGSBASE;
	regs->rax = ~0ULL;
	assert_int_equal(EMULATE("\x0f\x22\xe0"), EMUL_DONE); /* mov %rax, %cr4 */
	assert_int_equal(fake_cpu.cr4, X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_FSGSBASE | X86_CR4_TSD);
	assert_int_equal(EMULATE("\x0f\x20\xe0"), EMUL_DONE);
	assert_int_equal(regs->rax & X86_CR4_OSXSAVE, X86_CR4_OSXSAVE);
	assert_int_equal(EMULATE("\x0f\x20\xd8"), EMUL_DONE); /* mov %cr3, %rax */
	assert_int_equal(regs->rax, mfn_to_maddr(frame_to_mfn(pv->cr3_kernel)));
	assert_int_equal(EMULATE("\x0f\x22\xd8"), EMUL_REFUSED); /* CR3 is for hypercalls */
}

static void test_msrs_are_an_allow_list(void **state)
{
	regs->rcx = MSR_SHADOW_GS_BASE;
	fake_cpu.msr_shadow_gs_base = 0x123456789000;
	assert_int_equal(EMULATE("\x0f\x32"), EMUL_DONE);
	assert_int_equal(regs->rax | regs->rdx << 32, 0x123456789000);
	assert_int_equal(regs->rip, (u64)(uintptr_t)code + 2);
	regs->rax = regs->rdx = 0;
	assert_int_equal(EMULATE("\x2e\x0f\x32"), EMUL_DONE); /* the same with a prefix */
	assert_int_equal(regs->rax | regs->rdx << 32, 0x123456789000);
	assert_int_equal(regs->rip, (u64)(uintptr_t)code + 3);
	regs->rcx = 0xc0000082; /* LSTAR */
	assert_int_equal(EMULATE("\x0f\x32"), EMUL_REFUSED);
	assert_int_equal(EMULATE("\x0f\x30"), EMUL_REFUSED);
	/* to the ends of each range: as 0, and what is written is dropped */
	static const u32 zeros[] = { 0xfe, 0xce, 0x179, 0x17a, 0x400, 0x47f, 0xc0010000, 0xc0010007 };
	static const u32 none[] = { 0xfd, 0xff, 0x178, 0x17b, 0x3ff, 0x480, 0xc000ffff, 0xc0010008 };

	for (size_t i = 0; i < ARRAY_SIZE(zeros); i++) {
		regs->rcx = zeros[i];
		regs->rax = regs->rdx = 7;
		assert_int_equal(EMULATE("\x0f\x30"), EMUL_DONE);
		assert_int_equal(EMULATE("\x0f\x32"), EMUL_DONE);
		assert_int_equal(regs->rax | regs->rdx, 0);
		regs->rcx = none[i];
		assert_int_equal(EMULATE("\x0f\x32"), EMUL_REFUSED);
		assert_int_equal(EMULATE("\x0f\x30"), EMUL_REFUSED);
	}
	regs->rcx = MSR_FS_BASE;
	regs->rax = 0;
	regs->rdx = 0x8000; /* not canonical */
	assert_int_equal(EMULATE("\x0f\x30"), EMUL_REFUSED);
}

/* A program can write any canonical base with WRFSBASE: its kernel must be able to put it back. */
static void test_a_programs_segment_base_can_be_put_back(void **state)
{
	const u64 hole = 0xffff800000000000;

	assert_int_equal(call(hc_set_segment_base, SEGBASE_GS_USER, hole, 0, 0), 0);
	assert_int_equal(fake_cpu.msr_shadow_gs_base, hole);
	regs->rcx = MSR_FS_BASE;
	regs->rax = (u32)hole;
	regs->rdx = hole >> 32;
	assert_int_equal(emulate("\x0f\x30", 2), EMUL_DONE);
	assert_int_equal(fake_cpu.msr_fs_base, hole);
	/* but nobody's stack is there */
	assert_int_equal(call(hc_stack_switch, FLAT_KERNEL_SS, hole, 0, 0), -EINVAL);
	assert_int_equal(call(hc_stack_switch, 0xe028, 0x700000, 0, 0), 0);
	assert_int_equal(pv->kernel_ss, 0xe02b); /* in ring 3, whatever it says */
	assert_int_equal(pv->kernel_sp, 0x700000);
}

/* @insn, executed by the guest, is a #GP of the CPU. */
static void execute_wrmsr(const u8 *insn, u32 msr, u64 val)
{
	regs->entry_vector = 13;
	regs->error_code = 0;
	regs->rip = (u64)(uintptr_t)insn;
	regs->rsp = (u64)(uintptr_t)&stack[20];
	regs->rcx = msr;
	regs->rax = (u32)val;
	regs->rdx = val >> 32;
	pv_trap(regs);
}

static unsigned int nr_barriers, nr_barriers_held;

static void count_barrier(void)
{
	nr_barriers++;
	nr_barriers_held += hv_lock_is_held();
}

/* An IBPB takes microseconds, and concerns this CPU alone. */
static void test_a_barrier_lets_others_into_the_hypervisor(void **state)
{
	static const u8 insn[INSN_MAX_LEN] = { 0x0f, 0x30 };

	fake_on_barrier = count_barrier;
	spec_plan.has_ibpb = true;
	pv->in_kernel = true;
	execute_wrmsr(insn, MSR_PRED_CMD, 1);
	assert_int_equal(regs->rip, (u64)(uintptr_t)insn + 2);
	assert_int_equal(nr_barriers, 1);
	assert_int_equal(nr_barriers_held, 0);

	/* the same conditions as of any other register */
	execute_wrmsr(insn, MSR_PRED_CMD, 2);
	assert_int_equal(regs->rip, HANDLER + 13);
	pv->in_kernel = false;
	execute_wrmsr(insn, MSR_PRED_CMD, 1);
	assert_int_equal(regs->rip, HANDLER + 13);
	spec_plan.has_ibpb = false;
	execute_wrmsr(insn, MSR_PRED_CMD, 1);
	assert_int_equal(regs->rip, HANDLER + 13);
	assert_int_equal(nr_barriers, 1);
}

static void test_xsetbv_takes_only_states_that_fit_together(void **state)
{
	regs->rcx = regs->rdx = 0;
	regs->rax = 7;
	assert_int_equal(EMULATE("\x0f\x01\xd1"), EMUL_DONE);
	assert_int_equal(pv->xcr0, 7);
	regs->rax = 6; /* without x87 */
	assert_int_equal(EMULATE("\x0f\x01\xd1"), EMUL_REFUSED);
	regs->rax = 5; /* AVX without SSE */
	assert_int_equal(EMULATE("\x0f\x01\xd1"), EMUL_REFUSED);
	regs->rax = 0xf; /* a state the hypervisor does not switch */
	assert_int_equal(EMULATE("\x0f\x01\xd1"), EMUL_REFUSED);
	assert_int_equal(EMULATE("\x0f\x01\xc1"), EMUL_REFUSED); /* VMCALL */
}

static void test_forced_cpuid_shows_a_paravirtual_cpu(void **state)
{
	static const char insn[] = "\x0f\x0bxen\x0f\xa2";

	memcpy(code, insn, sizeof(insn));
	regs->rip = (u64)(uintptr_t)code;
	regs->rax = 0x40000000;
	assert_true(pv_emul_forced_cpuid(regs));
	assert_memory_equal(&regs->ebx, "XenV", 4);
	assert_int_equal(regs->rip, (u64)(uintptr_t)code + 7);
	regs->rip = (u64)(uintptr_t)code;
	regs->rax = 1;
	assert_true(pv_emul_forced_cpuid(regs));
	assert_true(regs->ecx & 1u << 31);
	assert_false(regs->edx & 1 << 3); /* PSE */
	code[2] = 'y';
	regs->rip = (u64)(uintptr_t)code;
	assert_false(pv_emul_forced_cpuid(regs));
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_a_trap_from_user_mode_lands_on_the_kernel_stack),
		CLAIM(test_a_trap_from_the_kernel_shows_it_in_ring_0),
		CLAIM(test_handlers_mask_events_when_they_asked_for_it),
		CLAIM(test_a_pending_event_enters_once_and_masks),
		CLAIM(test_no_handler_or_no_stack_is_a_readable_end),
		CLAIM(test_int_80_without_a_gate_is_a_protection_fault),
		CLAIM(test_a_system_call_of_user_mode_goes_to_the_kernel),
		CLAIM(test_iret_returns_to_user_mode_without_privileges),
		CLAIM(test_iret_to_the_kernel_keeps_ring_3_and_masks_events_again),
		CLAIM(test_a_bad_iret_ends_the_guest_not_the_host),
		CLAIM(test_a_faulting_return_enters_the_exceptions_own_gate),
		CLAIM(test_a_descriptor_that_is_not_there_faults_at_the_guests_own_table),
		CLAIM(test_callbacks_in_the_hypervisor_are_refused),
		CLAIM(test_a_programs_segment_base_can_be_put_back),
		CLAIM(test_debug_registers_never_watch_the_hypervisor),
		CLAIM(test_ports_are_dom0s_and_not_the_hypervisors_own),
		CLAIM(test_string_output_goes_through_memory_once),
		CLAIM(test_each_way_reads_the_same_debug_register),
		CLAIM(test_user_mode_may_not_execute_privileged_instructions),
		CLAIM(test_the_virtual_io_privilege_level_decides_about_ports_and_flags),
		CLAIM(test_control_registers_are_the_guests_idea),
		CLAIM(test_msrs_are_an_allow_list),
		CLAIM(test_a_barrier_lets_others_into_the_hypervisor),
		CLAIM(test_xsetbv_takes_only_states_that_fit_together),
		CLAIM(test_forced_cpuid_shows_a_paravirtual_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
