/* SPDX-License-Identifier: MIT */
/*
 * rule_keys.c - every keyword has a row: of which types it speaks, and what takes it into a struct
 * rule. What has no row is refused, for it would be a rule that holds nobody.
 */
#include "rule_keys.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "kind.h"
#include "name.h"
#include "nearest.h"
#include "rule_book.h"
#include "rule_pattern.h"
#include "rule_scalar.h"


static const struct {
	const char *name;
	unsigned int type;
} types[] = {
	{ "string", RULE_STRING }, { "number", RULE_NUMBER }, { "integer", RULE_INTEGER },
	{ "boolean", RULE_BOOLEAN }, { "null", RULE_NULL }, { "object", RULE_OBJECT },
	{ "array", RULE_ARRAY },
};

#define NR_TYPES (sizeof(types) / sizeof(types[0]))

const char *rule_types_text(unsigned int which, char *buf, size_t size)
{
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < NR_TYPES && at < size; i++)
		if (which & types[i].type)
			at += (size_t)snprintf(buf + at, size - at, "%s%s", at ? " or " : "",
					       types[i].name);
	return buf;
}

static struct rule_pattern *compile(struct doc *d, const struct place *p, const char *text, struct rule *r)
{
	char why[RULE_PATTERN_WHY];
	struct rule_pattern *re = NULL;

	if (r->book->nr_patterns++ == RULE_PATTERNS_MAX)
		doc_problem(d, p, "a schema has at most %d patterns", RULE_PATTERNS_MAX);
	if (r->book->nr_patterns > RULE_PATTERNS_MAX)
		return NULL;
	re = rule_pattern_read(text, why);
	if (!re)
		doc_problem(d, p, "%s", why);
	return re;
}

/* Documents know numbers by their text only. */
static json_t *value_of(const struct json_pos *pos)
{
	return json_is_number(pos->v) ? kind_json(XS_KIND_NUMBER, pos->text, pos->len) :
					json_deep_copy(pos->v);
}

/* ---- keywords: @p is what stands behind the word ---- */

static void on_type(struct doc *d, const struct place *p, struct rule *r)
{
	const json_t *v = p->pos->v;
	size_t nr = json_is_array(v) ? json_array_size(v) : 1;

	for (size_t i = 0; i < nr; i++) {
		const char *s = scalar_word(json_is_array(v) ? json_array_get(v, i) : v);
		size_t t = 0;

		while (s && t < NR_TYPES && strcmp(types[t].name, s) != 0)
			t++;
		if (s && t < NR_TYPES)
			r->types |= types[t].type;
		else
			nr = 0;
	}
	if (!nr)
		doc_problem(d, p, "is string, number, integer, boolean, null, object, array, or a "
			"list of these");
}

/* Of enum and const one is enough; another would have to be held, too. */
static bool begin_choices(struct doc *d, const struct place *p, struct rule *r)
{
	if (r->choices)
		doc_problem(d, p, "enum and const say the same: one of them is possible");
	else
		r->choices = must(json_array());
	return json_array_size(r->choices) == 0;
}

static void add_choice(struct doc *d, const struct place *p, struct rule *r)
{
	if (json_is_object(p->pos->v) || json_is_array(p->pos->v))
		doc_problem(d, p, "a value is text, a number, true, false or null");
	json_array_append_new(r->choices, value_of(p->pos));
}

static void on_enum(struct doc *d, const struct place *p, struct rule *r)
{
	if (!json_is_array(p->pos->v) || !p->pos->nr) {
		doc_problem(d, p, "is a list of values");
		return;
	}
	if (!begin_choices(d, p, r))
		return;
	for (size_t i = 0; i < p->pos->nr; i++) {
		struct place one = { .up = p, .index = i, .pos = &p->pos->kids[i],
				     .depth = p->depth };

		add_choice(d, &one, r);
	}
}

static void on_const(struct doc *d, const struct place *p, struct rule *r)
{
	if (begin_choices(d, p, r))
		add_choice(d, p, r);
}

/* Draft 4 has a word beside the bound instead, which is told as no number. */
static void take_edge(struct doc *d, const struct place *p, struct rule_bound *b, bool beyond)
{
	if (b->set) {
		doc_problem(d, p, "one bound of a side is possible: with what equals it, or without");
		return;
	}
	scalar_number(d, p, b);
	b->beyond = beyond;
}

static void on_minimum(struct doc *d, const struct place *p, struct rule *r)
{
	take_edge(d, p, &r->minimum, false);
}

static void on_maximum(struct doc *d, const struct place *p, struct rule *r)
{
	take_edge(d, p, &r->maximum, false);
}

static void on_more_than(struct doc *d, const struct place *p, struct rule *r)
{
	take_edge(d, p, &r->minimum, true);
}

static void on_less_than(struct doc *d, const struct place *p, struct rule *r)
{
	take_edge(d, p, &r->maximum, true);
}

static void on_min_len(struct doc *d, const struct place *p, struct rule *r)
{
	scalar_count(d, p, &r->min_len);
}

static void on_max_len(struct doc *d, const struct place *p, struct rule *r)
{
	scalar_count(d, p, &r->max_len);
}

static void on_max_items(struct doc *d, const struct place *p, struct rule *r)
{
	scalar_count(d, p, &r->max_items);
}

static void on_min_items(struct doc *d, const struct place *p, struct rule *r)
{
	scalar_count(d, p, &r->min_items);
	r->book->wants_children |= r->min_items.at > 0;
}

static void on_pattern(struct doc *d, const struct place *p, struct rule *r)
{
	char *text = NULL;

	if (scalar_text(d, p, &text))
		r->re = compile(d, p, text, r);
	r->pattern = text;
}

static void take_kids(struct doc *d, const struct place *p, struct rule *r, bool patterns)
{
	const char *key;
	json_t *member;
	size_t i = 0;

	if (!json_is_object(p->pos->v)) {
		doc_problem(d, p, "is an object: a name, and the schema of what has it");
		return;
	}
	r->kids = must(realloc(r->kids, (r->nr_kids + p->pos->nr + 1) * sizeof(*r->kids)));
	json_object_foreach(p->pos->v, key, member) {
		struct place at = { .up = p, .key = key, .pos = &p->pos->kids[i++],
				    .depth = p->depth + 1 };
		struct rule_kid kid = { .re = patterns ? compile(d, &at, key, r) : NULL };

		(void)member;
		if (patterns && !kid.re)
			continue;
		if (rule_book_is_full(r->book)) {
			rule_pattern_free(kid.re);
			break;
		}
		kid.rule = rule_take(d, &at, r->book);
		kid.name = patterns ? must(strdup(key)) : name_encode(key);
		r->kids[r->nr_kids++] = kid;
	}
}

static void on_properties(struct doc *d, const struct place *p, struct rule *r)
{
	take_kids(d, p, r, false);
}

static void on_pattern_properties(struct doc *d, const struct place *p, struct rule *r)
{
	take_kids(d, p, r, true);
}

static struct rule *take_below(struct doc *d, const struct place *p, struct rule_book *book)
{
	struct place below = *p;

	below.depth++;
	return rule_take(d, &below, book);
}

static void on_additional(struct doc *d, const struct place *p, struct rule *r)
{
	if (json_is_boolean(p->pos->v))
		r->no_other = json_is_false(p->pos->v);
	else
		r->other = take_below(d, p, r->book);
}

static void on_items(struct doc *d, const struct place *p, struct rule *r)
{
	r->item = take_below(d, p, r->book);
}

static struct rule **take_list(struct doc *d, const struct place *p, struct rule_book *book, size_t *nr)
{
	struct rule **list;

	if (!json_is_array(p->pos->v) || !p->pos->nr) {
		doc_problem(d, p, "is a list of schemas");
		return NULL;
	}
	list = must(calloc(p->pos->nr, sizeof(*list)));
	for (size_t i = 0; i < p->pos->nr && !rule_book_is_full(book); i++) {
		struct place one = { .up = p, .index = i, .pos = &p->pos->kids[i],
				     .depth = p->depth + 1 };

		list[(*nr)++] = rule_take(d, &one, book);
	}
	return list;
}

static void on_any_of(struct doc *d, const struct place *p, struct rule *r)
{
	r->any = take_list(d, p, r->book, &r->nr_any);
}

static void on_all_of(struct doc *d, const struct place *p, struct rule *r)
{
	r->all = take_list(d, p, r->book, &r->nr_all);
}

static void on_required(struct doc *d, const struct place *p, struct rule *r)
{
	if (!json_is_array(p->pos->v)) {
		doc_problem(d, p, "is a list of names");
		return;
	}
	r->required = must(calloc(p->pos->nr + 1, sizeof(*r->required)));
	for (size_t i = 0; i < p->pos->nr; i++) {
		struct place one = { .up = p, .index = i, .pos = &p->pos->kids[i], .depth = p->depth };

		if (scalar_word(one.pos->v))
			r->required[r->nr_required++] = name_encode(scalar_word(one.pos->v));
		else
			doc_problem(d, &one, "a name is a text");
	}
	r->book->wants_children |= r->nr_required > 0;
}

static void on_ref(struct doc *d, const struct place *p, struct rule *r)
{
	char *text = NULL;

	if (scalar_text(d, p, &text)) {
		r->ref = rule_book_find(r->book, d, p, text);
		rule_book_later(r->book, p, r);
	}
	free(text);
}

/* Values that somebody may like to see: of any kind. */
static void on_examples(struct doc *d, const struct place *p, struct rule *r)
{
	(void)r;
	if (!json_is_array(p->pos->v))
		doc_problem(d, p, "is a list of values");
}

static void on_title(struct doc *d, const struct place *p, struct rule *r)
{
	scalar_text(d, p, &r->title);
}

static void on_description(struct doc *d, const struct place *p, struct rule *r)
{
	scalar_text(d, p, &r->words);
}

static void on_remark(struct doc *d, const struct place *p, struct rule *r)
{
	(void)r;
	scalar_text(d, p, NULL);
}

/* Whether it is possible is seen when all of the rule is known. */
static void on_default(struct doc *d, const struct place *p, struct rule *r)
{
	(void)d;
	r->absent = value_of(p->pos);
	rule_book_later(r->book, p, r);
}

static void on_write_only(struct doc *d, const struct place *p, struct rule *r)
{
	r->secret = scalar_bool(d, p);
}

static void on_lasts(struct doc *d, const struct place *p, struct rule *r)
{
	r->lasts = scalar_bool(d, p);
	r->says_lasts = true;
}

#define NUMBERS (RULE_NUMBER | RULE_INTEGER)

static const struct rule_keyword keywords[] = {
	{ "type", 0, on_type },
	{ "enum", 0, on_enum },
	{ "const", 0, on_const },
	{ "minimum", NUMBERS, on_minimum },
	{ "maximum", NUMBERS, on_maximum },
	{ "exclusiveMinimum", NUMBERS, on_more_than },
	{ "exclusiveMaximum", NUMBERS, on_less_than },
	{ "minLength", RULE_STRING, on_min_len },
	{ "maxLength", RULE_STRING, on_max_len },
	{ "pattern", RULE_STRING, on_pattern },
	{ "properties", RULE_OBJECT, on_properties },
	{ "patternProperties", RULE_OBJECT, on_pattern_properties },
	{ "additionalProperties", RULE_OBJECT, on_additional },
	{ "required", RULE_OBJECT, on_required },
	{ "items", RULE_ARRAY, on_items },
	{ "minItems", RULE_ARRAY, on_min_items },
	{ "maxItems", RULE_ARRAY, on_max_items },
	{ "anyOf", 0, on_any_of },
	{ "allOf", 0, on_all_of },
	{ "$ref", 0, on_ref },
	{ "$defs", 0, rule_book_take_parts },
	{ "definitions", 0, rule_book_take_parts },
	{ "title", 0, on_title },
	{ "description", 0, on_description },
	{ "default", 0, on_default },
	{ "writeOnly", 0, on_write_only },
	{ "x-lasts", 0, on_lasts },
	{ "examples", 0, on_examples },
	{ "$id", 0, on_remark },
	{ "$schema", 0, on_remark },
	{ "$comment", 0, on_remark },
};

#define NR_KEYWORDS (sizeof(keywords) / sizeof(keywords[0]))

const struct rule_keyword *rule_keyword_of(const char *name)
{
	for (size_t i = 0; i < NR_KEYWORDS; i++)
		if (strcmp(keywords[i].name, name) == 0)
			return &keywords[i];
	return NULL;
}

void rule_keyword_unknown(struct doc *d, const struct place *p)
{
	struct nearest best = { NULL, 0 };
	char words[600] = "";

	for (size_t i = 0; i < NR_KEYWORDS; i++) {
		nearest_offer(&best, p->key, keywords[i].name);
		snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s",
			 i ? ", " : "", keywords[i].name);
	}
	if (best.word)
		doc_problem(d, p, "is not known; did you mean %s?", best.word);
	else
		doc_problem(d, p, "is not known: %s", words);
}
