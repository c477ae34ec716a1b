/* SPDX-License-Identifier: MIT */
/*
 * change.c - alters the served tree: node, quota count, journal record and watch note in one step
 * (rule C4). Not here: permissions (view.c), limits (view.c, txn.c), the events (watch.c).
 */
#include "change.h"

#include <errno.h>
#include <string.h>

#include "bulk.h"
#include "journal.h"
#include "record.h"
#include "server.h"

/* Upper bound of a record's fixed part and key. */
#define RECORD_OVERHEAD (JOURNAL_RECORD_HDR + RECORD_KEY_MAX + 64)

int change_reserve(struct server *srv, size_t nr, size_t bytes, bool frees)
{
	if (!srv->journal)
		return 0;
	return journal_reserve(srv->journal, nr * RECORD_OVERHEAD + bytes, frees);
}

int change_reserve_nodes(struct server *srv, const struct change_need *need)
{
	size_t nr = need->persistent ? need->nr_nodes : 0;
	int ret = change_reserve(srv, nr, need->persistent ? need->bytes : 0, need->frees);

	return ret < 0 ? ret : tree_reserve(&srv->tree, need->nr_nodes, need->frees);
}

int change_reserve_removal(struct server *srv, const struct node *n)
{
	const struct change_need need = {
		.nr_nodes = subtree_size(n),
		.persistent = n->flags & NODE_PERSISTENT,
		.frees = true,
	};

	return change_reserve_nodes(srv, &need);
}

/* The others are in memory that a start finds again. */
static bool is_logged(const struct server *srv, const struct node *n)
{
	return srv->journal && n->flags & NODE_PERSISTENT;
}

static void log_put(struct server *srv, const struct node *n)
{
	char key[RECORD_KEY_MAX];
	size_t key_len;
	void *to;

	if (!is_logged(srv, n))
		return;
	key_len = record_key(key, RECORD_NODE, n->id, 0);
	to = journal_put(srv->journal, JOURNAL_PERSISTENT, key, key_len,
			 record_node_len(n->name_len, n->value_len, node_perms(n)->nr));
	record_node_write(n, to);
}

static void log_del(struct server *srv, const struct node *n)
{
	char key[RECORD_KEY_MAX];

	if (is_logged(srv, n))
		journal_del(srv->journal, JOURNAL_PERSISTENT, key,
			    record_key(key, RECORD_NODE, n->id, 0));
}

static int64_t charge_of(const struct node *n)
{
	return (int64_t)node_charge(n->name_len, n->value_len, node_perms(n)->nr);
}

static void account(struct server *srv, const struct node *n, int sign)
{
	unsigned int owner = perms_owner(node_perms(n));

	domain_use(srv, owner, QUOTA_NODES, sign);
	domain_use(srv, owner, QUOTA_MEMORY, sign * charge_of(n));
}

void change_note(struct server *srv, const struct node *n, struct perms *before)
{
	char path[XS_PATH_BUF] XS_NOT_CLEARED;
	size_t len;

	/* Rights to "@" events are no event themselves. */
	if (srv->watches.nr_watches == 0 || (!n->parent && n->name_len))
		return;
	len = node_path(n, path);
	watch_note(srv, path, len, before, node_perms(n), false);
}

/* Children of "/" that begin the persistent part of the store. */
static const char *const persistent_roots[] = { "config", "history" };

bool change_is_persistent(const char *path, size_t len)
{
	for (size_t i = 0; i < sizeof(persistent_roots) / sizeof(persistent_roots[0]); i++) {
		size_t root = strlen(persistent_roots[i]);

		if (len > root && memcmp(path + 1, persistent_roots[i], root) == 0 &&
		    (len == root + 1 || path[root + 1] == '/'))
			return true;
	}
	return false;
}

static bool begins_persistent(const struct server *srv, const struct node *parent,
			      const struct node *n)
{
	char path[16];

	if (!parent || parent != srv->tree.root || n->name_len >= sizeof(path) - 1)
		return false;
	path[0] = '/';
	memcpy(path + 1, n->name, n->name_len);
	return change_is_persistent(path, n->name_len + 1u);
}

void change_create(struct server *srv, struct node *parent, struct node *n)
{
	if (begins_persistent(srv, parent, n))
		n->flags |= NODE_PERSISTENT;
	change_restore(srv, parent, n, 0);
}

void change_restore(struct server *srv, struct node *parent, struct node *n, uint64_t id)
{
	tree_link(&srv->tree, parent, n, id);
	account(srv, n, 1);
	log_put(srv, n);
	feed_note(srv, XS_BULK_PUT, XS_BULK_CREATED, n);
}

void change_loaded(struct server *srv, struct node *parent, struct node *n, uint64_t id)
{
	tree_link(&srv->tree, parent, n, id);
	account(srv, n, 1);
}

void change_recovered(struct server *srv)
{
	struct node *n;

	for (size_t i = 0; i < srv->tree.nr_buckets; i++) {
		for (n = tree_bucket(&srv->tree, i); n; n = node_chained(n)) {
			if (!(n->flags & NODE_PERSISTENT))
				account(srv, n, 1);
		}
	}
}

void change_unloaded(struct server *srv, struct node *n)
{
	struct node *next;

	for (struct node *i = node_deepest(n); i; i = next) {
		next = node_next_up(i, n);
		account(srv, i, -1);
		tree_unlink(&srv->tree, i);
		node_free(&srv->tree, i);
	}
}

static void value_changed(struct server *srv, struct node *n, int64_t charge_before)
{
	domain_use(srv, perms_owner(node_perms(n)), QUOTA_MEMORY, charge_of(n) - charge_before);
	log_put(srv, n);
}

int change_value(struct server *srv, struct node *n, const char *value, size_t len)
{
	int64_t before = charge_of(n);
	int ret;

	feed_before(srv, n);
	ret = node_set_value(&srv->tree, n, value, len);
	if (ret > 0)
		value_changed(srv, n, before);
	if (ret >= 0)
		feed_note(srv, XS_BULK_PUT, 0, n);
	return ret < 0 ? ret : 0;
}

void change_put_value(struct server *srv, struct node *n, const char *value, size_t len,
		      struct value *apart)
{
	int64_t before = charge_of(n);

	feed_before(srv, n);
	if (node_put_value(&srv->tree, n, value, len, apart) > 0)
		value_changed(srv, n, before);
	feed_note(srv, XS_BULK_PUT, 0, n);
}

void change_perms(struct server *srv, struct node *n, struct perms *perms)
{
	account(srv, n, -1);
	node_set_perms(&srv->tree, n, perms);
	account(srv, n, 1);
	log_put(srv, n);
	feed_note(srv, XS_BULK_PERMS, 0, n);
}

size_t subtree_size(const struct node *n)
{
	size_t nr = 0;

	for (const struct node *i = n; i; i = node_next(i, n))
		nr++;
	return nr;
}

void change_remove(struct server *srv, struct node *n)
{
	/* As in change_note(): rights to "@" events are no event themselves. */
	bool watched = srv->watches.nr_watches > 0 && (n->parent || !n->name_len);
	char path[XS_PATH_BUF] XS_NOT_CLEARED;
	struct node *next;

	/* The events go parents first, as the reader of "/a" expects; the nodes go last first. */
	for (struct node *i = watched ? n : NULL; i; i = node_next(i, n)) {
		size_t len = node_path(i, path);

		watch_note(srv, path, len, node_perms(i), NULL, i != n);
	}
	for (struct node *i = srv->feeds ? n : NULL; i; i = node_next(i, n))
		feed_note(srv, XS_BULK_DEL, 0, i);
	for (struct node *i = node_deepest(n); i; i = next) {
		next = node_next_up(i, n);
		log_del(srv, i);
		account(srv, i, -1);
		tree_unlink(&srv->tree, i);
		node_free(&srv->tree, i);
	}
}
