/* SPDX-License-Identifier: MIT */
/*
 * doc.c - JSON documents of the store: reading and checking them, and making them from a tree.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs.h>

#include "die.h"
#include "doc.h"
#include "json_out.h"

#define MAX_DEPTH 512
#define PATH_CHARS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_@"

static void *must(void *p)
{
	if (!p)
		cli_die(CLI_FAIL, "out of memory");
	return p;
}

static void problem(struct doc *d, const char *where, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
static void problem(struct doc *d, const char *where, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	cli_warn("%s: at %s: %s", d->name, *where ? where : "/", text);
	d->nr_errors++;
}

static struct want *want_add(struct doc *d, const char *path)
{
	if (d->nr == d->max) {
		d->max = d->max ? d->max * 2 : 64;
		d->wants = must(realloc(d->wants, d->max * sizeof(*d->wants)));
	}
	d->wants[d->nr] = (struct want){ .path = must(strdup(path)) };
	return &d->wants[d->nr++];
}

/* ---- checks ---- */

static void check_want(struct doc *d, const struct want *w)
{
	size_t len = strlen(w->path);

	if (len > XENSTORE_ABS_PATH_MAX)
		problem(d, w->path, "the path has %zu bytes, at most %d are allowed", len,
			XENSTORE_ABS_PATH_MAX);
	if (w->value && len + 1 + w->len > XENSTORE_PAYLOAD_MAX)
		problem(d, w->path, "path and value together have %zu bytes, at most %d are allowed",
			len + 1 + w->len, XENSTORE_PAYLOAD_MAX);
	if (len + 1 + w->perms_len > XENSTORE_PAYLOAD_MAX)
		problem(d, w->path, "too many permissions");
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

static void take_value(struct doc *d, const char *path, struct want *w, const json_t *v)
{
	w->value = json_bytes(v, &w->len);
	if (!w->value)
		problem(d, path, "a value is text, a number, true, false or {\"@b64\": \"...\"}");
}

static bool perm_ok(const char *s)
{
	char *end;
	long id = strtol(s + 1, &end, 10);

	return strchr("nrwb", s[0]) && s[0] && end != s + 1 && !*end && id >= 0 && id <= 65535;
}

static void take_perms(struct doc *d, const char *path, struct want *w, const json_t *v)
{
	size_t i;
	json_t *one;

	if (!json_is_array(v) || !json_array_size(v)) {
		problem(d, path, "@perms is a list such as [\"n0\", \"r5\"]");
		return;
	}
	w->perms = must(calloc(json_array_size(v), 8));
	json_array_foreach(v, i, one) {
		const char *s = json_string_value(one);

		if (!s || !perm_ok(s)) {
			problem(d, path, "permission %zu is not one of n, r, w, b and a domain id",
				i);
			return;
		}
		w->perms_len += sprintf(w->perms + w->perms_len, "%s", s) + 1;
	}
}

/* ---- the natural form ---- */

static void take_node(struct doc *d, const char *path, const json_t *v, int depth);

static void take_child(struct doc *d, const char *path, const char *name, const json_t *v,
		       int depth)
{
	char *child;

	if (!name_ok(name)) {
		problem(d, path, "\"%s\" cannot name a node: letters, digits and - _ @ only", name);
		return;
	}
	if (asprintf(&child, "%s/%s", strcmp(path, "/") ? path : "", name) < 0)
		cli_die(CLI_FAIL, "out of memory");
	take_node(d, child, v, depth + 1);
	free(child);
}

static void take_roots(struct doc *d, const char *path, const json_t *v)
{
	size_t i;
	json_t *one;

	if (!json_is_array(v))
		problem(d, path, "@roots is a list of paths");
	json_array_foreach(v, i, one) {
		const char *s = json_string_value(one);

		if (!s || !path_ok(s) || strcmp(s, "/") == 0) {
			problem(d, path, "@roots: entry %zu is not a path below /", i);
			continue;
		}
		d->roots = must(realloc(d->roots, (d->nr_roots + 1) * sizeof(*d->roots)));
		d->roots[d->nr_roots++] = must(strdup(s));
	}
}

/* Members of an object: special ones belong to the node itself. */
static void take_members(struct doc *d, const char *path, const json_t *v, int depth)
{
	size_t self = d->nr - 1;
	const char *key;
	json_t *member;

	json_object_foreach((json_t *)v, key, member) {
		if (key[0] != '@' || key[1] == '@') {
			d->wants[self].only_holds = true;
			take_child(d, path, key + (key[0] == '@'), member, depth);
		} else if (strcmp(key, "@value") == 0) {
			take_value(d, path, &d->wants[self], member);
		} else if (strcmp(key, "@perms") == 0) {
			take_perms(d, path, &d->wants[self], member);
		} else if (strcmp(key, "@roots") == 0 && depth == 0) {
			take_roots(d, path, member);
		} else {
			problem(d, path, "\"%s\" is not known; a child of that name is \"@%s\"", key,
				key);
		}
	}
}

static void take_items(struct doc *d, const char *path, const json_t *v, int depth)
{
	char name[24];
	size_t i;
	json_t *item;

	json_array_foreach(v, i, item) {
		snprintf(name, sizeof(name), "%zu", i);
		take_child(d, path, name, item, depth);
	}
}

static void take_node(struct doc *d, const char *path, const json_t *v, int depth)
{
	struct want *w = want_add(d, path);

	if (depth > MAX_DEPTH) {
		problem(d, path, "nested too deeply");
	} else if (json_is_null(v)) {
		w->gone = true;
		if (!d->allow_null)
			problem(d, path, "null removes a node: only apply and diff do that");
	} else if (json_is_object(v) && !json_object_get(v, "@b64")) {
		take_members(d, path, v, depth);
	} else if (json_is_array(v)) {
		take_items(d, path, v, depth);
	} else {
		take_value(d, path, w, v);
	}
}

/* ---- the exact form ---- */

static bool is_exact(const json_t *v)
{
	const char *path = json_string_value(json_object_get(v, "path"));

	return path && path[0] == '/' &&
	       (json_object_get(v, "value") || json_object_get(v, "b64"));
}

static void take_line(struct doc *d, const json_t *v)
{
	const char *path = json_string_value(json_object_get(v, "path"));
	json_t *value = json_object_get(v, "value"), *b64 = json_object_get(v, "b64");
	json_t *perms = json_object_get(v, "perms");
	struct want *w;

	if (!path || !path_ok(path)) {
		problem(d, path ? path : "/", "a line has no valid \"path\"");
		return;
	}
	w = want_add(d, path);
	if (b64)
		value = json_pack("{s:O}", "@b64", b64);
	take_value(d, path, w, value);
	if (b64)
		json_decref(value);
	if (perms)
		take_perms(d, path, w, perms);
}

/* ---- reading ---- */

static int by_path(const void *a, const void *b)
{
	const unsigned char *p = (const unsigned char *)((const struct want *)a)->path;
	const unsigned char *q = (const unsigned char *)((const struct want *)b)->path;

	while (*p && *p == *q) {
		p++;
		q++;
	}
	/* a slash before every other character: a node's children follow it at once */
	return (*p == '/' ? 1 : *p) - (*q == '/' ? 1 : *q);
}

static void finish(struct doc *d)
{
	if (d->nr)
		qsort(d->wants, d->nr, sizeof(*d->wants), by_path);
	for (size_t i = 0; i < d->nr; i++)
		check_want(d, &d->wants[i]);
	if (d->nr_errors)
		cli_die(CLI_USAGE, "%s: %u problem%s; nothing was changed", d->name, d->nr_errors,
			d->nr_errors > 1 ? "s" : "");
}

static json_t *next_value(struct doc *d, FILE *f, size_t *line)
{
	json_error_t e;
	json_t *v = json_loadf(f, JSON_REJECT_DUPLICATES | JSON_DISABLE_EOF_CHECK |
				  JSON_DECODE_ANY | JSON_ALLOW_NUL, &e);

	if (!v)
		cli_die(CLI_USAGE, "%s:%zu:%d: %s", d->name, *line + e.line, e.column, e.text);
	return v;
}

/* Skips blanks. Returns whether there is more. */
static bool more(FILE *f, size_t *line)
{
	int c;

	while ((c = getc(f)) != EOF) {
		if (c == '\n')
			++*line;
		if (!strchr(" \t\r\n", c)) {
			ungetc(c, f);
			return true;
		}
	}
	return false;
}

static void read_all(struct doc *d, FILE *f, const char *at)
{
	size_t line = 0;
	json_t *v;

	if (!more(f, &line))
		cli_die(CLI_USAGE, "%s: is empty", d->name);
	v = next_value(d, f, &line);
	if (!is_exact(v)) {
		take_node(d, at, v, 0);
		json_decref(v);
		if (more(f, &line))
			cli_die(CLI_USAGE, "%s: something follows the document", d->name);
		return;
	}
	take_line(d, v);
	json_decref(v);
	while (more(f, &line)) {
		v = next_value(d, f, &line);
		take_line(d, v);
		json_decref(v);
	}
}

void doc_load(struct doc *d, const char *file, const char *at, bool allow_null)
{
	bool from_stdin = strcmp(file, "-") == 0;
	FILE *f = from_stdin ? stdin : fopen(file, "r");

	*d = (struct doc){ .name = from_stdin ? "standard input" : file,
			   .allow_null = allow_null };
	if (!f)
		cli_die(CLI_USAGE, "%s: %s", file, strerror(errno));
	read_all(d, f, at);
	if (!from_stdin)
		fclose(f);
	finish(d);
}

json_t *doc_load_json(const char *file)
{
	bool from_stdin = strcmp(file, "-") == 0;
	struct doc d = { .name = from_stdin ? "standard input" : file };
	FILE *f = from_stdin ? stdin : fopen(file, "r");
	size_t line = 0;
	json_t *v;

	if (!f)
		cli_die(CLI_USAGE, "%s: %s", file, strerror(errno));
	v = next_value(&d, f, &line);
	if (!from_stdin)
		fclose(f);
	return v;
}

void doc_from_json(struct doc *d, const char *name, const json_t *v)
{
	*d = (struct doc){ .name = name, .allow_null = true };
	if (v)
		take_node(d, "/", v, 0);
	finish(d);
}

void doc_from_tree(struct doc *d, const struct xs_node *root)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];

	*d = (struct doc){ .name = "the store" };
	for (const struct xs_node *n = root; n; n = xs_tree_next(root, n)) {
		struct want *w;

		xs_tree_path(n, path, sizeof(path));
		w = want_add(d, path);
		w->value = must(malloc(n->value_len + 1));
		memcpy(w->value, n->value ? n->value : "", n->value_len + 1);
		w->len = n->value_len;
	}
	qsort(d->wants, d->nr, sizeof(*d->wants), by_path);
}

void doc_free(struct doc *d)
{
	for (size_t i = 0; i < d->nr; i++) {
		free(d->wants[i].path);
		free(d->wants[i].value);
		free(d->wants[i].perms);
	}
	for (size_t i = 0; i < d->nr_roots; i++)
		free(d->roots[i]);
	free(d->wants);
	free(d->roots);
}

const struct want *doc_find(const struct doc *d, const char *path)
{
	struct want key = { .path = (char *)path };

	return d->nr ? bsearch(&key, d->wants, d->nr, sizeof(key), by_path) : NULL;
}

/* ---- making one ---- */

static bool same_perms(const struct xs_node *a, const struct xs_node *b)
{
	return a->perms && b->perms && a->perms_len == b->perms_len &&
	       memcmp(a->perms, b->perms, a->perms_len) == 0;
}

/* The node's own part; children are added by the caller. */
static json_t *own_json(const struct xs_node *n, bool perms)
{
	bool show_perms = perms && n->perms && (!n->parent || !same_perms(n, n->parent));
	json_t *o;

	if (!n->children && !show_perms)
		return json_value(n->value ? n->value : "", n->value_len);
	o = json_object();
	if (n->value_len)
		json_object_set_new(o, "@value", json_value(n->value, n->value_len));
	if (show_perms)
		json_object_set_new(o, "@perms", json_perms(n->perms, n->perms_len));
	return o;
}

json_t *tree_to_json(const struct xs_node *n, bool perms)
{
	json_t *o = own_json(n, perms);

	for (const struct xs_node *c = n->children; c; c = c->next) {
		char name[XENSTORE_ABS_PATH_MAX + 2];

		snprintf(name, sizeof(name), "%s%s", c->name[0] == '@' ? "@" : "", c->name);
		json_object_set_new(o, name, tree_to_json(c, perms));
	}
	return o;
}
