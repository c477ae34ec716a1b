/* SPDX-License-Identifier: MIT */
/* doc_exact.c - see doc_take.h: the exact form, a line a node. */
#include <string.h>

#include "doc_take.h"
#include "kind.h"

bool doc_is_exact(const json_t *v)
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
			doc_problem(d, &kid, "is not known: path, value or b64, perms, kind");
	}
	if (json_object_get(p->pos->v, "value") && json_object_get(p->pos->v, "b64"))
		doc_problem(d, p, "this line has both \"value\" and \"b64\"");
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

void doc_take_line(struct doc *d, const struct json_pos *pos)
{
	struct place p = { .pos = pos }, at;
	const json_t *v = pos->v;
	json_t *name = json_object_get(v, "path"), *perms = json_object_get(v, "perms");
	json_t *value = json_object_get(v, "value"), *b64 = json_object_get(v, "b64");
	json_t *kind = json_object_get(v, "kind");
	struct want *w;

	p.path = json_string_value(name);
	if (!p.path || strlen(p.path) != json_string_length(name) || !doc_path_ok(p.path)) {
		doc_problem(d, &p, "this line has no valid \"path\"");
		return;
	}
	check_line(d, &p);
	w = doc_want(d, doc_keep(d, p.path, strlen(p.path)));
	w->line = pos->line;
	w->column = pos->column;
	at = place_of(&p, b64 ? "b64" : "value");
	if (b64)
		value = json_pack("{s:O}", "@b64", b64);
	doc_take_value(d, &at, w, value);
	if (b64)
		json_decref(value);
	w->kind = XS_KIND_TEXT;
	w->unsaid = !kind;
	if (kind)
		doc_take_kind(d, &p, w, kind);
	if (perms)
		doc_take_perms(d, &p, w, perms);
	doc_check_limits(d, &p, w);
}
