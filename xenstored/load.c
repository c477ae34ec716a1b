/* SPDX-License-Identifier: MIT */
/*
 * load.c - records to memory. Keys come in order: domains, limits, nodes (parents have smaller
 * ids than children), transactions, watches. Rings are connected as their domain appears, so that
 * watches find them.
 */
#include "load.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "change.h"
#include "conn.h"
#include "conn_ring.h"
#include "domain.h"
#include "hv.h"
#include "journal.h"
#include "log.h"
#include "record.h"
#include "server.h"
#include "txn.h"
#include "watch.h"

int load_init(struct load *l, struct server *srv, bool persistent_only)
{
	*l = (struct load){ .srv = srv, .persistent_only = persistent_only, .nr_slots = 4096 };
	l->by_id = calloc(l->nr_slots, sizeof(*l->by_id));
	return l->by_id ? 0 : -ENOMEM;
}

void load_fini(struct load *l)
{
	if (l->skipped)
		log_errorx("%u records of the store made no sense and were left out", l->skipped);
	free(l->by_id);
}

static size_t slot_of(const struct load *l, uint64_t id)
{
	return (size_t)(id * 0x9e3779b97f4a7c15ull >> 20) & (l->nr_slots - 1);
}

static void index_put(struct load *l, struct node *n)
{
	size_t i = slot_of(l, n->id);

	while (l->by_id[i])
		i = (i + 1) & (l->nr_slots - 1);
	l->by_id[i] = n;
	l->nr++;
}

static int index_add(struct load *l, struct node *n)
{
	if (2 * (l->nr + 1) > l->nr_slots) {
		struct node **old = l->by_id;
		size_t nr_old = l->nr_slots;

		l->by_id = calloc(nr_old * 2, sizeof(*l->by_id));
		if (!l->by_id) {
			l->by_id = old;
			return -ENOMEM;
		}
		l->nr_slots = nr_old * 2;
		l->nr = 0;
		for (size_t i = 0; i < nr_old; i++) {
			if (old[i])
				index_put(l, old[i]);
		}
		free(old);
	}
	index_put(l, n);
	return 0;
}

static struct node *index_find(const struct load *l, uint64_t id)
{
	if (id == NODE_ID_ROOT)
		return l->srv->tree.root;
	for (size_t i = slot_of(l, id); l->by_id[i]; i = (i + 1) & (l->nr_slots - 1)) {
		if (l->by_id[i]->id == id)
			return l->by_id[i];
	}
	return NULL;
}

static struct perms *load_perms(struct load *l, const struct node_record *rec)
{
	struct xs_perm few[16], *e = few;
	struct perms *p;

	if (rec->nr_perms > 16)
		e = malloc(rec->nr_perms * sizeof(*e));
	if (!e)
		return NULL;
	for (unsigned int i = 0; i < rec->nr_perms; i++)
		record_node_perm(rec, i, &e[i]);
	p = perms_get(&l->srv->tree.perms, e, rec->nr_perms);
	if (e != few)
		free(e);
	return p;
}

static int load_node(struct load *l, unsigned int env, uint64_t id, const void *value, size_t len)
{
	struct node_record rec;
	struct node *parent, *n;
	struct perms *perms;

	/* The others are in memory that outlives the daemon. */
	if (env != JOURNAL_PERSISTENT || record_node_parse(value, len, &rec) < 0) {
		l->skipped++;
		return 0;
	}
	parent = rec.parent ? index_find(l, rec.parent) : NULL;
	if (rec.parent && !parent) {
		l->skipped++;
		return 0;
	}
	perms = load_perms(l, &rec);
	if (!perms)
		return -ENOMEM;
	n = node_alloc(&l->srv->tree, rec.name, rec.name_len, perms, rec.value, rec.value_len);
	perms_put(&l->srv->tree.perms, perms);
	if (!n)
		return -ENOMEM;
	n->flags |= NODE_PERSISTENT;
	change_loaded(l->srv, parent, n, id);
	return index_add(l, n);
}

/* The domain may have ended while there was no daemon: persist_resume() releases it then. */
static int load_domain(struct load *l, unsigned int domid, const void *value, size_t len)
{
	struct domain_record rec;
	struct hv_domain info;
	struct domain *d;

	if (len != sizeof(rec)) {
		l->skipped++;
		return 0;
	}
	memcpy(&rec, value, sizeof(rec));
	d = domain_create(l->srv, domid, rec.identity);
	if (!d)
		return -ENOMEM;
	d->introduced = rec.introduced;
	d->shutdown = rec.shutdown;
	d->gfn = rec.gfn;
	d->remote_port = rec.remote_port;
	d->features = rec.features;
	d->target = rec.target;
	d->quota.set = rec.quota_set;
	memcpy(d->quota.limit, rec.quota, sizeof(d->quota.limit));
	if (l->srv->hv->domain_info(l->srv->hv, domid, &info) < 0 ||
	    info.identity != d->identity || !d->introduced)
		return 0;
	if (conn_ring_create(l->srv, d, d->gfn, d->remote_port) < 0)
		log_warnx("d%u: its ring cannot be connected again", domid);
	else if (d->conn)
		conn_ring_resumed(d->conn);
	return 0;
}

static int load_watch(struct load *l, unsigned int domid, uint64_t id, const void *value,
		      size_t len)
{
	struct domain *d = domain_find(&l->srv->domains, domid);
	char token[XENSTORE_PAYLOAD_MAX + 1];
	struct watch_record rec;
	struct xs_path path;
	struct watch *w;
	int ret;

	if (!d || !d->conn)
		return 0;
	if (len < sizeof(rec)) {
		l->skipped++;
		return 0;
	}
	memcpy(&rec, value, sizeof(rec));
	if (len != sizeof(rec) + rec.path_len + rec.token_len || rec.path_len >= XS_PATH_BUF ||
	    rec.token_len >= sizeof(token)) {
		l->skipped++;
		return 0;
	}
	path.len = rec.path_len;
	memcpy(path.text, (const char *)value + sizeof(rec), path.len);
	path.text[path.len] = '\0';
	memcpy(token, (const char *)value + sizeof(rec) + path.len, rec.token_len);
	token[rec.token_len] = '\0';
	ret = watch_add(l->srv, d->conn, &path, rec.strip, token, rec.depth, id, &w);
	return ret == -ENOMEM ? ret : 0;
}

static int load_txn(struct load *l, unsigned int domid, uint64_t id)
{
	struct domain *d = domain_find(&l->srv->domains, domid);

	return d && d->conn ? txn_restore_doomed(l->srv, d->conn, (uint32_t)id) : 0;
}

static int load_session(struct load *l, uint64_t id, const void *value, size_t len)
{
	int ret = session_restore(l->srv, id, value, len);

	if (ret != -EBADMSG)
		return ret;
	l->skipped++;
	return 0;
}

int load_record(void *arg, unsigned int env, const void *key, size_t key_len, const void *value,
		size_t value_len)
{
	struct load *l = arg;
	enum record_kind kind;
	uint64_t a, b;

	if (record_key_parse(key, key_len, &kind, &a, &b) < 0) {
		l->skipped++;
		return 0;
	}
	if (l->persistent_only && (env != JOURNAL_PERSISTENT || kind != RECORD_NODE))
		return 0;
	switch (kind) {
	case RECORD_NODE:
		return load_node(l, env, a, value, value_len);
	case RECORD_DOMAIN:
		return load_domain(l, (unsigned int)a, value, value_len);
	case RECORD_WATCH:
		return load_watch(l, (unsigned int)a, b, value, value_len);
	case RECORD_TXN:
		return load_txn(l, (unsigned int)a, b);
	case RECORD_META:
		if (a == META_QUOTAS && value_len == sizeof(struct quotas))
			memcpy(&l->srv->quotas, value, value_len);
		return 0;
	case RECORD_SESSION:
		return load_session(l, a, value, value_len);
	case RECORD_REPLY:
		break;
	}
	return 0;
}
