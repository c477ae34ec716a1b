/* SPDX-License-Identifier: MIT */
/*
 * feed.c - CONTROL feed: connections that get every change below some paths, with the value before
 * and after, its author and generation. Owns the subscriptions and the changes noted while a
 * request is carried out. No lock.
 *
 * A subscriber that does not read is ended, not waited for: it then reads the tree anew.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bulk.h"
#include "bulk_priv.h"
#include "conn.h"
#include "ops.h"
#include "server.h"

#define FEED_WAITING_MAX (4u * 1024u * 1024u)

struct feed {
	struct feed *next;
	struct conn *conn;
	uint32_t req_id;
	unsigned int nr;
	struct xs_path paths[];
};

/* Exists while anybody subscribes. */
struct feeds {
	struct feed *first;
	struct buf noted; /* records of changes not sent yet */
	struct buf mine;  /* those of them that one subscriber gets */
	char prev[XENSTORE_PAYLOAD_MAX];
	size_t prev_len;
	bool failed;	  /* out of memory: a change is missing */
};

static void feeds_free(struct server *srv)
{
	buf_fini(&srv->ops.feeds->noted);
	buf_fini(&srv->ops.feeds->mine);
	free(srv->ops.feeds);
	srv->ops.feeds = NULL;
}

int feed_start(struct req *r, const char *const *paths, unsigned int nr)
{
	struct xs_bulk begin = { .kind = XS_BULK_BEGIN, .len = sizeof(begin) };
	struct feed *f;
	int ret;

	if (r->conn->domain)
		return -EINVAL;
	f = calloc(1, sizeof(*f) + nr * sizeof(f->paths[0]));
	if (!f)
		return -ENOMEM;
	f->conn = r->conn;
	f->req_id = r->hdr.req_id;
	f->nr = nr;
	for (unsigned int i = 0; i < nr; i++)
		if (xs_path_canonical(paths[i], strlen(paths[i]), r->conn->domid, 0,
				      &f->paths[i]) < 0) {
			free(f);
			return -EINVAL;
		}
	if (!r->srv->ops.feeds)
		r->srv->ops.feeds = calloc(1, sizeof(*r->srv->ops.feeds));
	ret = r->srv->ops.feeds ? user_stream_begin(r->conn) : -ENOMEM;
	if (ret < 0) {
		free(f);
		if (r->srv->ops.feeds && !r->srv->ops.feeds->first)
			feeds_free(r->srv);
		return ret;
	}
	f->next = r->srv->ops.feeds->first;
	r->srv->ops.feeds->first = f;
	begin.gen = r->srv->tree.rev;
	begin.seq = r->srv->ops.change_seq;
	return reply_data(r, &begin, sizeof(begin));
}

void feed_each(const struct server *srv, const struct conn *c,
	       void (*fn)(void *arg, const char *path), void *arg)
{
	for (const struct feed *f = srv->ops.feeds ? srv->ops.feeds->first : NULL; f; f = f->next)
		for (unsigned int i = 0; f->conn == c && i < f->nr; i++)
			fn(arg, f->paths[i].text);
}

/* ---- noting ---- */

void feed_before(struct server *srv, const struct node *n)
{
	if (!srv->ops.feeds)
		return;
	srv->ops.feeds->prev_len = n->value_len;
	memcpy(srv->ops.feeds->prev, n->value, n->value_len);
}

void feed_note(struct server *srv, enum xs_bulk_kind kind, unsigned int flags,
	       const char *path, size_t len, const struct node *n)
{
	struct feeds *fs = srv->ops.feeds;
	struct xs_bulk rec = { .kind = (uint8_t)kind, .flags = (uint8_t)flags, .gen = n->gen,
			       .domid = XS_BULK_NOBODY };
	struct bulk_parts parts = { .prev = "" };

	/* "@" nodes are no part of the tree. */
	if (!fs || path[0] != '/')
		return;
	if (srv->ops.acting) {
		rec.domid = (uint16_t)srv->ops.acting->conn->domid;
		rec.tx = srv->ops.acting->hdr.tx_id;
	}
	rec.seq = ++srv->ops.change_seq;
	parts.name = path;
	parts.name_len = len;
	parts.value = kind == XS_BULK_DEL ? "" : n->value;
	parts.value_len = kind == XS_BULK_DEL ? 0 : n->value_len;
	parts.perms = kind == XS_BULK_DEL ? NULL : n->perms;
	if (kind == XS_BULK_DEL) {
		rec.gen = tree_now(&srv->tree);
		parts.prev = n->value;
		parts.prev_len = n->value_len;
	} else if (kind == XS_BULK_PUT && !(flags & XS_BULK_CREATED)) {
		parts.prev = fs->prev;
		parts.prev_len = fs->prev_len;
	}
	if (bulk_add(&fs->noted, &rec, &parts) < 0)
		fs->failed = true;
}

/* ---- sending ---- */

static bool wants(const struct feed *f, const char *path, size_t len)
{
	for (unsigned int i = 0; i < f->nr; i++)
		if (xs_path_is_within(path, len, f->paths[i].text, f->paths[i].len))
			return true;
	return false;
}

/* The noted records that @f wants, into fs->mine. */
static int pick(struct feeds *fs, const struct feed *f)
{
	const char *at = buf_front(&fs->noted), *end = at + buf_len(&fs->noted);
	int ret = 0;

	while (at < end && ret == 0) {
		struct xs_bulk rec;

		memcpy(&rec, at, sizeof(rec));
		if (wants(f, at + sizeof(rec), rec.name_len))
			ret = buf_append(&fs->mine, at, rec.len);
		at += rec.len;
	}
	return ret;
}

/* It is on no list any more. */
static void feed_free(struct feed *f)
{
	user_stream_end(f->conn);
	free(f);
}

static void end_feed(struct server *srv, struct feed *f)
{
	struct conn_msg msg = {
		.hdr = { .type = XS_CONTROL, .req_id = f->req_id }, .data = "",
	};

	if (!f->conn->dead && conn_send(f->conn, &msg) < 0)
		conn_kill(f->conn);
	feed_free(f);
}

static void send_to(struct server *srv, struct feed **at)
{
	struct feeds *fs = srv->ops.feeds;
	struct feed *f = *at;
	struct bulk_stream s = { .req_id = f->req_id };
	int ret = fs->failed ? -ENOMEM : pick(fs, f);

	if (ret == 0 && conn_waiting(f->conn) + buf_len(&fs->mine) > FEED_WAITING_MAX)
		ret = -ENOSPC;
	if (ret == 0)
		ret = bulk_send(f->conn, &s, &fs->mine, 0);
	buf_take(&fs->mine, buf_len(&fs->mine));
	if (ret < 0) {
		*at = f->next;
		end_feed(srv, f);
	}
}

void feed_flush(struct server *srv)
{
	struct feeds *fs = srv->ops.feeds;

	if (!fs || (buf_len(&fs->noted) == 0 && !fs->failed))
		return;
	for (struct feed **at = &fs->first; *at;) {
		struct feed *f = *at;

		send_to(srv, at);
		if (*at == f)
			at = &f->next;
	}
	buf_take(&fs->noted, buf_len(&fs->noted));
	fs->failed = false;
	if (!fs->first)
		feeds_free(srv);
}

void feed_end_all(struct server *srv)
{
	while (srv->ops.feeds && srv->ops.feeds->first) {
		struct feed *f = srv->ops.feeds->first;

		srv->ops.feeds->first = f->next;
		end_feed(srv, f);
	}
	if (srv->ops.feeds)
		feeds_free(srv);
}

void feed_forget(struct server *srv, const struct conn *c)
{
	struct feed **at = srv->ops.feeds ? &srv->ops.feeds->first : NULL;

	while (at && *at) {
		struct feed *f = *at;

		if (f->conn == c) {
			*at = f->next;
			feed_free(f);
		} else {
			at = &f->next;
		}
	}
	if (srv->ops.feeds && !srv->ops.feeds->first)
		feeds_free(srv);
}
