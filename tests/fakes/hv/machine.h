/* SPDX-License-Identifier: MIT */
/*
 * machine.h - a machine for host tests of mm/ and pv/: RAM, a frame table, domains, two vcpus each,
 * and CPUs whose TLBs remember every translation a guest ever used until the hypervisor flushes it.
 */
#ifndef TESTS_FAKES_HV_MACHINE_H
#define TESTS_FAKES_HV_MACHINE_H

#include "domain/domain.h"

#define FAKE_FRAMES 2048
#define FAKE_DOMAINS 3 /* 0 is privileged */

extern struct domain fake_domain[FAKE_DOMAINS];
/* Two each: vcpu 0 of domain i is number i, vcpu 1 is number FAKE_DOMAINS + i. */
#define FAKE_VCPUS (2 * FAKE_DOMAINS)
extern struct vcpu fake_vcpu[FAKE_VCPUS];

/* Called, if set, when the structure of a dying domain would be freed. */
extern void (*fake_domain_goes)(struct domain *d);

/* Lines of the log, ever. */
extern unsigned int fake_log_lines;
/* Copies to and from this page fault; 0: none. */
extern u64 fake_unmapped;
/* Only these bytes of host memory are guest memory; a length of 0: all are. */
extern u64 fake_guest_start, fake_guest_len;

/*
 * Fresh RAM, frame table and domains; @preempt_1_in: how often a long operation is told to stop (0:
 * never).
 */
void machine_reset(unsigned int preempt_1_in, unsigned int seed);
/* From now on. */
void machine_preempt(unsigned int one_in);
void machine_free(void);
/* Puts vcpu @i (of FAKE_VCPUS) on the CPU the test is on, or goes to the CPU it is on. */
void machine_run(unsigned int i);
/* The CPU the test is on (fake_cpu_id) runs nobody. */
void machine_unload(void);
unsigned int machine_random(void);

/*
 * The guest of current touches @va: walks the tables as the MMU does, sets A and D, and keeps the
 * translation. False: it faults.
 */
bool guest_touch(u64 va, bool write);
/* Is a frame reachable through a translation the TLB still has? */
bool tlb_has(mfn_t mfn, bool writable);

/*
 * Recounts every reference and type reference from page tables, pins, CR3s, descriptor tables and
 * ALLOC flags, and compares with the frame table (security.md D2 I1..I10). @grant_refs, @grant_wr:
 * references held by the test itself, an entry a frame, or NULL. Returns the number of frames that
 * differ, each printed.
 */
unsigned int audit(const unsigned int *extra_refs, const unsigned int *extra_wr);

/* Calls a hypercall of current until it is not restarted. */
struct hc_args;
long call(long (*fn)(struct hc_args *), u64 a0, u64 a1, u64 a2, u64 a3);

#endif
