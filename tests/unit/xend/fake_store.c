/* SPDX-License-Identifier: MIT */
/*
 * fake_store.c - a store in memory for xend's tests.
 */
#include "fake_store.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct node {
	char *path, *value;
	unsigned int owner;
	int reader;			/* -1: none */
};

struct tree {
	struct node *node;
	size_t nr, room;
};

struct watch {
	struct watch *next;
	char *path, *token;
};

struct event {
	struct event *next;
	char *path, *token;
};

struct xs_handle {
	struct tree tree, shadow;	/* shadow: the open transaction */
	bool in_txn;
	char *touched[4096];
	size_t nr_touched;
	struct watch *watches;
	struct event *events, **events_end;
	unsigned int conflicts, introduced[64], nr_introduced;
	char fail_part[128], lose_part[128], once_end[128];
	int once_err;
	enum fake_failure failure;
};

static struct xs_handle *the_store;
static void (*meanwhile)(void);
static bool others_are_here;

static void others_come(void)
{
	if (!meanwhile || others_are_here)
		return;
	others_are_here = true;
	meanwhile();
	others_are_here = false;
}

void fake_meanwhile(void (*fn)(void))
{
	meanwhile = fn;
}

static void tree_free(struct tree *t)
{
	for (size_t i = 0; i < t->nr; i++) {
		free(t->node[i].path);
		free(t->node[i].value);
	}
	free(t->node);
	*t = (struct tree){ 0 };
}

static void tree_copy(struct tree *to, const struct tree *from)
{
	*to = (struct tree){ calloc(from->nr + 1, sizeof(struct node)), from->nr, from->nr + 1 };
	for (size_t i = 0; i < from->nr; i++) {
		to->node[i] = from->node[i];
		to->node[i].path = strdup(from->node[i].path);
		to->node[i].value = strdup(from->node[i].value);
	}
}

static struct node *tree_find(struct tree *t, const char *path)
{
	for (size_t i = 0; i < t->nr; i++) {
		if (!strcmp(t->node[i].path, path))
			return &t->node[i];
	}
	return NULL;
}

static struct node *tree_make(struct tree *t, const char *path)
{
	struct node *n = tree_find(t, path), *up = NULL;
	char parent[1024];

	if (n)
		return n;
	snprintf(parent, sizeof(parent), "%s", path);
	*strrchr(parent, '/') = '\0';
	if (parent[0])
		up = tree_make(t, parent);
	if (t->nr == t->room) {
		size_t at = up ? (size_t)(up - t->node) : 0;

		t->room = t->room ? t->room * 2 : 64;
		t->node = realloc(t->node, t->room * sizeof(*n));
		up = up ? t->node + at : NULL;
	}
	n = &t->node[t->nr++];
	*n = (struct node){ strdup(path), strdup(""), up ? up->owner : 0, up ? up->reader : -1 };
	return n;
}

static bool below(const char *path, const char *root)
{
	size_t n = strlen(root);

	return !strcmp(root, "/") || (!strncmp(path, root, n) && (path[n] == '/' || !path[n]));
}

static void queue(const char *path, const char *token)
{
	struct event *e = calloc(1, sizeof(*e));

	e->path = strdup(path);
	e->token = strdup(token);
	*the_store->events_end = e;
	the_store->events_end = &e->next;
}

static void fire(const char *path, bool removed)
{
	for (struct watch *w = the_store->watches; w; w = w->next) {
		if (below(path, w->path))
			queue(path, w->token);
		else if (removed && below(w->path, path))
			queue(w->path, w->token);
	}
}

/* Events of a transaction fire at its commit. A leading '-' marks a removal. */
static void changed(const char *path, bool removed)
{
	char text[1024];

	if (!the_store->in_txn) {
		fire(path, removed);
		return;
	}
	snprintf(text, sizeof(text), "%c%s", removed ? '-' : '+', path);
	if (the_store->nr_touched < 4096)
		the_store->touched[the_store->nr_touched++] = strdup(text);
}

static struct tree *tree_of(xs_transaction_t t)
{
	return t ? &the_store->shadow : &the_store->tree;
}

static const char *lost_lines;
static unsigned int lost_asked;

struct xs_handle *fake_store_new(void)
{
	fake_store_free();
	lost_lines = NULL;
	meanwhile = NULL;
	others_are_here = false;
	the_store = calloc(1, sizeof(*the_store));
	the_store->events_end = &the_store->events;
	tree_make(&the_store->tree, "/local");
	return the_store;
}

void fake_store_disconnect(void)
{
	while (the_store->watches) {
		struct watch *w = the_store->watches;

		the_store->watches = w->next;
		free(w->path);
		free(w->token);
		free(w);
	}
	while (the_store->events) {
		struct event *e = the_store->events;

		the_store->events = e->next;
		free(e->path);
		free(e->token);
		free(e);
	}
	the_store->events_end = &the_store->events;
}

void fake_store_free(void)
{
	if (!the_store)
		return;
	fake_store_disconnect();
	tree_free(&the_store->tree);
	free(the_store);
	the_store = NULL;
}

static bool fails(enum fake_failure from)
{
	errno = EIO;
	return the_store->failure >= from;
}

static bool refused_once(const char *path)
{
	size_t len = strlen(path), n = strlen(the_store->once_end);

	if (!n || len < n || strcmp(path + len - n, the_store->once_end))
		return false;
	the_store->once_end[0] = '\0';
	errno = the_store->once_err;
	return true;
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
	struct node *n = tree_find(tree_of(t), path);

	if (fails(FAKE_AWAY) || refused_once(path))
		return NULL;
	if (!n) {
		errno = ENOENT;
		return NULL;
	}
	*len = (unsigned int)strlen(n->value);
	return strdup(n->value);
}

static bool refused(const char *path)
{
	if (fails(FAKE_AWAY))
		return true;
	if (!the_store->fail_part[0] || !strstr(path, the_store->fail_part))
		return false;
	errno = ENOSPC;
	return true;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
	      unsigned int len)
{
	struct node *n;

	if (refused(path))
		return false;
	n = tree_make(tree_of(t), path);
	free(n->value);
	n->value = strndup(data, len);
	changed(path, false);
	if (!t)
		others_come();
	return true;
}

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	if (refused(path))
		return false;
	if (!tree_find(tree_of(t), path)) {
		tree_make(tree_of(t), path);
		changed(path, false);
	}
	return true;
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	struct tree *tree = tree_of(t);
	size_t kept = 0;

	if (fails(FAKE_KEEPS))
		return false;
	if (!tree_find(tree, path)) {
		errno = ENOENT;
		return false;
	}
	for (size_t i = 0; i < tree->nr; i++) {
		if (!below(tree->node[i].path, path)) {
			tree->node[kept++] = tree->node[i];
			continue;
		}
		free(tree->node[i].path);
		free(tree->node[i].value);
	}
	tree->nr = kept;
	changed(path, true);
	if (!t)
		others_come();
	return true;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num)
{
	struct tree *tree = tree_of(t);
	size_t n = strlen(path);
	char **list;
	char *text;

	*num = 0;
	if (refused_once(path))
		return NULL;
	if (!tree_find(tree, path)) {
		errno = ENOENT;
		return NULL;
	}
	list = malloc(tree->nr * (sizeof(char *) + 256) + 1);
	text = (char *)(list + tree->nr);
	for (size_t i = 0; i < tree->nr; i++) {
		const char *p = tree->node[i].path;

		if (strncmp(p, path, n) || p[n] != '/' || strchr(p + n + 1, '/'))
			continue;
		list[(*num)++] = text;
		text = stpcpy(text, p + n + 1) + 1;
	}
	return list;
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
			struct xs_permissions *perms, unsigned int num_perms)
{
	struct node *n = tree_find(tree_of(t), path);

	if (!n) {
		errno = ENOENT;
		return false;
	}
	n->owner = perms[0].id;
	n->reader = num_perms > 1 ? (int)perms[1].id : -1;
	return true;
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	if (h->in_txn)
		abort();	/* xend never nests them */
	if (fails(FAKE_AWAY))
		return XBT_NULL;
	h->in_txn = true;
	tree_copy(&h->shadow, &h->tree);
	return 1;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abandon)
{
	bool conflict = !abandon && h->conflicts, lost = false;
	int err;

	h->in_txn = false;
	if (abandon || conflict) {
		tree_free(&h->shadow);
	} else {
		tree_free(&h->tree);
		h->tree = h->shadow;
		h->shadow = (struct tree){ 0 };
	}
	for (size_t i = 0; i < h->nr_touched; i++) {
		if (!abandon && !conflict)
			fire(h->touched[i] + 1, h->touched[i][0] == '-');
		if (!abandon && !conflict && h->lose_part[0])
			lost |= strstr(h->touched[i], h->lose_part) != NULL;
		free(h->touched[i]);
	}
	h->nr_touched = 0;
	if (conflict) {
		h->conflicts--;
		errno = EAGAIN;
	}
	if (lost) {
		h->lose_part[0] = '\0';
		errno = EIO;
	}
	err = errno;
	others_come();
	errno = err;
	return !conflict && !lost;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	struct watch *w = calloc(1, sizeof(*w));

	w->path = strdup(path);
	w->token = strdup(token);
	w->next = h->watches;
	h->watches = w;
	queue(path, token);
	return true;
}

char **xs_check_watch(struct xs_handle *h)
{
	struct event *e = h->events;
	char **v, *text;

	if (!e) {
		errno = EAGAIN;
		return NULL;
	}
	h->events = e->next;
	if (!h->events)
		h->events_end = &h->events;
	v = malloc(2 * sizeof(char *) + strlen(e->path) + strlen(e->token) + 2);
	text = (char *)(v + 2);
	v[XS_WATCH_PATH] = text;
	text = stpcpy(text, e->path) + 1;
	v[XS_WATCH_TOKEN] = text;
	strcpy(text, e->token);
	free(e->path);
	free(e->token);
	free(e);
	return v;
}

void fake_lost(const char *lines)
{
	lost_lines = lines;
}

unsigned int fake_lost_asked(void)
{
	return lost_asked;
}

char *xs_control_command(struct xs_handle *h, const char *cmd, void *data, unsigned int len)
{
	const char *rest;
	char *text;

	if (fails(FAKE_AWAY) || refused_once(cmd))
		return NULL;
	if (!strcmp(cmd, "stat"))
		return strdup(lost_lines ? "connections 1\nlost 1\n" : "connections 1\nlost 0\n");
	lost_asked++;
	if (!lost_lines)
		return strdup("nothing");
	/* The first line by itself: the others have to be asked for. */
	rest = strchr(lost_lines, '\n') + 1;
	if (len || !*rest)
		return strdup(len ? rest : lost_lines);
	return asprintf(&text, "%.*s... 1 more lines (from 1)\n", (int)(rest - lost_lines),
			lost_lines) < 0 ? NULL : text;
}

bool xs_introduce_domain(struct xs_handle *h, unsigned int domid, unsigned long mfn,
			 unsigned int eventchn)
{
	if (refused("@introduce"))
		return false;
	h->introduced[h->nr_introduced++] = domid;
	return true;
}

bool xs_release_domain(struct xs_handle *h, unsigned int domid)
{
	for (unsigned int i = 0; i < h->nr_introduced; i++) {
		if (h->introduced[i] != domid)
			continue;
		h->introduced[i] = h->introduced[--h->nr_introduced];
		fire("@releaseDomain", false);
		return true;
	}
	errno = ENOENT;
	return false;
}

void fake_refuse_once(const char *end, int err)
{
	snprintf(the_store->once_end, sizeof(the_store->once_end), "%s", end);
	the_store->once_err = err;
}

bool fake_has_refused(void)
{
	return !the_store->once_end[0];
}

void fake_set(const char *path, const char *value)
{
	char saved[sizeof(the_store->fail_part)];

	memcpy(saved, the_store->fail_part, sizeof(saved));
	the_store->fail_part[0] = '\0';
	if (value)
		xs_write(the_store, 0, path, value, (unsigned int)strlen(value));
	else
		xs_rm(the_store, 0, path);
	memcpy(the_store->fail_part, saved, sizeof(saved));
}

const char *fake_get(const char *path)
{
	struct node *n = tree_find(&the_store->tree, path);

	return n ? n->value : NULL;
}

size_t fake_count(const char *root)
{
	size_t n = 0;

	for (size_t i = 0; i < the_store->tree.nr; i++)
		n += below(the_store->tree.node[i].path, root);
	return n;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct node *)a)->path, ((const struct node *)b)->path);
}

char *fake_dump(const char *root)
{
	char *text;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	qsort(the_store->tree.node, the_store->tree.nr, sizeof(struct node), by_path);
	for (size_t i = 0; i < the_store->tree.nr; i++) {
		struct node *n = &the_store->tree.node[i];

		if (below(n->path, root))
			fprintf(f, "%s = \"%s\" n%u r%d\n", n->path, n->value, n->owner, n->reader);
	}
	fclose(f);
	return text;
}

void fake_conflict(unsigned int n)
{
	the_store->conflicts = n;
}

void fake_fail_writes(const char *part)
{
	snprintf(the_store->fail_part, sizeof(the_store->fail_part), "%s", part ? part : "");
}

void fake_lose_answer(const char *part)
{
	snprintf(the_store->lose_part, sizeof(the_store->lose_part), "%s", part);
}

void fake_store_fail(enum fake_failure failure)
{
	the_store->failure = failure;
}

unsigned int fake_introduced(void)
{
	return the_store->nr_introduced;
}
