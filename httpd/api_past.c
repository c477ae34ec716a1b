/* SPDX-License-Identifier: MIT */
/* api_past.c - /v1/history, /v1/diff, /v1/rollback: what was, and going back to it. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <xs.h>
#include <xs_past_reader.h>

#include "api.h"
#include "conn.h"
#include "die.h"
#include "json_pos.h"
#include "long_value.h"
#include "past_log.h"
#include "query.h"
#include "rollback.h"
#include "side.h"
#include "store.h"
#include "tree_diff.h"

#define NOW UINT64_MAX
#define CHANGES_TOLD_MAX 10000
#define HISTORY_BYTES 1000000u /* of one answer's body; a change has less */
#define ENOUGH 1 /* take_change(): no more is wanted */

/* Answers with @o, which it drops. */
static void answer(struct conn *c, json_t *o)
{
	char *body = must(json_dumps(o, JSON_COMPACT));

	json_decref(o);
	conn_answer_own(c, 200, CONN_TYPE_JSON, NULL, body, strlen(body));
}

/* ---- history ---- */

struct history {
	json_t *list;
	uint64_t max, left;	/* revisions */
	struct xs_past last;	/* the last one told */
	size_t bytes, first;	/* of the answer; rows of it that are of revisions told whole */
	char next[48];		/* where the rest begins; "": nowhere */
};

/* Before that revision, or that change of it. */
static void next_is_before(struct history *h, uint64_t rev, uint32_t index)
{
	snprintf(h->next, sizeof(h->next), index ? "%" PRIu64 ".%" PRIu32 : "%" PRIu64, rev, index);
}

/* A revision is told whole, unless it is too much alone. */
static void cut(struct history *h, const struct xs_past_view *v)
{
	uint64_t rev = h->last.rev;

	if (v->rec.rev != rev) {
		next_is_before(h, rev, 0);
	} else if (h->first) {
		while (json_array_size(h->list) > h->first)
			json_array_remove(h->list, json_array_size(h->list) - 1);
		/* Of all that is before the one behind it, it is the first. */
		next_is_before(h, rev + 1, 0);
	} else {
		next_is_before(h, rev, h->last.index);
	}
}

static int take_change(void *arg, const struct xs_past_view *v)
{
	struct history *h = arg;
	json_t *row = past_log_json(v);
	bool new = v->rec.rev != h->last.rev;
	size_t nr = json_array_size(h->list), len = json_dumpb(row, NULL, 0, JSON_COMPACT) + 1;

	if (new)
		h->first = nr;
	if ((new && h->left == 0) ||
	    (nr > 0 && (nr >= CHANGES_TOLD_MAX || h->bytes + len > HISTORY_BYTES))) {
		cut(h, v);
		json_decref(row);
		return ENOUGH;
	}
	h->left -= new;
	h->last = v->rec;
	h->bytes += len;
	return json_array_append_new(h->list, row) == 0 ? 0 : -ENOMEM;
}

/* BEFORE of the query: REV or REV.INDEX, malloc'd, or NULL. False: it is none; answered. */
static bool query_place(struct conn *c, char **out)
{
	bool bad = false;
	size_t rev, index;

	*out = head_query(c->head.query, "before", &bad);
	if (*out) {
		rev = strspn(*out, "0123456789");
		index = (*out)[rev] == '.' ? strspn(*out + rev + 1, "0123456789") + 1 : 0;
		bad |= rev == 0 || rev > 16 || index == 1 || index > 10 || (*out)[rev + index];
	}
	if (bad)
		conn_error(c, 400, "before", "follow the Link of the answer before, or give a revision",
			   "this is no place in the history");
	return !bad;
}

static void answer_history(struct conn *c, const struct history *h)
{
	char *body = must(json_dumps(h->list, JSON_COMPACT)), link[128] = "";

	if (h->next[0] && h->max)
		snprintf(link, sizeof(link), "Link: <?n=%" PRIu64 "&before=%s>; rel=\"next\"\r\n",
			 h->max, h->next);
	conn_answer_own(c, 200, CONN_TYPE_JSON, link, body, strlen(body));
}

void api_history(struct conn *c, const char *rest)
{
	struct history h = { .max = 100 };
	char *path = side_path(c, rest), *before = NULL;
	int rc;

	if (!path)
		return;
	if (query_number(c, "n", CHANGES_TOLD_MAX, &h.max) && query_place(c, &before)) {
		h.left = h.max;
		h.list = json_array();
		rc = xs_past_log(store(), path, before, take_change, &h);
		if (rc < 0)
			side_error(c, path, rc);
		else
			answer_history(c, &h);
		json_decref(h.list);
	}
	free(before);
	free(path);
}

/* ---- diff ---- */

static void add_row(void *arg, const struct xs_node *was, const struct xs_node *is)
{
	json_array_append_new(arg, tree_diff_json(was, is));
}

/* What is not there is a tree without a value; its name is in one piece with it, as others' are. */
static int tree_at(const char *path, uint64_t rev, struct xs_node **out)
{
	int rc = rev != NOW ? xs_past_tree(store(), rev, path, out) :
		 xs_tree_read(store(), 0, path, -1, XS_TREE_VALUES | XS_TREE_PERMS, out);

	if (!rc)
		long_fold(*out);
	if (rc != -ENOENT)
		return rc;
	*out = must(calloc(1, sizeof(**out) + strlen(path) + 1));
	(*out)->name = strcpy((char *)(*out + 1), path);
	return 0;
}

void api_diff(struct conn *c, const char *rest)
{
	uint64_t from = NOW, to = NOW;
	struct xs_node *was = NULL, *is = NULL;
	char *path = side_path(c, rest);
	json_t *list;
	int rc;

	if (!path || !query_number(c, "from", NOW - 1, &from) ||
	    !query_number(c, "to", NOW - 1, &to)) {
		free(path);
		return;
	}
	rc = tree_at(path, from, &was);
	if (!rc)
		rc = tree_at(path, to, &is);
	if (rc) {
		side_error(c, path, rc);
	} else {
		list = json_array();
		tree_diff(was, is, add_row, list);
		answer(c, list);
	}
	xs_tree_free(was);
	xs_tree_free(is);
	free(path);
}

/* ---- rollback ---- */

static void bad_member(struct conn *c, const struct json_pos *p, const char *what)
{
	char where[48];

	snprintf(where, sizeof(where), "body:%d:%d", p->line, p->column);
	conn_error(c, 400, where, "send {\"revision\": N, \"path\": \"/...\", \"dry_run\": true}",
		   "%s", what);
}

/* As it is written: a large number would not come through a machine's fractions. */
static bool is_revision(const struct json_pos *p, uint64_t *rev)
{
	char text[24] = "", *end;

	if (!json_is_number(p->v) || p->len >= sizeof(text))
		return false;
	memcpy(text, p->text, p->len);
	*rev = strtoull(text, &end, 10);
	return !*end && text[0] != '-' && *rev;
}

/* What the body says; false: answered. */
static bool read_wish(struct conn *c, const struct json_pos *top, struct rollback *r, bool *dry_run)
{
	const char *key;
	json_t *v;
	size_t i = 0;

	if (!json_is_object(top->v)) {
		bad_member(c, top, "an object is wanted here");
		return false;
	}
	json_object_foreach(top->v, key, v) {
		const struct json_pos *p = &top->kids[i++];
		const char *text = json_string_value(v);

		if (text && strlen(text) != json_string_length(v))
			text = NULL; /* what is behind a NUL is not passed over */

		if (strcmp(key, "revision") == 0 && is_revision(p, &r->rev))
			continue;
		if (strcmp(key, "path") == 0 && text && text[0] == '/')
			r->path = text;
		else if (strcmp(key, "dry_run") == 0 && json_is_boolean(v))
			*dry_run = json_is_true(v);
		else {
			bad_member(c, p, "this member, or its value, is not known");
			return false;
		}
	}
	if (r->rev && r->path)
		return true;
	bad_member(c, top, "revision and path are wanted");
	return false;
}

static void roll_back(struct conn *c, struct rollback *r, bool dry_run)
{
	char *path = side_typed(c, r->path);
	int rc;

	if (!path)
		return;
	r->path = path;
	rc = dry_run ? rollback_ask(r) : rollback_run(r);
	if (*r->why)
		conn_error(c, 400, r->failed, "nothing was changed: see xs schema", "%s", r->why);
	else if (rc)
		side_error(c, r->failed ? r->failed : path, rc);
	else
		answer(c, rollback_json(r));
	rollback_fini(r);
	free(path);
}

void api_rollback(struct conn *c, const char *rest)
{
	struct rollback r = { 0 };
	struct json_problem why;
	struct json_pos *top;
	bool dry_run = false;
	size_t used = 0;
	char where[48];

	(void)rest;
	top = json_pos_read(c->body, c->head.body_len, 1, &used, &why);
	if (!top) {
		snprintf(where, sizeof(where), "body:%d:%d", why.line, why.column);
		conn_error(c, 400, where, "send JSON", "%s", why.text);
		return;
	}
	used += strspn(c->body + used, " \t\r\n");
	if (used != c->head.body_len)
		bad_member(c, top, "something follows it");
	else if (read_wish(c, top, &r, &dry_run))
		roll_back(c, &r, dry_run);
	json_pos_free(top);
}
