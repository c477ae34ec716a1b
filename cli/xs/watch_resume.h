/* SPDX-License-Identifier: MIT */
/*
 * watch_resume.h - `xs watch --config` reads its file anew on SIGUSR1: when no handler runs it
 * executes itself again, and takes along what it has seen and what waits to be handled. What
 * changes meanwhile is told as after a lost connection.
 */
#ifndef STOREVISOR_XS_WATCH_RESUME_H
#define STOREVISOR_XS_WATCH_RESUME_H

#include <stdbool.h>

struct session;

/* From here on SIGUSR1, which whoever starts a reader of a file may have blocked, is heard. */
void resume_listen(void);
/* Whether it came; the longest pause between two looks, in ms (-1: it is not listened for). */
bool resume_wanted(void);
int resume_look_ms(void);
/* Executes the program again, as it was started. Returns if that cannot be: it is said then. */
void resume_exec(struct session *s);

/* Whether this program goes on where another one left off. */
bool resume_is(void);
/* Takes what that one left, into @s with its sink and watchers; once. */
void resume_take(struct session *s);

#endif
