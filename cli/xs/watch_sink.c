/* SPDX-License-Identifier: MIT */
/*
 * watch_sink.c - debouncing, printing, and running the handler of `xs watch`.
 * A batch keeps one event a path, the last. The handler has its own process group, which is
 * ended with us.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "die.h"
#include "json_out.h"
#include "text.h"
#include "watch_sink.h"

#define POLL_CHILD_MS 50
#define KILL_AFTER_MS 5000

struct sink {
	struct sink_opts o;
	json_t *batch; /* array; what waits */
	int64_t first_ms, last_ms; /* when the batch began, and last grew */
	bool due;      /* the batch may go as soon as the handler is free */
	pid_t child;   /* 0: none */
	int64_t term_ms; /* when the child was told to end; 0: not told */
	int failed;
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

struct sink *sink_create(const struct sink_opts *o)
{
	struct sink *s = calloc(1, sizeof(*s));

	if (!s)
		cli_die(CLI_FAIL, "out of memory");
	s->o = *o;
	s->batch = json_array();
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
		json_dumpf(e, stdout, JSON_COMPACT);
	} else {
		printf("%-8s %s", field(e, "type"), field(e, "path"));
		print_bytes(" = ", json_object_get(e, "value"));
		if (s->o.prev)
			print_bytes("   was ", json_object_get(e, "prev"));
	}
	putchar('\n');
	if (fflush(stdout) != 0)
		_exit(CLI_OK); /* nobody reads any more */
}

/* ---- the handler ---- */

static void set_env(const json_t *e)
{
	static const char *const names[][2] = {
		{ "path", "XS_PATH" }, { "value", "XS_VALUE" }, { "prev", "XS_PREV" },
		{ "type", "XS_TYPE" }, { "type", "XS_REASON" }, { "dom", "XS_DOMID" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const json_t *v = json_object_get(e, names[i][0]);
		size_t len;
		char *text = v ? json_bytes(v, &len) : NULL;

		setenv(names[i][1], text ? text : "", 1);
		free(text);
	}
}

static _Noreturn void child_main(const struct sink *s, int in, const json_t *events)
{
	setpgid(0, 0);
	dup2(in, STDIN_FILENO);
	signal(SIGPIPE, SIG_DFL);
	set_env(json_array_get(events, json_array_size(events) - 1));
	execvp(s->o.exec[0], s->o.exec);
	fprintf(stderr, "xs: %s: %s\n", s->o.exec[0], strerror(errno));
	_exit(CLI_NO_HANDLER);
}

/* The batch goes through a file without a name: a handler that reads late blocks nobody. */
static FILE *batch_file(const json_t *events)
{
	FILE *f = tmpfile();
	size_t i;
	json_t *e;

	if (!f)
		cli_die(CLI_NO_HANDLER, "temporary file: %s", strerror(errno));
	json_array_foreach(events, i, e) {
		json_dumpf(e, f, JSON_COMPACT);
		fputc('\n', f);
	}
	fflush(f);
	rewind(f);
	return f;
}

static void start_handler(struct sink *s, const json_t *events)
{
	FILE *f = batch_file(events);

	fflush(stdout);
	s->child = fork();
	if (s->child == 0)
		child_main(s, fileno(f), events);
	if (s->child < 0)
		cli_die(CLI_NO_HANDLER, "cannot start %s: %s", s->o.exec[0], strerror(errno));
	setpgid(s->child, s->child);
	s->term_ms = 0;
	fclose(f);
}

static void reap(struct sink *s, bool wait)
{
	int status, code;

	if (!s->child || waitpid(s->child, &status, wait ? 0 : WNOHANG) <= 0)
		return;
	s->child = 0;
	code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	if (s->term_ms)
		return; /* we ended it: no failure */
	if (code == CLI_NO_HANDLER || (code && s->o.exit_on_fail))
		s->failed = code;
}

static void end_child(struct sink *s)
{
	if (!s->term_ms) {
		kill(-s->child, SIGTERM);
		s->term_ms = now_ms();
	} else if (now_ms() - s->term_ms > KILL_AFTER_MS) {
		kill(-s->child, SIGKILL);
	}
}

/* ---- the batch ---- */

static bool is_state(const json_t *e)
{
	return json_object_get(e, "path") != NULL;
}

/* Drops an older event of the same path. */
static void coalesce(struct sink *s, const json_t *event)
{
	size_t i;
	json_t *e;

	if (!is_state(event))
		return;
	json_array_foreach(s->batch, i, e)
		if (is_state(e) && strcmp(field(e, "path"), field(event, "path")) == 0) {
			json_array_remove(s->batch, i);
			return;
		}
}

static bool busy(struct sink *s)
{
	reap(s, false);
	if (!s->child)
		return false;
	switch (s->o.busy) {
	case BUSY_DROP:
		json_array_clear(s->batch);
		s->due = false;
		break;
	case BUSY_RESTART:
		end_child(s);
		break;
	case BUSY_SIGNAL:
		kill(-s->child, s->o.busy_signal);
		json_array_clear(s->batch);
		s->due = false;
		break;
	case BUSY_QUEUE:
		break;
	}
	return true;
}

static void run_batch(struct sink *s)
{
	json_t *now = s->batch;

	if (s->o.per_key && json_array_size(s->batch) > 1) {
		now = json_pack("[O]", json_array_get(s->batch, 0));
		json_array_remove(s->batch, 0);
	} else {
		s->batch = json_array();
		s->due = false;
	}
	start_handler(s, now);
	json_decref(now);
}

static void print_batch(struct sink *s)
{
	size_t i;
	json_t *e;

	json_array_foreach(s->batch, i, e)
		print_event(s, e);
	json_array_clear(s->batch);
	s->due = false;
}

static void emit(struct sink *s)
{
	if (!s->due || !json_array_size(s->batch))
		return;
	if (!s->o.exec)
		print_batch(s);
	else if (!busy(s))
		run_batch(s);
}

static bool batch_is_due(const struct sink *s)
{
	int64_t now = now_ms();

	return now - s->last_ms >= s->o.debounce_ms ||
	       (s->o.max_wait_ms && now - s->first_ms >= s->o.max_wait_ms);
}

void sink_event(struct sink *s, json_t *event, bool urgent)
{
	s->last_ms = now_ms();
	if (json_array_size(s->batch) == 0)
		s->first_ms = s->last_ms;
	/* every event is a line of its own, unless a time to collect them was given */
	if (s->o.exec || s->o.debounce_ms)
		coalesce(s, event);
	json_array_append_new(s->batch, event);
	if (urgent || s->o.debounce_ms == 0)
		s->due = true;
	emit(s);
}

int sink_wait_ms(const struct sink *s)
{
	int64_t left;

	if (s->child)
		return POLL_CHILD_MS;
	if (!json_array_size(s->batch))
		return -1;
	if (s->due)
		return 0;
	left = s->last_ms + s->o.debounce_ms - now_ms();
	if (s->o.max_wait_ms && s->first_ms + s->o.max_wait_ms - now_ms() < left)
		left = s->first_ms + s->o.max_wait_ms - now_ms();
	return left > 0 ? (int)left : 0;
}

void sink_tick(struct sink *s)
{
	reap(s, false);
	if (s->child && s->term_ms)
		end_child(s);
	if (json_array_size(s->batch) && batch_is_due(s))
		s->due = true;
	emit(s);
}

int sink_failed(const struct sink *s)
{
	return s->failed;
}

int sink_finish(struct sink *s)
{
	int failed;

	while (json_array_size(s->batch) && !s->failed) {
		reap(s, true);
		s->due = true;
		emit(s);
	}
	reap(s, true);
	failed = s->failed;
	json_decref(s->batch);
	free(s);
	return failed;
}
