/* SPDX-License-Identifier: MIT */
/*
 * fake_store.c - see fake_store.h. One mutex guards everything.
 */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "fake_store.h"

#define NODES_MAX 4096
#define WATCHES_MAX 16
#define TXNS_MAX 8
#define HANDLES_MAX 16

struct node {
	char *path, *value;
	unsigned int len;
};

struct tree {
	struct node at[NODES_MAX]; /* sorted by path */
	unsigned int nr;
};

struct event {
	struct event *next;
	char *path, *token;
};

struct txn {
	bool used;
	unsigned long base; /* generation at the start */
	struct tree *view;
	char *touched[NODES_MAX]; /* paths whose watches fire at the commit */
	unsigned int nr_touched;
};

struct xs_handle {
	int fd;
	struct {
		char *path, *token;
	} watches[WATCHES_MAX];
	struct event *events, **tail;
	struct txn txns[TXNS_MAX];
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct tree tree;
static unsigned long generation;
static int refuse_open, refuse_writes;
static const char *lost;
static __thread unsigned int loose; /* xend is another thread */
static struct xs_handle *handles[HANDLES_MAX];

/* ---- the tree ---- */

static unsigned int position(const struct tree *t, const char *path, bool *found)
{
	unsigned int lo = 0, hi = t->nr;

	while (lo < hi) {
		unsigned int mid = (lo + hi) / 2;
		int order = strcmp(t->at[mid].path, path);

		if (order == 0) {
			*found = true;
			return mid;
		}
		if (order < 0)
			lo = mid + 1;
		else
			hi = mid;
	}
	*found = false;
	return lo;
}

static struct node *lookup(struct tree *t, const char *path)
{
	bool found;
	unsigned int i = position(t, path, &found);

	return found ? &t->at[i] : NULL;
}

static bool below(const char *parent, const char *path)
{
	size_t len = strlen(parent);

	return strncmp(parent, path, len) == 0 && (path[len] == '/' || !path[len]);
}

static void *copy(const void *data, unsigned int len)
{
	char *out = calloc(1, len + 1);

	memcpy(out, data, len);
	return out;
}

static void put_one(struct tree *t, const char *path, const void *data, unsigned int len)
{
	bool found;
	unsigned int i = position(t, path, &found);

	if (!found) {
		if (t->nr == NODES_MAX)
			abort();
		memmove(&t->at[i + 1], &t->at[i], (t->nr - i) * sizeof(t->at[0]));
		t->nr++;
		t->at[i].path = strdup(path);
	} else {
		free(t->at[i].value);
	}
	t->at[i].value = copy(data, len);
	t->at[i].len = len;
}

static void put(struct tree *t, const char *path, const void *data, unsigned int len)
{
	char parent[512];

	for (const char *s = strchr(path + 1, '/'); s; s = strchr(s + 1, '/')) {
		snprintf(parent, sizeof(parent), "%.*s", (int)(s - path), path);
		if (!lookup(t, parent))
			put_one(t, parent, "", 0);
	}
	put_one(t, path, data, len);
}

static bool drop(struct tree *t, const char *path)
{
	bool any = false;
	unsigned int kept = 0;

	for (unsigned int i = 0; i < t->nr; i++) {
		if (below(path, t->at[i].path)) {
			free(t->at[i].path);
			free(t->at[i].value);
			any = true;
		} else {
			t->at[kept++] = t->at[i];
		}
	}
	t->nr = kept;
	return any;
}

static void clear(struct tree *t)
{
	for (unsigned int i = 0; i < t->nr; i++) {
		free(t->at[i].path);
		free(t->at[i].value);
	}
	t->nr = 0;
}

static struct tree *tree_copy(const struct tree *t)
{
	struct tree *out = calloc(1, sizeof(*out));

	for (unsigned int i = 0; i < t->nr; i++)
		out->at[i] = (struct node){ strdup(t->at[i].path),
					    copy(t->at[i].value, t->at[i].len), t->at[i].len };
	out->nr = t->nr;
	return out;
}

/* ---- watches ---- */

static void queue(struct xs_handle *h, const char *path, const char *token)
{
	struct event *e = calloc(1, sizeof(*e));
	uint64_t one = 1;

	e->path = strdup(path);
	e->token = strdup(token);
	*h->tail = e;
	h->tail = &e->next;
	if (write(h->fd, &one, sizeof(one)) != sizeof(one))
		abort();
}

static void fire(const char *path)
{
	generation++;
	for (int i = 0; i < HANDLES_MAX; i++)
		for (int w = 0; handles[i] && w < WATCHES_MAX; w++) {
			const char *watched = handles[i]->watches[w].path;

			if (watched && (below(watched, path) || below(path, watched)))
				queue(handles[i], below(watched, path) ? path : watched,
				      handles[i]->watches[w].token);
		}
}

/* ---- transactions ---- */

static struct txn *txn_of(struct xs_handle *h, xs_transaction_t t)
{
	return t ? &h->txns[t - 1] : NULL;
}

static struct tree *view(struct xs_handle *h, xs_transaction_t t)
{
	return t ? txn_of(h, t)->view : &tree;
}

static void touched(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	struct txn *txn = txn_of(h, t);

	if (txn)
		txn->touched[txn->nr_touched++] = strdup(path);
	else
		fire(path);
}

xs_transaction_t xs_transaction_start(struct xs_handle *h)
{
	xs_transaction_t t = 0;

	pthread_mutex_lock(&lock);
	for (xs_transaction_t i = 1; i <= TXNS_MAX && !t; i++) {
		if (!h->txns[i - 1].used) {
			h->txns[i - 1] = (struct txn){
				.used = true, .base = generation, .view = tree_copy(&tree)};
			t = i;
		}
	}
	pthread_mutex_unlock(&lock);
	if (!t)
		errno = ENOSPC;
	return t;
}

bool xs_transaction_end(struct xs_handle *h, xs_transaction_t t, bool abandon)
{
	struct txn *txn = txn_of(h, t);
	bool ok;

	pthread_mutex_lock(&lock);
	ok = abandon || txn->base == generation;
	if (ok && !abandon) {
		clear(&tree);
		tree = *txn->view;
		txn->view->nr = 0;
		for (unsigned int i = 0; i < txn->nr_touched; i++)
			fire(txn->touched[i]);
	}
	clear(txn->view);
	free(txn->view);
	for (unsigned int i = 0; i < txn->nr_touched; i++)
		free(txn->touched[i]);
	memset(txn, 0, sizeof(*txn));
	pthread_mutex_unlock(&lock);
	if (!ok)
		errno = EAGAIN;
	return ok;
}

/* ---- the API ---- */

const char *xs_daemon_socket(void)
{
	return "/run/fake/socket";
}

struct xs_handle *xs_open(unsigned long flags)
{
	struct xs_handle *h;

	(void)flags;
	if (refuse_open) {
		errno = refuse_open;
		return NULL;
	}
	h = calloc(1, sizeof(*h));
	h->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	h->tail = &h->events;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < HANDLES_MAX; i++) {
		if (!handles[i]) {
			handles[i] = h;
			break;
		}
	}
	pthread_mutex_unlock(&lock);
	return h;
}

void xs_close(struct xs_handle *h)
{
	struct event *e;

	pthread_mutex_lock(&lock);
	for (int i = 0; i < HANDLES_MAX; i++)
		if (handles[i] == h)
			handles[i] = NULL;
	pthread_mutex_unlock(&lock);
	for (int w = 0; w < WATCHES_MAX; w++) {
		free(h->watches[w].path);
		free(h->watches[w].token);
	}
	while ((e = h->events)) {
		h->events = e->next;
		free(e->path);
		free(e->token);
		free(e);
	}
	close(h->fd);
	free(h);
}

void *xs_read(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *len)
{
	struct node *n;
	void *out = NULL;

	pthread_mutex_lock(&lock);
	n = lookup(view(h, t), path);
	if (n) {
		out = copy(n->value, n->len);
		*len = n->len;
	}
	pthread_mutex_unlock(&lock);
	if (!out)
		errno = ENOENT;
	return out;
}

bool xs_write(struct xs_handle *h, xs_transaction_t t, const char *path, const void *data,
	      unsigned int len)
{
	if (refuse_writes) {
		errno = refuse_writes;
		return false;
	}
	if (strlen(path) + len + 1 > 4096) {
		errno = E2BIG;
		return false;
	}
	if (t == XBT_NULL && strncmp(path, "/config/domain/", 15) == 0)
		loose++;
	pthread_mutex_lock(&lock);
	put(view(h, t), path, data, len);
	touched(h, t, path);
	pthread_mutex_unlock(&lock);
	return true;
}

unsigned int fake_store_loose(void)
{
	unsigned int n = loose;

	loose = 0;
	return n;
}

bool xs_rm(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	bool any;

	pthread_mutex_lock(&lock);
	any = drop(view(h, t), path);
	if (any)
		touched(h, t, path);
	pthread_mutex_unlock(&lock);
	if (!any)
		errno = ENOENT;
	return any;
}

char **xs_directory(struct xs_handle *h, xs_transaction_t t, const char *path, unsigned int *num)
{
	size_t prefix = strlen(path), bytes = 0;
	unsigned int nr = 0;
	struct tree *v;
	char **out = NULL, *text;

	pthread_mutex_lock(&lock);
	v = view(h, t);
	for (unsigned int i = 0; i < v->nr; i++) {
		if (below(path, v->at[i].path) && v->at[i].path[prefix] &&
		    !strchr(v->at[i].path + prefix + 1, '/')) {
			nr++;
			bytes += strlen(v->at[i].path + prefix + 1) + 1;
		}
	}
	if (lookup(v, path)) {
		out = calloc(1, (nr + 1) * sizeof(*out) + bytes);
		text = (char *)(out + nr + 1);
		nr = 0;
		for (unsigned int i = 0; i < v->nr; i++) {
			const char *child = v->at[i].path;

			if (!below(path, child) || !child[prefix] ||
			    strchr(child + prefix + 1, '/'))
				continue;
			out[nr++] = strcpy(text, child + prefix + 1);
			text += strlen(text) + 1;
		}
		*num = nr;
	}
	pthread_mutex_unlock(&lock);
	if (!out)
		errno = ENOENT;
	return out;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	bool ok = false;

	pthread_mutex_lock(&lock);
	for (int w = 0; w < WATCHES_MAX && !ok; w++) {
		if (!h->watches[w].path) {
			h->watches[w].path = strdup(path);
			h->watches[w].token = strdup(token);
			queue(h, path, token);
			ok = true;
		}
	}
	pthread_mutex_unlock(&lock);
	if (!ok)
		errno = ENOSPC;
	return ok;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	bool ok = false;

	pthread_mutex_lock(&lock);
	for (int w = 0; w < WATCHES_MAX && !ok; w++) {
		if (h->watches[w].path && strcmp(h->watches[w].path, path) == 0 &&
		    strcmp(h->watches[w].token, token) == 0) {
			free(h->watches[w].path);
			free(h->watches[w].token);
			h->watches[w].path = h->watches[w].token = NULL;
			ok = true;
		}
	}
	pthread_mutex_unlock(&lock);
	return ok;
}

int xs_fileno(struct xs_handle *h)
{
	return h->fd;
}

char **xs_check_watch(struct xs_handle *h)
{
	struct event *e;
	char **out = NULL;
	uint64_t n;

	pthread_mutex_lock(&lock);
	e = h->events;
	if (e) {
		h->events = e->next;
		if (!h->events) {
			h->tail = &h->events;
			if (read(h->fd, &n, sizeof(n)) < 0)
				abort();
		}
		out = calloc(1, 3 * sizeof(*out) + strlen(e->path) + strlen(e->token) + 2);
		out[0] = strcpy((char *)(out + 3), e->path);
		out[1] = strcpy(out[0] + strlen(e->path) + 1, e->token);
		free(e->path);
		free(e->token);
		free(e);
	}
	pthread_mutex_unlock(&lock);
	if (!out)
		errno = EAGAIN;
	return out;
}

/* ---- what xend needs of it besides; nobody here is kept from anything ---- */

bool xs_mkdir(struct xs_handle *h, xs_transaction_t t, const char *path)
{
	unsigned int len;
	char *there = xs_read(h, t, path, &len);

	free(there);
	return there || xs_write(h, t, path, "", 0);
}

bool xs_set_permissions(struct xs_handle *h, xs_transaction_t t, const char *path,
			struct xs_permissions *perms, unsigned int nr)
{
	(void)perms;
	(void)nr;
	pthread_mutex_lock(&lock);
	touched(h, t, path);
	pthread_mutex_unlock(&lock);
	return true;
}

bool xs_introduce_domain(struct xs_handle *h, unsigned int domid, unsigned long mfn,
			 unsigned int port)
{
	(void)h;
	return domid && mfn && port;
}

bool xs_release_domain(struct xs_handle *h, unsigned int domid)
{
	(void)h;
	return domid;
}

char *xs_control_command(struct xs_handle *h, const char *cmd, void *data, unsigned int len)
{
	(void)h;
	(void)data;
	(void)len;
	if (strcmp(cmd, "stat") == 0)
		return strdup(lost ? "lost 1\n" : "lost 0\n");
	return strdup(lost ? lost : "");
}

/* ---- for the tests ---- */

void fake_store_reset(void)
{
	clear(&tree);
	refuse_open = refuse_writes = 0;
	lost = NULL;
}

void fake_store_lost(const char *lines)
{
	lost = lines;
}

void fake_store_refuse_open(int err)
{
	refuse_open = err;
}

void fake_store_refuse_writes(int err)
{
	refuse_writes = err;
}

int fake_store_handles(void)
{
	int nr = 0;

	for (int i = 0; i < HANDLES_MAX; i++)
		nr += handles[i] != NULL;
	return nr;
}

unsigned int fake_store_count(const char *path)
{
	unsigned int nr = 0;

	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < tree.nr; i++)
		nr += below(path, tree.at[i].path);
	pthread_mutex_unlock(&lock);
	return nr;
}

void fake_store_set(const char *path, const char *value)
{
	pthread_mutex_lock(&lock);
	put(&tree, path, value, (unsigned int)strlen(value));
	fire(path);
	pthread_mutex_unlock(&lock);
}

void fake_store_drop(const char *path)
{
	pthread_mutex_lock(&lock);
	if (drop(&tree, path))
		fire(path);
	pthread_mutex_unlock(&lock);
}

char *fake_store_get(const char *path)
{
	struct node *n;
	char *out;

	pthread_mutex_lock(&lock);
	n = lookup(&tree, path);
	out = n ? copy(n->value, n->len) : NULL;
	pthread_mutex_unlock(&lock);
	return out;
}
