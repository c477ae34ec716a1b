/* SPDX-License-Identifier: MIT */
/*
 * schema_own.c - see schema_own.h. A schema is added in one transaction with looking whether what
 * is there is as it says, so that nobody writes anything else in between.
 */
#include "schema_own.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "die.h"
#include "doc.h"
#include "glob.h"
#include "json_out.h"
#include "long_value.h"
#include "name.h"
#include "rules.h"
#include "store.h"
#include "table.h"
#include "text.h"
#include "text_show.h"
#include "watch_state.h"

#define NAME_MAX_LEN 64
#define TOLD_MAX 10
#define PERMS "r0" /* whom it holds has to see it */

struct job {
	char *name, *at, *path;
	const char *file; /* in messages */
	char *text;
	size_t len;
	struct rules_one one; /* as it will be */
	bool force;
	size_t nr_wrong; /* nodes that are not as it says */
	char *told[TOLD_MAX];
	json_t *found; /* of show and list */
};

/* ---- what it is called, and what it is about ---- */

static char *name_in_store(const char *typed)
{
	char *name = name_encode(typed);

	if (strlen(name) > NAME_MAX_LEN || !*typed || long_is_part(name, NULL))
		cli_die(CLI_USAGE, "%.80s: no name for a schema: at most %d bytes are wanted", typed,
			NAME_MAX_LEN);
	return name;
}

static char *name_of_file(const struct cli_args *a, const char *file)
{
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	size_t len = strlen(base);
	char *text, *name;

	if (strcmp(file, "-") == 0)
		cli_usage(a, "standard input has no name: --name NAME gives the schema one");
	if (len > 5 && strcmp(base + len - 5, ".json") == 0)
		len -= 5;
	if (len > 7 && strncmp(base + len - 7, ".schema", 7) == 0)
		len -= 7;
	text = must(strndup(base, len));
	name = name_in_store(text);
	free(text);
	return name;
}

/* A star is a whole name; the schemas themselves are under none. */
static char *place_of(const struct cli_args *a)
{
	char *at = store_path(cli_str(a, "at", "/"));

	for (const char *star = strchr(at, '*'); star; star = strchr(star + 1, '*'))
		if (star[-1] != '/' || (star[1] && star[1] != '/'))
			cli_die(CLI_USAGE, "--at %s: * stands for a whole name", at);
	if (*at != '/' || strstr(at, "//"))
		cli_die(CLI_USAGE, "--at %s: a path is wanted", at);
	if (path_is_below(RULES_HOME, at))
		cli_die(CLI_USAGE, "--at %s: schemas are under no schema", at);
	return at;
}

json_t *schema_own_json(const struct rules_one *one)
{
	char *name = name_shown(one->name), *at = name_shown(one->at);
	json_t *o = json_pack("{s:s, s:s}", "name", name, "at", at);

	free(name);
	free(at);
	return o;
}

static json_t *with_ok(json_t *o)
{
	json_object_set_new(o, "ok", json_true());
	return o;
}

/* ---- add ---- */

static void wrong(struct job *j, const char *path, const char *why)
{
	if (j->nr_wrong < TOLD_MAX && asprintf(&j->told[j->nr_wrong], "%s: %s", path, why) < 0)
		cli_die(CLI_FAIL, "out of memory");
	j->nr_wrong++;
}

static void forget_wrong(struct job *j)
{
	for (size_t i = 0; i < j->nr_wrong && i < TOLD_MAX; i++)
		free(j->told[i]);
	j->nr_wrong = 0;
}

static bool has_child(const void *arg, const char *name)
{
	return xs_tree_child(arg, name);
}

/* Everything the place has, or may have: stars are looked at from above. */
static int check_there(struct job *j, uint32_t tx)
{
	struct rules only = { .v = &j->one, .nr = 1 };
	char path[XENSTORE_ABS_PATH_MAX + 1], why[RULES_WHY_LEN];
	char *base = must(strdup(j->at));
	struct xs_node *root;
	int rc;

	forget_wrong(j);
	base[glob_base_len(base)] = '\0';
	rc = long_tree_read(tx, *base ? base : "/", -1, XS_TREE_VALUES | XS_TREE_KINDS, &root);
	free(base);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	for (const struct xs_node *n = root; n; n = xs_tree_next(root, n)) {
		const struct rule_family family = { has_child, n, n->children };
		struct rule_value v = rules_value_of(n);

		v.family = &family;
		xs_tree_path(n, path, sizeof(path));
		if (!n->value_rc && !rules_allow(&only, path, &v, why))
			wrong(j, path, why);
	}
	xs_tree_free(root);
	return j->nr_wrong ? -EINVAL : 0;
}

static void answered(void *arg, int rc, const char *data, size_t len)
{
	(void)data;
	(void)len;
	if (rc && !*(int *)arg)
		*(int *)arg = rc;
}

/* Writes @value, which everybody may read. */
static int put(uint32_t tx, const char *path, const char *value, size_t len)
{
	int rc = long_write(tx, path, value, len), done = 0;

	if (!rc)
		rc = long_submit_perms(tx, path, long_nr_parts(path, value, len), PERMS,
				       sizeof(PERMS), answered, &done);
	xs_client_wait(store());
	return rc ? rc : done;
}

static int add(void *arg, struct xs_client *c, uint32_t tx)
{
	struct job *j = arg;
	char at[XENSTORE_ABS_PATH_MAX + 1];
	int rc = j->force ? 0 : check_there(j, tx);

	snprintf(at, sizeof(at), "%s/at", j->path);
	if (!rc && xs_sync_str(c, XS_READ, tx, RULES_HOME, NULL, NULL) == -ENOENT)
		rc = put(tx, RULES_HOME, "", 0);
	if (!rc)
		rc = put(tx, j->path, j->text, j->len);
	return rc ? rc : put(tx, at, j->at, strlen(j->at));
}

static void job_free(struct job *j)
{
	forget_wrong(j);
	rule_free(j->one.rule);
	json_decref(j->found);
	free(j->name);
	free(j->at);
	free(j->path);
	free(j->text);
}

static void set_path(struct job *j)
{
	if (asprintf(&j->path, RULES_HOME "/%s", j->name) < 0)
		cli_die(CLI_FAIL, "out of memory");
}

int schema_own_add(struct cli_args *a)
{
	const char *file = a->argv[1], *called = cli_str(a, "name", NULL);
	struct job j = { .force = cli_has(a, "force"), .file = doc_name(file) };
	struct doc d = { .name = j.file };
	int rc;

	j.name = called ? name_in_store(called) : name_of_file(a, file);
	j.at = place_of(a);
	set_path(&j);
	j.text = doc_text(file, &j.len);
	j.one = (struct rules_one){ .name = j.name, .at = j.at,
				    .rule = rule_read(&d, j.text, j.len) };
	doc_end_if_wrong(&d);
	if (j.len > LONG_VALUE_MAX)
		cli_die(CLI_USAGE, "%s: a schema has at most %d bytes", j.file, LONG_VALUE_MAX);
	rc = xs_transact(store(), add, &j, XS_TRIES, NULL);
	for (size_t i = 0; i < j.nr_wrong && i < TOLD_MAX; i++)
		cli_warn("%s", j.told[i]);
	if (j.nr_wrong)
		cli_die(CLI_FAIL, "%s: %zu node%s not as it says (-f adds it all the same); nothing "
			"was changed", j.file, j.nr_wrong, j.nr_wrong > 1 ? "s are" : " is");
	if (rc)
		store_failed(j.path, rc);
	if (a->json)
		json_print(with_ok(schema_own_json(&j.one)));
	job_free(&j);
	return CLI_OK;
}

/* ---- list, show, rm ---- */

static void all(struct rules *r)
{
	int rc = rules_read(r, 0);

	if (rc)
		store_failed(RULES_HOME, rc);
}

/* A title is anybody's text. */
static void cell(struct table *t, const char *text)
{
	char *shown = text_escape(text, strlen(text));

	table_cell(t, "%s", shown);
	free(shown);
}

int schema_own_list(struct cli_args *a)
{
	static const char *const heads[] = { "NAME", "AT", "TITLE", NULL };
	static const char *const keys[] = { "name", "at", "title" };
	struct table *t = NULL;
	json_t *list = json_array();
	struct rules r;

	all(&r);
	if (r.nr && !a->json)
		t = table_create("lll", heads);
	for (size_t i = 0; i < r.nr; i++) {
		const struct rule *rule = rules_rule(&r.v[i]);
		const char *title = !rule ? "(is no schema)" : rule->title ? rule->title : "";
		json_t *o = schema_own_json(&r.v[i]);

		json_object_set_new(o, "title", json_string(title));
		json_object_set_new(o, "good", json_boolean(rule != NULL));
		for (int k = 0; t && k < 3; k++)
			cell(t, json_string_value(json_object_get(o, keys[k])));
		json_array_append_new(list, o);
	}
	if (t)
		table_print(t, stdout);
	if (a->json)
		json_print(json_incref(list));
	json_decref(list);
	rules_free(&r);
	return CLI_OK;
}

static _Noreturn void no_schema(const char *name)
{
	cli_die(CLI_FAIL, "%s: there is no such schema (see: xs schema list)", name);
}

static void show_one(const struct cli_args *a, const struct rules_one *one)
{
	json_t *v, *o;

	if (!a->json) {
		text_show(stdout, one->text, one->len);
		if (!one->len || one->text[one->len - 1] != '\n')
			putchar('\n');
		return;
	}
	o = schema_own_json(one);
	v = json_loadb(one->text, one->len, 0, NULL);
	json_object_set_new(o, "schema", v ? v : json_value(one->text, one->len));
	json_print(o);
}

int schema_own_show(struct cli_args *a)
{
	char *name = name_in_store(a->argv[1]);
	struct rules r;
	size_t i = 0;

	all(&r);
	while (i < r.nr && strcmp(r.v[i].name, name) != 0)
		i++;
	if (i == r.nr)
		no_schema(a->argv[1]);
	show_one(a, &r.v[i]);
	rules_free(&r);
	free(name);
	return CLI_OK;
}

static int take_away(void *arg, struct xs_client *c, uint32_t tx)
{
	const struct job *j = arg;
	int rc = xs_sync_str(c, XS_READ, tx, j->path, NULL, NULL);

	return rc ? rc : xs_sync_str(c, XS_RM, tx, j->path, NULL, NULL);
}

int schema_own_remove(struct cli_args *a)
{
	struct job j = { .name = name_in_store(a->argv[1]) };
	int rc;

	set_path(&j);
	rc = xs_transact(store(), take_away, &j, XS_TRIES, NULL);
	if (rc == -ENOENT)
		no_schema(a->argv[1]);
	if (rc)
		store_failed(j.path, rc);
	if (a->json)
		json_print(json_pack("{s:b}", "ok", 1));
	job_free(&j);
	return CLI_OK;
}
