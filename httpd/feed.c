/* SPDX-License-Identifier: MIT */
/* feed.c - see feed.h. */
#include "feed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>
#include <jansson.h>
#include <xs.h>
#include <xs_bulk_reader.h>

#include "die.h"
#include "events.h"
#include "httpd.h"
#include "json_out.h"
#include "log.h"
#include "long_value.h"
#include "meaning.h"
#include "shadow.h"
#include "side.h"
#include "store.h"

static const struct timeval at_once = { 0, 0 }, soon = { 1, 0 };

struct feed {
	struct httpd *srv;
	struct xs_client *client;
	struct event *readable, *retry, *settle;
	struct xs_bulk_reader reader;
	struct xs_client_watch *watch;
	struct shadow shadow;
	bool up;	/* the connection is there */
	int rc;		/* why there is none */
	bool settled;	/* the shadow is what the store is, but for what comes by the feed */
	bool known;	/* it was once */
	uint64_t seq;	/* of the feed: the shadow has all up to here */
};

static void stream_start(struct feed *f);

/* ---- what is told of a change ---- */

/* A long value is not told, only that there is one: who wants it reads it. */
static void put_value(json_t *o, const char *path, const char *value, size_t len)
{
	char text[64];
	const char *means = meaning_decode(path, value, len, text, sizeof(text));

	if (means)
		json_object_set_new(o, "means", json_string(means));
	if (long_is_mark_of(path, value, len, NULL))
		json_object_set_new(o, "long", json_true());
	else
		json_object_set_new(o, "value", json_value(value, len));
}

static void add(struct feed *f, const char *path, json_t *o, bool gone)
{
	if (gone)
		json_object_set_new(o, "gone", json_true());
	if (!long_is_part(path, NULL))
		changes_add(&f->srv->changes, f->srv->changes.newest + 1, path, gone,
			    json_dumps(o, JSON_COMPACT | JSON_SORT_KEYS));
	json_decref(o);
}

static void tell_record(struct feed *f, const struct xs_bulk_view *v)
{
	char *path = must(strndup(v->name, v->rec.name_len));
	json_t *o = json_pack("{s:s, s:i}", "path", path, "by", (int)v->rec.domid);

	shadow_note(&f->shadow, v, path);
	if (v->rec.kind == XS_BULK_PUT)
		put_value(o, path, v->value, v->rec.value_len);
	if (v->rec.kind == XS_BULK_PERMS)
		json_object_set_new(o, "perms", json_perms(v->perms, v->rec.perms_len));
	add(f, path, o, v->rec.kind == XS_BULK_DEL);
	free(path);
}

/* What changed while there was no feed: nobody knows who did it. */
static void tell_difference(void *arg, const char *path, const struct xs_node *n, bool perms)
{
	json_t *o = json_pack("{s:s}", "path", path);

	if (n && perms)
		json_object_set_new(o, "perms", json_perms(n->perms, n->perms_len));
	else if (n && n->value)
		put_value(o, path, n->value, n->value_len);
	add(arg, path, o, !n);
}

/* ---- by CONTROL feed ---- */

static int on_record(void *arg, const struct xs_bulk_view *v)
{
	struct feed *f = arg;

	if (v->rec.kind != XS_BULK_BEGIN && v->rec.seq > f->seq)
		tell_record(f, v);
	return 0;
}

/* Until it is known what they are changes of, they are only kept: it stops at the first. */
static int keep_record(void *arg, const struct xs_bulk_view *v)
{
	(void)arg;
	(void)v;
	return 1;
}

static void take(struct feed *f, const char *data, size_t len)
{
	if (xs_bulk_read(&f->reader, data, len, f->settled ? on_record : keep_record, f) < 0)
		cli_die(CLI_FAIL, "the daemon sends changes that cannot be read");
	if (f->settled)
		streams_wake(f->srv);
}

static void begin_anew(struct feed *f)
{
	if (changes_begin(&f->srv->changes, f->srv->changes.newest) != 0)
		cli_die(CLI_FAIL, "there is no randomness");
}

static bool has_generations(const struct xs_node *root)
{
	for (const struct xs_node *n = root; n; n = xs_tree_next(root, n))
		if (n->gen)
			return true;
	return false;
}

/* The state behind the feed's begin: by the connection of requests, which may be waited for. */
static void on_settle(evutil_socket_t fd, short what, void *arg)
{
	struct feed *f = arg;
	struct xs_node *root;

	(void)fd;
	(void)what;
	if (!side_connect() ||
	    xs_tree_read(store(), 0, "/", -1, XS_TREE_VALUES | XS_TREE_PERMS, &root) != 0) {
		if (f->up)
			evtimer_add(f->settle, &soon);
		return;
	}
	shadow_compare(&f->shadow, root, f->known ? tell_difference : NULL, f);
	/* more than is dumped at once: there are no generations, and no place in the feed */
	if (!has_generations(root))
		begin_anew(f);
	f->seq = root->seq;
	f->settled = f->known = true;
	xs_tree_free(root);
	take(f, "", 0);
}

static void on_watched(void *arg, const char *path);

static void watch_instead(struct feed *f)
{
	log_debug("no feed for this user: changes are watched for");
	evtimer_del(f->settle);
	if (xs_client_watch(f->client, "/", -1, on_watched, f, NULL, &f->watch) != 0)
		log_warnx("the store cannot be watched: nobody is told of changes");
}

static void on_part(void *arg, int rc, const char *data, size_t len)
{
	struct feed *f = arg;

	if (!rc && len) {
		if (!f->settled)
			evtimer_add(f->settle, &at_once);
		take(f, data, len);
		return;
	}
	xs_bulk_reader_fini(&f->reader);
	f->reader = (struct xs_bulk_reader){ 0 };
	f->settled = false;
	if (!rc)
		stream_start(f); /* it was too much at once, or the past was restored */
	else if (rc != -ECANCELED && rc != -EIO)
		watch_instead(f);
}

static void stream_start(struct feed *f)
{
	struct iovec iov[2] = { { (void *)"feed", 5 }, { (void *)"/", 2 } };

	if (xs_submit_stream(f->client, iov, 2, on_part, f) != 0)
		watch_instead(f);
}

/* ---- by a watch ---- */

struct look {
	struct feed *f;
	char path[];
};

static void on_looked(void *arg, int rc, const char *data, size_t len)
{
	struct look *l = arg;
	json_t *o;

	if (!rc || rc == -ENOENT) {
		o = json_pack("{s:s}", "path", l->path);
		if (!rc)
			put_value(o, l->path, data, len);
		add(l->f, l->path, o, rc != 0);
		streams_wake(l->f->srv);
	}
	free(l);
}

/* That of the root comes when the watch begins, again, too: what was between is not known. */
static void on_watched(void *arg, const char *path)
{
	struct feed *f = arg;
	struct look *l;

	if (strcmp(path, "/") == 0) {
		begin_anew(f);
		streams_wake(f->srv);
		return;
	}
	if (long_is_part(path, NULL))
		return;
	l = must(malloc(sizeof(*l) + strlen(path) + 1));
	l->f = f;
	strcpy(l->path, path);
	if (xs_submit_str(f->client, XS_READ, 0, path, on_looked, l) != 0)
		free(l);
}

/* ---- the connection ---- */

static void on_link(void *arg, bool up)
{
	struct feed *f = arg;

	f->up = up;
	streams_link(f->srv, up);
	if (up && !f->watch)
		stream_start(f);
}

static void on_readable(evutil_socket_t fd, short what, void *arg)
{
	struct feed *f = arg;

	(void)fd;
	(void)what;
	xs_client_dispatch(f->client);
}

static void open_store(evutil_socket_t fd, short what, void *arg)
{
	struct feed *f = arg;
	int rc = xs_client_open(&f->client, NULL);

	(void)fd;
	(void)what;
	f->rc = rc;
	if (rc) {
		log_debug("the store does not answer: %s", strerror(-rc));
		evtimer_add(f->retry, &soon);
		return;
	}
	xs_client_set_patience(f->client, -1);
	xs_client_on_link(f->client, on_link, f);
	f->readable = event_new(f->srv->base, xs_client_fd(f->client), EV_READ | EV_PERSIST,
				on_readable, f);
	event_add(must(f->readable), NULL);
	f->up = true;
	stream_start(f);
	xs_client_dispatch(f->client);
}

struct feed *feed_create(struct httpd *srv)
{
	struct feed *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->srv = srv;
	f->retry = evtimer_new(srv->base, open_store, f);
	f->settle = evtimer_new(srv->base, on_settle, f);
	if (!f->retry || !f->settle) {
		free(f);
		return NULL;
	}
	open_store(-1, 0, f);
	return f;
}

void feed_destroy(struct feed *f)
{
	xs_client_close(f->client);
	if (f->readable)
		event_free(f->readable);
	event_free(f->retry);
	event_free(f->settle);
	shadow_clear(&f->shadow);
	xs_bulk_reader_fini(&f->reader);
	free(f);
}

int feed_error(const struct feed *f)
{
	return f->rc;
}

bool feed_is_up(const struct feed *f)
{
	return f->up;
}
