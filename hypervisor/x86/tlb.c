/* SPDX-License-Identifier: MIT */
/*
 * tlb.c - flushes, and the clock that says whether a CPU had one since a frame was last mapped.
 *
 * Each full flush takes the next time of the clock *before* it begins; a frame is stamped with the
 * clock *after* its last mapping was removed. So a CPU whose time is later than the stamp began its
 * flush when the mapping was gone, and holds no translation of it. A CPU with no vcpu loaded has
 * only the hypervisor's own tables and holds none either.
 *
 * Nor does a CPU that runs a domain which never had the frame: who changes its own pages over and
 * over costs the others nothing. Each CPU flushes when it loads a vcpu, so only the loaded domain's
 * tables count (cpu_info.tlb_space). Which frames have translations of them:
 * - the domain's own: the tables themselves, and what they name. It is asked for by its name; once
 *   it has lost a frame, by the time of that (domain/frame_ref.c notes it);
 * - other domains', named by level-1 entries (dom0's): by the time when the last such entry went,
 *   which is noted before the frame is let go (pv/pt_entry.c). One that is still there holds its
 *   frame in the type and the hands it has;
 * - - granted ones: flushed on all CPUs of the domain before the reference goes
 *   (hypercall/hc_gnttab.c).
 * The walker may go on through a table that is unhooked and make translations after those times:
 * then the CPU has not flushed since it was unhooked, and counts as well.
 *
 * Frames keep 32 bits of the clock, which may be any of many times: the latest is taken. CPUs and
 * domains keep all of it, however long ago it was.
 */
#include "x86/asm.h"
#include "x86/lock.h"
#include "x86/percpu.h"
#include "x86/smp.h"
#include "x86/tlb.h"
#include "x86/tlb_filter.h"
#include "x86/tlb_space.h"

static u64 clock_now = 1; /* atomic; counts flushes of every entry a guest can make */

static u64 now(void)
{
	return __atomic_load_n(&clock_now, __ATOMIC_SEQ_CST);
}

void tlb_flush_local_all(void)
{
	u64 time = __atomic_add_fetch(&clock_now, 1, __ATOMIC_SEQ_CST);
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
	return (u32)now();
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

/* --- which CPUs --- */

void tlb_space_init(struct tlb_space *s)
{
	s->released = s->foreign = now();
}

void tlb_note_released(struct tlb_space *s)
{
	s->released = now();
}

void tlb_note_foreign(struct tlb_space *s)
{
	s->foreign = now();
}

/* A frame stamped @stamp: has @c flushed since? */
static bool is_stale(const struct cpu_info *c, u32 stamp)
{
	return c->tlb_space && c->tlb_time <= tlb_stamp_time(stamp, now());
}

/* Can it ever have had a frame that still is @owner's? */
static bool had_of(const struct cpu_info *c, const struct tlb_space *owner)
{
	return !owner || c->tlb_space == owner || c->tlb_time <= c->tlb_space->foreign;
}

/* Can it ever have had one that is nobody's now? */
static bool had_released(const struct cpu_info *c)
{
	return c->tlb_time <= c->tlb_space->released || c->tlb_time <= c->tlb_space->foreign;
}

void tlb_flush_stale(const struct tlb_space *owner, u32 stamp)
{
	unsigned int nr = smp_nr_cpus();
	u64 stale = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const struct cpu_info *c = cpu_info_of(i);

		if (is_stale(c, stamp) && had_of(c, owner))
			stale |= 1ULL << i;
	}
	if (stale)
		tlb_flush_cpus(stale);
}

void tlb_flush_released(u32 stamp)
{
	unsigned int nr = smp_nr_cpus();
	u64 stale = 0;

	for (unsigned int i = 0; i < nr; i++) {
		const struct cpu_info *c = cpu_info_of(i);

		if (is_stale(c, stamp) && had_released(c))
			stale |= 1ULL << i;
	}
	if (stale)
		tlb_flush_cpus(stale);
}
