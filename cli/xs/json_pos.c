/* SPDX-License-Identifier: MIT */
/*
 * json_pos.c - finds the places of values. jansson has accepted the text before, so the scanner
 * here only skips: blanks, punctuation, strings, and words; it keeps step with jansson's own tree.
 *
 * What was read is freed as a whole: a value and a place for each of 100,000 lines of a document,
 * one by one, would cost as much as half of reading it.
 */
#include <obstack.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "json_pos.h"

#define obstack_chunk_alloc chunk
#define obstack_chunk_free free
#define CHUNK ((size_t)64 << 10)

/* What json_pos_read() and json_pos_made() return is its top. */
struct whole {
	struct obstack memory;
	json_t *made;	/* its values, if they are a program's; NULL: they are in the memory */
	struct json_pos top;
};

struct scan {
	struct obstack *memory;
	const char *at, *end;
	const char *line_start;
	int line;
};

static void *chunk(size_t size)
{
	return must(malloc(size));
}

static struct whole *whole_new(void)
{
	struct whole *w = must(calloc(1, sizeof(*w)));

	obstack_begin(&w->memory, CHUNK);
	return w;
}

static void whole_free(struct whole *w)
{
	json_decref(w->made);
	obstack_free(&w->memory, NULL);
	free(w);
}

/* Places for what is in @p. */
static void make_kids(struct json_pos *p, struct obstack *memory)
{
	p->nr = json_is_object(p->v) ? json_object_size(p->v) : json_array_size(p->v);
	if (p->nr) {
		p->kids = obstack_alloc(memory, p->nr * sizeof(*p->kids));
		memset(p->kids, 0, p->nr * sizeof(*p->kids));
	}
}

/* jansson asks for memory without saying for which text. */
static struct obstack *reading;

static void *read_alloc(size_t size)
{
	return obstack_alloc(reading, size);
}

static void read_free(void *p)
{
	(void)p;
}

/* jansson's tree of the text, in @memory; nobody may count references to it. */
static json_t *values_read(struct obstack *memory, const char *text, size_t len, json_error_t *e)
{
	json_malloc_t usual_alloc;
	json_free_t usual_free;
	json_t *v;

	json_get_alloc_funcs(&usual_alloc, &usual_free);
	reading = memory;
	json_set_alloc_funcs(read_alloc, read_free);
	v = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY |
				  JSON_ALLOW_NUL | JSON_DECODE_INT_AS_REAL, e);
	json_set_alloc_funcs(usual_alloc, usual_free);
	return v;
}

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
	make_kids(p, s->memory);
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
	struct whole *w = whole_new();
	struct scan s = { .memory = &w->memory, .at = text, .end = text + len, .line_start = text,
			  .line = line };
	json_error_t e;
	json_t *v = values_read(&w->memory, text, len, &e);

	if (!v) {
		why->line = line + (e.line > 0 ? e.line - 1 : 0);
		why->column = e.column > 0 ? e.column : 1;
		memcpy(why->text, e.text, sizeof(why->text));
		whole_free(w);
		return NULL;
	}
	place(&w->top, &s, v);
	*used = (size_t)e.position;
	return &w->top;
}

static void make(struct json_pos *p, struct obstack *memory, json_t *v)
{
	const char *key;
	json_t *kid;
	size_t i = 0;

	p->v = v;
	make_kids(p, memory);
	if (json_is_object(v)) {
		json_object_foreach(v, key, kid)
			make(&p->kids[i++], memory, kid);
	} else {
		for (; i < p->nr; i++)
			make(&p->kids[i], memory, json_array_get(v, i));
	}
}

struct json_pos *json_pos_made(json_t *v)
{
	struct whole *w = whole_new();

	w->made = v;
	make(&w->top, &w->memory, v);
	return &w->top;
}

void json_pos_free(struct json_pos *p)
{
	if (p)
		whole_free((struct whole *)((char *)p - offsetof(struct whole, top)));
}
