/* SPDX-License-Identifier: MIT */
/* bond.c - see bond.h. A list, by session and by time; by path they are looked at seldom. */
#include "bond.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "bytes.h"
#include "change.h"
#include "conn.h"
#include "lasting.h"
#include "log.h"
#include "server.h"
#include "session.h"
#include "store.h"
#include "watch.h"

#define BOND_KEY 8
/* Record: session u64, ttl u32, length of the path u16; with HELD in that: gen u64; path; value. */
#define AT_SESSION 0
#define AT_TTL 8
#define AT_PATH_LEN 12
#define BOND_FIXED 14
#define GEN_LEN 8
#define HELD 0x8000u
#define BOND_RECORD_MAX (BOND_FIXED + GEN_LEN + XS_PATH_BUF + BOND_VALUE_MAX)
#define MS 1000000ull
#define AGAIN_NS (1000 * MS) /* what could not be removed is tried again */

struct bond {
	struct bond *next, **at;	/* of all; @at points here */
	struct bond *beside, **beside_at;	/* the same, of its session's bucket */
	uint64_t id;
	uint64_t session;	/* 0: it is for a time */
	uint32_t ttl_ms;
	struct due due;
	uint64_t gen;		/* of the node that it was said to hold; 0: of none yet */
	size_t path_len, value_len;
	char *value;		/* behind the path */
	char path[];
};

static struct bond *bond_create(struct server *srv, const char *path, size_t path_len,
				const char *value, size_t value_len)
{
	struct bonds *all = &srv->bonds;
	struct bond *b = NULL;

	if (due_reserve(&all->due, all->nr + 1) == 0)
		b = calloc(1, sizeof(*b) + path_len + value_len + 2);
	if (!b)
		return NULL;
	b->path_len = path_len;
	b->value_len = value_len;
	b->value = b->path + path_len + 1;
	memcpy(b->path, path, path_len);
	memcpy(b->value, value, value_len);
	b->due.bond = b;
	b->at = &all->first;
	b->next = all->first;
	if (b->next)
		b->next->at = &b->next;
	all->first = b;
	all->nr++;
	return b;
}

/* Those of session @id are in it. */
static struct bond **bucket(struct server *srv, uint64_t id)
{
	return &srv->bonds.of_session[id % BOND_BUCKETS];
}

static void leave_session(struct bond *b)
{
	if (!b->beside_at)
		return;
	*b->beside_at = b->beside;
	if (b->beside)
		b->beside->beside_at = b->beside_at;
	b->beside_at = NULL;
}

/* @id 0: it is for a time. */
static void set_session(struct server *srv, struct bond *b, uint64_t id)
{
	leave_session(b);
	b->session = id;
	if (!id)
		return;
	b->beside_at = bucket(srv, id);
	b->beside = *b->beside_at;
	if (b->beside)
		b->beside->beside_at = &b->beside;
	*b->beside_at = b;
}

/* The one of @path and @value, or NULL. */
static struct bond *find(struct server *srv, const char *path, const char *value)
{
	struct bond *b = srv->bonds.first;

	while (b && (strcmp(b->path, path) != 0 || strcmp(b->value, value) != 0))
		b = b->next;
	return b;
}

static void put_record(struct server *srv, const struct bond *b)
{
	unsigned char key[BOND_KEY], rec[STORE_HEAD + BOND_RECORD_MAX] XS_NOT_CLEARED;
	unsigned char *p = rec + STORE_HEAD;

	put_be64(key, b->id);
	put_le64(p + AT_SESSION, b->session);
	put_le32(p + AT_TTL, b->ttl_ms);
	put_le16(p + AT_PATH_LEN, (uint16_t)(b->path_len | (b->gen ? HELD : 0)));
	p += BOND_FIXED;
	if (b->gen) {
		put_le64(p, b->gen);
		p += GEN_LEN;
	}
	memcpy(p, b->path, b->path_len);
	p += b->path_len;
	memcpy(p, b->value, b->value_len);
	p += b->value_len;
	store_put(srv->tree.store, STORE_BOND, key, sizeof(key), rec, (size_t)(p - rec));
}

/* False: no room even for that; it is tried again. */
static bool forget(struct server *srv, struct bond *b)
{
	unsigned char key[BOND_KEY];

	if (store_room(srv->tree.store, 1, 0, true) < 0)
		return false;
	put_be64(key, b->id);
	store_del(srv->tree.store, STORE_BOND, key, sizeof(key));
	*b->at = b->next;
	if (b->next)
		b->next->at = b->at;
	srv->bonds.nr--;
	leave_session(b);
	due_set(&srv->bonds.due, &b->due, 0);
	free(b);
	return true;
}

/* The generation of the node when it has the value, else 0. */
static uint64_t gen_with_value(const struct server *srv, const struct bond *b)
{
	struct node n;

	return tree_find(&srv->tree, b->path, b->path_len, &n) && n.value_len == b->value_len &&
	       memcmp(n.value, b->value, b->value_len) == 0 ? n.gen : 0;
}

/* That value written anew by somebody else, after another one, is not what was bound. */
static bool is_bound(const struct server *srv, const struct bond *b)
{
	uint64_t gen = gen_with_value(srv, b);

	return gen && (!b->gen || gen <= b->gen);
}

/* --- time --- */

static void arm(struct server *srv)
{
	const struct due *next = due_first(&srv->bonds.due);
	uint64_t now = now_ns();

	if (next && loop_has(&srv->bonds.timer))
		loop_timer_set(&srv->bonds.timer, next->ns > now ? next->ns - now : 1, 0);
}

void bonds_end_due(struct server *srv)
{
	uint64_t now = now_ns();
	struct due *d;

	while ((d = due_first(&srv->bonds.due)) && d->ns <= now) {
		struct bond *b = d->bond;

		if ((is_bound(srv, b) && change_forget_at(srv, b->path, b->path_len) < 0) ||
		    !forget(srv, b))
			due_set(&srv->bonds.due, d, now + AGAIN_NS);
	}
	server_publish(srv);
	watch_fire_collected(srv);
}

static void due(void *arg, short events)
{
	struct server *srv = arg;

	loop_timer_seen(&srv->bonds.timer);
	bonds_end_due(srv);
	arm(srv);
	server_turn(srv);
}

int bonds_init(struct server *srv)
{
	int ret;

	srv->bonds.timer = (struct loop_fd){ .ready = due, .arg = srv };
	ret = loop_add_timer(srv->loop, &srv->bonds.timer);
	if (ret == 0)
		arm(srv);
	return ret;
}

/* --- making them --- */

/*
 * Those of @path that held it and never will again: who writes a new value each time would have all
 * there may be. One that holds nothing yet is of somebody who waits, and stays.
 */
static void forget_former(struct server *srv, const char *path)
{
	struct bond *b = srv->bonds.first, *next;

	for (; b; b = next) {
		next = b->next;
		if (b->gen && strcmp(b->path, path) == 0 && !is_bound(srv, b))
			forget(srv, b);
	}
}

int bond_make(struct server *srv, struct conn *c, const struct xs_path *path, const char *value,
	      uint64_t ttl_ms)
{
	size_t len = strlen(value);
	struct bond *b = find(srv, path->text, value);

	if ((ttl_ms ? ttl_ms < BOND_TTL_MIN_MS || ttl_ms > BOND_TTL_MAX_MS : !c->session) ||
	    len > BOND_VALUE_MAX || path->text[0] != '/' || path->len == 1 ||
	    (!srv->durable.off && lasting_is(path->text, path->len)))
		return -EINVAL;
	if ((!b && srv->bonds.nr >= (c->user ? BONDS_MAX - BONDS_ROOT : BONDS_MAX)) ||
	    store_room(srv->tree.store, 1, BOND_RECORD_MAX, false) < 0)
		return -ENOSPC;
	if (!b) {
		b = bond_create(srv, path->text, path->len, value, len);
		if (!b)
			return -ENOMEM;
		b->id = ++srv->bonds.next_id;
	}
	set_session(srv, b, ttl_ms ? 0 : c->session->id);
	b->ttl_ms = (uint32_t)ttl_ms;
	due_set(&srv->bonds.due, &b->due, ttl_ms ? now_ns() + ttl_ms * MS : 0);
	b->gen = gen_with_value(srv, b);
	put_record(srv, b);
	arm(srv);
	if (b->gen)
		forget_former(srv, path->text);
	return b->gen != 0;
}

int bond_take_back(struct server *srv, const struct xs_path *path, const char *value,
		   bool unless_held)
{
	struct bond *b = find(srv, path->text, value);

	if (!b)
		return -ENOENT;
	if (unless_held && is_bound(srv, b))
		return -EBUSY;
	return forget(srv, b) ? 0 : -ENOSPC;
}

int bonds_report(struct server *srv, struct buf *out)
{
	char left[32] = "connection";
	int ret = 0;

	for (const struct bond *b = srv->bonds.first; b && ret == 0; b = b->next) {
		uint64_t now = now_ns();

		if (b->due.ns)
			snprintf(left, sizeof(left), "%llu", (unsigned long long)
				 (b->due.ns > now ? (b->due.ns - now) / MS : 0));
		else
			strcpy(left, "connection");
		ret = buf_append(out, left, strlen(left));
		if (ret == 0)
			ret = buf_append(out, " ", 1);
		if (ret == 0)
			ret = buf_append(out, b->path, b->path_len);
		if (ret == 0)
			ret = buf_append(out, " ", 1);
		if (ret == 0)
			ret = buf_append(out, b->value, b->value_len);
		if (ret == 0)
			ret = buf_append(out, "\n", 1);
	}
	return ret;
}

/* --- sessions --- */

static void set_due(struct server *srv, uint64_t session, uint64_t due_ns)
{
	bool any = false;

	for (struct bond *b = *bucket(srv, session); b; b = b->beside)
		if (b->session == session) {
			due_set(&srv->bonds.due, &b->due, due_ns);
			any = true;
		}
	if (any)
		arm(srv);
}

void bonds_session_over(struct server *srv, uint64_t id)
{
	set_due(srv, id, now_ns());
}

void bonds_session_lost(struct server *srv, uint64_t id)
{
	set_due(srv, id, now_ns() + BOND_GRACE_MS * MS);
}

void bonds_session_back(struct server *srv, uint64_t id)
{
	set_due(srv, id, 0);
}

bool bonds_session_has(const struct server *srv, uint64_t id)
{
	const struct bond *b = srv->bonds.of_session[id % BOND_BUCKETS];

	while (b && b->session != id)
		b = b->beside;
	return b;
}

/* --- over a restart --- */

int bond_restore(struct server *srv, uint64_t id, const void *record, size_t len)
{
	const unsigned char *p = record;
	size_t word = len >= BOND_FIXED ? get_le16(p + AT_PATH_LEN) : 0, path_len = word & ~HELD;
	size_t fixed = BOND_FIXED + (word & HELD ? GEN_LEN : 0);
	const char *text = (const char *)p + fixed;
	struct bond *b;

	if (path_len < 2 || path_len >= XS_PATH_BUF || fixed + path_len > len ||
	    len - fixed - path_len > BOND_VALUE_MAX || text[0] != '/' ||
	    memchr(text, '\0', len - fixed))
		return -EBADMSG;
	b = bond_create(srv, text, path_len, text + path_len, len - fixed - path_len);
	if (!b)
		return -ENOMEM;
	b->id = id;
	b->gen = word & HELD ? get_le64(p + BOND_FIXED) : 0;
	set_session(srv, b, get_le64(p + AT_SESSION));
	b->ttl_ms = get_le32(p + AT_TTL);
	/* nobody could renew it, or keep its connection, while there was no daemon */
	due_set(&srv->bonds.due, &b->due,
		now_ns() + (b->session ? BOND_GRACE_MS : b->ttl_ms) * MS);
	if (id > srv->bonds.next_id)
		srv->bonds.next_id = id;
	/* its record may be lost: the next session must not have this one's nodes */
	if (b->session > srv->wire.sessions.next_id)
		srv->wire.sessions.next_id = b->session;
	return 0;
}

void bonds_fini(struct server *srv)
{
	struct bond *b = srv->bonds.first, *next;

	for (; b; b = next) {
		next = b->next;
		free(b);
	}
	srv->bonds.first = NULL;
	srv->bonds.nr = 0;
	memset(srv->bonds.of_session, 0, sizeof(srv->bonds.of_session));
	due_fini(&srv->bonds.due);
	if (loop_has(&srv->bonds.timer)) {
		loop_remove(&srv->bonds.timer);
		close(srv->bonds.timer.fd);
	}
}
