/* SPDX-License-Identifier: MIT */
/*
 * watch_sink.h - where the events of `xs watch` go: lines on standard output, or a handler
 * process that gets them as JSON lines on its standard input.
 */
#ifndef STOREVISOR_XS_WATCH_SINK_H
#define STOREVISOR_XS_WATCH_SINK_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

enum busy_policy { BUSY_COALESCE, BUSY_QUEUE, BUSY_DROP, BUSY_RESTART, BUSY_SIGNAL };

struct sink_opts {
	bool json;
	bool prev;            /* show values before */
	char **exec;          /* argv of the handler, or NULL: print */
	bool per_key;         /* one handler run an event */
	int parallel;         /* how many handlers at once; more than 1 only with per_key */
	enum busy_policy busy;
	int busy_signal;
	bool exit_on_fail;    /* the handler's failure is ours */
	int64_t debounce_ms, max_wait_ms; /* 0: none */
};

struct sink;

struct sink *sink_create(const struct sink_opts *o);
/* Takes one event (object with "type", "path", ...). @urgent: not held back by debouncing. */
void sink_event(struct sink *s, json_t *event, bool urgent);
/* Whether something is held back until it has been quiet. */
bool sink_settles(const struct sink *s);
/* Takes one event only in place of what is held back of its path; nothing waits longer for it. */
void sink_replace(struct sink *s, json_t *event);
/* Whether a handler runs. None is started any more when resume_wanted(). */
bool sink_runs(const struct sink *s);
/* The events that wait, oldest first, as an array. The caller owns it. */
json_t *sink_waiting(const struct sink *s);
/* Milliseconds until sink_tick() has something to do; -1: nothing. */
int sink_wait_ms(const struct sink *s);
/* Emits what has waited long enough, looks after the handler. */
void sink_tick(struct sink *s);
/*
 * Emits everything, waits for the handlers, frees. Returns the exit status it asks for: a failed
 * handler's with exit_on_fail, 128 + the signal that interrupted us, 0.
 */
int sink_finish(struct sink *s);
/* Exit status of a failed handler with exit_on_fail, else 0. */
int sink_failed(const struct sink *s);

#endif
