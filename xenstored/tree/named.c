/* SPDX-License-Identifier: MIT */
/*
 * named.c - see named.h. A record is of one domain, one directory and a row of 64 ids: which of
 * them are nodes in there that name the domain, and the directory's path. Their names the index of
 * children knows. A node without a directory, or with a long path, has a record of its own.
 */
#include "named.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "store.h"
#include "tree_priv.h"

/* Keys: domid, directory's id, row; domid, 0, node's id. */
#define KEY	18
#define AT_DIR	2
#define AT_ROW	10
/* A record: bits, path of the directory; of a node alone its own path. */
#define BITS	8
#define ROW	64u
/*
 * A longer path of a directory is not repeated in a record that is put again and again: that would
 * take pages of its own each time (page_bound.h).
 */
#define DIR_MAX 1000u

/* Where a node is in the index. */
struct place {
	uint64_t dir, row;
	uint64_t bit;		/* or several; 0: the record is this node's alone */
	size_t len;		/* of the path in it */
};

static struct place place_of(const struct node *n, const char *path, size_t len)
{
	size_t dir_len = n->parent ? xs_path_parent_len(path, len) : 0;

	if (!n->parent || dir_len > DIR_MAX)
		return (struct place){ 0, n->id, 0, len };
	return (struct place){ n->parent, n->id / ROW, 1ull << n->id % ROW, dir_len };
}

static void key_put(unsigned char *key, unsigned int domid, uint64_t dir, uint64_t row)
{
	be16_put(key, domid);
	put_be64(key + AT_DIR, dir);
	put_be64(key + AT_ROW, row);
}

/* Whether a record of a row makes sense. */
static bool is_row(const struct store_bytes *rec)
{
	return rec->len > BITS && rec->len <= BITS + DIR_MAX;
}

/* The record at @key, and its bits; of a node alone they are 0. False: there is none. */
static bool bits_get(const struct tree *t, const unsigned char *key, struct store_bytes *rec, uint64_t *bits)
{
	bool row = get_be64(key + AT_DIR) != 0;

	*bits = 0;
	if (!store_get(t->store, STORE_NAMED, key, KEY, rec) || (row && !is_row(rec)))
		return false;
	if (row)
		*bits = get_le64(rec->data);
	return true;
}

bool named_has(const struct tree *t, unsigned int domid, const struct node *n, const char *path, size_t len)
{
	const struct place at = place_of(n, path, len);
	size_t head = at.bit ? BITS : 0;
	unsigned char key[KEY];
	struct store_bytes rec;
	uint64_t bits;

	key_put(key, domid, at.dir, at.row);
	return bits_get(t, key, &rec, &bits) && (bits & at.bit) == at.bit && rec.len == head + at.len &&
	       memcmp((const char *)rec.data + head, path, at.len) == 0;
}

static void put_one(struct tree *t, const unsigned char *key, const struct place *at, const char *path)
{
	unsigned char rec[STORE_HEAD + BITS + XS_PATH_BUF] XS_NOT_CLEARED, *p = rec + STORE_HEAD;
	struct store_bytes old;
	uint64_t bits;

	bits_get(t, key, &old, &bits);
	if (at->bit) {
		if ((bits & at->bit) == at->bit)
			return;
		put_le64(p, bits | at->bit);
		p += BITS;
	}
	memcpy(p, path, at->len);
	store_put(t->store, STORE_NAMED, key, KEY, rec, (size_t)(p - rec) + at->len);
}

static void del_one(struct tree *t, const unsigned char *key, const struct place *at)
{
	unsigned char rec[STORE_HEAD + BITS + DIR_MAX] XS_NOT_CLEARED, *p = rec + STORE_HEAD;
	struct store_bytes old;
	uint64_t bits;

	if (!bits_get(t, key, &old, &bits) || (bits & at->bit) != at->bit)
		return;
	bits &= ~at->bit;
	if (!bits) {
		store_del(t->store, STORE_NAMED, key, KEY);
		return;
	}
	memcpy(p, old.data, old.len);
	put_le64(p, bits);
	store_put(t->store, STORE_NAMED, key, KEY, rec, STORE_HEAD + old.len);
}

static void put_all(struct tree *t, const struct perms *perms, const struct place *at, const char *path)
{
	unsigned char key[KEY];

	for (unsigned int i = 0; i < perms->nr; i++) {
		key_put(key, perms->e[i].domid, at->dir, at->row);
		if (perms->e[i].domid != 0)
			put_one(t, key, at, path);
	}
}

void named_settle(struct tree *t)
{
	struct family *f = &t->family;
	const struct place at = { f->id, f->row, f->bits, f->len };

	if (f->perms)
		put_all(t, f->perms, &at, f->path);
	f->perms = NULL;
}

void named_put(struct tree *t, struct perms *perms, const struct node *n, const char *path, size_t len)
{
	const struct place at = place_of(n, path, len);
	struct family *f = &t->family;

	if (!f->on || !f->len || f->id != at.dir) {
		put_all(t, perms, &at, path);
		return;
	}
	if (f->perms != perms || f->row != at.row) {
		named_settle(t);
		f->perms = perms;
		f->row = at.row;
		f->bits = 0;
	}
	f->bits |= at.bit;
}

void named_del(struct tree *t, const struct perms *perms, const struct node *n, const char *path, size_t len)
{
	const struct place at = place_of(n, path, len);
	unsigned char key[KEY];

	for (unsigned int i = 0; i < perms->nr; i++) {
		key_put(key, perms->e[i].domid, at.dir, at.row);
		if (perms->e[i].domid != 0)
			del_one(t, key, &at);
	}
}

/* --- found by domain --- */

bool named_domid_next(const struct tree *t, unsigned int *domid)
{
	unsigned char key[KEY];
	struct store_bytes found, rec;

	key_put(key, *domid, 0, 0);
	if (*domid > UINT16_MAX || !store_seek(t->store, STORE_NAMED, key, KEY, &found, &rec) ||
	    found.len != KEY)
		return false;
	*domid = be16_get(found.data);
	return true;
}

/* The path of node @id in the directory that @dir is the path of. False: no such child. */
static bool path_below(const struct tree *t, const struct store_bytes *dir, struct named *at)
{
	unsigned char key[CHILD_KEY];
	size_t len = dir->len == 1 ? 0 : dir->len;
	struct store_bytes name;

	child_key(key, at->dir, at->id);
	if (!store_get(t->store, STORE_CHILD, key, CHILD_KEY, &name) ||
	    len + 1 + name.len > XENSTORE_ABS_PATH_MAX)
		return false;
	memcpy(at->path.text, dir->data, len);
	at->path.text[len] = '/';
	memcpy(at->path.text + len + 1, name.data, name.len);
	at->path.len = len + 1 + name.len;
	at->path.text[at->path.len] = '\0';
	return true;
}

/* A record of a node alone. */
static bool alone(const struct store_bytes *rec, uint64_t id, struct named *at)
{
	if (rec->len == 0 || rec->len >= XS_PATH_BUF)
		return false;
	at->id = id;
	memcpy(at->path.text, rec->data, rec->len);
	at->path.text[rec->len] = '\0';
	at->path.len = rec->len;
	return true;
}

/* The first node from at->id on that is in the record of a row. False: none is. */
static bool in_row(const struct tree *t, const struct store_bytes *rec, uint64_t row, struct named *at)
{
	struct store_bytes dir;
	uint64_t bits;

	if (!is_row(rec))
		return false;
	dir = (struct store_bytes){ (const char *)rec->data + BITS, rec->len - BITS };
	bits = get_le64(rec->data);
	if (at->id / ROW == row)
		bits &= ~0ull << at->id % ROW;
	for (; bits; bits &= bits - 1) {
		at->id = row * ROW + (unsigned int)__builtin_ctzll(bits);
		if (path_below(t, &dir, at))
			return true;
	}
	return false;
}

/* The first node from directory at->dir, id at->id on. */
static bool named_from(const struct tree *t, struct named *at)
{
	unsigned char key[KEY];
	struct store_bytes found, rec;

	for (;;) {
		uint64_t dir, row;

		key_put(key, at->domid, at->dir, at->dir ? at->id / ROW : at->id);
		if (!store_seek(t->store, STORE_NAMED, key, KEY, &found, &rec) || found.len != KEY ||
		    be16_get(found.data) != at->domid)
			return false;
		dir = get_be64((const unsigned char *)found.data + AT_DIR);
		row = get_be64((const unsigned char *)found.data + AT_ROW);
		if (dir != at->dir)
			at->id = 0;
		at->dir = dir;
		if (dir ? in_row(t, &rec, row, at) : alone(&rec, row, at))
			return true;
		at->id = dir ? (row + 1) * ROW : row + 1;
	}
}

bool named_first(const struct tree *t, unsigned int domid, struct named *at)
{
	at->domid = domid;
	at->dir = at->id = 0;
	return named_from(t, at);
}

bool named_next(const struct tree *t, struct named *at)
{
	at->id++;
	return named_from(t, at);
}

/* --- made anew --- */

/* Node by node, since making room may end the transaction that was read in. */
static int name_all(struct tree *t)
{
	unsigned char at[STORE_KEY_MAX + 1] = { 0 };
	struct store_bytes key, rec;
	size_t at_len = 1;

	while (store_seek(t->store, STORE_NODE, at, at_len, &key, &rec)) {
		struct xs_path path;
		const char *own;
		struct node n;

		memcpy(at, key.data, key.len);
		at[key.len] = 0;
		at_len = key.len + 1;
		if (!node_read(t, &rec, &n))
			continue;
		own = node_path(&key, &rec, &path.len);
		if (path.len == 0 || path.len >= XS_PATH_BUF)
			continue;
		memcpy(path.text, own, path.len);
		if (store_room(t->store, n.perms->nr, path.len, true) < 0)
			return -ENOSPC;
		named_put(t, n.perms, &n, path.text, path.len);
	}
	return 0;
}

int named_resume(struct tree *t)
{
	struct store_bytes rec;
	int ret;

	if (!store_get(t->store, STORE_META, STORE_UNNAMED, strlen(STORE_UNNAMED), &rec))
		return 0;
	ret = name_all(t);
	if (ret == 0)
		ret = store_room(t->store, 1, 0, true);
	if (ret == 0)
		store_del(t->store, STORE_META, STORE_UNNAMED, strlen(STORE_UNNAMED));
	return ret;
}
