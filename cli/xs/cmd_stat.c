/* SPDX-License-Identifier: MIT */
/*
 * cmd_stat.c - `xs stat`: everything about one node; `xs exists`; `xs list`: names only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "control_text.h"
#include "die.h"
#include "json_out.h"
#include "lifetime.h"
#include "long_value.h"
#include "schema.h"
#include "store.h"
#include "text.h"
#include "watch_state.h"

/* Of our daemon: when the value last became different. Of others, if they tell: of the node. */
static long long generation(const struct xs_node *n, const char *path)
{
	struct iovec iov[2] = { { (void *)path, strlen(path) + 1 }, { (void *)"0", 2 } };
	char *reply;
	long long gen = -1;

	if (n->gen)
		return (long long)n->gen;
	if (xs_sync(store(), XS_DIRECTORY_PART, 0, iov, 2, &reply, NULL) == 0) {
		gen = atoll(reply);
		free(reply);
	}
	return gen;
}

static const char *lifetime(const char *path)
{
	return lifetime_lasts(path) ? "kept over a reboot of the host" :
				      "gone with the next boot of the host";
}

/*
 * Watches and feeds (xs watch) that a change of @path is told to, as far as the daemon tells; -1:
 * it does not, or not to us.
 */
static int watchers(const char *path)
{
	char *all, *line, *next;
	int nr = 0;

	if (control_text(1, (const char *const[]){ "watches" }, &all) != 0)
		return -1;
	for (line = strtok_r(all, "\n", &next); line; line = strtok_r(NULL, "\n", &next)) {
		char *on = strchr(line, ' '), *feed = on ? strchr(on + 1, ' ') : NULL;

		if (feed)
			*feed = '\0';
		nr += on && path_is_below(on + 1, path);
	}
	free(all);
	return nr;
}

static json_t *stat_json(const struct xs_node *n, const char *path, long long gen)
{
	const struct schema_row *row = schema_find(path);
	int nr = watchers(path);
	json_t *o = json_pack("{s:s, s:I, s:i, s:s}", "path", path, "size",
			      (json_int_t)n->value_len, "children", n->nr_children, "lifetime",
			      lifetime_lasts(path) ? "persistent" : "runtime");

	if (n->value)
		json_object_set_new(o, "value", json_value(n->value, n->value_len));
	json_object_set_new(o, "perms", json_perms(n->perms, n->perms_len));
	if (gen >= 0)
		json_object_set_new(o, "gen", json_integer(gen));
	if (row)
		json_object_set_new(o, "type", json_string(row->type_text));
	if (nr >= 0)
		json_object_set_new(o, "watches", json_integer(nr));
	return o;
}

static void stat_print(const struct xs_node *n, const char *path, long long gen)
{
	char *value = n->value ? text_escape(n->value, n->value_len) : strdup("(not readable)");
	const struct schema_row *row = schema_find(path);
	int nr = watchers(path);
	char perms[512];

	store_perms_text(n->perms, n->perms_len, perms, sizeof(perms));
	printf("path         %s\nvalue        %s\nsize         %zu\nchildren     %u\n", path, value,
	       n->value_len, n->nr_children);
	printf("owner        domain %d\npermissions  %s\n", n->perms ? atoi(n->perms + 1) : -1,
	       perms);
	if (gen >= 0)
		printf("generation   %lld\n", gen);
	if (row)
		printf("type         %s\n", row->type_text);
	if (nr >= 0)
		printf("watches      %d\n", nr);
	printf("lifetime     %s\n", lifetime(path));
	free(value);
}

static int run_stat(struct cli_args *a)
{
	char *path = store_path(a->argv[0]);
	struct xs_node *n;
	int rc = long_tree_read(0, path, 0, XS_TREE_VALUES | XS_TREE_PERMS, &n);

	if (rc)
		store_failed(path, rc);
	if (a->json)
		json_print(stat_json(n, path, generation(n, path)));
	else
		stat_print(n, path, generation(n, path));
	xs_tree_free(n);
	free(path);
	return CLI_OK;
}

const struct cli_cmd cmd_stat = {
	.name = "stat",
	.args = "PATH",
	.help = "everything about one node",
	.min_args = 1,
	.max_args = 1,
	.example = "xs stat /local/domain/1/name",
	.run = run_stat,
};

/* ---- exists ---- */

static int run_exists(struct cli_args *a)
{
	for (int i = 0; i < a->argc; i++) {
		char *path = store_path(a->argv[i]);
		int rc = xs_sync_str(store(), XS_READ, 0, path, NULL, NULL);

		free(path);
		if (rc == -ENOENT)
			return CLI_FAIL;
		if (rc && rc != -EACCES)
			store_failed(a->argv[i], rc);
	}
	return CLI_OK;
}

const struct cli_cmd cmd_exists = {
	.name = "exists",
	.args = "PATH...",
	.help = "status 0 when all these nodes exist, 1 when one does not",
	.min_args = 1,
	.max_args = -1,
	.example = "xs exists /config/domain/web && echo it is there",
	.says = CLI_SAYS_NOTHING,
	.run = run_exists,
};

/* ---- list ---- */

static int run_list(struct cli_args *a)
{
	char *path = store_path(a->argc ? a->argv[0] : "/");
	struct xs_node *root;
	int rc = long_tree_read(0, path, 1, XS_TREE_SORT, &root);
	json_t *names = json_array();

	if (rc)
		store_failed(path, rc);
	for (struct xs_node *n = root->children; n; n = n->next) {
		if (a->json)
			json_array_append_new(names, json_string(n->name));
		else
			puts(n->name);
	}
	if (a->json)
		json_print(json_incref(names));
	json_decref(names);
	xs_tree_free(root);
	free(path);
	return CLI_OK;
}

const struct cli_cmd cmd_list = {
	.name = "list",
	.args = "[PATH]",
	.help = "names of the children",
	.max_args = 1,
	.example = "xs list /config/domain",
	.run = run_list,
};
