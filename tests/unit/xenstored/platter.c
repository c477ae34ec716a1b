/* SPDX-License-Identifier: MIT */
/* platter.c - see platter.h. Any failure here is the test's own: it aborts. */
#include "platter.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "iotrace.h"

#define INODES 512
#define NAME_MAX_LEN 64

struct unsynced {
	bool truncate;
	uint64_t offset;
	const char *data;
	size_t len;
};

struct inode {
	char *bytes;		/* what is synced */
	size_t len;
	struct unsynced *pending;
	size_t nr, cap;
};

/* A change of names, in the order they were made. */
struct name_op {
	enum io_op op;
	int inode;
	char path[NAME_MAX_LEN], to[NAME_MAX_LEN];
};

struct platter {
	char *trace;
	size_t len, at, root_len;
	struct inode inode[INODES];
	int nr_inodes;
	struct name_op *op;
	size_t nr_ops, synced_ops;
	uint64_t acked, sent;
	int returning;		/* file whose synchronous write is under way, or -1 */
};

static void need(bool ok)
{
	if (!ok) {
		perror("disk model");
		abort();
	}
}

struct platter *platter_open(const char *file, const char *root)
{
	struct platter *d = calloc(1, sizeof(*d));
	int fd = open(file, O_RDONLY | O_CLOEXEC);
	struct stat st;

	need(d && fd >= 0 && fstat(fd, &st) == 0);
	d->len = (size_t)st.st_size;
	d->trace = malloc(d->len + 1);
	need(d->trace && read(fd, d->trace, d->len) == (ssize_t)d->len);
	close(fd);
	d->root_len = strlen(root);
	d->returning = -1;
	d->op = calloc(4096, sizeof(*d->op));
	need(d->op);
	return d;
}

void platter_close(struct platter *d)
{
	for (int i = 0; i < d->nr_inodes; i++) {
		free(d->inode[i].bytes);
		free(d->inode[i].pending);
	}
	free(d->op);
	free(d->trace);
	free(d);
}

/* The file behind @path after the first @nr changes of names; -1: none. */
static int lookup(const struct platter *d, const char *path, size_t nr)
{
	char name[NAME_MAX_LEN];

	snprintf(name, sizeof(name), "%s", path);
	while (nr-- > 0) {
		const struct name_op *o = &d->op[nr];

		if (o->op == IO_CREATE && strcmp(o->path, name) == 0)
			return o->inode;
		if (o->op == IO_UNLINK && strcmp(o->path, name) == 0)
			return -1;
		if (o->op == IO_RENAME && strcmp(o->path, name) == 0)
			return -1;
		if ((o->op == IO_RENAME || o->op == IO_LINK) && strcmp(o->to, name) == 0)
			snprintf(name, sizeof(name), "%s", o->path);
	}
	return -1;
}

static void apply(struct inode *i, const struct unsynced *c)
{
	size_t end = c->truncate ? c->offset : c->offset + c->len;

	if (end > i->len || c->truncate) {
		i->bytes = realloc(i->bytes, end + 1);
		need(i->bytes);
		if (end > i->len)
			memset(i->bytes + i->len, 0, end - i->len);
		i->len = end;
	}
	if (!c->truncate)
		memcpy(i->bytes + c->offset, c->data, c->len);
}

static void sync_inode(struct inode *i)
{
	for (size_t k = 0; k < i->nr; k++)
		apply(i, &i->pending[k]);
	i->nr = 0;
}

static void add_pending(struct inode *i, const struct unsynced *c)
{
	if (i->nr == i->cap) {
		i->cap = i->cap ? 2 * i->cap : 64;
		i->pending = realloc(i->pending, i->cap * sizeof(*c));
		need(i->pending);
	}
	i->pending[i->nr++] = *c;
}

static void name_changed(struct platter *d, const struct io_event *e, const char *path,
			 const char *data)
{
	struct name_op *o = &d->op[d->nr_ops++];

	need(d->nr_ops < 4096 && d->nr_inodes < INODES);
	o->op = e->op;
	snprintf(o->path, sizeof(o->path), "%s", path);
	snprintf(o->to, sizeof(o->to), "%.*s", (int)(e->data_len - d->root_len),
		 e->data_len ? data + d->root_len : "");
	if (e->op == IO_CREATE)
		o->inode = d->nr_inodes++;
}

bool platter_step(struct platter *d)
{
	char path[NAME_MAX_LEN];
	const char *data;
	struct io_event e;
	int i;

	if (d->at + sizeof(e) > d->len)
		return false;
	if (d->returning >= 0)
		sync_inode(&d->inode[d->returning]);
	d->returning = -1;
	memcpy(&e, d->trace + d->at, sizeof(e));
	d->at += sizeof(e);
	if (e.path_len)
		snprintf(path, sizeof(path), "%.*s", (int)(e.path_len - d->root_len),
			 d->trace + d->at + d->root_len);
	data = d->trace + d->at + e.path_len;
	d->at += e.path_len + e.data_len;
	switch ((enum io_op)e.op) {
	case IO_SENT:
		d->sent = e.offset;
		break;
	case IO_ACKED:
		d->acked = e.offset;
		break;
	case IO_CREATE:
	case IO_RENAME:
	case IO_LINK:
	case IO_UNLINK:
	case IO_MKDIR:
		name_changed(d, &e, path, data);
		break;
	case IO_WRITE:
	case IO_TRUNCATE:
		i = lookup(d, path, d->nr_ops);
		need(i >= 0);
		add_pending(&d->inode[i], &(struct unsynced){ e.op == IO_TRUNCATE, e.offset, data,
							      e.data_len });
		if (e.dsync)
			d->returning = i;
		break;
	case IO_SYNC:
		i = lookup(d, path, d->nr_ops);
		if (i >= 0)
			sync_inode(&d->inode[i]);
		else
			d->synced_ops = d->nr_ops;
		break;
	}
	return true;
}

uint64_t platter_acked(const struct platter *d)
{
	return d->acked;
}

uint64_t platter_sent(const struct platter *d)
{
	return d->sent;
}

/* Those sectors of a write that made it. */
static void apply_torn(struct inode *i, const struct unsynced *c, size_t sector,
		       unsigned int (*rnd)(unsigned int n))
{
	size_t at = 0;

	while (at < c->len) {
		size_t n = sector - (c->offset + at) % sector;

		if (n > c->len - at)
			n = c->len - at;
		if (rnd(2))
			apply(i, &(struct unsynced){ false, c->offset + at, c->data + at, n });
		at += n;
	}
}

static void survive(struct inode *i, enum platter_tear tear, size_t sector,
		    unsigned int (*rnd)(unsigned int n))
{
	size_t whole = tear == PLATTER_ALL ? i->nr : tear == PLATTER_NONE || !i->nr ? 0 :
			rnd((unsigned int)i->nr + 1);

	for (size_t k = 0; k < i->nr; k++) {
		const struct unsynced *c = &i->pending[k];
		bool all = tear == PLATTER_SUBSET ? rnd(3) == 0 : k < whole;
		bool torn = tear == PLATTER_SUBSET ? rnd(2) == 0 : tear == PLATTER_PREFIX && k == whole;

		if (all || (torn && c->truncate))
			apply(i, c);
		else if (torn)
			apply_torn(i, c, sector, rnd);
	}
}

static void put_file(const struct inode *from, const char *path, enum platter_tear tear,
		     size_t sector, unsigned int (*rnd)(unsigned int n))
{
	struct inode i = *from;
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	i.bytes = malloc(i.len + 1);
	need(fd >= 0 && i.bytes);
	if (i.len)
		memcpy(i.bytes, from->bytes, i.len);
	survive(&i, tear, sector, rnd);
	need(write(fd, i.bytes, i.len) == (ssize_t)i.len);
	close(fd);
	free(i.bytes);
}

void platter_image(const struct platter *d, const char *dir, enum platter_tear tear, size_t sector,
		   unsigned int (*rnd)(unsigned int n))
{
	size_t more = d->nr_ops - d->synced_ops, nr = d->synced_ops;
	char path[400];

	if (tear == PLATTER_ALL)
		nr = d->nr_ops;
	else if (tear != PLATTER_NONE && more)
		nr += rnd((unsigned int)more + 1);
	for (size_t k = 0; k < nr; k++) {
		const struct name_op *o = &d->op[k];
		const char *name = o->op == IO_RENAME || o->op == IO_LINK ? o->to : o->path;
		int i = lookup(d, name, nr);

		snprintf(path, sizeof(path), "%s%s", dir, name);
		if (o->op == IO_MKDIR)
			mkdir(path, 0700);
		else if (i >= 0 && !strstr(name, "lock"))
			put_file(&d->inode[i], path, tear, sector, rnd);
	}
}
