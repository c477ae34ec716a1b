/* SPDX-License-Identifier: MIT */
/*
 * tree_recover.c - a start: which cells of the nodes' memory count, and the tree made of them.
 * Nothing found there is trusted before it has been looked at: whose links lead elsewhere, or
 * whose checksum is wrong, stops the start. A kill meanwhile changes nothing that counts.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tree_priv.h"

#define VALUE_WANTED 1u		/* flag of a value: a node has it */

struct found {
	struct node **node;
	size_t nr, room;
};

static int found_add(struct found *f, struct node *n)
{
	if (f->nr == f->room) {
		size_t room = f->room ? f->room * 2 : 1024;
		struct node **node = realloc(f->node, room * sizeof(*node));

		if (!node)
			return -ENOMEM;
		f->node = node;
		f->room = room;
	}
	f->node[f->nr++] = n;
	return 0;
}

/* Where a link leads, if that is a cell of this kind, else NULL. */
static struct cell *linked(const struct tree *t, const void *from, int32_t link, uint8_t kind)
{
	struct cell *to = link_get(from, link);

	return to && arena_is_cell(&t->arena, to) && to->kind == kind ? to : NULL;
}

/* The value's cell is marked as wanted. */
static bool value_intact(const struct tree *t, const struct node *n, size_t room)
{
	struct value *v;
	int32_t link;

	if (!(n->flags & NODE_APART))
		return n->value_len <= room;
	if (room < sizeof(link))
		return false;
	memcpy(&link, n->name + n->name_len, sizeof(link));
	v = (struct value *)linked(t, n, link, CELL_VALUE);
	if (!v || v->len != n->value_len ||
	    sizeof(*v) + v->len > arena_size(&t->arena, v) || v->flags & VALUE_WANTED)
		return false;
	v->flags |= VALUE_WANTED;
	return true;
}

static bool node_intact(const struct tree *t, const struct node *n)
{
	size_t size = arena_size(&t->arena, n);
	struct node *parent;

	if (size < sizeof(*n) || size - sizeof(*n) < n->name_len || n->flags & NODE_PERSISTENT)
		return false;
	if (!value_intact(t, n, size - sizeof(*n) - n->name_len) || node_crc(n) != n->crc)
		return false;
	if (!linked(t, n, n->perms, CELL_PERMS))
		return false;
	if (!n->parent)
		return n->name_len == 0 ? n->id == NODE_ID_ROOT : n->name[0] == '@';
	parent = (struct node *)linked(t, n, n->parent, CELL_NODE);
	return parent && parent->id < n->id;
}

/* Sets of permissions first: nodes refer to them. */
static int look_at_perms(struct tree *t)
{
	for (struct cell *c = arena_next(&t->arena, NULL); c; c = arena_next(&t->arena, c)) {
		struct perms *p = (struct perms *)c;

		if (c->kind > CELL_VALUE)
			return -EBADMSG;
		if (c->kind == CELL_VALUE)
			c->flags = 0;
		if (c->kind != CELL_PERMS)
			continue;
		if (arena_size(&t->arena, p) < sizeof(*p) ||
		    !perms_intact(p, arena_size(&t->arena, p)))
			return -EBADMSG;
		p->refs = 0;
	}
	return 0;
}

static int look_at_nodes(struct tree *t, struct found *f)
{
	for (struct cell *c = arena_next(&t->arena, NULL); c; c = arena_next(&t->arena, c)) {
		struct node *n = (struct node *)c;
		int ret;

		if (c->kind != CELL_NODE)
			continue;
		if (!node_intact(t, n))
			return -EBADMSG;
		ret = found_add(f, n);
		if (ret < 0)
			return ret;
		node_perms(n)->refs++;
	}
	return 0;
}

/* What no node refers to was on its way in or out when the daemon was killed. */
static void drop_unwanted(struct tree *t)
{
	for (struct cell *c = arena_next(&t->arena, NULL); c; c = arena_next(&t->arena, c)) {
		bool wanted = c->kind == CELL_NODE;

		if (c->kind == CELL_PERMS)
			wanted = ((struct perms *)c)->refs > 0;
		else if (c->kind == CELL_VALUE)
			wanted = c->flags & VALUE_WANTED;
		if (!wanted)
			c->kind = CELL_FREE;
	}
}

static int compare_ids(const void *pa, const void *pb)
{
	const struct node *const *a = pa, *const *b = pb;

	return ((*a)->id > (*b)->id) - ((*a)->id < (*b)->id);
}

static int link_all(struct tree *t, struct found *f)
{
	for (struct cell *c = arena_next(&t->arena, NULL); c; c = arena_next(&t->arena, c)) {
		if (c->kind == CELL_PERMS)
			perms_found(&t->perms, (struct perms *)c);
	}
	/* Parents have smaller numbers, and children are in order of creation. */
	if (f->nr)
		qsort(f->node, f->nr, sizeof(struct node *), compare_ids);
	for (size_t i = 0; i < f->nr; i++) {
		struct node *n = f->node[i];
		struct kids *spare = arena_alloc(&t->arena, sizeof(*spare));

		if (!spare)
			return -ENOMEM;
		if (i > 0 && f->node[i - 1]->id == n->id)
			return -EBADMSG;
		n->heat = 0;
		n->kids = link_make(n, spare);
		perms_ref(node_perms(n));
		tree_index(t, n);
	}
	return 0;
}

int tree_recover(struct tree *t)
{
	struct found f = { 0 };
	int ret = look_at_perms(t);

	if (ret == 0)
		ret = look_at_nodes(t, &f);
	if (ret == 0) {
		drop_unwanted(t);
		arena_settle(&t->arena);
		ret = link_all(t, &f);
	}
	free(f.node);
	return ret;
}
