/* SPDX-License-Identifier: MIT */
/*
 * node.c - one node: its cell, its value inside or apart, its checksum, and ways through a subtree.
 * Where it hangs is tree.c's. Single-threaded.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"
#include "tree_priv.h"

/* Longer values are in a cell of their own, so that a node whose value shrinks keeps little. */
#define VALUE_INSIDE_MAX 96u

static size_t node_size(size_t name_len, size_t value_len)
{
	size_t inside = value_len <= VALUE_INSIDE_MAX ? value_len : 0;

	return sizeof(struct node) + name_len +
	       (inside > sizeof(int32_t) ? inside : sizeof(int32_t));
}

/* Bytes behind the name: at least those of a link. */
static size_t node_room(const struct tree *t, const struct node *n)
{
	size_t room = arena_size(&t->arena, n) - sizeof(*n) - n->name_len;

	return room < VALUE_ROOM_MAX ? room : VALUE_ROOM_MAX;
}

/* Without a look at the cell's size where the old value says enough. */
static bool value_fits(const struct tree *t, const struct node *n, size_t len)
{
	if (!(n->flags & NODE_APART) && len <= n->value_len)
		return true;
	return len <= node_room(t, n);
}

uint32_t node_crc(const struct node *n)
{
	const struct value *apart = node_apart(n);
	uint32_t crc = crc32c(n->flags, &n->id, offsetof(struct node, crc) -
						       offsetof(struct node, id));

	crc = crc32c(crc, n->name, n->name_len + (apart ? sizeof(int32_t) : n->value_len));
	return apart ? crc32c(crc, apart->bytes, n->value_len) : crc;
}

bool node_is_intact(const struct node *n)
{
	return node_crc(n) == n->crc;
}

int node_prepare_value(struct tree *t, const struct node *n, const char *value, size_t len,
		       struct value **apart)
{
	*apart = NULL;
	if (value_fits(t, n, len))
		return 0;
	*apart = arena_alloc(&t->arena, sizeof(**apart) + len);
	if (!*apart)
		return -ENOMEM;
	(*apart)->len = (uint16_t)len;
	memcpy((*apart)->bytes, value, len);
	__atomic_store_n(&(*apart)->kind, CELL_VALUE, __ATOMIC_RELEASE);
	return 0;
}

/* Stores the value: in @apart unless it fits. */
static void value_place(struct node *n, struct value *apart, const char *value, size_t len)
{
	char *to = n->name + n->name_len;

	n->value_len = (uint16_t)len;
	if (apart) {
		int32_t link = link_make(n, apart);

		n->flags |= NODE_APART;
		memcpy(to, &link, sizeof(link));
	} else {
		n->flags &= (uint8_t)~NODE_APART;
		if (len)
			memcpy(to, value, len);
	}
}

/* The lengths, the checksum and @len bytes behind the name: in one piece, when the name is short. */
static void save_value(struct tree *t, const struct node *n, size_t len)
{
	size_t numbers = offsetof(struct node, name) - offsetof(struct node, name_len);

	if (n->name_len <= NAME_SAVED_MAX) {
		arena_save(&t->arena, &n->name_len, numbers + n->name_len + len);
		return;
	}
	arena_save(&t->arena, &n->name_len, numbers);
	arena_save(&t->arena, n->name + n->name_len, len);
}

static void value_replace(struct tree *t, struct node *n, struct value *apart, const char *value,
			  size_t len)
{
	struct value *old = node_apart(n);

	if (node_counts(n)) {
		if (old || apart)
			arena_save(&t->arena, &n->flags, sizeof(n->flags));
		save_value(t, n, old ? sizeof(int32_t) : n->value_len);
	}
	value_place(n, apart, value, len);
	n->crc = node_crc(n);
	if (old)
		arena_free_later(&t->arena, old);
}

struct node *node_alloc(struct tree *t, const char *name, size_t name_len, struct perms *perms,
			const char *value, size_t value_len)
{
	struct node *n = arena_alloc(&t->arena, node_size(name_len, value_len));
	struct kids *kids = n ? arena_alloc(&t->arena, sizeof(*kids)) : NULL;
	struct value *apart = NULL;

	if (n) {
		n->name_len = (uint16_t)name_len;
		memcpy(n->name, name, name_len);
	}
	if (!kids || node_prepare_value(t, n, value, value_len, &apart) < 0) {
		arena_free(&t->arena, kids);
		arena_free(&t->arena, n);
		return NULL;
	}
	n->kids = link_make(n, kids);
	value_place(n, apart, value, value_len);
	n->perms = link_make(n, perms_ref(perms));
	return n;
}

void node_free(struct tree *t, struct node *n)
{
	struct value *apart = node_apart(n);

	perms_put(&t->perms, node_perms(n));
	arena_free(&t->arena, node_kids(n));
	if (apart)
		arena_free_later(&t->arena, apart);
	arena_free_later(&t->arena, n);
}

static bool value_is(const struct node *n, const char *value, size_t len)
{
	return len == n->value_len && memcmp(node_value(n), value, len) == 0;
}

int node_put_value(struct tree *t, struct node *n, const char *value, size_t len,
		   struct value *apart)
{
	if (value_is(n, value, len)) {
		arena_free(&t->arena, apart);
		return 0;
	}
	/* Prepared for another node. */
	if (!apart && !value_fits(t, n, len))
		abort();
	value_replace(t, n, apart, value, len);
	n->gen = ++t->gen;
	return 1;
}

int node_set_value(struct tree *t, struct node *n, const char *value, size_t len)
{
	struct value *apart;

	if (value_is(n, value, len))
		return 0;
	if (node_prepare_value(t, n, value, len, &apart) < 0)
		return -ENOMEM;
	return node_put_value(t, n, value, len, apart);
}

size_t node_path(const struct node *n, char out[XS_PATH_BUF])
{
	size_t len = 0, pos;

	for (const struct node *up = n; up->parent; up = node_parent(up))
		len += up->name_len + 1u;
	if (!n->parent) {
		len = n->name_len ? n->name_len : 1;
		memcpy(out, n->name_len ? n->name : "/", len);
		out[len] = '\0';
		return len;
	}
	pos = len;
	out[len] = '\0';
	for (; n->parent; n = node_parent(n)) {
		pos -= n->name_len;
		memcpy(out + pos, n->name, n->name_len);
		out[--pos] = '/';
	}
	return len;
}

struct node *node_next(const struct node *n, const struct node *top)
{
	if (node_first(n))
		return node_first(n);
	while (n != top) {
		if (n->next)
			return node_sibling(n);
		n = node_parent(n);
	}
	return NULL;
}

struct node *node_deepest(struct node *top)
{
	while (node_first(top))
		top = node_first(top);
	return top;
}

struct node *node_next_up(struct node *n, const struct node *top)
{
	if (n == top)
		return NULL;
	return n->next ? node_deepest(node_sibling(n)) : node_parent(n);
}

size_t node_charge(size_t name_len, size_t value_len, unsigned int nr_perms)
{
	return sizeof(struct node) + sizeof(struct kids) + name_len + value_len +
	       nr_perms * sizeof(struct xs_perm);
}
