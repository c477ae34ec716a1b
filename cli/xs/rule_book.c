/* SPDX-License-Identifier: MIT */
/* rule_book.c - see rule_book.h. */
#include "rule_book.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "nearest.h"
#include "rule_keys.h"
#include "text.h"

static const char *const homes[] = { "$defs", "definitions" };

#define NR_HOMES (sizeof(homes) / sizeof(homes[0]))

/* ---- parts by name ---- */

/* "#/HOME/NAME", the name as it is in the document; malloc'd. */
static char *full_name(const char *home, const char *name)
{
	char *full;

	if (asprintf(&full, "#/%s/%s", home, name) < 0)
		cli_die(CLI_FAIL, "out of memory");
	return full;
}

static void add_parts(struct rule_book *b, const char *home, json_t *members)
{
	const char *key;
	json_t *member;

	b->parts = must(realloc(b->parts, (b->nr_parts + json_object_size(members) + 1) * sizeof(*b->parts)));
	json_object_foreach(members, key, member) {
		char *full = full_name(home, key);

		(void)member;
		json_object_set_new(b->names, full, json_integer((json_int_t)b->nr_parts));
		free(full);
		b->parts[b->nr_parts] = must(calloc(1, sizeof(struct rule)));
		b->parts[b->nr_parts++]->book = b;
	}
}

struct rule_book *rule_book_create(const struct json_pos *top)
{
	struct rule_book *b = must(calloc(1, sizeof(*b)));

	b->names = must(json_object());
	for (size_t i = 0; i < NR_HOMES; i++) {
		json_t *members = json_object_get(top->v, homes[i]);

		/* a number of others is told as such, and nothing of them is read */
		if (json_is_object(members) && json_object_size(members) <= RULE_PARTS_MAX)
			add_parts(b, homes[i], members);
	}
	return b;
}

void rule_book_done(struct rule_book *b)
{
	for (size_t i = 0; i < b->nr_later; i++)
		free(b->later[i].chain);
	free(b->later);
	b->later = NULL;
	b->nr_later = b->max_later = 0;
}

void rule_book_free(struct rule_book *b)
{
	for (size_t i = 0; i < b->nr_parts; i++)
		rule_free(b->parts[i]);
	rule_book_done(b);
	free(b->parts);
	json_decref(b->names);
	free(b);
}

/*
 * A $ref is a URI with a JSON Pointer in it (RFC 6901): %25 is %, then ~1 is / and ~0 is ~.
 * malloc'd.
 */
static char *pointed(const char *ref)
{
	char *out = must(strdup(ref)), *to = out;

	for (const char *s = ref; *s; s++) {
		char hex[3] = { s[0] == '%' ? s[1] : '\0', s[1] ? s[2] : '\0', '\0' };

		if (isxdigit((unsigned char)hex[0]) && isxdigit((unsigned char)hex[1]) && strcmp(hex, "00") != 0) {
			*to++ = (char)strtol(hex, NULL, 16);
			s += 2;
		} else {
			*to++ = *s;
		}
	}
	*to = '\0';
	to = out;
	for (const char *s = out; *s; s++) {
		bool code = s[0] == '~' && (s[1] == '0' || s[1] == '1');

		*to++ = code ? (s[1] == '1' ? '/' : '~') : *s;
		s += code;
	}
	*to = '\0';
	return out;
}

/* Whoever may write a schema writes to the terminals of others. */
static void tell_missing(struct doc *d, const struct place *p, const char *ref, const char *meant)
{
	char *shown = text_escape(ref, strlen(ref)), *other = meant ? text_escape(meant, strlen(meant)) : NULL;

	if (other)
		doc_problem(d, p, "there is no %.80s; did you mean %.80s?", shown, other);
	else
		doc_problem(d, p, "there is no %.80s: # is possible, and #/$defs/NAME or #/definitions/NAME of what "
			    "this file has there", shown);
	free(shown);
	free(other);
}

struct rule *rule_book_find(struct rule_book *b, struct doc *d, const struct place *p, const char *ref)
{
	struct nearest best = { NULL, 0 };
	char *full = pointed(ref);
	json_t *nr = json_object_get(b->names, full), *one;
	struct rule *part = nr ? b->parts[json_integer_value(nr)] : strcmp(full, "#") == 0 ? b->top : NULL;
	const char *key;

	json_object_foreach(part ? NULL : b->names, key, one) {
		(void)one;
		nearest_offer(&best, full, key);
	}
	if (!part)
		tell_missing(d, p, ref, best.word);
	free(full);
	return part;
}

void rule_book_take_parts(struct doc *d, const struct place *p, struct rule *r)
{
	const char *key;
	json_t *member;
	size_t i = 0;

	if (!json_is_object(p->pos->v) || p->up->up) {
		doc_problem(d, p, p->up->up ? "is at the top of a schema only" :
			    "is an object: a name, and the schema that $ref means by it");
		return;
	}
	if (p->pos->nr > RULE_PARTS_MAX) {
		doc_problem(d, p, "has more than %d parts", RULE_PARTS_MAX);
		return;
	}
	json_object_foreach(p->pos->v, key, member) {
		struct place at = { .up = p, .key = key, .pos = &p->pos->kids[i++], .depth = 1 };
		char *full = full_name(p->key, key);
		json_t *nr = json_object_get(r->book->names, full);

		(void)member;
		free(full);
		rule_fill(d, &at, r->book->parts[json_integer_value(nr)]);
	}
}

/* ---- what is looked at later ---- */

void rule_book_later(struct rule_book *b, const struct place *p, struct rule *r)
{
	size_t nr = 0, last;
	struct place *chain;

	for (const struct place *at = p; at; at = at->up)
		nr++;
	last = nr - 1;
	chain = must(calloc(nr, sizeof(*chain)));
	for (const struct place *at = p; at; at = at->up) {
		chain[--nr] = *at;
		chain[nr].up = nr ? &chain[nr - 1] : NULL;
	}
	if (b->nr_later == b->max_later) {
		b->max_later = b->max_later ? b->max_later * 2 : 8;
		b->later = must(realloc(b->later, b->max_later * sizeof(*b->later)));
	}
	b->later[b->nr_later++] = (struct rule_later){ chain, &chain[last], r };
}

/* ---- where a $ref leads ---- */

#define BUSY -1
#define LOOP -2
#define FAR -3

static int hops_of(struct rule *r, int depth);

static int longer(int most, struct rule *next, int depth)
{
	int one = most < 0 || !next ? 0 : hops_of(next, depth + 1);

	return most < 0 ? most : one < 0 ? one : one + 1 > most ? one + 1 : most;
}

/*
 * Through how many others at most @r asks the same node, and itself; LOOP, FAR. Each is gone
 * through once.
 */
static int hops_of(struct rule *r, int depth)
{
	int most = 1;

	if (r->hops == BUSY)
		return LOOP;
	if (r->hops)
		return r->hops;
	if (depth > RULE_HOPS_MAX)
		return FAR;
	r->hops = BUSY;
	most = longer(most, r->ref, depth);
	for (size_t i = 0; i < r->nr_any; i++)
		most = longer(most, r->any[i], depth);
	for (size_t i = 0; i < r->nr_all; i++)
		most = longer(most, r->all[i], depth);
	return r->hops = most > RULE_HOPS_MAX ? FAR : most;
}

bool rule_book_ends(struct rule_book *b, struct doc *d)
{
	for (size_t i = 0; i < b->nr_later; i++) {
		const struct rule_later *l = &b->later[i];
		int hops = strcmp(l->at->key, "$ref") == 0 ? hops_of(l->rule, 0) : 0;

		if (hops >= 0)
			continue;
		doc_problem(d, l->at, hops == LOOP ?
			    "leads back to itself, and by no name: nothing could ever be judged by it" :
			    "leads through more than %d others", RULE_HOPS_MAX);
		return false;
	}
	return true;
}
