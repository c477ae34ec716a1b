/* SPDX-License-Identifier: MIT */
/*
 * view.c - reading and the gate of permissions: who may see what, in the tree or through a
 * transaction. Changing nodes is view_change.c. Rule C6; source: docs/misc/xenstore.txt of Xen.
 */
#include "view.h"

#include <errno.h>
#include <string.h>

#include "confine.h"
#include "conn.h"
#include "lease.h"
#include "server.h"
#include "txn.h"
#include "view_priv.h"

unsigned int conn_access(const struct conn *conn, const struct perms *perms)
{
	if (conn->privileged)
		return ACCESS_ALL;
	if (conn->rights.nr > 0)
		return perms_access_of(perms, conn->rights.id, conn->rights.nr) |
		       (conn->rights.reads ? ACCESS_READ : 0);
	return perms_access(perms, conn->domid, conn->domain ? conn->domain->target : NO_DOMID);
}

static int vnode_from_tree(struct server *srv, const char *path, size_t len, struct vnode *out)
{
	out->tn = NULL;
	out->in_tree = tree_find(&srv->tree, path, len, &out->base);
	if (!out->in_tree)
		return -ENOENT;
	out->value = out->base.value;
	out->value_len = out->base.value_len;
	out->mark = out->base.mark;
	out->perms = out->base.perms;
	return 0;
}

static void vnode_from_tnode(struct server *srv, struct vnode *out, struct tnode *tn)
{
	*out = (struct vnode){
		.value = tn->value,
		.value_len = tn->value_len,
		.mark = tn->mark,
		.perms = tn->perms ? tn->perms : tn->base_perms,
		.tn = tn,
	};
	if (tn->state == TNODE_SEEN || tn->state == TNODE_WRITTEN)
		out->in_tree = tree_find(&srv->tree, tn->path, tn->path_len, &out->base);
}

int view_lookup(struct view *v, const char *path, size_t len, unsigned int seen,
		struct vnode *out)
{
	struct tnode *tn;
	int ret;

	if (!v->txn)
		return vnode_from_tree(v->srv, path, len, out);
	ret = txn_touch(v->srv, v->txn, path, len, &tn);
	if (ret < 0)
		return ret;
	txn_observe(tn, seen | SEEN_EXISTENCE);
	if (!tnode_exists(tn)) {
		*out = (struct vnode){ .tn = tn };
		return -ENOENT;
	}
	vnode_from_tnode(v->srv, out, tn);
	return 0;
}

int view_nearest(struct view *v, const char *path, size_t *len, struct vnode *out)
{
	int ret = -ENOENT;

	while (ret == -ENOENT) {
		*len = xs_path_parent_len(path, *len);
		if (*len == 0)
			return -ENOENT;
		ret = view_lookup(v, path, *len, SEEN_PERMS, out);
	}
	return ret;
}

/*
 * What a caller is told about a node that is not there: the truth only if it may read the nearest
 * node above that is.
 */
static int missing_error(struct view *v, const struct xs_path *path)
{
	struct vnode above;
	size_t len = path->len;
	int ret;

	if (v->conn->privileged)
		return -ENOENT;
	ret = view_nearest(v, path->text, &len, &above);
	if (ret < 0)
		return ret == -ENOENT ? -EACCES : ret;
	return conn_access(v->conn, above.perms) & ACCESS_READ ? -ENOENT : -EACCES;
}

/*
 * The permissions of the node as the transaction sees it, without remembering it. NULL: it is not
 * there.
 */
static const struct perms *perms_seen(struct view *v, const char *path, size_t len)
{
	const struct tnode *tn = txn_lookup(v->txn, path, len);
	struct node n;

	if (tn)
		return !tnode_exists(tn) ? NULL : tn->perms ? tn->perms : tn->base_perms;
	return !txn_hides(v->txn, path, len) && tree_find(&v->srv->tree, path, len, &n) ? n.perms :
											  NULL;
}

/*
 * Whether the caller is told nothing of a node, not even whether it is there. Such a node is no
 * part of its transaction: a conflict over it would tell, and how many nodes have been remembered.
 */
static bool hidden(struct view *v, const struct xs_path *path, unsigned int need)
{
	const struct perms *perms = NULL;
	size_t len = path->len;
	unsigned int access;

	while (len > 0 && !(perms = perms_seen(v, path->text, len)))
		len = xs_path_parent_len(path->text, len);
	if (!perms)
		return true;
	access = conn_access(v->conn, perms);
	return !(access & ACCESS_READ) && (len < path->len || (access & need) != need);
}

/* The table of people is not theirs to write, whoever owns the nodes around it. */
static bool guarded(const struct view *v, const struct xs_path *path, unsigned int need)
{
	return need & ACCESS_WRITE && !v->conn->privileged &&
	       people_guard(path->text, path->len, false);
}

int view_get(struct view *v, const struct xs_path *path, unsigned int need, unsigned int seen,
	     struct vnode *out)
{
	unsigned int checked = v->conn->privileged ? 0 : SEEN_PERMS;
	int ret;

	if (!confine_allows(v->conn, path, need) || guarded(v, path, need) ||
	    (v->txn && !v->conn->privileged && hidden(v, path, need)))
		return -EACCES;
	ret = view_lookup(v, path->text, path->len, checked, out);
	if (ret == -ENOENT)
		ret = missing_error(v, path);
	else if (ret == 0 && (conn_access(v->conn, out->perms) & need) != need)
		ret = -EACCES;
	/* Only who may know the node has seen more of it than its permissions. */
	if (v->txn && (ret == 0 || ret == -ENOENT)) {
		txn_observe(out->tn, seen);
		out->tn->allowed = true;
	}
	return ret;
}

static int add_name(struct buf *out, const char *name, size_t len)
{
	char *to = buf_room(out, len + 1);

	if (!to)
		return -ENOMEM;
	memcpy(to, name, len);
	to[len] = '\0';
	buf_added(out, len + 1);
	return 0;
}

/* Length of the path of child @name of @dir, written behind it in @dir's buffer. */
static size_t child_path(struct xs_path *dir, size_t dir_len, const char *name, size_t name_len)
{
	size_t len = dir_len > 1 ? dir_len : 0;

	if (len + 1 + name_len > XENSTORE_ABS_PATH_MAX)
		return 0;
	dir->text[len++] = '/';
	memcpy(dir->text + len, name, name_len);
	return len + name_len;
}

/* What the tree has below @dir. */
static int base_children(const struct tree *t, const struct node *dir, struct buf *out)
{
	struct child c;
	bool more = dir->nr_children > 0 && child_first(t, dir->id, &c);
	int ret = 0;

	for (; more && ret == 0; more = child_next(t, &c))
		ret = add_name(out, c.name, c.len);
	return ret;
}

/* The tree's names as the transaction listed them first, however often it lists them. */
static int remember_names(struct view *v, const struct vnode *vn)
{
	struct tnode *tn = vn->tn;
	struct buf names = { 0 };
	int ret = 0;

	if (tn->names)
		return 0;
	if (vn->in_tree) {
		tn->names_gen = node_latest_gen(&vn->base);
		ret = base_children(&v->srv->tree, &vn->base, &names);
	}
	if (ret == 0)
		ret = txn_take_names(v->srv, v->txn, tn, buf_front(&names), buf_len(&names));
	buf_fini(&names);
	return ret;
}

/* Those of them that the transaction has not removed. */
static int old_children(struct view *v, const struct xs_path *path, const struct tnode *dir,
			struct buf *out)
{
	struct xs_path child XS_NOT_CLEARED;
	size_t at = 0;
	int ret = 0;

	memcpy(child.text, path->text, path->len);
	while (at < dir->names_len && ret == 0) {
		const char *name = dir->names + at;
		size_t name_len = strlen(name);
		size_t len = child_path(&child, path->len, name, name_len);
		struct tnode *tn = v->txn->made_first ? txn_lookup(v->txn, child.text, len) : NULL;

		at += name_len + 1;
		/* Made again here: it is listed with the new ones. */
		if (tn && (tn->state == TNODE_DELETED || tn->state == TNODE_CREATED))
			continue;
		ret = add_name(out, name, name_len);
	}
	return ret;
}

/* Those it has made. */
static int new_children(struct view *v, const struct xs_path *path, struct buf *out)
{
	int ret = 0;

	for (struct tnode *tn = v->txn->made_first; tn && ret == 0; tn = tn->made_next) {
		const char *leaf = xs_path_leaf(tn->path, tn->path_len);

		if (tn->state != TNODE_CREATED ||
		    xs_path_parent_len(tn->path, tn->path_len) != path->len ||
		    !xs_path_is_within(tn->path, tn->path_len, path->text, path->len))
			continue;
		ret = add_name(out, leaf, (size_t)(tn->path + tn->path_len - leaf));
	}
	return ret;
}

int view_children(struct view *v, const struct xs_path *path, struct buf *out, uint64_t *gen)
{
	struct vnode vn;
	int ret = view_get(v, path, ACCESS_READ, SEEN_CHILDREN, &vn);

	if (ret < 0)
		return ret;
	if (!v->txn) {
		*gen = node_latest_gen(&vn.base);
		return base_children(&v->srv->tree, &vn.base, out);
	}
	*gen = 0;
	/* What the tree has below a node that was made here is hidden. */
	if (vn.tn->state == TNODE_SEEN || vn.tn->state == TNODE_WRITTEN) {
		ret = remember_names(v, &vn);
		*gen = vn.tn->names_gen;
		if (ret == 0)
			ret = old_children(v, path, vn.tn, out);
	}
	return ret < 0 ? ret : new_children(v, path, out);
}
