/* SPDX-License-Identifier: MIT */
/*
 * change.c - alters the served tree: node, quota count, the queue for the disk, watch and feed in
 * one step (rule C4). Not here: permissions (view.c), limits (view.c, txn.c), the events (watch.c).
 */
#include "change.h"

#include <errno.h>
#include <string.h>

#include "bulk.h"
#include "durable.h"
#include "lasting.h"
#include "ops.h"
#include "packed_perms.h"
#include "path_key.h"
#include "people.h"
#include "store.h"
#include "server.h"

/* Bytes of a node in its record, and in the queue, that are neither path, value nor rights. */
#define NODE_MORE 64u
/* Counters. */
#define RECORDS_MORE 1u

/*
 * A node that is put has its record, the entry with its parent and those with the domains its
 * permissions name, and its parent counts it. The disk gets one record, also of a removed subtree.
 */
static void records_of(const struct change_need *need, struct store_need *out)
{
	size_t put = need->nr_nodes - need->nr_gone, perms = need->nr_perms - need->nr_perms_gone;

	*out = (struct store_need){
		.inserts = 2 * put + perms - need->nr_unnamed + RECORDS_MORE,
		.rewrites = put + need->nr_tops,
		.deletes = 2 * need->nr_gone + need->nr_perms_gone,
		.bytes = need->bytes + PACKED_PERM * perms + NODE_MORE * put,
		.frees = need->frees,
		.backwards = need->backwards,
	};
	out->longest = need->longest ? need->longest + NODE_MORE : out->bytes;
	if (need->persistent) {
		out->inserts += put + need->nr_tops;
		out->bytes *= 2;
	}
	out->bytes += need->index_bytes;
}

/* Domain 0 is in no index. */
static unsigned int nr_unnamed(const struct perms *perms)
{
	unsigned int nr = 0;

	for (unsigned int i = 0; i < perms->nr; i++)
		nr += perms->e[i].domid == 0;
	return nr;
}

void change_need_put(struct change_need *need, const struct node_spec *s, unsigned int puts)
{
	unsigned int unnamed = nr_unnamed(s->perms);
	size_t bytes = s->len + s->value_len;

	need->nr_nodes += puts;
	need->nr_perms += s->perms->nr;
	need->nr_unnamed += unnamed;
	need->bytes += puts * bytes;
	/* Its name, with its parent; its directory's path, or its own, with each domain (named.h). */
	need->index_bytes += s->len + puts * (s->perms->nr - unnamed) * s->len;
	bytes += s->perms->nr * (size_t)PACKED_PERM;
	/* Its key is in no order then, and its record has the path once more (path_key.h). */
	if (s->len > PATH_KEY_MAX) {
		need->index_bytes += (size_t)puts * PATH_KEY_MAX;
		need->backwards += puts;
		bytes += PATH_KEY_MAX;
	}
	if (bytes > need->longest)
		need->longest = bytes;
}

int change_room(struct server *srv, const struct change_need *need)
{
	struct store_need records;
	/* While the part is being loaded nothing can be queued. */
	bool asked = need->persistent && (!need->forced || srv->durable.loading);
	int ret = asked ? durable_room(srv, need) : 0;

	if (ret < 0)
		return ret;
	records_of(need, &records);
	records.trusted = srv->ops.acting && srv->ops.acting->conn->privileged;
	return store_room_for(srv->tree.store, &records);
}

static int64_t charge_of(const char *path, size_t len, size_t value_len, unsigned int nr_perms)
{
	const char *name = path[0] == '/' ? xs_path_leaf(path, len) : path;

	return (int64_t)node_charge((size_t)(path + len - name), value_len, nr_perms);
}

static void account(struct server *srv, const struct perms *perms, int sign, int64_t charge)
{
	unsigned int owner = perms_owner(perms);

	domain_use(srv, owner, QUOTA_NODES, sign);
	domain_use(srv, owner, QUOTA_MEMORY, sign * charge);
}

/* Rights to "@" nodes are no event themselves. */
static bool is_told_of(const struct server *srv, const char *path)
{
	return srv->watches.nr_watches > 0 && path[0] == '/';
}

void change_note(struct server *srv, const char *path, size_t len, struct perms *before,
		 struct perms *after)
{
	if (is_told_of(srv, path))
		watch_note(srv, path, len, before, after, false);
}

bool change_is_persistent(const char *path, size_t len)
{
	return lasting_is(path, len);
}

void change_is_there(struct server *srv, const char *path, size_t len, uint64_t rev)
{
	if (change_is_persistent(path, len))
		durable_had(srv, rev);
}

/* The disk is to have the node as it is now. */
static void make_durable(struct server *srv, const char *path, size_t len, const struct node *n)
{
	if (change_is_persistent(path, len))
		durable_put(srv, path, len, n);
}

void change_create(struct server *srv, const struct node_spec *s, struct node *out)
{
	tree_add(&srv->tree, s, out);
	people_note(srv, s->path, s->len, false);
	account(srv, s->perms, 1, charge_of(s->path, s->len, s->value_len, s->perms->nr));
	make_durable(srv, s->path, s->len, out);
	feed_note(srv, XS_BULK_PUT, XS_BULK_CREATED, s->path, s->len, out);
}

void change_loaded(struct server *srv, const struct node_spec *s)
{
	struct node n;

	if (tree_find(&srv->tree, s->path, s->len, &n)) {
		account(srv, n.perms, -1, charge_of(s->path, s->len, n.value_len, n.perms->nr));
		tree_replace(&srv->tree, s, &n);
	} else {
		tree_add(&srv->tree, s, &n);
	}
	account(srv, s->perms, 1, charge_of(s->path, s->len, s->value_len, s->perms->nr));
}

static bool value_is(const struct node *n, const char *value, size_t len)
{
	return len == n->value_len && (len == 0 || memcmp(n->value, value, len) == 0);
}

void change_value(struct server *srv, const char *path, size_t len, struct node *n,
		  const char *value, size_t value_len, uint8_t mark)
{
	int64_t more = (int64_t)value_len - n->value_len;

	feed_before(srv, n);
	if (!value_is(n, value, value_len)) {
		tree_set_value(&srv->tree, path, len, n, value, value_len, mark);
		people_note(srv, path, len, false);
		domain_use(srv, perms_owner(n->perms), QUOTA_MEMORY, more);
		make_durable(srv, path, len, n);
	} else {
		change_mark(srv, path, len, n, mark);
	}
	feed_note(srv, XS_BULK_PUT, 0, path, len, n);
}

void change_mark(struct server *srv, const char *path, size_t len, struct node *n, uint8_t mark)
{
	if (n->mark == mark) {
		change_is_there(srv, path, len, n->gen);
		return;
	}
	tree_set_mark(&srv->tree, path, len, n, mark);
	make_durable(srv, path, len, n);
}

void change_perms(struct server *srv, const char *path, size_t len, struct node *n,
		  struct perms *perms)
{
	account(srv, n->perms, -1, charge_of(path, len, n->value_len, n->perms->nr));
	tree_set_perms(&srv->tree, path, len, n, perms);
	account(srv, n->perms, 1, charge_of(path, len, n->value_len, n->perms->nr));
	make_durable(srv, path, len, n);
	feed_note(srv, XS_BULK_PERMS, 0, path, len, n);
}

/* --- removing --- */

struct removed_node {
	struct perms *perms;	/* the node's own reference */
	int64_t charge;
	size_t len;		/* of the path */
};

static int removal_add(struct removal *r, const struct walk *w)
{
	const struct removed_node e = {
		.perms = w->node.perms,
		.charge = charge_of(w->path, w->len, w->node.value_len, w->node.perms->nr),
		.len = w->len,
	};
	size_t at = buf_len(&r->bytes);

	if (buf_append(&r->at, &at, sizeof(at)) < 0 || buf_append(&r->bytes, &e, sizeof(e)) < 0 ||
	    buf_append(&r->bytes, w->path, w->len) < 0)
		return -ENOMEM;
	r->nr_perms += e.perms->nr;
	r->path_bytes += e.len;
	return 0;
}

/* The @i-th node; *@path is where its path is. */
static struct removed_node removed(const struct removal *r, size_t i, const char **path)
{
	struct removed_node e;
	size_t at;

	memcpy(&at, buf_front(&r->at) + i * sizeof(at), sizeof(at));
	memcpy(&e, buf_front(&r->bytes) + at, sizeof(e));
	*path = buf_front(&r->bytes) + at + sizeof(e);
	return e;
}

int removal_gather(struct server *srv, const char *path, size_t len, struct removal *r)
{
	struct walk w XS_NOT_CLEARED;
	bool more = walk_begin(&w, &srv->tree, path, len);
	int ret = 0;

	*r = (struct removal){
		.top_len = len,
		.persistent = change_is_persistent(path, len) || lasting_may_be_kept(path, len),
	};
	for (; more && ret == 0; more = walk_next(&w, UINT32_MAX))
		ret = removal_add(r, &w);
	return ret;
}

size_t removal_size(const struct removal *r)
{
	return buf_len(&r->at) / sizeof(size_t);
}

size_t removal_owned(const struct removal *r, unsigned int domid)
{
	const char *path;
	size_t nr = 0;

	for (size_t i = 0; i < removal_size(r); i++)
		nr += perms_owner(removed(r, i, &path).perms) == domid;
	return nr;
}

void removal_need(const struct removal *r, struct change_need *need)
{
	need->nr_nodes += removal_size(r);
	need->nr_gone += removal_size(r);
	need->nr_perms += r->nr_perms;
	need->nr_perms_gone += r->nr_perms;
	need->nr_tops++;
	need->bytes += r->top_len;
	need->persistent |= r->persistent;
}

const char *removal_path(const struct removal *r, size_t i, size_t *len)
{
	const char *path;

	*len = removed(r, i, &path).len;
	return path;
}

void removal_fini(struct removal *r)
{
	buf_fini(&r->bytes);
	buf_fini(&r->at);
}

static void note_removed(struct server *srv, const char *path, size_t len, struct perms *perms,
			 bool exact)
{
	struct node n;

	if (is_told_of(srv, path))
		watch_note(srv, path, len, perms, NULL, exact);
	if (srv->ops.feeds && tree_find(&srv->tree, path, len, &n))
		feed_note(srv, XS_BULK_DEL, 0, path, len, &n);
}

void change_remove(struct server *srv, const struct removal *r)
{
	size_t nr = removal_size(r);
	struct removed_node e;
	const char *path;

	/* The events go parents first, as the reader of "/a" expects; the nodes go last first. */
	for (size_t i = 0; i < nr; i++) {
		e = removed(r, i, &path);
		note_removed(srv, path, e.len, e.perms, i > 0);
	}
	for (size_t i = nr; i-- > 0;) {
		e = removed(r, i, &path);
		account(srv, e.perms, -1, e.charge);
		tree_remove(&srv->tree, path, e.len, i == 0);
	}
	if (nr)
		people_note(srv, path, e.len, true);
	if (nr && r->persistent)
		durable_remove(srv, path, e.len);
}

static int remove_gathered(struct server *srv, const struct removal *r, bool forced)
{
	struct change_need need = { .frees = true, .forced = forced };
	int ret;

	removal_need(r, &need);
	ret = change_room(srv, &need);
	if (ret == 0)
		change_remove(srv, r);
	return ret;
}

int change_remove_at(struct server *srv, const char *path, size_t len)
{
	struct removal r;
	int ret = removal_gather(srv, path, len, &r);

	if (ret == 0)
		ret = remove_gathered(srv, &r, false);
	removal_fini(&r);
	return ret;
}

/* What is below first, one node at a time: what is left the next try finds. */
static int forget_in_parts(struct server *srv, const struct removal *r)
{
	const char *path;
	int ret = 0;

	for (size_t i = removal_size(r); i-- > 0 && ret == 0;) {
		size_t len = removed(r, i, &path).len;

		ret = change_forget_at(srv, path, len);
	}
	return ret;
}

int change_forget_at(struct server *srv, const char *path, size_t len)
{
	struct removal r;
	int ret = removal_gather(srv, path, len, &r);

	if (ret == 0)
		ret = remove_gathered(srv, &r, true);
	if (ret == -ENOSPC && removal_size(&r) > 1)
		ret = forget_in_parts(srv, &r);
	removal_fini(&r);
	return ret;
}
