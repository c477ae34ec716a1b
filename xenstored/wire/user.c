/* SPDX-License-Identifier: MIT */
/* user.c - see user.h. Owns the list of users who have connections. Single-threaded; no lock. */
#include "user.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "conn.h"
#include "domain.h"
#include "log.h"
#include "server.h"

#define WARN_NS 60000000000ull

static bool is_root(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

static struct user *user_get(struct server *srv, uid_t uid)
{
	struct user *u = srv->wire.users;

	while (u && u->uid != uid)
		u = u->next;
	if (u)
		return u;
	u = calloc(1, sizeof(*u));
	if (!u)
		return NULL;
	u->uid = uid;
	u->next = srv->wire.users;
	srv->wire.users = u;
	return u;
}

int user_join(struct conn *c)
{
	const unsigned int most = c->privileged ? USER_FULL_CONNS : PEOPLE_CONNS;

	if (is_root(c->peer->uid))
		return 0;
	c->user = user_get(c->srv, c->peer->uid);
	if (!c->user)
		return -ENOMEM;
	return ++c->user->nr_conns > most ? -EUSERS : 0;
}

void user_leave(struct conn *c)
{
	struct user **at = &c->srv->wire.users, *u = c->user;

	if (!u)
		return;
	c->user = NULL;
	if (--u->nr_conns > 0)
		return;
	while (*at != u)
		at = &(*at)->next;
	*at = u->next;
	free(u);
}

void conn_use(struct conn *c, enum quota_kind kind, int64_t delta)
{
	if (c->user)
		c->user->used[kind] = (uint64_t)((int64_t)c->user->used[kind] + delta);
	else
		domain_use(c->srv, c->domid, kind, delta);
}

static const uint64_t full[QUOTA_NR] = {
	[QUOTA_WATCHES] = USER_FULL_WATCHES,
	[QUOTA_TRANSACTIONS] = USER_FULL_TRANSACTIONS,
	[QUOTA_MEMORY] = USER_FULL_MEMORY,
};

/* 0: no limit. */
static uint64_t limit_of(const struct conn *c, enum quota_kind kind)
{
	if (!c->privileged)
		return quota_limit(&c->srv->quotas, &c->account->quota, kind);
	return full[kind];
}

/* A user is refused something: said at most once a minute for each. */
static void warn(struct user *u, enum quota_kind kind, uint64_t limit)
{
	uint64_t now = now_ns();

	if (u->warned_ns && now - u->warned_ns < WARN_NS)
		return;
	u->warned_ns = now;
	log_warnx("user %u: has its %s (%llu of %llu), requests are refused", u->uid,
		  quota_table[kind].help, (unsigned long long)u->used[kind],
		  (unsigned long long)limit);
}

int conn_may(struct conn *c, enum quota_kind kind, uint64_t more)
{
	uint64_t limit;

	if (!c->user)
		return c->privileged ? 0 : domain_may(c->srv, c->account, kind, more);
	limit = limit_of(c, kind);
	if (limit == 0 || c->user->used[kind] + more <= limit)
		return 0;
	warn(c->user, kind, limit);
	return quota_errno(kind);
}

int user_stream_begin(struct conn *c)
{
	if (c->user && c->user->nr_streams >= USER_STREAMS)
		return -ENOSPC;
	if (c->user)
		c->user->nr_streams++;
	return 0;
}

void user_stream_end(struct conn *c)
{
	if (c->user)
		c->user->nr_streams--;
}

int user_may_wait(const struct conn *c)
{
	size_t waiting = 0;

	for (const struct conn *o = c->user ? c->srv->wire.conns : NULL; o; o = o->next)
		waiting += o->user == c->user ? conn_waiting(o) : 0;
	return waiting > USER_WAITING ? -EBUSY : 0;
}
