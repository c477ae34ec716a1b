/* SPDX-License-Identifier: MIT */
/*
 * xs_tree.c - reading a subtree with many requests in flight. A node is known as soon as its
 * parent was listed; it waits in a queue until the window has room for its requests.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xs.h"
#include "xs_kind.h"
#include "xs_listing.h"
#include "xs_tree_priv.h"

#define WINDOW 256 /* requests in flight; the daemon answers a batch with one write */
#define DUMPS_AT_ONCE 16 /* each up to as many nodes as the daemon puts into one answer */

struct walk;

/* One node whose requests are not all answered. */
struct job {
	struct job *next;
	struct walk *w;
	struct xs_node *node;
	int depth;
	unsigned int pending; /* requests unanswered */
	struct xs_listing parts; /* of a directory that comes in them */
	char path[];
};

struct walk {
	struct xs_client *c;
	uint32_t tx;
	unsigned int flags;
	int depth;
	bool no_kinds; /* the daemon does not tell them, or not to us */
	unsigned int in_flight;
	struct job *queue, **queue_tail;
	int rc; /* of the connection, or out of memory: ends it all */
};

/* ---- nodes ---- */

struct xs_node *xs_tree_add(struct xs_node *parent, const char *name, size_t len)
{
	struct xs_node *n = calloc(1, sizeof(*n) + len + 1);

	if (!n)
		return NULL;
	n->name = memcpy(n + 1, name, len);
	n->parent = parent;
	if (!parent)
		return n;
	if (parent->last)
		parent->last->next = n;
	else
		parent->children = n;
	parent->last = n;
	parent->nr_children++;
	return n;
}

static void node_free(struct xs_node *n)
{
	free(n->value);
	free(n->perms);
	free(n);
}

struct xs_node *xs_tree_next(const struct xs_node *root, const struct xs_node *n)
{
	if (n->children)
		return n->children;
	while (n != root && !n->next)
		n = n->parent;
	return n == root ? NULL : n->next;
}

void xs_tree_free(struct xs_node *root)
{
	struct xs_node *n = root;

	if (!root)
		return;
	/* children first, without recursion: cut the first child off until there is none */
	while (n) {
		struct xs_node *child = n->children, *up = n->parent;

		if (child) {
			n->children = child->next;
			n = child;
			continue;
		}
		if (n == root)
			up = NULL;
		node_free(n);
		n = up;
	}
}

struct xs_node *xs_tree_child(const struct xs_node *n, const char *name)
{
	struct xs_node *child = n->children;

	while (child && strcmp(child->name, name) != 0)
		child = child->next;
	return child;
}

size_t xs_tree_path(const struct xs_node *n, char *buf, size_t size)
{
	size_t len;

	if (!n->parent)
		return snprintf(buf, size, "%s", n->name);
	len = xs_tree_path(n->parent, buf, size);
	if (len == 1 && n->parent->name[0] == '/')
		len = 0; /* the root's own slash is the separator */
	return len + snprintf(len < size ? buf + len : NULL, len < size ? size - len : 0, "/%s",
			      n->name);
}

/* ---- the queue ---- */

static struct job *job_new(struct walk *w, struct xs_node *node, const char *dir, int depth)
{
	size_t dir_len = strlen(dir), name_len = strlen(node->name);
	struct job *j = calloc(1, sizeof(*j) + dir_len + name_len + 2);

	if (!j) {
		w->rc = -ENOMEM;
		return NULL;
	}
	if (strcmp(dir, "/") == 0)
		dir_len = 0;
	memcpy(j->path, dir, dir_len);
	if (node->parent)
		j->path[dir_len++] = '/';
	memcpy(j->path + dir_len, node->name, name_len + 1);
	j->w = w;
	j->node = node;
	j->depth = depth;
	*w->queue_tail = j;
	w->queue_tail = &j->next;
	return j;
}

static void expand(struct job *j, const char *names, size_t len)
{
	struct walk *w = j->w;

	for (size_t at = 0; at < len && !w->rc; at += strlen(names + at) + 1) {
		struct xs_node *n = xs_tree_add(j->node, names + at, strlen(names + at));

		if (!n)
			w->rc = -ENOMEM;
		else if (w->depth != 0)
			job_new(w, n, j->path, j->depth + 1);
	}
}

static void answered(struct job *j)
{
	j->w->in_flight--;
	if (--j->pending == 0) {
		free(j->parts.names);
		free(j);
	}
}

/* ---- answers ---- */

static void got_value(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;
	struct xs_node *n = j->node;

	n->value_rc = rc;
	if (!rc) {
		n->value = malloc(len + 1);
		if (n->value)
			memcpy(n->value, data, len + 1);
		else
			j->w->rc = -ENOMEM;
		n->value_len = len;
	}
	answered(j);
}

static void submitted(struct job *j, int rc);

/* Kind and value; whatever is wrong is told by READ, which every daemon has. */
static void got_kind(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;

	/* oxenstored says OK to whatever it does not know */
	if (!rc && len && (data[0] < '0' || data[0] >= '0' + XS_KIND_NR))
		rc = -ENOSYS;
	if (rc || !len) {
		/* as daemons and permissions say that there are none; all else is of this node */
		j->w->no_kinds |= rc == -EINVAL || rc == -ENOSYS || rc == -EACCES;
		submitted(j, xs_submit_str(j->w->c, XS_READ, j->w->tx, j->path, got_value, j));
		answered(j);
		return;
	}
	j->node->kind = (unsigned char)(data[0] - '0');
	got_value(arg, 0, data + 1, len - 1);
}

static int ask_value(struct job *j)
{
	char tx[16];
	struct iovec iov[3] = {
		{ (void *)"json", 5 }, { tx, 0 }, { j->path, strlen(j->path) + 1 },
	};

	if (j->w->no_kinds)
		return xs_submit_str(j->w->c, XS_READ, j->w->tx, j->path, got_value, j);
	iov[1].iov_len = (size_t)snprintf(tx, sizeof(tx), "%u", xs_client_txn_number(j->w->c, j->w->tx)) + 1;
	/* the header's id is for this side: what becomes of it when the store is lost */
	return xs_submit(j->w->c, XS_CONTROL, j->w->tx, iov, 3, got_kind, j);
}

static void got_perms(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;

	if (!rc) {
		j->node->perms = malloc(len + 1);
		if (j->node->perms)
			memcpy(j->node->perms, data, len + 1);
		j->node->perms_len = len;
	}
	answered(j);
}

static void ask_part(struct job *j);

static void got_part(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;

	if (!rc)
		rc = xs_listing_add(&j->parts, data, len);
	if (rc == 0)
		ask_part(j);
	else if (rc > 0)
		expand(j, j->parts.names, j->parts.len);
	else
		j->node->list_rc = rc;
	answered(j);
}

static void submitted(struct job *j, int rc)
{
	if (rc) {
		j->w->rc = rc;
		return;
	}
	j->pending++;
	j->w->in_flight++;
}

static void ask_part(struct job *j)
{
	char offset[24];
	struct iovec iov[2] = { { j->path, strlen(j->path) + 1 }, { offset, 0 } };

	iov[1].iov_len = snprintf(offset, sizeof(offset), "%zu", j->parts.len) + 1;
	submitted(j, xs_submit(j->w->c, XS_DIRECTORY_PART, j->w->tx, iov, 2, got_part, j));
}

static void got_names(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;

	if (rc == -E2BIG)
		ask_part(j);
	else if (rc)
		j->node->list_rc = rc;
	else
		expand(j, data, len);
	answered(j);
}

static void ask(struct job *j)
{
	struct walk *w = j->w;

	j->pending = 1; /* ours, so that a failing submit does not free it under us */
	w->in_flight++;
	if (w->flags & XS_TREE_VALUES)
		submitted(j, ask_value(j));
	if (w->flags & XS_TREE_PERMS)
		submitted(j, xs_submit_str(w->c, XS_GET_PERMS, w->tx, j->path, got_perms, j));
	/* the root is listed even at depth 0: it must exist */
	if (w->depth < 0 || j->depth < w->depth || !j->node->parent)
		submitted(j, xs_submit_str(w->c, XS_DIRECTORY, w->tx, j->path, got_names, j));
	answered(j);
}

static void drop_queue(struct walk *w)
{
	while (w->queue) {
		struct job *j = w->queue;

		w->queue = j->next;
		free(j);
	}
}

static void run(struct walk *w)
{
	while ((w->queue || w->in_flight) && !w->rc) {
		while (w->queue && w->in_flight < WINDOW && !w->rc) {
			struct job *j = w->queue;

			w->queue = j->next;
			if (!w->queue)
				w->queue_tail = &w->queue;
			ask(j);
		}
		if (w->in_flight && !w->rc)
			w->rc = xs_client_run(w->c, -1);
	}
	drop_queue(w);
	/* answers still on their way point into the tree */
	while (w->in_flight && xs_client_run(w->c, -1) == 0)
		drop_queue(w);
}

/* ---- afterwards ---- */

static int by_name(const void *a, const void *b)
{
	return strcmp((*(struct xs_node *const *)a)->name, (*(struct xs_node *const *)b)->name);
}

static int sort_children(struct xs_node *n)
{
	struct xs_node **v, **p;

	if (n->nr_children < 2 || !n->children)
		return 0;
	v = malloc(n->nr_children * sizeof(*v));
	if (!v)
		return -ENOMEM;
	p = v;
	for (struct xs_node *c = n->children; c; c = c->next)
		*p++ = c;
	qsort(v, n->nr_children, sizeof(*v), by_name);
	n->children = v[0];
	for (unsigned int i = 0; i + 1 < n->nr_children; i++)
		v[i]->next = v[i + 1];
	n->last = v[n->nr_children - 1];
	n->last->next = NULL;
	free(v);
	return 0;
}

/* Takes nodes out that vanished between being listed and being read. */
static void drop_vanished(struct xs_node *n)
{
	struct xs_node **p = &n->children, *last = NULL;

	while (*p) {
		struct xs_node *c = *p;

		if (c->list_rc == -ENOENT || c->value_rc == -ENOENT) {
			*p = c->next;
			n->nr_children--;
			c->parent = NULL;
			xs_tree_free(c);
		} else {
			last = c;
			p = &c->next;
		}
	}
	n->last = last;
}

static int tidy(struct xs_node *root, unsigned int flags)
{
	int rc = 0;

	for (struct xs_node *n = root; n && !rc; n = xs_tree_next(root, n)) {
		drop_vanished(n);
		if (flags & XS_TREE_SORT)
			rc = sort_children(n);
	}
	return rc;
}

static void drop_children(struct xs_node *n)
{
	while (n->children) {
		struct xs_node *c = n->children;

		n->children = c->next;
		c->parent = NULL;
		xs_tree_free(c);
	}
	n->last = NULL;
}

static int read_each(struct xs_client *c, uint32_t tx, const char *path, int depth,
		     unsigned int flags, struct xs_node **out)
{
	struct walk w = { .c = c, .tx = tx, .flags = flags, .depth = depth,
			  .no_kinds = !(flags & XS_TREE_KINDS) };
	struct xs_node *root = xs_tree_add(NULL, path, strlen(path));
	int rc;

	if (!root)
		return -ENOMEM;
	w.queue_tail = &w.queue;
	job_new(&w, root, "", 0);
	run(&w);
	rc = w.rc;
	if (!rc)
		rc = root->list_rc ? root->list_rc : tidy(root, flags);
	if (rc) {
		xs_tree_free(root);
		return rc;
	}
	if (depth == 0) /* listed only to learn how many there are */
		drop_children(root);
	*out = root;
	return 0;
}

/* The children that @sub has become those of @n. */
static void take_children(struct xs_node *n, struct xs_node *sub)
{
	n->children = sub->children;
	n->last = sub->last;
	n->nr_children = sub->nr_children;
	for (struct xs_node *c = n->children; c; c = c->next)
		c->parent = n;
	sub->children = sub->last = NULL;
}

static int dump(struct xs_client *c, const char *path, int depth, unsigned int flags,
		struct xs_node **out, uint64_t *rev);

/* @n, or the first behind it that has children. */
static struct xs_node *with_children(struct xs_node *n)
{
	while (n && n->nr_children == 0)
		n = n->next;
	return n;
}

static int begin_below(struct xs_client *c, const struct xs_node *n, int depth, unsigned int flags,
		       struct xs_tree_dump **out)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];

	xs_tree_path(n, path, sizeof(path));
	return xs_tree_dump_begin(c, path, depth, flags, out);
}

/* @failed: it is only waited for. */
static int end_below(struct xs_client *c, struct xs_node *n, struct xs_tree_dump *d, int depth,
		     unsigned int flags, uint64_t rev, bool failed)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct xs_node *sub = NULL;
	uint64_t sub_rev = rev;
	int rc = xs_tree_dump_end(c, d, &sub, &sub_rev);

	if (rc == -E2BIG && depth != 1 && !failed) {
		xs_tree_path(n, path, sizeof(path));
		rc = dump(c, path, depth, flags, &sub, &sub_rev);
	}
	if (!rc && sub_rev != rev)
		rc = -EAGAIN;
	if (!rc)
		take_children(n, sub);
	xs_tree_free(sub);
	return rc;
}

/*
 * What is below the children of @root, each by itself, some asked for at once; -EAGAIN: not of the
 * moment that @root is of.
 */
static int dump_below(struct xs_client *c, struct xs_node *root, int depth, unsigned int flags,
		      uint64_t rev)
{
	struct xs_node *next = with_children(root->children), *n = next;
	struct xs_tree_dump *ahead[DUMPS_AT_ONCE];
	size_t begun = 0, ended = 0;
	int rc = 0, one;

	do {
		while (!rc && next && begun - ended < DUMPS_AT_ONCE) {
			rc = begin_below(c, next, depth, flags, &ahead[begun % DUMPS_AT_ONCE]);
			begun += !rc;
			next = with_children(next->next);
		}
		if (begun == ended)
			break;
		one = end_below(c, n, ahead[ended++ % DUMPS_AT_ONCE], depth, flags, rev, rc != 0);
		n = with_children(n->next);
		rc = rc ? rc : one;
	} while (next || begun != ended);
	return rc;
}

/*
 * One answer, or several where that is too large for the daemon, if no change came between them.
 * What there is of a tree is in *@out also when it fails.
 */
static int dump(struct xs_client *c, const char *path, int depth, unsigned int flags,
		struct xs_node **out, uint64_t *rev)
{
	int rc = xs_tree_dump(c, path, depth, flags, out, rev);

	if (rc != -E2BIG || depth == 1)
		return rc;
	rc = xs_tree_dump(c, path, 1, flags, out, rev);
	return rc ? rc : dump_below(c, *out, depth < 0 ? -1 : depth - 1, flags, *rev);
}

/* Without asking for each node; of what fails nothing is left behind. */
static int read_dump(struct xs_client *c, const char *path, int depth, unsigned int flags,
		     struct xs_node **out)
{
	struct xs_node *root = NULL;
	uint64_t rev;
	int rc = dump(c, path, depth, flags, &root, &rev);

	if (!rc && flags & XS_TREE_SORT)
		for (struct xs_node *n = root; n && !rc; n = xs_tree_next(root, n))
			rc = sort_children(n);
	if (rc)
		xs_tree_free(root);
	else
		*out = root;
	return rc;
}

int xs_tree_read(struct xs_client *c, uint32_t tx, const char *path, int depth,
		 unsigned int flags, struct xs_node **out)
{
	int rc = tx ? -EOPNOTSUPP : read_dump(c, path, depth, flags, out);

	/* whatever was wrong: asking for each node tells it in the words of the protocol */
	return rc ? read_each(c, tx, path, depth, flags, out) : 0;
}

struct snapshot {
	const char *path;
	int depth;
	unsigned int flags;
	struct xs_node *root;
};

static int snapshot_body(void *arg, struct xs_client *c, uint32_t tx)
{
	struct snapshot *s = arg;

	xs_tree_free(s->root);
	s->root = NULL;
	return read_each(c, tx, s->path, s->depth, s->flags, &s->root);
}

int xs_tree_snapshot(struct xs_client *c, const char *path, int depth, unsigned int flags,
		     struct xs_node **out)
{
	struct snapshot s = { .path = path, .depth = depth, .flags = flags };
	int rc = read_dump(c, path, depth, flags, &s.root);

	if (rc)
		rc = xs_transact(c, snapshot_body, &s, XS_TRIES, NULL);
	if (rc)
		xs_tree_free(s.root);
	else
		*out = s.root;
	return rc;
}
