/* SPDX-License-Identifier: MIT */
/*
 * spec_ctrl.c - the facts for spec_plan.c read from this CPU, and its plan carried out: sites of
 * entry.S, registers of each CPU, the switch from one domain to another.
 */
#include "x86/spec_ctrl.h"

#include "lib/boot_options.h"
#include "lib/log.h"
#include "lib/string.h"
#include "x86/alt.h"
#include "x86/asm.h"
#include "x86/cpu.h"
#include "x86/layout.h"
#include "x86/percpu.h"

#define MSR_DE_CFG 0xc0011029u
#define DE_CFG_ZENBLEED (1ULL << 9)
#define EFER_AIBRSE (1ULL << 21)
#define CPUID_1_EDX_HTT (1u << 28)
#define PRED_CMD_IBPB 1u
#define FLUSH_CMD_L1D 1u
/* Written on each way in, although it may be there already: see ALT_SPEC_CTRL. */
#define SPEC_CTRL_ALWAYS (1u << 31)

extern const struct alt_site alt_sites_start[], alt_sites_end[];

struct spec_plan spec_plan;
static bool has_eibrs; /* fixed after boot */
/* The domain whose branches this CPU's predictor knows, 0: none. Hypervisor lock. */
static u64 predictor_owner[NR_CPUS];

static u32 leaf_max(u32 base)
{
	u32 a, b, c, d;

	cpuid(base, 0, &a, &b, &c, &d);
	return a;
}

static void read_model(struct spec_cpu *f)
{
	u32 a, b, c, d;

	if (!strcmp(cpu_vendor, "GenuineIntel"))
		f->vendor = VENDOR_INTEL;
	else if (!strcmp(cpu_vendor, "AuthenticAMD") || !strcmp(cpu_vendor, "HygonGenuine"))
		f->vendor = VENDOR_AMD;
	cpuid(1, 0, &a, &b, &c, &d);
	f->family = a >> 8 & 0xf;
	f->model = a >> 4 & 0xf;
	f->stepping = a & 0xf;
	if (f->family == 6 || f->family == 0xf)
		f->model |= (a >> 16 & 0xf) << 4;
	if (f->family == 0xf)
		f->family += a >> 20 & 0xff;
}

/* Where the topology leaf is missing: more threads than cores; more than are there, if in doubt. */
static bool threads_share_core(u32 max)
{
	u32 a, b, c, d, threads;

	if (max >= 0xb) {
		cpuid(0xb, 0, &a, &b, &c, &d);
		if (b & 0xffff)
			return (b & 0xffff) > 1;
	}
	cpuid(1, 0, &a, &b, &c, &d);
	threads = b >> 16 & 0xff;
	if (max < 4 || !(d & CPUID_1_EDX_HTT))
		return false;
	cpuid(4, 0, &a, &b, &c, &d);
	return threads > (a >> 26) + 1;
}

static void read_facts(struct spec_cpu *f)
{
	u32 max = leaf_max(0), max_ext = leaf_max(0x80000000), a, b, c, d;

	read_model(f);
	f->threads_share_core = threads_share_core(max);
	if (max >= 7) {
		cpuid(7, 0, &a, &f->leaf7_ebx, &c, &f->leaf7_edx);
		if (a >= 2)
			cpuid(7, 2, &a, &b, &c, &f->leaf7_2_edx);
	}
	if (max_ext >= 0x80000008)
		cpuid(0x80000008, 0, &a, &f->ext8_ebx, &c, &d);
	if (max_ext >= 0x80000021)
		cpuid(0x80000021, 0, &f->ext21_eax, &b, &f->ext21_ecx, &d);
	if (f->leaf7_edx & LEAF7_EDX_ARCH_CAPS &&
	    rdmsr_safe(MSR_ARCH_CAPABILITIES, &f->arch_caps)) {
		f->arch_caps = 0;
		f->leaf7_edx &= ~LEAF7_EDX_ARCH_CAPS;
	}
	/* What the command line turned off keeps nothing away. */
	if (!(read_cr4() & X86_CR4_SMEP))
		f->leaf7_ebx &= ~LEAF7_EBX_SMEP;
}

u32 spec_plan_features(const struct spec_plan *p, bool smap)
{
	const struct {
		u32 feature;
		bool on;
	} all[] = {
		{ ALT_SMAP, smap },
		{ ALT_XPTI, p->xpti },
		{ ALT_SPEC_CTRL, p->spec_ctrl },
		{ ALT_IBPB, p->ibpb_on_entry },
		{ ALT_RSB, p->rsb_on_entry },
		{ ALT_BHB, p->bhb_on_entry },
		{ ALT_VERW, p->verw_on_exit },
		{ ALT_DIV, p->div_on_exit },
		{ ALT_THUNK_JMP, p->thunk == THUNK_JMP },
		{ ALT_THUNK_LFENCE, p->thunk == THUNK_LFENCE },
	};
	u32 features = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		features |= all[i].on ? 1u << all[i].feature : 0;
	return features;
}

static void plan_this_machine(bool smap)
{
	struct spec_cpu facts = { 0 };

	read_facts(&facts);
	has_eibrs = facts.vendor == VENDOR_INTEL && facts.arch_caps & CAPS_EIBRS;
	spec_plan_make(&facts, &boot_options.spec, &spec_plan);
	alt_apply(alt_sites_start, alt_sites_end, spec_plan_features(&spec_plan, smap));
}

/* What SPEC_CTRL has while @val is what the guest has asked for. */
static u32 effective(u32 val)
{
	u32 both = val | (spec_plan.hv_spec_ctrl & SPEC_CTRL_BHI_DIS_S);

	if (!(spec_plan.hv_spec_ctrl & SPEC_CTRL_IBRS))
		return both;
	/* The enhanced kind stays on; the older one counts from when it is written in ring 0. */
	return has_eibrs ? both | SPEC_CTRL_IBRS : both | SPEC_CTRL_ALWAYS;
}

/* Read again: who emulates a CPU may drop what is written. */
static bool set_zenbleed_bit(void)
{
	u64 val;

	return !rdmsr_safe(MSR_DE_CFG, &val) && !wrmsr_safe(MSR_DE_CFG, val | DE_CFG_ZENBLEED) &&
	       !rdmsr_safe(MSR_DE_CFG, &val) && val & DE_CFG_ZENBLEED;
}

/* A register that the plan counts on is not there. On the boot CPU in time for the report. */
static void give_up(enum spec_issue issue, const char *what)
{
	if (this_cpu_id() == 0) {
		spec_plan.issue[issue].state = SPEC_OPEN;
		spec_plan.issue[issue].what = what;
	} else {
		log_warn("speculation: CPU %u: %s: open: %s", this_cpu_id(), spec_issue_name(issue),
			 what);
	}
}

void spec_ctrl_init(bool smap)
{
	struct cpu_info *c = this_cpu();

	if (c->cpu_id == 0)
		plan_this_machine(smap);
	predictor_owner[c->cpu_id] = 0;
	c->verw_selector = HV_DS;
	c->hv_spec_ctrl = spec_plan.hv_spec_ctrl;
	c->guest_spec_ctrl = effective(0);
	if (spec_plan.spec_ctrl)
		wrmsr(MSR_SPEC_CTRL, spec_plan.hv_spec_ctrl);
	if (spec_plan.auto_ibrs)
		wrmsr(MSR_EFER, rdmsr(MSR_EFER) | EFER_AIBRSE);
	if (spec_plan.zenbleed_bit && !set_zenbleed_bit())
		give_up(ISSUE_ZENBLEED, "DE_CFG[9] is refused");
}

/* What stands in entry.S: each costs something on every way in or out, needed or only asked for. */
static void report_sequences(void)
{
	static const struct {
		u32 feature;
		const char *name;
	} all[] = {
		{ ALT_XPTI, "xpti" }, { ALT_SPEC_CTRL, "spec_ctrl" }, { ALT_IBPB, "ibpb" },
		{ ALT_RSB, "rsb" },   { ALT_BHB, "bhb" },		  { ALT_VERW, "verw" },
		{ ALT_DIV, "div" },
	};
	u32 features = spec_plan_features(&spec_plan, false);
	char list[64] = "";
	int len = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (features & 1u << all[i].feature)
			len += snprintf(list + len, sizeof(list) - (size_t)len, " %s", all[i].name);
	log_info("speculation: on each way in or out:%s", len ? list : " nothing");
}

void spec_ctrl_report(void)
{
	static const char *const thunks[THUNK_NR] = {
		[THUNK_RETPOLINE] = "retpoline", [THUNK_LFENCE] = "lfence", [THUNK_JMP] = "jmp"};
	unsigned int nr_open = 0;

	for (unsigned int i = 0; i < ISSUE_NR; i++) {
		bool is_open = spec_plan.issue[i].state == SPEC_OPEN;

		nr_open += is_open;
		if (spec_plan.issue[i].state != SPEC_NOT_AFFECTED)
			log_info("speculation: %s: %s%s", spec_issue_name(i),
				 is_open ? "open: " : "", spec_plan.issue[i].what);
	}
	report_sequences();
	log_info("speculation: indirect branches: %s; %u faults open", thunks[spec_plan.thunk],
		 nr_open);
}

void spec_ctrl_switch_in(u64 life, u32 guest_spec_ctrl)
{
	struct cpu_info *c = this_cpu();

	c->guest_spec_ctrl = effective(guest_spec_ctrl);
	if (predictor_owner[c->cpu_id] == life)
		return;
	predictor_owner[c->cpu_id] = life;
	if (spec_plan.ibpb_on_switch)
		wrmsr(MSR_PRED_CMD, PRED_CMD_IBPB);
	if (spec_plan.rsb_on_switch)
		rsb_overwrite();
}

bool spec_ctrl_guest_write(u32 *guest_spec_ctrl, u32 msr, u64 val)
{
	switch (msr) {
	case MSR_SPEC_CTRL:
		if (!spec_ctrl_guest_value_ok(val))
			return false;
		*guest_spec_ctrl = (u32)val;
		this_cpu()->guest_spec_ctrl = effective((u32)val);
		return true;
	case MSR_PRED_CMD:
		if (!spec_plan.has_ibpb || val & ~(u64)PRED_CMD_IBPB)
			return false;
		if (val)
			wrmsr(msr, val);
		return true;
	case MSR_FLUSH_CMD:
		if (!spec_plan.has_l1d_flush || val & ~(u64)FLUSH_CMD_L1D)
			return false;
		if (val)
			wrmsr(msr, val);
		return true;
	default:
		return false;
	}
}
