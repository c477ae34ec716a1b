/* SPDX-License-Identifier: MIT */
/*
 * test_spec_plan.c - for processors as they are sold, with old and with new microcode: which
 * faults they have and what is done. What is expected is written from the makers' tables of
 * affected processors, not from the code.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "x86/spec_plan.h"

#define INTEL(fam, mod) .vendor = VENDOR_INTEL, .family = (fam), .model = (mod)
#define AMD(fam, mod) .vendor = VENDOR_AMD, .family = (fam), .model = (mod)
#define SMEP .leaf7_ebx = LEAF7_EBX_SMEP
#define NEW_2018 (LEAF7_EDX_IBRSB | LEAF7_EDX_STIBP | LEAF7_EDX_SSBD | LEAF7_EDX_L1D_FLUSH)
#define B(issue) (1u << ISSUE_##issue)

/* CPUs, and sets of issues that are mitigated and open; all others must be "not affected". */
static const struct {
	const char *name;
	struct spec_cpu cpu;
	u32 mitigated, open;
	enum spec_thunk thunk;
	u32 hv_spec_ctrl;
	bool xpti, verw, rsb, rsb_switch, bhb, entry_ibpb, eager_fpu, div;
} cpus[] = {
	{ .name = "Bonnell, in order", .cpu = { INTEL(6, 0x1c) }, .thunk = THUNK_JMP },
	{ .name = "Sandy Bridge without microcode",
	  .cpu = { INTEL(6, 0x2a) },
	  .mitigated = B(SPECTRE_V1) | B(MELTDOWN) | B(LAZY_FPU) | B(L1TF),
	  .open = B(SPECTRE_V2) | B(SSB) | B(MDS),
	  .thunk = THUNK_RETPOLINE,
	  .xpti = true,
	  .verw = true,
	  .rsb = true,
	  .eager_fpu = true },
	{ .name = "Haswell with microcode",
	  .cpu = { INTEL(6, 0x3c), SMEP,
		   .leaf7_edx = NEW_2018 | LEAF7_EDX_MD_CLEAR | LEAF7_EDX_SRBDS_CTRL },
	  .mitigated = B(SPECTRE_V1) | B(SPECTRE_V2) | B(MELTDOWN) | B(SSB) | B(LAZY_FPU) | B(L1TF) |
		      B(MDS) | B(SRBDS),
	  .thunk = THUNK_RETPOLINE,
	  .xpti = true,
	  .verw = true,
	  .eager_fpu = true },
	{ .name = "Skylake server with microcode of 2019 and TSX",
	  .cpu = { INTEL(6, 0x55), .leaf7_ebx = LEAF7_EBX_SMEP | LEAF7_EBX_RTM,
		   .leaf7_edx = NEW_2018 | LEAF7_EDX_MD_CLEAR, .arch_caps = CAPS_RSBA },
	  .mitigated = B(SPECTRE_V1) | B(SPECTRE_V2) | B(MELTDOWN) | B(SSB) | B(LAZY_FPU) | B(L1TF) |
		      B(MDS) | B(TAA) | B(MMIO) | B(RETBLEED),
	  .open = B(GDS) | B(ITS),
	  .thunk = THUNK_JMP,
	  .hv_spec_ctrl = SPEC_CTRL_IBRS,
	  .xpti = true,
	  .verw = true,
	  .eager_fpu = true },
	{.name = "Ice Lake server, new microcode",
	 .cpu = { INTEL(6, 0x6a), SMEP,
		  .leaf7_edx = NEW_2018 | LEAF7_EDX_MD_CLEAR | LEAF7_EDX_ARCH_CAPS,
		  .leaf7_2_edx = LEAF7_2_EDX_BHI_CTRL,
		  .arch_caps = CAPS_RDCL_NO | CAPS_EIBRS | CAPS_MDS_NO | CAPS_TAA_NO |
			      CAPS_FB_CLEAR | CAPS_GDS_CTRL },
	 .mitigated =
		 B(SPECTRE_V1) | B(SPECTRE_V2) | B(SSB) | B(LAZY_FPU) | B(MMIO) | B(BHI) | B(GDS),
	 .open = B(ITS),
	 .thunk = THUNK_JMP,
	 .hv_spec_ctrl = SPEC_CTRL_IBRS | SPEC_CTRL_BHI_DIS_S,
	 .verw = true,
	 .eager_fpu = true },
	{ .name = "Cascade Lake, which overwrites its branch history by hand",
	  .cpu = { INTEL(6, 0x55), SMEP,
		   .leaf7_edx = NEW_2018 | LEAF7_EDX_MD_CLEAR | LEAF7_EDX_ARCH_CAPS,
		   .arch_caps = CAPS_RDCL_NO | CAPS_EIBRS | CAPS_MDS_NO | CAPS_RRSBA | CAPS_FB_CLEAR |
			      CAPS_GDS_CTRL },
	  .mitigated = B(SPECTRE_V1) | B(SPECTRE_V2) | B(SSB) | B(LAZY_FPU) | B(MMIO) | B(RETBLEED) |
		      B(BHI) | B(GDS),
	  .open = B(ITS),
	  .thunk = THUNK_JMP,
	  .hv_spec_ctrl = SPEC_CTRL_IBRS,
	  .verw = true,
	  .bhb = true,
	  .eager_fpu = true },
	{ .name = "Gracemont",
	  .cpu = { INTEL(6, 0xbe), SMEP, .leaf7_edx = NEW_2018 | LEAF7_EDX_ARCH_CAPS,
		   .leaf7_2_edx = LEAF7_2_EDX_BHI_CTRL,
		   .arch_caps = CAPS_RDCL_NO | CAPS_EIBRS | CAPS_MDS_NO | CAPS_TAA_NO |
			      CAPS_RFDS_CLEAR | CAPS_SSB_NO },
	  .mitigated = B(SPECTRE_V1) | B(SPECTRE_V2) | B(LAZY_FPU) | B(BHI) | B(RFDS),
	  .thunk = THUNK_JMP,
	  .hv_spec_ctrl = SPEC_CTRL_IBRS | SPEC_CTRL_BHI_DIS_S,
	  .verw = true,
	  .eager_fpu = true },
	{ .name = "Zen 1",
	  .cpu = { AMD(0x17, 0x01), SMEP, .ext8_ebx = EXT8_EBX_IBPB },
	  .mitigated = B(SPECTRE_V1) | B(SPECTRE_V2) | B(RETBLEED) | B(DIV) | B(SRSO),
	  .open = B(SSB),
	  .thunk = THUNK_RETPOLINE,
	  .rsb = true,
	  .rsb_switch = true,
	  .entry_ibpb = true,
	  .div = true },
	{ .name = "Zen 2",
	  .cpu = { AMD(0x17, 0x31), SMEP,
		   .ext8_ebx = EXT8_EBX_IBPB | EXT8_EBX_IBRS | EXT8_EBX_STIBP | EXT8_EBX_SSBD },
	  .mitigated = B(SPECTRE_V1) | B(SPECTRE_V2) | B(SSB) | B(RETBLEED) | B(ZENBLEED) | B(SRSO),
	  .thunk = THUNK_RETPOLINE,
	  .rsb = true,
	  .rsb_switch = true,
	  .entry_ibpb = true },
	{ .name = "Zen 3 without microcode",
	  .cpu = { AMD(0x19, 0x01), SMEP,
		   .ext8_ebx = EXT8_EBX_IBPB | EXT8_EBX_IBRS | EXT8_EBX_SSBD | EXT8_EBX_BTC_NO },
	  .mitigated = B(SPECTRE_V1) | B(SPECTRE_V2) | B(SSB),
	  .open = B(SRSO) | B(TSA),
	  .thunk = THUNK_RETPOLINE,
	  .rsb_switch = true,
	  .verw = true },
	{.name = "Zen 4, new microcode",
	 .cpu = { AMD(0x19, 0x11), SMEP,
		  .ext8_ebx = EXT8_EBX_IBPB | EXT8_EBX_IBRS | EXT8_EBX_SSBD | EXT8_EBX_BTC_NO |
			     EXT8_EBX_IBPB_RET,
		  .ext21_eax = EXT21_EAX_AUTO_IBRS | EXT21_EAX_IBPB_BRTYPE | EXT21_EAX_VERW_CLEAR },
	 .mitigated = B(SPECTRE_V1) | B(SPECTRE_V2) | B(SSB) | B(SRSO) | B(TSA),
	 .thunk = THUNK_JMP,
	 .verw = true,
	 .entry_ibpb = true },
	{ .name = "Zen 5",
	  .cpu = { AMD(0x1a, 0x02), SMEP,
		   .ext8_ebx = EXT8_EBX_IBPB | EXT8_EBX_IBRS | EXT8_EBX_SSBD | EXT8_EBX_IBPB_RET,
		   .ext21_eax = EXT21_EAX_AUTO_IBRS | EXT21_EAX_SRSO_NO },
	  .mitigated = B(SPECTRE_V1) | B(SPECTRE_V2) | B(SSB),
	  .thunk = THUNK_JMP },
};

static void test_each_processor_gets_what_it_needs(void **state)
{
	const struct spec_options none = { 0 };

	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		struct spec_plan p;

		print_message("%s\n", cpus[i].name);
		spec_plan_make(&cpus[i].cpu, &none, &p);
		for (unsigned int n = 0; n < ISSUE_NR; n++) {
			enum spec_state want = cpus[i].mitigated >> n & 1 ? SPEC_MITIGATED
					       : cpus[i].open >> n & 1	  ? SPEC_OPEN
									  : SPEC_NOT_AFFECTED;
			if (p.issue[n].state != want)
				fail_msg("%s: %s is %u (%s), not %u", cpus[i].name,
					 spec_issue_name(n), p.issue[n].state, p.issue[n].what,
					 want);
		}
		assert_int_equal(p.thunk, cpus[i].thunk);
		assert_int_equal(p.hv_spec_ctrl, cpus[i].hv_spec_ctrl);
		assert_int_equal(p.xpti, cpus[i].xpti);
		assert_int_equal(p.verw_on_exit, cpus[i].verw);
		assert_int_equal(p.bhb_on_entry, cpus[i].bhb);
		assert_int_equal(p.ibpb_on_entry, cpus[i].entry_ibpb);
		assert_int_equal(p.eager_fpu, cpus[i].eager_fpu);
		assert_int_equal(p.div_on_exit, cpus[i].div);
		if (cpus[i].mitigated & B(SPECTRE_V2))
			assert_int_equal(p.rsb_on_entry, cpus[i].rsb);
		assert_int_equal(p.rsb_on_switch, cpus[i].rsb_switch);
	}
}

/* AMD bulletin 7046 and the APM: without the bit an IBPB says nothing of returns. */
static void test_what_an_ibpb_leaves_is_not_called_treated(void **state)
{
	const struct spec_cpu zen2 = { AMD(0x17, 0x31), SMEP,
				       .ext8_ebx = EXT8_EBX_IBPB | EXT8_EBX_IBRS };
	struct spec_cpu newer = zen2;
	struct spec_options no_rsb = { .rsb = OPTION_OFF };
	struct spec_plan p;

	spec_plan_make(&zen2, &no_rsb, &p);
	assert_int_equal(p.issue[ISSUE_SPECTRE_V2].state, SPEC_OPEN);
	assert_int_equal(p.issue[ISSUE_RETBLEED].state, SPEC_OPEN);
	assert_int_equal(p.issue[ISSUE_SRSO].state, SPEC_OPEN);
	assert_false(p.rsb_on_switch || p.rsb_on_entry);
	newer.ext8_ebx |= EXT8_EBX_IBPB_RET;
	spec_plan_make(&newer, &no_rsb, &p);
	assert_int_equal(p.issue[ISSUE_SPECTRE_V2].state, SPEC_MITIGATED);
	assert_int_equal(p.issue[ISSUE_SRSO].state, SPEC_MITIGATED);
}

static void test_buffers_that_hyperthreads_share_are_open(void **state)
{
	const struct spec_options none = { 0 };
	struct spec_cpu haswell = { INTEL(6, 0x3c), SMEP,
				    .leaf7_edx = NEW_2018 | LEAF7_EDX_MD_CLEAR,
				    .threads_share_core = true };
	struct spec_cpu zen3 = { AMD(0x19, 0x01), SMEP, .ext21_eax = EXT21_EAX_VERW_CLEAR,
				 .threads_share_core = true };
	struct spec_plan p;

	spec_plan_make(&haswell, &none, &p);
	assert_int_equal(p.issue[ISSUE_MDS].state, SPEC_OPEN);
	assert_string_equal(p.issue[ISSUE_MDS].what, "hyperthreads share buffers");
	assert_true(p.verw_on_exit); /* all the same */
	haswell.leaf7_edx = NEW_2018;
	spec_plan_make(&haswell, &none, &p);
	assert_string_equal(p.issue[ISSUE_MDS].what, "VERW needs newer microcode");
	spec_plan_make(&zen3, &none, &p);
	assert_int_equal(p.issue[ISSUE_TSA].state, SPEC_MITIGATED);
}

/*
 * Intel's and AMD's pages on each fault: microcode of before one was known has VERW, and MD_CLEAR
 * with it, and leaves the buffers of that fault as they are.
 */
static void test_verw_is_believed_of_the_faults_that_the_microcode_names(void **state)
{
	static const struct {
		const char *name;
		enum spec_issue issue;
		struct spec_cpu cpu;
		u64 newer; /* in ARCH_CAPABILITIES */
	} of[] = {
		{ "Gracemont", ISSUE_RFDS,
		  { INTEL(6, 0xbe), .leaf7_edx = NEW_2018 | LEAF7_EDX_MD_CLEAR,
		    .arch_caps = CAPS_RDCL_NO | CAPS_MDS_NO | CAPS_FB_CLEAR },
		  CAPS_RFDS_CLEAR },
		{ "Ice Lake server", ISSUE_MMIO,
		  { INTEL(6, 0x6a), .leaf7_edx = NEW_2018 | LEAF7_EDX_MD_CLEAR,
		    .arch_caps = CAPS_RDCL_NO | CAPS_MDS_NO },
		  CAPS_FB_CLEAR },
		{ "Cascade Lake with TSX", ISSUE_TAA,
		  { INTEL(6, 0x55), .leaf7_ebx = LEAF7_EBX_RTM,
		    .leaf7_edx = NEW_2018 | LEAF7_EDX_MD_CLEAR,
		    .arch_caps = CAPS_RDCL_NO | CAPS_MDS_NO },
		  CAPS_TSX_CTRL },
	};
	const struct spec_options none = { 0 };

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		struct spec_cpu cpu = of[i].cpu;
		struct spec_plan p;

		print_message("%s\n", of[i].name);
		spec_plan_make(&cpu, &none, &p);
		assert_int_equal(p.issue[of[i].issue].state, SPEC_OPEN);
		assert_string_equal(p.issue[of[i].issue].what, "VERW needs newer microcode");
		assert_true(p.verw_on_exit); /* what it empties is better empty */
		cpu.arch_caps |= of[i].newer;
		spec_plan_make(&cpu, &none, &p);
		assert_int_equal(p.issue[of[i].issue].state, SPEC_MITIGATED);
	}
}

/*
 * Linux, bugs.c:srbds_select_mitigation(): a CPU without MDS whose TSX is off has it all the same
 * where MMIO Stale Data brings the random numbers along.
 */
static void test_random_numbers_are_read_by_tsx_or_by_mmio(void **state)
{
	struct spec_cpu coffee_lake = {
		INTEL(6, 0x9e), .leaf7_edx = NEW_2018 | LEAF7_EDX_MD_CLEAR,
		.arch_caps = CAPS_RDCL_NO | CAPS_MDS_NO };
	const struct spec_options none = { 0 };
	struct spec_plan p;

	spec_plan_make(&coffee_lake, &none, &p);
	assert_int_equal(p.issue[ISSUE_SRBDS].state, SPEC_OPEN);
	coffee_lake.leaf7_edx |= LEAF7_EDX_SRBDS_CTRL;
	spec_plan_make(&coffee_lake, &none, &p);
	assert_int_equal(p.issue[ISSUE_SRBDS].state, SPEC_MITIGATED);
	coffee_lake.arch_caps |= CAPS_SBDR_SSDP_NO | CAPS_FBSDP_NO | CAPS_PSDP_NO;
	spec_plan_make(&coffee_lake, &none, &p);
	assert_int_equal(p.issue[ISSUE_SRBDS].state, SPEC_NOT_AFFECTED);
	coffee_lake.leaf7_ebx |= LEAF7_EBX_RTM;
	spec_plan_make(&coffee_lake, &none, &p);
	assert_int_equal(p.issue[ISSUE_SRBDS].state, SPEC_MITIGATED);
}

static void test_what_is_turned_off_is_open(void **state)
{
	struct spec_options off = { 0 };

	assert_true(spec_options_parse(&off, "no"));
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		struct spec_plan p;

		spec_plan_make(&cpus[i].cpu, &off, &p);
		assert_false(p.xpti || p.verw_on_exit || p.rsb_on_entry || p.bhb_on_entry ||
			     p.ibpb_on_entry || p.ibpb_on_switch || p.eager_fpu || p.div_on_exit ||
			     p.auto_ibrs || p.l1tf || p.zenbleed_bit || p.rsb_on_switch);
		assert_int_equal(p.hv_spec_ctrl, 0);
		assert_int_equal(p.thunk, THUNK_JMP);
		if (cpus[i].mitigated & B(SPECTRE_V2))
			assert_int_equal(p.issue[ISSUE_SPECTRE_V2].state, SPEC_OPEN);
		if (cpus[i].mitigated & B(ZENBLEED))
			assert_int_equal(p.issue[ISSUE_ZENBLEED].state, SPEC_OPEN);
		if (cpus[i].mitigated & B(MELTDOWN))
			assert_int_equal(p.issue[ISSUE_MELTDOWN].state, SPEC_OPEN);
	}
}

static void test_what_is_asked_for_is_done_where_the_cpu_can(void **state)
{
	struct spec_options o = { 0 };
	const struct spec_cpu plain = { .vendor = VENDOR_OTHER };
	struct spec_plan p;

	assert_true(
		spec_options_parse(&o, "rsb,bhb-entry,verw,div-scrub,ibpb-entry,eager-fpu,ssbd"));
	o.xpti = OPTION_ON;
	spec_plan_make(&plain, &o, &p);

	assert_true(p.rsb_on_entry && p.bhb_on_entry && p.verw_on_exit && p.div_on_exit &&
		    p.eager_fpu && p.xpti);
	assert_false(p.ibpb_on_entry); /* PRED_CMD would fault */
	assert_false(p.spec_ctrl);     /* and so would SPEC_CTRL */
	assert_int_equal(p.hv_spec_ctrl, 0);
}

static void test_guests_get_the_bits_that_the_cpu_has(void **state)
{
	const struct spec_options none = { 0 };
	const struct spec_cpu intel = { INTEL(6, 0x3c), .leaf7_edx = LEAF7_EDX_IBRSB };
	const struct spec_cpu old = { INTEL(6, 0x3c) };
	struct spec_plan p;

	spec_plan_make(&intel, &none, &p);
	assert_int_equal(p.guest_spec_ctrl_mask, SPEC_CTRL_IBRS);
	assert_true(p.has_ibpb && !p.has_l1d_flush && p.spec_ctrl);
	spec_plan_make(&old, &none, &p);
	assert_int_equal(p.guest_spec_ctrl_mask, 0);
	assert_false(p.has_ibpb || p.spec_ctrl);
}

static void test_guests_read_what_the_cpu_is_like_and_of_no_other_register(void **state)
{
	const struct spec_options none = { 0 };
	struct spec_cpu cpu = { INTEL(6, 0x6a), .leaf7_edx = LEAF7_EDX_IBRSB | LEAF7_EDX_ARCH_CAPS,
				.arch_caps = CAPS_RDCL_NO | CAPS_GDS_CTRL | CAPS_ITS_NO | 1ULL << 7 };
	struct spec_plan p;

	spec_plan_make(&cpu, &none, &p);
	assert_true(p.has_arch_caps);
	assert_int_equal(p.guest_arch_caps, CAPS_RDCL_NO | CAPS_ITS_NO); /* not TSX_CTRL */
	cpu.leaf7_edx = LEAF7_EDX_IBRSB;
	spec_plan_make(&cpu, &none, &p);
	assert_false(p.has_arch_caps);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_processor_gets_what_it_needs),
		cmocka_unit_test(test_what_an_ibpb_leaves_is_not_called_treated),
		cmocka_unit_test(test_buffers_that_hyperthreads_share_are_open),
		cmocka_unit_test(test_verw_is_believed_of_the_faults_that_the_microcode_names),
		cmocka_unit_test(test_random_numbers_are_read_by_tsx_or_by_mmio),
		cmocka_unit_test(test_what_is_turned_off_is_open),
		cmocka_unit_test(test_what_is_asked_for_is_done_where_the_cpu_can),
		cmocka_unit_test(test_guests_get_the_bits_that_the_cpu_has),
		cmocka_unit_test(test_guests_read_what_the_cpu_is_like_and_of_no_other_register),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
