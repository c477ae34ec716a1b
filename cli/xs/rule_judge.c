/* SPDX-License-Identifier: MIT */
/*
 * rule_judge.c - which parts of a schema speak of a path, and whether they all let a value be
 * there. Parts may lead to themselves (rule_book.h), and each alternative asks anew: how many are
 * asked of one value is bounded, and so is how deeply, and what all their patterns take together.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "name.h"
#include "nearest.h"
#include "rule_book.h"
#include "rule_judge.h"
#include "rule_pattern.h"

#define INDEX_DIGITS 9
#define NESTED_MAX 4000 /* twice the names that a path can have, and some */

/* What is asked of one value. */
struct walk {
	struct rule_fault *fault; /* NULL: nothing is judged */
	unsigned int steps, nested;
	uint64_t left; /* steps of patterns: RULE_PATTERN_STEPS */
	bool over; /* too many: nothing else counts */
	void (*each)(void *arg, const struct rule *at, bool needed);
	void *arg;
};

/* Called where a part is begun; false: no more of them. */
static bool step(struct walk *w)
{
	if (w->over || (++w->steps <= RULE_STEPS_MAX && w->nested < NESTED_MAX))
		return !w->over;
	w->over = true;
	if (w->fault) {
		w->fault->keyword = NULL;
		rule_fail(w->fault, SIZE_MAX, "$ref", "the schema has too many ways to say whether this is possible");
	}
	return false;
}

/* The first name of @tail, malloc'd. */
static char *first_name(const char *tail)
{
	return must(strndup(tail + 1, strcspn(tail + 1, "/")));
}

static const char *rest_of(const char *tail)
{
	return tail + 1 + strcspn(tail + 1, "/");
}

/* Whether @name is that of an item, as documents name them. */
static bool is_index(const char *name, long *index)
{
	size_t len = strspn(name, "0123456789");

	if (!len || name[len] || len > INDEX_DIGITS || (len > 1 && *name == '0'))
		return false;
	*index = atol(name);
	return true;
}

/* A name of which a pattern cannot tell in time is one that it has: what it says of it counts. */
static bool kid_is(const struct rule_kid *k, const char *name, const char *text, struct walk *w)
{
	if (!k->re)
		return strcmp(k->name, name) == 0;
	return rule_pattern_match(k->re, text, strlen(text), &w->left) != RULE_MATCH_NO;
}

static size_t members_of(const struct rule *r, const char *name, struct walk *w, const struct rule **to, size_t max)
{
	char *text = name_decode(name);
	size_t nr = 0;

	for (size_t i = 0; i < r->nr_kids && nr < max; i++)
		if (kid_is(&r->kids[i], name, text ? text : name, w))
			to[nr++] = r->kids[i].rule;
	if (!nr && r->other && max)
		to[nr++] = r->other;
	free(text);
	return nr;
}

/* Whether it may have members: values in a list of them are none with children. */
static bool holds_members(const struct rule *r)
{
	return r->types ? r->types & RULE_OBJECT : !r->choices;
}

/* What @r says of the child @name, malloc'd: *@nr rules, all of which count. */
static const struct rule **kids_of(const struct rule *r, const char *name, struct walk *w, size_t *nr)
{
	const struct rule **list = must(calloc(r->nr_kids + 2, sizeof(struct rule *)));
	long index;

	*nr = holds_members(r) ? members_of(r, name, w, list, r->nr_kids + 1) : 0;
	if (!*nr && r->types & RULE_ARRAY && r->item && is_index(name, &index))
		list[(*nr)++] = r->item;
	return list;
}

static bool no_such_name(const struct rule *r, const char *name, size_t depth,
			 struct rule_fault *fault)
{
	struct nearest best = { NULL, 0 };

	for (size_t i = 0; i < r->nr_kids; i++)
		if (!r->kids[i].re)
			nearest_offer(&best, name, r->kids[i].name);
	return rule_fail(fault, depth, "additionalProperties", "there is no name %.100s here%s%.100s%s",
			 name, best.word ? "; did you mean " : "", best.word ? best.word : "",
			 best.word ? "?" : "");
}

/* Whether something called @name may be below @r at all. */
static bool name_fits(const struct rule *r, const char *name, size_t nr_rules, size_t depth,
		      struct rule_fault *fault)
{
	bool object = holds_members(r), list = r->types & RULE_ARRAY;
	long index;

	if (!object && !list)
		return rule_fail(fault, depth, r->types ? "type" : "enum",
				 "a value without children is wanted above %.100s", name);
	if (list && is_index(name, &index)) {
		if (r->max_items.set && (long double)index >= r->max_items.at)
			return rule_fail(fault, depth, "maxItems", "at most %s items are wanted",
					 r->max_items.text);
		return true;
	}
	if (!object)
		return rule_fail(fault, depth, "type", "%.100s is no item of a list: they are called 0, 1, "
			    "...", name);
	return nr_rules || !r->no_other || no_such_name(r, name, depth, fault);
}

static bool judge(const struct rule *r, const char *tail, const struct rule_value *v, size_t depth,
		  struct walk *w);

static bool child_fits(const struct rule *r, const char *tail, const struct rule_value *v,
		       size_t depth, struct walk *w)
{
	char *name = first_name(tail);
	size_t nr;
	const struct rule **kids = kids_of(r, name, w, &nr);
	bool ok = name_fits(r, name, nr, depth, w->fault);

	for (size_t i = 0; ok && i < nr; i++)
		ok = judge(kids[i], rest_of(tail), v, depth + 1, w);
	free(kids);
	free(name);
	return ok;
}

static bool any_fits(const struct rule *r, const char *tail, const struct rule_value *v,
		     size_t depth, struct walk *w)
{
	for (size_t i = 0; i < r->nr_any; i++)
		if (judge(r->any[i], tail, v, depth, w))
			return true;
	return r->nr_any == 0;
}

static bool all_fit(const struct rule *r, const char *tail, const struct rule_value *v,
		    size_t depth, struct walk *w)
{
	for (size_t i = 0; i < r->nr_all; i++)
		if (!judge(r->all[i], tail, v, depth, w))
			return false;
	return !r->ref || judge(r->ref, tail, v, depth, w);
}

static bool judge(const struct rule *r, const char *tail, const struct rule_value *v, size_t depth,
		  struct walk *w)
{
	bool ok = step(w);

	w->nested++;
	ok = ok && (*tail ? child_fits(r, tail, v, depth, w) : rule_value_fits(r, v, depth, &w->left, w->fault)) &&
	     all_fit(r, tail, v, depth, w) && any_fits(r, tail, v, depth, w);
	w->nested--;
	return ok;
}

bool rule_allows(const struct rule *r, const char *tail, const struct rule_value *v,
		 struct rule_fault *fault)
{
	struct walk w = { .left = RULE_PATTERN_STEPS, .fault = fault };

	*fault = (struct rule_fault){ .untold = rule_is_secret(r, tail) };
	return judge(r, tail, v, 0, &w);
}

bool rule_allows_untold(const struct rule *r, const char *tail, const struct rule_value *v,
			struct rule_fault *fault)
{
	struct walk w = { .left = RULE_PATTERN_STEPS, .fault = fault };

	*fault = (struct rule_fault){ .untold = true };
	return judge(r, tail, v, 0, &w);
}

/* ---- what is said of a path ---- */

static bool is_required(const struct rule *r, const char *name)
{
	for (size_t i = 0; i < r->nr_required; i++)
		if (strcmp(r->required[i], name) == 0)
			return true;
	return false;
}

static void each(const struct rule *r, const char *tail, bool needed, struct walk *w);

static void each_kid(const struct rule *r, const char *tail, struct walk *w)
{
	static const struct rule none;
	char *name = first_name(tail);
	size_t nr;
	const struct rule **kids = kids_of(r, name, w, &nr);

	for (size_t i = 0; i < nr; i++)
		each(kids[i], rest_of(tail), is_required(r, name), w);
	/* all that is said of it is that it has to be there */
	if (!nr && !*rest_of(tail) && is_required(r, name))
		w->each(w->arg, &none, true);
	free(kids);
	free(name);
}

static void each(const struct rule *r, const char *tail, bool needed, struct walk *w)
{
	if (!step(w))
		return;
	w->nested++;
	if (*tail)
		each_kid(r, tail, w);
	else
		w->each(w->arg, r, needed);
	if (r->ref)
		each(r->ref, tail, needed, w);
	for (size_t i = 0; i < r->nr_all; i++)
		each(r->all[i], tail, needed, w);
	for (size_t i = 0; i < r->nr_any; i++)
		each(r->any[i], tail, needed, w);
	w->nested--;
}

bool rule_each(const struct rule *r, const char *tail,
	       void (*fn)(void *arg, const struct rule *at, bool needed), void *arg)
{
	struct walk w = { .left = RULE_PATTERN_STEPS, .each = fn, .arg = arg };

	each(r, tail, false, &w);
	return !w.over;
}

static void ask_secret(void *arg, const struct rule *at, bool needed)
{
	(void)needed;
	if (at->secret)
		*(bool *)arg = true;
}

/* What has more to say than is looked at may say that, too. */
bool rule_is_secret(const struct rule *r, const char *tail)
{
	bool secret = false;

	return !rule_each(r, tail, ask_secret, &secret) || secret;
}

bool rule_wants_children(const struct rule *r)
{
	return r->book->wants_children;
}

json_t *rule_required_json(const struct rule *r)
{
	json_t *list = r->nr_required ? must(json_array()) : NULL;

	for (size_t i = 0; i < r->nr_required; i++) {
		char *text = name_decode(r->required[i]);

		json_array_append_new(list, json_string(text ? text : r->required[i]));
		free(text);
	}
	return list;
}
