/* SPDX-License-Identifier: MIT */
/*
 * rule_keys.c - every keyword has a row: of which types it speaks, and what takes it into a struct
 * rule. What has no row is refused, for it would be a rule that holds nobody.
 */
#include "rule_keys.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "kind.h"
#include "name.h"
#include "nearest.h"

#define PATTERN_MAX 256
#define COUNT_MAX 1000000000
#define COPIES_MAX 2000 /* regcomp() makes as many of what is repeated, and asks each of each */

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

/* ---- what keywords say ---- */

static bool take_text(struct doc *d, const struct place *p, char **to)
{
	if (!json_is_string(p->pos->v)) {
		doc_problem(d, p, "is a text");
		return false;
	}
	if (to)
		*to = must(strdup(json_string_value(p->pos->v)));
	return true;
}

static bool take_bool(struct doc *d, const struct place *p)
{
	if (!json_is_boolean(p->pos->v))
		doc_problem(d, p, "is true or false");
	return json_is_true(p->pos->v);
}

static void take_number(struct doc *d, const struct place *p, struct rule_bound *b)
{
	if (!json_is_number(p->pos->v)) {
		doc_problem(d, p, "is a number");
		return;
	}
	b->text = must(strndup(p->pos->text, p->pos->len));
	b->at = strtold(b->text, NULL);
	b->set = true;
	if (isinf(b->at))
		doc_problem(d, p, "is larger than numbers can be");
}

static void take_count(struct doc *d, const struct place *p, struct rule_bound *b)
{
	bool plain = json_is_number(p->pos->v) && strspn(p->pos->text, "0123456789") >= p->pos->len;

	if (!plain || json_number_value(p->pos->v) > COUNT_MAX)
		doc_problem(d, p, "is a number from 0 to %d without fraction", COUNT_MAX);
	else
		take_number(d, p, b);
}

/* What is a class or more to others, and a letter or an error to POSIX, would hold nobody. */
static const char *foreign(const char *s)
{
	for (; *s; s++) {
		if (s[0] == '(' && s[1] == '?')
			return "(?";
		if (s[0] != '\\')
			continue;
		s++;
		if ((*s >= '0' && *s <= '9') || (*s >= 'a' && *s <= 'z') ||
		    (*s >= 'A' && *s <= 'Z') || !*s)
			return s - 1;
	}
	return NULL;
}

/* How often regcomp() copies what stands before: "+" is one, and any number of another. */
static long copies_of(const char **s)
{
	char *end;
	long lo, hi;

	if (**s != '{')
		return *(*s)++ == '+' ? 2 : 1;
	lo = hi = strtol(*s + 1, &end, 10);
	if (*end == ',')
		hi = strtol(end + 1, &end, 10);
	*s = *end == '}' ? end + 1 : *s + 1;
	hi = hi > lo ? hi : lo + 1;
	return hi > COPIES_MAX ? COPIES_MAX + 1 : hi;
}

static const char *behind_class(const char *s)
{
	s += 1 + (s[1] == '^');
	for (s += *s == ']'; *s && *s != ']'; s++)
		if (*s == '[' && s[1] && strchr(":.=", s[1])) {
			const char *end = strchr(s + 2, ']');

			s = end ? end : s;
		}
	return *s ? s + 1 : s;
}

/* How many nodes up to its end, or that of the group; more than COPIES_MAX is too many. */
static long size_of(const char **s)
{
	long sum = 0;

	while (**s && **s != ')' && sum <= COPIES_MAX) {
		long one = 1;

		if (**s == '(') {
			++*s;
			one = size_of(s) + 1;
			*s += **s == ')';
		} else if (**s == '[') {
			*s = behind_class(*s);
		} else {
			*s += **s == '\\' ? 2 : 1; /* foreign() has seen that something follows */
		}
		while (**s && strchr("*+?{", **s) && one <= COPIES_MAX)
			one *= copies_of(s);
		sum += one;
	}
	return sum;
}

static bool too_large(const char *text)
{
	long sum = 0;

	/* a ) that closes nothing is left to regcomp() */
	for (; *text && sum <= COPIES_MAX; text += *text == ')')
		sum += size_of(&text);
	return sum > COPIES_MAX;
}

static bool compile(struct doc *d, const struct place *p, const char *text, regex_t *re)
{
	const char *bad = foreign(text);
	char why[128];
	int rc;

	if (strlen(text) > PATTERN_MAX) {
		doc_problem(d, p, "a pattern has at most %d bytes", PATTERN_MAX);
		return false;
	}
	if (bad) {
		doc_problem(d, p, "%.2s is none of POSIX's patterns, which these are: [0-9], "
			"[[:space:]], (a|b), {1,3}", bad);
		return false;
	}
	if (too_large(text)) {
		doc_problem(d, p, "repeats too much: what + and {} copy is more than %d in all",
			    COPIES_MAX);
		return false;
	}
	rc = regcomp(re, text, REG_EXTENDED | REG_NOSUB);
	if (!rc)
		return true;
	regerror(rc, re, why, sizeof(why));
	doc_problem(d, p, "is no pattern: %s", why);
	return false;
}

/* Documents know numbers by their text only. */
static json_t *value_of(const struct json_pos *pos)
{
	return json_is_number(pos->v) ? kind_json(XS_KIND_NUMBER, pos->text, pos->len) :
					json_incref(pos->v);
}

/* ---- keywords: @p is what stands behind the word ---- */

static void on_type(struct doc *d, const struct place *p, struct rule *r)
{
	const json_t *v = p->pos->v;
	size_t nr = json_is_array(v) ? json_array_size(v) : 1;

	for (size_t i = 0; i < nr; i++) {
		const char *s = json_string_value(json_is_array(v) ? json_array_get(v, i) : v);
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

static void on_enum(struct doc *d, const struct place *p, struct rule *r)
{
	if (!json_is_array(p->pos->v) || !p->pos->nr) {
		doc_problem(d, p, "is a list of values");
		return;
	}
	r->choices = must(json_array());
	for (size_t i = 0; i < p->pos->nr; i++) {
		struct place one = { .up = p, .index = i, .pos = &p->pos->kids[i],
				     .depth = p->depth };

		if (json_is_object(one.pos->v) || json_is_array(one.pos->v))
			doc_problem(d, &one, "a value is text, a number, true, false or null");
		json_array_append_new(r->choices, value_of(one.pos));
	}
}

static void on_minimum(struct doc *d, const struct place *p, struct rule *r)
{
	take_number(d, p, &r->minimum);
}

static void on_maximum(struct doc *d, const struct place *p, struct rule *r)
{
	take_number(d, p, &r->maximum);
}

static void on_min_len(struct doc *d, const struct place *p, struct rule *r)
{
	take_count(d, p, &r->min_len);
}

static void on_max_len(struct doc *d, const struct place *p, struct rule *r)
{
	take_count(d, p, &r->max_len);
}

static void on_max_items(struct doc *d, const struct place *p, struct rule *r)
{
	take_count(d, p, &r->max_items);
}

static void on_pattern(struct doc *d, const struct place *p, struct rule *r)
{
	char *text = NULL;

	if (take_text(d, p, &text) && compile(d, p, text, &r->re))
		r->pattern = text;
	else
		free(text);
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
		struct rule_kid kid = { .is_pattern = patterns };

		(void)member;
		if (patterns && !compile(d, &at, key, &kid.re))
			continue;
		kid.rule = rule_take(d, &at);
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

static struct rule *take_below(struct doc *d, const struct place *p)
{
	struct place below = *p;

	below.depth++;
	return rule_take(d, &below);
}

static void on_additional(struct doc *d, const struct place *p, struct rule *r)
{
	if (json_is_boolean(p->pos->v))
		r->no_other = json_is_false(p->pos->v);
	else
		r->other = take_below(d, p);
}

static void on_items(struct doc *d, const struct place *p, struct rule *r)
{
	r->item = take_below(d, p);
}

static void on_any_of(struct doc *d, const struct place *p, struct rule *r)
{
	if (!json_is_array(p->pos->v) || !p->pos->nr) {
		doc_problem(d, p, "is a list of schemas");
		return;
	}
	r->any = must(calloc(p->pos->nr, sizeof(*r->any)));
	for (size_t i = 0; i < p->pos->nr; i++) {
		struct place one = { .up = p, .index = i, .pos = &p->pos->kids[i],
				     .depth = p->depth + 1 };

		r->any[r->nr_any++] = rule_take(d, &one);
	}
}

static void on_title(struct doc *d, const struct place *p, struct rule *r)
{
	take_text(d, p, &r->title);
}

static void on_description(struct doc *d, const struct place *p, struct rule *r)
{
	take_text(d, p, &r->words);
}

static void on_remark(struct doc *d, const struct place *p, struct rule *r)
{
	(void)r;
	take_text(d, p, NULL);
}

/* Whether it is possible is seen when all of the rule is known. */
static void on_default(struct doc *d, const struct place *p, struct rule *r)
{
	(void)d;
	r->absent = value_of(p->pos);
}

static void on_write_only(struct doc *d, const struct place *p, struct rule *r)
{
	r->secret = take_bool(d, p);
}

static void on_lasts(struct doc *d, const struct place *p, struct rule *r)
{
	r->lasts = take_bool(d, p);
	r->says_lasts = true;
}

#define NUMBERS (RULE_NUMBER | RULE_INTEGER)

static const struct rule_keyword keywords[] = {
	{ "type", 0, on_type },
	{ "enum", 0, on_enum },
	{ "minimum", NUMBERS, on_minimum },
	{ "maximum", NUMBERS, on_maximum },
	{ "minLength", RULE_STRING, on_min_len },
	{ "maxLength", RULE_STRING, on_max_len },
	{ "pattern", RULE_STRING, on_pattern },
	{ "properties", RULE_OBJECT, on_properties },
	{ "patternProperties", RULE_OBJECT, on_pattern_properties },
	{ "additionalProperties", RULE_OBJECT, on_additional },
	{ "items", RULE_ARRAY, on_items },
	{ "maxItems", RULE_ARRAY, on_max_items },
	{ "anyOf", 0, on_any_of },
	{ "title", 0, on_title },
	{ "description", 0, on_description },
	{ "default", 0, on_default },
	{ "writeOnly", 0, on_write_only },
	{ "x-lasts", 0, on_lasts },
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
	char words[400] = "";

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
