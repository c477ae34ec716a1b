/* SPDX-License-Identifier: MIT */
/* refstore.c - see refstore.h. Slow and plain on purpose. */
#include "refstore.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAY_READ 1
#define MAY_WRITE 2
#define MAY_OWN 4

void ref_init(struct ref *r)
{
	memset(r, 0, sizeof(*r));
	for (int i = 0; i < REF_WATCHES; i++)
		r->watch[i].client = -1;
	r->next_id = 1;
	r->nr = 1;
	strcpy(r->node[0].path, "/");
	strcpy(r->node[0].perms, "n0");
	r->node[0].id = r->next_id++;
}

static struct ref_node *base_find(struct ref *r, const char *path)
{
	for (int i = 0; i < r->nr; i++) {
		if (strcmp(r->node[i].path, path) == 0)
			return &r->node[i];
	}
	return NULL;
}

static void parent_of(const char *path, char *out)
{
	char *slash;

	if (out != path)
		strcpy(out, path);
	slash = strrchr(out, '/');
	if (slash == out)
		slash[1] = '\0';
	else
		*slash = '\0';
}

static bool within(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	if (strcmp(dir, "/") == 0)
		return true;
	return strncmp(path, dir, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

static bool is_child(const char *path, const char *dir)
{
	char parent[REF_PATH];

	if (strcmp(path, "/") == 0)
		return false;
	parent_of(path, parent);
	return strcmp(parent, dir) == 0;
}

static int rights(struct ref *r, int c, const char *perms)
{
	static const char letters[] = "nrwb";
	int domid = r->domid[c], rest = 0, first = 1;
	char copy[REF_PERMS];

	if (domid == 0)
		return 7;
	strcpy(copy, perms);
	for (char *p = strtok(copy, " "); p; p = strtok(NULL, " ")) {
		int access = (int)(strchr(letters, p[0]) - letters);

		if (atoi(p + 1) == domid)
			return first ? 7 : access;
		if (first)
			rest = access;
		first = 0;
	}
	return rest;
}

static int owner_of(const char *perms)
{
	return atoi(perms + 1);
}

/* --- events --- */

static void event(struct ref *r, const struct ref_watch *w, const char *path)
{
	struct ref_event *e = &r->event[r->nr_events++];

	e->client = w->client;
	strcpy(e->path, path);
	strcpy(e->token, w->token);
}

static int depth_below(const char *path, const char *dir)
{
	int depth = 0;

	if (strcmp(path, dir) == 0)
		return 0;
	for (const char *p = path + (strcmp(dir, "/") ? strlen(dir) : 0); *p; p++)
		depth += *p == '/';
	return depth;
}

static void fire(struct ref *r, const char *path, const char *before, const char *after,
		 bool exact)
{
	for (int i = 0; i < REF_WATCHES; i++) {
		const struct ref_watch *w = &r->watch[i];

		if (w->client < 0 || (exact ? strcmp(path, w->path) != 0 : !within(path, w->path)))
			continue;
		if (w->depth >= 0 && depth_below(path, w->path) > w->depth)
			continue;
		if ((before && rights(r, w->client, before) & MAY_READ) ||
		    (after && rights(r, w->client, after) & MAY_READ))
			event(r, w, path);
	}
}

/* --- the tree itself --- */

static void touch_children(struct ref *r, const char *path)
{
	char parent[REF_PATH];
	struct ref_node *p;

	parent_of(path, parent);
	p = base_find(r, parent);
	if (p)
		p->children = ++r->version;
}

static void base_create(struct ref *r, const char *path, const char *value, const char *perms)
{
	struct ref_node *n = &r->node[r->nr++];

	if (r->nr >= REF_NODES)
		abort();
	memset(n, 0, sizeof(*n));
	strcpy(n->path, path);
	strcpy(n->value, value);
	strcpy(n->perms, perms);
	n->id = r->next_id++;
	n->version = n->children = ++r->version;
	touch_children(r, path);
}

static void base_remove(struct ref *r, const char *path)
{
	int kept = 0;
	char gone[REF_PATH];

	strcpy(gone, path);
	for (int i = 0; i < r->nr; i++) {
		if (within(r->node[i].path, gone))
			fire(r, r->node[i].path, r->node[i].perms, NULL,
			     strcmp(r->node[i].path, gone) != 0);
	}
	for (int i = 0; i < r->nr; i++) {
		if (!within(r->node[i].path, gone))
			r->node[kept++] = r->node[i];
	}
	r->nr = kept;
	touch_children(r, gone);
}

static void base_value(struct ref *r, struct ref_node *n, const char *value)
{
	if (strcmp(n->value, value) != 0)
		n->version = ++r->version;
	strcpy(n->value, value);
}

/* --- transactions --- */

static struct ref_touch *touched(struct ref_txn *t, const char *path)
{
	for (int i = 0; i < t->nr; i++) {
		if (strcmp(t->touch[i].path, path) == 0)
			return &t->touch[i];
	}
	return NULL;
}

/* Whether the transaction has made or removed a node above. */
static bool is_below_a_made_one(struct ref_txn *t, const char *path)
{
	char up[REF_PATH];

	strcpy(up, path);
	while (strcmp(up, "/") != 0) {
		struct ref_touch *above;

		parent_of(up, up);
		above = touched(t, up);
		if (above && (above->state == REF_CREATED || above->state == REF_DELETED))
			return true;
	}
	return false;
}

static struct ref_touch *touch(struct ref *r, struct ref_txn *t, const char *path)
{
	struct ref_touch *x = touched(t, path);
	struct ref_node *n;

	if (x)
		return x;
	x = &t->touch[t->nr++];
	memset(x, 0, sizeof(*x));
	strcpy(x->path, path);
	if (is_below_a_made_one(t, path)) {
		x->state = REF_DELETED;
		return x;
	}
	n = base_find(r, path);
	if (n)
		x->base = x->now = *n;
	return x;
}

static bool exists(const struct ref_touch *x)
{
	return x->state == REF_WRITTEN || x->state == REF_CREATED ||
	       (x->state == REF_SEEN && x->base.id);
}

static void made(struct ref_txn *t, struct ref_touch *x, bool fires)
{
	if (!x->made)
		x->made = ++t->made;
	x->fire = fires;
}

/* The node as client sees it, or NULL; remembers what was seen. */
static struct ref_node *see(struct ref *r, int t, const char *path, bool value, bool perms,
			    bool children)
{
	struct ref_touch *x;

	if (t < 0)
		return base_find(r, path);
	x = touch(r, &r->txn[t], path);
	if (x->state == REF_SEEN || x->state == REF_WRITTEN) {
		x->seen_exist = true;
		x->seen_value |= value && !x->new_value;
		x->seen_perms |= perms && !x->new_perms;
		x->seen_children |= children;
	}
	return exists(x) ? &x->now : NULL;
}

static struct ref_node *nearest(struct ref *r, int t, const char *path, char *where)
{
	struct ref_node *n = NULL;

	strcpy(where, path);
	while (!n && strcmp(where, "/") != 0) {
		parent_of(where, where);
		n = see(r, t, where, false, true, false);
	}
	return n;
}

/* What a client may do with the node: 0 or the error it is told. */
static int judge(struct ref *r, int c, int t, const char *path, int need, const struct ref_node *n)
{
	char where[REF_PATH];

	if (n)
		return (rights(r, c, n->perms) & need) == need ? 0 : EACCES;
	if (r->domid[c] == 0)
		return ENOENT;
	n = nearest(r, t, path, where);
	return n && rights(r, c, n->perms) & MAY_READ ? ENOENT : EACCES;
}

/* The same, but remembers nothing. */
static struct ref_node *peek(struct ref *r, struct ref_txn *t, const char *path)
{
	struct ref_touch *x = touched(t, path);

	if (x)
		return exists(x) ? &x->now : NULL;
	return is_below_a_made_one(t, path) ? NULL : base_find(r, path);
}

/* Who is not even told whether there is such a node has seen nothing. */
static bool is_hidden(struct ref *r, int c, int t, const char *path, int need)
{
	char where[REF_PATH];
	struct ref_node *n;

	if (t < 0 || r->domid[c] == 0)
		return false;
	n = peek(r, &r->txn[t], path);
	if (n && (rights(r, c, n->perms) & need) == need)
		return false;
	strcpy(where, path);
	while (!n && strcmp(where, "/") != 0) {
		parent_of(where, where);
		n = peek(r, &r->txn[t], where);
	}
	return !n || !(rights(r, c, n->perms) & MAY_READ);
}

/* Who may not do with a node what it asks for has seen nothing of it but its permissions. */
static int get(struct ref *r, int c, int t, const char *path, int need, bool value,
	       bool children, struct ref_node **out)
{
	int err;

	*out = NULL;
	if (is_hidden(r, c, t, path, need))
		return EACCES;
	*out = see(r, t, path, false, r->domid[c] != 0, false);
	err = judge(r, c, t, path, need, *out);
	if (err != EACCES)
		see(r, t, path, value, false, children);
	return err;
}

int ref_read(struct ref *r, int c, int t, const char *path, char *value)
{
	struct ref_node *n;
	int err = get(r, c, t, path, MAY_READ, true, false, &n);

	if (!err)
		strcpy(value, n->value);
	return err;
}

/* Makes @path and its missing parents. */
static int make(struct ref *r, int c, int t, const char *path, const char *value)
{
	char where[REF_PATH], part[REF_PATH], perms[REF_PERMS];
	struct ref_node *up = nearest(r, t, path, where);
	size_t at;

	if (!up || !(rights(r, c, up->perms) & MAY_WRITE))
		return EACCES;
	strcpy(perms, up->perms);
	if (r->domid[c] != 0) {
		char *rest = strchr(up->perms, ' ');

		snprintf(perms, sizeof(perms), "%c%d%s", up->perms[0], r->domid[c],
			 rest ? rest : "");
	}
	at = strcmp(where, "/") ? strlen(where) : 0;
	while (at < strlen(path)) {
		const char *end = strchr(path + at + 1, '/');
		bool last = !end;

		at = end ? (size_t)(end - path) : strlen(path);
		memcpy(part, path, at);
		part[at] = '\0';
		if (t < 0) {
			base_create(r, part, last ? value : "", perms);
			if (last)
				fire(r, part, NULL, perms, false);
		} else {
			struct ref_touch *x = touch(r, &r->txn[t], part);

			x->state = REF_CREATED;
			memset(&x->now, 0, sizeof(x->now));
			strcpy(x->now.path, part);
			strcpy(x->now.value, last ? value : "");
			strcpy(x->now.perms, perms);
			made(&r->txn[t], x, last);
		}
	}
	return 0;
}

int ref_write(struct ref *r, int c, int t, const char *path, const char *value)
{
	struct ref_node *n;
	int err = get(r, c, t, path, MAY_WRITE, false, false, &n);

	if (err == ENOENT)
		return make(r, c, t, path, value);
	if (err)
		return err;
	if (t < 0) {
		base_value(r, n, value);
		fire(r, path, NULL, n->perms, false);
	} else {
		struct ref_touch *x = touched(&r->txn[t], path);

		strcpy(n->value, value);
		if (x->state == REF_SEEN)
			x->state = REF_WRITTEN;
		x->new_value = true;
		made(&r->txn[t], x, true);
	}
	return 0;
}

int ref_mkdir(struct ref *r, int c, int t, const char *path)
{
	struct ref_node *n;
	int err = get(r, c, t, path, MAY_WRITE, false, false, &n);

	return err == ENOENT ? make(r, c, t, path, "") : err;
}

static void txn_hide(struct ref_txn *t, struct ref_touch *x, bool top)
{
	x->state = REF_DELETED;
	x->new_value = x->new_perms = x->fire = false;
	if (!top)
		x->made = 0;
	(void)t;
}

int ref_rm(struct ref *r, int c, int t, const char *path)
{
	char parent[REF_PATH];
	struct ref_node *n;
	int err;

	if (strcmp(path, "/") == 0)
		return EINVAL;
	err = get(r, c, t, path, MAY_WRITE, false, false, &n);
	if (err == ENOENT) {
		parent_of(path, parent);
		return see(r, t, parent, false, false, false) ? 0 : ENOENT;
	}
	if (err)
		return err;
	if (t < 0) {
		base_remove(r, path);
		return 0;
	}
	for (int i = 0; i < r->txn[t].nr; i++) {
		struct ref_touch *x = &r->txn[t].touch[i];

		if (within(x->path, path))
			txn_hide(&r->txn[t], x, strcmp(x->path, path) == 0);
	}
	made(&r->txn[t], touched(&r->txn[t], path), false);
	return 0;
}

static int by_id(const void *a, const void *b)
{
	const struct ref_node *x = a, *y = b;

	return (x->id > y->id) - (x->id < y->id);
}

static int by_made(const void *a, const void *b)
{
	const struct ref_touch *x = *(struct ref_touch *const *)a;
	const struct ref_touch *y = *(struct ref_touch *const *)b;

	return (x->made > y->made) - (x->made < y->made);
}

static int changes_of(struct ref_txn *t, struct ref_touch **out)
{
	int nr = 0;

	for (int i = 0; i < t->nr; i++) {
		if (t->touch[i].made)
			out[nr++] = &t->touch[i];
	}
	qsort(out, (size_t)nr, sizeof(*out), by_made);
	return nr;
}

static void add_name(char *names, const char *name)
{
	strcat(strcat(names, names[0] ? " " : ""), name);
}

/* The children of @path in the tree. */
static void base_names(struct ref *r, const char *path, char *names)
{
	names[0] = '\0';
	qsort(r->node, (size_t)r->nr, sizeof(r->node[0]), by_id);
	for (int i = 0; i < r->nr; i++) {
		if (is_child(r->node[i].path, path))
			add_name(names, strrchr(r->node[i].path, '/') + 1);
	}
}

/* What a transaction lists: as it was the first time, but for its own changes. */
static void txn_names(struct ref *r, struct ref_txn *t, const char *path, char *names)
{
	struct ref_touch *list[REF_NODES], *dir = touched(t, path);
	char copy[REF_NAMES], child[2 * REF_PATH], *save = NULL;

	if (dir->state != REF_CREATED) {
		if (!dir->listed)
			base_names(r, path, dir->names);
		dir->listed = true;
		strcpy(copy, dir->names);
		for (char *n = strtok_r(copy, " ", &save); n; n = strtok_r(NULL, " ", &save)) {
			struct ref_touch *x;

			sprintf(child, "%s/%s", path[1] ? path : "", n);
			x = touched(t, child);
			if (!x || (x->state != REF_CREATED && x->state != REF_DELETED))
				add_name(names, n);
		}
	}
	for (int i = 0, nr = changes_of(t, list); i < nr; i++) {
		if (list[i]->state == REF_CREATED && is_child(list[i]->path, path))
			add_name(names, strrchr(list[i]->path, '/') + 1);
	}
}

int ref_ls(struct ref *r, int c, int t, const char *path, char *names)
{
	struct ref_node *n;
	int err = get(r, c, t, path, MAY_READ, false, true, &n);

	if (err)
		return err;
	names[0] = '\0';
	if (t < 0)
		base_names(r, path, names);
	else
		txn_names(r, &r->txn[t], path, names);
	return 0;
}

int ref_getp(struct ref *r, int c, int t, const char *path, char *perms)
{
	struct ref_node *n;
	int err = get(r, c, t, path, MAY_READ, false, false, &n);

	if (err != EACCES)
		see(r, t, path, false, true, false);
	if (!err)
		strcpy(perms, n->perms);
	return err;
}

int ref_setp(struct ref *r, int c, int t, const char *path, const char *perms)
{
	char before[REF_PERMS];
	struct ref_node *n;
	int err = get(r, c, t, path, MAY_WRITE | MAY_OWN, false, false, &n);

	if (err)
		return err;
	if (r->domid[c] != 0 && owner_of(perms) != owner_of(n->perms))
		return EPERM;
	strcpy(before, n->perms);
	strcpy(n->perms, perms);
	if (t < 0) {
		fire(r, path, before, perms, false);
	} else {
		struct ref_touch *x = touched(&r->txn[t], path);

		if (x->state == REF_SEEN)
			x->state = REF_WRITTEN;
		x->new_perms = true;
		made(&r->txn[t], x, true);
	}
	return 0;
}

/* --- watches --- */

static struct ref_watch *watch_find(struct ref *r, int c, const char *path, const char *token)
{
	for (int i = 0; i < REF_WATCHES; i++) {
		struct ref_watch *w = &r->watch[i];

		if (w->client == c && !strcmp(w->path, path) && !strcmp(w->token, token))
			return w;
	}
	return NULL;
}

int ref_watch_add(struct ref *r, int c, const char *path, const char *token, int depth)
{
	if (watch_find(r, c, path, token))
		return EEXIST;
	for (int i = 0; i < REF_WATCHES; i++) {
		struct ref_watch *w = &r->watch[i];

		if (w->client >= 0)
			continue;
		w->client = c;
		w->depth = depth;
		strcpy(w->path, path);
		strcpy(w->token, token);
		event(r, w, path);
		return 0;
	}
	abort();
}

int ref_unwatch(struct ref *r, int c, const char *path, const char *token)
{
	struct ref_watch *w = watch_find(r, c, path, token);

	if (!w)
		return ENOENT;
	w->client = -1;
	return 0;
}

void ref_reset(struct ref *r, int c)
{
	for (int i = 0; i < REF_WATCHES; i++) {
		if (r->watch[i].client == c)
			r->watch[i].client = -1;
	}
	for (int i = 0; i < REF_TXNS; i++) {
		if (r->txn[i].client == c)
			r->txn[i].open = false;
	}
}

int ref_begin(struct ref *r, int c)
{
	for (int i = 0; i < REF_TXNS; i++) {
		if (!r->txn[i].open) {
			r->txn[i].open = true;
			r->txn[i].client = c;
			r->txn[i].nr = 0;
			r->txn[i].made = 0;
			return i;
		}
	}
	return -1;
}

static bool holds(struct ref *r, const struct ref_touch *x)
{
	const struct ref_node *n = base_find(r, x->path);

	if (!x->seen_exist)
		return true;
	if ((n ? n->id : 0) != x->base.id)
		return false;
	if (!n)
		return true;
	return !(x->seen_value && n->version != x->base.version) &&
	       !(x->seen_perms && strcmp(n->perms, x->base.perms)) &&
	       !(x->seen_children && n->children != x->base.children);
}

static void apply(struct ref *r, struct ref_touch *x)
{
	char before[REF_PERMS];
	struct ref_node *n;

	if (x->state == REF_DELETED || x->state == REF_CREATED) {
		if (base_find(r, x->path))
			base_remove(r, x->path);
		if (x->state == REF_CREATED) {
			base_create(r, x->path, x->now.value, x->now.perms);
			if (x->fire)
				fire(r, x->path, NULL, x->now.perms, false);
		}
		return;
	}
	n = base_find(r, x->path);
	strcpy(before, n->perms);
	if (x->new_perms)
		strcpy(n->perms, x->now.perms);
	if (x->new_value)
		base_value(r, n, x->now.value);
	fire(r, x->path, before, n->perms, false);
}

int ref_end(struct ref *r, int t, bool commit)
{
	struct ref_touch *list[REF_NODES];
	int nr;

	r->txn[t].open = false;
	if (!commit)
		return 0;
	for (int i = 0; i < r->txn[t].nr; i++) {
		if (!holds(r, &r->txn[t].touch[i]))
			return EAGAIN;
	}
	nr = changes_of(&r->txn[t], list);
	for (int i = 0; i < nr; i++)
		apply(r, list[i]);
	return 0;
}
