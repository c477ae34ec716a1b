/* SPDX-License-Identifier: MIT */
/*
 * test_context.c - a vcpu's whole context: what is given is what it has, what it has is what is
 * told, but for what no guest may have; and what of it is not sensible is refused by itself.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "guest.h"
#include "x86/asm.h"

static struct vcpu *const v = &fake_vcpu[FAKE_DOMAINS + 1];
static struct vcpu_guest_context c, told;
static struct frame *kernel, *user, *gdt[2];

static long set_context(struct hc_args *a)
{
	return pv_vcpu_set_context(v, &c);
}

static long set(void)
{
	return call(set_context, 0, 0, 0, 0);
}

/* Each field another value than 0, and than every other's. */
static void fill(void)
{
	u64 next = 0x401000;

	memset(&c, 0, sizeof(c));
	c.flags = VGCF_in_kernel | VGCF_failsafe_disables_events | VGCF_syscall_disables_events;
	for (unsigned int i = 0; i < ARRAY_SIZE(c.trap_ctxt); i++)
		c.trap_ctxt[i] = (struct trap_info){ .vector = (u8)i, .flags = i & 1 ? 7 : 2, .cs = FLAT_KERNEL_CS,
						     .address = next += 16 };
	c.user_regs = (struct cpu_user_regs){
		.r15 = 1, .r14 = 2, .r13 = 3, .r12 = 4, .rbp = 5, .rbx = 6, .r11 = 7, .r10 = 8, .r9 = 9, .r8 = 10,
		.rax = 11, .rcx = 12, .rdx = 13, .rsi = 14, .rdi = 15, .rip = 0x400000, .rsp = 0x7fff0000,
		.cs = 0xe033, .ss = 0xe02b, .ds = 0x2b, .es = 0x33, .fs = 0x43, .gs = 0x4b,
		.rflags = X86_EFLAGS_CF | X86_EFLAGS_IOPL | X86_EFLAGS_VM};
	c.ldt_base = 0x500000;
	c.ldt_ents = 3;
	c.gdt_ents = 513;
	for (int i = 0; i < 2; i++)
		c.gdt_frames[i] = mfn_x(frame_to_mfn(gdt[i]));
	c.kernel_ss = 0xe028;
	c.kernel_sp = 0x600000;
	c.ctrlreg[0] = X86_CR0_TS | X86_CR0_WP;
	c.ctrlreg[1] = mfn_to_maddr(frame_to_mfn(user));
	c.ctrlreg[3] = mfn_to_maddr(frame_to_mfn(kernel));
	c.ctrlreg[4] = X86_CR4_TSD | X86_CR4_SMEP;
	for (int i = 0; i < 4; i++)
		c.debugreg[i] = next += 16;
	c.event_callback_eip = next += 16;
	c.failsafe_callback_eip = next += 16;
	c.syscall_callback_eip = next += 16;
	c.vm_assist = 1UL << VMASST_TYPE_writable_pagetables;
	c.fs_base = next += 16;
	c.gs_base_kernel = next += 16;
	c.gs_base_user = next += 16;
}

static int fresh(void **state)
{
	struct tree t;

	machine_reset(0, 1);
	machine_run(1);
	t = tree_new(1);
	if (install(&t))
		return -1;
	kernel = frame_new(1);
	user = frame_new(1);
	gdt[0] = frame_new(1);
	gdt[1] = frame_new(1);
	fill();
	return 0;
}

static int audited(void **state)
{
	machine_free();
	return 0;
}

#define SAME(field) assert_memory_equal(&told.field, &c.field, sizeof(c.field))

static void test_a_vcpu_has_what_it_was_given_and_tells_it(void **state)
{
	assert_int_equal(set(), 0);
	assert_true(v->is_initialised);
	pv_vcpu_get_context(v, &told);
	SAME(trap_ctxt);
	SAME(ldt_base);
	SAME(ldt_ents);
	SAME(gdt_ents);
	SAME(gdt_frames);
	SAME(kernel_sp);
	SAME(ctrlreg[1]);
	SAME(ctrlreg[3]);
	SAME(debugreg[0]);
	SAME(debugreg[1]);
	SAME(debugreg[2]);
	SAME(debugreg[3]);
	SAME(event_callback_eip);
	SAME(failsafe_callback_eip);
	SAME(syscall_callback_eip);
	SAME(fs_base);
	SAME(gs_base_kernel);
	SAME(gs_base_user);
	assert_int_equal(told.flags & c.flags, c.flags);
	/* the general registers, RIP, RSP and the selectors */
	c.user_regs.rflags = told.user_regs.rflags;
	SAME(user_regs);
}

/*
 * What is told is what it has now: selectors as they were when it last left the CPU, and the
 * registers of its FPU.
 */
static void test_what_it_changed_since_is_told(void **state)
{
	u8 *fpu = (u8 *)&c.fpu_ctxt;

	c.flags |= VGCF_I387_VALID;
	*(u16 *)fpu = 0x27f;
	*(u32 *)(fpu + 24) = 0x1f80;
	fpu[160] = 0x77;
	assert_int_equal(set(), 0);
	v->pv.ds = 0x11;
	v->pv.es = 0x22;
	v->pv.fs = 0x33;
	v->pv.gs = 0x44;
	memset(&told, 0xee, sizeof(told));
	pv_vcpu_get_context(v, &told);
	assert_int_equal(told.user_regs.ds, 0x11);
	assert_int_equal(told.user_regs.es, 0x22);
	assert_int_equal(told.user_regs.fs, 0x33);
	assert_int_equal(told.user_regs.gs, 0x44);
	assert_int_equal(*(u16 *)&told.fpu_ctxt, 0x27f);
	assert_int_equal(((u8 *)&told.fpu_ctxt)[160], 0x77);
	assert_int_equal(told.gdt_frames[2], 0); /* and nothing of whatever was there before */
}

static void test_what_no_guest_may_have_is_not_taken(void **state)
{
	u64 others[4];

	memcpy(others, &v->pv.debugreg[4], sizeof(others));
	memset(&c.debugreg[4], 0x55, sizeof(others)); /* addresses alone are taken */
	assert_int_equal(set(), 0);
	assert_memory_equal(&v->pv.debugreg[4], others, sizeof(others));
	assert_int_equal(v->regs.rflags, X86_EFLAGS_CF | X86_EFLAGS_IF | 2);
	assert_int_equal(v->pv.iopl, 3); /* a virtual one, which is told with the flags */
	pv_vcpu_get_context(v, &told);
	assert_int_equal(told.user_regs.rflags, X86_EFLAGS_CF | X86_EFLAGS_IF | 2 | X86_EFLAGS_IOPL);
	assert_int_equal(told.kernel_ss, c.kernel_ss | 3);
	assert_int_equal(told.ctrlreg[0], X86_CR0_TS);
	assert_int_equal(told.ctrlreg[4], X86_CR4_TSD);
	assert_int_equal(v->domain->vm_assist, 0); /* the first vcpu's to say */
}

static long set_context_of_another(struct hc_args *a)
{
	return pv_vcpu_set_context(&fake_vcpu[2], &c);
}

static void test_the_first_vcpu_says_what_its_domain_wants_help_with(void **state)
{
	c.gdt_ents = 0;
	c.ctrlreg[1] = mfn_to_maddr(frame_to_mfn(frame_new(2)));
	c.ctrlreg[3] = mfn_to_maddr(frame_to_mfn(frame_new(2)));
	assert_int_equal(call(set_context_of_another, 0, 0, 0, 0), 0);
	assert_int_equal(fake_domain[2].vm_assist, c.vm_assist);
	pv_vcpu_get_context(&fake_vcpu[2], &told);
	SAME(vm_assist);
	fake_domain[2].vm_assist = 0;
}

static void test_a_context_is_given_once(void **state)
{
	assert_int_equal(set(), 0);
	assert_int_equal(set(), -EBUSY);
}

static void test_each_bad_field_is_refused_and_nothing_is_taken(void **state)
{
	const u64 hole = 0xffff800000000000, not_canonical = 1ULL << 47;
	const struct {
		u64 *field, bad;
	} fields[] = {
		{ &c.event_callback_eip, hole }, { &c.failsafe_callback_eip, hole },
		{ &c.syscall_callback_eip, hole }, { &c.kernel_sp, hole },
		{ &c.user_regs.rip, hole }, { &c.trap_ctxt[255].address, hole },
		{ &c.debugreg[3], hole }, { &c.ldt_base, 0x500001 },
		{ &c.ldt_base, hole }, { &c.ldt_ents, 8193 },
		{ &c.gdt_ents, FIRST_RESERVED_GDT_ENTRY + 1 },
		{ &c.gdt_frames[1], ~0ULL }, { &c.ctrlreg[3], ~0ULL << 12 },
		{ &c.ctrlreg[1], ~0ULL << 12 }, { &c.fs_base, not_canonical },
		{ &c.gs_base_kernel, not_canonical }, { &c.gs_base_user, not_canonical },
	};

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fill();
		*fields[i].field = fields[i].bad;
		if (set() != -EINVAL)
			fail_msg("field %zu", i);
		assert_false(v->is_initialised);
		assert_int_equal(frame_type_count(kernel) + frame_type_count(user) + frame_type_count(gdt[0]), 0);
	}
	fill();
	c.flags &= ~VGCF_in_kernel; /* in user mode without tables for it */
	c.ctrlreg[1] = 0;
	assert_int_equal(set(), -EINVAL);
	assert_int_equal(frame_type_count(kernel), 0);
}

#define CLAIM(t) cmocka_unit_test_setup_teardown(t, fresh, audited)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_a_vcpu_has_what_it_was_given_and_tells_it),
		CLAIM(test_what_it_changed_since_is_told),
		CLAIM(test_what_no_guest_may_have_is_not_taken),
		CLAIM(test_the_first_vcpu_says_what_its_domain_wants_help_with),
		CLAIM(test_a_context_is_given_once),
		CLAIM(test_each_bad_field_is_refused_and_nothing_is_taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
