/* SPDX-License-Identifier: MIT */
/*
 * json_pos.c - finds the places of values. jansson has accepted the text before, so the scanner
 * here only skips: blanks, punctuation, strings, and words; it keeps step with jansson's own tree.
 *
 * What was read is freed as a whole: a value and a place for each of 100,000 lines of a document,
 * one by one, would cost as much as half of reading it.
 */
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "arena.h"
#include "die.h"
#include "json_pos.h"
#include "kind.h"

/* What json_pos_read() and json_pos_made() return is its top. */
struct whole {
	struct arena memory;
	json_t *made;	/* its values, if they are a program's; NULL: they are in the memory */
	struct json_pos top;
};

struct scan {
	struct arena *memory;
	const char *at, *end;
	const char *line_start;
	int line;
};

static struct whole *whole_new(void)
{
	return must(calloc(1, sizeof(struct whole)));
}

static void whole_free(struct whole *w)
{
	json_decref(w->made);
	arena_free(&w->memory);
	free(w);
}

/* Places for what is in @p. */
static void make_kids(struct json_pos *p, struct arena *memory)
{
	p->nr = json_is_object(p->v) ? json_object_size(p->v) : json_array_size(p->v);
	if (p->nr) {
		p->kids = arena_alloc(memory, p->nr * sizeof(*p->kids));
		memset(p->kids, 0, p->nr * sizeof(*p->kids));
	}
}

/* jansson asks for memory without saying for which text. */
static struct arena *reading;

static void *read_alloc(size_t size)
{
	return arena_alloc(reading, size);
}

static void read_free(void *p)
{
	(void)p;
}

/* jansson's tree of the text, in @memory; nobody may count references to it. */
static json_t *values_read(struct arena *memory, const char *text, size_t len, json_error_t *e)
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
	for (; s->at < s->end; s->at++) {
		char c = *s->at;

		if (c > ',' && c != ':')
			return;
		if (c == '\n') {
			s->line++;
			s->line_start = s->at + 1;
		} else if (!strchr(" \t\r,:", c)) {
			return;
		}
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

/* ---- numbers beyond a double, which jansson refuses ---- */

/* Where the next token begins, with @s behind it; NULL: there is none. */
static const char *token(struct scan *s)
{
	const char *from;

	skip_between(s); /* a NUL, too: it is what jansson ends at */
	from = s->at;
	if (from >= s->end)
		return NULL;
	if (strchr("[]{}", *from))
		s->at++;
	else
		skip_scalar(s);
	s->at = s->at < s->end ? s->at : s->end;
	return from;
}

/* How much of the text the first value has: behind it there may be thousands of others. */
static size_t extent(const char *text, size_t len)
{
	struct scan s = { .at = text, .end = text + len };
	const char *from;
	int depth = 0;

	while ((from = token(&s))) {
		depth += *from == '[' || *from == '{';
		depth -= *from == ']' || *from == '}';
		if (depth <= 0)
			break;
	}
	return (size_t)(s.at - text);
}

static bool is_beyond(const char *at, size_t len)
{
	char *text;
	bool beyond;

	if (!kind_fits(XS_KIND_NUMBER, at, len))
		return false;
	text = must(strndup(at, len));
	beyond = isinf(strtod(text, NULL));
	free(text);
	return beyond;
}

/* A copy of @len bytes at @text where such numbers are zeros of the same length. */
static char *with_zeros(const char *text, size_t len)
{
	char *copy = must(malloc(len + 1));
	struct scan s = { .at = text, .end = text + len };
	const char *from;

	memcpy(copy, text, len);
	while ((from = token(&s))) {
		if (!is_beyond(from, (size_t)(s.at - from)))
			continue;
		from += *from == '-';
		memset(copy + (from - text), '0', (size_t)(s.at - from));
		copy[from - text + 1] = '.';
	}
	return copy;
}

/* What jansson says was near its problem, as it is in @text. */
static void say_as_written(json_error_t *e, const char *text, const char *copy, size_t len)
{
	char *near = strstr(e->text, " near '"), *end = strrchr(e->text, '\'');
	size_t n, at = (size_t)e->position;

	if (!near || e->position < 0 || at > len)
		return;
	near += strlen(" near '");
	n = end > near ? (size_t)(end - near) : 0;
	if (n <= at && memcmp(near, copy + at - n, n) == 0)
		memcpy(near, text + at - n, n);
}

static json_t *values_any(struct arena *memory, const char *text, size_t len, json_error_t *e)
{
	json_t *v = values_read(memory, text, len, e);
	char *copy;

	if (v || json_error_code(e) != json_error_numeric_overflow)
		return v;
	len = extent(text, len);
	copy = with_zeros(text, len);
	v = values_read(memory, copy, len, e);
	if (!v)
		say_as_written(e, text, copy, len);
	free(copy);
	return v;
}

static struct json_pos *read_by(json_t *values(struct arena *, const char *, size_t, json_error_t *),
				const char *text, size_t len, int line, size_t *used,
				struct json_problem *why)
{
	struct whole *w = whole_new();
	struct scan s = { .memory = &w->memory, .at = text, .end = text + len, .line_start = text,
			  .line = line };
	json_error_t e;
	json_t *v = values(&w->memory, text, len, &e);

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

struct json_pos *json_pos_read(const char *text, size_t len, int line, size_t *used,
			       struct json_problem *why)
{
	return read_by(values_read, text, len, line, used, why);
}

struct json_pos *json_pos_read_written(const char *text, size_t len, int line, size_t *used,
				       struct json_problem *why)
{
	return read_by(values_any, text, len, line, used, why);
}

static void make(struct json_pos *p, struct arena *memory, json_t *v)
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
