/* SPDX-License-Identifier: MIT */
/*
 * doc_read.c - from the text of a document to the list of nodes it wants. Every problem is found
 * before anything is done: syntax, names, limits of the protocol, types of the schema.
 */
#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>

#include "die.h"
#include "doc.h"
#include "json_out.h"
#include "json_pos.h"
#include "kind.h"
#include "name.h"
#include "schema.h"

#define MAX_DEPTH 512
#define POINTER_MAX 4096
#define SET_MAX 64
#define PATH_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_@"

/* One value of the document, and how it was reached. */
struct place {
	const struct place *up;
	const char *key;	    /* of the member; NULL: an item, or the document itself */
	size_t index;		    /* of an item */
	const struct json_pos *pos;
	const char *path;	    /* of the node it is about */
	int depth;
};

/* ---- problems ---- */

/* RFC 6901. Returns the length; what does not fit is cut. */
static size_t pointer_text(const struct place *p, char *buf, size_t size)
{
	size_t at;

	if (!p->up) {
		buf[0] = '\0';
		return 0;
	}
	at = pointer_text(p->up, buf, size);
	if (!p->key) {
		int n = snprintf(buf + at, size - at, "/%zu", p->index);

		return at + (size_t)n < size ? at + (size_t)n : at;
	}
	for (const char *k = p->key - 1; k < p->key || *k; k++) {
		char c = k < p->key ? '/' : *k;
		const char *code = k < p->key ? NULL : c == '~' ? "~0" : c == '/' ? "~1" : NULL;

		if (at + 3 > size)
			break;
		if (code)
			buf[at++] = *code++;
		buf[at++] = code ? *code : iscntrl((unsigned char)c) ? '?' : c;
	}
	buf[at] = '\0';
	return at;
}

static void problem(struct doc *d, const struct place *p, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void problem(struct doc *d, const struct place *p, const char *fmt, ...)
{
	char text[768], pointer[POINTER_MAX];
	va_list ap;

	d->nr_errors++;
	if (d->quiet)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pointer_text(p, pointer, sizeof(pointer));
	if (p->pos->line)
		cli_warn("%s:%d:%d: %s: %s", d->name, p->pos->line, p->pos->column,
			 *pointer ? pointer : "(document)", text);
	else
		cli_warn("%s: at %s: %s", d->name, *pointer ? pointer : "/", text);
}

/* ---- checks ---- */

static void check_limits(struct doc *d, const struct place *p, const struct want *w)
{
	size_t len = strlen(w->path);

	if (len > XENSTORE_ABS_PATH_MAX)
		problem(d, p, "the path has %zu bytes, at most %d are allowed", len,
			XENSTORE_ABS_PATH_MAX);
	else if (w->value && len + 1 + w->len > XENSTORE_PAYLOAD_MAX)
		problem(d, p, "path and value together have %zu bytes, at most %d are allowed",
			len + 1 + w->len, XENSTORE_PAYLOAD_MAX);
	if (len + 1 + w->perms_len > XENSTORE_PAYLOAD_MAX)
		problem(d, p, "too many permissions: with the path they have %zu bytes, at most %d "
			"are allowed", len + 1 + w->perms_len, XENSTORE_PAYLOAD_MAX);
}

static void check_type(struct doc *d, const struct place *p, const struct want *w)
{
	const struct schema_row *row = d->any_value ? NULL : schema_find(w->path);
	char why[SCHEMA_WHY_LEN];

	if (row && w->value && !schema_check(row, w->value, w->len, why))
		problem(d, p, "%.*s%s is not possible here: %s is wanted",
			(int)(w->len < 64 ? w->len : 64), row->type == SCHEMA_SECRET ? "this" :
			*w->value ? w->value : "this", w->len > 64 ? "..." : "", why);
}

static bool name_ok(const char *name)
{
	return *name && name[strspn(name, PATH_CHARS)] == '\0';
}

static bool path_ok(const char *path)
{
	size_t len = strlen(path);

	return path[0] == '/' && path[strspn(path, PATH_CHARS "/")] == '\0' &&
	       !strstr(path, "//") && (len == 1 || path[len - 1] != '/');
}

/* ---- values and permissions ---- */

/* A number is kept as it was written. */
static char *bytes_of(const struct json_pos *pos, const json_t *v, size_t *len)
{
	if (json_is_null(v)) {
		*len = 0;
		return must(strdup(""));
	}
	if (json_is_number(v) && pos->v == v && pos->text) {
		*len = pos->len;
		return must(strndup(pos->text, pos->len));
	}
	return json_bytes(v, len);
}

static void take_value(struct doc *d, const struct place *p, struct want *w, const json_t *v)
{
	free(w->value);
	w->value = bytes_of(p->pos, v, &w->len);
	if (!w->value)
		problem(d, p, "a value is text, a number, true, false, null or "
			"{\"@b64\": \"...\"}");
	else if (!d->any_kind && !d->any_value)
		w->kind = kind_of(v);
}

static void take_kind(struct doc *d, const struct place *p, struct want *w, const json_t *v)
{
	const char *name = json_string_value(v);
	enum xs_kind kind;

	if (!name || !kind_named(name, &kind))
		problem(d, p, "a kind is text, number, boolean, null, object or list");
	else
		w->kind = kind;
}

static bool perm_ok(const char *s)
{
	char *end;
	long id = strtol(s + 1, &end, 10);

	return s[0] && strchr("nrwb", s[0]) && isdigit((unsigned char)s[1]) && !*end && id >= 0 &&
	       id < 0x7ff0;
}

static void take_perms(struct doc *d, const struct place *p, struct want *w, const json_t *v)
{
	size_t i;
	json_t *one;

	if (!json_is_array(v) || !json_array_size(v)) {
		problem(d, p, "permissions are a list such as [\"n0\", \"r5\"]");
		return;
	}
	free(w->perms);
	w->perms_len = 0;
	w->perms = must(calloc(json_array_size(v), 8));
	json_array_foreach(v, i, one) {
		const char *s = json_string_value(one);

		if (!s || json_string_length(one) > 6 || !perm_ok(s)) {
			problem(d, p, "permission %zu is not one of n, r, w, b and a domain id", i);
			return;
		}
		w->perms_len += (size_t)sprintf(w->perms + w->perms_len, "%s", s) + 1;
	}
}

/* ---- the natural form ---- */

static void take_node(struct doc *d, const struct place *p);

/* @key: the child's name, or "@wire:" and how the store has it. */
static void take_child(struct doc *d, struct place *kid, const char *key)
{
	bool wire = key == kid->key && strncmp(key, NAME_WIRE, strlen(NAME_WIRE)) == 0;
	char *name = wire ? must(strdup(key + strlen(NAME_WIRE))) : name_encode(key), *path;

	if (!name_ok(name)) {
		problem(d, kid, NAME_WIRE " is followed by letters, digits and - _ @ only");
		free(name);
		return;
	}
	if (asprintf(&path, "%s/%s", strcmp(kid->up->path, "/") ? kid->up->path : "", name) < 0)
		cli_die(CLI_FAIL, "out of memory");
	free(name);
	kid->path = path;
	take_node(d, kid);
	free(path);
}

static void take_roots(struct doc *d, const struct place *p)
{
	size_t i;
	json_t *one;

	if (!json_is_array(p->pos->v))
		problem(d, p, "@roots is a list of paths");
	json_array_foreach(p->pos->v, i, one) {
		const char *s = json_string_value(one);
		char *path = s ? name_typed(s) : NULL;

		if (!path || strlen(s) != json_string_length(one) || !path_ok(path) ||
		    strcmp(path, "/") == 0) {
			problem(d, p, "entry %zu is not a path below /", i);
			free(path);
			continue;
		}
		d->roots = must(realloc(d->roots, (d->nr_roots + 1) * sizeof(*d->roots)));
		d->roots[d->nr_roots++] = path;
	}
}

static void take_set(struct doc *d, const struct place *p)
{
	const char *s = json_string_value(p->pos->v);

	if (!s || !name_ok(s) || strlen(s) > SET_MAX)
		problem(d, p, "@set is a name of letters, digits and - _ @, at most %d", SET_MAX);
	else
		d->set = must(strdup(s));
}

static bool is_of_whole(const char *key)
{
	return strcmp(key, "@roots") == 0 || strcmp(key, "@set") == 0;
}

/* A member of the object at @up: special ones belong to the node itself, @self. */
static void take_member(struct doc *d, struct place *kid, size_t self)
{
	const char *key = kid->key;

	kid->path = kid->up->path;
	if (key[0] != '@' || key[1] == '@') {
		d->wants[self].only_holds = true;
		take_child(d, kid, key + (key[0] == '@'));
	} else if (strncmp(key, NAME_WIRE, strlen(NAME_WIRE)) == 0) {
		d->wants[self].only_holds = true;
		take_child(d, kid, key);
	} else if (strcmp(key, "@value") == 0) {
		take_value(d, kid, &d->wants[self], kid->pos->v);
		check_type(d, kid, &d->wants[self]);
	} else if (strcmp(key, "@kind") == 0) {
		take_kind(d, kid, &d->wants[self], kid->pos->v);
	} else if (strcmp(key, "@perms") == 0) {
		take_perms(d, kid, &d->wants[self], kid->pos->v);
	} else if (kid->up->depth == 0 && d->part && is_of_whole(key)) {
		problem(d, kid, "has no meaning in a part of a document");
	} else if (strcmp(key, "@roots") == 0 && kid->up->depth == 0) {
		take_roots(d, kid);
	} else if (strcmp(key, "@set") == 0 && kid->up->depth == 0) {
		take_set(d, kid);
	} else {
		problem(d, kid, "\"%.64s\" is not known; a child of that name is \"@%.64s\"", key,
			key);
	}
}

static void take_members(struct doc *d, const struct place *p)
{
	size_t self = d->nr - 1, i = 0;
	const char *key;
	json_t *member;

	if (!d->any_kind && !d->any_value)
		d->wants[self].kind = XS_KIND_OBJECT;
	json_object_foreach(p->pos->v, key, member) {
		struct place kid = { .up = p, .key = key, .pos = &p->pos->kids[i++],
				     .depth = p->depth + 1 };

		take_member(d, &kid, self);
	}
}

static void take_items(struct doc *d, const struct place *p)
{
	char name[24];

	d->wants[d->nr - 1].list = true;
	d->wants[d->nr - 1].value = must(strdup(""));
	if (!d->any_kind && !d->any_value)
		d->wants[d->nr - 1].kind = XS_KIND_LIST;
	for (size_t i = 0; i < p->pos->nr; i++) {
		struct place kid = { .up = p, .index = i, .pos = &p->pos->kids[i],
				     .depth = p->depth + 1 };

		snprintf(name, sizeof(name), "%zu", i);
		take_child(d, &kid, name);
	}
}

/* Whether null at @p is a value, not the wish that there be none. */
static bool null_is_value(const struct doc *d, const struct place *p)
{
	bool item = p->up && !p->key;

	return item || (!d->allow_null && strcmp(p->path, "/") != 0);
}

static void take_node(struct doc *d, const struct place *p)
{
	const json_t *v = p->pos->v;
	size_t self = d->nr;
	struct want *w = doc_want(d, p->path);

	w->line = p->pos->line;
	w->column = p->pos->column;
	if (p->depth > MAX_DEPTH) {
		problem(d, p, "nested too deeply");
	} else if (json_is_null(v) && !null_is_value(d, p)) {
		w->gone = true;
		if (!d->allow_null)
			problem(d, p, "null removes a node: only apply and diff do that");
		else if (strcmp(p->path, "/") == 0)
			problem(d, p, "the root cannot be removed");
	} else if (json_is_object(v) && !json_object_get(v, "@b64")) {
		take_members(d, p);
	} else if (json_is_array(v)) {
		take_items(d, p);
	} else {
		take_value(d, p, w, v);
		check_type(d, p, w);
	}
	check_limits(d, p, &d->wants[self]);
}

/* ---- the exact form ---- */

static bool is_exact(const json_t *v)
{
	const char *path = json_string_value(json_object_get(v, "path"));

	return path && path[0] == '/' &&
	       (json_object_get(v, "value") || json_object_get(v, "b64"));
}

/* What else a line says would be lost without a word. */
static void check_line(struct doc *d, const struct place *p)
{
	static const char *const known[] = { "path", "value", "b64", "perms", "kind",
					     "gen", NULL };
	const char *key;
	json_t *member;
	size_t i = 0;

	json_object_foreach(p->pos->v, key, member) {
		struct place kid = { .up = p, .key = key, .pos = &p->pos->kids[i++] };
		int k = 0;

		while (known[k] && strcmp(known[k], key) != 0)
			k++;
		if (!known[k])
			problem(d, &kid, "is not known: path, value or b64, perms, kind");
	}
	if (json_object_get(p->pos->v, "value") && json_object_get(p->pos->v, "b64"))
		problem(d, p, "this line has both \"value\" and \"b64\"");
}

/* Where the member @key of the line @p has its value; the line itself if it has none. */
static struct place place_of(const struct place *p, const char *key)
{
	const json_t *wanted = json_object_get(p->pos->v, key);

	for (size_t i = 0; wanted && i < p->pos->nr; i++) {
		if (p->pos->kids[i].v == wanted)
			return (struct place){ .up = p, .key = key, .pos = &p->pos->kids[i],
					       .path = p->path };
	}
	return *p;
}

static void take_line(struct doc *d, const struct json_pos *pos)
{
	struct place p = { .pos = pos }, at;
	const json_t *v = pos->v;
	json_t *name = json_object_get(v, "path"), *perms = json_object_get(v, "perms");
	json_t *value = json_object_get(v, "value"), *b64 = json_object_get(v, "b64");
	json_t *kind = json_object_get(v, "kind");
	struct want *w;

	p.path = json_string_value(name);
	if (!p.path || strlen(p.path) != json_string_length(name) || !path_ok(p.path)) {
		problem(d, &p, "this line has no valid \"path\"");
		return;
	}
	check_line(d, &p);
	w = doc_want(d, p.path);
	w->line = pos->line;
	w->column = pos->column;
	at = place_of(&p, b64 ? "b64" : "value");
	if (b64)
		value = json_pack("{s:O}", "@b64", b64);
	take_value(d, &at, w, value);
	if (b64)
		json_decref(value);
	w->kind = XS_KIND_TEXT;
	if (kind)
		take_kind(d, &p, w, kind);
	if (perms)
		take_perms(d, &p, w, perms);
	check_limits(d, &p, w);
}

/* ---- reading ---- */

struct text {
	const char *at;
	size_t len;
	int line, column;
};

static void step(struct text *t)
{
	t->column++;
	if (*t->at == '\n') {
		t->line++;
		t->column = 1;
	}
}

/* Skips blanks. Returns whether there is more. */
static bool more(struct text *t)
{
	for (; t->len && strchr(" \t\r\n", *t->at); t->at++, t->len--)
		step(t);
	return t->len > 0;
}

static void syntax_problem(struct doc *d, const struct json_problem *why)
{
	d->nr_errors++;
	if (!d->quiet)
		cli_warn("%s:%d:%d: %s", d->name, why->line, why->column, why->text);
}

static struct json_pos *next_value(struct doc *d, struct text *t)
{
	struct json_problem why;
	size_t used = 0;
	struct json_pos *p = json_pos_read(t->at, t->len, t->line, &used, &why);

	if (!p) {
		if (why.line == t->line)
			why.column += t->column - 1;
		syntax_problem(d, &why);
		return NULL;
	}
	for (; used; used--, t->at++, t->len--)
		step(t);
	return p;
}

/* Lines of the exact form, the first of which is @p. */
static void read_lines(struct doc *d, struct text *t, struct json_pos *p)
{
	while (p) {
		take_line(d, p);
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
		syntax_problem(d, &why);
	}
}

/* The root has members only: a list or a text there is a document meant for another place. */
static void check_top(struct doc *d, const struct place *p)
{
	if (strcmp(p->path, "/") == 0 && !json_is_object(p->pos->v) && !json_is_null(p->pos->v))
		problem(d, p, "at the root of the store an object is wanted; --at PATH takes it "
			"elsewhere");
}

void doc_read(struct doc *d, const char *text, size_t len, const char *at)
{
	struct text t = { text, len, 1, 1 };
	struct json_problem nothing = { 1, 1, "is empty" };
	struct json_pos *p;

	if (!more(&t)) {
		syntax_problem(d, &nothing);
		return;
	}
	p = next_value(d, &t);
	if (p && !is_exact(p->v)) {
		struct place top = { .pos = p, .path = at };

		check_top(d, &top);
		take_node(d, &top);
		json_pos_free(p);
		if (more(&t)) {
			struct json_problem why = { t.line, t.column,
						    "something follows the document" };

			syntax_problem(d, &why);
		}
	} else {
		read_lines(d, &t, p);
	}
	doc_sort(d);
	check_once(d);
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
	take_node(d, p);
	doc_sort(d);
	*nr_errors += d->nr_errors;
}

/* A misspelt member would be one that is not there. */
static void take_parts(struct doc *d, const struct place *top, const struct doc_part *parts)
{
	const char *key;
	json_t *member;
	size_t i = 0;

	if (!json_is_object(top->pos->v)) {
		problem(d, top, "an object is wanted here");
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
		problem(d, &kid, "is not known: %s", words);
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
			syntax_problem(&d, &why);
		}
	} else if (!d.nr_errors) {
		syntax_problem(&d, &nothing);
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
	take_node(d, &top);
	json_pos_free(p);
	doc_sort(d);
	doc_end_if_wrong(d);
}
