/* SPDX-License-Identifier: MIT */
/* domain_tlb.h - translations made by a domain's page tables. Hypervisor lock. */
#ifndef HV_PV_DOMAIN_TLB_H
#define HV_PV_DOMAIN_TLB_H

#include "lib/types.h"

struct domain;

/* The CPUs that may hold translations of @d's page tables. */
u64 tlb_domain_cpus(const struct domain *d);
/* Flushes those; returns when all have. */
void tlb_flush_domain(const struct domain *d);

#endif
