/* SPDX-License-Identifier: MIT */
/*
 * fuzz_hv.h - the hypervisor's middle (tests/fakes/hvsmp) driven by the bytes of an input: three
 * domains on one CPU, and whichever vcpu the scheduler chose takes the next bytes. After each step
 * no translation may be left that must not; after the input every count agrees, all domains die,
 * and every frame is back.
 */
#ifndef TESTS_FUZZ_HV_H
#define TESTS_FUZZ_HV_H

#include "fuzz.h"

#include "hypercall/handlers.h"
#include "hypercall/hypercall.h"
#include "lib/errno.h"
#include "lib/string.h"
#include "machine.h"
#include "pv/pv.h"
#include "x86/layout.h"
#include "x86/pte.h"

#define RW (PTE_P | PTE_RW | PTE_US)
#define RO (PTE_P | PTE_US)
#define FUZZ_DOMAINS 3 /* 0 is dom0; domain 1 has two vcpus */
#define FUZZ_FRAMES 24 /* a domain's first */

extern u32 fuzz_pool[FUZZ_DOMAINS][FUZZ_FRAMES];
/* The guests' memory, as far as hypercalls point to it. */
extern u8 fuzz_memory[16384];

/* The next @nr (1..8) bytes of the input as a number; 0 behind its end. */
u64 take(unsigned int nr);
/* A frame of current's domain, sometimes of another. */
u32 take_frame(void);
/* A page-table entry, mostly sensible. */
u64 take_entry(void);
/* Machine address of an entry in one of current's frames. */
u64 take_slot(void);
/* An argument: small number, pointer, frame, machine address, entry, strange or literal. */
u64 take_value(void);

/* Issues hypercall @nr of current, which may be another vcpu afterwards. */
void fuzz_hypercall(u64 nr, u64 a0, u64 a1, u64 a2, u64 a3);
/* The next step is one of @domid's, if it can run: the others yield. */
void fuzz_want_domain(domid_t domid);
#define FUZZ_PTR(p) ((u64)(uintptr_t)(p))

/* One input: @step takes some of it and does what it says; @check, or NULL, looks after each. */
void fuzz_hv_run(const uint8_t *data, size_t size, void (*step)(void), void (*check)(void));

#endif
