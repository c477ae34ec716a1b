/* SPDX-License-Identifier: MIT */
/*
 * plan.h - what has to change so that the store is as a document says; showing it, doing it.
 */
#ifndef STOREVISOR_XS_PLAN_H
#define STOREVISOR_XS_PLAN_H

#include <stdbool.h>
#include <stdint.h>

#include "doc.h"
#include "owners.h"

struct xs_client;

enum change_kind { CHANGE_ADD, CHANGE_SET, CHANGE_REMOVE, CHANGE_PERMS };

struct change {
	enum change_kind kind;
	const struct want *want; /* NULL: removed by pruning */
	const char *path; /* the want's, if there is one */
	char *old; /* value or, of CHANGE_PERMS, permissions before; NULL: not known */
	size_t old_len;
	size_t old_parts; /* of a long value (long_value.h) that was there */
	int old_kind; /* enum xs_kind; WANT_ANY_KIND: not known */
};

struct plan {
	struct change *v;
	size_t nr, max;
	struct owners owners; /* read when pruning, or when the document has a set */
};

/*
 * What follows keeps pointers to documents: they have to stay as they are.
 *
 * Compares @d with the store in transaction @tx. @prune: what is below the document's roots and not
 * in it goes, but for what another document's set declares; of a document with a set only what that
 * set declared. Returns 0 or -errno; *@failed is then the path it was about.
 */
int plan_make(struct plan *p, const struct doc *d, uint32_t tx, bool prune, char **failed);
/* Whether both would do the same to the same state. */
bool plan_same(const struct plan *a, const struct plan *b);
/* Compares two documents: what has to change to get from @from to @to. */
void plan_between(struct plan *p, const struct doc *from, const struct doc *to);
/* Sends all changes in @tx, many at once. Returns 0 or the first -errno. */
int plan_apply(const struct plan *p, uint32_t tx, char **failed);
/*
 * Whether @w wants what @have is, or does not say: a directory is an object unless it was a list,
 * nobody has to say so.
 */
bool plan_same_kind(const struct want *w, int have);
/* Whether the value stays, and what it is in JSON does not. */
bool change_is_of_kind(const struct change *c);
/* plan_show.c. One line a change: + ~ - and the values; secrets are not shown. */
void plan_print(const struct plan *p);
/* As RFC 6902 JSON patch of the document. */
json_t *plan_json_patch(const struct plan *p);
void plan_free(struct plan *p);

#endif
