/* SPDX-License-Identifier: MIT */
/*
 * test_callback.c - what a kernel registers is where it is entered: trap table, callbacks, stack,
 * flags and their ends.
 * ABI: xen/arch-x86/xen.h (trap_info), xen/callback.h, xen/arch-x86/xen-x86_64.h (iret_context);
 * security.md C51 to C53.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <xen/callback.h>

#include "guest.h"
#include "pv/bounce.h"
#include "pv/emul.h"
#include "x86/asm.h"
#include "x86/offsets.h"

#define HANDLER 0x500000
#define KERNEL_RSP ((u64)(uintptr_t)&stack[40])

static u64 stack[64] __attribute__((aligned(16)));
static struct cpu_user_regs *regs;
static struct pv_vcpu *pv;
static struct tree t;

static int fresh(void **state)
{
	if (run_guest(&t, &stack[40]))
		return -1;
	regs = guest_regs();
	pv = &current->pv;
	memset(stack, 0, sizeof(stack));
	*regs = (struct cpu_user_regs){ .rip = 0x400123, .cs = 0x33, .ss = 0x2b, .rsp = 0x7fff0000, .rflags = 0x202 };
	return 0;
}

static int done(void **state)
{
	pv->cr3_user = NULL;
	machine_free();
	return 0;
}

static long set_traps(const struct trap_info *table)
{
	return call(hc_set_trap_table, (u64)(uintptr_t)table, 0, 0, 0);
}

static void test_a_trap_table_is_taken_to_its_end(void **state)
{
	static const struct trap_info table[] = {
		{ .vector = 0, .flags = 3, .cs = FLAT_KERNEL_CS, .address = HANDLER },
		{ .vector = 14, .flags = 4, .cs = 0x77, .address = HANDLER + 14 },
		{ .vector = 255, .flags = 7, .address = HV_HOLE_END },
		{ .address = 0 },
		{ .vector = 3, .address = HANDLER + 3 }};

	assert_int_equal(set_traps(table), 0);
	assert_int_equal(pv->trap[0].address, HANDLER);
	assert_int_equal(pv->trap[0].cs, FLAT_KERNEL_CS);
	assert_int_equal(pv->trap[0].dpl, 3);
	assert_false(pv->trap[0].masks_events);
	assert_int_equal(pv->trap[14].address, HANDLER + 14);
	assert_int_equal(pv->trap[14].cs, 0x77);
	assert_int_equal(pv->trap[14].dpl, 0);
	assert_true(pv->trap[14].masks_events);
	assert_true(pv->trap[255].address == HV_HOLE_END);
	assert_int_equal(pv->trap[255].dpl, 3);
	assert_true(pv->trap[255].masks_events);
	assert_int_equal(pv->trap[3].address, 0);
	assert_int_equal(set_traps(NULL), 0); /* none any more */
	for (unsigned int i = 0; i < PV_NR_VECTORS; i++)
		assert_int_equal(pv->trap[i].address, 0);
}

static void test_a_long_trap_table_goes_on_where_it_stopped(void **state)
{
	static struct trap_info table[PV_NR_VECTORS + 1];

	for (unsigned int i = 0; i < PV_NR_VECTORS; i++)
		table[i] = (struct trap_info){ .vector = (u8)i, .address = HANDLER + i };
	machine_preempt(1);
	assert_int_equal(set_traps(table), 0);
	machine_preempt(0);
	for (unsigned int i = 0; i < PV_NR_VECTORS; i++)
		assert_int_equal(pv->trap[i].address, HANDLER + i);
}

static long callback(u32 type, u32 flags, u64 address)
{
	struct callback_register reg = { .type = (u16)type, .flags = (u16)flags, .address = address };

	return call(hc_callback_op, CALLBACKOP_register, (u64)(uintptr_t)&reg, 0, 0);
}

static void test_each_callback_is_kept_where_it_is_used(void **state)
{
	const struct {
		u32 type;
		u64 *address;
		bool *masks; /* NULL: always */
	} callbacks[] = {
		{ CALLBACKTYPE_event, &pv->event_cb, NULL },
		{ CALLBACKTYPE_failsafe, &pv->failsafe_cb, &pv->failsafe_masks_events },
		{ CALLBACKTYPE_syscall, &pv->syscall_cb, &pv->syscall_masks_events },
		{ CALLBACKTYPE_syscall32, &pv->syscall32_cb, &pv->syscall32_masks_events },
		{ CALLBACKTYPE_sysenter, &pv->sysenter_cb, &pv->sysenter_masks_events },
		{ CALLBACKTYPE_nmi, &pv->nmi_cb, NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(callbacks); i++) {
		assert_int_equal(callback(callbacks[i].type, CALLBACKF_mask_events, HANDLER + i), 0);
		assert_int_equal(*callbacks[i].address, HANDLER + i);
		assert_true(!callbacks[i].masks || *callbacks[i].masks);
		assert_int_equal(callback(callbacks[i].type, 0, HANDLER + 100 + i), 0);
		assert_int_equal(*callbacks[i].address, HANDLER + 100 + i);
		assert_true(!callbacks[i].masks || !*callbacks[i].masks);
		assert_int_equal(callback(callbacks[i].type, 0, HV_HOLE_START), -EINVAL);
		assert_int_equal(*callbacks[i].address, HANDLER + 100 + i);
	}
	for (size_t i = 0; i < ARRAY_SIZE(callbacks); i++) /* none took another's place */
		assert_int_equal(*callbacks[i].address, HANDLER + 100 + i);
	assert_int_equal(callback(3, 0, HANDLER), -ENOSYS); /* there is no such one between them */
	assert_int_equal(callback(6, 0, HANDLER), -ENOSYS);
	assert_int_equal(callback(CALLBACKTYPE_syscall32 + 1, 0, HANDLER), -ENOSYS);
}

static void test_only_nmis_can_be_done_without(void **state)
{
	struct callback_unregister u;

	pv->nmi_cb = pv->event_cb = HANDLER;
	for (u16 type = 0; type < 10; type++) {
		u.type = type;
		assert_int_equal(call(hc_callback_op, CALLBACKOP_unregister, (u64)(uintptr_t)&u, 0, 0),
				 type == CALLBACKTYPE_nmi ? 0 : -EINVAL);
	}
	assert_int_equal(pv->nmi_cb, 0);
	assert_int_equal(pv->event_cb, HANDLER);
}

static void test_the_first_call_for_callbacks_sets_three(void **state)
{
	pv->failsafe_masks_events = pv->syscall_masks_events = true;
	assert_int_equal(call(hc_set_callbacks, HANDLER, HANDLER + 1, HANDLER + 2, 0), 0);
	assert_int_equal(pv->event_cb, HANDLER);
	assert_int_equal(pv->failsafe_cb, HANDLER + 1);
	assert_int_equal(pv->syscall_cb, HANDLER + 2);
	assert_false(pv->failsafe_masks_events || pv->syscall_masks_events);
	assert_int_equal(call(hc_set_callbacks, HV_HOLE_START, 1, 2, 0), -EINVAL);
	assert_int_equal(call(hc_set_callbacks, 1, HV_HOLE_START, 2, 0), -EINVAL);
	assert_int_equal(call(hc_set_callbacks, 1, 2, HV_HOLE_START, 0), -EINVAL);
}

static void test_an_nmi_comes_before_events_and_once_until_iret(void **state)
{
	struct iret_context *c = (void *)&stack[4];
	struct hc_args a = { { 0 } };

	pv->nmi_cb = HANDLER + 2;
	pv->event_cb = HANDLER + 3;
	pv->nmi_pending = true;
	current->vcpu_info->evtchn_upcall_pending = 1;
	pv->in_kernel = false;
	pv_deliver_pending(regs);
	assert_int_equal(regs->rip, HANDLER + 2);
	assert_false(pv->nmi_pending);
	assert_int_equal(current->vcpu_info->evtchn_upcall_mask, 1);
	pv->nmi_pending = true;
	regs->rip = 0x400123;
	pv_deliver_pending(regs);
	assert_int_equal(regs->rip, 0x400123); /* not while it handles one; events it has masked */
	*c = (struct iret_context){ .rip = 0x400777, .cs = FLAT_KERNEL_CS & ~3, .rflags = X86_EFLAGS_IF, .rsp = KERNEL_RSP };
	regs->rsp = (u64)(uintptr_t)c;
	assert_int_equal(hc_iret(&a), HC_REGS_SET);
	pv_deliver_pending(regs);
	assert_int_equal(regs->rip, HANDLER + 2);
	/* without a callback it waits, and events come */
	pv->nmi_masked = false;
	pv->nmi_pending = true;
	pv->nmi_cb = 0;
	current->vcpu_info->evtchn_upcall_mask = 0;
	pv_deliver_pending(regs);
	assert_int_equal(regs->rip, HANDLER + 3);
	assert_true(pv->nmi_pending);
	current->vcpu_info->evtchn_upcall_mask = 0;
	pv->event_cb = 0;
	regs->rip = 0x400123;
	pv_deliver_pending(regs);
	assert_int_equal(regs->rip, 0x400123);
}

static void test_a_32_bit_program_has_its_own_entry(void **state)
{
	pv->syscall_cb = HANDLER;
	pv->syscall32_cb = HANDLER + 32;
	pv->syscall32_masks_events = true;
	pv->in_kernel = false;
	regs->cs = FLAT_USER_CS32;
	pv_syscall_from_user(regs);
	assert_int_equal(regs->rip, HANDLER + 32);
	assert_int_equal(current->vcpu_info->evtchn_upcall_mask, 1);
	current->vcpu_info->evtchn_upcall_mask = 0;
	pv->in_kernel = false;
	regs->cs = 0x33;
	pv_syscall_from_user(regs);
	assert_int_equal(regs->rip, HANDLER);
	assert_int_equal(current->vcpu_info->evtchn_upcall_mask, 0);
	pv->in_kernel = false;
	pv->syscall32_cb = 0;
	regs->cs = FLAT_USER_CS32;
	pv_syscall_from_user(regs);
	assert_int_equal(regs->rip, HANDLER); /* or that of all */
}

/* Words of a frame with an error code: rcx, r11, code, rip, cs and mask, rflags, rsp, ss. */
static void test_a_frame_says_how_it_was_and_the_kernel_starts_clean(void **state)
{
	const u64 odd = X86_EFLAGS_AC | X86_EFLAGS_VM | X86_EFLAGS_RF | X86_EFLAGS_NT | X86_EFLAGS_TF | X86_EFLAGS_IOPL;
	const u64 *frame = &stack[40] - 8;

	pv->trap[13] = (struct pv_trap){ .address = HANDLER };
	pv->in_kernel = false;
	pv->iopl = 2;
	current->vcpu_info->evtchn_upcall_mask = 1;
	regs->rflags = odd | X86_EFLAGS_IF | 0xd5;
	pv_inject_trap(regs, 13, 0x1230);
	assert_ptr_equal((u64 *)regs->rsp, frame);
	assert_int_equal(frame[2], 0x1230);
	assert_true(frame[4] == (0x33 | 1ULL << 32)); /* cs, and that events were masked */
	assert_int_equal(frame[5], (odd & ~(u64)X86_EFLAGS_IOPL) | 0xd5);
	assert_int_equal(frame[6], 0x7fff0000);
	assert_int_equal(frame[7], 0x2b);
	assert_int_equal(regs->rflags, X86_EFLAGS_IF | 0xd5);
	assert_int_equal(regs->cs, FLAT_KERNEL_CS);
	assert_int_equal(regs->ss, FLAT_KERNEL_SS);
	/* the guest that asked for it sees its own privilege level */
	current->domain->vm_assist = 1UL << VMASST_TYPE_architectural_iopl;
	current->vcpu_info->evtchn_upcall_mask = 0;
	pv->in_kernel = false;
	regs->rflags = 2;
	pv_inject_trap(regs, 13, 0);
	assert_int_equal(frame[5], X86_EFLAGS_IF | 2 << X86_EFLAGS_IOPL_SHIFT | 2);
	current->domain->vm_assist = 0;
}

/* Intel SDM vol. 3, table 6-1: which exceptions have an error code. */
static void test_exceptions_have_the_error_codes_of_the_cpus(void **state)
{
	static const u8 with_code[] = { 8, 10, 11, 12, 13, 14, 17 };

	for (unsigned int vector = 0; vector < 256; vector++) {
		bool has_code = false;

		for (size_t i = 0; i < ARRAY_SIZE(with_code); i++)
			has_code |= vector == with_code[i];
		pv->trap[vector].address = HANDLER + vector;
		pv->in_kernel = false;
		pv_inject_trap(regs, vector, 0x40);
		assert_int_equal(regs->rip, HANDLER + vector);
		assert_int_equal(KERNEL_RSP - regs->rsp, (has_code ? 8 : 7) * 8);
	}
}

static void test_a_page_fault_is_of_who_the_guest_thinks_it_is(void **state)
{
	pv->trap[14].address = HANDLER;
	pv->in_kernel = false;
	pv_inject_page_fault(regs, 0x1234567, 2);
	assert_int_equal(current->vcpu_info->arch.cr2, 0x1234567);
	assert_int_equal(((u64 *)regs->rsp)[2], 6); /* user */
	pv_inject_page_fault(regs, 0x7654321, 6); /* the kernel runs in ring 3, too */
	assert_int_equal(current->vcpu_info->arch.cr2, 0x7654321);
	assert_int_equal(((u64 *)regs->rsp)[2], 2);
}

static void test_iret_takes_the_flags_a_program_may_have(void **state)
{
	struct iret_context *c = (void *)&stack[4];
	struct hc_args a = { { 0 } };

	pv->cr3_user = pv->cr3_kernel;
	*c = (struct iret_context){ .rip = 0x400777, .cs = 0x30, .ss = 0x28, .rflags = ~0ULL, .rsp = 0x7ffe0000 };
	for (unsigned int architectural = 0; architectural < 2; architectural++) {
		pv->iopl = 1;
		current->domain->vm_assist = (u64)architectural << VMASST_TYPE_architectural_iopl;
		regs->rsp = (u64)(uintptr_t)c;
		assert_int_equal(hc_iret(&a), HC_REGS_SET);
		assert_true(pv->in_kernel); /* ring 0 of the guest's: its kernel */
		assert_int_equal(regs->cs, 0x33);
		assert_int_equal(regs->ss, 0x2b);
		assert_int_equal(regs->rsp, 0x7ffe0000);
		assert_int_equal(regs->rflags & (X86_EFLAGS_IOPL | X86_EFLAGS_VM | X86_EFLAGS_VIF | X86_EFLAGS_VIP), 0);
		assert_true(regs->rflags & X86_EFLAGS_TF);
		assert_int_equal(pv->iopl, architectural ? 3 : 1);
		assert_int_equal(current->vcpu_info->evtchn_upcall_mask, 0);
	}
	current->domain->vm_assist = 0;
}

static void test_ts_is_set_for_who_asks_and_cleared_for_who_has_the_fpu(void **state)
{
	fake_cpu.cr0 = 0;
	assert_int_equal(call(hc_fpu_taskswitch, 1, 0, 0, 0), 0);
	assert_true(fake_cpu.cr0 & X86_CR0_TS && pv->ctrlreg[0] & X86_CR0_TS);
	current->fpu_dirty = false; /* its registers are not in the CPU */
	assert_int_equal(call(hc_fpu_taskswitch, 0, 0, 0, 0), 0);
	assert_true(fake_cpu.cr0 & X86_CR0_TS);
	assert_false(pv->ctrlreg[0] & X86_CR0_TS);
	current->fpu_dirty = true;
	assert_int_equal(call(hc_fpu_taskswitch, 0, 0, 0, 0), 0);
	assert_false(fake_cpu.cr0 & X86_CR0_TS);
	current->fpu_dirty = false;
}

static void test_segment_bases_are_three(void **state)
{
	assert_int_equal(call(hc_set_segment_base, SEGBASE_FS, 0x1000, 0, 0), 0);
	assert_int_equal(call(hc_set_segment_base, SEGBASE_GS_USER, 0x2000, 0, 0), 0);
	assert_int_equal(call(hc_set_segment_base, SEGBASE_GS_KERNEL, 0x3000, 0, 0), 0);
	assert_int_equal(fake_cpu.msr_fs_base, 0x1000);
	assert_int_equal(fake_cpu.msr_shadow_gs_base, 0x2000);
	assert_int_equal(fake_cpu.msr_gs_base, 0x3000);
	assert_int_equal(call(hc_set_segment_base, SEGBASE_FS, 1ULL << 47, 0, 0), -EINVAL);
	assert_int_equal(fake_cpu.msr_fs_base, 0x1000);
	assert_int_equal(call(hc_set_segment_base, SEGBASE_GS_USER_SEL, 0x2b, 0, 0), 0);
	assert_int_equal(fake_cpu.gs, 0x2b);
	assert_int_equal(fake_cpu.msr_gs_base, 0x3000); /* the kernel's stays */
	assert_int_equal(fake_cpu.msr_shadow_gs_base, 0); /* the user's is the segment's */
	assert_int_equal(call(hc_set_segment_base, SEGBASE_GS_USER_SEL + 1, 0, 0, 0), -EINVAL);
}

static void test_breakpoints_of_every_kind_but_ports(void **state)
{
	for (u64 nr = 0; nr < 4; nr++) {
		const u64 enable = 3ULL << (nr * 2);

		assert_int_equal(call(hc_set_debugreg, nr, 0x1000 * (nr + 1), 0, 0), 0);
		assert_int_equal(call(hc_get_debugreg, nr, 0, 0, 0), 0x1000 * (nr + 1));
		assert_int_equal(call(hc_set_debugreg, nr, HV_HOLE_START, 0, 0), -EPERM);
		for (u64 kind = 0; kind < 4; kind++) {
			const u64 dr7 = kind << (16 + nr * 4);

			assert_int_equal(call(hc_set_debugreg, 7, dr7, 0, 0), 0); /* not enabled: nothing */
			assert_int_equal(call(hc_set_debugreg, 7, dr7 | (enable & 0x55), 0, 0), kind == 2 ? -EPERM : 0);
			assert_int_equal(call(hc_set_debugreg, 5, dr7 | (enable & 0xaa), 0, 0), kind == 2 ? -EPERM : 0);
		}
		assert_int_equal(fake_cpu.dr[nr], 0x1000 * (nr + 1));
		assert_int_equal(call(hc_set_debugreg, 7, 0, 0, 0), 0);
	}
	assert_int_equal(call(hc_set_debugreg, 8, 0, 0, 0), -ENODEV);
	assert_int_equal(call(hc_get_debugreg, 8, 0, 0, 0), -ENODEV);
	assert_int_equal(call(hc_set_debugreg, 7, 1ULL << 32, 0, 0), -EPERM);
	assert_int_equal(call(hc_set_debugreg, 4, ~0ULL, 0, 0), 0); /* of DR6: what an exception may say */
	assert_int_equal(call(hc_get_debugreg, 4, 0, 0, 0), X86_DR6_DEFAULT | 0xe00f);
}

static void test_ports_end_where_the_bus_does(void **state)
{
	static const struct {
		u16 port;
		unsigned int size;
		u32 value; /* of a bus that says 0x12345678 */
	} reads[] = { { 0x60, 1, 0x78 }, { 0x60, 2, 0x5678 }, { 0x60, 4, 0x12345678 }, { 0xffff, 1, 0x78 }, { 0xffff, 2, 0xffff },
		      { 0xfffe, 2, 0x5678 }, { 0xfffd, 4, ~0u }, { 0xfffc, 4, 0x12345678 }, { 0x3f8, 1, 0xff }, { 0x3f7, 2, 0xffff } };

	for (size_t i = 0; i < ARRAY_SIZE(reads); i++) {
		const u32 nothing = reads[i].size == 4 ? ~0u : (1u << reads[i].size * 8) - 1;
		bool is_reached = reads[i].value != nothing;

		fake_cpu.port_value = 0x12345678;
		fake_cpu.nr_port_accesses = 0;
		assert_int_equal(pv_ioport_read(&fake_domain[0], reads[i].port, reads[i].size), reads[i].value);
		assert_int_equal(pv_ioport_read(&fake_domain[1], reads[i].port, reads[i].size), nothing);
		assert_int_equal(fake_cpu.nr_port_accesses, is_reached);
		pv_ioport_write(&fake_domain[1], reads[i].port, reads[i].size, 5);
		assert_int_equal(fake_cpu.nr_port_accesses, is_reached);
		pv_ioport_write(&fake_domain[0], reads[i].port, reads[i].size, 0x87654321);
		assert_int_equal(fake_cpu.nr_port_accesses, 2 * is_reached);
		if (is_reached)
			assert_int_equal(fake_cpu.port_value, 0x87654321 & nothing);
	}
}

static void test_registers_of_the_machine_are_read_and_stay(void **state)
{
	u64 val;

	fake_cpu.msr_efer = 0xd01;
	assert_true(pv_msr_read(current, MSR_EFER, &val));
	assert_int_equal(val, 0xd01);
	assert_true(pv_msr_write(current, MSR_EFER, 0xd01)); /* as it is */
	assert_false(pv_msr_write(current, MSR_EFER, 0xd00));
	assert_true(pv_msr_read(current, MSR_APIC_BASE, &val));
	assert_int_equal(val, 0xfee00900); /* enabled; of the first CPU */
	assert_true(pv_msr_read(&fake_vcpu[FAKE_DOMAINS + 1], MSR_APIC_BASE, &val));
	assert_int_equal(val, 0xfee00800);
	assert_true(pv_msr_write(current, MSR_APIC_BASE, 0));
	assert_int_equal(fake_cpu.msr_apic_base, 0);
	assert_false(pv_msr_write(current, MSR_TSC_AUX, 1ULL << 32));
	assert_true(pv_msr_write(current, MSR_TSC_AUX, ~0u));
	assert_true(pv_msr_read(current, MSR_TSC_AUX, &val));
	assert_int_equal(val, ~0u);
	assert_false(pv_msr_read(current, 0x277, &val)); /* the CPU has it not: #GP, as there */
	assert_false(pv_msr_write(current, 0x277, 0));
	assert_false(pv_msr_read(current, 0, &val));
	assert_false(pv_msr_write(current, ~0u, 0));
}

/* Others are looked for every so many entries, and not before some are done. */
static void test_so_many_traps_are_taken_at_once(void **state)
{
	static struct trap_info table[PV_NR_VECTORS + 1];
	struct hc_args a = { { (u64)(uintptr_t)table } };

	for (unsigned int i = 0; i < PV_NR_VECTORS; i++)
		table[i] = (struct trap_info){ .vector = (u8)i, .address = HANDLER + i };
	machine_preempt(1);
	assert_int_equal(hc_set_trap_table(&a), -ERESTART);
	assert_int_equal(a.a[0], (u64)(uintptr_t)&table[32]);
	machine_preempt(0);
	assert_int_equal(hc_set_trap_table(&a), 0);
}

/* What was in the registers before is not what a guest returns with. */
static void test_a_return_sets_each_register(void **state)
{
	const struct iret_context from = { .rax = 1, .r11 = 2, .rcx = 3, .rip = 0x400777, .cs = 0x30, .ss = 0x28, .rsp = 0x7ffe0000,
					   .rflags = X86_EFLAGS_IF | X86_EFLAGS_CF };
	struct iret_context *c = (void *)&stack[4];
	struct hc_args a = { { 0 } };

	for (unsigned int is_call = 0; is_call < 2; is_call++) {
		*c = from;
		c->flags = is_call ? VGCF_in_syscall : 0;
		memset(regs, 0x5a, sizeof(*regs));
		regs->rsp = (u64)(uintptr_t)c;
		assert_int_equal(hc_iret(&a), HC_REGS_SET);
		assert_int_equal(regs->cs, 0x33);
		assert_int_equal(regs->ss, 0x2b);
		assert_int_equal(regs->rip, 0x400777);
		assert_int_equal(regs->rsp, 0x7ffe0000);
		assert_int_equal(regs->rax, 1);
		assert_int_equal(regs->rflags, X86_EFLAGS_IF | X86_EFLAGS_CF | 2);
		assert_int_equal(regs->entry_vector, is_call ? TRAP_SYSCALL : 0);
		assert_int_equal(regs->r11, is_call ? 0x5a5a5a5a5a5a5a5a : 2);
		assert_int_equal(regs->rcx, is_call ? 0x5a5a5a5a5a5a5a5a : 3);
	}
}

/*
 * rcx and r11 are on its stack: the way out may be the quick one. Nothing below the frame is
 * written.
 */
static void test_a_kernel_is_entered_the_quick_way_out(void **state)
{
	for (unsigned int vector = 6; vector <= 13; vector += 7) { /* without a code, and with one */
		const unsigned int words = vector == 13 ? 8 : 7;
		const u64 *frame = &stack[40] - words;

		memset(stack, 0x77, sizeof(stack));
		pv->trap[vector] = (struct pv_trap){ .address = HANDLER };
		pv->in_kernel = false;
		regs->rcx = 0xc1;
		regs->r11 = 0x11;
		regs->rip = 0x400123;
		regs->entry_vector = 0;
		pv_inject_trap(regs, vector, 0x99);
		assert_ptr_equal((u64 *)regs->rsp, frame);
		assert_int_equal(regs->entry_vector, TRAP_SYSCALL);
		assert_int_equal(frame[-1], 0x7777777777777777);
		assert_int_equal(frame[0], 0xc1);
		assert_int_equal(frame[1], 0x11);
		assert_int_equal(frame[words - 5], 0x400123);
		assert_int_equal(stack[40], 0x7777777777777777);
	}
	/* from the kernel itself: below what it has, from the next lower multiple of 16 */
	regs->rsp = (u64)(uintptr_t)&stack[31];
	pv_inject_trap(regs, 6, 0);
	assert_ptr_equal((u64 *)regs->rsp, &stack[30] - 7);
	assert_true(pv->in_kernel);
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_a_trap_table_is_taken_to_its_end),
		CLAIM(test_a_long_trap_table_goes_on_where_it_stopped),
		CLAIM(test_so_many_traps_are_taken_at_once),
		CLAIM(test_a_return_sets_each_register),
		CLAIM(test_a_kernel_is_entered_the_quick_way_out),
		CLAIM(test_each_callback_is_kept_where_it_is_used),
		CLAIM(test_only_nmis_can_be_done_without),
		CLAIM(test_the_first_call_for_callbacks_sets_three),
		CLAIM(test_an_nmi_comes_before_events_and_once_until_iret),
		CLAIM(test_a_32_bit_program_has_its_own_entry),
		CLAIM(test_a_frame_says_how_it_was_and_the_kernel_starts_clean),
		CLAIM(test_exceptions_have_the_error_codes_of_the_cpus),
		CLAIM(test_a_page_fault_is_of_who_the_guest_thinks_it_is),
		CLAIM(test_iret_takes_the_flags_a_program_may_have),
		CLAIM(test_ts_is_set_for_who_asks_and_cleared_for_who_has_the_fpu),
		CLAIM(test_segment_bases_are_three),
		CLAIM(test_breakpoints_of_every_kind_but_ports),
		CLAIM(test_ports_end_where_the_bus_does),
		CLAIM(test_registers_of_the_machine_are_read_and_stay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
