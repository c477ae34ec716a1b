/* SPDX-License-Identifier: MIT */
/* perms.c - interned permission sets. Source: docs/misc/xenstore.txt of Xen, SET_PERMS. */
#include "perms.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "packed_perms.h"

#define FIRST_BUCKETS 256

int perms_table_init(struct perms_table *t)
{
	t->bucket = calloc(FIRST_BUCKETS, sizeof(*t->bucket));
	if (!t->bucket)
		return -ENOMEM;
	t->nr_buckets = FIRST_BUCKETS;
	t->nr = 0;
	return 0;
}

void perms_table_fini(struct perms_table *t)
{
	for (unsigned int i = 0; i < t->nr_buckets; i++) {
		while (t->bucket[i]) {
			struct perms *p = t->bucket[i];

			t->bucket[i] = p->hash_next;
			free(p);
		}
	}
	free(t->bucket);
	*t = (struct perms_table){ 0 };
}

static uint32_t hash_step(uint32_t h, const struct xs_perm *e)
{
	return (h ^ (e->domid | (uint32_t)e->access << 16)) * 0x9e3779b1u;
}

static uint32_t perms_hash(const struct xs_perm *e, unsigned int nr)
{
	uint32_t h = nr;

	for (unsigned int i = 0; i < nr; i++)
		h = hash_step(h, &e[i]);
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
			next = p->hash_next;
			p->hash_next = bucket[p->hash & (nr - 1)];
			bucket[p->hash & (nr - 1)] = p;
		}
	}
	free(t->bucket);
	t->bucket = bucket;
	t->nr_buckets = nr;
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

	for (p = t->bucket[hash & (t->nr_buckets - 1)]; p; p = p->hash_next) {
		if (p->hash == hash && perms_equal(p, e, nr))
			return perms_ref(p);
	}
	p = malloc(sizeof(*p) + nr * sizeof(*e));
	if (!p)
		return NULL;
	p->hash = hash;
	p->refs = 0;
	p->nr = (uint16_t)nr;
	memcpy(p->e, e, nr * sizeof(*e));
	if (t->nr >= t->nr_buckets)
		perms_table_grow(t);
	p->hash_next = t->bucket[hash & (t->nr_buckets - 1)];
	t->bucket[hash & (t->nr_buckets - 1)] = p;
	t->nr++;
	return perms_ref(p);
}

static bool packed_equal(const struct perms *p, const unsigned char *packed, unsigned int nr)
{
	if (p->nr != nr)
		return false;
	for (unsigned int i = 0; i < nr; i++) {
		struct xs_perm e = packed_perm_get(packed, i);

		if (p->e[i].domid != e.domid || p->e[i].access != e.access)
			return false;
	}
	return true;
}

struct perms *perms_packed(const struct perms_table *t, const unsigned char *packed,
			   unsigned int nr)
{
	uint32_t h = nr;
	struct perms *p;

	for (unsigned int i = 0; i < nr; i++) {
		struct xs_perm e = packed_perm_get(packed, i);

		h = hash_step(h, &e);
	}
	h ^= h >> 15;
	p = t->bucket[h & (t->nr_buckets - 1)];
	while (p && !(p->hash == h && packed_equal(p, packed, nr)))
		p = p->hash_next;
	return p;
}

struct perms *perms_count(struct perms_table *t, const unsigned char *packed, unsigned int nr)
{
	struct perms *p = perms_packed(t, packed, nr);
	struct xs_perm *e;

	if (p)
		return perms_ref(p);
	e = malloc(nr * sizeof(*e));
	if (!e)
		return NULL;
	for (unsigned int i = 0; i < nr; i++)
		e[i] = packed_perm_get(packed, i);
	p = perms_get(t, e, nr);
	free(e);
	return p;
}

struct perms *perms_ref(struct perms *p)
{
	p->refs++;
	return p;
}

void perms_put(struct perms_table *t, struct perms *p)
{
	struct perms **at;

	if (!p || --p->refs > 0)
		return;
	at = &t->bucket[p->hash & (t->nr_buckets - 1)];
	while (*at != p)
		at = &(*at)->hash_next;
	*at = p->hash_next;
	t->nr--;
	free(p);
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

static bool is_one_of(unsigned int id, const uint16_t *ids, unsigned int nr)
{
	for (unsigned int i = 0; i < nr; i++) {
		if (ids[i] == id)
			return true;
	}
	return false;
}

unsigned int perms_access_of(const struct perms *p, const uint16_t *ids, unsigned int nr)
{
	unsigned int access = 0;
	bool named = false;

	if (is_one_of(perms_owner(p), ids, nr))
		return ACCESS_ALL;
	for (unsigned int i = 1; i < p->nr; i++) {
		if (!is_one_of(p->e[i].domid, ids, nr))
			continue;
		named = true;
		access |= p->e[i].access;
	}
	return named ? access : p->e[0].access;
}
