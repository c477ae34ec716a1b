/* SPDX-License-Identifier: MIT */
/*
 * watch_session.c - the state at first, then what changes. Our daemon tells each change
 * (watch_feed.c); from another one an event says no more than a path, and values are re-read, so
 * they may already be newer: at least once, last value wins. What was seen is watch_state.c, kept
 * to tell after a gap what is different; where events go is watch_sink.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "die.h"
#include "glob.h"
#include "json_out.h"
#include "long_value.h"
#include "notify.h"
#include "store.h"
#include "watch_report.h"
#include "watch_reread.h"
#include "watch_session.h"

#define PING_MS 10000

int64_t watch_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

/* ---- events by the protocol: something changed there ---- */

/* Nodes that came to be on the way to @path have no event of their own. */
static void reread_new_parents(struct watcher *w, const char *path)
{
	char parent[XENSTORE_ABS_PATH_MAX + 1];

	if (seen_find(&w->s->map, path))
		return;
	for (size_t len = strlen(w->path); path[len]; len++) {
		if (path[len] != '/' || len == 0 || len >= sizeof(parent))
			continue;
		memcpy(parent, path, len);
		parent[len] = '\0';
		if (!seen_find(&w->s->map, parent) && !watch_too_deep(w->s, parent, w->path))
			watch_reread(w->s, parent);
	}
}

static void on_event(void *arg, const char *path)
{
	struct watcher *w = arg;
	struct session *s = w->s;
	struct news n;

	/* the first event of a registration says nothing: the state is read in watch_sync_all() */
	if (w->expected && strcmp(path, w->path) == 0) {
		w->expected = false;
		return;
	}
	if (long_is_part(path, NULL))
		return; /* the mark has an event of its own */
	n = news_of("special", path, NULL);
	if (path[0] == '@') {
		watch_report(s, &n);
		return;
	}
	reread_new_parents(w, path);
	watch_reread(s, path);
}

static void on_registered(void *arg, int rc, const char *data, size_t len)
{
	struct watcher *w = arg;

	(void)data;
	(void)len;
	if (rc)
		store_failed(w->path, rc);
}

/* Not from a callback: waits for the daemon's answer. */
static void watch_plainly(struct watcher *w)
{
	w->plain = w->registered = w->expected = true;
	if (xs_client_watch(store(), w->path, w->s->depth, on_event, w, on_registered, NULL) != 0)
		cli_die(CLI_FAIL, "cannot watch %s", w->path);
	xs_client_wait(store());
}

/* ---- events of our daemon: exactly what changed ---- */

static const char *type_of(const struct xs_bulk_view *v)
{
	return v->rec.kind == XS_BULK_DEL ? "del" : v->rec.kind == XS_BULK_PERMS ? "perms" : "put";
}

/* Whether an earlier watcher's subscription brings the same change. */
static bool told_already(const struct watcher *w, const char *path)
{
	for (const struct watcher *o = w->s->watchers; o != w; o = o->next)
		if (o->feed.live && !o->feed.waiting && path_is_below(o->path, path) &&
		    !watch_too_deep(o->s, path, o->path))
			return true;
	return false;
}

static void remember(struct session *s, const char *path, const struct xs_bulk_view *v)
{
	struct seen *seen = v->rec.kind == XS_BULK_DEL ? seen_find(&s->map, path) : NULL;
	bool fresh;

	if (seen)
		seen_remove(&s->map, seen);
	else if (v->rec.kind != XS_BULK_DEL)
		seen_set(seen_put(&s->map, path, &fresh), v->value, v->rec.value_len, v->perms,
			 v->rec.perms_len);
}

/* A mark stood for what we have seen there. */
static void take_long_prev(const struct session *s, struct news *n)
{
	const struct seen *seen = n->prev && long_is_mark(n->prev, n->prev_len, NULL) ?
				  seen_find(&s->map, n->path) : NULL;

	if (seen && seen->value) {
		n->prev = seen->value;
		n->prev_len = seen->len;
	}
}

static void on_change(void *arg, const struct xs_bulk_view *v)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct watcher *w = arg;
	struct news n = {
		.type = type_of(v), .path = path, .gen = v->rec.gen, .exact = true,
		.domid = v->rec.domid, .tx = v->rec.tx,
	};

	if (v->rec.name_len >= sizeof(path))
		return;
	memcpy(path, v->name, v->rec.name_len);
	path[v->rec.name_len] = '\0';
	if (watch_too_deep(w->s, path, w->path) || long_is_part(path, NULL) ||
	    told_already(w, path))
		return;
	if (v->rec.kind == XS_BULK_PUT && long_is_mark_of(path, v->value, v->rec.value_len, NULL)) {
		watch_reread(w->s, path);
		return;
	}
	if (v->rec.kind != XS_BULK_DEL) {
		n.value = v->value;
		n.len = v->rec.value_len;
	}
	if (v->rec.kind != XS_BULK_PERMS && !(v->rec.flags & XS_BULK_CREATED)) {
		n.prev = v->prev;
		n.prev_len = v->rec.prev_len;
		take_long_prev(w->s, &n);
	}
	if (v->rec.kind == XS_BULK_PERMS) {
		n.perms = v->perms;
		n.perms_len = v->rec.perms_len;
	}
	watch_report(w->s, &n);
	remember(w->s, path, v);
}

static void on_feed_end(void *arg, int rc)
{
	struct watcher *w = arg;
	struct session *s = w->s;

	if (rc == -EIO && s->down)
		return; /* watch_on_link() does the rest */
	if (rc != 0 && rc != -EIO) {
		w->plain = true;
		return;
	}
	watch_say(s, "lost", rc ? "the daemon withdrew changes" :
				  "changes came faster than they were taken: what follows is the "
				  "outcome");
	w->resync = true;
}

/* ---- a whole subtree: at the start and after a reconnect ---- */

static void take_node(struct session *s, const struct xs_node *node, bool initial)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct seen *seen;
	struct news n;
	bool fresh, equal, same_perms;

	xs_tree_path(node, path, sizeof(path));
	seen = seen_put(&s->map, path, &fresh);
	seen->round = s->round;
	equal = !fresh && bytes_same(seen->value, seen->len, node->value, node->value_len);
	same_perms = fresh || !node->perms || !seen->perms ||
		     bytes_same(seen->perms, seen->perms_len, node->perms, node->perms_len);
	n = news_of(initial ? "initial" : equal ? "perms" : "put", path, fresh ? NULL : seen);
	n.value = node->value;
	n.len = node->value_len;
	n.gen = node->gen;
	n.perms = initial || !equal ? NULL : node->perms;
	n.perms_len = node->perms_len;
	if (initial ? s->initial == INITIAL_STATE && (!node->gen || node->gen > s->from) :
		      !equal || !same_perms)
		watch_report(s, &n);
	seen_set(seen, node->value, node->value_len, node->perms, node->perms_len);
}

static void gone_meanwhile(void *arg, struct seen *seen)
{
	struct session *s = arg;

	if (seen->round != s->round)
		watch_report_gone(s, seen);
}

static void report_initial(struct watcher *w, const struct xs_node *root)
{
	struct news n = news_of("initial", w->path, NULL);

	n.value = root ? root->value : NULL;
	n.len = root ? root->value_len : 0;
	n.gen = root ? root->gen : 0;
	watch_report(w->s, &n);
}

static int read_state(struct session *s, struct watcher *w, struct xs_node **root)
{
	*root = NULL;
	return long_tree_read(0, w->path, s->depth, XS_TREE_VALUES | XS_TREE_PERMS, root);
}

/* Registered first, read then: no gap. Not from a callback: waits. */
static int subscribe_and_read(struct session *s, struct watcher *w, struct xs_node **root)
{
	int rc;

	if (!w->plain && !w->feed.live && watch_feed_start(&w->feed, w->path) != 0)
		w->plain = true;
	rc = read_state(s, w, root);
	if (!w->plain || w->registered)
		return rc;
	/* the answer to the subscription was that there is no such thing */
	xs_tree_free(*root);
	watch_plainly(w);
	return read_state(s, w, root);
}

static void sync_watcher(struct session *s, struct watcher *w)
{
	struct xs_node *root;
	int rc;

	s->round++;
	if (w->path[0] == '@') {
		if (!w->started && s->initial != INITIAL_NONE)
			report_initial(w, NULL);
		return;
	}
	rc = subscribe_and_read(s, w, &root);
	if (rc && rc != -ENOENT)
		store_failed(w->path, rc);
	if (!w->started && s->initial == INITIAL_EVENT)
		report_initial(w, root);
	for (struct xs_node *n = root; n; n = xs_tree_next(root, n))
		take_node(s, n, !w->started);
	if (w->started)
		seen_below(&s->map, w->path, gone_meanwhile, s);
	watch_feed_go(&w->feed, root ? root->seq : 0);
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
			watch_say(s, "resync", NULL);
		} else if (--s->unsynced == 0) {
			watch_say(s, "synced", NULL);
			notify_service("READY=1\nSTATUS=watching");
		}
	}
}

void watch_on_link(void *arg, bool up)
{
	struct session *s = arg;

	for (struct watcher *w = s->watchers; w; w = w->next) {
		if (up)
			w->resync = true;
		else
			w->expected = w->registered;
	}
	s->down = !up;
	if (!up) {
		watch_say(s, "lost", "no connection");
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
		watch_say(s, "heartbeat", NULL);
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
	w->feed.fn = on_change;
	w->feed.end = on_feed_end;
	w->feed.arg = w;
	w->plain = cli_has(s->a, "plain");
	w->resync = true;
	w->next = s->watchers;
	s->watchers = w;
	s->unsynced++;
	if (w->path[0] == '@')
		watch_plainly(w);
}

void watch_session_free(struct session *s)
{
	while (s->watchers) {
		struct watcher *w = s->watchers;

		s->watchers = w->next;
		watch_feed_fini(&w->feed);
		free(w->path);
		free(w->pattern);
		free(w);
	}
	seen_clear(&s->map);
	free(s->until_path);
}
