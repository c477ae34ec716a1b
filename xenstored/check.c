/* SPDX-License-Identifier: MIT */
/* check.c - recounts everything and compares (rules C4, C5). Reads only. */
#include "check.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conn.h"
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

static void check_node(struct check *c, struct node *n)
{
	char path[XS_PATH_BUF];
	size_t len = node_path(n, path);
	struct node *first = node_first(n), *last = first ? node_before(first) : NULL, *before = last;
	uint32_t nr = 0;

	if (tree_find(&c->srv->tree, path, len) != n)
		fault(c, "node %.200s: not found by its path", path);
	for (struct node *i = first; i; i = node_sibling(i), nr++) {
		if (node_parent(i) != n || node_before(i) != before || i->id <= n->id)
			fault(c, "node %.200s: child %llu is linked wrongly", path,
			      (unsigned long long)i->id);
		before = i;
	}
	if (before != last || nr != node_nr_children(n))
		fault(c, "node %.200s: %u children counted, %u found", path,
		      node_nr_children(n), nr);
	if (!node_is_intact(n))
		fault(c, "node %.200s: wrong checksum", path);
	if (n->parent && node_parent(n) != c->srv->tree.root &&
	    (n->flags & NODE_PERSISTENT) != (node_parent(n)->flags & NODE_PERSISTENT))
		fault(c, "node %.200s: lifetime differs from its parent's", path);
}

static void check_tree(struct check *c)
{
	struct tree *t = &c->srv->tree;
	size_t nr = 0;

	for (size_t i = 0; i < t->nr_buckets; i++) {
		for (struct node *n = tree_bucket(t, i); n; n = node_chained(n), nr++)
			check_node(c, n);
	}
	if (nr != t->nr_nodes)
		fault(c, "tree: %zu nodes, %zu counted", t->nr_nodes, nr);
}

static void check_perms(struct check *c)
{
	struct perms_table *t = &c->srv->tree.perms;
	size_t members = 0;

	for (unsigned int i = 0; i < t->nr_buckets; i++) {
		for (struct perms *p = t->bucket[i]; p; p = perms_chained(p)) {
			uint32_t nr = 0;

			for (struct node *n = perms_first(p); n; n = node_same_perms(n), nr++) {
				if (node_perms(n) != p)
					fault(c, "permissions: node %llu is in another set",
					      (unsigned long long)n->id);
			}
			if (nr > p->refs)
				fault(c, "permissions: %u members, %u references", nr, p->refs);
			members += nr;
		}
	}
	if (members != c->srv->tree.nr_nodes)
		fault(c, "permissions: %zu members, %zu nodes", members, c->srv->tree.nr_nodes);
}

/* One domain's counted uses, from scratch. */
static void recount(struct check *c, const struct domain *d, uint64_t used[QUOTA_NR])
{
	struct tree *t = &c->srv->tree;

	memset(used, 0, QUOTA_NR * sizeof(*used));
	for (unsigned int i = 0; i < t->perms.nr_buckets; i++) {
		for (struct perms *p = t->perms.bucket[i]; p; p = perms_chained(p)) {
			if (perms_owner(p) != d->domid)
				continue;
			for (struct node *n = perms_first(p); n; n = node_same_perms(n)) {
				used[QUOTA_NODES]++;
				used[QUOTA_MEMORY] += node_charge(n->name_len, n->value_len,
								  node_perms(n)->nr);
			}
		}
	}
	for (struct conn *cn = c->srv->conns; cn; cn = cn->next) {
		if (cn->domid != d->domid || cn->domain_gone)
			continue;
		used[QUOTA_TRANSACTIONS] += cn->nr_txns;
		used[QUOTA_MEMORY] += cn->events.bytes;
		for (struct txn *tx = cn->txns; tx; tx = tx->next)
			used[QUOTA_MEMORY] += tx->bytes;
		for (struct watch *w = cn->watch_first; w; w = w->next) {
			used[QUOTA_WATCHES]++;
			used[QUOTA_MEMORY] += sizeof(*w) + w->token_len +
					      sizeof(struct watch_path) + w->on->len;
		}
	}
}

static void check_quotas(struct check *c)
{
	for (struct domain *d = c->srv->domains.list; d; d = d->next) {
		uint64_t used[QUOTA_NR];

		recount(c, d, used);
		for (int i = 0; i < QUOTA_NR; i++) {
			if (quota_table[i].counted && i != QUOTA_OUTSTANDING &&
			    used[i] != d->used[i])
				fault(c, "domain %u: %s is %llu, recount %llu", d->domid,
				      quota_table[i].name, (unsigned long long)d->used[i],
				      (unsigned long long)used[i]);
		}
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
	for (struct conn *cn = c->srv->conns; cn; cn = cn->next) {
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
	check_watches(&c);
	return c.faults;
}
