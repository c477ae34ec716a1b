/* SPDX-License-Identifier: MIT */
/*
 * watch.c - the table of watches by path, and who gets which event.
 * Source: docs/misc/xenstore.txt of Xen, WATCH; rules C5 and C7.
 */
#include "watch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "conn.h"
#include "server.h"
#include "view.h"

#define FIRST_BUCKETS 512

static uint32_t watch_hash(const char *path, size_t len)
{
	uint32_t h = PATH_HASH_SEED;

	for (size_t i = 0; i < len; i++)
		h = path_hash_step(h, path[i]);
	return h;
}

int watch_table_init(struct watch_table *t)
{
	*t = (struct watch_table){ .nr_buckets = FIRST_BUCKETS, .next_id = 1 };
	t->bucket = calloc(FIRST_BUCKETS, sizeof(*t->bucket));
	return t->bucket ? 0 : -ENOMEM;
}

void watch_table_fini(struct watch_table *t)
{
	free(t->bucket);
	*t = (struct watch_table){ 0 };
}

void fire_list_fini(struct fire_list *l)
{
	free(l->e);
	buf_fini(&l->paths);
	*l = (struct fire_list){ 0 };
}

static struct watch_path **bucket_of(const struct watch_table *t, uint32_t hash)
{
	return &t->bucket[(hash ^ hash >> 16) & (t->nr_buckets - 1)];
}

static struct watch_path *watch_path_find(const struct watch_table *t, const char *path,
					  size_t len, uint32_t hash)
{
	struct watch_path *wp;

	for (wp = *bucket_of(t, hash); wp; wp = wp->hash_next) {
		if (wp->hash == hash && wp->len == len && memcmp(wp->path, path, len) == 0)
			break;
	}
	return wp;
}

/* Doubles the table. A failure only makes the chains longer. */
static void watch_table_grow(struct watch_table *t)
{
	struct watch_path **old = t->bucket;
	size_t nr_old = t->nr_buckets;
	struct watch_path **bucket = calloc(nr_old * 2, sizeof(*bucket));

	if (!bucket)
		return;
	t->bucket = bucket;
	t->nr_buckets = nr_old * 2;
	for (size_t i = 0; i < nr_old; i++) {
		struct watch_path *next;

		for (struct watch_path *wp = old[i]; wp; wp = next) {
			struct watch_path **at = bucket_of(t, wp->hash);

			next = wp->hash_next;
			wp->hash_next = *at;
			*at = wp;
		}
	}
	free(old);
}

static struct watch_path *watch_path_get(struct watch_table *t, const struct xs_path *path)
{
	uint32_t hash = watch_hash(path->text, path->len);
	struct watch_path *wp = watch_path_find(t, path->text, path->len, hash);
	struct watch_path **at;

	if (wp)
		return wp;
	wp = calloc(1, sizeof(*wp) + path->len + 1);
	if (!wp)
		return NULL;
	wp->hash = hash;
	wp->len = (uint32_t)path->len;
	memcpy(wp->path, path->text, path->len + 1);
	if (t->nr_paths >= t->nr_buckets)
		watch_table_grow(t);
	at = bucket_of(t, hash);
	wp->hash_next = *at;
	*at = wp;
	t->nr_paths++;
	return wp;
}

static void watch_path_drop_if_empty(struct watch_table *t, struct watch_path *wp)
{
	struct watch_path **at = bucket_of(t, wp->hash);

	if (wp->first)
		return;
	while (*at != wp)
		at = &(*at)->hash_next;
	*at = wp->hash_next;
	t->nr_paths--;
	free(wp);
}

struct watch *watch_find(struct server *srv, struct conn *conn, const struct xs_path *path,
			 const char *token)
{
	struct watch_path *wp = watch_path_find(&srv->watches, path->text, path->len,
						watch_hash(path->text, path->len));

	for (struct watch *w = wp ? wp->first : NULL; w; w = w->path_next) {
		if (w->conn == conn && strcmp(w->token, token) == 0)
			return w;
	}
	return NULL;
}

int watch_add(struct server *srv, struct conn *conn, const struct xs_path *path, uint16_t strip,
	      const char *token, uint32_t depth, uint64_t id, struct watch **out)
{
	struct watch_table *t = &srv->watches;
	size_t token_len = strlen(token);
	struct watch_path *wp;
	struct watch *w;

	if (watch_find(srv, conn, path, token))
		return -EEXIST;
	w = calloc(1, sizeof(*w) + token_len + 1);
	if (!w)
		return -ENOMEM;
	wp = watch_path_get(t, path);
	if (!wp) {
		free(w);
		return -ENOMEM;
	}
	w->on = wp;
	w->conn = conn;
	w->depth = depth;
	w->strip = strip;
	w->token_len = (uint16_t)token_len;
	memcpy(w->token, token, token_len);
	w->id = id ? id : t->next_id;
	if (w->id >= t->next_id)
		t->next_id = w->id + 1;

	w->path_prev = wp->last;
	if (wp->last)
		wp->last->path_next = w;
	else
		wp->first = w;
	wp->last = w;
	w->prev = conn->watch_last;
	if (conn->watch_last)
		conn->watch_last->next = w;
	else
		conn->watch_first = w;
	conn->watch_last = w;
	conn->nr_watches++;
	t->nr_watches++;
	conn_use(conn, QUOTA_WATCHES, 1);
	conn_use(conn, QUOTA_MEMORY,
		 (int64_t)(sizeof(*w) + token_len + sizeof(*wp) + path->len));
	*out = w;
	return 0;
}

void watch_remove(struct server *srv, struct watch *w)
{
	struct watch_path *wp = w->on;
	struct conn *conn = w->conn;

	conn_forget_events(conn, w);
	conn_use(conn, QUOTA_WATCHES, -1);
	conn_use(conn, QUOTA_MEMORY,
		 -(int64_t)(sizeof(*w) + w->token_len + sizeof(*wp) + wp->len));
	if (w->path_prev)
		w->path_prev->path_next = w->path_next;
	else
		wp->first = w->path_next;
	if (w->path_next)
		w->path_next->path_prev = w->path_prev;
	else
		wp->last = w->path_prev;
	if (w->prev)
		w->prev->next = w->next;
	else
		conn->watch_first = w->next;
	if (w->next)
		w->next->prev = w->prev;
	else
		conn->watch_last = w->prev;
	conn->nr_watches--;
	srv->watches.nr_watches--;
	free(w);
	watch_path_drop_if_empty(&srv->watches, wp);
}

void watch_remove_all(struct server *srv, struct conn *conn)
{
	/* Each watch would look for its own among those of all. */
	conn_forget_all_events(conn);
	while (conn->watch_first)
		watch_remove(srv, conn->watch_first);
}

static struct fire *fire_new(struct fire_list *l, const char *path, size_t len)
{
	struct fire *f;
	char *to;

	if (l->nr == l->cap) {
		size_t cap = l->cap ? l->cap * 2 : 16;
		struct fire *e = realloc(l->e, cap * sizeof(*e));

		if (!e)
			return NULL;
		l->e = e;
		l->cap = cap;
	}
	to = buf_room(&l->paths, len + 1);
	if (!to)
		return NULL;
	memcpy(to, path, len);
	to[len] = '\0';
	f = &l->e[l->nr];
	*f = (struct fire){ .path_at = buf_len(&l->paths), .path_len = len, .domid = NO_DOMID };
	buf_added(&l->paths, len + 1);
	l->nr++;
	return f;
}

void watch_note(struct server *srv, const char *path, size_t len, struct perms *before,
		struct perms *after, bool exact)
{
	struct fire *f;

	if (srv->watches.nr_watches == 0)
		return;
	f = fire_new(&srv->fires, path, len);
	if (!f) {
		srv->watches.events_lost = true;
		return;
	}
	f->before = before ? perms_ref(before) : NULL;
	f->after = after && after != before ? perms_ref(after) : NULL;
	f->exact = exact;
}

/* Who may know of event @name about @domid: one reference, or NULL for domain 0 only (rule C7). */
static struct perms *special_perms(struct server *srv, const char *name, unsigned int domid)
{
	char own[64];
	int len = snprintf(own, sizeof(own), "%s/%u", name, domid);
	struct node n;

	if (!tree_find(&srv->tree, own, (size_t)len, &n) &&
	    !tree_find(&srv->tree, name, strlen(name), &n))
		return NULL;
	return perms_ref(n.perms);
}

void watch_note_special(struct server *srv, const char *name, unsigned int domid)
{
	struct fire *f;

	if (srv->watches.nr_watches == 0)
		return;
	f = fire_new(&srv->fires, name, strlen(name));
	if (!f) {
		srv->watches.events_lost = true;
		return;
	}
	f->domid = domid;
	/* As it is now: what was said of this domain goes with it. */
	f->before = special_perms(srv, name, domid);
}

static bool watcher_may_know(const struct watch *w, const struct fire *f)
{
	const struct conn *c = w->conn;

	if (c->privileged)
		return true;
	return (f->before && conn_access(c, f->before) & ACCESS_READ) ||
	       (f->after && conn_access(c, f->after) & ACCESS_READ);
}

static void fire_path_watches(struct server *srv, struct watch_path *wp, const struct fire *f,
			      const char *path)
{
	unsigned int depth = xs_path_depth_below(path, f->path_len, wp->len);
	struct watch *next;

	for (struct watch *w = wp->first; w; w = next) {
		next = w->path_next;
		if (depth > w->depth || w->conn->dead || !watcher_may_know(w, f))
			continue;
		conn_send_event(w->conn, w, path, f->path_len);
	}
}

/* The node itself, then its ancestors upwards: whoever watches one of them. */
static void fire_node(struct server *srv, const struct fire *f, const char *path)
{
	struct watch_table *t = &srv->watches;
	size_t len = f->path_len;
	uint32_t h = PATH_HASH_SEED;
	struct watch_path *wp;

	if (!f->exact) {
		/* Downwards, because the hash of a prefix is a step of the whole one's. */
		wp = len > 1 ? watch_path_find(t, "/", 1, watch_hash("/", 1)) : NULL;
		if (wp)
			fire_path_watches(srv, wp, f, path);
		for (size_t i = 0; i < len; i++) {
			if (i > 0 && path[i] == '/') {
				wp = watch_path_find(t, path, i, h);
				if (wp)
					fire_path_watches(srv, wp, f, path);
			}
			h = path_hash_step(h, path[i]);
		}
	} else {
		h = watch_hash(path, len);
	}
	wp = watch_path_find(t, path, len, h);
	if (wp)
		fire_path_watches(srv, wp, f, path);
}

/* Depth 1 of a special watch asks for the domain's number in the event; others get the name. */
static void fire_special_on(struct server *srv, const char *watched, const char *name,
			    const struct fire *f)
{
	struct watch_path *wp = watch_path_find(&srv->watches, watched, strlen(watched),
						watch_hash(watched, strlen(watched)));
	char about[64];
	int len = snprintf(about, sizeof(about), "%s/%u", name, f->domid);
	struct watch *next;

	for (struct watch *w = wp ? wp->first : NULL; w; w = next) {
		next = w->path_next;
		if (w->conn->dead || !watcher_may_know(w, f))
			continue;
		if (w->depth == 1)
			conn_send_event(w->conn, w, about, (size_t)len);
		else
			conn_send_event(w->conn, w, watched, strlen(watched));
	}
}

static void fire_special(struct server *srv, const struct fire *f, const char *name)
{
	char about[64];

	snprintf(about, sizeof(about), "%s/%u", name, f->domid);
	fire_special_on(srv, name, name, f);
	fire_special_on(srv, about, name, f);
}

void watch_fire_collected(struct server *srv)
{
	struct fire_list *l = &srv->fires;

	for (size_t i = 0; i < l->nr; i++) {
		struct fire *f = &l->e[i];
		const char *path = buf_front(&l->paths) + f->path_at;

		if (f->domid != NO_DOMID)
			fire_special(srv, f, path);
		else
			fire_node(srv, f, path);
		perms_put(&srv->tree.perms, f->before);
		perms_put(&srv->tree.perms, f->after);
	}
	l->nr = 0;
	buf_take(&l->paths, buf_len(&l->paths));
	feed_flush(srv);
}

void watch_fire_first(struct server *srv, struct watch *w)
{
	conn_send_event(w->conn, w, w->on->path, w->on->len);
}

void watch_fire_all(struct server *srv, bool (*is_one)(const char *path, size_t len))
{
	for (struct conn *c = srv->wire.conns; c; c = c->next) {
		for (struct watch *w = c->watch_first; w && !c->dead; w = w->next) {
			if (is_one(w->on->path, w->on->len))
				watch_fire_first(srv, w);
		}
	}
}

static bool is_any(const char *path, size_t len)
{
	return true;
}

void watch_make_up(struct server *srv)
{
	if (!srv->watches.events_lost)
		return;
	srv->watches.events_lost = false;
	watch_fire_all(srv, is_any);
}
