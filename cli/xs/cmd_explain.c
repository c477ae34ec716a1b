/* SPDX-License-Identifier: MIT */
/*
 * cmd_explain.c - `xs explain`: what the table of docs/store-paths.md, and schemas of one's own,
 * say about one path.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "schema.h"
#include "schema_own.h"
#include "store.h"

static const struct {
	char tag;
	const char *words;
} tag_words[] = {
	{ 'p', "kept over a boot of the host" },
	{ 'w', "the guest may write it" },
	{ 'r', "the guest may read it" },
	{ 'o', "may be missing" },
};

static void print_row(const struct schema_row *row)
{
	printf("pattern      %s\ntype         %s\n", row->path, schema_type_words(row->type));
	if (schema_choices(row))
		printf("values       %s\n", schema_choices(row));
	if (schema_max(row))
		printf("limits       %lld to %lld\n", (long long)row->min,
		       (long long)schema_max(row));
	if (row->words[0])
		printf("meaning      %s\n", row->words);
	printf("written by   %s\nread by      %s\n", row->writer, row->readers);
	for (size_t i = 0; i < sizeof(tag_words) / sizeof(tag_words[0]); i++)
		if (strchr(row->tags, tag_words[i].tag))
			printf("             %s\n", tag_words[i].words);
}

static json_t *row_json(const struct schema_row *row)
{
	json_t *o = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:b, s:b}", "pattern", row->path,
			      "type", schema_type_words(row->type), "writer", row->writer,
			      "readers", row->readers, "persistent", strchr(row->tags, 'p') != NULL,
			      "guest-writes", strchr(row->tags, 'w') != NULL, "guest-reads",
			      strchr(row->tags, 'r') != NULL, "optional",
			      strchr(row->tags, 'o') != NULL);

	if (row->words[0])
		json_object_set_new(o, "meaning", json_string(row->words));
	if (schema_choices(row))
		json_object_set_new(o, "values", json_words(schema_choices(row)));
	if (schema_max(row)) {
		json_object_set_new(o, "min", json_integer(row->min));
		json_object_set_new(o, "max", json_integer(schema_max(row)));
	}
	return o;
}

static int run_explain(struct cli_args *a)
{
	char *path = strchr("/@", a->argv[0][0]) ? strdup(a->argv[0]) : store_path(a->argv[0]);
	const struct schema_row *row = schema_find(path);
	json_t *own, *said = row ? row_json(row) : json_object();
	size_t nr;

	if (row && !a->json)
		print_row(row);
	own = schema_own_explain(path, a->json, &nr);
	if (!row && !nr)
		cli_die(CLI_FAIL, "%s: no such path is registered (docs/store-paths.md), and no schema "
			"says anything of it", path);
	if (nr)
		json_object_set(said, "schemas", own);
	if (a->json)
		json_print(json_incref(said));
	json_decref(said);
	json_decref(own);
	free(path);
	return CLI_OK;
}

const struct cli_cmd cmd_explain = {
	.name = "explain",
	.args = "PATH",
	.help = "what a path is for: type, limits, who writes it, who reads it",
	.more = "PATH need not exist; a full path needs no store, but then no schema of one's own is\n"
		"known (xs schema).",
	.example = "xs explain /config/domain/web/memory\n"
		   "xs explain ~/device/vbd/51712/state",
	.min_args = 1,
	.max_args = 1,
	.run = run_explain,
};
