/* SPDX-License-Identifier: MIT */
/*
 * test_spec_ctrl.c - the plan carried out on a fake CPU: which sequences of entry.S are there,
 * which registers are written and when, and what a guest may do to its own.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "lib/boot_options.h"
#include "lib/errno.h"
#include "lib/log.h"
#include "x86/alt.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/percpu.h"
#include "x86/spec_ctrl.h"

struct boot_options boot_options;
char cpu_vendor[13];

/* The sites of entry.S: one of each. */
static u8 text[16 * 32];
static const u8 code[4] = { 1, 2, 3, 4 };
#define MSR_DE_CFG 0xc0011029u
#define NR_SITES 10
/* As the linker script has them: a table and its end. */
struct alt_site sites[NR_SITES] __attribute__((used));
__asm__(".globl alt_sites_start, alt_sites_end\n"
	".set alt_sites_start, sites\n"
	".set alt_sites_end, sites + 320");
_Static_assert(sizeof(sites) == 320, "alt_sites_end");
#define SITE(n) (text + (n)*32)

static struct spec_cpu cpu;
static u32 own; /* what the vcpu on the CPU has set */
static u32 signature;
/* CPUID 0.EAX, 1.EBX and EDX, 4.EAX, 0xb.EBX */
static u32 leaf_max, leaf1_ebx, leaf1_edx, leaf4_eax, leaf11_ebx;
static unsigned int nr_ibpb, nr_l1d, nr_rsb;
static u64 spec_ctrl, efer, de_cfg;
static enum { DE_CFG_THERE, DE_CFG_FAULTS, DE_CFG_READ_ONLY, DE_CFG_DROPPED } de_cfg_kind;
static unsigned int nr_warnings;
static char said[4096]; /* what was logged, line by line */
static bool arch_caps_fault;

void hv_log(enum log_level level, const char *fmt, ...)
{
	size_t len = strlen(said);
	va_list ap;

	nr_warnings += level == LOG_WARN;
	va_start(ap, fmt);
	vsnprintf(said + len, sizeof(said) - len - 1, fmt, ap);
	va_end(ap);
	strcat(said, "\n");
}

void rsb_overwrite(void)
{
	nr_rsb++;
}

u64 read_cr4(void)
{
	return cpu.leaf7_ebx & LEAF7_EBX_SMEP ? X86_CR4_SMEP : 0;
}

void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	*a = *b = *c = *d = 0;
	switch (leaf) {
	case 0:
		*a = leaf_max;
		break;
	case 1:
		*a = signature;
		*b = leaf1_ebx;
		*d = leaf1_edx;
		break;
	case 4:
		*a = leaf4_eax;
		break;
	case 0xb:
		*b = leaf11_ebx;
		break;
	case 7:
		*a = 2;
		*b = sub ? 0 : cpu.leaf7_ebx;
		*d = sub ? cpu.leaf7_2_edx : cpu.leaf7_edx;
		break;
	case 0x80000000:
		*a = 0x80000021;
		break;
	case 0x80000008:
		*b = cpu.ext8_ebx;
		break;
	case 0x80000021:
		*a = cpu.ext21_eax;
		*c = cpu.ext21_ecx;
		break;
	default:
		break;
	}
}

static bool has_spec_ctrl(void)
{
	return cpu.leaf7_edx & LEAF7_EDX_IBRSB || cpu.ext8_ebx & EXT8_EBX_IBRS;
}

int wrmsr_safe(u32 msr, u64 val)
{
	if (msr == MSR_SPEC_CTRL && has_spec_ctrl())
		spec_ctrl = val;
	else if (msr == MSR_PRED_CMD &&
		 (cpu.leaf7_edx & LEAF7_EDX_IBRSB || cpu.ext8_ebx & EXT8_EBX_IBPB))
		nr_ibpb += val & 1;
	else if (msr == MSR_FLUSH_CMD && cpu.leaf7_edx & LEAF7_EDX_L1D_FLUSH)
		nr_l1d += val & 1;
	else if (msr == MSR_EFER)
		efer = val;
	else if (msr == MSR_DE_CFG && de_cfg_kind == DE_CFG_THERE)
		de_cfg = val;
	else if (msr == MSR_DE_CFG && de_cfg_kind == DE_CFG_DROPPED)
		;
	else
		return -EFAULT;
	return 0;
}

void wrmsr(u32 msr, u64 val)
{
	assert_int_equal(wrmsr_safe(msr, val), 0); /* else a #GP in ring 0 */
}

int rdmsr_safe(u32 msr, u64 *val)
{
	if (msr == MSR_DE_CFG && de_cfg_kind != DE_CFG_FAULTS) {
		*val = de_cfg;
		return 0;
	}
	if (msr != MSR_ARCH_CAPABILITIES || !(cpu.leaf7_edx & LEAF7_EDX_ARCH_CAPS) || arch_caps_fault)
		return -EFAULT;
	*val = cpu.arch_caps;
	return 0;
}

u64 rdmsr(u32 msr)
{
	assert_int_equal(msr, MSR_EFER);
	return efer;
}

/* Boots on a CPU. */
static void boot(const char *vendor, u32 cpuid_signature, struct spec_cpu facts)
{
	memset(text, 0x90, sizeof(text));
	for (u32 i = 0; i < NR_SITES; i++)
		sites[i] = (struct alt_site){ (u64)(uintptr_t)SITE(i), (u64)(uintptr_t)code, 8, 4, i,
					      i < ALT_THUNK_JMP };
	strcpy(cpu_vendor, vendor);
	signature = cpuid_signature;
	leaf_max = leaf_max ? leaf_max : 7;
	cpu = facts;
	spec_ctrl = efer = own = 0;
	nr_ibpb = nr_l1d = nr_rsb = 0;
	fake_cpus[0].guest_spec_ctrl = fake_cpus[0].hv_spec_ctrl = 0;
	boot_options.spec = (struct spec_options){ 0 };
	spec_ctrl_init(false);
}

static u32 present(void)
{
	u32 set = 0;

	for (u32 i = 0; i < NR_SITES; i++)
		set |= memcmp(SITE(i), code, sizeof(code)) ? 0 : 1u << i;
	return set;
}

#define SIG_HASWELL 0x000306c3u
#define SIG_SKYLAKE 0x00050654u
#define MSR_DE_CFG_BIT9 (1ULL << 9)
#define SIG_ZEN2 0x00830f10u
#define SIG_ZEN4 0x00a10f11u
#define HASWELL                                                                                    \
	(struct spec_cpu)                                                                          \
	{                                                                                          \
		.leaf7_ebx = LEAF7_EBX_SMEP, .leaf7_edx = LEAF7_EDX_IBRSB | LEAF7_EDX_SSBD |       \
							  LEAF7_EDX_MD_CLEAR | LEAF7_EDX_L1D_FLUSH \
	}
#define EIBRS                                                                                      \
	(struct spec_cpu)                                                                          \
	{                                                                                          \
		.leaf7_ebx = LEAF7_EBX_SMEP,                                                       \
		.leaf7_edx = LEAF7_EDX_IBRSB | LEAF7_EDX_SSBD | LEAF7_EDX_ARCH_CAPS,               \
		.arch_caps = CAPS_EIBRS | CAPS_RDCL_NO | CAPS_MDS_NO                               \
	}

static void test_each_site_is_there_exactly_when_planned(void **state)
{
	boot("GenuineIntel", SIG_HASWELL, HASWELL);
	assert_int_equal(present(), 1u << ALT_XPTI | 1u << ALT_SPEC_CTRL | 1u << ALT_VERW);

	boot("GenuineIntel", SIG_SKYLAKE, EIBRS);
	assert_int_equal(present(), 1u << ALT_SPEC_CTRL | 1u << ALT_BHB | 1u << ALT_VERW |
					    1u << ALT_THUNK_JMP);

	boot("AuthenticAMD", SIG_ZEN4,
	     (struct spec_cpu){ .leaf7_ebx = LEAF7_EBX_SMEP,
				.ext8_ebx = EXT8_EBX_IBPB | EXT8_EBX_BTC_NO,
				.ext21_eax = EXT21_EAX_AUTO_IBRS | EXT21_EAX_SRSO_NO,
				.ext21_ecx = EXT21_ECX_TSA_SQ_NO | EXT21_ECX_TSA_L1_NO });
	assert_int_equal(present(), 1u << ALT_THUNK_JMP);
	assert_int_equal(efer, 1u << 21);
}

static void test_the_predictor_is_emptied_between_domains_only(void **state)
{
	boot("GenuineIntel", SIG_HASWELL, HASWELL);

	spec_ctrl_switch_in(1, own);
	assert_int_equal(nr_ibpb, 1);
	spec_ctrl_switch_in(1, own);
	assert_int_equal(nr_ibpb, 1);
	spec_ctrl_switch_in(2, 0);
	assert_int_equal(nr_ibpb, 2);
	spec_ctrl_switch_in(1, own);
	assert_int_equal(nr_ibpb, 3);
	assert_int_equal(nr_rsb, 0);
}

static void test_where_an_ibpb_leaves_returns_they_are_overwritten_with_it(void **state)
{
	boot("AuthenticAMD", SIG_ZEN4, (struct spec_cpu){ .ext8_ebx = EXT8_EBX_IBPB });
	spec_ctrl_switch_in(1, own);
	spec_ctrl_switch_in(1, own);
	assert_int_equal(nr_ibpb, 1);
	assert_int_equal(nr_rsb, 1);
	spec_ctrl_switch_in(2, own);
	assert_int_equal(nr_rsb, 2);

	boot("AuthenticAMD", SIG_ZEN4,
	     (struct spec_cpu){ .ext8_ebx = EXT8_EBX_IBPB | EXT8_EBX_IBPB_RET });
	spec_ctrl_switch_in(1, own);
	assert_int_equal(nr_ibpb, 1);
	assert_int_equal(nr_rsb, 0);
}

static void test_the_older_ibrs_is_written_on_every_entry(void **state)
{
	boot("GenuineIntel", SIG_SKYLAKE,
	     (struct spec_cpu){ .leaf7_ebx = LEAF7_EBX_SMEP, .leaf7_edx = LEAF7_EDX_IBRSB });

	spec_ctrl_switch_in(1, own);
	assert_int_equal(fake_cpus[0].hv_spec_ctrl, SPEC_CTRL_IBRS);
	assert_int_not_equal(fake_cpus[0].guest_spec_ctrl, fake_cpus[0].hv_spec_ctrl);
	/* also when the guest has set it itself */
	assert_true(spec_ctrl_guest_write(&own, MSR_SPEC_CTRL, SPEC_CTRL_IBRS));
	assert_int_not_equal(fake_cpus[0].guest_spec_ctrl, fake_cpus[0].hv_spec_ctrl);
	assert_int_equal(fake_cpus[0].guest_spec_ctrl & ~(1u << 31), SPEC_CTRL_IBRS);
}

static void test_the_enhanced_ibrs_stays_on_and_is_not_written(void **state)
{
	boot("GenuineIntel", SIG_SKYLAKE, EIBRS);

	spec_ctrl_switch_in(1, own);
	assert_int_equal(spec_ctrl, SPEC_CTRL_IBRS);
	assert_int_equal(fake_cpus[0].guest_spec_ctrl, fake_cpus[0].hv_spec_ctrl);
}

static void test_a_guests_bits_are_its_own(void **state)
{
	boot("GenuineIntel", SIG_SKYLAKE, EIBRS);
	spec_ctrl_switch_in(1, own);

	assert_true(spec_ctrl_guest_write(&own, MSR_SPEC_CTRL, SPEC_CTRL_SSBD));
	assert_int_equal(fake_cpus[0].guest_spec_ctrl, SPEC_CTRL_SSBD | SPEC_CTRL_IBRS);
	spec_ctrl_switch_in(2, 0);
	assert_int_equal(fake_cpus[0].guest_spec_ctrl, SPEC_CTRL_IBRS);
	spec_ctrl_switch_in(1, own);
	assert_int_equal(fake_cpus[0].guest_spec_ctrl, SPEC_CTRL_SSBD | SPEC_CTRL_IBRS);
}

static void test_what_this_cpu_lacks_is_a_fault_of_the_guest(void **state)
{
	boot("GenuineIntel", SIG_HASWELL, HASWELL);
	assert_false(spec_ctrl_guest_write(&own, MSR_SPEC_CTRL, 1u << 10));
	assert_false(spec_ctrl_guest_write(&own, MSR_SPEC_CTRL, 1ULL << 40));
	assert_false(spec_ctrl_guest_write(&own, MSR_PRED_CMD, 2));
	assert_true(spec_ctrl_guest_write(&own, MSR_PRED_CMD, 0));
	assert_int_equal(nr_ibpb, 0);
	assert_true(spec_ctrl_guest_write(&own, MSR_PRED_CMD, 1));
	assert_int_equal(nr_ibpb, 1);
	assert_true(spec_ctrl_guest_write(&own, MSR_FLUSH_CMD, 1));
	assert_int_equal(nr_l1d, 1);

	boot("GenuineIntel", SIG_HASWELL, (struct spec_cpu){ 0 });
	assert_false(spec_ctrl_guest_write(&own, MSR_SPEC_CTRL, 0));
	assert_false(spec_ctrl_guest_write(&own, MSR_PRED_CMD, 1));
	assert_false(spec_ctrl_guest_write(&own, MSR_FLUSH_CMD, 1));
}

/* AMD bulletin 7008. */
static void test_a_refused_register_is_not_called_treated(void **state)
{
	const struct spec_cpu zen2 = { .ext8_ebx = EXT8_EBX_IBPB };

	boot("AuthenticAMD", SIG_ZEN2, zen2);
	assert_int_equal(spec_plan.issue[ISSUE_ZENBLEED].state, SPEC_MITIGATED);
	assert_int_equal(de_cfg, MSR_DE_CFG_BIT9);
	for (de_cfg_kind = DE_CFG_FAULTS; de_cfg_kind <= DE_CFG_DROPPED; de_cfg_kind++) {
		de_cfg = 0;
		boot("AuthenticAMD", SIG_ZEN2, zen2);
		assert_int_equal(spec_plan.issue[ISSUE_ZENBLEED].state, SPEC_OPEN);
		/* and the others, which come when the report is out, warn */
		nr_warnings = 0;
		fake_cpu_id = fake_cpus[1].cpu_id = 1;
		spec_ctrl_init(false);
		fake_cpu_id = 0;
		assert_int_equal(nr_warnings, 1);
	}
	de_cfg_kind = DE_CFG_THERE;
}

static void test_capabilities_that_cannot_be_read_are_not_offered(void **state)
{
	boot("GenuineIntel", SIG_SKYLAKE, EIBRS);
	assert_true(spec_plan.has_arch_caps);
	arch_caps_fault = true;
	boot("GenuineIntel", SIG_SKYLAKE, EIBRS);
	arch_caps_fault = false;
	assert_false(spec_plan.has_arch_caps);
	assert_int_equal(spec_plan.guest_arch_caps, 0);
}

/* Intel SDM vol. 2, CPUID: leaf 0xb counts the threads of a core, leaves 1 and 4 those of all. */
static void test_hyperthreads_are_counted(void **state)
{
	const struct {
		u32 max, ebx1, edx1, eax4, ebx11;
		bool shared;
	} machines[] = {
		{ 0xb, 0, 0, 0, 2, true },	     { 0xb, 0, 0, 0, 1, false },
		{ 0xb, 8 << 16, 1u << 28, 3 << 26, 0, true }, { 7, 8 << 16, 1u << 28, 3 << 26, 2, true },
		{ 7, 4 << 16, 1u << 28, 3 << 26, 2, false },  { 7, 4 << 16, 0, 0, 0, false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(machines); i++) {
		leaf_max = machines[i].max;
		leaf1_ebx = machines[i].ebx1;
		leaf1_edx = machines[i].edx1;
		leaf4_eax = machines[i].eax4;
		leaf11_ebx = machines[i].ebx11;
		boot("GenuineIntel", SIG_HASWELL, HASWELL);
		assert_int_equal(spec_plan.issue[ISSUE_MDS].state,
				 machines[i].shared ? SPEC_OPEN : SPEC_MITIGATED);
	}
	leaf_max = leaf1_ebx = leaf1_edx = leaf4_eax = leaf11_ebx = 0;
}

static void boot_and_report(struct spec_cpu facts, const char *words)
{
	boot("AuthenticAMD", SIG_ZEN4, facts);
	assert_true(spec_options_parse(&boot_options.spec, words));
	boot_options.spec.xpti = OPTION_ON;
	spec_ctrl_init(false);
	said[0] = '\0';
	spec_ctrl_report();
}

/*
 * tests/bench/system/settings.sh takes it from there that what is measured is what was asked for.
 */
static void test_the_log_names_the_sequences_that_are_there(void **state)
{
	const struct spec_cpu all = { .leaf7_edx = LEAF7_EDX_IBRSB, .ext8_ebx = EXT8_EBX_IBPB };

	boot_and_report(all, "bti-thunk=retpoline,ibrs,ibpb,ibpb-entry=0,rsb,md-clear,eager-fpu");
	assert_non_null(strstr(said, "on each way in or out: xpti spec_ctrl rsb verw\n"));
	assert_non_null(strstr(said, "indirect branches: retpoline;"));

	boot_and_report(all, "ibpb-entry,rsb,bhb-entry,md-clear,div-scrub");
	assert_non_null(
		strstr(said, "on each way in or out: xpti spec_ctrl ibpb rsb bhb verw div\n"));

	boot("AuthenticAMD", SIG_ZEN4, (struct spec_cpu){ 0 });
	assert_true(spec_options_parse(&boot_options.spec, "no"));
	spec_ctrl_init(false);
	said[0] = '\0';
	spec_ctrl_report();
	assert_non_null(strstr(said, "on each way in or out: nothing\n"));
	assert_non_null(strstr(said, "indirect branches: jmp;"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_each_site_is_there_exactly_when_planned),
		cmocka_unit_test(test_the_predictor_is_emptied_between_domains_only),
		cmocka_unit_test(test_where_an_ibpb_leaves_returns_they_are_overwritten_with_it),
		cmocka_unit_test(test_the_older_ibrs_is_written_on_every_entry),
		cmocka_unit_test(test_the_enhanced_ibrs_stays_on_and_is_not_written),
		cmocka_unit_test(test_a_guests_bits_are_its_own),
		cmocka_unit_test(test_a_refused_register_is_not_called_treated),
		cmocka_unit_test(test_capabilities_that_cannot_be_read_are_not_offered),
		cmocka_unit_test(test_hyperthreads_are_counted),
		cmocka_unit_test(test_the_log_names_the_sequences_that_are_there),
		cmocka_unit_test(test_what_this_cpu_lacks_is_a_fault_of_the_guest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
