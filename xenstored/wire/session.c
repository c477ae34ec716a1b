/* SPDX-License-Identifier: MIT */
/* session.c - see session.h. Decision: docs/decisions/0023-outcomes.md. */
#include "session.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bond.h"
#include "bytes.h"
#include "conn.h"
#include "ops.h"
#include "server.h"
#include "store.h"

#define SESSION_KEY 8

/* --- the record --- */

/* Both move on behind the number. */
static void put_le(unsigned char **to, uint64_t v, unsigned int bytes)
{
	while (bytes-- > 0) {
		*(*to)++ = (unsigned char)v;
		v >>= 8;
	}
}

static uint32_t get_le(const unsigned char **from, unsigned int bytes)
{
	uint32_t v = 0;

	for (unsigned int i = 0; i < bytes; i++)
		v |= (uint32_t)*(*from)++ << (8 * i);
	return v;
}

static size_t record_len(const struct session *s)
{
	return SESSION_TOKEN_LEN + 4 + 4 + 2 + s->nr_failed * 5u;
}

static void encode(const struct session *s, unsigned char *to)
{
	memcpy(to, s->token, SESSION_TOKEN_LEN);
	to += SESSION_TOKEN_LEN;
	put_le(&to, s->last, 4);
	put_le(&to, s->floor, 4);
	put_le(&to, s->nr_failed, 2);
	for (unsigned int i = 0; i < s->nr_failed; i++) {
		put_le(&to, s->failed[i].req_id, 4);
		put_le(&to, s->failed[i].err, 1);
	}
}

static int decode(struct session *s, const unsigned char *from, size_t len)
{
	if (len < SESSION_TOKEN_LEN + 4 + 4 + 2)
		return -EBADMSG;
	memcpy(s->token, from, SESSION_TOKEN_LEN);
	from += SESSION_TOKEN_LEN;
	s->last = get_le(&from, 4);
	s->floor = get_le(&from, 4);
	s->nr_failed = get_le(&from, 2);
	if (s->nr_failed > SESSION_FAILED || len != record_len(s))
		return -EBADMSG;
	for (unsigned int i = 0; i < s->nr_failed; i++) {
		s->failed[i].req_id = get_le(&from, 4);
		s->failed[i].err = (uint8_t)get_le(&from, 1);
	}
	return 0;
}

static void log_put(struct server *srv, const struct session *s)
{
	unsigned char key[SESSION_KEY], rec[STORE_HEAD + SESSION_RECORD_MAX];

	put_be64(key, s->id);
	encode(s, rec + STORE_HEAD);
	store_put(srv->tree.store, STORE_SESSION, key, sizeof(key), rec,
		  STORE_HEAD + record_len(s));
}

/* Without room it stays: a start finds it, and the limit of orphans ends it. */
static void log_gone(struct server *srv, const struct session *s)
{
	unsigned char key[SESSION_KEY];

	put_be64(key, s->id);
	if (store_room(srv->tree.store, 1, 0, true) == 0)
		store_del(srv->tree.store, STORE_SESSION, key, sizeof(key));
}

/* --- the list --- */

static struct session **bucket_of(struct sessions *t, const unsigned char *token)
{
	return &t->bucket[(token[0] | token[1] << 8) % SESSION_BUCKETS];
}

static struct session *find(struct sessions *t, const unsigned char *token)
{
	struct session *s = *bucket_of(t, token);

	while (s && memcmp(s->token, token, SESSION_TOKEN_LEN) != 0)
		s = s->bucket_next;
	return s;
}

static void link_last(struct session_list *l, struct session *s)
{
	s->list = l;
	s->next = NULL;
	s->prev = l->last;
	if (l->last)
		l->last->next = s;
	else
		l->first = s;
	l->last = s;
	l->nr++;
}

static void unlink_session(struct session *s)
{
	struct session_list *l = s->list;

	if (s->prev)
		s->prev->next = s->next;
	else
		l->first = s->next;
	if (s->next)
		s->next->prev = s->prev;
	else
		l->last = s->prev;
	l->nr--;
}

static void move_to(struct session_list *l, struct session *s)
{
	unlink_session(s);
	link_last(l, s);
}

static void add(struct sessions *t, struct session_list *l, struct session *s)
{
	struct session **at = bucket_of(t, s->token);

	s->bucket_next = *at;
	*at = s;
	link_last(l, s);
}

static void forget(struct server *srv, struct session *s)
{
	struct session **at = bucket_of(&srv->wire.sessions, s->token);

	log_gone(srv, s);
	bonds_session_over(srv, s->id);
	while (*at != s)
		at = &(*at)->bucket_next;
	*at = s->bucket_next;
	unlink_session(s);
	free(s);
}

static struct session_list *orphans_of(struct sessions *t, const struct session *s)
{
	return s->of_user ? &t->user_orphans : &t->orphans;
}

static void thin_out(struct server *srv, struct session_list *orphans)
{
	while (orphans->nr > SESSION_ORPHANS) {
		struct session *s = orphans->first;

		/* A start finds all in one list. */
		if (bonds_session_has(srv, s->id))
			move_to(&srv->wire.sessions.bonded, s);
		else
			forget(srv, s);
	}
}

/*
 * The orphan that has been one for longest goes when there are too many; not one that has bonds: it
 * has the time that these have to come back, and there are no more of them than bonds. Those were
 * given the same time, so it is over first for who has been lost first. Each is looked at a few
 * times in all, however many there are.
 */
static void orphaned(struct server *srv, struct session *s)
{
	struct sessions *t = &srv->wire.sessions;

	s->conn = NULL;
	bonds_session_lost(srv, s->id);
	move_to(bonds_session_has(srv, s->id) ? &t->bonded : orphans_of(t, s), s);
	for (s = t->bonded.first; s && !bonds_session_has(srv, s->id); s = t->bonded.first)
		move_to(orphans_of(t, s), s);
	thin_out(srv, &t->orphans);
	thin_out(srv, &t->user_orphans);
}

/* --- taking one up --- */

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_token(const char *text, unsigned char *out)
{
	if (strlen(text) != 2 * SESSION_TOKEN_LEN)
		return -EINVAL;
	for (int i = 0; i < SESSION_TOKEN_LEN; i++) {
		int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return -EINVAL;
		out[i] = (unsigned char)(high << 4 | low);
	}
	return 0;
}

/* Written down at once: one that is not known later was never there. */
static int make(struct server *srv, const unsigned char *token, struct session **out)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	memcpy(s->token, token, SESSION_TOKEN_LEN);
	if (store_room(srv->tree.store, 1, SESSION_RECORD_MAX, false) < 0) {
		free(s);
		return -ENOSPC;
	}
	s->id = ++srv->wire.sessions.next_id;
	add(&srv->wire.sessions, &srv->wire.sessions.connected, s);
	log_put(srv, s);
	*out = s;
	return 0;
}

/* From whoever has it: what the other connection still has to ask will not be done. */
static void take_from(struct sessions *t, struct session *s)
{
	if (!s->conn) {
		move_to(&t->connected, s);
		return;
	}
	s->conn->session = NULL;
	conn_kill(s->conn);
}

static int describe(const struct session *s, struct buf *out)
{
	char word[48];
	int n = snprintf(word, sizeof(word), "%u %u", s->last, s->floor);
	int ret = buf_append(out, word, (size_t)n);

	for (unsigned int i = 0; i < s->nr_failed && ret == 0; i++) {
		n = snprintf(word, sizeof(word), " %u:%s", s->failed[i].req_id,
			     xs_wire_error_name(s->failed[i].err));
		ret = buf_append(out, word, (size_t)n);
	}
	return ret;
}

int session_take(struct server *srv, struct conn *c, const char *token, struct buf *out)
{
	unsigned char bytes[SESSION_TOKEN_LEN];
	struct session *s;
	int ret = c->domain || c->session ? -EINVAL : parse_token(token, bytes);

	if (ret < 0)
		return ret;
	s = find(&srv->wire.sessions, bytes);
	ret = s ? describe(s, out) : buf_append(out, "new", 3);
	if (ret == 0 && s)
		take_from(&srv->wire.sessions, s);
	else if (ret == 0)
		ret = make(srv, bytes, &s);
	if (ret < 0)
		return ret;
	s->conn = c;
	s->of_user = c->user != NULL;
	c->session = s;
	bonds_session_back(srv, s->id);
	/* Whether it comes true is known when the disk has it. */
	c->hold_seq = s->hold_seq;
	return 0;
}

/* --- noting --- */

static void note_failure(struct session *s, uint32_t req_id, int err)
{
	if (s->nr_failed == SESSION_FAILED) {
		s->floor = s->failed[0].req_id;
		s->nr_failed--;
		memmove(s->failed, s->failed + 1, s->nr_failed * sizeof(s->failed[0]));
	}
	s->failed[s->nr_failed].req_id = req_id;
	s->failed[s->nr_failed].err = (uint8_t)err;
	s->nr_failed++;
}

/* A request whose outcome a client cannot see for itself by asking again. */
static bool counts(const struct req *r)
{
	if (r->type == XS_TRANSACTION_END)
		return r->nr_args == 1 && r->arg[0][0] == 'T';
	return r->type < XS_WIRE_OP_NR && ops_table[r->type].flags & OP_CHANGES &&
	       r->hdr.tx_id == 0;
}

void session_note(const struct req *r, int err)
{
	struct server *srv = r->srv;
	struct session *s = r->conn->session;

	if (!s || !counts(r))
		return;
	if (err) {
		note_failure(s, r->hdr.req_id, err);
		return;
	}
	s->last = r->hdr.req_id;
	/*
	 * What changed nothing may as well be asked for again. Room: every change has reserved it.
	 */
	if (store_dirty(srv->tree.store))
		log_put(srv, s);
}

void session_hold(struct conn *c, uint64_t seq)
{
	if (c->session && seq)
		c->session->hold_seq = seq;
}

void session_leave(struct server *srv, struct conn *c, bool over)
{
	struct session *s = c->session;

	c->session = NULL;
	if (!s)
		return;
	if (over)
		forget(srv, s);
	else
		orphaned(srv, s);
}

static void refused(struct server *srv, struct session *s, uint64_t seq)
{
	if (s->hold_seq < seq)
		return;
	s->hold_seq = 0;
	s->floor = s->last;
	s->nr_failed = 0;
	if (store_room(srv->tree.store, 1, SESSION_RECORD_MAX, true) == 0)
		log_put(srv, s);
}

static void wait_for(struct server *srv, struct session *s, uint64_t seq)
{
	s->hold_seq = seq;
}

/* @each may free it. */
static void each_session(struct server *srv, uint64_t seq,
			 void (*each)(struct server *srv, struct session *s, uint64_t seq))
{
	const struct session_list *const lists[] = {
		&srv->wire.sessions.connected, &srv->wire.sessions.orphans, &srv->wire.sessions.user_orphans,
		&srv->wire.sessions.bonded,
	};
	struct session *s, *next;

	for (unsigned int i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		for (s = lists[i]->first; s; s = next) {
			next = s->next;
			each(srv, s, seq);
		}
}

void sessions_refused(struct server *srv, uint64_t seq)
{
	each_session(srv, seq, refused);
}

void sessions_wait(struct server *srv, uint64_t seq)
{
	each_session(srv, seq, wait_for);
}

int session_restore(struct server *srv, uint64_t id, const void *record, size_t len)
{
	struct session *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	if (decode(s, record, len) < 0) {
		free(s);
		return -EBADMSG;
	}
	s->id = id;
	if (id > srv->wire.sessions.next_id)
		srv->wire.sessions.next_id = id;
	add(&srv->wire.sessions, &srv->wire.sessions.orphans, s);
	return 0;
}

static void drop(struct server *srv, struct session *s, uint64_t seq)
{
	free(s);
}

void sessions_fini(struct server *srv)
{
	each_session(srv, 0, drop);
	srv->wire.sessions = (struct sessions){ 0 };
}
