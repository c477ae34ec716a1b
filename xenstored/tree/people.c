/* SPDX-License-Identifier: MIT */
/*
 * people.c - see people.h. The table is read where it is, at each connection: no copy can be out
 * of date. Single-threaded; no lock.
 */
#include "people.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conn.h"
#include "log.h"
#include "server.h"

static const char *const kinds[] = { "user", "group" };

static bool says(const char *text, size_t len, const char *word)
{
	return len == strlen(word) && memcmp(text, word, len) == 0;
}

static void add_id(struct rights *r, unsigned int id)
{
	for (unsigned int i = 0; i < r->nr; i++) {
		if (r->id[i] == id)
			return;
	}
	if (r->nr < PEOPLE_IDS)
		r->id[r->nr++] = (uint16_t)id;
}

int people_parse(const char *text, size_t len, struct rights *out)
{
	char number[8];
	uint64_t id;

	*out = (struct rights){ .served = true };
	if (says(text, len, "all")) {
		out->all = true;
	} else if (says(text, len, "read")) {
		out->reads = true;
	} else if (says(text, len, "none")) {
		out->served = false;
	} else {
		if (len >= sizeof(number))
			return -EINVAL;
		memcpy(number, text, len);
		number[len] = '\0';
		if (xs_wire_get_number(number, PERSON_LAST, &id) < 0 || id < PERSON_FIRST)
			return -EINVAL;
		add_id(out, (unsigned int)id);
	}
	return 0;
}

/* The row of user or group @number. False: there is none. One that says nothing gives nothing. */
static bool row_of(const struct server *srv, const char *kind, unsigned int number,
		   struct rights *out)
{
	char path[64];
	int len = snprintf(path, sizeof(path), PEOPLE_DIR "/%s/%u", kind, number);
	struct node n;

	if (!tree_find(&srv->tree, path, (size_t)len, &n))
		return false;
	if (people_parse(n.value, n.value_len, out) < 0)
		*out = (struct rights){ 0 };
	return true;
}

/* What two rows give together. */
static void add_rights(struct rights *to, const struct rights *more)
{
	to->served |= more->served;
	to->all |= more->all;
	to->reads |= more->reads;
	for (unsigned int i = 0; i < more->nr; i++)
		add_id(to, more->id[i]);
}

/* What rows, or none, say of it. */
static void sum_rows(const struct server *srv, const struct peer *peer, struct rights *out)
{
	struct rights row;
	bool found;

	found = row_of(srv, kinds[0], peer->uid, &row);
	/* What is refused to a user no group gives. */
	if (found && !row.served)
		return;
	if (found)
		*out = row;
	for (unsigned int i = 0; i < peer->nr_gids; i++) {
		if (!row_of(srv, kinds[1], peer->gid[i], &row))
			continue;
		found = true;
		add_rights(out, &row);
	}
	if (!found)
		*out = srv->cfg.others;
}

void people_judge(const struct server *srv, const struct peer *peer, struct rights *out)
{
	*out = (struct rights){ 0 };
	if (peer->uid == 0 || peer->uid == geteuid())
		*out = (struct rights){ .served = true, .all = true };
	else if (!srv->durable.loading)
		sum_rows(srv, peer, out);
	/* Also who is not served: 0 is domain 0's. */
	if (!out->all && out->nr == 0)
		add_id(out, PERSON_NOBODY);
}

bool rights_equal(const struct rights *a, const struct rights *b)
{
	return a->served == b->served && a->all == b->all && a->reads == b->reads &&
	       a->nr == b->nr && memcmp(a->id, b->id, a->nr * sizeof(a->id[0])) == 0;
}

/* Whether a row of one kind has the number. */
static bool has_row(const struct server *srv, const char *kind, unsigned int id)
{
	char path[64];
	int len = snprintf(path, sizeof(path), PEOPLE_DIR "/%s", kind);
	struct node dir;
	struct child c;
	bool more = tree_find(&srv->tree, path, (size_t)len, &dir) && dir.nr_children > 0 &&
		    child_first(&srv->tree, dir.id, &c);

	for (; more; more = child_next(&srv->tree, &c)) {
		struct rights r;
		struct node row;
		char name[96];

		/* Longer names are no user's. */
		if ((size_t)len + 1 + c.len >= sizeof(name))
			continue;
		memcpy(name, path, (size_t)len);
		name[len] = '/';
		memcpy(name + len + 1, c.name, c.len);
		if (tree_find(&srv->tree, name, (size_t)len + 1 + c.len, &row) &&
		    people_parse(row.value, row.value_len, &r) == 0 && r.nr > 0 && r.id[0] == id)
			return true;
	}
	return false;
}

bool people_know(const struct server *srv, unsigned int id)
{
	return id == PERSON_NOBODY || has_row(srv, kinds[0], id) || has_row(srv, kinds[1], id) ||
	       (srv->cfg.others.nr > 0 && srv->cfg.others.id[0] == id);
}

bool people_guard(const char *path, size_t len, bool whole)
{
	static const size_t dir_len = sizeof(PEOPLE_DIR) - 1;

	return xs_path_is_within(path, len, PEOPLE_DIR, dir_len) ||
	       (whole && xs_path_is_within(PEOPLE_DIR, dir_len, path, len));
}

/* Whether row_of() looks there. */
static bool is_row(const char *path, size_t len)
{
	char row[64], number[16];
	int number_len = (int)(path + len - xs_path_leaf(path, len));
	uint64_t id;

	if (snprintf(number, sizeof(number), "%.*s", number_len, path + len - number_len) != number_len ||
	    number_len >= (int)sizeof(number) || xs_wire_get_number(number, UINT32_MAX, &id) < 0)
		return false;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (snprintf(row, sizeof(row), PEOPLE_DIR "/%s/%u", kinds[i], (unsigned int)id) == (int)len &&
		    memcmp(row, path, len) == 0)
			return true;
	}
	return false;
}

/* Here, not where it is asked: anybody connects as often as he likes. */
static void tell_of_row(const struct server *srv, const char *path, size_t len)
{
	struct rights r;
	struct node n;

	if (is_row(path, len) && tree_find(&srv->tree, path, len, &n) &&
	    people_parse(n.value, n.value_len, &r) < 0)
		log_warnx("%.*s: not all, read, none or a number from %u to %u: not served", (int)len, path,
			  PERSON_FIRST, PERSON_LAST);
}

void people_note(struct server *srv, const char *path, size_t len, bool whole)
{
	/* Most that is changed begins otherwise. */
	if ((len > 1 && path[1] != PEOPLE_DIR[1]) || !people_guard(path, len, whole))
		return;
	srv->rights_stale = true;
	if (!whole)
		tell_of_row(srv, path, len);
}

void people_refresh(struct server *srv)
{
	struct rights now;

	srv->rights_stale = false;
	for (struct conn *c = srv->wire.conns; c; c = c->next) {
		if (!c->peer)
			continue;
		people_judge(srv, c->peer, &now);
		if (!rights_equal(&now, &c->rights))
			conn_kill(c);
	}
}
