/* SPDX-License-Identifier: MIT */
/* hc_cpu_policy.h - CPUID as lists of leaves and feature words, for domctl and sysctl alike. */
#ifndef HV_HYPERCALL_HC_CPU_POLICY_H
#define HV_HYPERCALL_HC_CPU_POLICY_H

#include "domain/domain.h"

/*
 * Writes the leaves a guest of @d sees (NULL: the machine's own) to the array at @leaves_va, in
 * the order and with the subleaves libxc's reader takes. *@nr: IN capacity, OUT written.
 * @leaves_va 0: only the largest number there can be. 0, -ENOBUFS, -EFAULT.
 */
long cpu_policy_write_leaves(const struct domain *d, u64 leaves_va, u32 *nr);
/* The same for MSRs (xen_msr_entry_t). */
long cpu_policy_write_msrs(u64 msrs_va, u32 *nr);

#define FEATURE_WORDS 13
/* The feature words of sysctl get_cpu_featureset, in its order. */
void cpu_policy_featureset(const struct domain *d, u32 words[FEATURE_WORDS]);

#endif
