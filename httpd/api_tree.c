/* SPDX-License-Identifier: MIT */
/*
 * api_tree.c - /v1/tree/PATH: part of the store as a document. A change is one transaction, in
 * which the condition (If-Match) is looked at, too: nothing can come between.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>

#include "api.h"
#include "conn.h"
#include "die.h"
#include "doc.h"
#include "document.h"
#include "plan.h"
#include "query.h"
#include "rules_whole.h"
#include "side.h"
#include "store.h"

#define TRIES 20

/* ---- GET ---- */

static bool read_query(struct conn *c, struct document_query *q)
{
	uint64_t depth = UINT64_MAX;

	if (!query_number(c, "depth", 1000, &depth) ||
	    !query_number(c, "at", UINT64_MAX - 1, &q->rev))
		return false;
	q->depth = depth == UINT64_MAX ? -1 : (int)depth;
	q->perms = query_has(c, "perms");
	q->nodes = query_has(c, "nodes");
	if (q->depth < 0 || q->rev == DOCUMENT_NOW)
		return true;
	conn_error(c, 400, "depth", "leave depth or at out", "the past is told whole");
	return false;
}

static void get(struct conn *c, const char *path)
{
	struct document_query q = { .path = path, .rev = DOCUMENT_NOW };
	struct document d;
	char fields[DOCUMENT_TAG_BUF + 16];
	int rc;

	if (!read_query(c, &q))
		return;
	rc = document_read(&q, 0, &d);
	if (rc) {
		side_error(c, path, rc);
		return;
	}
	snprintf(fields, sizeof(fields), "ETag: %s\r\n", d.tag);
	if (c->head.if_none_match && document_tag_in(c->head.if_none_match, d.tag, true)) {
		conn_answer(c, 304, NULL, fields, NULL, 0);
		document_free(&d);
	} else {
		conn_answer_own(c, 200, CONN_TYPE_JSON, fields, d.text, d.len);
	}
}

/* ---- PUT, PATCH, DELETE ---- */

struct change_job {
	const struct conn *c;
	const char *path;
	struct doc doc;
	struct plan plan;
	bool prune;	/* what the document does not say goes */
	bool was;	/* there was something */
	bool moved;	/* the condition is not true */
	char *failed;
	unsigned int nr_refused; /* nodes that schemas of one's own do not allow: told */
	struct document now;
};

static bool has_condition(const struct conn *c)
{
	return c->head.if_match || c->head.if_none_match;
}

/* As the transaction sees it. 0, -ECANCELED: the condition is not true, or -errno. */
static int look(struct change_job *j, struct xs_client *x, uint32_t tx)
{
	const struct document_query q = { .path = j->path, .depth = -1, .rev = DOCUMENT_NOW };
	const char *match = j->c->head.if_match, *none = j->c->head.if_none_match;
	struct document before = { 0 };
	int rc;

	if (has_condition(j->c))
		rc = document_read(&q, tx, &before);
	else
		rc = xs_sync_str(x, XS_READ, tx, j->path, NULL, NULL);
	if (rc && rc != -ENOENT)
		return rc;
	j->was = rc == 0;
	j->moved = (match && !document_tag_in(match, j->was ? before.tag : NULL, false)) ||
		   (none && document_tag_in(none, j->was ? before.tag : NULL, true));
	document_free(&before);
	return j->moved ? -ECANCELED : 0;
}

static int replace(void *arg, struct xs_client *x, uint32_t tx)
{
	const struct document_query q = { .depth = -1, .rev = DOCUMENT_NOW,
					  .path = ((struct change_job *)arg)->path };
	struct change_job *j = arg;
	int rc = look(j, x, tx), seen;

	plan_free(&j->plan);
	document_free(&j->now);
	free(j->failed);
	j->failed = NULL;
	if (!rc)
		rc = plan_make(&j->plan, &j->doc, tx, j->prune, &j->failed);
	if (!rc)
		rc = plan_apply(&j->plan, tx, &j->failed);
	if (!rc)
		rc = rules_check_doc(tx, &j->doc, &j->plan, &j->nr_refused);
	if (rc)
		return rc;
	/* a patch may have taken all of it away, and who may only write does not see it */
	seen = document_read(&q, tx, &j->now);
	return seen == -ENOENT || seen == -EACCES || seen == -E2BIG ? 0 : seen;
}

static int delete(void *arg, struct xs_client *x, uint32_t tx)
{
	struct change_job *j = arg;
	const char *const paths[] = { j->path };
	struct rules_missing missing;
	int rc = look(j, x, tx);

	j->nr_refused = 0;
	if (!rc && !j->was)
		rc = -ENOENT;
	if (!rc)
		rc = xs_sync_str(x, XS_RM, tx, j->path, NULL, NULL);
	if (rc)
		return rc;
	rc = rules_whole_paths(tx, paths, 1, &missing);
	if (rc == -EINVAL) {
		j->nr_refused = 1;
		cli_warn("%s: %s", missing.at, missing.why);
	}
	return rc;
}

static void answer_change(struct conn *c, struct change_job *j, int rc)
{
	char fields[DOCUMENT_TAG_BUF + 16] = "", text[64];

	if (j->nr_refused) {
		side_document_error(c);
	} else if (j->moved) {
		conn_error(c, 412, j->path, "read it anew, and decide again",
			   j->was ? "it is not as If-Match or If-None-Match has it" :
				    "it is not there");
	} else if (rc) {
		side_error(c, j->failed ? j->failed : j->path, rc);
	} else {
		if (j->now.text)
			snprintf(fields, sizeof(fields), "ETag: %s\r\n", j->now.tag);
		snprintf(text, sizeof(text), "{\"changes\":%zu}\n", j->plan.nr);
		conn_answer(c, j->was ? 200 : 201, CONN_TYPE_JSON, fields, text, strlen(text));
	}
}

static void put(struct conn *c, const char *path, bool patch)
{
	struct change_job j = { .c = c, .path = path, .prune = !patch,
				.doc = { .name = "body", .part = true, .allow_null = patch } };
	char *root = patch ? NULL : strdup(path);
	int rc;

	doc_read(&j.doc, c->body, c->head.body_len, path);
	if (root) {
		j.doc.roots = must(calloc(1, sizeof(*j.doc.roots)));
		j.doc.roots[j.doc.nr_roots++] = root;
	}
	if (j.doc.nr_errors) {
		side_document_error(c);
	} else if (j.doc.nr > NODES_MAX) {
		conn_error(c, 413, "body", "send it in parts",
			   "it has %zu nodes, at most %u are taken at once", j.doc.nr, NODES_MAX);
	} else {
		rc = xs_transact(store(), replace, &j, TRIES, NULL);
		answer_change(c, &j, rc);
	}
	plan_free(&j.plan);
	doc_free(&j.doc);
	document_free(&j.now);
	free(j.failed);
}

static void del(struct conn *c, const char *path)
{
	struct change_job j = { .c = c, .path = path };
	int rc = xs_transact(store(), delete, &j, TRIES, NULL);

	if (rc)
		answer_change(c, &j, rc);
	else
		conn_answer(c, 204, NULL, NULL, NULL, 0);
}

void api_tree(struct conn *c, const char *rest)
{
	char *path = side_path(c, rest);
	enum method m = c->head.method;

	if (!path)
		return;
	if (strcmp(path, "/") == 0 && m & (METHOD_PUT | METHOD_DELETE))
		conn_error(c, 400, "/", "name what is meant below it",
			   "the root of the store is neither replaced nor removed");
	else if (m == METHOD_DELETE)
		del(c, path);
	else if (m & (METHOD_PUT | METHOD_PATCH))
		put(c, path, m == METHOD_PATCH);
	else
		get(c, path);
	free(path);
}
