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
#define NODE_OVERHEAD (JOURNAL_RECORD_HDR + RECORD_KEY_MAX + 64)

int change_reserve(struct server *srv, size_t nr_nodes, size_t bytes, bool frees)
{
	if (!srv->journal)
		return 0;
	return journal_reserve(srv->journal, nr_nodes * NODE_OVERHEAD + bytes, frees);
}

static unsigned int node_env(const struct node *n)
{
	return n->flags & NODE_PERSISTENT ? JOURNAL_PERSISTENT : JOURNAL_RUNTIME;
}

static void log_put(struct server *srv, const struct node *n)
{
	char key[RECORD_KEY_MAX];
	size_t key_len;
	void *to;

	if (!srv->journal)
		return;
	key_len = record_key(key, RECORD_NODE, n->id, 0);
	to = journal_put(srv->journal, node_env(n), key, key_len,
			 record_node_len(n->name_len, n->value_len, n->perms->nr));
	record_node_write(n, to);
}

static void log_del(struct server *srv, const struct node *n)
{
	char key[RECORD_KEY_MAX];

	if (srv->journal)
		journal_del(srv->journal, node_env(n), key,
			    record_key(key, RECORD_NODE, n->id, 0));
}

static int64_t charge_of(const struct node *n)
{
	return (int64_t)node_charge(n->name_len, n->value_len, n->perms->nr);
}

static void account(struct server *srv, const struct node *n, int sign)
{
	unsigned int owner = perms_owner(n->perms);

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
	watch_note(srv, path, len, before, n->perms, false);
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
	domain_use(srv, perms_owner(n->perms), QUOTA_MEMORY, charge_of(n) - charge_before);
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

void change_take_value(struct server *srv, struct node *n, char *value, size_t len)
{
	int64_t before = charge_of(n);

	feed_before(srv, n);
	if (node_take_value(&srv->tree, n, value, len) > 0)
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

		watch_note(srv, path, len, i->perms, NULL, i != n);
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
