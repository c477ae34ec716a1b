/* SPDX-License-Identifier: MIT */
/*
 * spec_plan.h - which faults of speculative execution a CPU has, and what is done about each. Pure:
 * facts in, plan out, so that every processor there is can be looked at in a test on the host.
 * spec_ctrl.c reads the facts and carries the plan out.
 */
#ifndef HV_X86_SPEC_PLAN_H
#define HV_X86_SPEC_PLAN_H

#include "lib/spec_options.h"
#include "lib/types.h"

enum spec_vendor { VENDOR_OTHER, VENDOR_INTEL, VENDOR_AMD };

/* What the CPU says of itself; 0 where it lacks the leaf or the register. */
struct spec_cpu {
	enum spec_vendor vendor;       /* Hygon counts as AMD */
	u32 family, model, stepping;   /* with the extended parts added */
	u32 leaf7_ebx, leaf7_edx;      /* CPUID 7.0 */
	u32 leaf7_2_edx;	       /* CPUID 7.2 */
	u32 ext8_ebx;		       /* CPUID 0x80000008 */
	u32 ext21_eax, ext21_ecx;      /* CPUID 0x80000021 */
	u64 arch_caps;		       /* MSR ARCH_CAPABILITIES */
	bool threads_share_core;       /* hyperthreading: two CPUs, one core */
};

/* CPUID 7.0 EBX and EDX, 7.2 EDX (Intel SDM vol. 2, CPUID) */
#define LEAF7_EBX_SMEP (1u << 7)
#define LEAF7_EBX_RTM (1u << 11)
#define LEAF7_EDX_SRBDS_CTRL (1u << 9)
#define LEAF7_EDX_MD_CLEAR (1u << 10)
#define LEAF7_EDX_IBRSB (1u << 26)
#define LEAF7_EDX_STIBP (1u << 27)
#define LEAF7_EDX_L1D_FLUSH (1u << 28)
#define LEAF7_EDX_ARCH_CAPS (1u << 29)
#define LEAF7_EDX_SSBD (1u << 31)
#define LEAF7_2_EDX_BHI_CTRL (1u << 4)
/* CPUID 0x80000008 EBX, 0x80000021 EAX and ECX (AMD64 APM vol. 3, appendix E) */
#define EXT8_EBX_IBPB (1u << 12)
#define EXT8_EBX_IBRS (1u << 14)
#define EXT8_EBX_STIBP (1u << 15)
#define EXT8_EBX_SSBD (1u << 24)
#define EXT8_EBX_SSB_NO (1u << 26)
#define EXT8_EBX_BTC_NO (1u << 29)
#define EXT8_EBX_IBPB_RET (1u << 30)
#define EXT21_EAX_VERW_CLEAR (1u << 5)
#define EXT21_EAX_AUTO_IBRS (1u << 8)
#define EXT21_EAX_IBPB_BRTYPE (1u << 28)
#define EXT21_EAX_SRSO_NO (1u << 29)
#define EXT21_ECX_TSA_SQ_NO (1u << 1)
#define EXT21_ECX_TSA_L1_NO (1u << 2)
/* MSR ARCH_CAPABILITIES (Intel SDM vol. 4) */
#define CAPS_RDCL_NO (1ULL << 0)
#define CAPS_EIBRS (1ULL << 1)
#define CAPS_RSBA (1ULL << 2)
#define CAPS_SSB_NO (1ULL << 4)
#define CAPS_MDS_NO (1ULL << 5)
#define CAPS_IF_PSCHANGE_MC_NO (1ULL << 6)
#define CAPS_TSX_CTRL (1ULL << 7)
#define CAPS_TAA_NO (1ULL << 8)
#define CAPS_SBDR_SSDP_NO (1ULL << 13)
#define CAPS_FBSDP_NO (1ULL << 14)
#define CAPS_PSDP_NO (1ULL << 15)
#define CAPS_FB_CLEAR (1ULL << 17)
#define CAPS_RRSBA (1ULL << 19)
#define CAPS_BHI_NO (1ULL << 20)
#define CAPS_PBRSB_NO (1ULL << 24)
#define CAPS_GDS_CTRL (1ULL << 25)
#define CAPS_GDS_NO (1ULL << 26)
#define CAPS_RFDS_NO (1ULL << 27)
#define CAPS_RFDS_CLEAR (1ULL << 28)
#define CAPS_ITS_NO (1ULL << 62)
/* Those that say what the CPU is like, not that there is another register. */
#define CAPS_FOR_GUESTS                                                                            \
	(CAPS_RDCL_NO | CAPS_EIBRS | CAPS_RSBA | CAPS_SSB_NO | CAPS_MDS_NO |                       \
	 CAPS_IF_PSCHANGE_MC_NO | CAPS_TAA_NO | CAPS_SBDR_SSDP_NO | CAPS_FBSDP_NO | CAPS_PSDP_NO | \
	 CAPS_FB_CLEAR | CAPS_RRSBA | CAPS_BHI_NO | CAPS_PBRSB_NO | CAPS_GDS_NO | CAPS_RFDS_NO |   \
	 CAPS_RFDS_CLEAR | CAPS_ITS_NO)

/* MSR SPEC_CTRL */
#define SPEC_CTRL_IBRS (1u << 0)
#define SPEC_CTRL_STIBP (1u << 1)
#define SPEC_CTRL_SSBD (1u << 2)
#define SPEC_CTRL_BHI_DIS_S (1u << 10)

enum spec_state { SPEC_NOT_AFFECTED, SPEC_MITIGATED, SPEC_OPEN };

enum spec_issue {
	ISSUE_SPECTRE_V1,
	ISSUE_SPECTRE_V2,
	ISSUE_MELTDOWN,
	ISSUE_SSB,
	ISSUE_LAZY_FPU,
	ISSUE_L1TF,
	ISSUE_MDS,
	ISSUE_TAA,
	ISSUE_SRBDS,
	ISSUE_MMIO,
	ISSUE_RETBLEED,
	ISSUE_BHI,
	ISSUE_GDS,
	ISSUE_RFDS,
	ISSUE_ITS,
	ISSUE_ZENBLEED,
	ISSUE_DIV,
	ISSUE_SRSO,
	ISSUE_TSA,
	ISSUE_NR
};

/* What is done. Each flag is one sequence of entry.S, or one line of spec_ctrl.c. */
struct spec_plan {
	enum spec_thunk thunk;	  /* never THUNK_DEFAULT */
	u32 hv_spec_ctrl;	  /* SPEC_CTRL while the hypervisor runs */
	u32 guest_spec_ctrl_mask; /* bits that guests may set; 0: they have no such register */
	u64 guest_arch_caps;	  /* ARCH_CAPABILITIES as guests read it, if has_arch_caps */
	bool has_arch_caps;
	bool has_ibpb;		  /* PRED_CMD is there, for guests too */
	bool has_l1d_flush;	  /* FLUSH_CMD is there, for guests too */
	bool spec_ctrl;		  /* it is written on the way in and out, where it differs */
	bool auto_ibrs;		  /* EFER.AIBRSE */
	bool rsb_on_entry, bhb_on_entry, ibpb_on_entry;
	bool verw_on_exit, div_on_exit;
	bool ibpb_on_switch;	  /* from one domain to another */
	bool rsb_on_switch;	  /* the return predictor, which an IBPB leaves, is overwritten */
	bool eager_fpu;
	bool xpti;		  /* guests run on tables without the hypervisor's memory */
	bool l1tf;		  /* not-present entries of guests must not name memory */
	bool zenbleed_bit;	  /* DE_CFG[9] */
	struct {
		enum spec_state state;
		const char *what; /* what is done, or what is missing */
	} issue[ISSUE_NR];
};

/* Name with its CVE number, for people. */
const char *spec_issue_name(enum spec_issue issue);
/* One word, as Linux calls it below /sys/devices/system/cpu/vulnerabilities where it knows it. */
const char *spec_issue_key(enum spec_issue issue);
/* As snprintf(): name, then "not affected", "mitigated: WHAT" or "open: WHAT". */
int spec_issue_text(const struct spec_plan *plan, enum spec_issue issue, char *buf, size_t size);

/*
 * The plan for @cpu as the command line's @options have it. @options: the administrator's; what
 * this CPU cannot do stays undone, and its issues are SPEC_OPEN then.
 */
void spec_plan_make(const struct spec_cpu *cpu, const struct spec_options *options,
		    struct spec_plan *plan);

#endif
