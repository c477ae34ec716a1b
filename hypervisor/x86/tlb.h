/* SPDX-License-Identifier: MIT */
/* tlb.h - what TLBs may still hold, and dropping it (tlb.c). */
#ifndef HV_X86_TLB_H
#define HV_X86_TLB_H

#include "lib/types.h"

struct tlb_space;

void tlb_flush_local_all(void); /* this CPU, global entries too */
void tlb_flush_local_va(unsigned long va);
u32 tlb_clock(void); /* stamp for frame.stamp, after the last mapping of it was removed */
/*
 * The rest needs the hypervisor lock, and returns when all named CPUs have flushed. @mask: a bit
 * an online CPU, this one possibly among them.
 */
void tlb_flush_cpus(u64 mask);
void tlb_flush_va(u64 mask, unsigned long va);
/* @s: of a new domain, of which no TLB holds anything. */
void tlb_space_init(struct tlb_space *s);
/* The owner of @s lost a frame, of which no entry of its tables is left. */
void tlb_note_released(struct tlb_space *s);
/*
 * An entry of the tables of @s named another owner's frame, and is gone. Before the frame is let
 * go.
 */
void tlb_note_foreign(struct tlb_space *s);
/*
 * Flushes the CPUs that may hold a translation of a frame of @owner's from before @stamp, when its
 * last type reference was dropped: those that run the owner, and those whose domain let go of a
 * foreign frame since they last flushed. @owner NULL: whose it is is not known, and all CPUs count
 * that did not flush since @stamp.
 */
void tlb_flush_stale(const struct tlb_space *owner, u32 stamp);
/*
 * The same of a frame given back at @stamp, by whomever: those CPUs whose domain lost one, or let
 * go of one, since.
 */
void tlb_flush_released(u32 stamp);

#endif
