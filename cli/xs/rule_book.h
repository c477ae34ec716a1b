/* SPDX-License-Identifier: MIT */
/*
 * rule_book.h - what one schema has once: its parts by name ($defs, definitions), which $ref names,
 * and what can only be looked at when all of it is read. For rule_read.c and rule_keys.c only.
 *
 * Parts may name themselves, for a tree is described by that. Between a part and itself there has
 * to be a name of the store, and a $ref leads through no more than RULE_HOPS_MAX others.
 */
#ifndef STOREVISOR_XS_RULE_BOOK_H
#define STOREVISOR_XS_RULE_BOOK_H

#include "doc_place.h"
#include "rule.h"

#define RULE_HOPS_MAX 64
#define RULE_PARTS_MAX 10000 /* of one schema */
#define RULE_PATTERNS_MAX 500

struct rule_later {
	struct place *chain; /* from the top to it: a copy */
	const struct place *at; /* its last */
	struct rule *rule;
};

struct rule_book {
	struct rule *top;
	struct rule **parts; /* owned */
	size_t nr_parts;
	json_t *names; /* "#/$defs/a": its number */
	struct rule_later *later; /* each $ref and default */
	size_t nr_later, max_later;
	size_t nr_rules, nr_patterns;
	bool wants_children; /* some part has required, or minItems */
};

/*
 * The empty parts that @top, an object, has by name, so that they can be named before they are
 * read.
 */
struct rule_book *rule_book_create(const struct json_pos *top);
/* Not what it was made for: the rules that are no parts. */
void rule_book_free(struct rule_book *b);
/*
 * The part that "#", "#/$defs/a" or "#/definitions/a" is, or NULL after telling what is wrong at
 * @p.
 */
struct rule *rule_book_find(struct rule_book *b, struct doc *d, const struct place *p, const char *ref);
/* Whether it has more parts than it may, which has been told: nothing more is taken. */
static inline bool rule_book_is_full(const struct rule_book *b)
{
	return b->nr_rules > RULE_PARTS_MAX;
}
/* To be looked at when all has been read: @p is the place of a $ref or a default of @r. */
void rule_book_later(struct rule_book *b, const struct place *p, struct rule *r);
/* All has been looked at: the text that was read may go. */
void rule_book_done(struct rule_book *b);
/* Tells at the first $ref that leads to itself, or too far. Returns whether none does. */
bool rule_book_ends(struct rule_book *b, struct doc *d);
/* Reads the parts at @p, of "$defs" or "definitions". */
void rule_book_take_parts(struct doc *d, const struct place *p, struct rule *r);

#endif
