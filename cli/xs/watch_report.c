/* SPDX-License-Identifier: MIT */
/*
 * watch_report.c - the events of `xs watch`: which paths are wanted, what an event says, and when
 * the run is done.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "die.h"
#include "glob.h"
#include "json_out.h"
#include "watch_report.h"
#include "watch_session.h"

static json_t *event_new(const char *type, const char *path, bool exact)
{
	struct timeval tv;
	json_t *e;

	gettimeofday(&tv, NULL);
	e = json_pack("{s:i, s:s, s:f, s:b}", "v", 1, "type", type, "ts",
		      tv.tv_sec + tv.tv_usec / 1e6, "exact", exact);
	if (path)
		json_object_set_new(e, "path", json_string(path));
	return e;
}

/* A job in the background of a terminal would write into what is looked at there. */
static bool is_looked_at(void)
{
	pid_t fg = tcgetpgrp(STDERR_FILENO);

	return fg < 0 || fg == getpgrp();
}

/* That nothing comes because nobody is there is not to be mistaken for that nothing happens. */
static void tell_people(struct session *s, const char *type, const char *why)
{
	if (strcmp(type, "lost") == 0 && !s->told_lost) {
		cli_warn("the store was lost: %s", why);
		s->told_lost = true;
	} else if (strcmp(type, "resync") == 0 && s->told_lost) {
		cli_warn("the store is back; what changed meanwhile is told");
		s->told_lost = false;
	}
}

void watch_say(struct session *s, const char *type, const char *why)
{
	json_t *e;

	/* the states of the stream itself are for programs; people see the values */
	if (!s->a->json && !s->handler && is_looked_at())
		tell_people(s, type, why);
	if (!s->a->json || s->handler)
		return;
	e = event_new(type, NULL, false);
	if (why)
		json_object_set_new(e, "why", json_string(why));
	sink_event(s->sink, e, true);
}

bool watch_too_deep(const struct session *s, const char *path, const char *top)
{
	int depth = 0;

	if (s->depth < 0)
		return false;
	for (const char *p = path + (strcmp(top, "/") ? strlen(top) : 0); *p; p++)
		depth += *p == '/' && p[1];
	return depth > s->depth;
}

static bool wants(const struct watcher *w, const char *path)
{
	return path_is_below(w->path, path) && (!w->pattern || glob_match(w->pattern, path)) &&
	       !watch_too_deep(w->s, path, w->path);
}

static bool wanted(const struct session *s, const char *path)
{
	for (const struct watcher *w = s->watchers; w; w = w->next)
		if (wants(w, path))
			return true;
	return false;
}

static void check_until(struct session *s, const struct news *n)
{
	if (s->until_path && strcmp(n->path, s->until_path) == 0 && n->value &&
	    n->len == strlen(s->until_value) && memcmp(n->value, s->until_value, n->len) == 0)
		s->done = true;
}

void watch_report(struct session *s, const struct news *n)
{
	bool initial = strcmp(n->type, "initial") == 0;
	json_t *e;

	/* what is held back is to be the last value */
	if ((s->done && !sink_settles(s->sink)) || !wanted(s, n->path))
		return;
	e = event_new(n->type, n->path, n->exact);
	if (n->value)
		json_object_set_new(e, "value", json_value(n->value, n->len));
	if (n->prev && cli_has(s->a, "prev"))
		json_object_set_new(e, "prev", json_value(n->prev, n->prev_len));
	if (n->perms)
		json_object_set_new(e, "perms", json_perms(n->perms, n->perms_len));
	if (n->gen)
		json_object_set_new(e, "gen", json_integer((json_int_t)n->gen));
	if (n->exact && n->domid != XS_BULK_NOBODY)
		json_object_set_new(e, "dom", json_integer(n->domid));
	if (n->tx)
		json_object_set_new(e, "tx", json_integer(n->tx));
	if (s->done) {
		sink_replace(s->sink, e);
		return;
	}
	sink_event(s->sink, e, initial);
	check_until(s, n);
	if (!initial && s->left > 0 && --s->left == 0)
		s->done = true;
}

struct news news_of(const char *type, const char *path, const struct seen *before)
{
	return (struct news){
		.type = type, .path = path, .prev = before ? before->value : NULL,
		.prev_len = before && before->value ? before->len : 0,
	};
}
