/* SPDX-License-Identifier: MIT */
/*
 * match.c - patterns over the store, and the forms in which ls, find, grep and get show a node.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "die.h"
#include "glob.h"
#include "json_out.h"
#include "long_value.h"
#include "match.h"
#include "meaning.h"
#include "schema.h"
#include "store.h"
#include "text.h"

size_t match_each(const char *typed, bool below, unsigned int flags, match_fn *fn, void *arg)
{
	char pattern[XENSTORE_ABS_PATH_MAX + 8], path[XENSTORE_ABS_PATH_MAX + 1];
	char *base = store_path(typed);
	struct xs_node *root;
	size_t nr = 0;
	int rc;

	snprintf(pattern, sizeof(pattern), "%s%s", base, !below || glob_is_pattern(base) ? "" :
		 strcmp(base, "/") ? "/**" : "**");
	base[glob_base_len(base)] = '\0';
	rc = long_tree_read(0, *base ? base : "/", -1, flags | XS_TREE_SORT, &root);
	if (rc)
		store_failed(*base ? base : "/", rc);
	for (struct xs_node *n = root; n; n = xs_tree_next(root, n)) {
		xs_tree_path(n, path, sizeof(path));
		if (!glob_match(pattern, path))
			continue;
		nr++;
		fn(arg, n, path);
	}
	xs_tree_free(root);
	free(base);
	return nr;
}

/* ---- meaning ---- */

static char *domain_name(const char *domid)
{
	char *path, *name;
	int rc;

	if (asprintf(&path, "/local/domain/%.16s/name", domid) < 0)
		cli_die(CLI_FAIL, "out of memory");
	name = store_read(0, path, NULL, &rc);
	free(path);
	return name;
}

char *decoded(const char *path, const char *value, size_t len)
{
	const struct schema_row *row = schema_find(path);
	const char *leaf = strrchr(path, '/') ? strrchr(path, '/') + 1 : path;
	char buf[64], *name, *out;
	const char *says;

	/* a backend names the domain it serves, a frontend the one that serves it */
	if (value && len && (row ? row->type == SCHEMA_DOMID : strcmp(leaf, "frontend-id") == 0 ||
							       strcmp(leaf, "backend-id") == 0)) {
		name = domain_name(value);
		out = name && *name ? text_escape(name, strlen(name)) : NULL;
		free(name);
		return out;
	}
	says = meaning_decode(path, value, len, buf, sizeof(buf));
	return says ? strdup(says) : NULL;
}

/* ---- showing ---- */

json_t *node_json(const struct xs_node *n, const char *path, bool perms, bool decode)
{
	json_t *o = json_pack("{s:s, s:s}", "path", path, "name",
			      strrchr(path, '/') ? strrchr(path, '/') + 1 : path);
	char *says = decode && n->value ? decoded(path, n->value, n->value_len) : NULL;

	if (n->value)
		json_object_set_new(o, "value", json_value(n->value, n->value_len));
	if (says)
		json_object_set_new(o, "meaning", json_string(says));
	if (perms)
		json_object_set_new(o, "perms", json_perms(n->perms, n->perms_len));
	free(says);
	return o;
}

struct shower shower_of(const struct cli_args *a)
{
	return (struct shower){
		.json = a->json, .ndjson = cli_has(a, "ndjson"), .null = cli_has(a, "null"),
		.names = cli_has(a, "names"), .decode = cli_has(a, "decode"),
		.perms = cli_has(a, "perms"),
		.list = a->json && !cli_has(a, "ndjson") ? json_array() : NULL,
	};
}

static void print_line(const struct shower *s, const struct xs_node *n, const char *path)
{
	char *value = n->value ? text_escape(n->value, n->value_len) :
				 strdup(n->value_rc ? "(not readable)" : "");
	char *says = s->decode && n->value ? decoded(path, n->value, n->value_len) : NULL;
	char perms[512];

	store_perms_text(n->perms, n->perms_len, perms, sizeof(perms));
	printf("%s = %s", path, value);
	if (says)
		printf("  (%s)", says);
	if (s->perms)
		printf("  (%s)", perms);
	putchar('\n');
	free(says);
	free(value);
}

void shower_node(struct shower *s, const struct xs_node *n, const char *path)
{
	if (s->list) {
		json_array_append_new(s->list, node_json(n, path, s->perms, s->decode));
	} else if (s->ndjson) {
		json_print_line(node_json(n, path, s->perms, s->decode));
	} else if (s->null) {
		printf("%s%c", path, '\0');
	} else if (s->names) {
		puts(path);
	} else {
		print_line(s, n, path);
	}
}

void shower_end(struct shower *s)
{
	if (s->list)
		json_print(s->list);
	s->list = NULL;
}
