/* SPDX-License-Identifier: MIT */
/* check.c - recounts everything and compares (rules C4, C5). Reads only. */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
#include "named.h"
#include "store.h"
#include "server.h"
#include "txn.h"

struct check {
	struct server *srv;
	struct buf *out;
	unsigned int faults;
};

static void fault(struct check *c, const char *fmt, ...)
{
	char line[256];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(line, sizeof(line) - 1, fmt, ap);
	va_end(ap);
	if (n > (int)sizeof(line) - 2)
		n = (int)sizeof(line) - 2;
	line[n++] = '\n';
	buf_append(c->out, line, (size_t)n);
	c->faults++;
}

/* A node as the way through the tree finds it; counts it for its owner. */
static void check_node(struct check *c, const struct walk *w)
{
	const struct node *n = &w->node;
	uint64_t id = 0;
	uint32_t nr = 0;
	struct child k;
	bool more = child_first(&c->srv->tree, n->id, &k);

	for (; more; more = child_next(&c->srv->tree, &k), nr++) {
		if (k.id <= n->id || k.id <= id)
			fault(c, "node %.200s: child %llu is out of order", w->path,
			      (unsigned long long)k.id);
		id = k.id;
	}
	if (nr != n->nr_children)
		fault(c, "node %.200s: %u children counted, %u found", w->path, n->nr_children, nr);
	if (n->gen > c->srv->tree.rev || n->children_gen > c->srv->tree.rev)
		fault(c, "node %.200s: of a revision that is still to come", w->path);
}

static bool names(const struct perms *p, unsigned int domid, unsigned int before)
{
	for (unsigned int i = 0; i < before; i++) {
		if (p->e[i].domid == domid)
			return true;
	}
	return false;
}

/* The index has the node for each domain that it names. How many these are. */
static size_t check_named(struct check *c, const struct node *n, const char *path, size_t len)
{
	size_t nr = 0;

	for (unsigned int i = 0; i < n->perms->nr; i++) {
		unsigned int domid = n->perms->e[i].domid;

		if (domid == 0 || names(n->perms, domid, i))
			continue;
		nr++;
		if (!named_has(&c->srv->tree, domid, n, path, len))
			fault(c, "node %.*s: not found by domain %u", (int)(len < 200 ? len : 200), path, domid);
	}
	return nr;
}

/* What the index has, it has of nodes that name the domain. How many. */
static size_t check_names(struct check *c)
{
	struct tree *t = &c->srv->tree;
	struct named at;
	size_t nr = 0;

	for (unsigned int domid = 0; named_domid_next(t, &domid); domid++) {
		bool more = named_first(t, domid, &at);

		if (!more)
			fault(c, "domain %u: its index names no node", domid);
		for (; more; more = named_next(t, &at), nr++) {
			struct node n;

			if (!tree_find(t, at.path.text, at.path.len, &n) || n.id != at.id ||
			    !names(n.perms, domid, n.perms->nr))
				fault(c, "node %.200s: found by domain %u, which it does not name",
				      at.path.text, domid);
		}
	}
	return nr;
}

/* The "@" nodes, which hang nowhere. How many names they have in the index. */
static size_t check_special(struct check *c)
{
	struct store *l = c->srv->tree.store;
	struct store_bytes key, rec;
	bool more = store_seek(l, STORE_NODE, "@", 1, &key, &rec);
	size_t nr = 0;

	for (; more && *(const char *)key.data == '@'; more = store_next(l, STORE_NODE, &key, &rec)) {
		struct node n;

		if (tree_find(&c->srv->tree, key.data, key.len, &n))
			nr += check_named(c, &n, key.data, key.len);
	}
	return nr;
}

static void check_tree(struct check *c)
{
	struct tree *t = &c->srv->tree;
	struct walk w;
	bool more = walk_begin(&w, t, "/", 1);
	size_t nr = 0, nr_named = 0, nr_found = check_names(c);

	for (; more; more = walk_next(&w, UINT32_MAX), nr++) {
		check_node(c, &w);
		nr_named += check_named(c, &w.node, w.path, w.len);
	}
	nr_named += check_special(c);
	if (nr_named != nr_found)
		fault(c, "permissions: %zu names of domains, %zu in the index", nr_named, nr_found);
	if (nr > t->nr_nodes || store_count(t->store, STORE_NODE) != t->nr_nodes ||
	    store_count(t->store, STORE_CHILD) + 1 != nr)
		fault(c, "tree: %zu nodes, %zu counted", nr, t->nr_nodes);
}

static void count_refs(void *arg, const struct node *n, size_t name_len)
{
	size_t *members = arg;

	*members += n->perms->refs > 0;
}

/* Each node has a reference to its set. */
static void check_perms(struct check *c)
{
	struct perms_table *t = &c->srv->tree.perms;
	size_t refs = 0, members = 0;

	tree_each_node(&c->srv->tree, count_refs, &members);
	for (unsigned int i = 0; i < t->nr_buckets; i++) {
		for (struct perms *p = t->bucket[i]; p; p = p->hash_next)
			refs += p->refs;
	}
	if (members != c->srv->tree.nr_nodes || refs < members)
		fault(c, "permissions: %zu references, %zu nodes", refs, members);
}

/* What one domain's nodes take. */
struct owned {
	unsigned int domid;
	uint64_t *used;
};

static void count_owned(void *arg, const struct node *n, size_t name_len)
{
	const struct owned *o = arg;

	if (perms_owner(n->perms) != o->domid)
		return;
	o->used[QUOTA_NODES]++;
	o->used[QUOTA_MEMORY] += node_charge(name_len, n->value_len, n->perms->nr);
}

/* What a connection holds. */
static void add_held(const struct conn *cn, uint64_t used[QUOTA_NR])
{
	used[QUOTA_TRANSACTIONS] += cn->nr_txns;
	used[QUOTA_MEMORY] += cn->events.bytes;
	for (const struct txn *tx = cn->txns; tx; tx = tx->next)
		used[QUOTA_MEMORY] += tx->bytes;
	for (const struct watch *w = cn->watch_first; w; w = w->next) {
		used[QUOTA_WATCHES]++;
		used[QUOTA_MEMORY] += sizeof(*w) + w->token_len + sizeof(struct watch_path) + w->on->len;
	}
}

/* One domain's counted uses, from scratch. */
static void recount(struct check *c, const struct domain *d, uint64_t used[QUOTA_NR])
{
	struct owned owned = { d->domid, used };

	memset(used, 0, QUOTA_NR * sizeof(*used));
	tree_each_node(&c->srv->tree, count_owned, &owned);
	for (struct conn *cn = c->srv->wire.conns; cn; cn = cn->next) {
		if (cn->domid == d->domid && !cn->domain_gone && !cn->user)
			add_held(cn, used);
	}
}

static void check_use(struct check *c, const char *whose, unsigned int number,
		      const uint64_t used[QUOTA_NR], const uint64_t recount[QUOTA_NR])
{
	for (int i = 0; i < QUOTA_NR; i++) {
		if (quota_table[i].counted && i != QUOTA_OUTSTANDING && used[i] != recount[i])
			fault(c, "%s %u: %s is %llu, recount %llu", whose, number, quota_table[i].name,
			      (unsigned long long)used[i], (unsigned long long)recount[i]);
	}
}

static void check_users(struct check *c)
{
	for (const struct user *u = c->srv->wire.users; u; u = u->next) {
		uint64_t used[QUOTA_NR] = { 0 };
		unsigned int nr = 0;

		for (const struct conn *cn = c->srv->wire.conns; cn; cn = cn->next) {
			if (cn->user != u)
				continue;
			nr++;
			add_held(cn, used);
		}
		check_use(c, "user", u->uid, u->used, used);
		if (nr != u->nr_conns)
			fault(c, "user %u: %u connections, %u found", u->uid, u->nr_conns, nr);
	}
}

static void check_quotas(struct check *c)
{
	for (struct domain *d = c->srv->domains.list; d; d = d->next) {
		uint64_t used[QUOTA_NR];

		recount(c, d, used);
		check_use(c, "domain", d->domid, d->used, used);
	}
}

static void check_watches(struct check *c)
{
	struct watch_table *t = &c->srv->watches;
	size_t nr = 0, paths = 0;

	for (size_t i = 0; i < t->nr_buckets; i++) {
		for (struct watch_path *wp = t->bucket[i]; wp; wp = wp->hash_next, paths++) {
			if (!wp->first)
				fault(c, "watches: empty path %.200s", wp->path);
			for (struct watch *w = wp->first; w; w = w->path_next, nr++) {
				if (w->on != wp)
					fault(c, "watches: %.200s linked wrongly", wp->path);
			}
		}
	}
	for (struct conn *cn = c->srv->wire.conns; cn; cn = cn->next) {
		for (struct watch *w = cn->watch_first; w; w = w->next)
			nr--;
	}
	if (nr != 0 || paths != t->nr_paths)
		fault(c, "watches: the two indexes differ");
}

unsigned int check_all(struct server *srv, struct buf *out)
{
	struct check c = { .srv = srv, .out = out };

	check_tree(&c);
	check_perms(&c);
	check_quotas(&c);
	check_users(&c);
	check_watches(&c);
	return c.faults;
}

unsigned int check_disk(const struct server *srv, struct buf *out)
{
	struct check c = { .out = out };

	if (srv->durable.degraded)
		fault(&c, "disk: something was lost, or a file was an older one than there had "
			  "been: CONTROL lost says what, until CONTROL lost known");
	if (srv->durable.refused)
		fault(&c, "disk: it takes no changes: %s", strerror(-srv->durable.refused));
	return c.faults;
}
