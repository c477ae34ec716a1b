/* SPDX-License-Identifier: MIT */
/*
 * world.h - what domain/ and hypercall/ stand on, for host tests: real mm/, and plain fakes of
 * x86/ and pv/. Guest memory is the test's own: a guest address is a host address inside
 * guest_mem, all else faults.
 */
#ifndef TESTS_FAKES_HVDOM_WORLD_H
#define TESTS_FAKES_HVDOM_WORLD_H

#include <setjmp.h>

#include "domain/domain.h"

#include "hypercall/handlers.h"
#include "hypercall/hypercall.h"
#include "x86/msi.h"

#define WORLD_FRAMES 4096

struct world {
	s_time_t now;		/* what now_ns() tells */
	s_time_t hw_timer[NR_CPUS];	/* what each local APIC is set to; 0: off */
	unsigned int softirqs[NR_CPUS]; /* pending, a bit each */
	unsigned int kicks[NR_CPUS];	/* interrupts sent by smp_kick() */
	bool is_read_only;	/* guest memory can be read, not written */
	const void *read_only;	/* this word of it can not; NULL: all can */
	unsigned int irets;
	bool preempt;		/* hypercalls should stop between steps */
	unsigned int irqs_wait; /* softirqs, a bit each, that interrupts raise which are not let in yet */
	unsigned int preempt_at; /* at this step from now, once; 0: at none */
	unsigned int flushes;	/* tlb_flush_domain calls */
	unsigned int pte_maps;	/* grant entries in page tables */
	u32 pte_flags;		/* GNTMAP_*, of the last that came or went */
	unsigned int drains_stop; /* so many drains of deferred work are preempted */
	bool pte_map_fails, pte_unmap_fails;
	unsigned int switches_in;
	struct domain *bad_fpu; /* whose floating point state the CPU refuses */
	unsigned int audits; /* pv_audit calls */
	unsigned int idle_waits;
	void (*on_idle)(void);	/* what the machine does while the CPU idles */
	int gsi_bound[256];
	unsigned int alloc_fails_at; /* that many allocations of the hypervisor's from now; 0: none */
	unsigned int machine_stops;
	char stopped_by; /* the last time: h(alt), r(eboot), p(ower off) */
	char switched[16]; /* FPU and the rest of whoever leaves: f p; of whoever comes: F P; tables left: t */
	char console[1024]; /* what dom0 wrote, as far as it fits */
	size_t console_len;
	const char *typed; /* what it reads; NULL: nothing */
	char ring[1024];   /* the hypervisor's log */
	u32 ring_len;
	unsigned int log_lines;
	void (*on_log)(const char *line); /* NULL: nobody reads it */
	char last_line[256];
	/* what the machine was told last */
	struct {
		u64 sec, system_ns;
		u32 nsec;
	} wall; /* sec 0: nothing yet */
	struct {
		u16 a, b;
		u8 state;
	} sleep;
	struct {
		unsigned int gsi;
		bool level, active_low;
	} gsi_set;
	unsigned int eois[256]; /* how often each line was served */
	struct msi_request msi;
	unsigned int msi_line; /* that msi_map() gives; 0: no device has any */
	unsigned int msi_unmapped, msi_restores;
	struct pci_device msi_restored;
	size_t fpu_len; /* of the state that was taken; what it begins with */
	u8 fpu_first;
	jmp_buf *on_stop; /* where a machine that turns off goes on; NULL: the test aborts */
};
extern struct world world;
extern unsigned char guest_mem[64 * 4096] __attribute__((aligned(4096)));

/*
 * Fresh clock, flags and guest memory; dom0 with one vcpu running, as current, the only domain.
 */
void world_reset(void);
/*
 * Destroys every domU, empties dom0. Returns the frames and blocks of memory that did not come
 * back: 0 is right.
 */
u64 world_end(void);
extern long world_blocks; /* that the hypervisor has allocated and not freed */
/* A domU with @nr_vcpus vcpus (all with a context, vcpu 0 up), 64 MiB at most, not paused. */
struct domain *world_domain(domid_t domid, unsigned int nr_vcpus);
/* Adds to world.switched, as far as there is room. */
void world_switched(char what);
/* One frame of @d with its ALLOC reference. */
struct frame *world_page(struct domain *d);
/* Puts v on the CPU without the scheduler. */
void world_run(struct vcpu *v);
/* One hypercall of current through the dispatcher, restarted until done. */
long hypercall(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3);
/* Next 8-aligned @len bytes of guest memory, zeroed. */
void *guest_alloc(size_t len);
/* Runs timers due and the scheduler as the exit path does. */
void world_softirqs(void);

#define GUEST(p) ((u64)(uintptr_t)(p))

#endif
