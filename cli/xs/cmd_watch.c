/* SPDX-License-Identifier: MIT */
/*
 * cmd_watch.c - `xs watch`: what changes, as it changes. The protocol says only that something
 * changed at a path: values are re-read and may already be newer. At least once, last value wins.
 * Remembering values is watch_state.c; output and handlers are watch_sink.c.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "cmds.h"
#include "die.h"
#include "glob.h"
#include "json_out.h"
#include "notify.h"
#include "store.h"
#include "watch_sink.h"
#include "watch_state.h"

#define PING_MS 10000

enum initial { INITIAL_STATE, INITIAL_EVENT, INITIAL_NONE };

struct watcher {
	struct watcher *next;
	struct session *s;
	char *pattern; /* as given; NULL: no wildcards */
	char *path;    /* what is watched */
	bool started;  /* its first event came */
	bool resync;   /* its subtree is to be read: at the start, after a reconnect */
	bool expected; /* the event that a registration itself causes is still to come */
};

struct session {
	struct cli_args *a;
	struct sink *sink;
	struct watcher *watchers;
	struct seen_map map;
	enum initial initial;
	int depth;
	unsigned int unsynced; /* watchers whose initial state is not read yet */
	unsigned int round;
	long left; /* changes to report before ending; <0: no end */
	char *until_path, *until_value;
	bool done;
	int64_t next_ping_ms;
	bool ping_out;
};

/* One path being read again. */
struct reread {
	struct session *s;
	char *value;
	size_t len;
	int rc;
	char path[];
};

static int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* ---- events out ---- */

static json_t *event_new(const char *type, const char *path)
{
	struct timeval tv;
	json_t *e;

	gettimeofday(&tv, NULL);
	e = json_pack("{s:i, s:s, s:f, s:b}", "v", 1, "type", type, "ts",
		      tv.tv_sec + tv.tv_usec / 1e6, "exact", 0);
	if (path)
		json_object_set_new(e, "path", json_string(path));
	return e;
}

static void say(struct session *s, const char *type)
{
	/* the states of the stream itself are for programs; people see the values */
	if (s->a->json && !cli_has(s->a, "exec"))
		sink_event(s->sink, event_new(type, NULL), true);
}

static bool wanted(const struct session *s, const char *path)
{
	for (const struct watcher *w = s->watchers; w; w = w->next)
		if (path_is_below(w->path, path) && (!w->pattern || glob_match(w->pattern, path)))
			return true;
	return false;
}

static void check_until(struct session *s, const char *path, const char *value, size_t len)
{
	if (s->until_path && strcmp(path, s->until_path) == 0 && value &&
	    len == strlen(s->until_value) && memcmp(value, s->until_value, len) == 0)
		s->done = true;
}

static void report(struct session *s, const char *type, const char *path, const char *value,
		   size_t len, const struct seen *before)
{
	bool initial = strcmp(type, "initial") == 0;
	json_t *e;

	if (!wanted(s, path) || s->done)
		return;
	e = event_new(type, path);
	if (value)
		json_object_set_new(e, "value", json_value(value, len));
	if (before && before->value && cli_has(s->a, "prev"))
		json_object_set_new(e, "prev", json_value(before->value, before->len));
	sink_event(s->sink, e, initial);
	check_until(s, path, value, len);
	if (!initial && s->left > 0 && --s->left == 0)
		s->done = true;
}

static void report_gone(void *arg, struct seen *seen)
{
	struct session *s = arg;

	report(s, "del", seen->path, NULL, 0, seen);
	seen_remove(&s->map, seen);
}

/* ---- re-reading one path ---- */

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a && b && a_len == b_len && memcmp(a, b, a_len) == 0;
}

static void reread_perms(void *arg, int rc, const char *perms, size_t perms_len)
{
	struct reread *r = arg;
	struct session *s = r->s;
	struct seen *seen;
	bool fresh, perms_only;

	if (r->rc == -ENOENT || rc == -ENOENT) {
		fresh = !seen_find(&s->map, r->path);
		seen_below(&s->map, r->path, report_gone, s);
		/* removed before we ever saw it: still worth a line, unless all we knew is gone */
		if (fresh && r->rc == -ENOENT)
			report(s, "del", r->path, NULL, 0, NULL);
	} else {
		seen = seen_put(&s->map, r->path, &fresh);
		perms_only = !fresh && same(seen->value, seen->len, r->value, r->len) && !rc &&
			     !same(seen->perms, seen->perms_len, perms, perms_len);
		report(s, perms_only ? "perms" : "put", r->path, r->value, r->len,
		       fresh ? NULL : seen);
		seen_set(seen, r->value, r->len, rc ? NULL : perms, perms_len);
	}
	free(r->value);
	free(r);
}

static void reread_value(void *arg, int rc, const char *data, size_t len)
{
	struct reread *r = arg;

	r->rc = rc;
	if (rc)
		return;
	r->value = malloc(len + 1);
	if (!r->value)
		cli_die(CLI_FAIL, "out of memory");
	memcpy(r->value, data, len + 1);
	r->len = len;
}

static void reread(struct session *s, const char *path)
{
	size_t len = strlen(path) + 1;
	struct reread *r = calloc(1, sizeof(*r) + len);

	if (!r)
		cli_die(CLI_FAIL, "out of memory");
	r->s = s;
	memcpy(r->path, path, len);
	/* answers come in this order; the second finds what the first left in r */
	xs_submit_str(store(), XS_READ, 0, path, reread_value, r);
	xs_submit_str(store(), XS_GET_PERMS, 0, path, reread_perms, r);
}

/* ---- a whole subtree: at the start and after a reconnect ---- */

static void take_node(struct session *s, const struct xs_node *n, const char *type)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct seen *seen;
	bool fresh, equal;

	xs_tree_path(n, path, sizeof(path));
	seen = seen_put(&s->map, path, &fresh);
	seen->round = s->round;
	equal = !fresh && same(seen->value, seen->len, n->value, n->value_len);
	if (strcmp(type, "initial") == 0 ? s->initial == INITIAL_STATE : !equal)
		report(s, type, path, n->value, n->value_len, fresh ? NULL : seen);
	seen_set(seen, n->value, n->value_len, n->perms, n->perms_len);
}

static void gone_meanwhile(void *arg, struct seen *seen)
{
	struct session *s = arg;

	if (seen->round != s->round)
		report_gone(s, seen);
}

/* Not from a callback: reads and waits. */
static void sync_watcher(struct session *s, struct watcher *w)
{
	const char *type = w->started ? "put" : "initial";
	struct xs_node *root = NULL;
	int rc;

	s->round++;
	if (w->path[0] == '@') {
		if (!w->started && s->initial != INITIAL_NONE)
			report(s, "initial", w->path, NULL, 0, NULL);
		return;
	}
	rc = xs_tree_read(store(), 0, w->path, s->depth, XS_TREE_VALUES | XS_TREE_PERMS, &root);
	if (rc && rc != -ENOENT)
		store_failed(w->path, rc);
	if (!w->started && s->initial == INITIAL_EVENT)
		report(s, "initial", w->path, root ? root->value : NULL,
		       root ? root->value_len : 0, NULL);
	for (struct xs_node *n = root; n; n = xs_tree_next(root, n))
		take_node(s, n, type);
	if (w->started)
		seen_below(&s->map, w->path, gone_meanwhile, s);
	xs_tree_free(root);
}

static void sync_all(struct session *s)
{
	for (struct watcher *w = s->watchers; w; w = w->next) {
		bool first = !w->started;

		if (!w->resync)
			continue;
		w->resync = false;
		sync_watcher(s, w);
		w->started = true;
		if (!first) {
			say(s, "resync");
		} else if (--s->unsynced == 0) {
			say(s, "synced");
			notify_service("READY=1\nSTATUS=watching");
		}
	}
}

/* ---- callbacks ---- */

static void on_event(void *arg, const char *path)
{
	struct watcher *w = arg;
	struct session *s = w->s;

	/* the first event of a registration says nothing: the state is read in sync_all() */
	if (w->expected && strcmp(path, w->path) == 0) {
		w->expected = false;
		return;
	}
	if (path[0] == '@')
		report(s, "special", path, NULL, 0, NULL);
	else
		reread(s, path);
}

static void on_registered(void *arg, int rc, const char *data, size_t len)
{
	struct watcher *w = arg;

	(void)data;
	(void)len;
	if (rc)
		store_failed(w->path, rc);
}

static void on_link(void *arg, bool up)
{
	struct session *s = arg;

	for (struct watcher *w = s->watchers; w; w = w->next) {
		if (up)
			w->resync = true;
		else
			w->expected = true;
	}
	if (!up) {
		say(s, "lost");
		if (strcmp(cli_str(s->a, "on-lost", "retry"), "exit") == 0)
			cli_die(CLI_NO_STORE, "the connection to the store was lost");
		return;
	}
	s->ping_out = false;
}

static void on_pong(void *arg, int rc, const char *data, size_t len)
{
	struct session *s = arg;

	(void)data;
	(void)len;
	s->ping_out = false;
	if (rc == -ECANCELED)
		return;
	notify_service("WATCHDOG=1");
	if (cli_has(s->a, "heartbeat"))
		say(s, "heartbeat");
}

static void ping(struct session *s)
{
	if (now_ms() < s->next_ping_ms || s->ping_out)
		return;
	s->next_ping_ms = now_ms() + PING_MS;
	s->ping_out = xs_submit_str(store(), XS_GET_DOMAIN_PATH, 0, "0", on_pong, s) == 0;
}

/* ---- the command ---- */

static void watcher_add(struct session *s, const char *typed)
{
	struct watcher *w = calloc(1, sizeof(*w));

	if (!w)
		cli_die(CLI_FAIL, "out of memory");
	w->s = s;
	w->path = store_path(typed);
	if (glob_is_pattern(w->path)) {
		w->pattern = strdup(w->path);
		w->path[glob_base_len(w->path)] = '\0';
	}
	w->resync = w->expected = true;
	w->next = s->watchers;
	s->watchers = w;
	s->unsynced++;
	if (xs_client_watch(store(), w->path, s->depth, on_event, w, on_registered, NULL) != 0)
		cli_die(CLI_FAIL, "cannot watch %s", w->path);
}

static int wait_time(const struct session *s, int64_t deadline_ms)
{
	int wait = sink_wait_ms(s->sink);
	int64_t now = now_ms(), next = s->next_ping_ms;

	if (deadline_ms >= 0 && deadline_ms < next)
		next = deadline_ms;
	if (next - now < wait || wait < 0)
		wait = next > now ? (int)(next - now) : 0;
	return wait;
}

static int loop(struct session *s)
{
	long timeout = cli_ms(s->a, "timeout", -1);
	int64_t deadline_ms = timeout < 0 ? -1 : now_ms() + timeout;

	xs_client_wait(store()); /* registrations first, then the reading: no gap */
	while (!s->done && !sink_failed(s->sink)) {
		sync_all(s);
		if (s->done)
			break;
		ping(s);
		if (xs_client_run(store(), wait_time(s, deadline_ms)) != 0)
			return CLI_NO_STORE;
		sink_tick(s->sink);
		if (deadline_ms >= 0 && now_ms() >= deadline_ms)
			return CLI_TIMEOUT;
	}
	return CLI_OK;
}

static void session_free(struct session *s)
{
	while (s->watchers) {
		struct watcher *w = s->watchers;

		s->watchers = w->next;
		free(w->path);
		free(w->pattern);
		free(w);
	}
	seen_clear(&s->map);
	free(s->until_path);
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

static void parse_until(struct session *s)
{
	char *text = (char *)cli_str(s->a, "until", NULL), *equal;

	if (!text)
		return;
	equal = strchr(text, '=');
	if (!equal)
		cli_usage(s->a, "--until %s: PATH=VALUE is wanted", text);
	*equal = '\0';
	s->until_path = store_path(text);
	s->until_value = equal + 1;
}

static void parse_busy(struct cli_args *a, struct sink_opts *o)
{
	static const char *const names[] = { "queue", "drop", "restart" };
	const char *text = cli_str(a, "on-busy", "queue");

	for (int i = 0; i < 3; i++)
		if (strcmp(text, names[i]) == 0) {
			o->busy = i;
			return;
		}
	if (strncmp(text, "signal:", 7) != 0)
		cli_usage(a, "--on-busy %s: queue, drop, restart or signal:NAME is wanted", text);
	o->busy = BUSY_SIGNAL;
	for (int i = 1; i < NSIG; i++)
		if (sigabbrev_np(i) && strcmp(sigabbrev_np(i), text + 7) == 0)
			o->busy_signal = i;
	if (!o->busy_signal)
		cli_usage(a, "--on-busy %s: there is no such signal", text);
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
		.next_ping_ms = now_ms() + PING_MS,
	};
	struct sink_opts o = {
		.json = a->json,
		.prev = cli_has(a, "prev"),
		.exit_on_fail = cli_has(a, "exit-on-fail"),
		.debounce_ms = cli_ms(a, "debounce", 0),
		.max_wait_ms = cli_ms(a, "max-wait", 0),
	};
	int code, handler;

	parse_busy(a, &o);
	take_handler(a, &o);
	if (a->argc < 1)
		cli_usage(a, "watch: an argument is missing: PATH");
	xs_client_set_patience(store(), -1);
	xs_client_on_link(store(), on_link, &s);
	s.sink = sink_create(&o);
	for (int i = 0; i < a->argc; i++)
		watcher_add(&s, a->argv[i]);
	parse_until(&s);
	code = loop(&s);
	handler = sink_finish(s.sink);
	xs_client_on_link(store(), NULL, NULL);
	store_hang_up(); /* ends what is in flight before its owner goes */
	session_free(&s);
	return handler ? handler : code;
}

static const struct cli_opt opts[] = {
	{ 'd', "depth", "N", "not deeper than N levels below PATH" },
	{ 'i', "initial", "WHAT", "at first report the state (default), one event, or none" },
	{ 'p', "prev", NULL, "the value before, too" },
	{ 'n', "number", "N", "end after N changes" },
	{ 'u', "until", "PATH=VALUE", "end when this is so" },
	{ 't', "timeout", "TIME", "end with status 124 after TIME" },
	{ 0, "debounce", "TIME", "report when it has been quiet for TIME, last value of each path" },
	{ 0, "max-wait", "TIME", "with --debounce: but not later than this" },
	{ 0, "on-busy", "WHAT", "handler still running: queue (default), drop, restart, signal:HUP" },
	{ 0, "exit-on-fail", NULL, "end with the handler's status when it fails" },
	{ 0, "on-lost", "WHAT", "connection lost: retry (default) or exit with status 3" },
	{ 0, "heartbeat", NULL, "with --json: an event for each proof of life (10 s)" },
	{ 0 },
};

const struct cli_cmd cmd_watch = {
	.name = "watch",
	.args = "PATH... [--exec CMD ARG...|--exec-per-key CMD ARG...]",
	.help = "reports changes as they happen, or runs a command for them",
	.more = "PATH may hold * (within a name) and ** (any number of names). The store says only\n"
		"that something changed; values are read afterwards and may be newer still: every\n"
		"change is reported at least once, the last value always. With --exec the command\n"
		"gets the events as JSON lines on standard input and the last one in XS_PATH,\n"
		"XS_VALUE, XS_PREV, XS_TYPE. Reconnects by itself and reports what it missed.",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.stop_at_exec = true,
	.run = run_watch,
};
