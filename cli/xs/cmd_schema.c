/* SPDX-License-Identifier: MIT */
/*
 * cmd_schema.c - `xs schema`: the table of docs/store-paths.md as a JSON Schema for editors; with a
 * word behind it, schemas of one's own (schema_own.c).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "schema.h"
#include "schema_own.h"

/* ---- schema ---- */

#define UP_TO_255 "([1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
#define VLAN "(0|[1-9][0-9]{0,2}|[1-3][0-9]{3}|40[0-8][0-9]|409[0-5])"
#define CPUS_PART "((nodes?:)?all|\\^?(nodes?:)?[0-9]+(-[0-9]+)?)"

/*
 * Text that a value of @type matches, or NULL: any. What no pattern can say (an address, a CPU
 * that is there) is left to import.
 */
static const char *regex_of(enum schema_type type)
{
	switch ((int)type) {
	case SCHEMA_UUID:
		return "^([0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})?$";
	case SCHEMA_MAC:
		return "^((?!00(:00){5}$)[0-9A-Fa-f][02468ACEace](:[0-9A-Fa-f]{2}){5})?$";
	case SCHEMA_FILE:
	case SCHEMA_PATH:
		return "^(/.*)?$";
	case SCHEMA_TARGET:
		return "^(phy:.+|(file:)?/.*|nbd:[^/].*|nbd://[^/].*|nbd\\+unix:///.+|iscsi://[^/].*|"
		       "script:(/[^: ]+|[^:/ ]+):[^ ].*)?$";
	case SCHEMA_DISK:
		return "^(/dev/)?(xvd[a-z]{1,5}" UP_TO_255 "?|sd[a-p]([1-9]|1[0-5])?|"
		       "hd[a-d]([1-9]|[1-5][0-9]|6[0-3])?|"
		       "d([0-9]{1,6}|10[0-3][0-9]{4}|104[0-7][0-9]{3}|1048[0-4][0-9]{2}|"
		       "10485[0-6][0-9]|104857[0-5])(p" UP_TO_255 ")?|"
		       "0[xX][0-9A-Fa-f]+|[0-9]+)?$";
	case SCHEMA_IFNAME:
		return "^([A-Za-z0-9_.@-]{1,15})?$";
	case SCHEMA_IP:
		return "^[0-9A-Fa-f:.]*$";
	case SCHEMA_BRIDGE:
		return "^(?=.{0,63}$)([A-Za-z0-9_.@-]{1,15}|"
		       "[A-Za-z0-9_@-]{1,15}([.]" VLAN ")?(:" VLAN ")*)?$";
	case SCHEMA_SCRIPT:
		return "^([^\\s'\"`$;&|<>()\\\\]{1,127})?$";
	case SCHEMA_RATE:
		return "^([0-9]+[GMK]?[Bb]/s(@[0-9]+(u|m)?s)?)?$";
	case SCHEMA_CPUS:
		return "^(" CPUS_PART "(," CPUS_PART ")*| )*$";
	}
	return NULL;
}

static json_t *number_schema(const struct schema_row *row)
{
	json_t *o = json_pack("{s:s}", "type", row->type == SCHEMA_BOOL ? "boolean" : "integer");

	if (row->type == SCHEMA_BOOL)
		return json_pack("{s:[o, {s:[i, i]}]}", "anyOf", o, "enum", 0, 1);
	json_object_set_new(o, "minimum", json_integer(row->min));
	if (schema_max(row))
		json_object_set_new(o, "maximum", json_integer(schema_max(row)));
	return o;
}

/* A number may also stand as text. */
static json_t *value_schema(const struct schema_row *row)
{
	const char *regex = regex_of(row->type), *choices = schema_choices(row);
	json_t *o;

	if (schema_is_number(row->type))
		return json_pack("{s:[o, {s:s, s:s}]}", "anyOf", number_schema(row), "type",
				 "string", "pattern", "^[0-9]*$");
	if (choices) {
		o = json_pack("{s:o}", "enum", json_words(choices));
		/* the words 0 and 1 are what a document may write as numbers, too */
		if (strncmp(choices, "0|1", 3) == 0) {
			json_array_append_new(json_object_get(o, "enum"), json_integer(0));
			json_array_append_new(json_object_get(o, "enum"), json_integer(1));
			json_array_append_new(json_object_get(o, "enum"), json_true());
			json_array_append_new(json_object_get(o, "enum"), json_false());
		}
		return o;
	}
	o = json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean");
	if (regex)
		json_object_set_new(o, "pattern", json_string(regex));
	if (row->max)
		json_object_set_new(o, "maxLength", json_integer(row->max));
	return o;
}

static const char *component_regex(const char *component)
{
	if (strncmp(component, "$NAME", 5) == 0 || strncmp(component, "$REQ", 4) == 0)
		return "^[A-Za-z0-9_-][A-Za-z0-9_@.+-]*$";
	return strncmp(component, "$UUID", 5) == 0 ? "^[0-9A-Fa-f-]{36}$" : "^[0-9]+$";
}

/* The schema of child @component of @node, made when missing. Borrowed. */
static json_t *child_schema(json_t *node, const char *component)
{
	const char *where = component[0] == '$' ? "patternProperties" : "properties";
	const char *key = component[0] == '$' ? component_regex(component) : component;
	json_t *members = json_object_get(node, where), *child;

	if (!members) {
		members = json_object();
		json_object_set_new(node, where, members);
	}
	child = json_object_get(members, key);
	if (!child) {
		child = json_object();
		json_object_set_new(members, key, child);
	}
	return child;
}

static void describe(json_t *node, const struct schema_row *row)
{
	char *text;

	if (asprintf(&text, "%s%s%s; written by %s, read by %s", row->words,
		     row->words[0] ? ": " : "", schema_type_words(row->type), row->writer,
		     row->readers) < 0)
		cli_die(CLI_FAIL, "out of memory");
	json_object_set_new(node, "description", json_string(text));
	free(text);
	if (row->type == SCHEMA_SECRET)
		json_object_set_new(node, "writeOnly", json_true());
}

static void add_row(json_t *root, const struct schema_row *row)
{
	char *path = strdup(row->path), *save = NULL;
	json_t *node = root;

	for (char *c = strtok_r(path, "/", &save); c; c = strtok_r(NULL, "/", &save))
		node = child_schema(node, c);
	free(path);
	describe(node, row);
	json_object_set_new(node, "x-type", json_string(schema_type_words(row->type)));
	if (row->type != SCHEMA_DIR && row->type != SCHEMA_LIST)
		json_object_set_new(node, "x-value", value_schema(row));
}

/*
 * A node is its value; or an object with children and "@value"; or {"@b64"}; or null. What the rows
 * said is in x-value until here.
 */
static void finish_node(json_t *node, bool top)
{
	json_t *value = json_incref(json_object_get(node, "x-value")), *kid, *any;
	json_t *object = json_object(), *named = json_object_get(node, "properties");
	json_t *patterns = json_object_get(node, "patternProperties");
	bool list = strcmp(json_string_value(json_object_get(node, "x-type")) ?
				   json_string_value(json_object_get(node, "x-type")) : "",
			   "list") == 0;
	const char *key;

	json_object_foreach(named, key, kid)
		finish_node(kid, false);
	json_object_foreach(patterns, key, kid)
		finish_node(kid, false);
	json_object_set_new(object, "type", json_string("object"));
	if (named)
		json_object_set(object, "properties", named);
	if (patterns)
		json_object_set(object, "patternProperties", patterns);
	any = json_pack("[O]", object);
	if (list && patterns)
		json_array_append_new(any, json_pack("{s:s, s:O}", "type", "array", "items",
						     json_object_iter_value(
							     json_object_iter(patterns))));
	json_array_append_new(any, value ? value :
			      json_pack("{s:[s, s, s]}", "type", "string", "number", "boolean"));
	if (!top)
		json_array_append_new(any, json_pack("{s:s}", "type", "null"));
	json_object_del(node, "x-value");
	json_object_del(node, "x-type");
	json_object_del(node, "properties");
	json_object_del(node, "patternProperties");
	if (top)
		json_object_update(node, object);
	else
		json_object_set(node, "anyOf", any);
	json_decref(any);
	json_decref(object);
}

static int print_known(void)
{
	json_t *root = json_object();

	for (size_t i = 0; schema_at(i); i++)
		add_row(root, schema_at(i));
	finish_node(root, true);
	json_object_set_new(root, "$schema",
			    json_string("http://json-schema.org/draft-07/schema#"));
	json_object_set_new(root, "title", json_string("Documents of xs import and xs apply"));
	return json_say(cli_voice(), root, JSON_PAGE);
}

/* ---- the command ---- */

static const struct verb {
	const char *name;
	int nr_words; /* behind it */
	int (*run)(struct cli_args *a);
} verbs[] = {
	{ "add", 1, schema_own_add },
	{ "list", 0, schema_own_list },
	{ "show", 1, schema_own_show },
	{ "rm", 1, schema_own_remove },
};

static int run_schema(struct cli_args *a)
{
	bool adds = a->argc && strcmp(a->argv[0], "add") == 0;

	if (!adds && (cli_has(a, "at") || cli_has(a, "name") || cli_has(a, "force")))
		cli_usage(a, "--at, --name and --force are for add");
	if (!a->argc)
		return print_known();
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(verbs[i].name, a->argv[0]) != 0)
			continue;
		if (a->argc - 1 != verbs[i].nr_words)
			cli_usage(a, "%s takes %s", verbs[i].name, !verbs[i].nr_words ? "no word" :
				  adds ? "a FILE" : "the NAME of a schema");
		return verbs[i].run(a);
	}
	cli_usage(a, "%s: add, list, show or rm is wanted", a->argv[0]);
}

static const struct cli_opt opts[] = {
	{ 0, "at", "PATH", "of add: what it is about, * standing for any one name (default: /)" },
	{ 0, "name", "NAME", "of add: what it is called (default: as FILE without .json)" },
	{ 'f', "force", NULL, "of add: also when something that is there is not as it says" },
	{ 0 },
};

const struct cli_cmd cmd_schema = {
	.name = "schema",
	.args = "[add FILE | list | show NAME | rm NAME]",
	.help = "the types of all known paths as a JSON Schema, for editors; schemas of one's own",
	.more = "Without a word it needs no store: what it says is what import and apply check.\n"
		"add keeps FILE, a JSON Schema, in the store, in place of one of that name; from then\n"
		"on no command of xs writes a value below PATH that it does not allow, or removes what\n"
		"it wants to be there, and explain says what it says. What keywords there are, and who is not held by them: xs(1).",
	.example = "xs schema >store.schema.json\n"
		   "xs schema add --at '/config/service/*' service.json",
	.opts = opts,
	.max_args = 2,
	.run = run_schema,
};
