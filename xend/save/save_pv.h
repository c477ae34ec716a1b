/* SPDX-License-Identifier: MIT */
/*
 * save_pv.h - a suspended domain's memory and vcpus, into a file.
 *
 * One struct save lives from xm's request to its answer. The file is written beside its place and
 * moved there when it is whole and on the disk.
 */
#ifndef XEND_SAVE_PV_H
#define XEND_SAVE_PV_H

#include <stdbool.h>
#include <stdint.h>

#include "worker.h"

struct xend;
struct domain;
struct save;
struct txn;

/*
 * Before the guest is asked: has a worker make the file beside @path, with the record as it is; how
 * that ended, save_result() tells. @as_xl: a file for xl restore, without the record (saved_xl.h).
 * 0 or -errno with @why (WORKER_WHY bytes) in the user's words.
 */
int save_open(struct xend *x, const struct domain *d, const char *path, bool as_xl,
	      struct save **out, char *why);

/*
 * The record as it is by now, of a guest that has suspended itself: what was changed until then is
 * saved with it. Before save_begin(). 0 or -errno with @why.
 */
int save_take_record(struct save *s, struct xend *x, char *why);

/* How long the log of the console of @name is: what is there is of earlier ones. 0: there is none. */
uint64_t save_console_len(const char *name);

/* Whether its record is in @tx what the head of @s says: 1, 0 or -errno of the store. */
int save_record_is(const struct save *s, struct txn *tx);

/* The guest has suspended itself: a worker writes it. 0; -EAGAIN: no thread, and @s is released. */
int save_begin(struct save *s, struct xend *x);

/*
 * Of the step begun last, -EINPROGRESS; 0: it is done, the last one's file is in its place; else
 * -errno with @why.
 */
int save_result(struct save *s, char *why);

/* How much of its memory was looked at, and sent or found to be zeros, of how much. Any time. */
void save_progress(struct save *s, uint64_t *sent_kib, uint64_t *total_kib);

/* Of rounds with the guest running, save_live.h. All 0 when there are none. */
struct save_rounds {
	uint64_t round, left_kib, rate_kib_s, stop_ms;
	uint64_t slow_percent;		/* of its CPUs that the guest was held to; 0: it was not */
};
void save_rounds(struct save *s, struct save_rounds *now);
/* After the rounds: whether there were none, as the hypervisor cannot note what a guest writes. */
int save_live_refused(const struct save *s);

/*
 * Whether a channel has taken nothing of a step for SAVE_STUCK_S, which a machine that is gone does
 * without a word, but not before there was something to take; or a file for SAVE_FILE_STUCK_S, from
 * the step's beginning. To be asked all along.
 */
#define SAVE_STUCK_S 120
#define SAVE_FILE_STUCK_S 30		/* while it writes, the guest stands still */
bool save_is_stuck(struct save *s, uint64_t now_ns);

/* Removes what is not complete. NULL is fine. */
void save_release(struct save *s);

#endif
