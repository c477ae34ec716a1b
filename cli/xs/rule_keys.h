/* SPDX-License-Identifier: MIT */
/*
 * rule_keys.h - the keywords that a schema may have: for rule_read.c, rule_book.c and rule_keys.c
 * only. What is wrong is told by doc_problem().
 */
#ifndef STOREVISOR_XS_RULE_KEYS_H
#define STOREVISOR_XS_RULE_KEYS_H

#include "doc_place.h"
#include "rule.h"

struct rule_keyword {
	const char *name;
	unsigned int of; /* says something only where one of these types is possible; 0: always */
	void (*take)(struct doc *d, const struct place *p, struct rule *r);
};

/* NULL: there is none of that name. */
const struct rule_keyword *rule_keyword_of(const char *name);
/* Tells that @p's key is none, and which was meant. */
void rule_keyword_unknown(struct doc *d, const struct place *p);
/* The schema at @p, with all in it, of @book; never NULL. */
struct rule *rule_take(struct doc *d, const struct place *p, struct rule_book *book);
/* The same into @r, an empty one. */
void rule_fill(struct doc *d, const struct place *p, struct rule *r);

#endif
