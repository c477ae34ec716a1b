/* SPDX-License-Identifier: MIT */
/*
 * test_fpu.c - vector registers and what enables them stay a vcpu's own, and nothing a guest or a
 * file says about them makes an instruction of the hypervisor fault: domain/fpu.c over a CPU that
 * faults as a real one does.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "guest.h"
#include "domain/fpu.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/fpu_insn.h"
#include "x86/spec_ctrl.h"

#define MXCSR 24
#define HEADER 512

static struct vcpu *const a = &fake_vcpu[1], *const b = &fake_vcpu[2];
static u8 file[FAKE_AREA] __attribute__((aligned(64)));

static int fresh(void **state)
{
	machine_reset(0, 1);
	memset(file, 0, sizeof(file));
	return 0;
}

static int done(void **state)
{
	assert_int_equal(fake_fpu.nr_faults, 0);
	machine_free();
	return 0;
}

static void run(struct vcpu *v)
{
	if (current)
		fpu_switch_out(current);
	current = v;
	fpu_switch_in(v);
}

/* What the guest's first vector instruction does. */
static void use(struct vcpu *v)
{
	run(v);
	if (fake_cpu.cr0 & X86_CR0_TS)
		fpu_load(v);
}

static void fill(u64 value)
{
	fake_fpu.x87 = fake_fpu.fip = fake_fpu.xmm = fake_fpu.ymm_high = value;
}

static void assert_registers(u64 x87, u64 xmm, u64 ymm_high)
{
	assert_int_equal(fake_fpu.x87, x87);
	assert_int_equal(fake_fpu.xmm, xmm);
	assert_int_equal(fake_fpu.ymm_high, ymm_high);
}

static void test_a_feature_turned_off_after_use_is_no_fault(void **state)
{
	use(a);
	assert_int_equal(fpu_set_xcr0(a, 7), 0);
	fill(0x1111);
	use(b);
	run(a);
	assert_int_equal(fpu_set_xcr0(a, 3), 0);
	use(a);
	assert_registers(0x1111, 0x1111, 0x1111); /* it is its own, and kept */
	assert_int_equal(fake_fpu.xcr0, 3);
	use(b);
	use(a);
	assert_int_equal(fpu_set_xcr0(a, 7), 0);
	assert_int_equal(fake_fpu.ymm_high, 0x1111);
	fill(0x2222);
	assert_int_equal(fpu_set_xcr0(a, 3), 0);
	use(b);
	use(a);
	assert_registers(0x2222, 0x2222, 0x2222);
}

static void test_a_small_xcr0_shows_nothing_of_another_vcpu(void **state)
{
	use(a);
	assert_int_equal(fpu_set_xcr0(a, 7), 0);
	fill(0x5ec2e7);
	run(b);
	assert_int_equal(fpu_set_xcr0(b, 1), 0);
	use(b);
	assert_registers(0, 0, 0);
}

static void test_a_feature_enabled_later_begins_in_its_initial_state(void **state)
{
	use(a);
	assert_int_equal(fpu_set_xcr0(a, 7), 0);
	fill(0x5ec2e7);
	use(b);
	assert_int_equal(fpu_set_xcr0(b, 3), 0);
	fake_fpu.xmm = 0xb;
	assert_int_equal(fpu_set_xcr0(b, 7), 0);
	assert_registers(0, 0xb, 0);
}

static void cpu_without_rstr_fp_err_ptrs(u32 leaf, u32 sub, u32 reg[4])
{
	if (leaf != 0xd)
		memset(reg, 0, 4 * sizeof(*reg));
	if (leaf == 0x80000000)
		reg[0] = 0x8000000a;
}

static void test_the_last_instructions_address_is_not_passed_on(void **state)
{
	fake_pointers_stay = true;
	fake_cpu.cr0 = 0;
	fake_cpuid = cpu_without_rstr_fp_err_ptrs;
	fpu_init();
	fake_cpuid = NULL;
	use(a);
	fill(0x400123);
	use(b);
	assert_int_equal(fake_fpu.fip, 0);
}

static u32 last_leaf, features_8;

static void cpu_of_amd(u32 leaf, u32 sub, u32 reg[4])
{
	cpu_without_rstr_fp_err_ptrs(leaf, sub, reg);
	if (leaf == 0x80000000)
		reg[0] = last_leaf;
	if (leaf == 0x80000008)
		reg[1] = features_8;
}

/*
 * AMD APM vol. 3, leaf 8000_0008: one that restores them needs no help; one that has no such leaf
 * does not say so.
 */
static void test_a_cpu_that_restores_the_address_is_asked(void **state)
{
	static const struct {
		u32 last, features;
		bool is_left; /* what the CPU left is not cleared by hand */
	} cases[] = { { 0x80000008, 1u << 2, true }, { 0x80000008, ~(1u << 2), false }, { 0x80000007, 1u << 2, false } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_pointers_stay = true;
		last_leaf = cases[i].last;
		features_8 = cases[i].features;
		fake_cpuid = cpu_of_amd;
		fake_cpu.cr0 = 0;
		fpu_init();
		fake_cpuid = NULL;
		use(a);
		fill(0x400123);
		use(b);
		assert_int_equal(fake_fpu.fip, cases[i].is_left ? 0x400123 : 0);
	}
}

/*
 * Intel SDM vol. 2, XSAVE: #NM where CR0.TS is set. A CPU that has none, QEMU's, would let a guest's
 * kernel save what another vcpu left; and one whose wrong paths see it is as good as that.
 */
static void test_registers_are_loaded_at_the_switch_where_ts_protects_nothing(void **state)
{
	static const struct {
		bool has_xsave, ignores_ts, leaks, is_eager;
	} cases[] = { { true, false, false, false }, { true, true, false, true }, { true, false, true, true },
		      { false, true, false, false }, { false, false, true, true } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cpu_has_xsave = cases[i].has_xsave;
		fake_xsave_ignores_ts = cases[i].ignores_ts;
		spec_plan.eager_fpu = cases[i].leaks;
		fake_cpu.cr0 = 0;
		fpu_init();
		assert_int_equal(fpu_is_eager, cases[i].is_eager);
		assert_true(fake_cpu.cr0 & X86_CR0_TS);
	}
	fake_xsave_ignores_ts = spec_plan.eager_fpu = false;
	fpu_is_eager = false;
}

static void test_without_xsave_the_same_holds(void **state)
{
	cpu_has_xsave = false;
	assert_int_equal(fpu_set_xcr0(a, 3), -EINVAL);
	use(a);
	fake_fpu.xmm = 0x5ec2e7;
	use(b);
	assert_int_equal(fake_fpu.xmm, 0);
	use(a);
	assert_int_equal(fake_fpu.xmm, 0x5ec2e7);
}

static void test_reserved_mxcsr_bits_never_reach_the_cpu(void **state)
{
	*(u32 *)(file + MXCSR) = 1u << 16;
	assert_int_equal(fpu_take_xsave(a, 7, 7, file, sizeof(file)), -EINVAL);
	*(u32 *)(file + MXCSR) = 1u << 16 | 0x1f80;
	fpu_take_fxsave(a, file);
	use(a);
	assert_int_equal(fake_fpu.mxcsr, 0x1f80);
}

static void test_a_file_names_only_states_that_fit_together(void **state)
{
	static const struct {
		u64 xcr0, ever, present;
		int rc;
	} cases[] = {
		{ 7, 7, 7, 0 },	     { 3, 7, 7, 0 },	  { 1, 1, 1, 0 },
		{ 5, 7, 1, -EINVAL },  /* AVX without SSE */
		{ 7, 5, 1, -EINVAL },  { 2, 7, 1, -EINVAL },  { 7, 3, 1, -EINVAL },
		{ 15, 15, 1, -EINVAL }, { 3, 3, 7, -EINVAL }, { 7, 7, 8, -EINVAL },
		{ 0, 0, 0, -EINVAL },  { 7, ~0UL, 1, -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		*(u64 *)(file + HEADER) = cases[i].present;
		assert_int_equal(fpu_take_xsave(a, cases[i].xcr0, cases[i].ever, file,
						sizeof(file)),
				 cases[i].rc);
		use(a);
		use(b);
	}
}

static void test_a_file_has_a_clean_header_and_a_length_that_fits(void **state)
{
	for (size_t at = HEADER + 8; at < HEADER + 64; at += 8) {
		*(u64 *)(file + at) = 1ULL << 63; /* the compacted format, or reserved */
		assert_int_equal(fpu_take_xsave(a, 7, 7, file, sizeof(file)), -EINVAL);
		*(u64 *)(file + at) = 0;
	}
	assert_int_equal(fpu_take_xsave(a, 7, 7, file, HEADER + 63), -EINVAL);
	assert_int_equal(fpu_take_xsave(a, 7, 7, file, sizeof(file) + 1), -EINVAL);
	assert_int_equal(fpu_take_xsave(a, 7, 7, file, HEADER + 64), 0);
}

static void test_a_state_the_cpu_refuses_ends_its_domain_only(void **state)
{
	use(b);
	fill(0x5ec2e7);
	run(a);
	fake_fpu_refuses = true;
	fpu_load(a);
	assert_true(a->domain->is_crashed);
	assert_registers(0, 0, 0);
	assert_int_equal(fake_fpu.nr_faults, 1);
	fake_fpu.nr_faults = 0;
	use(b);
	assert_registers(0x5ec2e7, 0x5ec2e7, 0);
}

static void test_an_image_of_unused_registers_is_their_initial_state(void **state)
{
	static u8 image[512];

	use(a);
	fill(0x77);
	use(b);
	use(a);
	fill(0);
	run(b);
	fpu_give_fxsave(a, image);
	assert_int_equal(*(u16 *)image, 0x37f);
	assert_int_equal(*(u64 *)(image + 32), 0);
	assert_int_equal(*(u64 *)(image + 160), 0);
}

/*
 * Intel SDM vol. 1, 13.4: of what the header names, each byte as it was; of the rest, none.
 */
static void test_an_image_has_the_kinds_that_are_there_and_no_other(void **state)
{
	static u8 image[512], want[512];

	for (u64 present = 0; present < 4; present++) {
		memset(file, 0x11, 512);
		*(u32 *)(file + MXCSR) = 0x1f80;
		*(u64 *)(file + HEADER) = present;
		memcpy(want, file, sizeof(want));
		if (!(present & 1)) {
			memset(want, 0, MXCSR);
			memset(want + 32, 0, 160 - 32);
			*(u16 *)want = 0x37f;
		}
		if (!(present & 2))
			memset(want + 160, 0, 416 - 160);
		assert_int_equal(fpu_take_xsave(a, 7, 7, file, sizeof(file)), 0);
		fpu_give_fxsave(a, image);
		assert_memory_equal(image, want, sizeof(image));
	}
}

/* What the CPU says of itself when it starts: a file may set each bit of MXCSR that there is. */
static void test_mxcsr_has_the_bits_that_the_cpu_names(void **state)
{
	*(u32 *)(file + MXCSR) = FAKE_MXCSR_MASK;
	assert_int_equal(fpu_take_xsave(a, 7, 7, file, sizeof(file)), 0);
}

/* CPUID.(EAX=0DH,ECX=0):EBX is of what XCR0 has enabled: asked when all is. */
static void test_an_area_has_room_for_all_that_is_enabled(void **state)
{
	fake_cpu.cr0 = 0;
	fake_fpu.xcr0 = 1; /* as the firmware leaves it */
	fpu_init();
	assert_int_equal(fpu_area_size(), FAKE_AREA);
}

/*
 * Where the CPU must not be asked lazily: the registers are the vcpu's, and CR0.TS is what its
 * guest made of it.
 */
static void test_loaded_early_the_guests_own_ts_stays(void **state)
{
	const u64 others = 0x80010033;

	for (int ts = 0; ts < 2; ts++) {
		use(b);
		fill(0x5ec2e7);
		run(a);
		fake_cpu.cr0 = others | X86_CR0_TS;
		a->pv.ctrlreg[0] = ts ? X86_CR0_TS : 0;
		fpu_load_early(a);
		assert_registers(0, 0, 0);
		assert_int_equal(fake_cpu.cr0, others | (ts ? X86_CR0_TS : 0));
	}
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, fresh, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_a_feature_turned_off_after_use_is_no_fault),
		CLAIM(test_a_small_xcr0_shows_nothing_of_another_vcpu),
		CLAIM(test_a_feature_enabled_later_begins_in_its_initial_state),
		CLAIM(test_the_last_instructions_address_is_not_passed_on),
		CLAIM(test_a_cpu_that_restores_the_address_is_asked),
		CLAIM(test_registers_are_loaded_at_the_switch_where_ts_protects_nothing),
		CLAIM(test_without_xsave_the_same_holds),
		CLAIM(test_reserved_mxcsr_bits_never_reach_the_cpu),
		CLAIM(test_a_file_names_only_states_that_fit_together),
		CLAIM(test_a_file_has_a_clean_header_and_a_length_that_fits),
		CLAIM(test_a_state_the_cpu_refuses_ends_its_domain_only),
		CLAIM(test_loaded_early_the_guests_own_ts_stays),
		CLAIM(test_an_image_of_unused_registers_is_their_initial_state),
		CLAIM(test_an_image_has_the_kinds_that_are_there_and_no_other),
		CLAIM(test_mxcsr_has_the_bits_that_the_cpu_names),
		CLAIM(test_an_area_has_room_for_all_that_is_enabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
