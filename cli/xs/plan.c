/* SPDX-License-Identifier: MIT */
/*
 * plan.c - comparing a document with the store, or with another. plan_apply.c carries out what is
 * different.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "kind.h"
#include "long_value.h"
#include "plan.h"
#include "schema.h"
#include "store.h"
#include "watch_state.h"

static struct change *change_add(struct plan *p, enum change_kind kind, const char *path,
				 const struct want *want)
{
	if (p->nr == p->max) {
		p->max = p->max ? p->max * 2 : 64;
		p->v = realloc(p->v, p->max * sizeof(*p->v));
	}
	if (!p->v)
		cli_die(CLI_FAIL, "out of memory");
	p->v[p->nr] = (struct change){ .kind = kind, .want = want, .old_kind = WANT_ANY_KIND,
				       .path = want ? want->path : must(strdup(path)) };
	return &p->v[p->nr++];
}

static void set_old(struct change *c, const char *data, size_t len)
{
	c->old = malloc(len + 1);
	if (!c->old)
		cli_die(CLI_FAIL, "out of memory");
	memcpy(c->old, data, len);
	c->old[len] = '\0';
	c->old_len = len;
}

static bool same(const char *a, size_t a_len, const char *b, size_t b_len)
{
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

bool plan_same_kind(const struct want *w, int have)
{
	if (w->kind == WANT_ANY_KIND || have == WANT_ANY_KIND)
		return true;
	if (w->kind == XS_KIND_OBJECT && w->only_holds)
		return have != XS_KIND_LIST;
	return w->kind == have;
}

bool change_is_of_kind(const struct change *c)
{
	return c->kind == CHANGE_SET && !plan_same_kind(c->want, c->old_kind) &&
	       (!c->want->value || same(c->want->value, c->want->len, c->old, c->old_len));
}

/* ---- against the store ---- */

struct look {
	struct plan *p;
	const struct want *want;
	int rc;
	char **failed;
	bool kinds; /* the answer tells the kind, too */
	bool absent;
	int kind;
	size_t nr_parts; /* of a long value, which is still to be read */
};

static void look_fail(struct look *l, int rc)
{
	l->rc = rc;
	if (!*l->failed)
		*l->failed = strdup(l->want->path);
}

/* What the store has for what the document wants. */
static void judge(struct look *l, int rc, int kind, const char *data, size_t len)
{
	const struct want *w = l->want;
	struct change *c;

	if (rc == -ENOENT) {
		l->absent = true;
		if (!w->gone)
			change_add(l->p, CHANGE_ADD, w->path, w);
	} else if (rc == -EACCES && w->only_holds && !w->value) {
		return; /* on the way to what the document is about */
	} else if (rc) {
		look_fail(l, rc);
	} else if (w->gone) {
		change_add(l->p, CHANGE_REMOVE, w->path, w);
	} else if ((w->value && !same(w->value, w->len, data, len)) || !plan_same_kind(w, kind)) {
		c = change_add(l->p, CHANGE_SET, w->path, w);
		set_old(c, data, len);
		c->old_kind = kind;
		c->old_parts = l->nr_parts;
	}
}

static void got_value(void *arg, int rc, const char *data, size_t len)
{
	struct look *l = arg;
	struct long_mark mark;

	l->kind = WANT_ANY_KIND;
	if (!rc && l->kinds && len) {
		l->kind = data[0] - '0';
		data++;
		len--;
	}
	if (!rc && long_is_mark_of(l->want->path, data, len, &mark))
		l->nr_parts = mark.nr_parts; /* look_at_long() */
	else
		judge(l, rc, l->kind, data, len);
}

static void look_at_long(struct look *l, uint32_t tx)
{
	size_t len;
	int rc;
	char *value = long_read(tx, l->want->path, &len, &rc);

	judge(l, rc, l->kind, value, len);
	free(value);
}

static void got_perms(void *arg, int rc, const char *data, size_t len)
{
	struct look *l = arg;
	const struct want *w = l->want;

	if (rc == -ENOENT)
		change_add(l->p, CHANGE_PERMS, w->path, w);
	else if (rc)
		look_fail(l, rc);
	else if (!same(w->perms, w->perms_len, data, len))
		set_old(change_add(l->p, CHANGE_PERMS, w->path, w), data, len);
}

static int look_at(struct look *l, uint32_t tx)
{
	const char *path = l->want->path;
	int rc = l->kinds ? kind_submit_read(tx, path, got_value, l) :
			    xs_submit_str(store(), XS_READ, tx, path, got_value, l);

	if (!rc && l->want->perms)
		rc = xs_submit_str(store(), XS_GET_PERMS, tx, path, got_perms, l);
	return rc;
}

/* Below what is not there, there is nothing. */
static void not_there(struct look *l)
{
	judge(l, -ENOENT, WANT_ANY_KIND, "", 0);
	if (l->want->perms)
		got_perms(l, -ENOENT, NULL, 0);
}

static bool holds_the_next(const struct doc *d, size_t i)
{
	return i + 1 < d->nr && path_is_below(d->wants[i].path, d->wants[i + 1].path);
}

/*
 * As the document has them; of a node its permissions last: they are those of its parts, too. What
 * each comes behind is counted, not compared.
 */
static void sort_changes(struct plan *p, const struct doc *d)
{
	size_t *behind = must(calloc(2 * d->nr + 1, sizeof(*behind)));
	struct change *sorted = must(calloc(p->nr, sizeof(*sorted)));

#define SLOT(c) (2 * (size_t)((c)->want - d->wants) + ((c)->kind == CHANGE_PERMS))
	for (size_t i = 0; i < p->nr; i++)
		behind[SLOT(&p->v[i]) + 1]++;
	for (size_t i = 0; i < 2 * d->nr; i++)
		behind[i + 1] += behind[i];
	for (size_t i = 0; i < p->nr; i++)
		sorted[behind[SLOT(&p->v[i])]++] = p->v[i];
#undef SLOT
	free(behind);
	free(p->v);
	p->v = sorted;
	p->max = p->nr;
}

static int look_at_all(struct plan *p, const struct doc *d, uint32_t tx, struct look *looks,
		       char **failed)
{
	struct xs_client *c = store();
	bool kinds = kind_known();
	const struct look *absent = NULL;
	int rc = 0;

	/* What holds others first: of a new tree that is all that need be asked for. */
	for (size_t i = 0; i < d->nr && !rc; i++) {
		looks[i] = (struct look){ .p = p, .want = &d->wants[i], .failed = failed,
					  .kinds = kinds };
		if (holds_the_next(d, i))
			rc = look_at(&looks[i], tx);
	}
	xs_client_wait(c);
	for (size_t i = 0; i < d->nr && !rc; i++) {
		bool below = absent && path_is_below(absent->want->path, d->wants[i].path);

		if (holds_the_next(d, i)) {
			if (!below)
				absent = looks[i].absent ? &looks[i] : NULL;
		} else if (below) {
			not_there(&looks[i]);
		} else {
			rc = look_at(&looks[i], tx);
		}
	}
	xs_client_wait(c);
	for (size_t i = 0; i < d->nr && !rc; i++)
		if (looks[i].nr_parts)
			look_at_long(&looks[i], tx);
	for (size_t i = 0; i < p->nr && !rc; i++)
		if (p->v[i].kind == CHANGE_PERMS && p->v[i].want->perms)
			p->v[i].old_parts = looks[p->v[i].want - d->wants].nr_parts;
	/* what long values are was learnt last */
	if (p->nr)
		sort_changes(p, d);
	for (size_t i = 0; i < d->nr && !rc; i++)
		rc = looks[i].rc;
	return rc;
}

/* A key that a program may have written itself says nothing about what people want: it stays as
 * long as the node it belongs to. */
static bool written_by_programs(const char *path)
{
	const struct schema_row *row = schema_find(path);

	return row && strcmp(row->writer, "people") != 0;
}

/* Whether nobody else's set is touched, and a document with a set declared it itself. */
static bool may_prune(const struct plan *p, const struct doc *d, const char *path)
{
	return !owners_other(&p->owners, d->set, path, true) &&
	       (!d->set || owners_has(&p->owners, d->set, path));
}

static int prune_root(struct plan *p, const struct doc *d, uint32_t tx, const char *root_path)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct xs_node *root, *n, *skip = NULL;
	int rc = long_tree_read(tx, root_path, -1, XS_TREE_SORT, &root);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	for (n = xs_tree_next(root, root); n; n = xs_tree_next(root, n)) {
		const struct xs_node *up = n->parent;

		while (up && up != skip)
			up = up->parent;
		if (skip && up == skip)
			continue; /* goes with its parent */
		xs_tree_path(n, path, sizeof(path));
		if (doc_find(d, path) || !may_prune(p, d, path))
			continue;
		if (!written_by_programs(path))
			change_add(p, CHANGE_REMOVE, path, NULL);
		skip = n;
	}
	xs_tree_free(root);
	return 0;
}

/* Below a list nothing stays but what the document says: not even of items that stay. */
static int clear_list(struct plan *p, const struct doc *d, uint32_t tx, const struct want *list)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct xs_node *root, *n, *skip = NULL;
	int rc = long_tree_read(tx, list->path, -1, XS_TREE_SORT, &root);

	if (rc)
		return rc == -ENOENT ? 0 : rc;
	for (n = xs_tree_next(root, root); n; n = xs_tree_next(root, n)) {
		const struct xs_node *up = n->parent;

		while (up && up != skip)
			up = up->parent;
		if (skip && up == skip)
			continue; /* goes with its parent */
		xs_tree_path(n, path, sizeof(path));
		if (doc_find(d, path))
			continue;
		skip = n;
		if (!written_by_programs(path) && !owners_other(&p->owners, d->set, path, true))
			change_add(p, CHANGE_REMOVE, path, NULL);
	}
	xs_tree_free(root);
	return 0;
}

/* The outermost ones: what is below them is in them. */
static int clear_lists(struct plan *p, const struct doc *d, uint32_t tx, char **failed)
{
	const struct want *last = NULL;
	int rc = 0;

	for (size_t i = 0; i < d->nr && !rc; i++) {
		const struct want *w = &d->wants[i];

		if (!w->list || (last && path_is_below(last->path, w->path)))
			continue;
		last = w;
		rc = clear_list(p, d, tx, w);
		if (rc && !*failed)
			*failed = strdup(w->path);
	}
	return rc;
}

int plan_make(struct plan *p, const struct doc *d, uint32_t tx, bool prune, char **failed)
{
	struct look *looks = calloc(d->nr + 1, sizeof(*looks));
	int rc = looks ? look_at_all(p, d, tx, looks, failed) : -ENOMEM;

	free(looks);
	if (!rc && (prune || d->set))
		rc = owners_read(&p->owners, tx, failed);
	if (!rc)
		rc = clear_lists(p, d, tx, failed);
	for (size_t i = 0; prune && i < d->nr_roots && !rc; i++)
		rc = prune_root(p, d, tx, d->roots[i]);
	return rc;
}

bool plan_same(const struct plan *a, const struct plan *b)
{
	for (size_t i = 0; i < a->nr && i < b->nr; i++) {
		const struct change *p = &a->v[i], *q = &b->v[i];

		if (p->kind != q->kind || strcmp(p->path, q->path) != 0 ||
		    !same(p->old ? p->old : "", p->old_len, q->old ? q->old : "", q->old_len))
			return false;
	}
	return a->nr == b->nr;
}

/* ---- between documents ---- */

/* Whether an ancestor of @path was removed by the change before. */
static bool covered(const struct plan *p, const char *path)
{
	const struct change *last = p->nr ? &p->v[p->nr - 1] : NULL;

	return last && last->kind == CHANGE_REMOVE && path_is_below(last->path, path);
}

static void change_set(struct plan *p, const struct want *w, const struct want *from)
{
	struct change *c = change_add(p, CHANGE_SET, w->path, w);

	set_old(c, from->value ? from->value : "", from->value ? from->len : 0);
	c->old_kind = from->kind;
}

void plan_between(struct plan *p, const struct doc *from, const struct doc *to)
{
	for (size_t i = 0; i < from->nr; i++) {
		const char *path = from->wants[i].path;
		const struct want *w = doc_find(to, path);

		if ((!w || w->gone) && !covered(p, path))
			change_add(p, CHANGE_REMOVE, path, NULL);
	}
	for (size_t i = 0; i < to->nr; i++) {
		const struct want *w = &to->wants[i], *f = doc_find(from, w->path);
		const char *fv = f && f->value ? f->value : "", *wv = w->value ? w->value : "";

		if (w->gone)
			continue;
		if (!f)
			change_add(p, CHANGE_ADD, w->path, w);
		else if (!same(fv, f->value ? f->len : 0, wv, w->value ? w->len : 0) ||
			 !plan_same_kind(w, f->kind))
			change_set(p, w, f);
		if (w->perms && (!f || !f->perms))
			change_add(p, CHANGE_PERMS, w->path, w);
		else if (w->perms && !same(f->perms, f->perms_len, w->perms, w->perms_len))
			set_old(change_add(p, CHANGE_PERMS, w->path, w), f->perms, f->perms_len);
	}
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->nr; i++) {
		if (!p->v[i].want)
			free((char *)p->v[i].path);
		free(p->v[i].old);
	}
	free(p->v);
	owners_free(&p->owners);
	*p = (struct plan){ 0 };
}
