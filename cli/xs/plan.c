/* SPDX-License-Identifier: MIT */
/*
 * plan.c - comparing a document with the store, or with another, and carrying the difference out.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "json_out.h"
#include "kind.h"
#include "plan.h"
#include "schema.h"
#include "store.h"
#include "text.h"
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
	p->v[p->nr] = (struct change){ .kind = kind, .path = strdup(path), .want = want,
				       .old_kind = WANT_ANY_KIND };
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

/* A directory is an object unless it was a list: nobody has to say so. */
static bool same_kind(const struct want *w, int have)
{
	if (w->kind == WANT_ANY_KIND || have == WANT_ANY_KIND)
		return true;
	if (w->kind == XS_KIND_OBJECT && w->only_holds)
		return have != XS_KIND_LIST;
	return w->kind == have;
}

/* The value stays, what it is in JSON does not. */
static bool only_kind(const struct change *c)
{
	return c->kind == CHANGE_SET && !same_kind(c->want, c->old_kind) &&
	       (!c->want->value || same(c->want->value, c->want->len, c->old, c->old_len));
}

/* ---- against the store ---- */

struct look {
	struct plan *p;
	const struct want *want;
	int rc;
	char **failed;
	bool kinds; /* the answer tells the kind, too */
};

static void look_fail(struct look *l, int rc)
{
	l->rc = rc;
	if (!*l->failed)
		*l->failed = strdup(l->want->path);
}

static void got_value(void *arg, int rc, const char *data, size_t len)
{
	struct look *l = arg;
	const struct want *w = l->want;
	int kind = WANT_ANY_KIND;
	struct change *c;

	if (!rc && l->kinds && len) {
		kind = data[0] - '0';
		data++;
		len--;
	}
	if (rc == -ENOENT) {
		if (!w->gone)
			change_add(l->p, CHANGE_ADD, w->path, w);
	} else if (rc == -EACCES && w->only_holds && !w->value) {
		return; /* on the way to what the document is about */
	} else if (rc) {
		look_fail(l, rc);
	} else if (w->gone) {
		change_add(l->p, CHANGE_REMOVE, w->path, w);
	} else if ((w->value && !same(w->value, w->len, data, len)) || !same_kind(w, kind)) {
		c = change_add(l->p, CHANGE_SET, w->path, w);
		set_old(c, data, len);
		c->old_kind = kind;
	}
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
	if (l->kinds)
		return kind_submit_read(tx, l->want->path, got_value, l);
	return xs_submit_str(store(), XS_READ, tx, l->want->path, got_value, l);
}

static int look_at_all(struct plan *p, const struct doc *d, uint32_t tx, struct look *looks,
		       char **failed)
{
	struct xs_client *c = store();
	bool kinds = kind_known();
	int rc = 0;

	for (size_t i = 0; i < d->nr && !rc; i++) {
		looks[i] = (struct look){ .p = p, .want = &d->wants[i], .failed = failed,
					  .kinds = kinds };
		rc = look_at(&looks[i], tx);
		if (!rc && d->wants[i].perms)
			rc = xs_submit_str(c, XS_GET_PERMS, tx, d->wants[i].path, got_perms,
					   &looks[i]);
	}
	xs_client_wait(c);
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
	int rc = xs_tree_read(store(), tx, root_path, -1, XS_TREE_SORT, &root);

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
	int rc = xs_tree_read(store(), tx, list->path, -1, XS_TREE_SORT, &root);

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
			 !same_kind(w, f->kind))
			change_set(p, w, f);
		if (w->perms && (!f || !f->perms))
			change_add(p, CHANGE_PERMS, w->path, w);
		else if (w->perms && !same(f->perms, f->perms_len, w->perms, w->perms_len))
			set_old(change_add(p, CHANGE_PERMS, w->path, w), f->perms, f->perms_len);
	}
}

/* ---- carrying it out ---- */

struct act {
	const char *path;
	int rc;
};

static void acted(void *arg, int rc, const char *data, size_t len)
{
	(void)data;
	(void)len;
	((struct act *)arg)->rc = rc;
}

/* What a node is when it is made needs no word if it is text, or an object for its children. */
static bool says_kind(const struct change *c)
{
	if (!c->want || c->want->kind == WANT_ANY_KIND || !kind_known())
		return false;
	if (c->kind == CHANGE_ADD)
		return !same_kind(c->want, XS_KIND_TEXT);
	return c->kind == CHANGE_SET && !same_kind(c->want, c->old_kind);
}

static int submit_change(uint32_t tx, const struct change *c, struct act *a)
{
	struct iovec iov[2] = { { c->path, strlen(c->path) + 1 }, { NULL, 0 } };
	unsigned int type = XS_MKDIR, nr = 1;

	if (c->kind == CHANGE_REMOVE) {
		type = XS_RM;
	} else if (c->kind == CHANGE_PERMS) {
		type = XS_SET_PERMS;
		iov[1] = (struct iovec){ c->want->perms, c->want->perms_len };
		nr = 2;
	} else if (c->want->value) {
		type = XS_WRITE;
		iov[1] = (struct iovec){ c->want->value, c->want->len };
		nr = 2;
	}
	a->path = c->path;
	return xs_submit(store(), type, tx, iov, nr, acted, a);
}

/* The change, then what the value is in JSON. @a: room for two. */
static int submit_both(uint32_t tx, const struct change *c, struct act *a)
{
	int rc = only_kind(c) ? 0 : submit_change(tx, c, a);

	if (rc || !says_kind(c))
		return rc;
	a[1].path = c->path;
	return kind_submit(tx, c->path, (enum xs_kind)c->want->kind, acted, &a[1]);
}

int plan_apply(const struct plan *p, uint32_t tx, char **failed)
{
	struct act *acts = calloc(2 * p->nr + 1, sizeof(*acts));
	int rc = acts ? 0 : -ENOMEM;

	for (size_t i = 0; i < p->nr && !rc; i++)
		rc = submit_both(tx, &p->v[i], acts + 2 * i);
	xs_client_wait(store());
	for (size_t i = 0; i < 2 * p->nr && !rc; i++)
		if (acts[i].rc) {
			rc = acts[i].rc;
			*failed = strdup(acts[i].path);
		}
	free(acts);
	return rc;
}

/* ---- showing it ---- */

static bool is_secret(const char *path)
{
	const struct schema_row *row = schema_find(path);

	if (row && row->type == SCHEMA_SECRET)
		return true;
	/* also what is below a node of such a name */
	return strstr(path, "passw") || strstr(path, "secret") || strstr(path, "token");
}

static char *shown(const struct change *c, const char *data, size_t len)
{
	char perms[512];

	if (c->kind == CHANGE_PERMS) {
		store_perms_text(data, len, perms, sizeof(perms));
		return strdup(perms);
	}
	return is_secret(c->path) ? strdup("(secret)") : text_escape(data, len);
}

static void print_change(const struct change *c)
{
	const struct want *w = c->want;
	char *new = NULL, *old = c->old ? shown(c, c->old, c->old_len) : NULL;

	if (w && c->kind == CHANGE_PERMS)
		new = shown(c, w->perms, w->perms_len);
	else if (w && w->value)
		new = shown(c, w->value, w->len);
	switch (c->kind) {
	case CHANGE_ADD:
		printf("+ %s%s%s\n", c->path, new && *new ? " = " : "", new ? new : "");
		break;
	case CHANGE_REMOVE:
		printf("- %s\n", c->path);
		break;
	case CHANGE_SET:
		if (only_kind(c))
			printf("~ %s is %s   was %s\n", c->path,
			       kind_words((enum xs_kind)w->kind),
			       kind_words((enum xs_kind)c->old_kind));
		else
			printf("~ %s = %s   was %s\n", c->path, new, old);
		break;
	case CHANGE_PERMS:
		printf("~ %s permissions %s%s%s\n", c->path, new, old ? "   were " : "",
		       old ? old : "");
		break;
	}
	free(new);
	free(old);
}

void plan_print(const struct plan *p)
{
	for (size_t i = 0; i < p->nr; i++)
		print_change(&p->v[i]);
}

static json_t *patch_value(const struct change *c)
{
	const struct want *w = c->want;

	if (is_secret(c->path))
		return json_string("(secret)");
	return kind_json(w->kind == WANT_ANY_KIND ? XS_KIND_TEXT : (enum xs_kind)w->kind, w->value,
			 w->len);
}

/* About the member @name that stands for something of the node itself. */
static void patch_own(json_t *o, const struct change *c, const char *name, json_t *value)
{
	char *path;

	if (asprintf(&path, "%s/%s", c->path, name) < 0)
		cli_die(CLI_FAIL, "out of memory");
	json_object_set_new(o, "path", json_string(path));
	free(path);
	json_object_set_new(o, "value", value);
}

json_t *plan_json_patch(const struct plan *p)
{
	static const char *const words[] = {
		[CHANGE_ADD] = "add", [CHANGE_SET] = "replace", [CHANGE_REMOVE] = "remove",
		[CHANGE_PERMS] = "replace",
	};
	json_t *list = json_array();

	for (size_t i = 0; i < p->nr; i++) {
		const struct change *c = &p->v[i];
		json_t *o = json_pack("{s:s, s:s}", "op", words[c->kind], "path", c->path);

		if (c->kind == CHANGE_PERMS)
			patch_own(o, c, "@perms", json_perms(c->want->perms, c->want->perms_len));
		else if (only_kind(c))
			patch_own(o, c, "@kind",
				  json_string(kind_name((enum xs_kind)c->want->kind)));
		else if (c->want && !c->want->gone && c->want->value)
			json_object_set_new(o, "value", patch_value(c));
		else if (c->kind == CHANGE_ADD)
			json_object_set_new(o, "value", json_object());
		json_array_append_new(list, o);
	}
	return list;
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->nr; i++) {
		free(p->v[i].path);
		free(p->v[i].old);
	}
	free(p->v);
	owners_free(&p->owners);
	*p = (struct plan){ 0 };
}
