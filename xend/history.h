/* SPDX-License-Identifier: MIT */
/*
 * history.h - /history/domain/NAME: who left which state, when and why. Persistent, bounded.
 */
#ifndef XEND_HISTORY_H
#define XEND_HISTORY_H

struct xend;

#define HISTORY_ENTRIES 16	/* kept a domain */

/* Appends "TIME FROM TO WHY" and drops the oldest beyond HISTORY_ENTRIES. */
void history_add(struct xend *x, const char *name, const char *from, const char *to,
		 const char *why);
/* For a transient domain that came to a good end: it leaves nothing behind. */
void history_forget(struct xend *x, const char *name);

#endif
