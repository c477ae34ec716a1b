/* SPDX-License-Identifier: MIT */
/* saved.c - see saved.h. Layouts: docs/store-format.md; a reader trusts no length. */
#include "saved.h"

#include <errno.h>
#include <string.h>

#include "bond.h"
#include "bytes.h"
#include "conn.h"
#include "conn_ring.h"
#include "domain.h"
#include "hv.h"
#include "store.h"
#include "log.h"
#include "server.h"
#include "session.h"
#include "txn.h"
#include "watch.h"

#define DOMAIN_KEY	2
#define ID_KEY		10	/* domid, id */

/* Domain: identity, page, port, features, target, what is true of it, limits of its own. */
#define AT_IDENTITY	0
#define AT_GFN		8
#define AT_PORT		16
#define AT_FEATURES	20
#define AT_TARGET	24
#define AT_FLAGS	26
#define AT_SET		28
#define AT_LIMITS	32
#define AT_SINCE	(AT_LIMITS + 8 * QUOTA_NR)	/* last, whatever limits there are */
#define DOMAIN_LEN	(AT_SINCE + 8)
#define INTRODUCED	1u
#define SHUTDOWN	2u
#define SINCE		4u	/* the last 8 bytes say since when it is known */

/* Of a domain that a daemon before this one has saved: no right is as old as that. */
#define UNKNOWN_SINCE	UINT64_MAX

/* Limits: for each kind the limit, the soft one, the peak. */
#define QUOTA_LEN	24

/* Watch: depth, bytes to cut off, length of the path; then path and token. */
#define WATCH_FIXED	8
#define WATCH_MAX	(WATCH_FIXED + XS_PATH_BUF + XENSTORE_PAYLOAD_MAX)

int saved_room_for(struct server *srv, unsigned int nr, bool frees)
{
	return store_room(srv->tree.store, nr, nr * (size_t)DOMAIN_LEN, frees);
}

int saved_room(const struct conn *c, bool frees)
{
	size_t nr = 3;

	if (!c->domain)
		return 0;
	if (frees)
		nr += c->nr_watches + c->nr_txns;
	return store_room(c->srv->tree.store, nr, frees ? 0 : WATCH_MAX, frees);
}

static struct store *store_of(const struct conn *c)
{
	return c->srv->tree.store;
}

static void id_key(unsigned char key[ID_KEY], unsigned int domid, uint64_t id)
{
	be16_put(key, domid);
	put_be64(key + 2, id);
}

void saved_domain(struct server *srv, const struct domain *d)
{
	unsigned char key[DOMAIN_KEY], rec[STORE_HEAD + DOMAIN_LEN], *p = rec + STORE_HEAD;

	be16_put(key, d->domid);
	put_le64(p + AT_IDENTITY, d->identity);
	put_le64(p + AT_GFN, d->gfn);
	put_le32(p + AT_PORT, d->remote_port);
	put_le32(p + AT_FEATURES, d->features);
	put_le16(p + AT_TARGET, (uint16_t)d->target);
	put_le16(p + AT_FLAGS, (uint16_t)((d->introduced ? INTRODUCED : 0) |
					  (d->shutdown ? SHUTDOWN : 0) | SINCE));
	put_le32(p + AT_SET, d->quota.set);
	for (int i = 0; i < QUOTA_NR; i++)
		put_le64(p + AT_LIMITS + 8 * i, d->quota.limit[i]);
	put_le64(p + AT_SINCE, d->since);
	store_put(srv->tree.store, STORE_DOMAIN, key, sizeof(key), rec, sizeof(rec));
}

void saved_domain_gone(struct server *srv, unsigned int domid)
{
	unsigned char key[DOMAIN_KEY];

	be16_put(key, domid);
	store_del(srv->tree.store, STORE_DOMAIN, key, sizeof(key));
	store_del(srv->tree.store, STORE_RING, key, sizeof(key));
}

void saved_quotas(struct server *srv)
{
	unsigned char rec[STORE_HEAD + QUOTA_NR * QUOTA_LEN], *p = rec + STORE_HEAD;

	for (int i = 0; i < QUOTA_NR; i++, p += QUOTA_LEN) {
		put_le64(p, srv->quotas.limit[i]);
		put_le64(p + 8, srv->quotas.soft[i]);
		put_le64(p + 16, srv->quotas.peak[i]);
	}
	store_put(srv->tree.store, STORE_META, "quotas", 6, rec, sizeof(rec));
}

static void watch_put(const struct watch *w, const unsigned char key[ID_KEY])
{
	unsigned char rec[STORE_HEAD + WATCH_MAX] XS_NOT_CLEARED, *p = rec + STORE_HEAD;

	put_le32(p, w->depth);
	put_le16(p + 4, w->strip);
	put_le16(p + 6, (uint16_t)w->on->len);
	memcpy(p + WATCH_FIXED, w->on->path, w->on->len);
	memcpy(p + WATCH_FIXED + w->on->len, w->token, w->token_len);
	store_put(store_of(w->conn), STORE_WATCH, key, ID_KEY, rec,
		  STORE_HEAD + WATCH_FIXED + w->on->len + w->token_len);
}

void saved_watch(const struct watch *w, bool there)
{
	unsigned char key[ID_KEY];

	if (!w->conn->domain)
		return;
	id_key(key, w->conn->domid, w->id);
	if (there)
		watch_put(w, key);
	else
		store_del(store_of(w->conn), STORE_WATCH, key, sizeof(key));
}

void saved_txn(const struct conn *c, uint32_t id, bool open)
{
	unsigned char key[ID_KEY], rec[STORE_HEAD];

	if (!c->domain)
		return;
	id_key(key, c->domid, id);
	if (open)
		store_put(store_of(c), STORE_TXN, key, sizeof(key), rec, sizeof(rec));
	else
		store_del(store_of(c), STORE_TXN, key, sizeof(key));
}

void saved_forget(const struct conn *c)
{
	for (const struct watch *w = c->watch_first; w; w = w->next)
		saved_watch(w, false);
	for (const struct txn *t = c->txns; t; t = t->next)
		saved_txn(c, t->id, false);
}

/* --- at a start --- */

static void resume_quotas(struct server *srv)
{
	struct store_bytes rec;
	const unsigned char *p;

	if (!store_get(srv->tree.store, STORE_META, "quotas", 6, &rec))
		return;
	p = rec.data;
	for (size_t i = 0; i < QUOTA_NR && (i + 1) * QUOTA_LEN <= rec.len; i++, p += QUOTA_LEN) {
		srv->quotas.limit[i] = get_le64(p);
		srv->quotas.soft[i] = get_le64(p + 8);
		srv->quotas.peak[i] = get_le64(p + 16);
	}
}

static void connect_ring(struct server *srv, struct domain *d)
{
	struct hv_domain info;

	if (!d->introduced || srv->hv->domain_info(srv->hv, d->domid, &info) < 0 ||
	    info.identity != d->identity)
		return;
	if (conn_ring_create(srv, d, d->gfn, d->remote_port) < 0)
		log_warnx("d%u: its ring cannot be connected again", d->domid);
	else if (d->conn)
		conn_ring_resumed(d->conn);
}

/* The domain may have ended while there was no daemon: boot.c releases it then. */
static int resume_domain(struct server *srv, unsigned int domid, const struct store_bytes *rec)
{
	const unsigned char *p = rec->data;
	size_t limits = rec->len;
	struct domain *d;

	if (rec->len < AT_LIMITS + 8 || domain_find(&srv->domains, domid))
		return 0;
	d = domain_create(srv, domid, get_le64(p + AT_IDENTITY));
	if (!d)
		return -ENOMEM;
	d->gfn = get_le64(p + AT_GFN);
	d->remote_port = get_le32(p + AT_PORT);
	d->features = get_le32(p + AT_FEATURES);
	d->target = get_le16(p + AT_TARGET);
	d->introduced = get_le16(p + AT_FLAGS) & INTRODUCED;
	d->shutdown = get_le16(p + AT_FLAGS) & SHUTDOWN;
	d->quota.set = get_le32(p + AT_SET);
	d->since = UNKNOWN_SINCE;
	if (get_le16(p + AT_FLAGS) & SINCE) {
		limits -= 8;
		d->since = get_le64(p + limits);
	}
	for (size_t i = 0; i < QUOTA_NR && AT_LIMITS + 8 * (i + 1) <= limits; i++)
		d->quota.limit[i] = get_le64(p + AT_LIMITS + 8 * i);
	return 0;
}

static int resume_watch(struct server *srv, struct conn *c, uint64_t id,
			const struct store_bytes *rec)
{
	char token[XENSTORE_PAYLOAD_MAX + 1];
	const unsigned char *p = rec->data;
	struct xs_path path;
	struct watch *w;
	size_t token_len;
	int ret;

	if (rec->len < WATCH_FIXED)
		return 0;
	path.len = get_le16(p + 6);
	if (path.len >= XS_PATH_BUF || WATCH_FIXED + path.len > rec->len ||
	    rec->len - WATCH_FIXED - path.len >= sizeof(token))
		return 0;
	memcpy(path.text, p + WATCH_FIXED, path.len);
	path.text[path.len] = '\0';
	token_len = rec->len - WATCH_FIXED - path.len;
	memcpy(token, p + WATCH_FIXED + path.len, token_len);
	token[token_len] = '\0';
	ret = watch_add(srv, c, &path, get_le16(p + 4), token, get_le32(p), id, &w);
	return ret == -ENOMEM ? ret : 0;
}

static int resume_domains(struct server *srv)
{
	struct store_bytes key, rec;
	bool more = store_seek(srv->tree.store, STORE_DOMAIN, "", 1, &key, &rec);
	int ret = 0;

	for (; more && ret == 0; more = store_next(srv->tree.store, STORE_DOMAIN, &key, &rec)) {
		if (key.len == DOMAIN_KEY)
			ret = resume_domain(srv, be16_get(key.data), &rec);
	}
	return ret;
}

/* Sessions of clients: without a connection until they come back. */
static int resume_sessions(struct server *srv)
{
	struct store_bytes key, rec;
	bool more = store_seek(srv->tree.store, STORE_SESSION, "", 1, &key, &rec);

	for (; more; more = store_next(srv->tree.store, STORE_SESSION, &key, &rec)) {
		if (key.len == 8 && session_restore(srv, get_be64(key.data), rec.data, rec.len) ==
					    -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

/* What a table has of rings: of those that are connected. */
static int resume_of_rings(struct server *srv, enum store_table t)
{
	struct store_bytes key, rec;
	bool more = store_seek(srv->tree.store, t, "", 1, &key, &rec);
	int ret = 0;

	for (; more && ret == 0; more = store_next(srv->tree.store, t, &key, &rec)) {
		struct domain *d;
		uint64_t id;

		if (key.len != ID_KEY)
			continue;
		d = domain_find(&srv->domains, be16_get(key.data));
		id = get_be64((const unsigned char *)key.data + 2);
		if (d && d->conn && t == STORE_WATCH)
			ret = resume_watch(srv, d->conn, id, &rec);
		else if (d && d->conn)
			ret = txn_restore_doomed(srv, d->conn, (uint32_t)id);
	}
	return ret;
}

static int resume_bonds(struct server *srv)
{
	struct store_bytes key, rec;
	bool more = store_seek(srv->tree.store, STORE_BOND, "", 1, &key, &rec);

	for (; more; more = store_next(srv->tree.store, STORE_BOND, &key, &rec)) {
		if (key.len == 8 && bond_restore(srv, get_be64(key.data), rec.data, rec.len) ==
					    -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

int saved_resume(struct server *srv)
{
	int ret;

	resume_quotas(srv);
	ret = resume_domains(srv);
	for (struct domain *d = srv->domains.list; d; d = d->next)
		connect_ring(srv, d);
	if (ret == 0)
		ret = resume_sessions(srv);
	if (ret == 0)
		ret = resume_bonds(srv);
	if (ret == 0)
		ret = resume_of_rings(srv, STORE_WATCH);
	return ret < 0 ? ret : resume_of_rings(srv, STORE_TXN);
}
