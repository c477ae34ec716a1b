/* SPDX-License-Identifier: MIT */
/*
 * owners.c - the sets below /config/apply: reading them, asking who declared a node, keeping one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>

#include "die.h"
#include "doc.h"
#include "owners.h"
#include "store.h"
#include "watch_state.h"

static int by_path(const void *a, const void *b)
{
	const struct owner *p = a, *q = b;
	int order = strcmp(p->path, q->path);

	return order ? order : strcmp(p->set, q->set);
}

static void take_set(struct owners *o, const struct xs_node *set)
{
	for (const struct xs_node *n = set->children; n; n = n->next) {
		if (!n->value)
			continue;
		if (o->nr == o->max) {
			o->max = o->max ? o->max * 2 : 64;
			o->v = must(realloc(o->v, o->max * sizeof(*o->v)));
		}
		o->v[o->nr++] = (struct owner){ must(strdup(n->value)), must(strdup(set->name)),
						must(strdup(n->name)) };
	}
}

int owners_read(struct owners *o, uint32_t tx, char **failed)
{
	struct xs_node *root;
	int rc = xs_tree_read(store(), tx, OWNERS_HOME, 2, XS_TREE_VALUES, &root);

	*o = (struct owners){ 0 };
	if (rc == -ENOENT || rc == -EACCES) /* who may not look has no set either */
		return 0;
	if (rc) {
		*failed = strdup(OWNERS_HOME);
		return rc;
	}
	for (const struct xs_node *set = root->children; set; set = set->next)
		take_set(o, set);
	xs_tree_free(root);
	if (o->nr)
		qsort(o->v, o->nr, sizeof(*o->v), by_path);
	return 0;
}

/* Index of the first entry whose path is not before @path. */
static size_t first_at(const struct owners *o, const char *path)
{
	size_t low = 0, high = o->nr;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (strcmp(o->v[mid].path, path) < 0)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

const char *owners_other(const struct owners *o, const char *set, const char *path, bool below)
{
	size_t len = strlen(path);

	for (size_t i = first_at(o, path); i < o->nr; i++) {
		if (strncmp(o->v[i].path, path, len) != 0)
			break;
		/* names that only begin alike lie between a node and its children */
		if (below ? !path_is_below(path, o->v[i].path) : o->v[i].path[len] != '\0')
			continue;
		if (!set || strcmp(o->v[i].set, set) != 0)
			return o->v[i].set;
	}
	return NULL;
}

bool owners_has(const struct owners *o, const char *set, const char *path)
{
	for (size_t i = first_at(o, path); i < o->nr && strcmp(o->v[i].path, path) == 0; i++)
		if (strcmp(o->v[i].set, set) == 0)
			return true;
	return false;
}

/* ---- keeping one ---- */

struct keeping {
	const struct owners *o;
	const struct doc *d;
	uint32_t tx;
	size_t nr_changes;
	int rc;
};

static void answered(void *arg, int rc, const char *data, size_t len)
{
	struct keeping *k = arg;

	(void)data;
	(void)len;
	if (!k->rc)
		k->rc = rc;
}

static bool below_roots(const struct doc *d, const char *path)
{
	for (size_t i = 0; i < d->nr_roots; i++)
		if (strcmp(d->roots[i], path) != 0 && path_is_below(d->roots[i], path))
			return true;
	return false;
}

static bool declares(const struct doc *d, const char *path)
{
	const struct want *w = doc_find(d, path);

	return w && !w->gone && below_roots(d, path);
}

static void change(struct keeping *k, unsigned int type, const char *set, const char *entry,
		   const char *value)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct iovec iov[2] = { { path, 0 }, { (void *)value, value ? strlen(value) : 0 } };
	int rc;

	iov[0].iov_len = snprintf(path, sizeof(path), OWNERS_HOME "/%s/%s", set, entry) + 1;
	rc = xs_submit(store(), type, k->tx, iov, value ? 2 : 1, answered, k);
	if (rc && !k->rc)
		k->rc = rc;
	k->nr_changes++;
}

static void drop_old(struct keeping *k, const struct owners_write *w)
{
	for (size_t i = 0; i < k->o->nr; i++) {
		const struct owner *e = &k->o->v[i];
		bool said = declares(k->d, e->path);

		if (strcmp(e->set, k->d->set) != 0 ? said && w->take :
		    w->prune && !said && below_roots(k->d, e->path))
			change(k, XS_RM, e->set, e->entry, NULL);
	}
}

/* The first number that no entry of the set has. */
static unsigned long next_entry(const struct keeping *k)
{
	unsigned long next = 0;

	for (size_t i = 0; i < k->o->nr; i++) {
		unsigned long n = strtoul(k->o->v[i].entry, NULL, 10);

		if (strcmp(k->o->v[i].set, k->d->set) == 0 && n >= next)
			next = n + 1;
	}
	return next;
}

static void add_new(struct keeping *k)
{
	unsigned long next = next_entry(k);
	char entry[24];

	for (size_t i = 0; i < k->d->nr; i++) {
		const char *path = k->d->wants[i].path;

		if (!declares(k->d, path) || owners_has(k->o, k->d->set, path))
			continue;
		snprintf(entry, sizeof(entry), "%lu", next++);
		change(k, XS_WRITE, k->d->set, entry, path);
	}
}

int owners_write(const struct owners *o, const struct doc *d, uint32_t tx,
		 struct owners_write *w)
{
	struct keeping k = { .o = o, .d = d, .tx = tx };

	drop_old(&k, w);
	add_new(&k);
	xs_client_wait(store());
	w->nr_changes = k.nr_changes;
	if (k.rc && !w->failed)
		w->failed = strdup(OWNERS_HOME);
	return k.rc;
}

void owners_free(struct owners *o)
{
	for (size_t i = 0; i < o->nr; i++) {
		free(o->v[i].path);
		free(o->v[i].set);
		free(o->v[i].entry);
	}
	free(o->v);
	*o = (struct owners){ 0 };
}
