/* SPDX-License-Identifier: MIT */
/*
 * watch_sink.c - debouncing and printing of the events of `xs watch`, and handing them to handlers
 * (watch_handler.c). What waits is kept by path, the last event of each.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "die.h"
#include "json_out.h"
#include "text.h"
#include "watch_handler.h"
#include "watch_resume.h"
#include "watch_session.h"
#include "watch_sink.h"

#define POLL_CHILD_MS 50

struct sink {
	struct sink_opts o;
	json_t *batch; /* what waits, oldest first: an object by path, or by number */
	unsigned long serial;
	int64_t first_ms, last_ms; /* when the batch began, and last grew */
	bool due;      /* the batch may go as soon as a handler is free */
	bool finishing; /* what waits is not for another command */
	struct handlers *handlers; /* NULL: events are printed */
	int failed;
};

struct sink *sink_create(const struct sink_opts *o)
{
	struct sink *s = calloc(1, sizeof(*s));

	if (!s)
		cli_die(CLI_FAIL, "out of memory");
	s->o = *o;
	s->batch = json_object();
	if (o->exec)
		s->handlers = handlers_create(o->exec, o->parallel);
	/* a reader that goes away ends us quietly: see print_event */
	signal(SIGPIPE, SIG_IGN);
	return s;
}

/* ---- printing ---- */

static const char *field(const json_t *e, const char *name)
{
	const char *text = json_string_value(json_object_get(e, name));

	return text ? text : "";
}

static void print_bytes(const char *lead, const json_t *v)
{
	size_t len;
	char *bytes = v ? json_bytes(v, &len) : NULL;
	char *text = bytes ? text_escape(bytes, len) : NULL;

	if (text)
		printf("%s%s", lead, text);
	free(text);
	free(bytes);
}

static void print_event(const struct sink *s, const json_t *e)
{
	if (s->o.json) {
		json_show(cli_voice(), e, JSON_LINE);
	} else {
		printf("%-8s %s", field(e, "type"), field(e, "path"));
		print_bytes(" = ", json_object_get(e, "value"));
		if (s->o.prev)
			print_bytes("   was ", json_object_get(e, "prev"));
		putchar('\n');
	}
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	if (errno == EPIPE)
		_exit(CLI_OK); /* nobody reads any more */
	cli_die(CLI_FAIL, "standard output: %s",
		errno ? strerror(errno) : "not all was written");
}

/* ---- the batch ---- */

static bool is_empty(const struct sink *s)
{
	return json_object_size(s->batch) == 0;
}

/* A later event of the same path takes the place of an earlier one, at the end. */
static void batch_add(struct sink *s, json_t *event)
{
	const char *path = json_string_value(json_object_get(event, "path"));
	char key[32];

	/* every event is one of its own, unless they are to be collected */
	if (!path || (!s->o.debounce_ms && (!s->o.exec || s->o.busy == BUSY_QUEUE))) {
		snprintf(key, sizeof(key), "%lu", s->serial++);
		path = key;
	}
	json_object_del(s->batch, path);
	json_object_set_new(s->batch, path, event);
}

static void batch_drop(struct sink *s)
{
	json_object_clear(s->batch);
	s->due = false;
}

static void print_batch(struct sink *s)
{
	const char *key;
	json_t *e;

	json_object_foreach(s->batch, key, e)
		print_event(s, e);
	batch_drop(s);
}

/* ---- handlers ---- */

/* The oldest event for whose path no handler runs goes to one. Returns whether there was such. */
static bool run_one(struct sink *s)
{
	const char *key;
	json_t *e;

	json_object_foreach(s->batch, key, e) {
		const char *path = field(e, "path");
		json_t *one;

		if (!handlers_free_for(s->handlers, path))
			continue;
		one = json_pack("[O]", e);
		handlers_start(s->handlers, one, path);
		json_decref(one);
		json_object_del(s->batch, key);
		return true;
	}
	return false;
}

static void run_all(struct sink *s)
{
	json_t *events = json_array(), *e;
	const char *key;

	json_object_foreach(s->batch, key, e)
		json_array_append(events, e);
	handlers_start(s->handlers, events, NULL);
	json_decref(events);
	batch_drop(s);
}

/* Whether the command is to be another one: what waits is for that. */
static bool is_held(const struct sink *s)
{
	return resume_wanted() && !s->finishing;
}

/*
 * What becomes of a batch when no handler is free. One that is told of changes by a signal may
 * never end by itself: for another command it is made to.
 */
static void be_busy(struct sink *s)
{
	if (s->o.busy == BUSY_SIGNAL && is_held(s)) {
		handlers_end(s->handlers);
		return;
	}
	switch (s->o.busy) {
	case BUSY_DROP:
		batch_drop(s);
		break;
	case BUSY_RESTART:
		handlers_end(s->handlers);
		break;
	case BUSY_SIGNAL:
		handlers_signal(s->handlers, s->o.busy_signal);
		batch_drop(s);
		break;
	case BUSY_COALESCE:
	case BUSY_QUEUE:
		break;
	}
}

static void note_failure(struct sink *s, int code)
{
	if (code == CLI_NO_HANDLER || (code && s->o.exit_on_fail))
		s->failed = code;
}

static void emit(struct sink *s)
{
	if (!s->due || is_empty(s))
		return;
	if (!s->handlers) {
		print_batch(s);
		return;
	}
	note_failure(s, handlers_reap(s->handlers, false));
	if (s->failed || handlers_interrupted())
		return;
	if (!handlers_free_for(s->handlers, NULL))
		be_busy(s);
	else if (is_held(s))
		return;
	else if (!s->o.per_key)
		run_all(s);
	else
		while (!is_empty(s) && run_one(s))
			;
	if (is_empty(s))
		s->due = false;
}

static bool batch_is_due(const struct sink *s)
{
	int64_t now = watch_now_ms();

	return now - s->last_ms >= s->o.debounce_ms ||
	       (s->o.max_wait_ms && now - s->first_ms >= s->o.max_wait_ms);
}

void sink_event(struct sink *s, json_t *event, bool urgent)
{
	s->last_ms = watch_now_ms();
	if (is_empty(s))
		s->first_ms = s->last_ms;
	batch_add(s, event);
	if (urgent || s->o.debounce_ms == 0)
		s->due = true;
	emit(s);
}

void sink_replace(struct sink *s, json_t *event)
{
	const char *path = field(event, "path");

	if (json_object_get(s->batch, path))
		json_object_set(s->batch, path, event);
	json_decref(event);
}

bool sink_runs(const struct sink *s)
{
	return s->handlers && handlers_running(s->handlers);
}

json_t *sink_waiting(const struct sink *s)
{
	json_t *list = json_array(), *e;
	const char *key;

	json_object_foreach(s->batch, key, e)
		json_array_append(list, e);
	return list;
}

bool sink_settles(const struct sink *s)
{
	return s->o.debounce_ms && !is_empty(s) && !s->due;
}

int sink_wait_ms(const struct sink *s)
{
	int64_t left;

	if (s->handlers && handlers_running(s->handlers))
		return POLL_CHILD_MS;
	if (is_empty(s))
		return -1;
	if (s->due)
		return resume_wanted() ? POLL_CHILD_MS : 0;
	left = s->last_ms + s->o.debounce_ms - watch_now_ms();
	if (s->o.max_wait_ms && s->first_ms + s->o.max_wait_ms - watch_now_ms() < left)
		left = s->first_ms + s->o.max_wait_ms - watch_now_ms();
	return left > 0 ? (int)left : 0;
}

void sink_tick(struct sink *s)
{
	if (s->handlers) {
		note_failure(s, handlers_reap(s->handlers, false));
		if (handlers_ending(s->handlers))
			handlers_end(s->handlers);
	}
	if (!is_empty(s) && batch_is_due(s))
		s->due = true;
	emit(s);
}

int sink_failed(const struct sink *s)
{
	return s->failed;
}

/* Everything out, every handler waited for; of an interrupted run: every handler ended. */
static void finish_handlers(struct sink *s)
{
	s->finishing = true;
	while (!s->failed && !handlers_interrupted() &&
	       (!is_empty(s) || handlers_running(s->handlers))) {
		s->due = true;
		emit(s);
		if (handlers_running(s->handlers))
			note_failure(s, handlers_reap(s->handlers, true));
	}
	while (handlers_running(s->handlers)) {
		handlers_end(s->handlers);
		usleep(POLL_CHILD_MS * 1000);
		handlers_reap(s->handlers, false);
	}
}

int sink_finish(struct sink *s)
{
	int failed, sig = handlers_interrupted();

	if (s->handlers)
		finish_handlers(s);
	else
		print_batch(s);
	sig = sig ? sig : handlers_interrupted();
	failed = s->failed ? s->failed : sig ? 128 + sig : 0;
	if (s->handlers)
		handlers_free(s->handlers);
	json_decref(s->batch);
	free(s);
	return failed;
}
