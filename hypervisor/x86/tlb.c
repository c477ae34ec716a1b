/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - flushes, and the clock that says whether a CPU had one since a frame was last mapped.
 *
 * Each full flush takes the next time of the clock *before* it begins; a frame is stamped with the
 * clock *after* its last mapping was removed. So a CPU whose time is later than the stamp began its
 * flush when the mapping was gone, and holds no translation of it. A CPU with no vcpu loaded has
 * only the hypervisor's own tables and holds none either.
 *
 * The clock wraps: times are compared by their difference, and every CPU is made to flush each
 * quarter of its range, so that no CPU's time is ever that old.
 */
#include "x86/asm.h"
#include "x86/init.h"
#include "x86/lock.h"
#include "x86/machine.h"
#include "x86/percpu.h"
#include "x86/smp.h"
#include "x86/tlb_filter.h"

static u32 clock_now = 1; /* atomic; counts flushes of every entry a guest can make */
static u32 next_round = TLB_ROUND; /* hypervisor lock */

void tlb_flush_local_all(void)
{
	u32 time = __atomic_add_fetch(&clock_now, 1, __ATOMIC_SEQ_CST);
	u64 cr4 = read_cr4();

	/* Guests' user pages may be global: changing PGE drops those too. */
	write_cr4(cr4 & ~X86_CR4_PGE);
	write_cr4(cr4);
	this_cpu()->tlb_time = time;
}

void tlb_flush_local_va(unsigned long va)
{
	invlpg(va);
}

u32 tlb_clock(void)
{
	return __atomic_load_n(&clock_now, __ATOMIC_SEQ_CST);
}

void tlb_flush_cpus(u64 mask)
{
	u64 here = 1ULL << this_cpu_id();

	if (mask & here)
		tlb_flush_local_all();
	if (mask & ~here)
		smp_request(mask, CPU_REQUEST_FLUSH, 0);
}

void tlb_flush_va(u64 mask, unsigned long va)
{
	u64 here = 1ULL << this_cpu_id();

	if (mask & here)
		tlb_flush_local_va(va);
	if (mask & ~here)
		smp_request(mask, CPU_REQUEST_INVLPG, va);
}

u64 tlb_stale_cpus(u32 stamp)
{
	unsigned int nr = smp_nr_cpus();
	u64 stale = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const struct cpu_info *c = cpu_info_of(i);

		if (c->vcpu && tlb_time_is_stale(c->tlb_time, stamp))
			stale |= 1ULL << i;
	}
	return stale;
}

void tlb_flush_stale(u32 stamp)
{
	u64 stale = tlb_stale_cpus(stamp);

	if (stale)
		tlb_flush_cpus(stale);
	if (unlikely((s32)(tlb_clock() - next_round) >= 0)) {
		next_round = tlb_clock() + TLB_ROUND;
		tlb_flush_cpus(smp_cpu_mask());
	}
}
