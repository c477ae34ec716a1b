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
#include "durable.h"
#include "lease.h"
#include "server.h"
#include "txn.h"

static bool still_holds(const struct tnode *tn, const struct node *n)
{
	if ((n ? n->id : 0) != tn->base_id)
		return false;
	if (!n)
		return true;
	if (tn->seen & SEEN_PERMS && n->perms != tn->base_perms)
		return false;
	if (tn->seen & SEEN_VALUE && n->gen != tn->base_gen)
		return false;
	return !(tn->seen & SEEN_CHILDREN) || n->children_gen == tn->base_children_gen;
}

/* What the tree has at the entry's path now; NULL: nothing. */
static struct node *tnode_base(struct server *srv, const struct tnode *tn, struct node *n)
{
	return tree_find(&srv->tree, tn->path, tn->path_len, n) ? n : NULL;
}

static int txn_validate(struct server *srv, struct txn *t)
{
	for (struct tnode *tn = t->first; tn; tn = tn->next) {
		struct node *n, at;

		if (!tn->seen)
			continue;
		n = tnode_base(srv, tn, &at);
		if (!still_holds(tn, n)) {
			if (tn->allowed)
				lease_heat(srv, n);
			return -EAGAIN;
		}
	}
	return 0;
}

/* What applying the changes is going to need. */
struct needs {
	struct change_need change;
	uint64_t freed;		/* nodes of the client's own domain that go */
};

/* What a deleted or replaced entry takes out of the tree. */
static int prepare_victims(struct server *srv, struct txn *t, struct tnode *tn,
			   struct needs *needs)
{
	struct node at;

	/* What is below one that goes is among its own. */
	if ((tn->state != TNODE_DELETED && tn->state != TNODE_CREATED) ||
	    !tnode_base(srv, tn, &at) || txn_hides(t, tn->path, tn->path_len))
		return 0;
	tn->victims = calloc(1, sizeof(*tn->victims));
	if (!tn->victims || removal_gather(srv, tn->path, tn->path_len, tn->victims) < 0)
		return -ENOMEM;
	removal_need(tn->victims, &needs->change);
	needs->freed += removal_owned(tn->victims, t->conn->domid);
	return 0;
}

static void add_put(struct change_need *need, const struct tnode *tn, struct perms *perms)
{
	const struct node_spec s = {
		.path = tn->path, .len = tn->path_len, .value_len = tn->value_len, .perms = perms,
	};

	need->frees = false;
	need->nr_perms += tn->base_perms ? tn->base_perms->nr : 0u;
	/* Of a node that is there value and permissions are put one after the other. */
	change_need_put(need, &s, tn->state == TNODE_WRITTEN ? 2 : 1);
}

static int prepare_one(struct server *srv, struct txn *t, struct tnode *tn, struct needs *needs)
{
	struct perms *perms = tn->perms ? tn->perms : tn->base_perms;
	struct change_need *need = &needs->change;
	int ret = prepare_victims(srv, t, tn, needs);

	need->persistent |= change_is_persistent(tn->path, tn->path_len);
	if (ret < 0 || tn->state == TNODE_DELETED)
		return ret;
	add_put(need, tn, perms);
	return 0;
}

static int by_path(const void *pa, const void *pb)
{
	const struct tnode *const *a = pa, *const *b = pb;
	size_t len = (*a)->path_len < (*b)->path_len ? (*a)->path_len : (*b)->path_len;
	int order = memcmp((*a)->path, (*b)->path, len);

	if (order)
		return order;
	return ((*a)->path_len > (*b)->path_len) - ((*a)->path_len < (*b)->path_len);
}

/* New nodes that are in front of the one made before them. */
static size_t nr_backwards(const struct txn *t)
{
	const struct tnode *before = NULL;
	size_t nr = 0;

	for (const struct tnode *tn = t->made_first; tn; tn = tn->made_next) {
		if (tn->state != TNODE_CREATED)
			continue;
		nr += before && by_path(&tn, &before) < 0;
		before = tn;
	}
	return nr;
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
		int ret = domain_may(srv, t->conn->account, QUOTA_NODES,
				     t->nodes_created - needs.freed);

		if (ret < 0)
			return ret;
	}
	needs.change.backwards += nr_backwards(t);
	return change_room(srv, &needs.change);
}

static void apply_written(struct server *srv, struct tnode *tn)
{
	struct perms *before;
	struct node n;
	uint8_t mark;

	if (!tnode_base(srv, tn, &n))
		return;
	before = perms_ref(n.perms);
	if (tn->perms_changed)
		change_perms(srv, tn->path, tn->path_len, &n, tn->perms);
	mark = tn->mark_changed ? tn->mark : n.mark;
	if (tn->value_changed)
		change_value(srv, tn->path, tn->path_len, &n, tn->value, tn->value_len, mark);
	else
		change_mark(srv, tn->path, tn->path_len, &n, mark);
	if (tn->fire)
		change_note(srv, tn->path, tn->path_len, before, n.perms);
	perms_put(&srv->tree.perms, before);
}

static void apply_created(struct server *srv, struct tnode *tn)
{
	const struct node_spec s = {
		tn->path, tn->path_len, tn->value, tn->value_len, tn->perms, tn->mark, 0,
	};
	struct node n;

	change_create(srv, &s, &n);
	if (tn->fire)
		change_note(srv, tn->path, tn->path_len, NULL, tn->perms);
}

static void apply_one(struct server *srv, struct tnode *tn)
{
	if (tn->victims)
		change_remove(srv, tn->victims);
	if (tn->state == TNODE_CREATED)
		apply_created(srv, tn);
	else if (tn->state == TNODE_WRITTEN)
		apply_written(srv, tn);
}

/* Nodes that are new; 0 where one may be in the place of another. */
static size_t nr_new(const struct txn *t)
{
	size_t nr = 0;

	for (const struct tnode *tn = t->made_first; tn; tn = tn->made_next) {
		if (tn->victims)
			return 0;
		nr += tn->state == TNODE_CREATED;
	}
	return nr;
}

/* The new nodes by path, if they come in another order. Those in front of @next have their places. */
struct places {
	struct tnode **sorted;
	size_t nr, next;
};

static void places_init(struct places *p, const struct txn *t)
{
	size_t i = 0;

	*p = (struct places){ .nr = nr_backwards(t) ? nr_new(t) : 0 };
	p->sorted = p->nr ? calloc(p->nr, sizeof(struct tnode *)) : NULL;
	if (!p->sorted) {
		p->nr = 0;
		return;
	}
	for (struct tnode *tn = t->made_first; tn; tn = tn->made_next)
		if (tn->state == TNODE_CREATED)
			p->sorted[i++] = tn;
	qsort(p->sorted, p->nr, sizeof(struct tnode *), by_path);
}

/*
 * Children are made in the client's order, which is told by DIRECTORY. Pages are fuller when
 * records come in the order of their keys: before a node is made, those that belong in front of it
 * get their places.
 */
static void keep_places(struct server *srv, struct places *p, struct tnode *tn)
{
	for (; p->next < p->nr && by_path(&p->sorted[p->next], &tn) <= 0; p->next++) {
		const struct tnode *at = p->sorted[p->next];

		if (at != tn)
			tree_keep_place(&srv->tree, at->path, at->path_len, at->value_len,
					at->perms->nr);
	}
}

static void apply_all(struct server *srv, struct txn *t)
{
	struct places places;

	places_init(&places, t);
	tree_family_begin(&srv->tree);
	for (struct tnode *tn = t->made_first; tn; tn = tn->made_next) {
		if (tn->state == TNODE_CREATED)
			keep_places(srv, &places, tn);
		/* What looks at other nodes finds them as they are. */
		if (tn->state != TNODE_CREATED || tn->victims)
			tree_family_known(&srv->tree);
		apply_one(srv, tn);
	}
	tree_family_end(&srv->tree);
	free(places.sorted);
}

/* What goes is gathered anew when the end is tried again. */
static void forget_victims(struct txn *t)
{
	for (struct tnode *tn = t->made_first; tn; tn = tn->made_next)
		tnode_forget_victims(tn);
}

int txn_commit(struct server *srv, struct txn *t)
{
	struct conn *conn = t->conn;
	int ret = t->doomed ? t->doom : txn_validate(srv, t);

	if (ret == 0 && t->made_first)
		ret = txn_prepare(srv, t);
	if (ret == -ENOSPC && durable_await_room(conn)) {
		forget_victims(t);
		return -EINPROGRESS;
	}
	if (ret == 0) {
		apply_all(srv, t);
		durable_had(srv, t->had);
		srv->stats.commits++;
		conn->lost_in_a_row = 0;
	} else if (ret == -EAGAIN) {
		srv->stats.conflicts++;
		conn->lost_in_a_row++;
	}
	txn_abort(srv, t);
	return ret;
}
