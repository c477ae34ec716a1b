/* SPDX-License-Identifier: MIT */
/* doc_take.c - see doc_take.h: values, names, permissions, limits of the protocol, types. */
#include "doc_take.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>

#include "die.h"
#include "json_out.h"
#include "kind.h"
#include "long_value.h"
#include "name.h"
#include "schema.h"

#define MAX_DEPTH 512
#define SET_MAX 64
#define PATH_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_@"

/* ---- checks ---- */

void doc_check_limits(struct doc *d, const struct place *p, const struct want *w)
{
	size_t len = strlen(w->path);

	if (len > XENSTORE_ABS_PATH_MAX)
		doc_problem(d, p, "the path has %zu bytes, at most %d are allowed", len,
			    XENSTORE_ABS_PATH_MAX);
	else if (w->value && w->len > LONG_VALUE_MAX)
		doc_problem(d, p, "the value has %zu bytes, at most %d are allowed", w->len,
			    LONG_VALUE_MAX);
	else if (w->value && len > LONG_PATH_MAX && long_is_needed(w->path, w->value, w->len))
		doc_problem(d, p, "path and value together have %zu bytes, at most %d are allowed "
			"where the path has more than %d", len + 1 + w->len, XENSTORE_PAYLOAD_MAX,
			LONG_PATH_MAX);
	if (len + 1 + w->perms_len > XENSTORE_PAYLOAD_MAX)
		doc_problem(d, p, "too many permissions: with the path they have %zu bytes, at most %d "
			"are allowed", len + 1 + w->perms_len, XENSTORE_PAYLOAD_MAX);
}

static void check_type(struct doc *d, const struct place *p, const struct want *w)
{
	const struct schema_row *row = d->any_value ? NULL : schema_find(w->path);
	char why[SCHEMA_WHY_LEN];

	if (row && w->value && !schema_check(row, w->value, w->len, why))
		doc_problem(d, p, "%.*s%s is not possible here: %s is wanted",
			(int)(w->len < 64 ? w->len : 64), row->type == SCHEMA_SECRET ? "this" :
			*w->value ? w->value : "this", w->len > 64 ? "..." : "", why);
}

static bool name_ok(const char *name)
{
	return *name && name[strspn(name, PATH_CHARS)] == '\0';
}

bool doc_path_ok(const char *path)
{
	size_t len = strlen(path);

	return path[0] == '/' && path[strspn(path, PATH_CHARS "/")] == '\0' &&
	       !strstr(path, "//") && (len == 1 || path[len - 1] != '/');
}

/* ---- values and permissions ---- */

/* A number is kept as it was written. */
static const char *bytes_of(struct doc *d, const struct json_pos *pos, const json_t *v, size_t *len)
{
	char *bytes, *kept;

	if (json_is_null(v)) {
		*len = 0;
		return "";
	}
	if (json_is_number(v) && pos->v == v && pos->text) {
		*len = pos->len;
		return doc_keep(d, pos->text, *len);
	}
	if (json_is_string(v)) {
		*len = json_string_length(v);
		return doc_keep(d, json_string_value(v), *len);
	}
	bytes = json_bytes(v, len);
	kept = bytes ? doc_keep(d, bytes, *len) : NULL;
	free(bytes);
	return kept;
}

/* The kind that @w shows; it stays what it is said to be. */
static void show_kind(const struct doc *d, struct want *w, enum xs_kind kind)
{
	if (!w->says_kind && !d->any_kind && !d->any_value)
		w->kind = kind;
}

void doc_take_value(struct doc *d, const struct place *p, struct want *w, const json_t *v)
{
	w->value = bytes_of(d, p->pos, v, &w->len);
	if (!w->value)
		doc_problem(d, p, "a value is text, a number, true, false, null or "
			"{\"@b64\": \"...\"}");
	else
		show_kind(d, w, kind_of(v));
}

void doc_take_kind(struct doc *d, const struct place *p, struct want *w, const json_t *v)
{
	const char *name = json_string_value(v);
	enum xs_kind kind;

	if (!name || !kind_named(name, &kind)) {
		doc_problem(d, p, "a kind is text, number, boolean, null, object or list");
		return;
	}
	w->kind = kind;
	w->says_kind = true;
}

static bool perm_ok(const char *s)
{
	char *end;
	long id = strtol(s + 1, &end, 10);

	return s[0] && strchr("nrwb", s[0]) && isdigit((unsigned char)s[1]) && !*end && id >= 0 &&
	       id < 0x7ff0;
}

void doc_take_perms(struct doc *d, const struct place *p, struct want *w, const json_t *v)
{
	char *perms;
	size_t i;
	json_t *one;

	if (!json_is_array(v) || !json_array_size(v)) {
		doc_problem(d, p, "permissions are a list such as [\"n0\", \"r5\"]");
		return;
	}
	w->perms_len = 0;
	w->perms = perms = doc_keep(d, NULL, json_array_size(v) * 8);
	json_array_foreach(v, i, one) {
		const char *s = json_string_value(one);

		if (!s || json_string_length(one) > 6 || !perm_ok(s)) {
			doc_problem(d, p, "permission %zu is not one of n, r, w, b and a domain id", i);
			return;
		}
		w->perms_len += (size_t)sprintf(perms + w->perms_len, "%s", s) + 1;
	}
}

/* ---- the natural form ---- */

static const char *child_path(struct doc *d, const char *up, const char *name)
{
	size_t up_len = strcmp(up, "/") ? strlen(up) : 0, len = strlen(name);
	char *path = doc_keep(d, NULL, up_len + 1 + len);

	memcpy(path, up, up_len);
	path[up_len] = '/';
	memcpy(path + up_len + 1, name, len);
	return path;
}

/* @key: the child's name, or "@wire:" and how the store has it. */
static void take_child(struct doc *d, struct place *kid, const char *key)
{
	bool wire = key == kid->key && strncmp(key, NAME_WIRE, strlen(NAME_WIRE)) == 0;
	const char *name = wire ? key + strlen(NAME_WIRE) : key;
	char *encoded = wire || name_is_plain(key) ? NULL : name_encode(key);

	if (wire && !name_ok(name)) {
		doc_problem(d, kid, NAME_WIRE " is followed by letters, digits and - _ @ only");
		return;
	}
	kid->path = child_path(d, kid->up->path, encoded ? encoded : name);
	free(encoded);
	doc_take_node(d, kid);
}

static void take_roots(struct doc *d, const struct place *p)
{
	size_t i;
	json_t *one;

	if (!json_is_array(p->pos->v))
		doc_problem(d, p, "@roots is a list of paths");
	json_array_foreach(p->pos->v, i, one) {
		const char *s = json_string_value(one);
		char *path = s ? name_typed(s) : NULL;

		if (!path || strlen(s) != json_string_length(one) || !doc_path_ok(path) ||
		    strcmp(path, "/") == 0) {
			doc_problem(d, p, "entry %zu is not a path below /", i);
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
		doc_problem(d, p, "@set is a name of letters, digits and - _ @, at most %d",
			    SET_MAX);
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
		doc_take_value(d, kid, &d->wants[self], kid->pos->v);
		check_type(d, kid, &d->wants[self]);
	} else if (strcmp(key, "@kind") == 0) {
		doc_take_kind(d, kid, &d->wants[self], kid->pos->v);
	} else if (strcmp(key, "@perms") == 0) {
		doc_take_perms(d, kid, &d->wants[self], kid->pos->v);
	} else if (kid->up->depth == 0 && d->part && is_of_whole(key)) {
		doc_problem(d, kid, "has no meaning in a part of a document");
	} else if (strcmp(key, "@roots") == 0 && kid->up->depth == 0) {
		take_roots(d, kid);
	} else if (strcmp(key, "@set") == 0 && kid->up->depth == 0) {
		take_set(d, kid);
	} else {
		doc_problem(d, kid, "\"%.64s\" is not known; a child of that name is \"@%.64s\"", key,
			    key);
	}
}

static void take_members(struct doc *d, const struct place *p)
{
	size_t self = d->nr - 1, i = 0;
	const char *key;
	json_t *member;

	show_kind(d, &d->wants[self], XS_KIND_OBJECT);
	/* An object without members has no value either: else a scalar would go on being one. */
	if (json_object_size(p->pos->v) == 0 && p->up && !d->any_value)
		d->wants[self].value = "";
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
	d->wants[d->nr - 1].value = "";
	show_kind(d, &d->wants[d->nr - 1], XS_KIND_LIST);
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

void doc_take_node(struct doc *d, const struct place *p)
{
	const json_t *v = p->pos->v;
	size_t self = d->nr;
	struct want *w = doc_want(d, p->path);

	w->line = p->pos->line;
	w->column = p->pos->column;
	if (p->depth > MAX_DEPTH) {
		doc_problem(d, p, "nested too deeply");
	} else if (json_is_null(v) && !null_is_value(d, p)) {
		w->gone = true;
		if (!d->allow_null)
			doc_problem(d, p, "null removes a node: only apply and diff do that");
		else if (strcmp(p->path, "/") == 0)
			doc_problem(d, p, "the root cannot be removed");
	} else if (json_is_object(v) && !json_object_get(v, "@b64")) {
		take_members(d, p);
	} else if (json_is_array(v)) {
		take_items(d, p);
	} else {
		doc_take_value(d, p, w, v);
		check_type(d, p, w);
	}
	doc_check_limits(d, p, &d->wants[self]);
}
