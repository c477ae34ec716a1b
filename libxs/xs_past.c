/* SPDX-License-Identifier: MIT */
/*
 * xs_past.c - see xs_past_reader.h. The daemon is trusted no further than that a record's lengths
 * must add up.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xs.h"
#include "xs_past_reader.h"
#include "xs_tree_priv.h"

#define WORDS_MAX 3
#define PERMS_MAX 65536u

struct asking {
	char *data;		/* the answer so far */
	size_t len, size;
	bool done;
	int rc;
};

static void take_part(void *arg, int rc, const char *data, size_t len)
{
	struct asking *a = arg;

	if (rc || len == 0) {
		a->done = true;
		a->rc = a->rc ? a->rc : rc;
		return;
	}
	if (a->size - a->len < len) {
		char *grown = realloc(a->data, 2 * a->size + len);

		if (!grown) {
			a->rc = -ENOMEM;
			return;
		}
		a->data = grown;
		a->size = 2 * a->size + len;
	}
	memcpy(a->data + a->len, data, len);
	a->len += len;
}

static int each_record(const struct asking *a, xs_past_fn *fn, void *arg)
{
	struct xs_past_view v;
	int rc = 0;

	for (size_t at = 0; at < a->len && rc == 0; at += v.rec.len) {
		if (a->len - at < sizeof(v.rec))
			return -EPROTO;
		memcpy(&v.rec, a->data + at, sizeof(v.rec));
		if (v.rec.value_len > a->len || v.rec.perms_len > PERMS_MAX ||
		    v.rec.len > a->len - at ||
		    v.rec.len != sizeof(v.rec) + v.rec.path_len + v.rec.value_len + v.rec.perms_len)
			return -EPROTO;
		v.rec.program[sizeof(v.rec.program) - 1] = '\0';
		v.path = a->data + at + sizeof(v.rec);
		v.value = v.path + v.rec.path_len;
		v.perms = v.value + v.rec.value_len;
		rc = fn(arg, &v);
	}
	return rc;
}

int xs_past_ask(struct xs_client *c, const char *const *words, unsigned int nr, xs_past_fn *fn,
		void *arg)
{
	struct iovec iov[WORDS_MAX];
	struct asking a = { .len = 0 };
	int rc;

	for (unsigned int i = 0; i < nr && i < WORDS_MAX; i++)
		iov[i] = (struct iovec){ (void *)words[i], strlen(words[i]) + 1 };
	rc = xs_submit_stream(c, iov, nr, take_part, &a);
	if (rc)
		return rc;
	while (!a.done)
		xs_client_run(c, -1); /* giving up ends every request */
	rc = a.rc ? a.rc : each_record(&a, fn, arg);
	free(a.data);
	return rc;
}

/* ---- the log ---- */

struct logging {
	xs_past_fn *fn;
	void *arg;
	bool more;
	char before[40];
};

static int take_change(void *arg, const struct xs_past_view *v)
{
	struct logging *l = arg;

	if (v->rec.kind == XS_PAST_PUT || v->rec.kind == XS_PAST_DEL)
		return l->fn(l->arg, v);
	if (v->rec.kind != XS_PAST_LIMIT)
		return -EPROTO;
	l->more = v->rec.mark;
	snprintf(l->before, sizeof(l->before), "%" PRIu64 ".%" PRIu32, v->rec.rev, v->rec.index);
	return 0;
}

int xs_past_log(struct xs_client *c, const char *path, const char *before, xs_past_fn *fn,
		void *arg)
{
	struct logging l = { .fn = fn, .arg = arg };
	const char *words[] = { "log", path, before };
	int rc;

	do {
		l.more = false;
		rc = xs_past_ask(c, words, words[2] ? 3 : 2, take_change, &l);
		words[2] = l.before;
	} while (rc == 0 && l.more);
	return rc;
}

/* ---- a tree ---- */

static char *copy(const char *data, size_t len)
{
	char *out = malloc(len + 1);

	if (out) {
		memcpy(out, data, len);
		out[len] = '\0';
	}
	return out;
}

static struct xs_node *child(struct xs_node *parent, const char *name, size_t len)
{
	for (struct xs_node *n = parent->children; n; n = n->next) {
		if (strlen(n->name) == len && memcmp(n->name, name, len) == 0)
			return n;
	}
	return xs_tree_add(parent, name, len);
}

/* The node at @path below @root, which is at @top; those between may come later. */
static struct xs_node *node_at(struct xs_node *root, const char *path, size_t len)
{
	size_t at = strcmp(root->name, "/") == 0 ? 0 : strlen(root->name);
	struct xs_node *n = root;

	while (n && at < len) {
		size_t part = strcspn(path + at + 1, "/");

		if (part > len - at - 1)
			part = len - at - 1;
		n = part ? child(n, path + at + 1, part) : n;
		at += part + 1;
	}
	return n;
}

static bool is_within(const struct xs_node *root, const char *path, size_t len)
{
	size_t top = strlen(root->name);

	return strcmp(root->name, "/") == 0 ||
	       (len >= top && memcmp(path, root->name, top) == 0 &&
		(len == top || path[top] == '/'));
}

static int take_node(void *arg, const struct xs_past_view *v)
{
	struct xs_node *root = arg, *n;
	char *path;

	if (v->rec.kind == XS_PAST_LIMIT)
		return -ESTALE;
	if (v->rec.kind != XS_PAST_NODE || !is_within(root, v->path, v->rec.path_len))
		return -EPROTO;
	path = copy(v->path, v->rec.path_len);
	n = path ? node_at(root, path, v->rec.path_len) : NULL;
	free(path);
	if (!n)
		return -ENOMEM;
	free(n->value);
	free(n->perms);
	n->gen = v->rec.rev;
	n->kind = v->rec.mark;
	n->value = copy(v->value, v->rec.value_len);
	n->value_len = v->rec.value_len;
	n->perms = copy(v->perms, v->rec.perms_len);
	n->perms_len = v->rec.perms_len;
	return n->value && n->perms ? 0 : -ENOMEM;
}

int xs_past_tree(struct xs_client *c, uint64_t rev, const char *path, struct xs_node **out)
{
	struct xs_node *root = xs_tree_add(NULL, path, strlen(path));
	char number[24];
	const char *words[] = { "tree", number, path };
	int rc;

	snprintf(number, sizeof(number), "%" PRIu64, rev);
	if (!root)
		return -ENOMEM;
	rc = xs_past_ask(c, words, 3, take_node, root);
	if (rc)
		xs_tree_free(root);
	else
		*out = root;
	return rc;
}
