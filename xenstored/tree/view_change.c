/* SPDX-License-Identifier: MIT */
/*
 * view_change.c - the changing half of the view: permissions and limits are checked here, then
 * either change.c alters the tree or the transaction's overlay takes the change.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "conn.h"
#include "server.h"
#include "store.h"
#include "txn.h"
#include "view_priv.h"
#include "xs_kind.h"

/* Whether a node of this size is within the caller's limits. */
static int size_allowed(struct view *v, size_t name_len, size_t value_len, unsigned int nr_perms)
{
	if (v->conn->privileged)
		return 0;
	return quota_allows(&v->srv->quotas, &v->conn->account->quota, QUOTA_NODE_SIZE,
			    name_len + value_len + nr_perms * sizeof(struct xs_perm)) ?
		       0 :
		       -ENOSPC;
}

/* Whether the caller's domain may hold @nr_nodes and @bytes more. */
static int growth_allowed(struct view *v, uint64_t nr_nodes, uint64_t bytes)
{
	uint64_t open = v->txn ? v->txn->nodes_created : 0;
	/* What a transaction remembers is held by its client, and by nobody else. */
	int ret = v->txn ? conn_may(v->conn, QUOTA_MEMORY, bytes) : 0;

	if (ret < 0 || v->conn->privileged)
		return ret;
	ret = nr_nodes ? domain_may(v->srv, v->conn->account, QUOTA_NODES, open + nr_nodes) : 0;
	if (ret == 0 && bytes)
		ret = domain_may(v->srv, v->conn->account, QUOTA_MEMORY, bytes);
	return ret;
}

/*
 * The permissions of a new node: the parent's; what an unprivileged domain makes is its own.
 * One reference for the caller; NULL: no memory.
 */
static struct perms *inherited(struct view *v, struct perms *parent)
{
	if (v->conn->privileged)
		return perms_ref(parent);
	return perms_with_owner(&v->srv->tree.perms, parent, v->conn->domid);
}

/* The missing nodes from below an existing ancestor down to a path. */
struct gap {
	const struct xs_path *path;
	size_t above;		/* length of the ancestor's path */
	unsigned int nr;	/* missing components */
	struct perms *perms;	/* what they all get */
	const char *value;	/* of the last one */
	size_t value_len;
};

/* End of the component that begins after offset @at ("/" at @at, or @at is 1 for the root). */
static size_t next_component(const struct xs_path *path, size_t at)
{
	size_t end = at == 1 ? 1 : at + 1;

	while (end < path->len && path->text[end] != '/')
		end++;
	return end;
}

static int gap_find(struct view *v, const struct xs_path *path, struct gap *gap,
		    struct vnode *above)
{
	int ret;

	gap->path = path;
	gap->above = path->len;
	ret = view_nearest(v, path->text, &gap->above, above);
	if (ret < 0)
		return ret == -ENOENT ? -EINVAL : ret;
	if (!(conn_access(v->conn, above->perms) & ACCESS_WRITE))
		return -EACCES;
	gap->nr = xs_path_depth_below(path->text, path->len, gap->above);
	/* What it may write lies in a directory of somebody else's, who may have taken it away. */
	if (v->conn->confine && gap->nr > 1)
		return -ENOENT;
	ret = growth_allowed(v, gap->nr, gap->nr * node_charge(0, 0, 0) + path->len +
						 gap->value_len);
	if (ret == 0)
		ret = size_allowed(v, path->len - gap->above, gap->value_len, above->perms->nr);
	return ret;
}

static int gap_fill_tree(struct view *v, const struct gap *gap)
{
	struct server *srv = v->srv;
	const struct change_need need = {
		.nr_nodes = gap->nr,
		.nr_perms = gap->nr * gap->perms->nr,
		.bytes = gap->nr * gap->path->len + gap->value_len,
		.persistent = change_is_persistent(gap->path->text, gap->path->len),
	};
	struct node_spec s = { .path = gap->path->text, .len = gap->above, .perms = gap->perms };
	int ret = change_room(srv, &need);
	struct node n;

	if (ret < 0)
		return ret;
	while (s.len < gap->path->len) {
		s.len = next_component(gap->path, s.len);
		if (s.len == gap->path->len) {
			s.value = gap->value;
			s.value_len = gap->value_len;
		}
		change_create(srv, &s, &n);
	}
	watch_note(srv, gap->path->text, gap->path->len, NULL, gap->perms, false);
	return 0;
}

static int tnode_create(struct view *v, struct tnode *tn, const struct gap *gap, bool last)
{
	char *value = malloc(last && gap->value_len ? gap->value_len : 1);

	if (!value)
		return -ENOMEM;
	if (last && gap->value_len)
		memcpy(value, gap->value, gap->value_len);
	txn_take_value(v->srv, v->txn, tn, value, last ? (uint32_t)gap->value_len : 0);
	perms_put(&v->srv->tree.perms, tn->perms);
	tn->perms = perms_ref(gap->perms);
	tn->mark = XS_KIND_TEXT;
	tn->state = TNODE_CREATED;
	txn_changed(v->txn, tn);
	tn->fire = last;
	if (perms_owner(gap->perms) == v->conn->domid)
		v->txn->nodes_created++;
	return 0;
}

/* A step that fails half-way dooms the transaction: its picture is not what was asked for. */
static int doom(struct txn *t, int err)
{
	txn_doom(t, err);
	return err;
}

static int gap_fill_txn(struct view *v, const struct gap *gap)
{
	for (size_t pos = gap->above; pos < gap->path->len;) {
		struct tnode *tn;
		int ret;

		pos = next_component(gap->path, pos);
		ret = txn_touch(v->srv, v->txn, gap->path->text, pos, &tn);
		if (ret == 0)
			ret = tnode_create(v, tn, gap, pos == gap->path->len);
		if (ret < 0)
			return doom(v->txn, ret);
	}
	return 0;
}

static int create(struct view *v, const struct xs_path *path, const char *value, size_t len)
{
	struct gap gap = { .value = value, .value_len = len };
	struct vnode above;
	int ret = gap_find(v, path, &gap, &above);

	if (ret < 0)
		return ret;
	gap.perms = inherited(v, above.perms);
	if (!gap.perms)
		return -ENOMEM;
	ret = v->txn ? gap_fill_txn(v, &gap) : gap_fill_tree(v, &gap);
	perms_put(&v->srv->tree.perms, gap.perms);
	return ret;
}

/* For a new value of @len bytes or @nr_perms new permissions of the node. */
static int room_for_one(struct view *v, const struct xs_path *path, const struct vnode *vn,
			size_t len, unsigned int nr_perms)
{
	const struct change_need need = {
		.nr_nodes = 1,
		.nr_perms = nr_perms + vn->perms->nr,
		.bytes = path->len + len,
		.persistent = change_is_persistent(path->text, path->len),
	};

	return change_room(v->srv, &need);
}

static int write_tree(struct view *v, const struct xs_path *path, struct vnode *vn,
		      const char *value, size_t len)
{
	uint64_t commits = store_commits(v->srv->tree.store);
	int ret = room_for_one(v, path, vn, len, 0);

	if (ret < 0)
		return ret;
	/* To make room may have moved what was found. */
	if (store_commits(v->srv->tree.store) != commits)
		tree_find(&v->srv->tree, path->text, path->len, &vn->base);
	change_value(v->srv, path->text, path->len, &vn->base, value, len, vn->base.mark);
	change_note(v->srv, path->text, path->len, NULL, vn->base.perms);
	return 0;
}

static int write_txn(struct view *v, struct tnode *tn, const char *value, size_t len)
{
	char *copy = malloc(len ? len : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, value, len);
	txn_take_value(v->srv, v->txn, tn, copy, (uint32_t)len);
	if (tn->state == TNODE_SEEN)
		tn->state = TNODE_WRITTEN;
	tn->value_changed = true;
	txn_changed(v->txn, tn);
	return 0;
}

int view_write(struct view *v, const struct xs_path *path, const char *value, size_t len)
{
	struct vnode vn;
	int ret = view_get(v, path, ACCESS_WRITE, 0, &vn);

	if (ret == -ENOENT)
		return create(v, path, value, len);
	if (ret < 0)
		return ret;
	if (len > vn.value_len) {
		ret = growth_allowed(v, 0, len - vn.value_len);
		if (ret == 0)
			ret = size_allowed(v, strlen(xs_path_leaf(path->text, path->len)), len,
					   vn.perms->nr);
		if (ret < 0)
			return ret;
	}
	if (v->txn)
		return write_txn(v, vn.tn, value, len);
	return write_tree(v, path, &vn, value, len);
}

int view_set_mark(struct view *v, const struct xs_path *path, uint8_t mark)
{
	struct vnode vn;
	int ret = view_get(v, path, ACCESS_WRITE, 0, &vn);
	struct tnode *tn;
	bool fire;

	if (ret < 0 || vn.mark == mark)
		return ret;
	tn = vn.tn;
	if (tn->state == TNODE_SEEN)
		tn->state = TNODE_WRITTEN;
	tn->mark = mark;
	tn->mark_changed = true;
	fire = tn->fire;
	txn_changed(v->txn, tn);
	tn->fire = fire;
	return 0;
}

/* What is asked of @path is so since revision @rev already. */
static void is_so(struct view *v, const struct xs_path *path, uint64_t rev)
{
	if (!v->txn)
		change_is_there(v->srv, path->text, path->len, rev);
	else if (change_is_persistent(path->text, path->len) && rev > v->txn->had)
		v->txn->had = rev;
}

int view_mkdir(struct view *v, const struct xs_path *path)
{
	struct vnode vn;
	int ret = view_get(v, path, ACCESS_WRITE, 0, &vn);

	if (ret == -ENOENT)
		return create(v, path, NULL, 0);
	if (ret == 0)
		is_so(v, path, vn.base.gen);
	return ret;
}

int view_rm(struct view *v, const struct xs_path *path)
{
	struct vnode vn;
	int ret;

	if (path->len == 1)
		return -EINVAL;
	if (!v->conn->privileged && people_guard(path->text, path->len, true))
		return -EACCES;
	ret = view_get(v, path, ACCESS_WRITE, 0, &vn);
	if (ret == -ENOENT) {
		size_t len = xs_path_parent_len(path->text, path->len);

		ret = view_lookup(v, path->text, len, 0, &vn);
		if (ret == 0)
			is_so(v, path, vn.base.children_gen);
		return ret;
	}
	if (ret < 0)
		return ret;
	if (v->txn) {
		txn_delete(v->txn, vn.tn);
		return 0;
	}
	return change_remove_at(v->srv, path->text, path->len);
}

static int set_perms_allowed(struct view *v, const struct vnode *vn, const struct perms *perms)
{
	if (v->conn->privileged)
		return 0;
	if (perms_owner(perms) != perms_owner(vn->perms))
		return -EPERM;
	if (!quota_allows(&v->srv->quotas, &v->conn->account->quota, QUOTA_NODE_PERMS, perms->nr))
		return -ENOSPC;
	return growth_allowed(v, 0, perms->nr * sizeof(struct xs_perm));
}

int view_set_perms(struct view *v, const struct xs_path *path, struct perms *perms)
{
	struct perms *before;
	struct vnode vn;
	int ret = view_get(v, path, ACCESS_WRITE | ACCESS_OWNER, 0, &vn);

	if (ret == 0)
		ret = set_perms_allowed(v, &vn, perms);
	if (ret < 0)
		return ret;
	if (v->txn) {
		perms_put(&v->srv->tree.perms, vn.tn->perms);
		vn.tn->perms = perms_ref(perms);
		if (vn.tn->state == TNODE_SEEN)
			vn.tn->state = TNODE_WRITTEN;
		vn.tn->perms_changed = true;
		txn_changed(v->txn, vn.tn);
		return 0;
	}
	ret = room_for_one(v, path, &vn, vn.value_len, perms->nr);
	if (ret < 0)
		return ret;
	tree_find(&v->srv->tree, path->text, path->len, &vn.base);
	before = perms_ref(vn.base.perms);
	change_perms(v->srv, path->text, path->len, &vn.base, perms);
	change_note(v->srv, path->text, path->len, before, vn.base.perms);
	perms_put(&v->srv->tree.perms, before);
	return 0;
}
