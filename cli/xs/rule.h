/* SPDX-License-Identifier: MIT */
/*
 * rule.h - a schema of somebody's own: what may be at and below a path, as a part of JSON Schema.
 * It judges each node where it stands, by its value and by which children it has. rule_read.c makes
 * it of its text (keyword by keyword: rule_keys.c; parts by name: rule_book.c), rule_judge.c asks
 * it. Pure; where such schemas are kept: rules.h.
 */
#ifndef STOREVISOR_XS_RULE_H
#define STOREVISOR_XS_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

struct doc;

#define RULE_WHY_LEN 400
#define RULE_STEPS_MAX 100000 /* parts of a schema that are asked of one value, each as often as it is met */
#define RULE_ANY_KIND -1 /* nobody said of what kind the value is: it may be what it reads like */

/* Types, as bits; 0 is any. */
enum rule_type {
	RULE_STRING = 1,
	RULE_NUMBER = 2,
	RULE_INTEGER = 4,
	RULE_BOOLEAN = 8,
	RULE_NULL = 16,
	RULE_OBJECT = 32,
	RULE_ARRAY = 64,
};

struct rule_bound {
	bool set;
	bool beyond; /* it is not allowed itself: exclusiveMinimum, exclusiveMaximum */
	long double at;
	char *text; /* as it was written */
};

struct rule;
struct rule_book;
struct rule_pattern;
struct rule_kid {
	char *name; /* as the store has it; of a pattern, the pattern */
	struct rule_pattern *re; /* NULL: it is no pattern */
	struct rule *rule;
};

/* One schema, or a part of it. Members that are not there are NULL, false, 0. */
struct rule {
	unsigned int types;
	json_t *choices; /* a list of scalars */
	struct rule_bound minimum, maximum, min_len, max_len, min_items, max_items;
	char *pattern;
	struct rule_pattern *re; /* of the pattern */
	struct rule_kid *kids;
	size_t nr_kids;
	struct rule *other; /* of names that no kid has */
	bool no_other;
	struct rule *item;
	char **required; /* names of children that have to be there, as the store has them */
	size_t nr_required;
	struct rule **any; /* of these at least one has to be content */
	size_t nr_any;
	struct rule **all; /* and all of these */
	size_t nr_all;
	struct rule *ref; /* and this one, which is the book's, or the whole schema */
	struct rule_book *book; /* of the whole schema */
	int hops; /* rule_book.c's */
	char *title, *words;
	json_t *absent;	/* what it counts as when it is not there */
	bool secret, says_lasts, lasts;
};

/* Which children a node has. */
struct rule_family {
	bool (*has)(const void *arg, const char *name);
	const void *arg;
	bool any; /* it has some */
};

struct rule_value {
	const char *bytes;
	size_t len;
	int kind; /* enum xs_kind, or RULE_ANY_KIND; a node with children only is an object */
	const struct rule_family *family; /* NULL: not known, and not judged */
};

/* Why something is not possible. */
struct rule_fault {
	size_t depth;	     /* how much of the path was found before */
	const char *keyword; /* of the schema that does not let it pass */
	bool untold;	     /* @text does not have the value */
	char text[RULE_WHY_LEN];
};

/*
 * Reads @len bytes of text. What is wrong is counted and told in @d, of which the name and quiet
 * are used; NULL then. Free with rule_free(). Exits when out of memory.
 */
struct rule *rule_read(struct doc *d, const char *text, size_t len);
void rule_free(struct rule *r);

/*
 * Whether @v may be at @tail ("", "/a/b") below what @r is about. If not, @fault says why, of all
 * that @r would rather have, by what came nearest.
 */
bool rule_allows(const struct rule *r, const char *tail, const struct rule_value *v,
		 struct rule_fault *fault);
/* The same; of the value @fault says nothing. */
bool rule_allows_untold(const struct rule *r, const char *tail, const struct rule_value *v,
			struct rule_fault *fault);
/* Whether a part of @r that speaks of @tail has it a secret. */
bool rule_is_secret(const struct rule *r, const char *tail);
/*
 * Calls @fn for each part of @r that speaks of @tail; more than one where there are alternatives,
 * or patterns. @needed: what is above it wants it there. False: the schema asks more than is looked
 * at (RULE_STEPS_MAX), and some parts were left out.
 */
bool rule_each(const struct rule *r, const char *tail,
	       void (*fn)(void *arg, const struct rule *at, bool needed), void *arg);
/* Whether any part of the schema says which children a node has to have. */
bool rule_wants_children(const struct rule *r);
/* "a", "b" of a list of names as people know them, as JSON; the caller owns it. NULL: none. */
json_t *rule_required_json(const struct rule *r);
/* "integer or null" into @buf; "" for any. */
const char *rule_types_text(unsigned int types, char *buf, size_t size);

#endif
