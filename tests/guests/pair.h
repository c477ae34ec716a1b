/* SPDX-License-Identifier: MIT */
/*
 * pair.h - guest tests of two domains: one plays by the rules, the other attacks it.
 *
 * The runner starts the same image twice, with "pair=SIDE,PEER" on the command line; each side says
 * its own result, and both must succeed. They share one page that the first grants to the second.
 */
#ifndef TESTS_GUESTS_PAIR_H
#define TESTS_GUESTS_PAIR_H

#include "claim.h"

#define PAIR_WORDS 480

/* The other domain. */
extern domid_t pair_peer;
/* PAIR_WORDS words of the shared page: each test's own meaning. */
extern volatile u64 *pair_word;

/*
 * Meets the other domain, then runs @rules in the first of the two, @attack in the second. Ends the
 * test with an error when the other does not come.
 */
void pair_run(void (*rules)(void), void (*attack)(void));
/* Tells the other that this side is at step @step, from 1. */
void pair_reach(u32 step);
/* Waits until the other is at step @step or beyond; after ten seconds the test ends. */
void pair_await(u32 step);
/* A page of address space without a frame, for the other's to be mapped at: no TLB knows it. */
void *pair_view(void);
/* Waits until the other, which granted @ref to this side, is dead or dying. */
void pair_await_death(grant_ref_t ref);
/* Frames of the machine in exchange for nothing: up to @nr, numbers to @list. How many came. */
unsigned int pair_take_frames(xen_pfn_t *list, unsigned int nr);

#endif
