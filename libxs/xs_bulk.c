/* SPDX-License-Identifier: MIT */
/*
 * xs_bulk.c - reading streams of records: cutting them out of the parts they come in, and making
 * a tree of a dump. The daemon is trusted no further than that a record's lengths must add up.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xs.h"
#include "xs_bulk_reader.h"
#include "xs_tree_priv.h"

static int take_record(const char *at, size_t have, struct xs_bulk_view *v)
{
	size_t sum;

	if (have < sizeof(v->rec))
		return 0;
	memcpy(&v->rec, at, sizeof(v->rec));
	sum = sizeof(v->rec) + v->rec.name_len + v->rec.value_len + v->rec.prev_len;
	if (v->rec.len != sum + v->rec.perms_len || v->rec.perms_len > XS_BULK_PERMS_LEN_MAX)
		return -EPROTO;
	if (have < v->rec.len)
		return 0;
	v->name = at + sizeof(v->rec);
	v->value = v->name + v->rec.name_len;
	v->prev = v->value + v->rec.value_len;
	v->perms = v->prev + v->rec.prev_len;
	return 1;
}

int xs_bulk_read(struct xs_bulk_reader *r, const char *data, size_t len, xs_bulk_fn *fn,
		 void *arg)
{
	struct xs_bulk_view v;
	size_t at = 0;
	int rc;

	if (r->size - r->len < len) {
		size_t size = r->len + len > 2 * r->size ? r->len + len : 2 * r->size;
		char *grown = realloc(r->data, size);

		if (!grown)
			return -ENOMEM;
		r->data = grown;
		r->size = size;
	}
	if (len)
		memcpy(r->data + r->len, data, len);
	r->len += len;
	while ((rc = take_record(r->data + at, r->len - at, &v)) > 0) {
		rc = fn(arg, &v);
		if (rc)
			return rc;
		at += v.rec.len;
	}
	r->len -= at;
	if (at)
		memmove(r->data, r->data + at, r->len);
	return rc;
}

void xs_bulk_reader_fini(struct xs_bulk_reader *r)
{
	free(r->data);
	*r = (struct xs_bulk_reader){ 0 };
}

/* ---- a dump ---- */

struct xs_tree_dump {
	struct xs_bulk_reader reader;
	unsigned int flags;
	int max; /* levels asked for */
	uint64_t seq, rev;
	struct xs_node *root, *last; /* the node added last, at depth @depth */
	unsigned int depth;
	const char *perms;	     /* of the record before; belongs to its node */
	size_t perms_len;
	bool done;
	int rc;
};

static char *copy(const char *data, size_t len)
{
	char *out = malloc(len + 1);

	if (out) {
		memcpy(out, data, len);
		out[len] = '\0';
	}
	return out;
}

static int take_perms(struct xs_tree_dump *d, struct xs_node *n, const struct xs_bulk_view *v)
{
	const char *perms = v->rec.flags & XS_BULK_SAME_PERMS ? d->perms : v->perms;
	size_t len = v->rec.flags & XS_BULK_SAME_PERMS ? d->perms_len : v->rec.perms_len;

	if (!(d->flags & XS_TREE_PERMS))
		return 0;
	n->perms = perms ? copy(perms, len) : NULL;
	n->perms_len = len;
	d->perms = n->perms;
	d->perms_len = len;
	return n->perms ? 0 : -ENOMEM;
}

static int dump_node(void *arg, const struct xs_bulk_view *v)
{
	struct xs_tree_dump *d = arg;
	struct xs_node *parent = d->last, *n;

	if (v->rec.kind == XS_BULK_BEGIN) {
		d->seq = v->rec.seq;
		d->rev = v->rec.gen;
		return 0;
	}
	if (v->rec.kind != XS_BULK_NODE || v->rec.depth > d->depth + 1 ||
	    (v->rec.depth == 0) != (d->root == NULL))
		return -EPROTO;
	for (; d->root && d->depth >= v->rec.depth; d->depth--)
		parent = parent->parent;
	n = xs_tree_add(d->root ? parent : NULL, v->name, v->rec.name_len);
	if (!n)
		return -ENOMEM;
	if (!d->root)
		d->root = n;
	d->last = n;
	d->depth = v->rec.depth;
	n->gen = v->rec.gen;
	n->kind = (unsigned char)v->rec.domid;
	if (d->max == v->rec.depth)
		n->nr_children = v->rec.tx; /* which do not come */
	if (d->flags & XS_TREE_VALUES) {
		n->value = copy(v->value, v->rec.value_len);
		n->value_len = v->rec.value_len;
	}
	if (d->flags & XS_TREE_VALUES && !n->value)
		return -ENOMEM;
	return take_perms(d, n, v);
}

static void dump_part(void *arg, int rc, const char *data, size_t len)
{
	struct xs_tree_dump *d = arg;

	if (rc || len == 0) {
		d->done = true;
		d->rc = d->rc ? d->rc : rc;
	} else if (!d->rc) {
		d->rc = xs_bulk_read(&d->reader, data, len, dump_node, d);
	}
}

int xs_tree_dump_begin(struct xs_client *c, const char *path, int depth, unsigned int flags,
		       struct xs_tree_dump **out)
{
	struct xs_tree_dump *d = calloc(1, sizeof(*d));
	char levels[16];
	struct iovec iov[3] = {
		{ (void *)"dump", 5 }, { (void *)path, strlen(path) + 1 }, { levels, 0 },
	};
	int rc;

	if (!d)
		return -ENOMEM;
	d->flags = flags;
	d->max = depth;
	iov[2].iov_len = snprintf(levels, sizeof(levels), "%d", depth < 0 ? 65535 : depth) + 1;
	rc = xs_submit_stream(c, iov, 3, dump_part, d);
	if (rc)
		free(d);
	else
		*out = d;
	return rc;
}

int xs_tree_dump_end(struct xs_client *c, struct xs_tree_dump *d, struct xs_node **out, uint64_t *rev)
{
	int rc;

	while (!d->done)
		xs_client_run(c, -1); /* giving up ends every request */
	xs_bulk_reader_fini(&d->reader);
	rc = d->rc ? d->rc : d->root ? 0 : -EPROTO;
	if (rc)
		xs_tree_free(d->root);
	else
		*out = d->root;
	if (!rc)
		d->root->seq = d->seq;
	*rev = d->rev;
	free(d);
	return rc;
}

int xs_tree_dump(struct xs_client *c, const char *path, int depth, unsigned int flags,
		 struct xs_node **out, uint64_t *rev)
{
	struct xs_tree_dump *d;
	int rc = xs_tree_dump_begin(c, path, depth, flags, &d);

	return rc ? rc : xs_tree_dump_end(c, d, out, rev);
}
