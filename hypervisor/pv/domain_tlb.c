/* SPDX-License-Identifier: MIT */
/* domain_tlb.c - see domain_tlb.h. */
#include "pv/domain_tlb.h"

#include "domain/domain.h"
#include "x86/smp.h"
#include "x86/tlb.h"

u64 tlb_domain_cpus(const struct domain *d)
{
	unsigned int nr = smp_nr_cpus();
	u64 mask = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const struct vcpu *v = cpu_info_of(i)->vcpu;

		if (v && v->domain == d)
			mask |= 1ULL << i;
	}
	return mask;
}

void tlb_flush_domain(const struct domain *d)
{
	tlb_flush_cpus(tlb_domain_cpus(d));
}
