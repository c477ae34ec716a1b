/* SPDX-License-Identifier: MIT */
/*
 * watch_report.h - from what became known of a change to the event of `xs watch`.
 */
#ifndef STOREVISOR_XS_WATCH_REPORT_H
#define STOREVISOR_XS_WATCH_REPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seen;
struct session;

/* What is known of one change. */
struct news {
	const char *type, *path;
	const char *value, *prev; /* NULL: none, or not known */
	size_t len, prev_len;
	const char *perms;	  /* NULL: not the point */
	size_t perms_len;
	uint64_t gen;		  /* 0: not known */
	bool exact;		  /* the daemon told it; else it was found by reading again */
	unsigned int domid;	  /* of exact ones */
	uint32_t tx;
};

/* One about @path; the value before is what @before (NULL: nothing) remembers. */
struct news news_of(const char *type, const char *path, const struct seen *before);
/* Makes the event, if somebody wants that path, and looks whether it is what the run waits for. */
void watch_report(struct session *s, const struct news *n);
/* An event of the stream itself ("synced", "lost"), with --json only; @why: words, or NULL. */
void watch_say(struct session *s, const char *type, const char *why);
/* Whether @path is further below @top than --depth allows. */
bool watch_too_deep(const struct session *s, const char *path, const char *top);

#endif
