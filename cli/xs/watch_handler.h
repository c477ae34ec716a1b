/* SPDX-License-Identifier: MIT */
/*
 * watch_handler.h - the processes that `xs watch --exec` runs: started with a batch of events, each
 * in a process group of its own, ended with us.
 */
#ifndef STOREVISOR_XS_WATCH_HANDLER_H
#define STOREVISOR_XS_WATCH_HANDLER_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#define HANDLERS_MAX 64

struct handlers;

/* @argv: the command, not copied. @parallel: how many may run at once, 1..HANDLERS_MAX. */
struct handlers *handlers_create(char **argv, int parallel);
/*
 * Starts one with @events (array) on its standard input, the last one in its environment; @key (a
 * path, copied; NULL) is what it is about. Ends the program when that is impossible.
 */
void handlers_start(struct handlers *h, const json_t *events, const char *key);
/* Whether another may be started for @key: there is room, and none runs for the same. */
bool handlers_free_for(const struct handlers *h, const char *key);
int handlers_running(const struct handlers *h);
/* Tells all to end (SIGTERM, after five seconds SIGKILL); to be called again until they have. */
void handlers_end(struct handlers *h);
/* Whether handlers_end() was called and some still run. */
bool handlers_ending(const struct handlers *h);
void handlers_signal(const struct handlers *h, int sig);
/* Looks who ended, or waits until one has. Returns the exit status of one that failed, 0. */
int handlers_reap(struct handlers *h, bool wait);
void handlers_free(struct handlers *h);

/* The signal that asked us to end while handlers ran, 0. They have been told already. */
int handlers_interrupted(void);

#endif
