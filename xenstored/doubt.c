/* SPDX-License-Identifier: MIT */
/*
 * doubt.c - see doubt.h. Owns copies of the runtime nodes that a transaction in both parts of the
 * store has changed, until the disk has taken the other part. Single-threaded; no lock.
 */
#include "doubt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "conn.h"
#include "journal.h"
#include "server.h"
#include "txn.h"

/* A node as it was. Below one top they are in the order parents first. */
struct saved {
	struct saved *next;
	struct node *copy;	/* not linked; NULL: only a place where nothing was */
	struct value *apart;	/* of a node that was only changed: its value, when it does not fit */
	uint64_t id;
	uint64_t path_len;
	char path[];
};

/* One change: what is at the path now goes, what was saved comes back. */
struct reversal {
	struct reversal *next;	/* the one made before */
	bool whole;		/* the node was made or removed; else only changed */
	struct saved *first, *last;
};

struct doubt {
	struct doubt *next;	/* the one before */
	uint64_t seq;		/* frame */
	struct reversal *undos;	/* the last one first */
};

static void reversal_free(struct server *srv, struct reversal *u)
{
	struct saved *next;

	for (struct saved *s = u->first; s; s = next) {
		next = s->next;
		if (s->copy)
			node_free(&srv->tree, s->copy);
		arena_free(&srv->tree.arena, s->apart);
		free(s);
	}
	free(u);
}

void doubt_drop(struct server *srv, struct doubt *d)
{
	struct reversal *next;

	for (struct reversal *u = d ? d->undos : NULL; u; u = next) {
		next = u->next;
		reversal_free(srv, u);
	}
	free(d);
}

/* Remembers @n, or (NULL) that there is nothing at @path. */
static int save(struct server *srv, struct reversal *u, const char *path, size_t len,
		const struct node *n)
{
	struct saved *s = calloc(1, sizeof(*s) + len + 1);

	if (!s)
		return -ENOMEM;
	memcpy(s->path, path, len);
	s->path_len = len;
	if (u->last)
		u->last->next = s;
	else
		u->first = s;
	u->last = s;
	if (!n)
		return 0;
	s->id = n->id;
	s->copy = node_alloc(&srv->tree, n->name, n->name_len, node_perms(n), node_value(n),
			     n->value_len);
	return s->copy ? 0 : -ENOMEM;
}

static int save_tree(struct server *srv, struct reversal *u, const struct node *top)
{
	char path[XS_PATH_BUF] XS_NOT_CLEARED;
	int ret = 0;

	for (const struct node *n = top; n && ret == 0; n = node_next(n, top)) {
		size_t len = node_path(n, path);

		ret = save(srv, u, path, len, n);
	}
	return ret;
}

static int save_change(struct server *srv, struct doubt *d, const struct tnode *tn)
{
	struct node *n = tree_find_hashed(&srv->tree, tn->path, tn->path_len, tn->hash);
	struct reversal *u = calloc(1, sizeof(*u));
	int ret;

	if (!u)
		return -ENOMEM;
	u->whole = tn->state != TNODE_WRITTEN;
	u->next = d->undos;
	d->undos = u;
	if (u->whole && n)
		return save_tree(srv, u, n);
	ret = save(srv, u, tn->path, tn->path_len, n);
	if (ret == 0 && !u->whole)
		ret = node_prepare_value(&srv->tree, n, node_value(n), n->value_len,
					 &u->first->apart);
	return ret;
}

static bool is_persistent(const struct tnode *tn)
{
	return change_is_persistent(tn->path, tn->path_len);
}

/* Which parts of the store the transaction changes. */
static void parts_of(const struct txn *t, bool *persistent, bool *runtime)
{
	*persistent = *runtime = false;
	for (const struct tnode *tn = t->made_first; tn; tn = tn->made_next)
		*(is_persistent(tn) ? persistent : runtime) = true;
}

int doubt_prepare(struct server *srv, struct txn *t, struct doubt **out)
{
	bool persistent, runtime;
	struct doubt *d;
	int ret = 0;

	*out = NULL;
	parts_of(t, &persistent, &runtime);
	if (!srv->journal || !persistent || !runtime)
		return 0;
	d = calloc(1, sizeof(*d));
	if (!d)
		return -ENOMEM;
	for (const struct tnode *tn = t->made_first; tn && ret == 0; tn = tn->made_next) {
		if (!is_persistent(tn))
			ret = save_change(srv, d, tn);
	}
	if (ret < 0)
		doubt_drop(srv, d);
	else
		*out = d;
	return ret;
}

void doubt_begin(struct server *srv, struct doubt *d)
{
	if (!d)
		return;
	d->seq = journal_next_seq(srv->journal);
	d->next = srv->doubts;
	srv->doubts = d;
}

static bool touches(const struct reversal *u, const char *path, size_t len, bool below)
{
	const struct saved *top = u->first;

	return xs_path_is_within(path, len, top->path, top->path_len) ||
	       (below && xs_path_is_within(top->path, top->path_len, path, len));
}

static bool is_doubtful(const struct server *srv, const char *path, size_t len, bool below)
{
	for (const struct doubt *d = srv->doubts; d; d = d->next) {
		for (const struct reversal *u = d->undos; u; u = u->next) {
			if (touches(u, path, len, below))
				return true;
		}
	}
	return false;
}

bool doubt_waits(struct conn *c, const char *path, size_t len, bool below)
{
	if (!c->srv->doubts || !is_doubtful(c->srv, path, len, below))
		return false;
	conn_await(c, CONN_WAIT_DISK);
	return true;
}

static bool end_is_doubtful(const struct server *srv, const struct txn *t)
{
	bool persistent, runtime;

	parts_of(t, &persistent, &runtime);
	/* What is runtime only would not be taken back with what it has seen. */
	if (t->relies_seq > srv->durable_seq && !persistent && runtime)
		return true;
	for (const struct tnode *tn = srv->doubts ? t->first : NULL; tn; tn = tn->next) {
		bool below = tn->listed || tn->seen & SEEN_CHILDREN;

		if (is_doubtful(srv, tn->path, tn->path_len, below))
			return true;
	}
	return false;
}

bool doubt_waits_end(struct conn *c, struct txn *t)
{
	if (!end_is_doubtful(c->srv, t))
		return false;
	conn_await(c, CONN_WAIT_DISK);
	return true;
}

void doubts_settled(struct server *srv)
{
	struct doubt **at = &srv->doubts;

	while (*at) {
		struct doubt *d = *at;

		if (d->seq > srv->durable_seq) {
			at = &d->next;
			continue;
		}
		*at = d->next;
		doubt_drop(srv, d);
	}
	conns_resume(srv, CONN_WAIT_DISK);
}

static struct node *at_path(struct server *srv, const struct saved *s)
{
	return tree_find(&srv->tree, s->path, s->path_len);
}

/* Not when the domain that it, or what is above it, belonged to has ended meanwhile. */
static void put_back(struct server *srv, struct saved *s)
{
	struct node *parent = tree_find(&srv->tree, s->path,
					xs_path_parent_len(s->path, s->path_len));
	struct node *n = s->copy;

	if (!n || !parent)
		return;
	s->copy = NULL;
	change_restore(srv, parent, n, s->id);
	change_note(srv, n, NULL);
}

static void undo_whole(struct server *srv, struct reversal *u)
{
	struct node *now = at_path(srv, u->first);

	if (now)
		change_remove(srv, now);
	for (struct saved *s = u->first; s; s = s->next)
		put_back(srv, s);
}

/* Value and permissions; the copy goes with the rest. */
static void undo_written(struct server *srv, struct reversal *u)
{
	struct node *now = at_path(srv, u->first), *was = u->first->copy;
	struct perms *before;

	if (!now || !was)
		return;
	before = perms_ref(node_perms(now));
	change_put_value(srv, now, node_value(was), was->value_len, u->first->apart);
	u->first->apart = NULL;
	change_perms(srv, now, perms_ref(node_perms(was)));
	change_note(srv, now, before);
	perms_put(&srv->tree.perms, before);
}

/* Nodes that undoing @u changes at most, value and permissions one after the other. */
static size_t needs(struct server *srv, const struct reversal *u)
{
	struct node *now = at_path(srv, u->first);
	size_t nr = now ? subtree_size(now) + 1 : 0;

	for (const struct saved *s = u->first; s; s = s->next)
		nr++;
	return nr;
}

static int reserve(struct server *srv)
{
	size_t nr = 0;

	for (const struct doubt *d = srv->doubts; d; d = d->next) {
		for (const struct reversal *u = d->undos; u; u = u->next)
			nr += needs(srv, u);
	}
	/* Runtime nodes only: the frame has no record of them. */
	if (change_reserve(srv, 0, 0, true) < 0)
		return -ENOSPC;
	return tree_reserve(&srv->tree, nr, false);
}

int doubts_undo(struct server *srv)
{
	if (reserve(srv) < 0)
		return -ENOSPC;
	while (srv->doubts) {
		struct doubt *d = srv->doubts;

		for (struct reversal *u = d->undos; u; u = u->next) {
			if (u->whole)
				undo_whole(srv, u);
			else
				undo_written(srv, u);
		}
		srv->doubts = d->next;
		doubt_drop(srv, d);
	}
	return 0;
}

/* A copy that the domain owned does not come back, nor (no parent) what is below it. */
static void forget_in(struct server *srv, struct saved *s, unsigned int domid)
{
	struct perms *was = s->copy ? node_perms(s->copy) : NULL, *without;

	if (!was || !perms_names(was, domid))
		return;
	without = perms_owner(was) == domid ? NULL :
		  perms_without(&srv->tree.perms, was, domid);
	if (without) {
		perms_put(&srv->tree.perms, was);
		s->copy->perms = link_make(s->copy, without);
		return;
	}
	node_free(&srv->tree, s->copy);
	s->copy = NULL;
}

void doubts_forget_domain(struct server *srv, unsigned int domid)
{
	for (struct doubt *d = srv->doubts; d; d = d->next) {
		for (struct reversal *u = d->undos; u; u = u->next) {
			for (struct saved *s = u->first; s; s = s->next)
				forget_in(srv, s, domid);
		}
	}
}
