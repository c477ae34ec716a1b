/* SPDX-License-Identifier: MIT */
/* long_store.c - long values in the store: what long_value.h declares, by requests of Xen's. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>

#include "die.h"
#include "long_part.h"
#include "long_value.h"
#include "store.h"

#define PATH_SIZE (LONG_PATH_MAX + LONG_NAME_MAX + 1)

/* ---- several requests, one answer ---- */

struct group {
	xs_done_fn *fn; /* NULL: nobody wants to know any more */
	void *arg;
	int rc;
	size_t left;
};

static struct group *group_create(xs_done_fn *fn, void *arg)
{
	struct group *g = must(calloc(1, sizeof(*g)));

	*g = (struct group){ .fn = fn, .arg = arg, .left = 1 };
	return g;
}

static void group_done(void *arg, int rc, const char *data, size_t len)
{
	struct group *g = arg;

	(void)data;
	(void)len;
	if (rc && !g->rc)
		g->rc = rc;
	if (--g->left)
		return;
	if (g->fn)
		g->fn(g->arg, g->rc, "", 0);
	free(g);
}

static int group_submit(struct group *g, unsigned int type, uint32_t tx, const char *path,
			const void *data, size_t len)
{
	struct iovec iov[2] = { { (void *)path, strlen(path) + 1 }, { (void *)data, len } };
	int rc = xs_submit(store(), type, tx, iov, data ? 2 : 1, group_done, g);

	g->left += rc == 0;
	return rc;
}

/* All is submitted. @rc: not all could be, and the caller is told so by it. */
static int group_close(struct group *g, int rc)
{
	if (rc)
		g->fn = NULL;
	group_done(g, 0, NULL, 0);
	return rc;
}

/* The first of several. */
static void take_error(void *arg, int rc, const char *data, size_t len)
{
	(void)data;
	(void)len;
	if (!*(int *)arg)
		*(int *)arg = rc;
}

/* ---- reading ---- */

struct reading {
	const char *path;
	char *value;
	size_t len;
};

static int read_whole(void *arg, struct xs_client *c, uint32_t tx)
{
	struct reading *r = arg;
	char *whole;
	int rc;

	free(r->value);
	r->value = NULL;
	rc = xs_sync_str(c, XS_READ, tx, r->path, &r->value, &r->len);
	if (rc)
		return rc;
	whole = long_join(tx, r->path, r->value, &r->len, &rc);
	if (whole) {
		free(r->value);
		r->value = whole;
	}
	return rc;
}

char *long_read(uint32_t tx, const char *path, size_t *len, int *rc)
{
	struct reading r = { .path = path };

	*rc = tx ? read_whole(&r, store(), tx) :
		   xs_sync_str(store(), XS_READ, 0, path, &r.value, &r.len);
	/* of one moment: others may be writing it */
	if (!tx && !*rc && long_is_mark_of(path, r.value, r.len, NULL))
		*rc = xs_transact(store(), read_whole, &r, XS_TRIES, NULL);
	if (len)
		*len = r.len;
	if (!*rc)
		return r.value;
	free(r.value);
	return NULL;
}

int long_tree_read(uint32_t tx, const char *path, int depth, unsigned int flags,
		   struct xs_node **out)
{
	char full[XENSTORE_ABS_PATH_MAX + 1], *value;
	struct long_mark m;
	size_t len;
	int rc = xs_tree_read(store(), tx, path, depth, flags, out), read_rc;

	if (rc)
		return rc;
	long_fold(*out);
	for (struct xs_node *n = *out; n && depth >= 0; n = xs_tree_next(*out, n)) {
		if (!n->value || !long_is_mark(n->value, n->value_len, &m))
			continue;
		xs_tree_path(n, full, sizeof(full));
		value = long_read(tx, full, &len, &read_rc);
		if (value && long_is_whole(&m, value, len)) {
			free(n->value);
			n->value = value;
			n->value_len = len;
			n->nr_children -= n->nr_children < m.nr_parts ? 0 : m.nr_parts;
		} else {
			free(value);
		}
	}
	return 0;
}

/* ---- writing ---- */

size_t long_parts_now(uint32_t tx, const char *path, int *rc)
{
	struct long_mark m;
	char *value = NULL;
	size_t len, nr = 0;

	*rc = xs_sync_str(store(), XS_READ, tx, path, &value, &len);
	if (*rc == 0 && long_is_mark_of(path, value, len, &m))
		nr = m.nr_parts;
	free(value);
	/* what may be written but not read is written */
	if (*rc == -ENOENT || *rc == -EACCES)
		*rc = 0;
	return nr;
}

static int drop_from(uint32_t tx, const struct xs_node *dir, size_t nr)
{
	char part[XENSTORE_ABS_PATH_MAX + 1];
	int rc = 0, done = 0;
	size_t i;

	for (const struct xs_node *c = dir->children; c && !rc; c = c->next) {
		if (!long_is_part(c->name, &i) || i < nr)
			continue;
		xs_tree_path(c, part, sizeof(part));
		rc = xs_submit_str(store(), XS_RM, tx, part, take_error, &done);
	}
	xs_client_wait(store());
	return rc ? rc : done;
}

int long_drop_parts(uint32_t tx, const char *path, size_t nr)
{
	struct xs_node *dir;
	int rc = 0;

	if (!nr && !long_parts_now(tx, path, &rc))
		return rc;
	rc = xs_tree_read(store(), tx, path, 1, 0, &dir);
	/* it is new; or it may be written and not listed */
	if (rc == -ENOENT || rc == -EACCES)
		return 0;
	if (rc)
		return rc;
	rc = drop_from(tx, dir, nr);
	xs_tree_free(dir);
	return rc;
}

static int write_parts(struct group *g, uint32_t tx, const char *path, const char *value,
		       size_t len)
{
	size_t size = long_part_size(path);
	char part[PATH_SIZE];
	int rc = 0;

	for (size_t at = 0; at < len && !rc; at += size) {
		size_t left = len - at;

		long_part_path(part, path, at / size);
		rc = group_submit(g, XS_WRITE, tx, part, value + at, left < size ? left : size);
	}
	return rc;
}

/* Those of @names from number @nr on. */
static int remove_parts(struct group *g, uint32_t tx, const char *path, size_t nr,
			const char *names, size_t len)
{
	char part[PATH_SIZE];
	int rc = 0;
	size_t i;

	for (size_t at = 0; at < len && !rc; at += strlen(names + at) + 1) {
		if (!long_is_part(names + at, &i) || i < nr)
			continue;
		long_part_path(part, path, i);
		rc = group_submit(g, XS_RM, tx, part, NULL, 0);
	}
	return rc;
}

int long_submit_write(uint32_t tx, const char *path, const char *value, size_t len,
		      const char *names, size_t names_len, xs_done_fn *fn, void *arg)
{
	size_t nr = long_nr_parts(path, value, len), shown_len;
	char mark[LONG_MARK_MAX];
	const char *shown;
	struct group *g;
	int rc;

	if (len > LONG_VALUE_MAX || (!nr && long_is_needed(path, value, len)))
		return -E2BIG;
	if (!nr && !names)
		return xs_submit_write(store(), tx, path, value, len, fn, arg);
	g = group_create(fn, arg);
	shown_len = long_shown(path, value, len, mark, &shown);
	rc = group_submit(g, XS_WRITE, tx, path, shown, shown_len);
	if (!rc && nr)
		rc = write_parts(g, tx, path, value, len);
	if (!rc && names && strlen(path) <= LONG_PATH_MAX)
		rc = remove_parts(g, tx, path, nr, names, names_len);
	return group_close(g, rc);
}

struct writing {
	const char *path, *value;
	size_t len;
};

static int write_in(void *arg, struct xs_client *c, uint32_t tx)
{
	const struct writing *w = arg;
	int done = 0;
	int rc = long_drop_parts(tx, w->path, long_nr_parts(w->path, w->value, w->len));

	if (!rc)
		rc = long_submit_write(tx, w->path, w->value, w->len, NULL, 0, take_error,
				       &done);
	xs_client_wait(c);
	return rc ? rc : done;
}

int long_write(uint32_t tx, const char *path, const char *value, size_t len)
{
	struct writing w = { path, value, len };
	int rc = 0;

	if (tx)
		return write_in(&w, store(), tx);
	if (!long_is_needed(path, value, len) && !long_parts_now(0, path, &rc) && !rc)
		return xs_sync_write(store(), 0, path, value, len);
	return rc ? rc : xs_transact(store(), write_in, &w, XS_TRIES, NULL);
}

int long_submit_perms(uint32_t tx, const char *path, size_t nr_parts, const char *perms,
		      size_t perms_len, xs_done_fn *fn, void *arg)
{
	struct group *g = group_create(fn, arg);
	char part[PATH_SIZE];
	int rc = group_submit(g, XS_SET_PERMS, tx, path, perms, perms_len);

	for (size_t i = 0; i < nr_parts && !rc; i++) {
		long_part_path(part, path, i);
		rc = group_submit(g, XS_SET_PERMS, tx, part, perms, perms_len);
	}
	return group_close(g, rc);
}
