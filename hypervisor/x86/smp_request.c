/* SPDX-License-Identifier: MIT */
/*
 * smp_request.c - what one CPU asks of others: flushes, by an interrupt and a bit in the other's
 * struct cpu_info. The caller holds the hypervisor lock; who is asked answers without it.
 */
#include "x86/apic.h"
#include "x86/asm.h"
#include "x86/lock.h"
#include "x86/smp.h"
#include "x86/tlb.h"

static unsigned long request_va; /* of CPU_REQUEST_INVLPG; hypervisor lock */

void smp_serve_requests(void)
{
	struct cpu_info *c = this_cpu();
	u32 todo = __atomic_load_n(&c->requests, __ATOMIC_ACQUIRE);

	if (likely(!todo))
		return;
	if (todo & 1u << CPU_REQUEST_FLUSH)
		tlb_flush_local_all();
	if (todo & 1u << CPU_REQUEST_INVLPG)
		tlb_flush_local_va(request_va);
	if (todo & 1u << CPU_REQUEST_CACHE)
		__asm__ volatile("wbinvd" ::: "memory");
	__atomic_and_fetch(&c->requests, ~todo, __ATOMIC_RELEASE); /* pairs with smp_request() */
}

static u64 without_this(u64 mask)
{
	return mask & ~(1ULL << this_cpu_id());
}

void smp_request(u64 mask, enum cpu_request what, unsigned long va)
{
	BUG_ON(!hv_lock_is_held());
	request_va = va;
	mask = without_this(mask);
	for (unsigned int i = 0; i < smp_nr_cpus(); i++) {
		if (!(mask >> i & 1))
			continue;
		__atomic_or_fetch(&cpu_info_of(i)->requests, 1u << what, __ATOMIC_SEQ_CST);
		apic_send(smp_apic_id(i), VECTOR_REQUEST);
	}
	for (unsigned int i = 0; i < smp_nr_cpus(); i++)
		while (mask >> i & 1 &&
		       __atomic_load_n(&cpu_info_of(i)->requests, __ATOMIC_ACQUIRE))
			cpu_relax();
}

void smp_kick(unsigned int cpu)
{
	if (cpu != this_cpu_id())
		apic_send(smp_apic_id(cpu), VECTOR_KICK);
}
