/* SPDX-License-Identifier: MIT */
/*
 * watch_session.c - turning "something changed at this path" into events with values. Values are
 * re-read, so they may already be newer: at least once, last value wins. What was seen is
 * watch_state.c; where events go is watch_sink.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "die.h"
#include "glob.h"
#include "json_out.h"
#include "notify.h"
#include "store.h"
#include "watch_session.h"

#define PING_MS 10000

/* One path being read again. */
struct reread {
	struct session *s;
	char *value;
	size_t len;
	int rc;
	char path[];
};

int64_t watch_now_ms(void)
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

void watch_sync_all(struct session *s)
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

	/* the first event of a registration says nothing: the state is read in watch_sync_all() */
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

void watch_on_link(void *arg, bool up)
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

void watch_ping(struct session *s)
{
	if (watch_now_ms() < s->next_ping_ms || s->ping_out)
		return;
	s->next_ping_ms = watch_now_ms() + PING_MS;
	s->ping_out = xs_submit_str(store(), XS_GET_DOMAIN_PATH, 0, "0", on_pong, s) == 0;
}

/* ---- watchers ---- */

void watch_add(struct session *s, const char *typed)
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

void watch_session_free(struct session *s)
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
