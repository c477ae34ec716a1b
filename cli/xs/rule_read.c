/* SPDX-License-Identifier: MIT */
/*
 * rule_read.c - from the text of a schema to a struct rule, and what can only be seen when all of a
 * rule is known. The keywords: rule_keys.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "json_out.h"
#include "kind.h"
#include "rule_book.h"
#include "rule_keys.h"
#include "rule_pattern.h"

#define DEPTH_MAX 64

/* What can only be seen when all keywords have been taken. */
static void check_keyword(struct doc *d, const struct place *p, const struct rule *r)
{
	const struct rule_keyword *k = rule_keyword_of(p->key);
	char words[80];

	if (k && k->of && !(r->types & k->of))
		doc_problem(d, p, "says something of %s only: \"type\" has to name it",
			    rule_types_text(k->of, words, sizeof(words)));
}

static void check_order(struct doc *d, const struct place *p, const struct rule *r)
{
	bool beyond = r->minimum.beyond || r->maximum.beyond;

	if ((r->minimum.set && r->maximum.set &&
	     (r->minimum.at > r->maximum.at || (beyond && r->minimum.at == r->maximum.at))) ||
	    (r->min_items.set && r->max_items.set && r->min_items.at > r->max_items.at) ||
	    (r->min_len.set && r->max_len.set && r->min_len.at > r->max_len.at))
		doc_problem(d, p, "the least allowed is more than the most: nothing is possible here");
}

static void each_member(struct doc *d, const struct place *p, struct rule *r,
			void (*fn)(struct doc *d, const struct place *kid, struct rule *r))
{
	const char *key;
	json_t *member;
	size_t i = 0;

	json_object_foreach(p->pos->v, key, member) {
		struct place kid = { .up = p, .key = key, .pos = &p->pos->kids[i++],
				     .depth = p->depth };

		(void)member;
		fn(d, &kid, r);
	}
}

static void take_member(struct doc *d, const struct place *kid, struct rule *r)
{
	const struct rule_keyword *k = rule_keyword_of(kid->key);

	if (k)
		k->take(d, kid, r);
	else
		rule_keyword_unknown(d, kid);
}

static void check_member(struct doc *d, const struct place *kid, struct rule *r)
{
	check_keyword(d, kid, r);
}

void rule_fill(struct doc *d, const struct place *p, struct rule *r)
{
	unsigned int before = d->nr_errors;

	if (r->book->nr_rules++ >= RULE_PARTS_MAX) {
		/* once is enough */
		if (r->book->nr_rules == RULE_PARTS_MAX + 1)
			doc_problem(d, p, "a schema has at most %d parts", RULE_PARTS_MAX);
	} else if (!json_is_object(p->pos->v)) {
		doc_problem(d, p, "a schema is an object");
	} else if (p->depth > DEPTH_MAX) {
		doc_problem(d, p, "nested too deeply");
	} else {
		each_member(d, p, r, take_member);
		/* a keyword that was not understood would have others follow from it */
		if (d->nr_errors == before)
			each_member(d, p, r, check_member);
		check_order(d, p, r);
	}
}

struct rule *rule_take(struct doc *d, const struct place *p, struct rule_book *book)
{
	struct rule *r = must(calloc(1, sizeof(*r)));

	r->book = book;
	rule_fill(d, p, r);
	return r;
}

static void check_default(struct doc *d, const struct place *p, const struct rule *r)
{
	struct rule_fault fault = { 0 };
	struct rule_value v = { .kind = (int)kind_of(p->pos->v) };
	char *bytes;

	if (json_is_null(p->pos->v)) {
		bytes = must(strdup(""));
	} else if (json_is_number(p->pos->v)) {
		bytes = must(strndup(p->pos->text, p->pos->len));
		v.len = p->pos->len;
	} else {
		bytes = json_bytes(p->pos->v, &v.len);
	}
	v.bytes = bytes;
	if (!bytes)
		doc_problem(d, p, "a default is text, a number, true, false or null");
	else if (!rule_allows(r, "", &v, &fault))
		doc_problem(d, p, "%s (%s)", fault.text, fault.keyword);
	free(bytes);
}

/* What a default may be is known when what $ref names has been read. */
static void check_later(struct doc *d, const struct rule_book *b)
{
	for (size_t i = 0; i < b->nr_later; i++)
		if (strcmp(b->later[i].at->key, "default") == 0)
			check_default(d, b->later[i].at, b->later[i].rule);
}

static struct rule *read_at(struct doc *d, const struct json_pos *pos)
{
	struct place top = { .pos = pos };
	unsigned int before = d->nr_errors;
	struct rule_book *book;
	struct rule *r;

	if (!json_is_object(pos->v)) {
		doc_problem(d, &top, "a schema is an object");
		return NULL;
	}
	book = rule_book_create(pos);
	r = book->top = must(calloc(1, sizeof(*r)));
	r->book = book;
	rule_fill(d, &top, r);
	/* what goes in a circle is not asked */
	if (d->nr_errors == before && rule_book_ends(book, d))
		check_later(d, book);
	rule_book_done(book);
	return r;
}

struct rule *rule_read(struct doc *d, const char *text, size_t len)
{
	struct json_problem why = { 1, 1, "is empty" };
	size_t used = 0;
	struct json_pos *pos = NULL;
	struct rule *r = NULL;
	unsigned int before = d->nr_errors;

	if (len && strspn(text, " \t\r\n") < len)
		pos = json_pos_read(text, len, 1, &used, &why);
	if (!pos) {
		doc_problem_in(d, &why);
		return NULL;
	}
	/* a NUL ends the blanks too, and is not one */
	if (used + strspn(text + used, " \t\r\n") < len) {
		why = (struct json_problem){ 1, 1, "something follows the schema" };
		for (size_t i = 0; i < used + strspn(text + used, " \t\r\n"); i++) {
			why.column = text[i] == '\n' ? 1 : why.column + 1;
			why.line += text[i] == '\n';
		}
		doc_problem_in(d, &why);
	} else {
		r = read_at(d, pos);
	}
	json_pos_free(pos);
	if (d->nr_errors == before)
		return r;
	rule_free(r);
	return NULL;
}

static void bound_free(struct rule_bound *b)
{
	free(b->text);
}

static void free_list(struct rule **list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		rule_free(list[i]);
	free(list);
}

void rule_free(struct rule *r)
{
	if (!r)
		return;
	json_decref(r->choices);
	json_decref(r->absent);
	bound_free(&r->minimum);
	bound_free(&r->maximum);
	bound_free(&r->min_len);
	bound_free(&r->max_len);
	bound_free(&r->min_items);
	bound_free(&r->max_items);
	rule_pattern_free(r->re);
	for (size_t i = 0; i < r->nr_kids; i++) {
		rule_pattern_free(r->kids[i].re);
		rule_free(r->kids[i].rule);
		free(r->kids[i].name);
	}
	for (size_t i = 0; i < r->nr_required; i++)
		free(r->required[i]);
	free_list(r->any, r->nr_any);
	free_list(r->all, r->nr_all);
	rule_free(r->other);
	rule_free(r->item);
	if (r->book && r->book->top == r)
		rule_book_free(r->book);
	free(r->required);
	free(r->kids);
	free(r->pattern);
	free(r->title);
	free(r->words);
	free(r);
}
