/* SPDX-License-Identifier: MIT */
/*
 * rule.h - a schema of somebody's own: what may be at and below a path, as a part of JSON Schema. It
 * judges each value where it stands, without its neighbours. rule_read.c makes it of its text
 * (keyword by keyword: rule_keys.c), rule_judge.c asks it. Pure; where such schemas are kept: rules.h.
 */
#ifndef STOREVISOR_XS_RULE_H
#define STOREVISOR_XS_RULE_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>
#include <regex.h>

struct doc;

#define RULE_WHY_LEN 400
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
	long double at;
	char *text; /* as it was written */
};

struct rule;
struct rule_kid {
	char *name; /* as the store has it; of a pattern, the pattern */
	bool is_pattern;
	regex_t re;
	struct rule *rule;
};

/* One schema, or a part of it. Members that are not there are NULL, false, 0. */
struct rule {
	unsigned int types;
	json_t *choices; /* a list of scalars */
	struct rule_bound minimum, maximum, min_len, max_len, max_items;
	char *pattern;
	regex_t re; /* of the pattern */
	struct rule_kid *kids;
	size_t nr_kids;
	struct rule *other; /* of names that no kid has */
	bool no_other;
	struct rule *item;
	struct rule **any; /* of these at least one has to be content */
	size_t nr_any;
	char *title, *words;
	json_t *absent;	/* what it counts as when it is not there */
	bool secret, says_lasts, lasts;
};

struct rule_value {
	const char *bytes;
	size_t len;
	int kind; /* enum xs_kind, or RULE_ANY_KIND; a node with children only is an object */
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
 * or patterns.
 */
void rule_each(const struct rule *r, const char *tail,
	       void (*fn)(void *arg, const struct rule *at), void *arg);
/* "integer or null" into @buf; "" for any. */
const char *rule_types_text(unsigned int types, char *buf, size_t size);

#endif
