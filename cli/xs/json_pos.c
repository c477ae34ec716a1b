/* SPDX-License-Identifier: MIT */
/*
 * json_pos.c - finds the places of values. jansson has accepted the text before, so the scanner
 * here only skips: blanks, punctuation, strings, and words; it keeps step with jansson's own tree.
 */
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "json_pos.h"

struct scan {
	const char *at, *end;
	const char *line_start;
	int line;
};

/* To the next character that begins a value or a key, or closes. */
static void skip_between(struct scan *s)
{
	while (s->at < s->end && strchr(" \t\r\n,:", *s->at)) {
		if (*s->at == '\n') {
			s->line++;
			s->line_start = s->at + 1;
		}
		s->at++;
	}
}

static void skip_string(struct scan *s)
{
	for (s->at++; s->at < s->end && *s->at != '"'; s->at++)
		if (*s->at == '\\')
			s->at++;
	s->at++;
}

static void skip_scalar(struct scan *s)
{
	if (s->at < s->end && *s->at == '"') {
		skip_string(s);
		return;
	}
	while (s->at < s->end && !strchr(" \t\r\n,:]}", *s->at))
		s->at++;
}

static void place(struct json_pos *p, struct scan *s, json_t *v);

static void place_members(struct json_pos *p, struct scan *s)
{
	const char *key;
	json_t *v;
	size_t i = 0;

	json_object_foreach(p->v, key, v) {
		skip_between(s);
		skip_string(s);
		place(&p->kids[i++], s, v);
	}
}

static void place_items(struct json_pos *p, struct scan *s)
{
	for (size_t i = 0; i < p->nr; i++)
		place(&p->kids[i], s, json_array_get(p->v, i));
}

/* Recursion is bounded by jansson's depth, which the text has passed. */
static void place(struct json_pos *p, struct scan *s, json_t *v)
{
	skip_between(s);
	p->v = v;
	p->line = s->line;
	p->column = (int)(s->at - s->line_start) + 1;
	p->nr = json_is_object(v) ? json_object_size(v) : json_array_size(v);
	if (p->nr)
		p->kids = must(calloc(p->nr, sizeof(*p->kids)));
	if (!json_is_object(v) && !json_is_array(v)) {
		p->text = s->at;
		skip_scalar(s);
		p->len = (size_t)(s->at - p->text);
		return;
	}
	s->at++;
	if (json_is_object(v))
		place_members(p, s);
	else
		place_items(p, s);
	skip_between(s);
	s->at++;
}

struct json_pos *json_pos_read(const char *text, size_t len, int line, size_t *used,
			       struct json_problem *why)
{
	struct scan s = { .at = text, .end = text + len, .line_start = text, .line = line };
	struct json_pos *p;
	json_error_t e;
	json_t *v = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK |
					  JSON_DECODE_ANY | JSON_ALLOW_NUL |
					  JSON_DECODE_INT_AS_REAL, &e);

	if (!v) {
		why->line = line + (e.line > 0 ? e.line - 1 : 0);
		why->column = e.column > 0 ? e.column : 1;
		memcpy(why->text, e.text, sizeof(why->text));
		return NULL;
	}
	p = must(calloc(1, sizeof(*p)));
	place(p, &s, v);
	*used = (size_t)e.position;
	return p;
}

static void make(struct json_pos *p, json_t *v)
{
	const char *key;
	json_t *kid;
	size_t i = 0;

	p->v = v;
	p->nr = json_is_object(v) ? json_object_size(v) : json_array_size(v);
	if (p->nr)
		p->kids = must(calloc(p->nr, sizeof(*p->kids)));
	if (json_is_object(v)) {
		json_object_foreach(v, key, kid)
			make(&p->kids[i++], kid);
	} else {
		for (; i < p->nr; i++)
			make(&p->kids[i], json_array_get(v, i));
	}
}

struct json_pos *json_pos_made(json_t *v)
{
	struct json_pos *p = must(calloc(1, sizeof(*p)));

	make(p, v);
	return p;
}

static void free_kids(struct json_pos *p)
{
	for (size_t i = 0; i < p->nr; i++)
		free_kids(&p->kids[i]);
	free(p->kids);
}

void json_pos_free(struct json_pos *p)
{
	if (!p)
		return;
	free_kids(p);
	json_decref(p->v);
	free(p);
}
