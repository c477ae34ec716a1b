/* SPDX-License-Identifier: MIT */
/* watch_reread.h - one path read again, because an event said no more than that it changed. */
#ifndef STOREVISOR_XS_WATCH_REREAD_H
#define STOREVISOR_XS_WATCH_REREAD_H

struct seen;
struct session;

/* Asks; the answers report what is different. From a callback, too. */
void watch_reread(struct session *s, const char *path);
/* Reports that @seen is gone, and forgets it. @arg: the session. For seen_below(). */
void watch_report_gone(void *arg, struct seen *seen);

#endif
