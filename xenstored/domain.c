/* SPDX-License-Identifier: MIT */
/*
 * domain.c - domains known to the store, their lives and their counted use. Rules C8, C10.
 * Source: docs/misc/xenstore.txt of Xen, INTRODUCE and RELEASE; <xen/event_channel.h> VIRQs.
 */
#include "domain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>

#include "change.h"
#include "conn.h"
#include "conn_ring.h"
#include "doubt.h"
#include "hv.h"
#include "journal.h"
#include "log.h"
#include "record.h"
#include "server.h"
#include "txn.h"

int domains_init(struct domains *t)
{
	*t = (struct domains){ 0 };
	t->by_id = calloc(DOMID_FIRST_RESERVED, sizeof(*t->by_id));
	return t->by_id ? 0 : -ENOMEM;
}

void domains_fini(struct domains *t)
{
	while (t->list) {
		struct domain *d = t->list;

		t->list = d->next;
		free(d);
	}
	free(t->by_id);
	*t = (struct domains){ 0 };
}

struct domain *domain_find(const struct domains *t, unsigned int domid)
{
	return domid < DOMID_FIRST_RESERVED ? t->by_id[domid] : NULL;
}

struct domain *domain_create(struct server *srv, unsigned int domid, uint64_t identity)
{
	struct domains *t = &srv->domains;
	struct domain *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->domid = domid;
	d->identity = identity;
	d->target = NO_DOMID;
	d->next = t->list;
	if (t->list)
		t->list->prev = d;
	t->list = d;
	t->by_id[domid] = d;
	t->nr++;
	return d;
}

void domain_log(struct server *srv, const struct domain *d)
{
	char key[RECORD_KEY_MAX];
	struct domain_record *rec;

	if (!srv->journal)
		return;
	rec = journal_put(srv->journal, JOURNAL_RUNTIME, key,
			  record_key(key, RECORD_DOMAIN, d->domid, 0), sizeof(*rec));
	*rec = (struct domain_record){
		.identity = d->identity,
		.gfn = d->gfn,
		.remote_port = d->remote_port,
		.features = d->features,
		.target = d->target,
		.introduced = d->introduced,
		.shutdown = d->shutdown,
		.quota_set = d->quota.set,
	};
	memcpy(rec->quota, d->quota.limit, sizeof(d->quota.limit));
}

int domain_find_or_adopt(struct server *srv, unsigned int domid, struct domain **out)
{
	struct hv_domain info;
	int ret;

	*out = domain_find(&srv->domains, domid);
	if (*out)
		return 0;
	if (domid >= DOMID_FIRST_RESERVED)
		return -ENOENT;
	ret = srv->hv->domain_info(srv->hv, domid, &info);
	if (ret < 0 || info.dying)
		return -ENOENT;
	if (change_reserve(srv, 1, sizeof(struct domain_record), false) < 0)
		return -ENOSPC;
	*out = domain_create(srv, domid, info.identity);
	if (!*out)
		return -ENOMEM;
	domain_log(srv, *out);
	return 0;
}

int domain_introduce(struct server *srv, unsigned int domid, uint64_t gfn, uint32_t port)
{
	struct domain *d;
	int ret = domain_find_or_adopt(srv, domid, &d);

	if (ret < 0)
		return ret;
	if (change_reserve(srv, 2, 2 * sizeof(struct domain_record), false) < 0)
		return -ENOSPC;
	if (d->introduced && d->conn)
		ret = conn_ring_rebind(d->conn, port);
	else
		ret = conn_ring_create(srv, d, gfn, port);
	if (ret < 0)
		return ret;
	d->gfn = gfn;
	d->remote_port = port;
	if (!d->introduced)
		watch_note_special(srv, "@introduceDomain", domid);
	d->introduced = true;
	domain_log(srv, d);
	return 0;
}

/* Nodes that let the dead domain read or write forget it. */
static void strip_reader(struct server *srv, struct perms *p, unsigned int domid)
{
	struct perms *without = perms_without(&srv->tree.perms, p, domid);

	if (!without) {
		srv->ended_still_named = true;
		return;
	}
	while (p->nodes) {
		struct node *n = perms_first(p);
		const struct change_need need = {
			.nr_nodes = 1,
			.bytes = n->name_len + n->value_len + p->nr * sizeof(struct xs_perm),
			.persistent = n->flags & NODE_PERSISTENT,
			.frees = true,
		};

		if (change_reserve_nodes(srv, &need) < 0) {
			srv->ended_still_named = true;
			break;
		}
		change_perms(srv, n, perms_ref(without));
	}
	perms_put(&srv->tree.perms, without);
}

/* A node of the dead domain goes with everything below it; the home of another one cannot. */
static void remove_owned(struct server *srv, struct perms *p)
{
	while (p->nodes) {
		struct node *n = perms_first(p);

		if (n == srv->tree.root)
			break;
		if (change_reserve_removal(srv, n) < 0) {
			srv->ended_still_named = true;
			break;
		}
		change_remove(srv, n);
	}
}

/*
 * Everything that names @domid leaves the tree. Each set is held while its members go; sets that
 * appear meanwhile name the domain no more, so one pass over the table is enough.
 */
static void forget_domid(struct server *srv, unsigned int domid)
{
	struct perms_table *t = &srv->tree.perms;
	struct perms **found = calloc(t->nr + 1, sizeof(*found));
	unsigned int nr = 0;

	if (!found) {
		srv->ended_still_named = true;
		return;
	}
	for (unsigned int i = 0; i < t->nr_buckets; i++) {
		for (struct perms *p = t->bucket[i]; p; p = perms_chained(p)) {
			if (perms_names(p, domid))
				found[nr++] = perms_ref(p);
		}
	}
	for (unsigned int i = 0; i < nr; i++) {
		if (perms_owner(found[i]) == domid)
			remove_owned(srv, found[i]);
	}
	for (unsigned int i = 0; i < nr; i++) {
		if (perms_owner(found[i]) != domid)
			strip_reader(srv, found[i], domid);
		perms_put(t, found[i]);
	}
	free(found);
}

static void log_gone(struct server *srv, unsigned int domid)
{
	char key[RECORD_KEY_MAX];

	if (srv->journal && change_reserve(srv, 1, 0, true) == 0)
		journal_del(srv->journal, JOURNAL_RUNTIME, key,
			    record_key(key, RECORD_DOMAIN, domid, 0));
}

/* Also in the record: after a restart the domid may be another domain's. */
static void forget_target(struct server *srv, unsigned int domid)
{
	for (struct domain *d = srv->domains.list; d; d = d->next) {
		if (d->target != domid)
			continue;
		d->target = NO_DOMID;
		if (change_reserve(srv, 1, sizeof(struct domain_record), true) == 0)
			domain_log(srv, d);
		else
			srv->ended_still_named = true;
	}
}

/* Who may learn of this domain's end was said of this life of the domid. */
static void forget_special(struct server *srv, unsigned int domid)
{
	char name[32];
	int len = snprintf(name, sizeof(name), "@releaseDomain/%u", domid);
	struct node *n = tree_find(&srv->tree, name, (size_t)len);

	if (!n)
		return;
	if (change_reserve_removal(srv, n) == 0)
		change_remove(srv, n);
	else /* rights may be set before a domain is there: nothing would find these again */
		log_warnx("no room to take back the rights to %s", name);
}

/* A domid that some node names and that no domain has, or NO_DOMID. */
static unsigned int find_unknown(struct server *srv)
{
	struct perms_table *t = &srv->tree.perms;

	for (unsigned int i = 0; i < t->nr_buckets; i++) {
		for (struct perms *p = t->bucket[i]; p; p = perms_chained(p)) {
			for (unsigned int k = 0; p->nodes && k < p->nr; k++) {
				if (!domain_find(&srv->domains, p->e[k].domid))
					return p->e[k].domid;
			}
		}
	}
	return NO_DOMID;
}

void domains_forget_unknown(struct server *srv)
{
	unsigned int domid, before = NO_DOMID;

	srv->ended_still_named = false;
	while ((domid = find_unknown(srv)) != NO_DOMID && domid != before) {
		forget_domid(srv, domid);
		before = domid;
	}
	for (struct domain *d = srv->domains.list; d; d = d->next) {
		if (d->target != NO_DOMID && !domain_find(&srv->domains, d->target))
			forget_target(srv, d->target);
	}
	srv->event_hold_seq = server_publish(srv);
	watch_fire_collected(srv);
	srv->event_hold_seq = 0;
}

void domain_release(struct server *srv, struct domain *d)
{
	struct domains *t = &srv->domains;
	unsigned int domid = d->domid;

	if (d->conn) {
		conn_ring_log_gone(d->conn);
		watch_remove_all(srv, d->conn);
		while (d->conn->txns)
			txn_abort(srv, d->conn->txns);
		conn_kill(d->conn);
		d->conn->domain_gone = true;
		d->conn->domain = NULL;
		d->conn = NULL;
	}
	forget_target(srv, domid);
	if (d->introduced)
		watch_note_special(srv, "@releaseDomain", domid);
	forget_special(srv, domid);
	forget_domid(srv, domid);
	doubts_forget_domain(srv, domid);
	log_gone(srv, domid);

	t->by_id[domid] = NULL;
	if (d->prev)
		d->prev->next = d->next;
	else
		t->list = d->next;
	if (d->next)
		d->next->prev = d->prev;
	t->nr--;
	free(d);
}

static void check_one(struct server *srv, struct domain *d)
{
	struct hv_domain info;
	int ret = srv->hv->domain_info(srv->hv, d->domid, &info);

	if (ret < 0 || info.dying || info.identity != d->identity) {
		domain_release(srv, d);
		return;
	}
	if (info.shutdown == d->shutdown || !d->introduced)
		return;
	d->shutdown = info.shutdown;
	if (d->shutdown)
		watch_note_special(srv, "@releaseDomain", d->domid);
	if (change_reserve(srv, 1, sizeof(struct domain_record), true) == 0)
		domain_log(srv, d);
}

void domains_check(struct server *srv)
{
	struct domain *next;

	for (struct domain *d = srv->domains.list; d; d = next) {
		next = d->next;
		if (d->domid != 0)
			check_one(srv, d);
	}
	srv->event_hold_seq = server_publish(srv);
	watch_fire_collected(srv);
	srv->event_hold_seq = 0;
}

/* Once a domain: the administrator should know before requests fail. */
static void warn_soft(struct server *srv, struct domain *d)
{
	uint64_t soft = srv->quotas.soft[QUOTA_MEMORY];
	bool over = soft && d->used[QUOTA_MEMORY] > soft;

	if (over && !d->soft_warned)
		log_warnx("d%u: above the soft limit of memory (%llu of %llu bytes)", d->domid,
			  (unsigned long long)d->used[QUOTA_MEMORY], (unsigned long long)soft);
	d->soft_warned = over;
}

/* A request is refused: said at most once a minute for each domain. */
static void warn_quota(struct server *srv, struct domain *d, enum quota_kind kind)
{
	uint64_t now = now_ns();

	if (d->quota_warned_ns && now - d->quota_warned_ns < 60000000000ull)
		return;
	d->quota_warned_ns = now;
	log_warnx("d%u: quota of %s reached (%llu of %llu), requests are refused", d->domid,
		  quota_table[kind].name, (unsigned long long)d->used[kind],
		  (unsigned long long)quota_limit(&srv->quotas, &d->quota, kind));
}

void domain_use(struct server *srv, unsigned int domid, enum quota_kind kind, int64_t delta)
{
	struct domain *d = domain_find(&srv->domains, domid);

	if (!d)
		return;
	d->used[kind] = (uint64_t)((int64_t)d->used[kind] + delta);
	if (domid != 0 && d->used[kind] > srv->quotas.peak[kind])
		srv->quotas.peak[kind] = d->used[kind];
	if (kind == QUOTA_MEMORY && domid != 0)
		warn_soft(srv, d);
}

int domain_may(struct server *srv, struct domain *d, enum quota_kind kind, uint64_t more)
{
	if (quota_allows(&srv->quotas, &d->quota, kind, d->used[kind] + more))
		return 0;
	warn_quota(srv, d, kind);
	if (kind == QUOTA_MEMORY)
		return -ENOMEM;
	return kind == QUOTA_WATCHES ? -E2BIG : -ENOSPC;
}
