/* SPDX-License-Identifier: MIT */
/* schema_explain.c - what schemas of one's own say of a path, in words and as JSON. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "name.h"
#include "rules.h"
#include "schema_own.h"
#include "store.h"
#include "text.h"

struct saying {
	const struct rules_one *one;
	json_t *list; /* of them all */
	bool json, said;
};

static void set(json_t *o, const char *key, json_t *v)
{
	if (v)
		json_object_set_new(o, key, v);
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : NULL;
}

static json_t *bound_json(const struct rule_bound *b)
{
	return b->set ? json_loads(b->text, JSON_DECODE_ANY, NULL) : NULL;
}

static json_t *saying_json(const struct rules_one *one, const struct rule *r, bool needed)
{
	char types[80];
	json_t *o = schema_own_json(one);

	if (r->types)
		set(o, "type", json_string(rule_types_text(r->types, types, sizeof(types))));
	set(o, "title", text_or_null(r->title));
	set(o, "meaning", text_or_null(r->words));
	set(o, "values", json_incref(r->choices));
	set(o, r->minimum.beyond ? "more-than" : "min", bound_json(&r->minimum));
	set(o, r->maximum.beyond ? "less-than" : "max", bound_json(&r->maximum));
	set(o, "min-length", bound_json(&r->min_len));
	set(o, "max-length", bound_json(&r->max_len));
	set(o, "min-items", bound_json(&r->min_items));
	set(o, "max-items", bound_json(&r->max_items));
	set(o, "required", rule_required_json(r));
	set(o, "needed", needed ? json_true() : NULL);
	set(o, "matches", text_or_null(r->pattern));
	set(o, "default", json_incref(r->absent));
	set(o, "lasts", r->says_lasts ? json_boolean(r->lasts) : NULL);
	return o;
}

static void print_bounds(const char *what, const struct rule_bound *min,
			 const struct rule_bound *max)
{
	if (min->set || max->set)
		printf("%-12s %s%s%s%s%s\n", what, !min->set ? "" : min->beyond ? "more than " : "at least ",
		       min->set ? min->text : "", min->set && max->set ? ", " : "",
		       !max->set ? "" : max->beyond ? "less than " : "at most ", max->set ? max->text : "");
}

static void print_json(const char *what, const json_t *v)
{
	char *text = v ? must(json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY)) : NULL;

	if (text)
		printf("%-12s %s\n", what, text);
	free(text);
}

/* Whoever may write a schema writes to the terminals of others. */
static void print_text(const char *what, const char *text)
{
	char *shown = text ? text_escape(text, strlen(text)) : NULL;

	if (shown)
		printf("%-12s %s\n", what, shown);
	free(shown);
}

static void print_saying(const struct rules_one *one, const struct rule *r, bool needed)
{
	json_t *required = rule_required_json(r);
	char types[80];
	char *name = name_shown(one->name), *at = name_shown(one->at);

	printf("%-12s %s at %s\n", "schema", name, at);
	if (r->types)
		printf("%-12s %s\n", "type", rule_types_text(r->types, types, sizeof(types)));
	print_json("values", r->choices);
	print_bounds("limits", &r->minimum, &r->maximum);
	print_bounds("length", &r->min_len, &r->max_len);
	print_bounds("items", &r->min_items, &r->max_items);
	print_json("required", required);
	if (needed)
		printf("%-12s %s\n", "needed", "has to be there where what is above it is");
	print_text("matches", r->pattern);
	print_json("default", r->absent);
	print_text("meaning", r->words);
	if (r->says_lasts)
		printf("%-12s %s\n", "", r->lasts ? "kept over a boot of the host" :
		       "gone with the next boot of the host");
	json_decref(required);
	free(name);
	free(at);
}

static void say(void *arg, const struct rule *r, bool needed)
{
	struct saying *s = arg;

	/* its parts say more */
	if ((r->nr_any || r->nr_all || r->ref) && !r->types && !r->choices && !r->words)
		return;
	s->said = true;
	if (s->json)
		json_array_append_new(s->list, saying_json(s->one, r, needed));
	else
		print_saying(s->one, r, needed);
}

json_t *schema_own_explain(const char *path, bool json, size_t *nr)
{
	struct saying s = { .list = json_array(), .json = json };
	struct rules r = { 0 };

	*nr = 0;
	if (store_connect() || rules_read(&r, 0))
		return s.list;
	for (size_t i = 0; i < r.nr; i++) {
		const char *tail = rules_tail(r.v[i].at, path);
		const struct rule *rule = tail ? rules_rule(&r.v[i]) : NULL;

		s.one = &r.v[i];
		s.said = false;
		if (rule)
			rule_each(rule, tail, say, &s);
		*nr += s.said;
	}
	rules_free(&r);
	return s.list;
}
