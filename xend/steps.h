/* SPDX-License-Identifier: MIT */
/*
 * steps.h - from a record to a running domain and back: one table walked both ways.
 *
 * Every step is journalled in /status/domain/NAME/step before it begins, every undo may run
 * twice or for a step never done. So a xend that died anywhere is followed by one that undoes
 * from the journalled step downwards.
 */
#ifndef XEND_STEPS_H
#define XEND_STEPS_H

#include <stdbool.h>
#include <stdint.h>

#include "domain.h"

struct xend;

/* Starts building; d->rec is the record it is built from. */
void steps_begin_up(struct xend *x, struct domain *d, const char *why);

/*
 * Starts undoing: a half-built domain from where it is, any other from the last step. What
 * follows is @after. Does nothing when it is being undone already.
 */
void steps_begin_down(struct xend *x, struct domain *d, enum domain_after after, const char *why);

/*
 * A start that was as far as @step, with its domain there: from "hand-over" on, all that comes goes
 * on as if nothing had been, and true is returned; not of one that still arrives from another host.
 */
bool steps_resume_up(struct xend *x, struct domain *d, const char *step);

/* Goes on undoing after a restart of xend, from the journalled @step (unknown: the last). */
void steps_resume_down(struct xend *x, struct domain *d, const char *step,
		       enum domain_after after);

/*
 * Does one step of a walk. Returns when to come again: 0 at once, a time, or XEND_IDLE. When
 * the walk has ended d->walk is WALK_NONE (reconcile_finished() was told).
 */
uint64_t steps_run(struct xend *x, struct domain *d);

/* Names in table order, for the tests and the documents; NULL past the end. */
const char *steps_name(int step);

#endif
