/* SPDX-License-Identifier: MIT */
/*
 * bulk.c - CONTROL dump: a subtree of one moment, cut into replies. The subscriptions are feed.c.
 */
#include "bulk.h"

#include <errno.h>
#include <string.h>

#include "bulk_priv.h"
#include "conn.h"
#include "ops.h"
#include "server.h"

int bulk_add(struct buf *out, struct xs_bulk *rec, const struct bulk_parts *p)
{
	size_t perms_at = sizeof(*rec) + p->name_len + p->value_len + p->prev_len, perms_len = 0;
	size_t room = perms_at + (p->perms ? p->perms->nr * XS_PERM_TEXT_BUF : 0);
	char *to = buf_room(out, room), *at = to + sizeof(*rec);

	if (!to)
		return -ENOMEM;
	memcpy(at, p->name, p->name_len);
	at += p->name_len;
	if (p->value_len)
		memcpy(at, p->value, p->value_len);
	at += p->value_len;
	if (p->prev_len)
		memcpy(at, p->prev, p->prev_len);
	for (unsigned int i = 0; p->perms && i < p->perms->nr; i++)
		perms_len += xs_perm_format(&p->perms->e[i], to + perms_at + perms_len);
	rec->name_len = (uint16_t)p->name_len;
	rec->value_len = (uint16_t)p->value_len;
	rec->prev_len = (uint16_t)p->prev_len;
	rec->perms_len = (uint32_t)perms_len;
	rec->len = (uint32_t)(perms_at + perms_len);
	memcpy(to, rec, sizeof(*rec));
	buf_added(out, rec->len);
	return 0;
}

int bulk_send(struct conn *c, const struct bulk_stream *s, struct buf *bytes, size_t keep)
{
	int ret = 0;

	while (ret == 0 && buf_len(bytes) > keep) {
		size_t n = buf_len(bytes) < XENSTORE_PAYLOAD_MAX ? buf_len(bytes) :
								   XENSTORE_PAYLOAD_MAX;
		struct conn_msg msg = {
			.hdr = { .type = XS_CONTROL, .req_id = s->req_id, .len = (uint32_t)n },
			.data = buf_front(bytes),
		};

		ret = conn_send(c, &msg);
		buf_take(bytes, n);
	}
	return ret;
}

static int add_node(struct buf *out, const struct node *n, const char *name, size_t name_len,
		    unsigned int depth, const struct perms *before)
{
	struct xs_bulk rec = { .kind = XS_BULK_NODE, .gen = n->gen, .tx = n->nr_children,
			       .domid = n->mark, .depth = (uint16_t)depth };
	struct bulk_parts parts = {
		.name = name, .name_len = name_len, .value = n->value,
		.value_len = n->value_len, .prev = "", .perms = n->perms,
	};

	if (parts.perms == before) {
		rec.flags = XS_BULK_SAME_PERMS;
		parts.perms = NULL;
	}
	return bulk_add(out, &rec, &parts);
}

/* Who asks for more nodes than this has had his turn: hundreds of requests have room in one. */
#define TURN_NODES 1024u

/* How many nodes there are, or one more than there may be. */
static unsigned int count(struct walk *w, const struct tree *t, const struct xs_path *path, unsigned int max)
{
	bool more = walk_begin(w, t, path->text, path->len);
	unsigned int nr = 0;

	for (; more && nr <= XS_BULK_NODES_MAX; more = walk_next(w, max))
		nr++;
	return nr;
}

static int send_tree(struct req *r, struct walk *w, const struct xs_path *path, unsigned int max)
{
	struct bulk_stream s = { .req_id = r->hdr.req_id };
	const struct perms *before = NULL;
	struct xs_bulk begin = { .kind = XS_BULK_BEGIN, .len = sizeof(begin),
				 .gen = r->srv->tree.rev, .seq = r->srv->ops.change_seq };
	struct buf bytes = { 0 };
	bool more = walk_begin(w, &r->srv->tree, path->text, path->len);
	int ret = buf_append(&bytes, &begin, sizeof(begin));

	for (; more && ret == 0; more = walk_next(w, max)) {
		const char *name = w->depth ? xs_path_leaf(w->path, w->len) : w->path;

		ret = add_node(&bytes, &w->node, name, (size_t)(w->path + w->len - name), w->depth,
			       before);
		before = w->node.perms;
		if (ret == 0)
			ret = bulk_send(r->conn, &s, &bytes, XENSTORE_PAYLOAD_MAX);
	}
	if (ret == 0)
		ret = bulk_send(r->conn, &s, &bytes, 0);
	buf_fini(&bytes);
	return ret;
}

int bulk_dump(struct req *r, const char *name, unsigned int depth)
{
	struct server *srv = r->srv;
	struct xs_path path;
	struct walk w XS_NOT_CLEARED;
	struct node top;
	unsigned int nr;
	int ret;

	if (r->conn->domain)
		return -EINVAL;
	ret = user_may_wait(r->conn);
	if (ret < 0)
		return ret;
	/* EINVAL would say that this daemon has no such command */
	if (xs_path_canonical(name, strlen(name), r->conn->domid, 0, &path) < 0)
		return -ENOENT;
	if (!tree_find(&srv->tree, path.text, path.len, &top))
		return -ENOENT;
	nr = count(&w, &srv->tree, &path, depth);
	r->conn->took_long = nr > TURN_NODES;
	if (nr > XS_BULK_NODES_MAX)
		return -E2BIG;
	ret = send_tree(r, &w, &path, depth);
	/* half a stream cannot be taken back */
	if (ret < 0)
		conn_kill(r->conn);
	return ret < 0 ? ret : reply_data(r, "", 0);
}
