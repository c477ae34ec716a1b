/* SPDX-License-Identifier: MIT */
/*
 * spec_plan.c - one table row for each fault of speculative execution: which CPUs have it, and
 * what is done. Sources: Intel, "Affected Processors: Transient Execution Attacks" and the
 * guidance page of each; AMD, "Software Techniques for Managing Speculation" and bulletins 7005,
 * 7008, 7046, 7029.
 */
#include "x86/spec_plan.h"

#include "lib/string.h"

/* --- families and models --- */

/* What a model of Intel's family 6 is known to lack, or to have. */
#define NO_SPECULATION (1u << 0) /* in order: none of the faults */
#define NO_MELTDOWN (1u << 1)	 /* and no L1TF */
#define NO_L1TF (1u << 2)
#define NO_MDS (1u << 3)
#define HAS_SRBDS (1u << 4)
#define HAS_RETBLEED (1u << 5)	 /* returns may take a prediction of indirect branches */
#define HAS_MMIO (1u << 6)
#define HAS_RFDS (1u << 7)
#define HAS_GDS (1u << 8)
#define HAS_ITS (1u << 9)

static const struct {
	u8 model;
	u16 facts;
} intel_models[] = {
	{ 0x1c, NO_SPECULATION }, { 0x26, NO_SPECULATION }, { 0x27, NO_SPECULATION },
	{ 0x35, NO_SPECULATION }, { 0x36, NO_SPECULATION },
	/* Silvermont, Airmont, Knights */
	{ 0x37, NO_L1TF }, { 0x4a, NO_L1TF }, { 0x4c, NO_L1TF }, { 0x4d, NO_L1TF },
	{ 0x5a, NO_L1TF },
	{ 0x75, NO_L1TF }, { 0x57, NO_L1TF }, { 0x85, NO_L1TF },
	/* Goldmont, Tremont, Gracemont */
	{ 0x5c, NO_L1TF | NO_MDS | HAS_RFDS }, { 0x5f, NO_L1TF | NO_MDS | HAS_RFDS },
	{ 0x7a, NO_L1TF | NO_MDS | HAS_RFDS }, { 0x86, NO_MDS | HAS_RFDS | HAS_MMIO },
	{ 0x96, NO_MDS | HAS_RFDS | HAS_MMIO }, { 0x9c, NO_MDS | HAS_RFDS | HAS_MMIO },
	{ 0xbe, HAS_RFDS }, { 0x97, HAS_RFDS }, { 0x9a, HAS_RFDS }, { 0xb7, HAS_RFDS },
	{ 0xba, HAS_RFDS },
	{ 0xbf, HAS_RFDS },
	/* Ivy Bridge to Broadwell */
	{ 0x3a, HAS_SRBDS }, { 0x3c, HAS_SRBDS }, { 0x45, HAS_SRBDS }, { 0x46, HAS_SRBDS },
	{ 0x3f, HAS_MMIO }, { 0x3d, HAS_SRBDS }, { 0x47, HAS_SRBDS }, { 0x4f, HAS_MMIO },
	{ 0x56, HAS_MMIO },
	/* Skylake and its likes */
	{ 0x4e, HAS_SRBDS | HAS_RETBLEED | HAS_MMIO | HAS_GDS },
	{ 0x5e, HAS_SRBDS | HAS_RETBLEED | HAS_MMIO | HAS_GDS },
	{ 0x55, HAS_RETBLEED | HAS_MMIO | HAS_GDS | HAS_ITS },
	{ 0x8e, HAS_SRBDS | HAS_RETBLEED | HAS_MMIO | HAS_GDS | HAS_ITS },
	{ 0x9e, HAS_SRBDS | HAS_RETBLEED | HAS_MMIO | HAS_GDS | HAS_ITS },
	{ 0x66, HAS_RETBLEED }, { 0xa5, HAS_RETBLEED | HAS_MMIO | HAS_GDS | HAS_ITS },
	{ 0xa6, HAS_RETBLEED | HAS_MMIO | HAS_GDS | HAS_ITS },
	/* Ice Lake, Tiger Lake, Rocket Lake, Lakefield */
	{ 0x7d, HAS_MMIO | HAS_GDS | HAS_ITS }, { 0x7e, HAS_MMIO | HAS_GDS | HAS_ITS },
	{ 0x6a, HAS_MMIO | HAS_GDS | HAS_ITS }, { 0x6c, HAS_MMIO | HAS_GDS | HAS_ITS },
	{ 0x8a, HAS_MMIO | NO_MDS }, { 0x8c, HAS_GDS | HAS_ITS }, { 0x8d, HAS_GDS | HAS_ITS },
	{ 0xa7, HAS_MMIO | HAS_GDS | HAS_ITS | HAS_RETBLEED },
};

static bool is_intel(const struct spec_cpu *c)
{
	return c->vendor == VENDOR_INTEL;
}

static bool intel_is(const struct spec_cpu *c, u32 fact)
{
	if (!is_intel(c) || c->family != 6)
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(intel_models); i++)
		if (intel_models[i].model == c->model)
			return intel_models[i].facts & fact;
	return false;
}

/* Executes out of order and may be wrong about it: all but a few, also those nobody knows. */
static bool speculates(const struct spec_cpu *c)
{
	return !intel_is(c, NO_SPECULATION);
}

static bool amd_is(const struct spec_cpu *c, u32 first_family, u32 last_family)
{
	return c->vendor == VENDOR_AMD && c->family >= first_family && c->family <= last_family;
}

static bool is_zen1(const struct spec_cpu *c)
{
	return amd_is(c, 0x18, 0x18) ||
	       (amd_is(c, 0x17, 0x17) &&
		(c->model < 0x30 || (c->model >= 0x50 && c->model < 0x60)));
}

static bool is_zen2(const struct spec_cpu *c)
{
	return amd_is(c, 0x17, 0x17) && !is_zen1(c);
}

/* --- what the CPU offers --- */

static bool has_spec_ctrl(const struct spec_cpu *c)
{
	return c->leaf7_edx & LEAF7_EDX_IBRSB || c->ext8_ebx & EXT8_EBX_IBRS;
}

static bool has_ibpb(const struct spec_cpu *c)
{
	return c->leaf7_edx & LEAF7_EDX_IBRSB || c->ext8_ebx & EXT8_EBX_IBPB;
}

static bool has_eibrs(const struct spec_cpu *c)
{
	return is_intel(c) && has_spec_ctrl(c) && c->arch_caps & CAPS_EIBRS;
}

/* On by default. */
static bool wanted(enum option_choice choice)
{
	return choice != OPTION_OFF;
}

/* On where @affected, or where it is asked for. */
static bool chosen(enum option_choice choice, bool affected)
{
	return choice == OPTION_ON || (choice == OPTION_DEFAULT && affected);
}

/* --- the rows --- */

/* What a row sees and decides. */
struct row {
	const struct spec_cpu *c;
	const struct spec_options *o;
	struct spec_plan *p;
	const char *what;
};

static bool done(struct row *r, const char *what)
{
	r->what = what;
	return true;
}

static bool open(struct row *r, const char *what)
{
	r->what = what;
	return false;
}

static bool treat_v1(struct row *r)
{
	return done(r, "indices, addresses and frames masked, registers cleared on entry");
}

static bool needs_legacy_ibrs(const struct spec_cpu *c)
{
	return intel_is(c, HAS_RETBLEED) && has_spec_ctrl(c) && !has_eibrs(c);
}

/* AMD's IBPB forgets where returns went only if the CPU says so. */
static bool ibpb_leaves_returns(const struct spec_cpu *c)
{
	return c->vendor == VENDOR_AMD && !(c->ext8_ebx & EXT8_EBX_IBPB_RET);
}

#define RETURNS_STAY "IBPB leaves return predictions, and rsb is turned off"

static bool treat_v2(struct row *r)
{
	const struct spec_cpu *c = r->c;
	struct spec_plan *p = r->p;
	bool no_ibrs = !wanted(r->o->ibrs);

	p->ibpb_on_switch = has_ibpb(c) && wanted(r->o->ibpb);
	/* PV guests run in ring 3, whose code SMEP keeps returns from going to. */
	p->rsb_on_entry = chosen(r->o->rsb, !(c->leaf7_ebx & LEAF7_EBX_SMEP));
	if (!no_ibrs && c->vendor == VENDOR_AMD && c->ext21_eax & EXT21_EAX_AUTO_IBRS)
		p->auto_ibrs = true;
	else if (!no_ibrs && (has_eibrs(c) || needs_legacy_ibrs(c) ||
			      (r->o->ibrs == OPTION_ON && has_spec_ctrl(c))))
		p->hv_spec_ctrl |= SPEC_CTRL_IBRS;
	if (r->o->thunk != THUNK_DEFAULT)
		p->thunk = r->o->thunk;
	else if (p->auto_ibrs || (p->hv_spec_ctrl & SPEC_CTRL_IBRS && is_intel(c)))
		p->thunk = THUNK_JMP;
	else
		p->thunk = THUNK_RETPOLINE;
	if (p->thunk != THUNK_RETPOLINE && !p->auto_ibrs && !(p->hv_spec_ctrl & SPEC_CTRL_IBRS))
		return open(r, "turned off");
	if (!p->ibpb_on_switch)
		return open(r, has_ibpb(c) ? "no IBPB between domains: turned off"
					   : "no IBPB between domains: needs newer microcode");
	p->rsb_on_switch = ibpb_leaves_returns(c) && wanted(r->o->rsb);
	if (ibpb_leaves_returns(c) && !p->rsb_on_switch)
		return open(r, RETURNS_STAY);
	return done(r, p->auto_ibrs ? "automatic IBRS, IBPB between domains"
		       : p->thunk == THUNK_RETPOLINE ? "retpolines, IBPB between domains"
						     : "IBRS, IBPB between domains");
}

static bool has_meltdown(const struct spec_cpu *c)
{
	return is_intel(c) && speculates(c) && !(c->arch_caps & CAPS_RDCL_NO) &&
	       !intel_is(c, NO_MELTDOWN);
}

static bool treat_meltdown(struct row *r)
{
	r->p->xpti = wanted(r->o->xpti);
	return r->p->xpti ? done(r, "guests run on tables of their own") : open(r, "turned off");
}

static bool has_ssb(const struct spec_cpu *c)
{
	return speculates(c) && !(c->arch_caps & CAPS_SSB_NO) && !(c->ext8_ebx & EXT8_EBX_SSB_NO);
}

static bool treat_ssb(struct row *r)
{
	bool has = r->c->leaf7_edx & LEAF7_EDX_SSBD || r->c->ext8_ebx & EXT8_EBX_SSBD;

	if (!has)
		return open(r, "no SSBD: needs newer microcode");
	if (r->o->ssbd == OPTION_ON)
		r->p->hv_spec_ctrl |= SPEC_CTRL_SSBD;
	return done(r, r->o->ssbd == OPTION_ON ? "SSBD in the hypervisor, offered to guests"
					       : "SSBD offered to guests");
}

static bool has_lazy_fpu(const struct spec_cpu *c)
{
	return is_intel(c) && speculates(c);
}

static bool treat_lazy_fpu(struct row *r)
{
	r->p->eager_fpu = wanted(r->o->eager_fpu);
	return r->p->eager_fpu ? done(r, "vector state loaded at the switch")
			       : open(r, "turned off");
}

static bool has_l1tf(const struct spec_cpu *c)
{
	return has_meltdown(c) && !intel_is(c, NO_L1TF);
}

static bool treat_l1tf(struct row *r)
{
	r->p->l1tf = wanted(r->o->l1tf);
	return r->p->l1tf ? done(r, "not-present entries of guests are checked")
			  : open(r, "turned off");
}

static bool has_mds(const struct spec_cpu *c)
{
	return is_intel(c) && speculates(c) && !(c->arch_caps & CAPS_MDS_NO) &&
	       !intel_is(c, NO_MDS);
}

/*
 * VERW empties the buffers of a fault where the microcode says so of that one: older microcode runs
 * it too, for the faults that were known then. @is_shared: the thread beside may run another
 * domain, and look at the buffers of both.
 */
static bool treat_by_verw(struct row *r, bool works, bool is_shared)
{
	if (!wanted(r->o->md_clear))
		return open(r, "turned off");
	r->p->verw_on_exit = true;
	if (!works)
		return open(r, "VERW needs newer microcode");
	return is_shared && r->c->threads_share_core ? open(r, "hyperthreads share buffers")
						     : done(r, "buffers cleared on exit");
}

static bool treat_mds(struct row *r)
{
	return treat_by_verw(r, r->c->leaf7_edx & LEAF7_EDX_MD_CLEAR, true);
}

static bool has_taa(const struct spec_cpu *c)
{
	return is_intel(c) && c->leaf7_ebx & LEAF7_EBX_RTM && !(c->arch_caps & CAPS_TAA_NO);
}

/* Where MDS is none, VERW does more than nothing since the microcode that brought TSX_CTRL. */
static bool treat_taa(struct row *r)
{
	u64 caps = r->c->arch_caps;

	return treat_by_verw(r, r->c->leaf7_edx & LEAF7_EDX_MD_CLEAR &&
			     (!(caps & CAPS_MDS_NO) || caps & CAPS_TSX_CTRL), true);
}

static bool has_mmio(const struct spec_cpu *c)
{
	const u64 all = CAPS_SBDR_SSDP_NO | CAPS_FBSDP_NO | CAPS_PSDP_NO;

	return intel_is(c, HAS_MMIO) && (c->arch_caps & all) != all;
}

/* Where MDS is none, it takes TSX, or what a device's registers leave behind. */
static bool has_srbds(const struct spec_cpu *c)
{
	return intel_is(c, HAS_SRBDS) && (!(c->arch_caps & CAPS_MDS_NO) ||
					  c->leaf7_ebx & LEAF7_EBX_RTM || has_mmio(c));
}

static bool treat_srbds(struct row *r)
{
	return r->c->leaf7_edx & LEAF7_EDX_SRBDS_CTRL ? done(r, "by the microcode")
						      : open(r, "needs newer microcode");
}

/* The fill buffers are among those of MDS, where there is that. */
static bool treat_mmio(struct row *r)
{
	const u32 mds = LEAF7_EDX_MD_CLEAR | LEAF7_EDX_L1D_FLUSH;
	u64 caps = r->c->arch_caps;

	return treat_by_verw(r, caps & CAPS_FB_CLEAR ||
			     (!(caps & CAPS_MDS_NO) && (r->c->leaf7_edx & mds) == mds), true);
}

static bool has_retbleed(const struct spec_cpu *c)
{
	if (c->vendor == VENDOR_AMD)
		return amd_is(c, 0x15, 0x18) && !(c->ext8_ebx & EXT8_EBX_BTC_NO);
	return intel_is(c, HAS_RETBLEED) || (is_intel(c) && c->arch_caps & CAPS_RSBA);
}

/* The predictor is emptied on each entry: slow, and the only thing that software can do whole. */
static bool treat_by_entry_ibpb(struct row *r)
{
	if (!wanted(r->o->ibpb_entry))
		return open(r, "turned off");
	if (!has_ibpb(r->c))
		return open(r, "needs newer microcode");
	r->p->ibpb_on_entry = true;
	if (!ibpb_leaves_returns(r->c))
		return done(r, "IBPB on entry");
	r->p->rsb_on_entry = wanted(r->o->rsb);
	return r->p->rsb_on_entry ? done(r, "IBPB and return predictor on entry")
				  : open(r, RETURNS_STAY);
}

static bool treat_retbleed(struct row *r)
{
	if (r->c->vendor == VENDOR_AMD)
		return treat_by_entry_ibpb(r);
	return r->p->hv_spec_ctrl & SPEC_CTRL_IBRS ? done(r, "IBRS")
						   : open(r, "IBRS is off or not there");
}

static bool has_bhi(const struct spec_cpu *c)
{
	return has_eibrs(c) && !(c->arch_caps & CAPS_BHI_NO);
}

static bool treat_bhi(struct row *r)
{
	if (!wanted(r->o->bhb))
		return open(r, "turned off");
	if (r->c->leaf7_2_edx & LEAF7_2_EDX_BHI_CTRL) {
		r->p->hv_spec_ctrl |= SPEC_CTRL_BHI_DIS_S;
		return done(r, "BHI_DIS_S");
	}
	r->p->bhb_on_entry = true;
	return done(r, "branch history overwritten on entry");
}

static bool has_gds(const struct spec_cpu *c)
{
	return intel_is(c, HAS_GDS) && !(c->arch_caps & CAPS_GDS_NO);
}

static bool treat_gds(struct row *r)
{
	return r->c->arch_caps & CAPS_GDS_CTRL ? done(r, "by the microcode")
					       : open(r, "needs newer microcode");
}

static bool has_rfds(const struct spec_cpu *c)
{
	return intel_is(c, HAS_RFDS) && !(c->arch_caps & CAPS_RFDS_NO);
}

static bool treat_rfds(struct row *r)
{
	return treat_by_verw(r, r->c->arch_caps & CAPS_RFDS_CLEAR, false);
}

static bool has_its(const struct spec_cpu *c)
{
	return intel_is(c, HAS_ITS) && !(c->arch_caps & CAPS_ITS_NO);
}

static bool treat_its(struct row *r)
{
	return open(r, "returns may be predicted from a guest's branches");
}

static bool treat_zenbleed(struct row *r)
{
	r->p->zenbleed_bit = wanted(r->o->zenbleed);
	return r->p->zenbleed_bit ? done(r, "DE_CFG[9]") : open(r, "turned off");
}

static bool treat_div(struct row *r)
{
	r->p->div_on_exit = wanted(r->o->div_scrub);
	return r->p->div_on_exit ? done(r, "divider overwritten on exit") : open(r, "turned off");
}

static bool has_srso(const struct spec_cpu *c)
{
	return amd_is(c, 0x17, 0x19) && !(c->ext21_eax & EXT21_EAX_SRSO_NO);
}

static bool treat_srso(struct row *r)
{
	/* Zen 3 and 4 need microcode that has IBPB empty the return predictor, too. */
	if (r->c->family == 0x19 && !(r->c->ext21_eax & EXT21_EAX_IBPB_BRTYPE))
		return open(r, "needs newer microcode");
	return treat_by_entry_ibpb(r);
}

static bool has_tsa(const struct spec_cpu *c)
{
	const u32 none = EXT21_ECX_TSA_SQ_NO | EXT21_ECX_TSA_L1_NO;

	return amd_is(c, 0x19, 0x19) && (c->ext21_ecx & none) != none;
}

static bool treat_tsa(struct row *r)
{
	return treat_by_verw(r, r->c->ext21_eax & EXT21_EAX_VERW_CLEAR, false);
}

/* In order: a later row may look at what an earlier one has planned. */
static const struct {
	const char *key, *name;
	bool (*affected)(const struct spec_cpu *c);
	bool (*treat)(struct row *r);
} rows[ISSUE_NR] = {
	[ISSUE_SPECTRE_V1] = { "spectre_v1", "Spectre v1 (CVE-2017-5753)", speculates, treat_v1 },
	[ISSUE_SPECTRE_V2] = { "spectre_v2", "Spectre v2 (CVE-2017-5715)", speculates, treat_v2 },
	[ISSUE_MELTDOWN] = { "meltdown", "Meltdown (CVE-2017-5754)", has_meltdown, treat_meltdown },
	[ISSUE_SSB] = { "spec_store_bypass", "Speculative Store Bypass (CVE-2018-3639)",
			has_ssb, treat_ssb },
	[ISSUE_LAZY_FPU] = { "lazy_fpu", "Lazy FPU (CVE-2018-3665)", has_lazy_fpu, treat_lazy_fpu },
	[ISSUE_L1TF] = { "l1tf", "L1 Terminal Fault (CVE-2018-3620)", has_l1tf, treat_l1tf },
	[ISSUE_MDS] = { "mds", "MDS (CVE-2018-12130)", has_mds, treat_mds },
	[ISSUE_TAA] = { "tsx_async_abort", "TSX Asynchronous Abort (CVE-2019-11135)",
			has_taa, treat_taa },
	[ISSUE_SRBDS] = { "srbds", "SRBDS (CVE-2020-0543)", has_srbds, treat_srbds },
	[ISSUE_MMIO] = { "mmio_stale_data", "MMIO Stale Data (CVE-2022-21166)",
			 has_mmio, treat_mmio },
	[ISSUE_RETBLEED] = { "retbleed", "Retbleed (CVE-2022-29900, 29901)",
			     has_retbleed, treat_retbleed },
	[ISSUE_BHI] = { "branch_history_injection", "Branch History Injection (CVE-2022-0001)",
			has_bhi, treat_bhi },
	[ISSUE_GDS] = { "gather_data_sampling", "Gather Data Sampling (CVE-2022-40982)",
			has_gds, treat_gds },
	[ISSUE_RFDS] =
		{ "reg_file_data_sampling", "RFDS (CVE-2023-28746)", has_rfds, treat_rfds },
	[ISSUE_ITS] = { "indirect_target_selection", "Indirect Target Selection (CVE-2024-28956)",
			has_its, treat_its },
	[ISSUE_ZENBLEED] = { "zenbleed", "Zenbleed (CVE-2023-20593)", is_zen2, treat_zenbleed },
	[ISSUE_DIV] =
		{ "div_by_zero", "Division by zero leak (CVE-2023-20588)", is_zen1, treat_div },
	[ISSUE_SRSO] = { "spec_rstack_overflow", "SRSO (CVE-2023-20569)", has_srso, treat_srso },
	[ISSUE_TSA] = { "tsa", "TSA (CVE-2024-36350, 36357)", has_tsa, treat_tsa },
};

const char *spec_issue_name(enum spec_issue issue)
{
	return rows[issue].name;
}

const char *spec_issue_key(enum spec_issue issue)
{
	return rows[issue].key;
}

int spec_issue_text(const struct spec_plan *plan, enum spec_issue issue, char *buf, size_t size)
{
	static const char *const states[] = {
		[SPEC_NOT_AFFECTED] = "", [SPEC_MITIGATED] = "mitigated: ", [SPEC_OPEN] = "open: "};

	return snprintf(buf, size, "%s: %s%s", rows[issue].name, states[plan->issue[issue].state],
			plan->issue[issue].what);
}

/* What is asked for on a CPU that does not need it: to test and to measure. */
static void take_demands(const struct spec_cpu *c, const struct spec_options *o,
			 struct spec_plan *p)
{
	p->xpti |= o->xpti == OPTION_ON;
	p->l1tf |= o->l1tf == OPTION_ON;
	p->eager_fpu |= o->eager_fpu == OPTION_ON;
	p->verw_on_exit |= o->md_clear == OPTION_ON;
	p->bhb_on_entry |= o->bhb == OPTION_ON;
	p->div_on_exit |= o->div_scrub == OPTION_ON;
	p->ibpb_on_entry |= o->ibpb_entry == OPTION_ON && has_ibpb(c);
	p->rsb_on_entry |= o->rsb == OPTION_ON;
	if (o->thunk != THUNK_DEFAULT)
		p->thunk = o->thunk;
}

static u32 guest_mask(const struct spec_cpu *c)
{
	u32 mask = 0;

	if (!has_spec_ctrl(c))
		return 0;
	mask = SPEC_CTRL_IBRS;
	if (c->leaf7_edx & LEAF7_EDX_STIBP || c->ext8_ebx & EXT8_EBX_STIBP)
		mask |= SPEC_CTRL_STIBP;
	if (c->leaf7_edx & LEAF7_EDX_SSBD || c->ext8_ebx & EXT8_EBX_SSBD)
		mask |= SPEC_CTRL_SSBD;
	return mask;
}

void spec_plan_make(const struct spec_cpu *cpu, const struct spec_options *options,
		    struct spec_plan *plan)
{
	*plan = (struct spec_plan){
		.thunk = THUNK_JMP,
		.guest_spec_ctrl_mask = guest_mask(cpu),
		.guest_arch_caps = cpu->arch_caps & CAPS_FOR_GUESTS,
		.has_arch_caps = cpu->leaf7_edx & LEAF7_EDX_ARCH_CAPS,
		.has_ibpb = has_ibpb(cpu),
		.has_l1d_flush = cpu->leaf7_edx & LEAF7_EDX_L1D_FLUSH,
	};
	for (unsigned int i = 0; i < ISSUE_NR; i++) {
		struct row r = { cpu, options, plan, "not affected" };

		plan->issue[i].state = SPEC_NOT_AFFECTED;
		if (rows[i].affected(cpu))
			plan->issue[i].state = rows[i].treat(&r) ? SPEC_MITIGATED : SPEC_OPEN;
		plan->issue[i].what = r.what;
	}
	take_demands(cpu, options, plan);
	/* Also where only guests set bits: what one of them has set is not for the hypervisor. */
	plan->spec_ctrl = plan->hv_spec_ctrl || plan->guest_spec_ctrl_mask;
}
