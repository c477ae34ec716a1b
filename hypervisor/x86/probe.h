/* SPDX-License-Identifier: MIT */
/*
 * probe.h - how long a CPU is held: from taking the hypervisor lock, with interrupts off, until it
 * is given back or interrupts are let in at a preemption point. Off until debug key P turns it on;
 * then each CPU writes its own record and the longest of each kind are kept, under the lock.
 */
#ifndef HV_X86_PROBE_H
#define HV_X86_PROBE_H

#include "lib/types.h"

/* No section may be longer (issue 5; docs/locks.md). */
#define PROBE_LIMIT_NS 1000000

extern bool probe_is_on;

/* The lock was just taken. */
void probe_begin(void);
/* Interrupts were let in, and are off again. */
void probe_start(void);
/* The lock is about to be given back, or interrupts to be let in. */
void probe_stop(void);
/* What holds the CPU from here on: one of x86/softirq.h, or nothing special (-1). */
void probe_softirq(int nr);
/* A device's interrupt. */
void probe_interrupt(void);
/* Hypercall @nr, with its first argument; one of a multicall too. */
void probe_hypercall(u64 nr, u64 op);
/* The hypercall's operation, where its first argument does not tell. */
void probe_operation(u64 op);
/* The section under way is not to be counted: what a person asked for by a debug key. */
void probe_forget(void);

/* Debug keys: forgets what was and turns the probe on; shows the longest of each kind. */
void probe_restart(void);
/* @call_name: a hypercall's, for the lines; NULL: it has none. */
void probe_print(const char *(*call_name)(u64 nr));

#endif
