/* SPDX-License-Identifier: MIT */
/*
 * doc_read.c - from the text of a document to the list of nodes it wants. Every problem is found
 * before anything is done: syntax here, what a value may be in doc_take.c and doc_exact.c.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>

#include "die.h"
#include "doc.h"
#include "doc_take.h"
#include "long_value.h"

struct text {
	const char *at;
	size_t len;
	int line, column;
};

static void skip(struct text *t, size_t len)
{
	const char *end = t->at + len, *line;

	t->len -= len;
	while ((line = memchr(t->at, '\n', (size_t)(end - t->at)))) {
		t->line++;
		t->column = 1;
		t->at = line + 1;
	}
	t->column += (int)(end - t->at);
	t->at = end;
}

/* Skips blanks. Returns whether there is more. */
static bool more(struct text *t)
{
	size_t blanks = 0;

	while (blanks < t->len && strchr(" \t\r\n", t->at[blanks]))
		blanks++;
	skip(t, blanks);
	return t->len > 0;
}

static struct json_pos *next_value(struct doc *d, struct text *t)
{
	struct json_problem why;
	size_t used = 0;
	struct json_pos *p = json_pos_read_written(t->at, t->len, t->line, &used, &why);

	if (!p) {
		if (why.line == t->line)
			why.column += t->column - 1;
		doc_problem_in(d, &why);
		return NULL;
	}
	skip(t, used);
	return p;
}

/* Lines of the exact form, the first of which is @p. */
static void read_lines(struct doc *d, struct text *t, struct json_pos *p)
{
	while (p) {
		doc_take_line(d, p);
		json_pos_free(p);
		p = more(t) ? next_value(d, t) : NULL;
	}
}

static bool twice(const struct want *a, const struct want *b)
{
	return strcmp(a->path, b->path) == 0;
}

/* An exact file may name a path in two lines. */
static void check_once(struct doc *d)
{
	for (size_t i = 1; i < d->nr; i++) {
		struct json_problem why = { d->wants[i].line, d->wants[i].column, "" };

		if (!twice(&d->wants[i - 1], &d->wants[i]))
			continue;
		snprintf(why.text, sizeof(why.text), "%.100s is described twice, also in line %d",
			 d->wants[i].path, d->wants[i - 1].line);
		doc_problem_in(d, &why);
	}
}

/* Parts are written with their value: one that a document names would be written over them. */
static void check_parts(struct doc *d)
{
	char up[XENSTORE_ABS_PATH_MAX + 1];

	for (size_t i = 0; i < d->nr; i++) {
		const struct want *w = &d->wants[i], *of;
		struct json_problem why = { w->line, w->column, "" };

		if (!long_is_part(w->path, NULL) || strlen(w->path) >= sizeof(up))
			continue;
		snprintf(up, sizeof(up), "%s", w->path);
		*strrchr(up, '/') = '\0';
		of = doc_find(d, *up ? up : "/");
		if (!of || !of->value || !long_is_needed(of->path, of->value, of->len))
			continue;
		snprintf(why.text, sizeof(why.text),
			 "%.90s is a part of the long value above it: leave it out", w->path);
		doc_problem_in(d, &why);
	}
}

/* What can only be seen of all of it. */
static void finish(struct doc *d)
{
	doc_sort(d);
	check_once(d);
	check_parts(d);
}

/* The root has members only: a list or a text there is a document meant for another place. */
static void check_top(struct doc *d, const struct place *p)
{
	if (strcmp(p->path, "/") == 0 && !json_is_object(p->pos->v) && !json_is_null(p->pos->v))
		doc_problem(d, p, "at the root of the store an object is wanted; --at PATH takes it "
			"elsewhere");
}

void doc_read(struct doc *d, const char *text, size_t len, const char *at)
{
	struct text t = { text, len, 1, 1 };
	struct json_problem nothing = { 1, 1, "is empty" };
	struct json_pos *p;

	if (!more(&t)) {
		doc_problem_in(d, &nothing);
		return;
	}
	p = next_value(d, &t);
	if (p && (d->part || !doc_is_exact(p->v))) {
		struct place top = { .pos = p, .path = doc_keep(d, at, strlen(at)) };

		check_top(d, &top);
		doc_take_node(d, &top);
		json_pos_free(p);
		if (more(&t)) {
			struct json_problem why = { t.line, t.column,
						    "something follows the document" };

			doc_problem_in(d, &why);
		}
	} else {
		read_lines(d, &t, p);
	}
	finish(d);
}

/* ---- documents of documents ---- */

static const struct doc_part *part_named(const struct doc_part *parts, const char *name)
{
	while (parts->name && strcmp(parts->name, name) != 0)
		parts++;
	return parts->name ? parts : NULL;
}

static void take_part(const struct doc_part *part, const struct place *p, unsigned int *nr_errors)
{
	struct doc *d = part->d;

	d->part = true;
	check_top(d, p);
	doc_take_node(d, p);
	finish(d);
	*nr_errors += d->nr_errors;
}

/* A misspelt member would be one that is not there. */
static void take_parts(struct doc *d, const struct place *top, const struct doc_part *parts)
{
	const char *key;
	json_t *member;
	size_t i = 0;

	if (!json_is_object(top->pos->v)) {
		doc_problem(d, top, "an object is wanted here");
		return;
	}
	json_object_foreach(top->pos->v, key, member) {
		struct place kid = { .up = top, .key = key, .pos = &top->pos->kids[i++],
				     .path = "/" };
		const struct doc_part *part = part_named(parts, key);
		char words[128] = "";

		if (part) {
			part->d->name = d->name;
			take_part(part, &kid, &d->nr_errors);
			continue;
		}
		for (part = parts; part->name; part++)
			snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s",
				 *words ? ", " : "", part->name);
		doc_problem(d, &kid, "is not known: %s", words);
	}
}

void doc_read_parts(const char *name, const char *text, size_t len, const struct doc_part *parts,
		    unsigned int *nr_errors)
{
	struct text t = { text, len, 1, 1 };
	struct doc d = { .name = name, .quiet = parts->d->quiet };
	struct json_problem nothing = { 1, 1, "is empty" };
	struct json_pos *p = more(&t) ? next_value(&d, &t) : NULL;

	if (p) {
		struct place top = { .pos = p, .path = "/" };
		struct json_problem why;

		take_parts(&d, &top, parts);
		json_pos_free(p);
		if (more(&t)) {
			why = (struct json_problem){ t.line, t.column,
						     "something follows the document" };
			doc_problem_in(&d, &why);
		}
	} else if (!d.nr_errors) {
		doc_problem_in(&d, &nothing);
	}
	*nr_errors += d.nr_errors;
}

void doc_from_json(struct doc *d, const char *name, const json_t *v, bool any_value)
{
	struct json_pos *p;
	struct place top = { .path = "/" };

	*d = (struct doc){ .name = name, .allow_null = true, .any_value = any_value,
			   .any_kind = true };
	if (!v)
		return;
	p = json_pos_made(json_incref((json_t *)v));
	top.pos = p;
	doc_take_node(d, &top);
	json_pos_free(p);
	doc_sort(d);
	doc_end_if_wrong(d);
}
