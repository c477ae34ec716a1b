/* SPDX-License-Identifier: MIT */
/*
 * logdirty.h - log-dirty mode: while a domain is in it, each of its frames that is written is
 * FRAME_WRITTEN, by whomever it is written, until somebody asks (decision 0035).
 * XEN_DOMCTL_SHADOW_OP is its only user.
 *
 * Who writes, and where it is noted: the domain's vcpus, at the fault that makes a shadow's entry
 * writable (pv/shadow.h); the hypervisor on somebody's behalf, where it does (frame_note_write);
 * others, where they let go of a writable mapping, and while they have it, at each question
 * (grants, other domains' tables, registered vcpu_info).
 *
 * All here needs the hypervisor lock.
 */
#ifndef HV_PV_LOGDIRTY_H
#define HV_PV_LOGDIRTY_H

#include "domain/domain.h"
#include "pv/shadow.h"

/* What is under way, in several hypercalls when it must; the domain is paused meanwhile. */
enum logdirty_op { LOGDIRTY_IDLE, LOGDIRTY_ENABLE, LOGDIRTY_CLEAN, LOGDIRTY_PEEK, LOGDIRTY_OFF };

struct log_dirty {
	struct shadow_pool *pool; /* NULL: not yet, or no more */
	bool is_on;		  /* its tables are LOGGED */
	/* an answer was lost: what it would have said is not known any more */
	bool all_written;
	u32 fault_count, dirty_count; /* since the last CLEAN; of the answer under way */
	enum logdirty_op op;
	unsigned int step; /* of op */
	u64 cursor;	   /* in step */
};

/* A question: which pages were written. */
struct logdirty_report {
	u64 bitmap; /* guest-controlled address of a bit a pfn; 0: none wanted */
	u64 nr_pages; /* bits of it; guest-controlled */
	/* answer: faults for the mode's sake since the last CLEAN; frames told */
	u32 fault_count, dirty_count;
};

/*
 * Each stops with -ERESTART and goes on when called again. Of a domain that is another's than
 * current's, stopped (domain_stop) when it is called, and kept paused until it is done. -EINVAL:
 * dying, or in (not in) the mode already; -EBUSY: something else of these is under way.
 */
/* Into the mode. No frame is written yet. -ENOMEM: no room for shadows. */
int logdirty_enable(struct domain *d);
/* Out of it; 0 also if it was not in it. */
int logdirty_disable(struct domain *d);
/*
 * Answers @r. @is_clean: and from now on only what is written later counts; of pages beyond
 * nr_pages nothing is forgotten. -EFAULT: the bitmap; the next answer then says of every frame that
 * it was written.
 */
int logdirty_report(struct domain *d, struct logdirty_report *r, bool is_clean);
/* Pages of the hypervisor's heap that the mode takes of @d's account; 0: not in it. */
u32 logdirty_nr_pages(const struct domain *d);

/* --- for the rest of pv/ --- */

/* A dying domain, of which no vcpu is loaded, leaves the mode. 0; -ERESTART. */
int must_check logdirty_end(struct domain *d);
void logdirty_vcpu_init(struct vcpu *v);
/* What a CPU loads for @l4, LOGGED. */
u64 logdirty_cr3_of(struct frame *l4);
/* @f, of a domain that has a log, became a validated table. */
void logdirty_table_begins(struct frame *f);
/* @f, LOGGED, is about to be none. */
void logdirty_table_ends(struct frame *f);
/* Entry @idx of @f, LOGGED, is about to change. */
void logdirty_entry_changes(struct frame *f, unsigned int idx);

#endif
