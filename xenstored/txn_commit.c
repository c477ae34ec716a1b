/* SPDX-License-Identifier: MIT */
/*
 * txn_commit.c - the end of a transaction: check what it saw, prepare everything that can fail,
 * then apply without failure (rule C11).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "conn.h"
#include "doubt.h"
#include "lease.h"
#include "server.h"
#include "txn.h"

static bool still_holds(const struct tnode *tn, const struct node *n)
{
	if ((n ? n->id : 0) != tn->base_id)
		return false;
	if (!n)
		return true;
	if (tn->seen & SEEN_PERMS && node_perms(n) != tn->base_perms)
		return false;
	if (tn->seen & SEEN_VALUE && n->gen != tn->base_gen)
		return false;
	return !(tn->seen & SEEN_CHILDREN) || node_children_gen(n) == tn->base_children_gen;
}

/* What the tree has at the entry's path now. */
static struct node *tnode_base(struct server *srv, const struct tnode *tn)
{
	return tree_find_hashed(&srv->tree, tn->path, tn->path_len, tn->hash);
}

static int txn_validate(struct server *srv, struct txn *t)
{
	for (struct tnode *tn = t->first; tn; tn = tn->next) {
		struct node *n;

		if (!tn->seen)
			continue;
		n = tnode_base(srv, tn);
		if (!still_holds(tn, n)) {
			if (tn->allowed)
				lease_heat(srv, n, t);
			return -EAGAIN;
		}
	}
	return 0;
}

/* The node a deleted or replaced entry takes out of the tree, or NULL. */
static struct node *victim_of(struct server *srv, const struct tnode *tn)
{
	if (tn->state != TNODE_DELETED && tn->state != TNODE_CREATED)
		return NULL;
	return tnode_base(srv, tn);
}

/* What applying the changes is going to need. */
struct needs {
	struct change_need change;
	uint64_t freed;		/* nodes of the client's own domain that go */
};

/* The node or the value that an entry puts into the tree. 0 or -ENOSPC. */
static int prepare_memory(struct server *srv, struct tnode *tn, struct perms *perms)
{
	const char *leaf = xs_path_leaf(tn->path, tn->path_len);

	if (tn->state == TNODE_CREATED) {
		tn->prepared = node_alloc(&srv->tree, leaf, strlen(leaf), perms, tn->value,
					  tn->value_len);
		return tn->prepared ? 0 : -ENOSPC;
	}
	if (!tn->value_changed)
		return 0;
	return node_prepare_value(&srv->tree, tnode_base(srv, tn), tn->value, tn->value_len,
				  &tn->apart) < 0 ?
		       -ENOSPC :
		       0;
}

static int prepare_one(struct server *srv, struct txn *t, struct tnode *tn, struct needs *needs)
{
	struct node *victim = victim_of(srv, tn);
	struct perms *perms = tn->perms ? tn->perms : tn->base_perms;
	struct change_need *need = &needs->change;

	need->persistent |= change_is_persistent(tn->path, tn->path_len);
	for (struct node *n = victim; n; n = node_next(n, victim)) {
		need->nr_nodes++;
		needs->freed += perms_owner(node_perms(n)) == t->conn->domid;
	}
	if (tn->state == TNODE_DELETED)
		return 0;
	need->frees = false;
	need->nr_nodes += 2;	/* value and permissions are logged one after the other */
	need->bytes += 2 * (tn->path_len + tn->value_len + perms->nr * sizeof(struct xs_perm));
	return prepare_memory(srv, tn, perms);
}

static int txn_prepare(struct server *srv, struct txn *t)
{
	struct needs needs = { .change.frees = true };

	for (struct tnode *tn = t->made_first; tn; tn = tn->made_next) {
		int ret = prepare_one(srv, t, tn, &needs);

		if (ret < 0)
			return ret;
	}
	if (!t->conn->privileged && t->nodes_created > needs.freed) {
		int ret = domain_may(srv, t->conn->domain, QUOTA_NODES,
				     t->nodes_created - needs.freed);

		if (ret < 0)
			return ret;
	}
	return change_reserve_nodes(srv, &needs.change);
}

static struct node *parent_of(struct server *srv, const struct tnode *tn)
{
	return tree_find(&srv->tree, tn->path, xs_path_parent_len(tn->path, tn->path_len));
}

static void apply_written(struct server *srv, struct tnode *tn)
{
	struct node *n = tnode_base(srv, tn);
	struct perms *before = perms_ref(node_perms(n));

	if (tn->perms_changed)
		change_perms(srv, n, perms_ref(tn->perms));
	if (tn->value_changed) {
		change_put_value(srv, n, tn->value, tn->value_len, tn->apart);
		tn->apart = NULL;
	}
	if (tn->fire)
		change_note(srv, n, before);
	perms_put(&srv->tree.perms, before);
}

static void apply_one(struct server *srv, struct tnode *tn)
{
	struct node *victim = victim_of(srv, tn);

	if (victim)
		change_remove(srv, victim);
	if (tn->state == TNODE_CREATED) {
		struct node *n = tn->prepared;

		tn->prepared = NULL;
		change_create(srv, parent_of(srv, tn), n);
		if (tn->fire)
			change_note(srv, n, NULL);
	} else if (tn->state == TNODE_WRITTEN) {
		apply_written(srv, tn);
	}
}

int txn_commit(struct server *srv, struct txn *t)
{
	struct conn *conn = t->conn;
	struct doubt *doubt = NULL;
	int ret = t->doomed ? t->doom : txn_validate(srv, t);

	if (ret == 0 && t->made_first)
		ret = txn_prepare(srv, t);
	if (ret == 0 && t->made_first)
		ret = doubt_prepare(srv, t, &doubt);
	if (ret == 0) {
		doubt_begin(srv, doubt);
		for (struct tnode *tn = t->made_first; tn; tn = tn->made_next)
			apply_one(srv, tn);
		srv->stats.commits++;
		conn->lost_in_a_row = 0;
	} else if (ret == -EAGAIN) {
		srv->stats.conflicts++;
		conn->lost_in_a_row++;
	}
	txn_abort(srv, t);
	return ret;
}
