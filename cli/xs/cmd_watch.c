/* SPDX-License-Identifier: MIT */
/*
 * cmd_watch.c - `xs watch`: what changes, as it changes: its options, its loop, its end. The work
 * is in watch_session.c.
 */
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "store.h"
#include "watch_conf.h"
#include "watch_handler.h"
#include "watch_resume.h"
#include "watch_session.h"

#define RECONNECT_US 100000

/* ---- the command ---- */

static int wait_time(const struct session *s, int64_t deadline_ms)
{
	int wait = sink_wait_ms(s->sink);
	/* While a ping is out, as it is without a daemon, no other is due. */
	int64_t now = watch_now_ms(), next = s->ping_out ? INT64_MAX : s->next_ping_ms;

	if (deadline_ms >= 0 && deadline_ms < next)
		next = deadline_ms;
	if (next != INT64_MAX && (next - now < wait || wait < 0))
		wait = next > now ? (int)(next - now) : 0;
	/* a signal may come just before the wait */
	if (resume_look_ms() >= 0 && (wait < 0 || wait > resume_look_ms()))
		wait = resume_look_ms();
	return wait;
}

/* Whether that was all: what is collected still has its time. */
static bool is_over(const struct session *s)
{
	return s->done && !sink_settles(s->sink);
}

/* The file may be read anew when all that was seen is told, and no handler is cut short. */
static void read_anew(struct session *s)
{
	if (!resume_wanted() || s->done || s->unsynced || s->down || sink_runs(s->sink))
		return;
	for (const struct watcher *w = s->watchers; w; w = w->next)
		if (w->resync)
			return;
	resume_exec(s);
}

static int loop(struct session *s)
{
	long timeout = cli_ms(s->a, "timeout", -1);
	int64_t deadline_ms = timeout < 0 ? -1 : watch_now_ms() + timeout;

	while (!is_over(s) && !sink_failed(s->sink) && !handlers_interrupted()) {
		watch_sync_all(s);
		if (is_over(s))
			break;
		read_anew(s);
		watch_ping(s);
		if (xs_client_run(store(), wait_time(s, deadline_ms)) != 0)
			return CLI_NO_STORE;
		sink_tick(s->sink);
		if (deadline_ms >= 0 && watch_now_ms() >= deadline_ms)
			return s->done ? CLI_OK : CLI_TIMEOUT;
	}
	return CLI_OK;
}

static enum initial initial_of(struct cli_args *a)
{
	static const char *const names[] = { "state", "event", "none" };
	const char *text = cli_str(a, "initial", "state");

	for (int i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0)
			return i;
	cli_usage(a, "--initial %s: state, event or none is wanted", text);
}

static void check_until_word(const struct cli_args *a)
{
	const char *text = cli_str(a, "until", NULL);

	if (text && !strchr(text, '='))
		cli_usage(a, "--until %s: PATH=VALUE is wanted", text);
}

static void parse_until(struct session *s)
{
	char *text = (char *)cli_str(s->a, "until", NULL), *equal;

	if (!text)
		return;
	equal = strchr(text, '=');
	*equal = '\0';
	s->until_path = store_path(text);
	s->until_value = equal + 1;
}

static void parse_busy(struct cli_args *a, struct sink_opts *o)
{
	static const char *const names[] = { "coalesce", "queue", "drop", "restart" };
	const char *text = cli_str(a, "on-busy", "coalesce");

	for (int i = 0; i < 4; i++)
		if (strcmp(text, names[i]) == 0) {
			o->busy = i;
			return;
		}
	if (strncmp(text, "signal:", 7) != 0)
		cli_usage(a, "--on-busy %s: coalesce, queue, drop, restart or signal:NAME is wanted",
			  text);
	o->busy = BUSY_SIGNAL;
	for (int i = 1; i < NSIG; i++)
		if (sigabbrev_np(i) && strcmp(sigabbrev_np(i), text + 7) == 0)
			o->busy_signal = i;
	if (!o->busy_signal)
		cli_usage(a, "--on-busy %s: there is no such signal", text);
}

/* The first word is a command line for sh; the others are its $1, $2, ... */
static char **in_shell(char **words, int nr)
{
	char **argv = must(calloc((size_t)nr + 4, sizeof(*argv)));
	int n = 0;

	argv[n++] = "sh";
	argv[n++] = "-c";

	argv[n++] = *words++;
	argv[n++] = "xs";
	while (*words)
		argv[n++] = *words++;
	return argv;
}

/* Takes "--exec CMD ARG... [;]" out of the positional arguments: options ended before it. */
static char **take_handler(struct cli_args *a, struct sink_opts *o)
{
	for (int i = 0; i < a->argc; i++) {
		bool per_key = strcmp(a->argv[i], "--exec-per-key") == 0;

		if (!per_key && strcmp(a->argv[i], "--exec") != 0)
			continue;
		if (i + 1 == a->argc)
			cli_usage(a, "%s needs a command", a->argv[i]);
		o->per_key = per_key;
		o->exec = a->argv + i + 1;
		if (cli_has(a, "shell"))
			o->exec = in_shell(o->exec, a->argc - i - 1);
		a->argc = i;
	}
	return o->exec;
}

static int run_watch(struct cli_args *a)
{
	struct session s = {
		.a = a,
		.initial = initial_of(a),
		.depth = cli_num(a, "depth", 0, 1000, -1),
		.left = cli_num(a, "number", 1, 1000000000, -1),
		.from = cli_num(a, "from", 0, LONG_MAX, 0),
		.next_ping_ms = watch_now_ms(),
	};
	struct sink_opts o = {
		.json = a->json,
		.prev = cli_has(a, "prev"),
		.exit_on_fail = cli_has(a, "exit-on-fail"),
		.debounce_ms = cli_ms(a, "debounce", 0),
		.max_wait_ms = cli_ms(a, "max-wait", 0),
		.parallel = cli_num(a, "parallel", 1, HANDLERS_MAX, 1),
	};
	int code, handler;

	if (cli_has(a, "config"))
		return watch_conf_run(a);

	parse_busy(a, &o);
	s.handler = take_handler(a, &o) != NULL;
	if (o.parallel > 1 && (!o.per_key || o.busy > BUSY_QUEUE))
		cli_usage(a, "--parallel goes with --exec-per-key and --on-busy coalesce or queue");
	if (o.busy == BUSY_QUEUE && o.debounce_ms) {
		cli_warn("--debounce keeps the last value of each path: --on-busy queue is coalesce");
		o.busy = BUSY_COALESCE;
	}
	if (a->argc < 1)
		cli_usage(a, "watch: an argument is missing: PATH");
	check_until_word(a);
	if (cli_has(a, "check"))
		return CLI_OK;
	/* what it goes on from would be lost with it */
	while (resume_is() && store_connect() != 0)
		usleep(RECONNECT_US);
	xs_client_set_patience(store(), -1);
	xs_client_on_link(store(), watch_on_link, &s);
	s.sink = sink_create(&o);
	for (int i = 0; i < a->argc; i++)
		watch_add(&s, a->argv[i]);
	parse_until(&s);
	resume_take(&s);
	code = loop(&s);
	handler = sink_finish(s.sink);
	xs_client_on_link(store(), NULL, NULL);
	store_hang_up(); /* ends what is in flight before its owner goes */
	watch_session_free(&s);
	return handler ? handler : code;
}

static const struct cli_opt opts[] = {
	{ 'd', "depth", "N", "not deeper than N levels below PATH" },
	{ 'i', "initial", "WHAT", "at first report the state (default), one event, or none" },
	{ 'f', "from", "GEN", "at first only what changed after this generation (our daemon)" },
	{ 'p', "prev", NULL, "the value before, too" },
	{ 'n', "number", "N", "end after N changes" },
	{ 'u', "until", "PATH=VALUE", "end when this is so" },
	{ 't', "timeout", "TIME", "end with status 124 after TIME" },
	{ 0, "debounce", "TIME",
	  "report when it has been quiet for TIME, last value of each path" },
	{ 0, "max-wait", "TIME", "with --debounce: but not later than this" },
	{ 0, "on-busy", "WHAT",
	  "handler still running: coalesce (default), queue, drop, restart, signal:HUP" },
	{ 0, "parallel", "N", "with --exec-per-key: up to N at once, one at a time for a path" },
	{ 0, "shell", NULL, "the word after --exec is a command line for sh" },
	{ 0, "exit-on-fail", NULL, "end with the handler's status when it fails" },
	{ 0, "on-lost", "WHAT", "connection lost: retry (default) or exit with status 3" },
	{ 'c', "config", "FILE", "options, paths and command from FILE (see below)" },
	{ 0, "check", NULL, "only look whether options and file are right" },
	{ 0, "plain", NULL, "use the protocol's watches even when the daemon can tell more" },
	{ 0, "heartbeat", NULL, "with --json: an event for each proof of life (10 s)" },
	{ 0 },
};

const struct cli_cmd cmd_watch = {
	.name = "watch",
	.args = "PATH... [--exec CMD ARG...|--exec-per-key CMD ARG...]",
	.help = "reports changes as they happen, or runs a command for them",
	.more =
		"PATH may hold * (within a name) and ** (any number of names). Our daemon tells\n"
		"each change with both values, its generation and its author (\"exact\": true).\n"
		"Another one says only that something changed; values are read afterwards and\n"
		"may be newer still: every change is reported at least once, the last value\n"
		"always. With --exec the command gets the events as JSON lines on standard input\n"
		"and the last one in XS_PATH, XS_VALUE, XS_PREV, XS_TYPE, XS_REASON, XS_GEN,\n"
		"XS_DOMID; a value above 131000 bytes is on standard input only. What comes while\n"
		"it runs: with coalesce the last event of each path waits, with queue every\n"
		"one; drop forgets them, restart ends the command first.\n"
		"-n counts changes and not the state at first; xenstore-watch -n counts that, too.\n"
		"What --debounce holds back at the end still has its time. Reconnects by itself\n"
		"and reports what it missed. A --config file has\n"
		"lines OPTION = VALUE with the names of the long options, and path, exec and\n"
		"exec-per-key; path may be repeated. On SIGUSR1 it is read anew: what runs is\n"
		"waited for, and what waits and what was seen are taken along.",
	.example = "xs watch '/status/domain/*/state'\n"
		   "xs watch --json --prev /config | tee changes.ndjson\n"
		   "xs watch '/status/domain/*/state' --exec-per-key logger -t domains",
	.opts = opts,
	.min_args = 0,
	.max_args = -1,
	.stop_at_exec = true,
	.run = run_watch,
};
