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
#include "hv.h"
#include "log.h"
#include "named.h"
#include "people.h"
#include "saved.h"
#include "server.h"
#include "txn.h"

/* Numbers that permissions can name: of domains, and above them of people. */
#define DOMIDS 65536u

int domains_init(struct domains *t)
{
	*t = (struct domains){ 0 };
	t->by_id = calloc(DOMIDS, sizeof(*t->by_id));
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
	return domid < DOMIDS ? t->by_id[domid] : NULL;
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
	d->since = tree_now(&srv->tree);
	d->next = t->list;
	if (t->list)
		t->list->prev = d;
	t->list = d;
	t->by_id[domid] = d;
	t->nr++;
	return d;
}

/* A node that lets the dead domain read or write forgets it. 0; -ENOMEM, or no room. */
static int strip_reader(struct server *srv, const struct xs_path *path, struct node *n,
			unsigned int domid)
{
	const struct change_need need = {
		.nr_nodes = 1,
		.nr_perms = 2u * n->perms->nr,
		.bytes = path->len + n->value_len,
		.persistent = change_is_persistent(path->text, path->len),
		.frees = true,
		.forced = true,
	};
	struct perms *without = perms_without(&srv->tree.perms, n->perms, domid);
	int ret = without ? change_room(srv, &need) : -ENOMEM;

	if (ret == 0 && tree_find(&srv->tree, path->text, path->len, n))
		change_perms(srv, path->text, path->len, n, without);
	perms_put(&srv->tree.perms, without);
	return ret;
}

/*
 * Everything that names @domid leaves the tree, or the part of it that lasts: a node of its own
 * with all below it (the home of another domain, "/", cannot), of others the permission. First what
 * it owns. 0, or why not all of it did.
 */
static int forget_named(struct server *srv, unsigned int domid, bool lasting)
{
	const struct tree *t = &srv->tree;
	struct named at;
	int all = 0;

	for (int owned = 1; owned >= 0; owned--) {
		for (bool more = named_first(t, domid, &at); more; more = named_next(t, &at)) {
			const struct xs_path *path = &at.path;
			struct node n;
			int ret = 0;

			if (!tree_find(t, path->text, path->len, &n) ||
			    (lasting && !change_is_persistent(path->text, path->len)))
				continue;
			if (perms_owner(n.perms) != domid)
				ret = owned ? 0 : strip_reader(srv, path, &n, domid);
			else if (owned && n.id != NODE_ID_ROOT)
				ret = change_forget_at(srv, path->text, path->len);
			all = ret < 0 ? ret : all;
		}
	}
	return all;
}

static void forget_domid(struct server *srv, unsigned int domid)
{
	if (forget_named(srv, domid, false) < 0)
		srv->domains.ended_still_named = true;
}

/* Also in the record: after a restart the domid may be another domain's. */
static void forget_target(struct server *srv, unsigned int domid)
{
	for (struct domain *d = srv->domains.list; d; d = d->next) {
		if (d->target != domid)
			continue;
		d->target = NO_DOMID;
		if (saved_room_for(srv, 1, true) == 0)
			saved_domain(srv, d);
		else
			srv->domains.ended_still_named = true;
	}
}

static bool is_named(const struct server *srv, unsigned int domid)
{
	unsigned int named = domid;

	for (const struct domain *d = srv->domains.list; d; d = d->next) {
		if (d->target == domid)
			return true;
	}
	return domid != 0 && named_domid_next(&srv->tree, &named) && named == domid;
}

/* Whether the domid's last life could not be forgotten; it is tried once more. */
static bool still_named(struct server *srv, unsigned int domid)
{
	if (!srv->domains.ended_still_named || !is_named(srv, domid))
		return false;
	forget_target(srv, domid);
	forget_domid(srv, domid);
	return is_named(srv, domid);
}

/*
 * A person: known as long as the table has the number. No record is kept, what is there is counted
 * when it first matters.
 */
static int adopt_person(struct server *srv, unsigned int id, struct domain **out)
{
	const struct tree *t = &srv->tree;
	struct named at;

	if (!people_know(srv, id))
		return -ENOENT;
	*out = domain_create(srv, id, 0);
	if (!*out)
		return -ENOMEM;
	for (bool more = named_first(t, id, &at); more; more = named_next(t, &at)) {
		struct node n;

		if (tree_find(t, at.path.text, at.path.len, &n) && perms_owner(n.perms) == id)
			domain_count_node(srv, &n, strlen(xs_path_leaf(at.path.text, at.path.len)));
	}
	return 0;
}

int domain_find_or_adopt(struct server *srv, unsigned int domid, struct domain **out)
{
	struct hv_domain info;
	int ret;

	*out = domain_find(&srv->domains, domid);
	if (*out)
		return 0;
	if (person_is(domid))
		return adopt_person(srv, domid, out);
	if (domid >= DOMID_FIRST_RESERVED)
		return -ENOENT;
	ret = srv->hv->domain_info(srv->hv, domid, &info);
	if (ret < 0 || info.dying)
		return -ENOENT;
	if (still_named(srv, domid))
		return -EBUSY;
	if (saved_room_for(srv, 1, false) < 0)
		return -ENOSPC;
	*out = domain_create(srv, domid, info.identity);
	if (!*out)
		return -ENOMEM;
	saved_domain(srv, *out);
	return 0;
}

int domain_introduce(struct server *srv, unsigned int domid, uint64_t gfn, uint32_t port)
{
	struct domain *d;
	int ret = domain_find_or_adopt(srv, domid, &d);

	if (ret < 0)
		return ret;
	if (saved_room_for(srv, 2, false) < 0)
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
	saved_domain(srv, d);
	return 0;
}

/* Who may learn of this domain's end was said of this life of the domid. */
static void forget_special(struct server *srv, unsigned int domid)
{
	char name[32];
	int len = snprintf(name, sizeof(name), "@releaseDomain/%u", domid);
	struct node n;

	if (tree_find(&srv->tree, name, (size_t)len, &n) &&
	    change_forget_at(srv, name, (size_t)len) < 0)
		/* rights may be set before a domain is there: nothing would find these again */
		log_warnx("no room to take back the rights to %s", name);
}

void domains_forget_unknown(struct server *srv)
{
	srv->domains.ended_still_named = false;
	for (unsigned int domid = 0; named_domid_next(&srv->tree, &domid); domid++) {
		if (!person_is(domid) && !domain_find(&srv->domains, domid))
			forget_domid(srv, domid);
	}
	for (struct domain *d = srv->domains.list; d; d = d->next) {
		if (d->target != NO_DOMID && !domain_find(&srv->domains, d->target))
			forget_target(srv, d->target);
	}
	server_publish(srv);
	watch_fire_collected(srv);
}

int domains_forget_loaded(struct server *srv)
{
	unsigned int nr = 1;
	int ret = 0, one;

	for (unsigned int domid = 1; named_domid_next(&srv->tree, &domid); domid++) {
		one = person_is(domid) ? 0 : forget_named(srv, domid, true);
		ret = one < 0 ? one : ret;
	}
	for (const struct domain *d = srv->domains.list; d; d = d->next)
		nr++;
	if (ret == 0 && saved_room_for(srv, nr, true) < 0)
		ret = -ENOSPC;
	for (struct domain *d = srv->domains.list; d && ret == 0; d = d->next) {
		if (person_is(d->domid))
			continue;
		d->since = tree_now(&srv->tree);
		saved_domain(srv, d);
	}
	return ret;
}

bool domain_had(const struct server *srv, unsigned int domid, uint64_t rev)
{
	const struct domain *d = domain_find(&srv->domains, domid);

	return domid == 0 || person_is(domid) || (d && d->since <= rev);
}

void domain_release(struct server *srv, struct domain *d)
{
	struct domains *t = &srv->domains;
	unsigned int domid = d->domid;

	if (d->conn) {
		if (saved_room(d->conn, true) == 0)
			saved_forget(d->conn);
		watch_remove_all(srv, d->conn);
		while (d->conn->txns)
			txn_abort(srv, d->conn->txns);
		conn_kill(d->conn);
		d->conn->domain_gone = true;
		d->conn->domain = NULL;
		d->conn->account = NULL;
		d->conn = NULL;
	}
	forget_target(srv, domid);
	if (d->introduced)
		watch_note_special(srv, "@releaseDomain", domid);
	forget_special(srv, domid);
	forget_domid(srv, domid);
	if (saved_room_for(srv, 2, true) == 0)
		saved_domain_gone(srv, domid);

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
	if (saved_room_for(srv, 1, true) == 0)
		saved_domain(srv, d);
}

void domains_check(struct server *srv)
{
	struct domain *next;

	for (struct domain *d = srv->domains.list; d; d = next) {
		next = d->next;
		if (d->domid != 0 && !person_is(d->domid))
			check_one(srv, d);
	}
	server_publish(srv);
	watch_fire_collected(srv);
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
	return quota_errno(kind);
}

void domain_count_node(void *arg, const struct node *n, size_t name_len)
{
	struct server *srv = arg;
	unsigned int owner = perms_owner(n->perms);

	domain_use(srv, owner, QUOTA_NODES, 1);
	domain_use(srv, owner, QUOTA_MEMORY,
		   (int64_t)node_charge(name_len, n->value_len, n->perms->nr));
}
