/* SPDX-License-Identifier: MIT */
/*
 * perms.c - interned permission sets, in the nodes' memory. Source: docs/misc/xenstore.txt of Xen,
 * SET_PERMS.
 */
#include "perms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "crc32c.h"

#define FIRST_BUCKETS 256

int perms_table_init(struct perms_table *t, struct arena *arena)
{
	t->arena = arena;
	t->bucket = calloc(FIRST_BUCKETS, sizeof(*t->bucket));
	if (!t->bucket)
		return -ENOMEM;
	t->nr_buckets = FIRST_BUCKETS;
	t->nr = 0;
	return 0;
}

void perms_table_fini(struct perms_table *t)
{
	free(t->bucket);
	*t = (struct perms_table){ 0 };
}

static uint32_t perms_hash(const struct xs_perm *e, unsigned int nr)
{
	uint32_t h = nr;

	for (unsigned int i = 0; i < nr; i++)
		h = (h ^ (e[i].domid | (uint32_t)e[i].access << 16)) * 0x9e3779b1u;
	return h ^ h >> 15;
}

/* Doubles the table. A failure only makes the chains longer. */
static void perms_table_grow(struct perms_table *t)
{
	unsigned int nr = t->nr_buckets * 2;
	struct perms **bucket = calloc(nr, sizeof(*bucket));

	if (!bucket)
		return;
	for (unsigned int i = 0; i < t->nr_buckets; i++) {
		struct perms *next;

		for (struct perms *p = t->bucket[i]; p; p = next) {
			next = perms_chained(p);
			p->hash_next = link_make(p, bucket[p->hash & (nr - 1)]);
			bucket[p->hash & (nr - 1)] = p;
		}
	}
	free(t->bucket);
	t->bucket = bucket;
	t->nr_buckets = nr;
}

static uint32_t perms_crc(const struct perms *p)
{
	return crc32c(p->nr, p->e, p->nr * sizeof(p->e[0]));
}

static bool perms_equal(const struct perms *p, const struct xs_perm *e, unsigned int nr)
{
	if (p->nr != nr)
		return false;
	for (unsigned int i = 0; i < nr; i++) {
		if (p->e[i].domid != e[i].domid || p->e[i].access != e[i].access)
			return false;
	}
	return true;
}

struct perms *perms_get(struct perms_table *t, const struct xs_perm *e, unsigned int nr)
{
	uint32_t hash = perms_hash(e, nr);
	struct perms *p;

	for (p = t->bucket[hash & (t->nr_buckets - 1)]; p; p = perms_chained(p)) {
		if (p->hash == hash && perms_equal(p, e, nr))
			return perms_ref(p);
	}
	p = arena_alloc(t->arena, sizeof(*p) + nr * sizeof(*e));
	if (!p)
		return NULL;
	p->nr = (uint16_t)nr;
	memcpy(p->e, e, nr * sizeof(*e));
	p->crc = perms_crc(p);
	/* It counts from here on, for who refers to it. */
	__atomic_store_n(&p->kind, CELL_PERMS, __ATOMIC_RELEASE);
	perms_found(t, p);
	return perms_ref(p);
}

bool perms_intact(const struct perms *p, size_t room)
{
	return p->nr > 0 && sizeof(*p) + p->nr * sizeof(p->e[0]) <= room && perms_crc(p) == p->crc;
}

void perms_found(struct perms_table *t, struct perms *p)
{
	p->hash = perms_hash(p->e, p->nr);
	p->refs = 0;
	p->nodes = 0;
	if (t->nr >= t->nr_buckets)
		perms_table_grow(t);
	p->hash_next = link_make(p, t->bucket[p->hash & (t->nr_buckets - 1)]);
	t->bucket[p->hash & (t->nr_buckets - 1)] = p;
	t->nr++;
}

struct perms *perms_ref(struct perms *p)
{
	p->refs++;
	return p;
}

void perms_put(struct perms_table *t, struct perms *p)
{
	struct perms **first, *i;

	if (!p || --p->refs > 0)
		return;
	first = &t->bucket[p->hash & (t->nr_buckets - 1)];
	if (*first == p) {
		*first = perms_chained(p);
	} else {
		for (i = *first; perms_chained(i) != p; i = perms_chained(i))
			;
		i->hash_next = link_make(i, perms_chained(p));
	}
	t->nr--;
	arena_free_later(t->arena, p);
}

struct perms *perms_with_owner(struct perms_table *t, struct perms *p, unsigned int domid)
{
	struct xs_perm few[8], *e = few;
	struct perms *out;

	if (perms_owner(p) == domid)
		return perms_ref(p);
	if (p->nr > 8) {
		e = malloc(p->nr * sizeof(*e));
		if (!e)
			return NULL;
	}
	memcpy(e, p->e, p->nr * sizeof(*e));
	e[0].domid = (uint16_t)domid;
	out = perms_get(t, e, p->nr);
	if (e != few)
		free(e);
	return out;
}

struct perms *perms_without(struct perms_table *t, const struct perms *p, unsigned int domid)
{
	struct xs_perm *e = malloc(p->nr * sizeof(*e));
	struct perms *out;
	unsigned int nr = 0;

	if (!e)
		return NULL;
	for (unsigned int i = 0; i < p->nr; i++) {
		if (i == 0 || p->e[i].domid != domid)
			e[nr++] = p->e[i];
	}
	out = perms_get(t, e, nr);
	free(e);
	return out;
}

bool perms_names(const struct perms *p, unsigned int domid)
{
	for (unsigned int i = 0; i < p->nr; i++) {
		if (p->e[i].domid == domid)
			return true;
	}
	return false;
}

unsigned int perms_access(const struct perms *p, unsigned int domid, unsigned int target)
{
	if (p->e[0].domid == domid || p->e[0].domid == target)
		return ACCESS_ALL;
	for (unsigned int i = 1; i < p->nr; i++) {
		if (p->e[i].domid == domid || p->e[i].domid == target)
			return p->e[i].access;
	}
	return p->e[0].access;
}
