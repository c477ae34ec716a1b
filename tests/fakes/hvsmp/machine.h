/* SPDX-License-Identifier: MIT */
/*
 * machine.h - a machine of several CPUs for host tests of the whole middle of the hypervisor: mm/,
 * pv/, domain/, hypercall/, x86/tlb.c, x86/lock.c and x86/smp_request.c are real.
 *
 * A CPU is a fiber of one thread, and a seed says which goes on next at every point where another
 * could: everything that happens can be repeated. Or it is a thread, for the race detector.
 *
 * Each CPU has a TLB that forgets nothing until it is told to: leaves, and the paths to them.
 */
#ifndef TESTS_FAKES_HVSMP_MACHINE_H
#define TESTS_FAKES_HVSMP_MACHINE_H

#include "domain/domain.h"

#define MACHINE_FRAMES 4096
#define MACHINE_CPUS_MAX 4

/* --- cpus.c --- */

/* There are @nr CPUs. Once, before all else. */
void cpus_set(unsigned int nr, bool as_threads);
/* Starts each in @cpu_main, and returns when all have left it. */
void cpus_run(void (*cpu_main)(void));
/* This CPU goes no further: never returns. */
void cpu_leave(void) __attribute__((noreturn));
/* Somebody else may go on here. */
void cpu_yield(void);
/* The same, one time in @n. */
void cpu_may_yield(unsigned int n);
/* Random numbers of this CPU; with fibers one seed makes them all. */
u32 cpu_random(u32 below);
void cpus_seed(u32 seed);
/* Interrupts on for a moment: requests of other CPUs, the timer. Only where the CPU allows it. */
void cpu_take_interrupts(void);
/* What waits to interrupt @cpu. */
void cpu_interrupt(unsigned int cpu, bool is_request);
/*
 * With the hypervisor lock held: waits until no other CPU moves, and lets them go on. Fibers need
 * nothing: nobody moves while another runs.
 */
void cpus_halt_others(void);
void cpus_let_go(void);
/* No CPU is anywhere under the hypervisor lock (this one aside, when it holds it). */
bool cpus_are_quiet(void);

/* --- floor.c --- */

/* RAM, frame table and heap; no domain. */
void machine_make(void);
void machine_unmake(void);
/* True: idle CPUs leave, instead of waiting for something to do. */
extern bool machine_is_stopping;
/* What a CPU does once the scheduler gives it a vcpu: @loop, and then it leaves. */
void machine_run_guests(void (*loop)(void));
/* The way out of a hypercall or an interrupt: softirqs, until none is left. */
void machine_exit_work(void);
/*
 * The machine stops by itself after so many turns of idle CPUs without machine_is_busy(); 0: never.
 */
void machine_idle_limit(unsigned int turns);
void machine_is_busy(void);
/* Guest memory that hypercalls may name: [@start, @start + @len) of host memory. */
void machine_guest_memory(void *start, size_t len);
void machine_advance(s_time_t ns);
/* Said before the machine stops because of a failure. */
void machine_on_failure(void (*tell)(void));
void machine_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

/* --- domains.c --- */

/* Of which type a domain's frames begin: the tree of tables every domain starts with. */
enum pool_place { P_L4, P_L3, P_L2, P_L1A, P_L1B, P_PLAIN };

/*
 * A domain with @nr_vcpus vcpus and @nr_frames frames, named in @pool; the first is dom0. Not yet
 * running. Hypervisor lock held.
 */
struct domain *machine_domain(domid_t domid, unsigned int nr_vcpus, u32 *pool,
			      unsigned int nr_frames);
/* Fills five frames of @pool, still unused, with tables that map the rest of it. */
void machine_build_tables(const u32 *pool);
/* Its vcpus begin with the tables of @pool. Hypervisor lock held. */
void machine_domain_start(struct domain *d, const u32 *pool);
/* No CPU runs any more: what no guest can do, all domains go, dom0 too. */
void machine_domains_end(void);

/* --- tlb.c --- */

/* The addresses guests use: two entries at each of levels 4, 3 and 2, eight at level 1. */
#define NR_VAS 64
static inline u64 va_of(unsigned int i)
{
	return (u64)(i >> 5 & 1) << 39 | (u64)(i >> 4 & 1) << 30 | (u64)(i >> 3 & 1) << 21 |
	       (u64)(i & 7) << PAGE_SHIFT;
}

/* A level-n table reached (level 1..3), or a page (level 0), as this CPU remembers it. */
struct translation {
	u32 mfn;
	u32 original; /* of a shadow: whose it was then */
	bool is_valid, is_writable, is_dirty;
};
struct tlb {
	struct frame *cr3; /* loaded; NULL: the hypervisor's own tables */
	struct translation page[NR_VAS];
	struct translation table[4][NR_VAS / 8]; /* [level 1..3][va >> what it maps] */
	u64 nr_flushes;
};
extern struct tlb fake_tlb[MACHINE_CPUS_MAX];

/*
 * The guest of current reads or writes word @word (0..511) of the page at va_of(@va) as the MMU
 * would, by what the TLB remembers. False: it faults.
 */
bool guest_read(unsigned int va, unsigned int word, u64 *value);
bool guest_write(unsigned int va, unsigned int word, u64 value);

/* --- broken.c --- */

/* One thing the hypervisor must do and, asked by name, does not: the harness has to notice. */
int broken_select(const char *name); /* -1: no such */
const char *broken_name(unsigned int nr); /* NULL: no more */

#endif
