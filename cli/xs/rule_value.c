/* SPDX-License-Identifier: MIT */
/*
 * rule_value.c - whether a value, and which children are there, is what one rule says. Of a value
 * nobody says what it is in JSON (xs write): it may be all that it reads like, "30" a number and a
 * text.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "kind.h"
#include "name.h"
#include "rule_judge.h"
#include "rule_pattern.h"
#include "text.h"

#define SHOWN_MAX 64

bool rule_fail(struct rule_fault *f, size_t depth, const char *keyword, const char *fmt, ...)
{
	va_list ap;

	if (f->keyword && depth <= f->depth)
		return false;
	f->depth = depth;
	f->keyword = keyword;
	va_start(ap, fmt);
	vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
	return false;
}

struct judged {
	const struct rule *r;
	const struct rule_value *v;
	size_t depth;
	uint64_t *left; /* steps of patterns */
	struct rule_fault *fault;
};

/*
 * Whom it is about, malloc'd: what is text in a document is in quotes, for it may read otherwise.
 */
static char *shown_value(const struct judged *j)
{
	const struct rule_value *v = j->v;
	const char *quote = v->kind == XS_KIND_TEXT ? "\"" : "";
	char *text, *shown;

	if (j->fault->untold)
		return must(strdup("this"));
	if (!v->len)
		return must(strdup(v->kind == XS_KIND_OBJECT ? "an object" :
				   v->kind == XS_KIND_LIST ? "a list" :
				   v->kind == XS_KIND_NULL ? "null" : "an empty value"));
	text = text_escape(v->bytes, v->len > SHOWN_MAX ? SHOWN_MAX : v->len);
	if (asprintf(&shown, "%s%s%s%s", quote, text, quote, v->len > SHOWN_MAX ? "..." : "") < 0)
		cli_die(CLI_FAIL, "out of memory");
	free(text);
	return shown;
}

static bool wanted(const struct judged *j, const char *keyword, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static bool wanted(const struct judged *j, const char *keyword, const char *fmt, ...)
{
	char what[RULE_WHY_LEN / 2], *shown = shown_value(j);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	rule_fail(j->fault, j->depth, keyword, "%.180s is not possible here: %s", shown, what);
	free(shown);
	return false;
}

static bool is_integer(const char *s, size_t len)
{
	for (size_t i = s[0] == '-'; i < len; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return true;
}

static unsigned int number_types(const struct rule_value *v)
{
	return !kind_fits(XS_KIND_NUMBER, v->bytes, v->len) ? 0 :
	       is_integer(v->bytes, v->len) ? RULE_NUMBER | RULE_INTEGER : RULE_NUMBER;
}

/* All types that the value can be of. */
static unsigned int types_of(const struct rule_value *v)
{
	bool bit = v->len == 1 && (*v->bytes == '0' || *v->bytes == '1');

	switch (v->kind) {
	case XS_KIND_TEXT:
		return RULE_STRING;
	case XS_KIND_NUMBER:
		return number_types(v);
	case XS_KIND_BOOL:
		return RULE_BOOLEAN;
	case XS_KIND_NULL:
		return RULE_NULL;
	case XS_KIND_OBJECT:
		return RULE_OBJECT;
	case XS_KIND_LIST:
		return RULE_ARRAY;
	default:
		return RULE_STRING | number_types(v) | (bit ? RULE_BOOLEAN : 0) |
		       (v->len ? 0 : RULE_NULL | RULE_OBJECT | RULE_ARRAY);
	}
}

static long double number_of(const struct rule_value *v)
{
	char *text = must(strndup(v->bytes, v->len));
	long double n = strtold(text, NULL);

	free(text);
	return n;
}

static bool number_fits(const struct judged *j)
{
	const struct rule *r = j->r;
	long double n;

	if (!r->minimum.set && !r->maximum.set)
		return true;
	n = number_of(j->v);
	if (r->minimum.set && !(n >= r->minimum.at))
		return wanted(j, r->minimum.beyond ? "exclusiveMinimum" : "minimum", "%s %.40s is wanted",
			      r->minimum.beyond ? "more than" : "at least", r->minimum.text);
	if (r->maximum.set && !(n <= r->maximum.at))
		return wanted(j, r->maximum.beyond ? "exclusiveMaximum" : "maximum", "%s %.40s is wanted",
			      r->maximum.beyond ? "less than" : "at most", r->maximum.text);
	if (r->minimum.beyond && n == r->minimum.at)
		return wanted(j, "exclusiveMinimum", "more than %.40s is wanted", r->minimum.text);
	if (r->maximum.beyond && n == r->maximum.at)
		return wanted(j, "exclusiveMaximum", "less than %.40s is wanted", r->maximum.text);
	return true;
}

/* In characters; of bytes that are no text, bytes. */
static size_t length(const struct rule_value *v)
{
	size_t nr = 0, one;

	for (size_t i = 0; i < v->len; i += one, nr++) {
		one = text_utf8_len((const unsigned char *)v->bytes + i, v->len - i);
		one = one ? one : 1;
	}
	return nr;
}

static bool pattern_fits(const struct judged *j)
{
	const struct rule *r = j->r;
	enum rule_match m = rule_pattern_match(r->re, j->v->bytes, j->v->len, j->left);
	char *shown;

	if (m == RULE_MATCH_YES)
		return true;
	shown = text_escape(r->pattern, strlen(r->pattern));
	wanted(j, "pattern", m == RULE_MATCH_NO ? "what matches %.120s is wanted" :
	       "to say whether it matches %.100s would take too long", shown);
	free(shown);
	return false;
}

static bool string_fits(const struct judged *j)
{
	const struct rule *r = j->r;
	size_t len = r->min_len.set || r->max_len.set ? length(j->v) : 0;

	if (r->min_len.set && (long double)len < r->min_len.at)
		return wanted(j, "minLength", "at least %s characters are wanted", r->min_len.text);
	if (r->max_len.set && (long double)len > r->max_len.at)
		return wanted(j, "maxLength", "at most %s characters are wanted", r->max_len.text);
	return !r->re || pattern_fits(j);
}

static bool is_choice(const struct rule_value *v, unsigned int types, const json_t *c)
{
	switch (json_typeof(c)) {
	case JSON_STRING:
		return types & RULE_STRING && v->len == json_string_length(c) &&
		       memcmp(v->bytes, json_string_value(c), v->len) == 0;
	case JSON_INTEGER:
		return types & RULE_NUMBER && number_of(v) == (long double)json_integer_value(c);
	case JSON_REAL:
		return types & RULE_NUMBER && (double)number_of(v) == json_real_value(c);
	case JSON_TRUE:
	case JSON_FALSE:
		return types & RULE_BOOLEAN && (*v->bytes == '1') == json_is_true(c);
	case JSON_NULL:
		return types & RULE_NULL;
	case JSON_OBJECT:
	case JSON_ARRAY:
		break;
	}
	return false;
}

static bool choice_fits(const struct judged *j, unsigned int types)
{
	const json_t *list = j->r->choices, *c;
	char *words;
	size_t i;

	json_array_foreach(list, i, c)
		if (is_choice(j->v, types, c))
			return true;
	words = must(json_dumps(list, JSON_COMPACT));
	wanted(j, "enum", "%s%.150s is wanted", json_array_size(list) > 1 ? "one of " : "", words);
	free(words);
	return false;
}

/*
 * As the child that has to be there, but is not, shows: what is an object for sure has its names.
 */
static bool members_fit(const struct judged *j, unsigned int types)
{
	const struct rule_family *f = j->v->family;
	const struct rule *r = j->r;
	bool object = types == RULE_OBJECT || (types & RULE_OBJECT && f->any && !(types & RULE_ARRAY));
	char *text;

	for (size_t i = 0; object && i < r->nr_required; i++) {
		if (f->has(f->arg, r->required[i]))
			continue;
		text = name_shown(r->required[i]);
		rule_fail(j->fault, j->depth + 1, "required", "%.100s has to be here", text);
		free(text);
		return false;
	}
	return true;
}

static bool items_fit(const struct judged *j, unsigned int types)
{
	const struct rule_family *f = j->v->family;
	const struct rule *r = j->r;
	bool list = types == RULE_ARRAY || (types & RULE_ARRAY && f->any && !(types & RULE_OBJECT));
	char name[32];

	for (long i = 0; list && r->min_items.set && (long double)i < r->min_items.at; i++) {
		snprintf(name, sizeof(name), "%ld", i);
		if (!f->has(f->arg, name))
			return rule_fail(j->fault, j->depth + 1, "minItems", "at least %s items have to be here",
					 r->min_items.text);
	}
	return true;
}

bool rule_value_fits(const struct rule *r, const struct rule_value *v, size_t depth, uint64_t *left,
		     struct rule_fault *fault)
{
	const struct judged j = { r, v, depth, left, fault };
	unsigned int types = types_of(v) & (r->types ? r->types : ~0u);
	char words[80];

	if (!types)
		return wanted(&j, "type", "%s is wanted%s",
			      rule_types_text(r->types, words, sizeof(words)),
			      r->types == RULE_BOOLEAN && v->kind == RULE_ANY_KIND ? ", 0 or 1" : "");
	if (r->choices && !choice_fits(&j, types))
		return false;
	if (v->family && !(members_fit(&j, types) && items_fit(&j, types)))
		return false;
	if (types & ~(unsigned int)(RULE_STRING | RULE_NUMBER | RULE_INTEGER))
		return true;
	/* what can be both has to be a good one of either */
	if (types & (RULE_NUMBER | RULE_INTEGER) && number_fits(&j))
		return true;
	return types & RULE_STRING && string_fits(&j);
}
