/* SPDX-License-Identifier: MIT */
/*
 * perms.h - permission sets, shared by all nodes that have the same one.
 *
 * A set is immutable and counted: one reference for each node in the tree that has it, and those
 * of borrowers. Two sets are the same if their pointers are. Who calls is decided by the caller;
 * this file answers what a domain may do.
 */
#ifndef XENSTORED_PERMS_H
#define XENSTORED_PERMS_H

#include <stdbool.h>
#include <stdint.h>

#include "xs_path.h"

/* What a caller may ask of a node. The first two are the wire's bits. */
#define ACCESS_READ	XS_PERM_BIT_READ
#define ACCESS_WRITE	XS_PERM_BIT_WRITE
#define ACCESS_OWNER	4u
#define ACCESS_ALL	7u

#define NO_DOMID	0xffffu

struct perms {
	struct perms *hash_next;
	uint32_t hash;
	uint32_t refs;
	uint16_t nr;		/* at least 1 */
	struct xs_perm e[];
};

struct perms_table {
	struct perms **bucket;
	unsigned int nr_buckets;	/* power of two */
	unsigned int nr;
};

/* 0 or -ENOMEM. */
int perms_table_init(struct perms_table *t);
void perms_table_fini(struct perms_table *t);

/* The set with these @nr (>= 1) entries, one reference for the caller. NULL: no memory. */
struct perms *perms_get(struct perms_table *t, const struct xs_perm *e, unsigned int nr);
/* The set with the entries of packed_perms.h at @packed; no reference. NULL: nobody has it. */
struct perms *perms_packed(const struct perms_table *t, const unsigned char *packed,
			   unsigned int nr);
/* The same with a reference, made if need be. NULL: no memory. */
struct perms *perms_count(struct perms_table *t, const unsigned char *packed, unsigned int nr);
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

/*
 * What unprivileged domain @domid, which also stands for @target (NO_DOMID: for nobody), may do:
 * a combination of ACCESS_*. Privileged callers are not asked here.
 */
unsigned int perms_access(const struct perms *p, unsigned int domid, unsigned int target);
/*
 * The same for somebody who goes by @nr numbers (people.h): what the owner may if one of them is,
 * else together what the entries give that name one, else what everybody may.
 */
unsigned int perms_access_of(const struct perms *p, const uint16_t *ids, unsigned int nr);

#endif
