/* SPDX-License-Identifier: MIT */
/*
 * rule_judge.c - whether a value may be where it is to be. Of a value nobody says what it is in
 * JSON (xs write): it may be all that it reads like, "30" a number and a text.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "kind.h"
#include "name.h"
#include "nearest.h"
#include "rule.h"
#include "text.h"

#define SHOWN_MAX 64
#define INDEX_DIGITS 9
#define MATCHED_MAX 4096 /* bytes: from each of them on a match is looked for */

/* Of several faults the one that came furthest is told, of these the first. */
static bool fail(struct rule_fault *f, size_t depth, const char *keyword, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static bool fail(struct rule_fault *f, size_t depth, const char *keyword, const char *fmt, ...)
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

/* ---- a value ---- */

struct judged {
	const struct rule *r;
	const struct rule_value *v;
	size_t depth;
	struct rule_fault *fault;
};

/* Whom it is about, malloc'd: what is text in a document is in quotes, for it may read otherwise. */
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
	fail(j->fault, j->depth, keyword, "%.180s is not possible here: %s", shown, what);
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
		return wanted(j, "minimum", "at least %.40s is wanted", r->minimum.text);
	if (r->maximum.set && !(n <= r->maximum.at))
		return wanted(j, "maximum", "at most %.40s is wanted", r->maximum.text);
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

static bool matches(const regex_t *re, const char *text, size_t len)
{
	regmatch_t m = { .rm_so = 0, .rm_eo = (regoff_t)len };

	return regexec(re, text, 1, &m, REG_STARTEND) == 0;
}

/* Looked for at the begin only, in one go. */
static bool is_anchored(const char *pattern)
{
	return *pattern == '^' && !strchr(pattern, '|');
}

static bool pattern_fits(const struct judged *j)
{
	const struct rule *r = j->r;
	char *shown;

	if (j->v->len > MATCHED_MAX && !is_anchored(r->pattern))
		return wanted(j, "pattern", "at most %d bytes are wanted where a pattern does not "
			      "begin with ^, or has |", MATCHED_MAX);
	if (matches(&r->re, j->v->bytes, j->v->len))
		return true;
	shown = text_escape(r->pattern, strlen(r->pattern));
	wanted(j, "pattern", "what matches %.120s is wanted", shown);
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
	return !r->pattern || pattern_fits(j);
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
	wanted(j, "enum", "one of %.150s is wanted", words);
	free(words);
	return false;
}

static bool value_fits(const struct rule *r, const struct rule_value *v, size_t depth,
		       struct rule_fault *fault)
{
	const struct judged j = { r, v, depth, fault };
	unsigned int types = types_of(v) & (r->types ? r->types : ~0u);
	char words[80];

	if (!types)
		return wanted(&j, "type", "%s is wanted%s",
			      rule_types_text(r->types, words, sizeof(words)),
			      r->types == RULE_BOOLEAN && v->kind == RULE_ANY_KIND ? ", 0 or 1" : "");
	if (r->choices && !choice_fits(&j, types))
		return false;
	if (types & ~(unsigned int)(RULE_STRING | RULE_NUMBER | RULE_INTEGER))
		return true;
	/* what can be both has to be a good one of either */
	if (types & (RULE_NUMBER | RULE_INTEGER) && number_fits(&j))
		return true;
	return types & RULE_STRING && string_fits(&j);
}

/* ---- a path ---- */

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

static bool kid_is(const struct rule_kid *k, const char *name, const char *text)
{
	return k->is_pattern ? matches(&k->re, text, strlen(text)) : strcmp(k->name, name) == 0;
}

static size_t members_of(const struct rule *r, const char *name, const struct rule **to, size_t max)
{
	char *text = name_decode(name);
	size_t nr = 0;

	for (size_t i = 0; i < r->nr_kids && nr < max; i++)
		if (kid_is(&r->kids[i], name, text ? text : name))
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
static const struct rule **kids_of(const struct rule *r, const char *name, size_t *nr)
{
	const struct rule **list = must(calloc(r->nr_kids + 2, sizeof(struct rule *)));
	long index;

	*nr = holds_members(r) ? members_of(r, name, list, r->nr_kids + 1) : 0;
	if (!*nr && r->types & RULE_ARRAY && r->item && is_index(name, &index))
		list[(*nr)++] = r->item;
	return list;
}

static bool no_such_name(const struct rule *r, const char *name, size_t depth,
			 struct rule_fault *fault)
{
	struct nearest best = { NULL, 0 };

	for (size_t i = 0; i < r->nr_kids; i++)
		if (!r->kids[i].is_pattern)
			nearest_offer(&best, name, r->kids[i].name);
	return fail(fault, depth, "additionalProperties", "there is no name %.100s here%s%.100s%s",
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
		return fail(fault, depth, r->types ? "type" : "enum",
			    "a value without children is wanted above %.100s", name);
	if (list && is_index(name, &index)) {
		if (r->max_items.set && (long double)index >= r->max_items.at)
			return fail(fault, depth, "maxItems", "at most %s items are wanted",
				    r->max_items.text);
		return true;
	}
	if (!object)
		return fail(fault, depth, "type", "%.100s is no item of a list: they are called 0, 1, "
			    "...", name);
	return nr_rules || !r->no_other || no_such_name(r, name, depth, fault);
}

static bool judge(const struct rule *r, const char *tail, const struct rule_value *v, size_t depth,
		  struct rule_fault *fault);

static bool child_fits(const struct rule *r, const char *tail, const struct rule_value *v,
		       size_t depth, struct rule_fault *fault)
{
	char *name = first_name(tail);
	size_t nr;
	const struct rule **kids = kids_of(r, name, &nr);
	bool ok = name_fits(r, name, nr, depth, fault);

	for (size_t i = 0; ok && i < nr; i++)
		ok = judge(kids[i], rest_of(tail), v, depth + 1, fault);
	free(kids);
	free(name);
	return ok;
}

static bool any_fits(const struct rule *r, const char *tail, const struct rule_value *v,
		     size_t depth, struct rule_fault *fault)
{
	for (size_t i = 0; i < r->nr_any; i++)
		if (judge(r->any[i], tail, v, depth, fault))
			return true;
	return r->nr_any == 0;
}

static bool judge(const struct rule *r, const char *tail, const struct rule_value *v, size_t depth,
		  struct rule_fault *fault)
{
	if (!(*tail ? child_fits(r, tail, v, depth, fault) : value_fits(r, v, depth, fault)))
		return false;
	return any_fits(r, tail, v, depth, fault);
}

bool rule_allows(const struct rule *r, const char *tail, const struct rule_value *v,
		 struct rule_fault *fault)
{
	*fault = (struct rule_fault){ .untold = rule_is_secret(r, tail) };
	return judge(r, tail, v, 0, fault);
}

bool rule_allows_untold(const struct rule *r, const char *tail, const struct rule_value *v,
			struct rule_fault *fault)
{
	*fault = (struct rule_fault){ .untold = true };
	return judge(r, tail, v, 0, fault);
}

static void ask_secret(void *arg, const struct rule *at)
{
	if (at->secret)
		*(bool *)arg = true;
}

bool rule_is_secret(const struct rule *r, const char *tail)
{
	bool secret = false;

	rule_each(r, tail, ask_secret, &secret);
	return secret;
}

void rule_each(const struct rule *r, const char *tail,
	       void (*fn)(void *arg, const struct rule *at), void *arg)
{
	if (*tail) {
		char *name = first_name(tail);
		size_t nr;
		const struct rule **kids = kids_of(r, name, &nr);

		for (size_t i = 0; i < nr; i++)
			rule_each(kids[i], rest_of(tail), fn, arg);
		free(kids);
		free(name);
	} else {
		fn(arg, r);
	}
	for (size_t i = 0; i < r->nr_any; i++)
		rule_each(r->any[i], tail, fn, arg);
}
