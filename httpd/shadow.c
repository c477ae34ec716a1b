/* SPDX-License-Identifier: MIT */
/* shadow.c - see shadow.h. An entry's value is the node's generation. */
#include "shadow.h"

#include <xs.h>

void shadow_note(struct shadow *s, const struct xs_bulk_view *v, const char *path)
{
	struct seen *e;
	bool fresh;

	if (v->rec.kind == XS_BULK_DEL) {
		e = seen_find(&s->map, path);
		if (e)
			seen_remove(&s->map, e);
		return;
	}
	e = seen_put(&s->map, path, &fresh);
	seen_set(e, (const char *)&v->rec.gen, sizeof(v->rec.gen), v->perms, v->rec.perms_len);
}

struct walk {
	struct shadow *s;
	shadow_fn *fn;
	void *arg;
};

static void tell(const struct walk *w, const char *path, const struct xs_node *n, bool perms)
{
	if (w->fn)
		w->fn(w->arg, path, n, perms);
}

static void compare_node(const struct walk *w, const struct xs_node *n)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct seen *e;
	bool fresh;

	xs_tree_path(n, path, sizeof(path));
	e = seen_put(&w->s->map, path, &fresh);
	if (fresh || !bytes_same(e->value, e->len, (const char *)&n->gen, sizeof(n->gen)))
		tell(w, path, n, false);
	else if (!bytes_same(e->perms, e->perms_len, n->perms, n->perms_len))
		tell(w, path, n, true);
	seen_set(e, (const char *)&n->gen, sizeof(n->gen), n->perms, n->perms_len);
	e->round = w->s->round;
}

static void drop_if_gone(void *arg, struct seen *e)
{
	const struct walk *w = arg;

	if (e->round == w->s->round)
		return;
	tell(w, e->path, NULL, false);
	seen_remove(&w->s->map, e);
}

void shadow_compare(struct shadow *s, const struct xs_node *root, shadow_fn *fn, void *arg)
{
	struct walk w = { s, fn, arg };

	s->round++;
	for (const struct xs_node *n = root; n; n = xs_tree_next(root, n))
		compare_node(&w, n);
	seen_below(&s->map, "/", drop_if_gone, &w);
}

void shadow_clear(struct shadow *s)
{
	seen_clear(&s->map);
}
