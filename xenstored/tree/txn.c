/* SPDX-License-Identifier: MIT */
/*
 * txn.c - the overlay of a transaction: what it saw and what it is going to change. Applying it
 * is txn_commit.c. Rules C8 (charged before), C11 (a failed step dooms the whole).
 */
#include "txn.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "confine.h"
#include "conn.h"
#include "lease.h"
#include "server.h"

#define FIRST_BUCKETS 8

static struct txn *txn_alloc(struct conn *conn, uint32_t id)
{
	struct txn *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->bucket = calloc(FIRST_BUCKETS, sizeof(*t->bucket));
	if (!t->bucket) {
		free(t);
		return NULL;
	}
	t->nr_buckets = FIRST_BUCKETS;
	t->conn = conn;
	t->id = id;
	t->next = conn->txns;
	conn->txns = t;
	conn->nr_txns++;
	return t;
}

static void txn_charge(struct server *srv, struct txn *t, size_t bytes)
{
	t->bytes += bytes;
	conn_use(t->conn, QUOTA_MEMORY, (int64_t)bytes);
}

int txn_start(struct server *srv, struct conn *conn, struct txn **out)
{
	struct txn *t;
	uint32_t id;
	int ret;

	ret = conn_may(conn, QUOTA_TRANSACTIONS, 1);
	if (ret < 0)
		return ret;
	do {
		id = ++conn->next_tx_id;
	} while (id == 0 || txn_find(conn, id));
	t = txn_alloc(conn, id);
	if (!t)
		return -ENOMEM;
	t->start_ns = now_ns();
	conn_use(conn, QUOTA_TRANSACTIONS, 1);
	txn_charge(srv, t, sizeof(*t));
	*out = t;
	return 0;
}

void txn_doom(struct txn *t, int err)
{
	t->doomed = true;
	t->doom = err;
}

int txn_restore_doomed(struct server *srv, struct conn *conn, uint32_t id)
{
	struct txn *t = txn_alloc(conn, id);

	if (!t)
		return -ENOMEM;
	txn_doom(t, -EAGAIN);
	if (id > conn->next_tx_id)
		conn->next_tx_id = id;
	conn_use(conn, QUOTA_TRANSACTIONS, 1);
	txn_charge(srv, t, sizeof(*t));
	return 0;
}

struct txn *txn_find(struct conn *conn, uint32_t id)
{
	struct txn *t = conn->txns;

	while (t && t->id != id)
		t = t->next;
	return t;
}

void tnode_forget_victims(struct tnode *tn)
{
	if (tn->victims)
		removal_fini(tn->victims);
	free(tn->victims);
	tn->victims = NULL;
}

static void tnode_free(struct server *srv, struct tnode *tn)
{
	perms_put(&srv->tree.perms, tn->base_perms);
	perms_put(&srv->tree.perms, tn->perms);
	tnode_forget_victims(tn);
	free(tn->names);
	free(tn->value);
	free(tn);
}

void txn_abort(struct server *srv, struct txn *t)
{
	struct txn **at = &t->conn->txns;
	struct tnode *next;

	lease_release(srv, t);
	precedence_over(srv, t);
	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	t->conn->nr_txns--;
	conn_use(t->conn, QUOTA_TRANSACTIONS, -1);
	conn_use(t->conn, QUOTA_MEMORY, -(int64_t)t->bytes);
	for (struct tnode *tn = t->first; tn; tn = next) {
		next = tn->next;
		tnode_free(srv, tn);
	}
	free(t->bucket);
	free(t);
}

static unsigned int bucket_of(const struct txn *t, uint32_t hash)
{
	return (hash ^ hash >> 16) & (t->nr_buckets - 1);
}

static struct tnode *lookup_hashed(struct txn *t, const char *path, size_t len, uint32_t hash)
{
	struct tnode *tn;

	for (tn = t->bucket[bucket_of(t, hash)]; tn; tn = tn->hash_next) {
		if (tn->hash == hash && tn->path_len == len && memcmp(tn->path, path, len) == 0)
			break;
	}
	return tn;
}

struct tnode *txn_lookup(struct txn *t, const char *path, size_t len)
{
	return lookup_hashed(t, path, len, path_hash(path, len));
}

/* Doubles the table. A failure only makes the chains longer. */
static void txn_grow(struct txn *t)
{
	struct tnode **bucket = calloc(t->nr_buckets * 2, sizeof(*bucket));

	if (!bucket)
		return;
	free(t->bucket);
	t->bucket = bucket;
	t->nr_buckets *= 2;
	for (struct tnode *tn = t->first; tn; tn = tn->next) {
		unsigned int b = bucket_of(t, tn->hash);

		tn->hash_next = bucket[b];
		bucket[b] = tn;
	}
}

bool txn_hides(struct txn *t, const char *path, size_t len)
{
	uint32_t hash = PATH_HASH_SEED;

	if (!t->made_first)
		return false;
	for (size_t i = 0; i < len; i++) {
		struct tnode *tn = i > 0 && path[i] == '/' ? lookup_hashed(t, path, i, hash) : NULL;

		if (tn && (tn->state == TNODE_CREATED || tn->state == TNODE_DELETED))
			return true;
		hash = path_hash_step(hash, path[i]);
	}
	return false;
}

static int tnode_remember(struct tnode *tn, const struct node *n)
{
	tn->base_id = n->id;
	tn->base_gen = n->gen;
	tn->base_children_gen = n->children_gen;
	tn->base_perms = perms_ref(n->perms);
	tn->mark = n->mark;
	tn->value_len = n->value_len;
	tn->value = malloc(n->value_len ? n->value_len : 1);
	if (!tn->value)
		return -ENOMEM;
	memcpy(tn->value, n->value, n->value_len);
	return 0;
}

/* Whether the client may have its transaction remember one more node, in @bytes. */
static int one_more_allowed(struct server *srv, const struct txn *t, size_t bytes)
{
	struct conn *c = t->conn;
	/* What is not there is remembered, too, and of that there is no end. */
	int ret = conn_may(c, QUOTA_MEMORY, bytes);

	if (ret < 0)
		return ret;
	if (c->privileged)
		return confine_txn_nodes(c, t->nr_nodes + 1);
	return quota_allows(&srv->quotas, &c->account->quota, QUOTA_TRANS_NODES, t->nr_nodes + 1) ?
		       0 :
		       -ENOSPC;
}

int txn_touch(struct server *srv, struct txn *t, const char *path, size_t len, struct tnode **out)
{
	uint32_t hash = path_hash(path, len);
	struct tnode *tn = lookup_hashed(t, path, len, hash);
	struct node base;
	unsigned int b;
	int ret;

	if (tn) {
		*out = tn;
		return 0;
	}
	ret = one_more_allowed(srv, t, sizeof(*tn) + len);
	if (ret < 0)
		return ret;
	tn = calloc(1, sizeof(*tn) + len + 1);
	if (!tn)
		return -ENOMEM;
	memcpy(tn->path, path, len);
	tn->path_len = (uint32_t)len;
	tn->hash = hash;
	tn->state = TNODE_SEEN;
	if (txn_hides(t, path, len))
		tn->state = TNODE_DELETED;
	else if (tree_find(&srv->tree, path, len, &base) && tnode_remember(tn, &base) < 0) {
		tnode_free(srv, tn);
		return -ENOMEM;
	}
	if (t->nr_nodes >= t->nr_buckets)
		txn_grow(t);
	b = bucket_of(t, hash);
	tn->hash_next = t->bucket[b];
	t->bucket[b] = tn;
	if (t->last)
		t->last->next = tn;
	else
		t->first = tn;
	t->last = tn;
	t->nr_nodes++;
	txn_charge(srv, t, sizeof(*tn) + len + tn->value_len);
	*out = tn;
	return 0;
}

void txn_take_value(struct server *srv, struct txn *t, struct tnode *tn, char *value, uint32_t len)
{
	int64_t more = (int64_t)len - tn->value_len;

	free(tn->value);
	tn->value = value;
	tn->value_len = len;
	t->bytes = (size_t)((int64_t)t->bytes + more);
	conn_use(t->conn, QUOTA_MEMORY, more);
}

int txn_take_names(struct server *srv, struct txn *t, struct tnode *tn, const char *names,
		   size_t len)
{
	int ret = conn_may(t->conn, QUOTA_MEMORY, len);

	if (ret < 0)
		return ret;
	tn->names = malloc(len + 1);
	if (!tn->names)
		return -ENOMEM;
	if (len)
		memcpy(tn->names, names, len);
	tn->names_len = len;
	txn_charge(srv, t, len);
	return 0;
}

void txn_observe(struct tnode *tn, unsigned int seen)
{
	/* What the transaction made itself is no observation of the tree. */
	if (tn->state == TNODE_CREATED || tn->state == TNODE_DELETED)
		seen = 0;
	if (tn->state == TNODE_WRITTEN) {
		if (tn->value_changed)
			seen &= ~SEEN_VALUE;
		if (tn->perms_changed)
			seen &= ~SEEN_PERMS;
	}
	tn->seen |= seen;
}

void txn_changed(struct txn *t, struct tnode *tn)
{
	tn->fire = true;
	if (tn->listed)
		return;
	tn->listed = true;
	if (t->made_last)
		t->made_last->made_next = tn;
	else
		t->made_first = tn;
	t->made_last = tn;
}

bool tnode_exists(const struct tnode *tn)
{
	switch (tn->state) {
	case TNODE_SEEN:
		return tn->base_id != 0;
	case TNODE_WRITTEN:
	case TNODE_CREATED:
		return true;
	case TNODE_DELETED:
		break;
	}
	return false;
}

static void tnode_hide(struct txn *t, struct tnode *tn)
{
	if (tn->state == TNODE_CREATED && perms_owner(tn->perms) == t->conn->domid)
		t->nodes_created--;
	tn->state = TNODE_DELETED;
	tn->fire = false;
	tn->value_changed = false;
	tn->perms_changed = false;
	tn->mark_changed = false;
}

/* Keeps parents before children on the list of changes: what is made again goes to its end. */
static void drop_hidden_from_list(struct txn *t, const struct tnode *top)
{
	struct tnode **at = &t->made_first;

	t->made_last = NULL;
	while (*at) {
		struct tnode *tn = *at;

		if (tn != top && tn->state == TNODE_DELETED &&
		    xs_path_is_within(tn->path, tn->path_len, top->path, top->path_len)) {
			*at = tn->made_next;
			tn->made_next = NULL;
			tn->listed = false;
		} else {
			t->made_last = tn;
			at = &tn->made_next;
		}
	}
}

void txn_delete(struct txn *t, struct tnode *top)
{
	for (struct tnode *tn = t->first; tn; tn = tn->next) {
		if (tn != top &&
		    xs_path_is_within(tn->path, tn->path_len, top->path, top->path_len))
			tnode_hide(t, tn);
	}
	tnode_hide(t, top);
	drop_hidden_from_list(t, top);
	txn_changed(t, top);
}
