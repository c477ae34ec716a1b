/* SPDX-License-Identifier: MIT */
/*
 * perms.h - permission sets, shared by all nodes that have the same one.
 *
 * A set is immutable and counted. Its list of member nodes is the index by owner and by reader:
 * the end of a domain visits the sets that name it, not the whole tree. Who calls is decided by
 * the caller; this file answers what a domain may do.
 */
#ifndef XENSTORED_PERMS_H
#define XENSTORED_PERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "arena.h"
#include "xs_path.h"

/* What a caller may ask of a node. The first two are the wire's bits. */
#define ACCESS_READ	XS_PERM_BIT_READ
#define ACCESS_WRITE	XS_PERM_BIT_WRITE
#define ACCESS_OWNER	4u
#define ACCESS_ALL	7u

#define NO_DOMID	0xffffu

struct node;

/* A cell (arena.h) that is found again at a start; links are distances. */
struct perms {
	uint8_t kind, zero;
	uint16_t nr;		/* at least 1; durable */
	int32_t hash_next;
	int32_t nodes;		/* members, linked by node->perms_next */
	uint32_t hash;
	uint32_t refs;		/* members and borrowers alike */
	uint32_t crc;		/* of nr and e; durable */
	struct xs_perm e[];	/* durable */
};

struct perms_table {
	struct arena *arena;
	struct perms **bucket;
	unsigned int nr_buckets;	/* power of two */
	unsigned int nr;
};

static inline struct perms *perms_chained(const struct perms *p)
{
	return link_get(p, p->hash_next);
}

/* Puts a set that was found at a start, without references, into the table. */
void perms_found(struct perms_table *t, struct perms *p);
/* Whether the set of @room bytes is as it was written. */
bool perms_intact(const struct perms *p, size_t room);

/* Sets are made in @arena. 0 or -ENOMEM. */
int perms_table_init(struct perms_table *t, struct arena *arena);
void perms_table_fini(struct perms_table *t);

/* The set with these @nr (>= 1) entries, one reference for the caller. NULL: no memory. */
struct perms *perms_get(struct perms_table *t, const struct xs_perm *e, unsigned int nr);
struct perms *perms_ref(struct perms *p);
void perms_put(struct perms_table *t, struct perms *p);

/* The set @p with its owner replaced by @domid. One reference for the caller; NULL: no memory. */
struct perms *perms_with_owner(struct perms_table *t, struct perms *p, unsigned int domid);

/* The set @p without entries of @domid behind the first. One reference; NULL: no memory. */
struct perms *perms_without(struct perms_table *t, const struct perms *p, unsigned int domid);

static inline unsigned int perms_owner(const struct perms *p)
{
	return p->e[0].domid;
}

/* Whether any entry names @domid. */
bool perms_names(const struct perms *p, unsigned int domid);

/*
 * What unprivileged domain @domid, which also stands for @target (NO_DOMID: for nobody), may do:
 * a combination of ACCESS_*. Privileged callers are not asked here.
 */
unsigned int perms_access(const struct perms *p, unsigned int domid, unsigned int target);

#endif
