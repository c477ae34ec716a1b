/* SPDX-License-Identifier: MIT */
/*
 * history.h - /history/domain/NAME: who left which state, when and why. Persistent, bounded.
 */
#ifndef XEND_HISTORY_H
#define XEND_HISTORY_H

struct xend;

#define HISTORY_ENTRIES 16	/* kept a domain */

#define HISTORY_GONE 64		/* names kept that no domain has any more */

/*
 * Appends "TIME FROM TO WHY", and ": ERROR" when @error is not "", and drops the oldest beyond
 * HISTORY_ENTRIES.
 */
void history_add(struct xend *x, const char *name, const char *from, const char *to,
		 const char *why, const char *error);
/* After a domain is gone for good: drops the past of the one gone longest beyond HISTORY_GONE. */
void history_prune(struct xend *x);

#endif
