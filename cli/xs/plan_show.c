/* SPDX-License-Identifier: MIT */
/* plan_show.c - a plan for people and as a JSON patch; secrets are not shown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "json_out.h"
#include "kind.h"
#include "plan.h"
#include "schema.h"
#include "store.h"
#include "text.h"

static bool is_secret(const char *path)
{
	const struct schema_row *row = schema_find(path);

	if (row && row->type == SCHEMA_SECRET)
		return true;
	/* also what is below a node of such a name */
	return strstr(path, "passw") || strstr(path, "secret") || strstr(path, "token");
}

static char *shown(const struct change *c, const char *data, size_t len)
{
	char perms[512];

	if (c->kind == CHANGE_PERMS) {
		store_perms_text(data, len, perms, sizeof(perms));
		return strdup(perms);
	}
	return is_secret(c->path) ? strdup("(secret)") : text_escape(data, len);
}

static void print_change(const struct change *c)
{
	const struct want *w = c->want;
	char *new = NULL, *old = c->old ? shown(c, c->old, c->old_len) : NULL;

	if (w && c->kind == CHANGE_PERMS)
		new = shown(c, w->perms, w->perms_len);
	else if (w && w->value)
		new = shown(c, w->value, w->len);
	switch (c->kind) {
	case CHANGE_ADD:
		printf("+ %s%s%s\n", c->path, new && *new ? " = " : "", new ? new : "");
		break;
	case CHANGE_REMOVE:
		printf("- %s\n", c->path);
		break;
	case CHANGE_SET:
		if (change_is_of_kind(c))
			printf("~ %s is %s   was %s\n", c->path,
			       kind_words((enum xs_kind)w->kind),
			       kind_words((enum xs_kind)c->old_kind));
		else
			printf("~ %s = %s   was %s\n", c->path, new, old);
		break;
	case CHANGE_PERMS:
		printf("~ %s permissions %s%s%s\n", c->path, new, old ? "   were " : "",
		       old ? old : "");
		break;
	}
	free(new);
	free(old);
}

void plan_print(const struct plan *p)
{
	for (size_t i = 0; i < p->nr; i++)
		print_change(&p->v[i]);
}

static json_t *patch_value(const struct change *c)
{
	const struct want *w = c->want;

	if (is_secret(c->path))
		return json_string("(secret)");
	return kind_json(w->kind == WANT_ANY_KIND ? XS_KIND_TEXT : (enum xs_kind)w->kind, w->value,
			 w->len);
}

/* About the member @name that stands for something of the node itself. */
static void patch_own(json_t *o, const struct change *c, const char *name, json_t *value)
{
	char *path;

	if (asprintf(&path, "%s/%s", c->path, name) < 0)
		cli_die(CLI_FAIL, "out of memory");
	json_object_set_new(o, "path", json_string(path));
	free(path);
	json_object_set_new(o, "value", value);
}

json_t *plan_json_patch(const struct plan *p)
{
	static const char *const words[] = {
		[CHANGE_ADD] = "add", [CHANGE_SET] = "replace", [CHANGE_REMOVE] = "remove",
		[CHANGE_PERMS] = "replace",
	};
	json_t *list = json_array();

	for (size_t i = 0; i < p->nr; i++) {
		const struct change *c = &p->v[i];
		json_t *o = json_pack("{s:s, s:s}", "op", words[c->kind], "path", c->path);

		if (c->kind == CHANGE_PERMS)
			patch_own(o, c, "@perms", json_perms(c->want->perms, c->want->perms_len));
		else if (change_is_of_kind(c))
			patch_own(o, c, "@kind",
				  json_string(kind_name((enum xs_kind)c->want->kind)));
		else if (c->want && !c->want->gone && c->want->value)
			json_object_set_new(o, "value", patch_value(c));
		else if (c->kind == CHANGE_ADD)
			json_object_set_new(o, "value", json_object());
		json_array_append_new(list, o);
	}
	return list;
}
