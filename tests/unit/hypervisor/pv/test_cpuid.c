/* SPDX-License-Identifier: MIT */
/*
 * test_cpuid.c - what a guest sees of a CPU that has everything: no bit that Xen's public header
 * does not give to paravirtual guests, and each of those but the listed ones.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <cmocka.h>

#include <xen/arch-x86/cpuid.h>

#include "domain/fpu.h"
#include "guest.h"
#include "pv/emul.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/spec_ctrl.h"

#define NR_WORDS 16

/* Where each word of a featureset is: leaf, subleaf, register. */
static const struct {
	u32 leaf, sub, reg;
} place[NR_WORDS] = {
	{ 1, 0, 3 },	    { 1, 0, 2 }, { 0x80000001, 0, 3 }, { 0x80000001, 0, 2 },
	{ 0xd, 1, 0 },	    { 7, 0, 1 }, { 7, 0, 2 },	   { 0x80000007, 0, 3 },
	{ 0x80000008, 0, 1 }, { 7, 0, 3 }, { 7, 1, 0 },	   { 0x80000021, 0, 0 },
	{ 7, 1, 1 },	    { 7, 2, 3 }, { 7, 1, 2 },	   { 7, 1, 3 },
};

static const struct feature {
	const char *name;
	u32 word, bit;
	const char *letters;
} features[] = {
#define FEATURE(name, word, bit, letters) { #name, word, bit, letters },
#include "cpu_features.h"
};

/* Of all guests, and not shown. */
static const struct {
	const char *name, *why;
} hidden[] = {
	{ "AVX512*", "their state is not switched" },
	{ "DBEXT", "address masks of breakpoints are MSRs that are not switched" },
	{ "XSAVEC", "no CPU model that runs here executes it right" },
	{ "CMP_LEGACY", "says of a topology that is not shown" },
	{ "PREFETCHWT1", "a hint of one processor no longer made" },
	{ "CLDEMOTE", "a hint: not shown yet" },
	{ "RTM", "transactions: MSRs that are not offered decide whether they work" },
	{ "CLZERO", "as the other words of its leaf: not shown yet" },
	{ "RSTR_FP_ERR_PTRS", "as CLZERO" },
	{ "SERIALIZE", "not shown yet" },
	{ "AVX_VNNI", "leaf 7 has no further subleaves yet" },
	{ "FZRM", "as AVX_VNNI" },
	{ "FSRS", "as AVX_VNNI" },
	{ "FSRCS", "as AVX_VNNI" },
	{ "INTEL_PSFD", "as AVX_VNNI" },
	{ "MCDT_NO", "as AVX_VNNI" },
	{ "IBPB_BRTYPE", "its leaf is not shown yet" },
	{ "LFENCE_DISPATCH", "its leaf is not shown yet" },
	{ "VERW_CLEAR", "its leaf is not shown yet" },
	{ "NSCB", "its leaf is not shown yet" },
	{ "SBPB", "its leaf is not shown yet" },
	{ "SRSO_NO", "its leaf is not shown yet" },
	{ "SRSO_US_NO", "its leaf is not shown yet" },
};

/* Not of all guests by their letters, and shown. */
static const struct {
	const char *name, *why;
} shown[] = {
	{ "FDP_EXCP_ONLY", "how the FPU behaves, which nobody can change" },
	{ "NO_FPU_SEL", "how the FPU behaves, which nobody can change" },
};

static bool name_is(const char *pattern, const char *name)
{
	size_t len = strlen(pattern);

	if (pattern[len - 1] == '*')
		return strncmp(pattern, name, len - 1) == 0;
	return strcmp(pattern, name) == 0;
}

static bool is_hidden(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++)
		if (name_is(hidden[i].name, name))
			return true;
	return false;
}

static bool is_shown(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(shown); i++)
		if (name_is(shown[i].name, name))
			return true;
	return false;
}

static void has_everything(u32 leaf, u32 sub, u32 reg[4])
{
	for (unsigned int i = 0; i < 4; i++)
		reg[i] = ~0u;
}

static u32 words[NR_WORDS];

static int look(void **state)
{
	machine_reset(0, 1);
	fake_cpuid = has_everything;
	spec_plan.guest_spec_ctrl_mask = SPEC_CTRL_IBRS | SPEC_CTRL_STIBP | SPEC_CTRL_SSBD;
	spec_plan.has_ibpb = spec_plan.has_arch_caps = true;
	spec_plan.guest_arch_caps = CAPS_RDCL_NO;
	return 0;
}

static int done(void **state)
{
	fake_cpuid = NULL;
	spec_plan = (struct spec_plan){ 0 };
	machine_free();
	return 0;
}

static void read_words(unsigned int vcpu)
{
	u32 r[4];

	machine_run(vcpu);
	for (unsigned int i = 0; i < NR_WORDS; i++) {
		pv_cpuid(current->domain, place[i].leaf, place[i].sub, &r[0], &r[1], &r[2], &r[3]);
		words[i] = r[place[i].reg];
	}
}

/* Whether the vcpu that runs sees OSXSAVE. */
static bool sees_osxsave(bool in_kernel, u64 cr4)
{
	u32 r[4];

	current->pv.in_kernel = in_kernel;
	current->pv.ctrlreg[4] = cr4;
	pv_cpuid_executed(current, 1, 0, r);
	return r[2] >> 27 & 1;
}

static bool is_set(const struct feature *f)
{
	return words[f->word] >> f->bit & 1;
}

static void test_guests_see_what_is_for_all_guests(void **state)
{
	unsigned int wrong = 0;

	read_words(1);
	for (const struct feature *f = features; f < features + ARRAY_SIZE(features); f++) {
		bool wanted;

		if (f->word >= NR_WORDS)
			continue; /* an MSR's */
		wanted = (__builtin_strchr(f->letters, 'A') && !is_hidden(f->name)) ||
			 is_shown(f->name);
		if (!strcmp(f->name, "OSXSAVE"))
			wanted = false; /* a vcpu's, not a domain's */
		if (is_set(f) == wanted)
			continue;
		printf("%s (%s): %s\n", f->name, f->letters, wanted ? "missing" : "shown");
		wrong++;
	}
	assert_int_equal(wrong, 0);
}

static bool is_visible(const char *name)
{
	for (const struct feature *f = features; f < features + ARRAY_SIZE(features); f++)
		if (!strcmp(f->name, name))
			return is_set(f);
	fail_msg("no feature %s", name);
	return false;
}

/* A bit is there exactly when the register is that it promises. */
static void test_a_register_is_shown_where_it_can_be_used(void **state)
{
	u64 val;

	read_words(1);
	assert_true(is_visible("IBRSB") && is_visible("STIBP") && is_visible("SSBD"));
	assert_true(is_visible("ARCH_CAPS") && is_visible("IBPB"));
	assert_true(pv_msr_read(current, MSR_SPEC_CTRL, &val));
	assert_true(pv_msr_write(current, MSR_SPEC_CTRL, SPEC_CTRL_SSBD));
	assert_true(pv_msr_write(current, MSR_PRED_CMD, 1));
	assert_true(pv_msr_read(current, MSR_ARCH_CAPABILITIES, &val));
	assert_int_equal(val, CAPS_RDCL_NO);
	assert_false(pv_msr_write(current, MSR_ARCH_CAPABILITIES, val));

	spec_plan = (struct spec_plan){ 0 };
	read_words(1);
	assert_false(is_visible("IBRSB") || is_visible("STIBP") || is_visible("SSBD"));
	assert_false(is_visible("ARCH_CAPS") || is_visible("IBPB") || is_visible("IBPB_RET"));
	assert_false(pv_msr_read(current, MSR_SPEC_CTRL, &val));
	assert_false(pv_msr_write(current, MSR_PRED_CMD, 1));
	assert_false(pv_msr_read(current, MSR_ARCH_CAPABILITIES, &val));
}

/* The featureset has the register's bits from word 16 on. */
static void test_capabilities_are_those_of_all_guests(void **state)
{
	unsigned int nr = 0;

	for (const struct feature *f = features; f < features + ARRAY_SIZE(features); f++) {
		/* specially treated by Xen: what returns do, which the CPU says itself here */
		bool is_special = !strcmp(f->name, "RSBA") || !strcmp(f->name, "RRSBA");

		if (f->word != NR_WORDS)
			continue;
		nr++;
		if ((CAPS_FOR_GUESTS >> f->bit & 1) != (is_special || __builtin_strchr(f->letters, 'A')))
			fail_msg("%s (%s)", f->name, f->letters);
	}
	assert_true(nr > 20);
}

static void test_no_bit_without_a_name_is_shown(void **state)
{
	u32 named[NR_WORDS] = { 0 };

	read_words(1);
	for (size_t i = 0; i < ARRAY_SIZE(features); i++)
		if (features[i].word < NR_WORDS)
			named[features[i].word] |= 1u << features[i].bit;
	named[2] |= named[0]; /* AMD repeats leaf 1's there */
	for (unsigned int i = 0; i < NR_WORDS; i++)
		assert_int_equal(words[i] & ~named[i], 0);
}

static void test_amds_copy_of_leaf_1_says_the_same(void **state)
{
	read_words(1);
	assert_int_equal(words[2] & 0x0183f3ff & ~words[0], 0);
}

static void test_what_must_be_asked_for_is_dom0s(void **state)
{
	read_words(0);
	assert_int_equal(words[7], 1u << 8); /* ITSC: dom0 never moves to another machine */
	read_words(1);
	assert_int_equal(words[7], 0);
}

/*
 * Linux asks before it has set CR4 (arch/x86/xen/enlighten_pv.c, xen_check_xsave()), and takes
 * XSAVE for absent where the bit is clear.
 */
static void test_a_kernel_sees_osxsave_before_it_sets_it(void **state)
{
	machine_run(1);
	assert_true(sees_osxsave(true, 0));
	assert_true(sees_osxsave(true, X86_CR4_OSXSAVE));
}

static void test_osxsave_in_user_mode_is_the_guests_own(void **state)
{
	machine_run(1);
	assert_false(sees_osxsave(false, 0));
	assert_true(sees_osxsave(false, X86_CR4_OSXSAVE));
}

/* A toolstack that reads the policy of another domain has set its own. */
static void test_the_policy_has_no_osxsave_of_who_reads_it(void **state)
{
	machine_run(1);
	current->pv.in_kernel = true;
	current->pv.ctrlreg[4] = X86_CR4_OSXSAVE;
	read_words(1);
	assert_false(is_visible("OSXSAVE"));
}

/* Only the one bit, of the one leaf. */
static void test_what_is_executed_is_the_policy_otherwise(void **state)
{
	static const u32 leaves[] = { 0, 1, 2, 7, 0xd, 0x40000000, 0x40000002, 0x80000001, 0x80000008 };

	machine_run(0);
	current->pv.in_kernel = true;
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++)
		for (u32 sub = 0; sub < 2; sub++) {
			u32 want[4], r[4];

			pv_cpuid(current->domain, leaves[i], sub, &want[0], &want[1], &want[2], &want[3]);
			pv_cpuid_executed(current, leaves[i], sub, r);
			if (leaves[i] == 1)
				want[2] |= 1u << 27;
			assert_memory_equal(r, want, sizeof(r));
		}
}

/*
 * Whole registers of the CPU that has everything. Numbers: Intel SDM vol. 2 and AMD APM vol. 3,
 * CPUID; the hypervisor's own: xen/arch-x86/cpuid.h. What a guest could not use, or what differs
 * from CPU to CPU of one machine, is 0.
 */
static void test_whole_leaves(void **state)
{
	static const struct {
		u32 leaf, sub, r[4];
	} leaves[] = {
		{ 5, 0, { 0 } }, { 6, 0, { 0 } }, { 9, 0, { 0 } }, { 0xa, 0, { 0 } }, { 0xb, 0, { 0 } }, { 0xb, 1, { 0 } },
		{ 7, 1, { 0 } }, { 7, 2, { 0 } }, { 7, ~0u, { 0 } },
		{ 0xd, 1, { 5, 0, 0, 0 } }, /* XSAVEOPT, XGETBV(1) */
		{ 0xd, 9, { 0 } }, { 0xd, 62, { 0 } }, { 0xd, 63, { 0 } }, { 0xd, 64, { 0 } }, { 0xd, 66, { 0 } }, /* of no state that is switched */
		{ 0xe, 0, { 0 } }, { 0x14, 0, { 0 } }, { 0x3fffffff, 0, { 0 } }, { 0x40010000, 0, { 0 } }, { 0x7fffffff, 0, { 0 } },
		{ 0x80000007, 0, { 0 } }, { 0x80000009, 0, { 0 } }, { 0x8000001f, 0, { 0 } }, { 0xffffffff, 0, { 0 } },
		{ 0x40000000, 0, { 0x40000005, XEN_CPUID_SIGNATURE_EBX, XEN_CPUID_SIGNATURE_ECX, XEN_CPUID_SIGNATURE_EDX } },
		{ 0x40000001, 0, { 4 << 16 | 17, 0, 0, 0 } },
		{ 0x40000002, 0, { 1, 0x40000000, XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD, 0 } },
		{ 0x40000003, 0, { 0 } }, { 0x40000004, 0, { 0 } }, { 0x40000006, 0, { 0 } }, { 0x400000ff, 0, { 0 } },
		{ 0x40000100, 0, { 0 } }, { 0x40000200, 0, { 0 } }, { 0x4000ffff, 0, { 0 } },
	};

	machine_run(1);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		u32 r[4];

		pv_cpuid(current->domain, leaves[i].leaf, leaves[i].sub, &r[0], &r[1], &r[2], &r[3]);
		for (unsigned int k = 0; k < 4; k++)
			if (r[k] != leaves[i].r[k])
				fail_msg("leaf %x.%u: register %u is %x", leaves[i].leaf, leaves[i].sub, k, r[k]);
	}
}

/* Of those that say nothing of the machine that a guest could not use: names, caches, frequencies. */
static void test_other_leaves_are_the_cpus(void **state)
{
	static const u32 leaves[] = { 2, 3, 4, 8, 0xc, 0x80000000, 0x80000002, 0x80000003, 0x80000004, 0x80000005,
				      0x80000006 };

	machine_run(1);
	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		u32 r[4];

		pv_cpuid(current->domain, leaves[i], 0, &r[0], &r[1], &r[2], &r[3]);
		if ((r[1] & r[2] & r[3]) != ~0u)
			fail_msg("leaf %x: %x %x %x %x", leaves[i], r[0], r[1], r[2], r[3]);
	}
}

static void test_numbers_within_leaves(void **state)
{
	u32 r[4];

	machine_run(1);
	pv_cpuid(current->domain, 0, 0, &r[0], &r[1], &r[2], &r[3]);
	assert_int_equal(r[0], 0xd); /* the last basic leaf that is shown */
	pv_cpuid(current->domain, 1, 0, &r[0], &r[1], &r[2], &r[3]);
	assert_int_equal(r[1], 0x00ffffff); /* not the number of the CPU it happens to be on */
	pv_cpuid(current->domain, 7, 0, &r[0], &r[1], &r[2], &r[3]);
	assert_int_equal(r[0], 0); /* no more subleaves */
	pv_cpuid(current->domain, 0x40000005, 0, &r[0], &r[1], &r[2], &r[3]);
	assert_int_equal(r[1], cpu_maxphys_bits);
	assert_int_equal(r[0] | r[2] | r[3], 0);
	pv_cpuid(current->domain, 0x80000008, 0, &r[0], &r[1], &r[2], &r[3]);
	assert_int_equal(r[0], 0xffff); /* widths of addresses, not how many cores there are */
	assert_int_equal(r[2] | r[3], 0);
	pv_cpuid(current->domain, 0xd, 0, &r[0], &r[1], &r[2], &r[3]);
	assert_int_equal(r[0], (u32)fpu_xcr0_mask());
	assert_int_equal(r[2], fpu_area_size());
	assert_int_equal(r[3], fpu_xcr0_mask() >> 32);
}

static void has_everything_but_xsave(u32 leaf, u32 sub, u32 reg[4])
{
	for (unsigned int i = 0; i < 4; i++)
		reg[i] = leaf == 0xd ? 0 : ~0u;
}

/* Intel SDM vol. 1, 13.2 and 14.3: what is not there without XSAVE. */
static void test_without_xsave_nothing_that_needs_it_is_shown(void **state)
{
	static const unsigned int bits[] = { 12 /* FMA */, 26 /* XSAVE */, 27 /* OSXSAVE */, 28 /* AVX */, 29 /* F16C */ };

	fake_cpu.cr0 = 0; /* as before fpu_init() */
	fake_cpuid = has_everything_but_xsave;
	fpu_init();
	assert_int_equal(fpu_xcr0_mask(), 0);
	machine_run(1);
	assert_false(sees_osxsave(true, X86_CR4_OSXSAVE));
	read_words(1);
	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		assert_int_equal(words[1] >> bits[i] & 1, 0);
}

/* A row of the lists is about a feature there is. */
static void test_every_exception_has_a_feature(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(hidden); i++) {
		bool is_used = false;

		for (size_t k = 0; k < ARRAY_SIZE(features); k++)
			is_used |= features[k].word < NR_WORDS &&
				   __builtin_strchr(features[k].letters, 'A') &&
				   name_is(hidden[i].name, features[k].name);
		if (!is_used)
			printf("%s\n", hidden[i].name);
		assert_true(is_used);
	}
}

#define CLAIM(c) cmocka_unit_test_setup_teardown(c, look, done)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CLAIM(test_guests_see_what_is_for_all_guests),
		CLAIM(test_a_register_is_shown_where_it_can_be_used),
		CLAIM(test_capabilities_are_those_of_all_guests),
		CLAIM(test_no_bit_without_a_name_is_shown),
		CLAIM(test_amds_copy_of_leaf_1_says_the_same),
		CLAIM(test_what_must_be_asked_for_is_dom0s),
		CLAIM(test_a_kernel_sees_osxsave_before_it_sets_it),
		CLAIM(test_osxsave_in_user_mode_is_the_guests_own),
		CLAIM(test_the_policy_has_no_osxsave_of_who_reads_it),
		CLAIM(test_what_is_executed_is_the_policy_otherwise),
		CLAIM(test_whole_leaves),
		CLAIM(test_other_leaves_are_the_cpus),
		CLAIM(test_numbers_within_leaves),
		CLAIM(test_without_xsave_nothing_that_needs_it_is_shown),
		CLAIM(test_every_exception_has_a_feature),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
