/* SPDX-License-Identifier: MIT */
/*
 * cmd_cfg.c - `xs import-cfg`, `xs export-cfg`: the bridge between configuration files of xm and xl
 * and records. Their syntax and meaning are record/'s; here a record becomes a document.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "cfg_keys.h"
#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "record_out.h"
#include "record_settle.h"
#include "record_tree.h"
#include "store.h"

/* ---- from a file ---- */

static char *read_text(const char *file, size_t *len)
{
	FILE *f = strcmp(file, "-") == 0 ? stdin : fopen(file, "re");
	char *text = malloc(CFG_TEXT_MAX + 1);

	if (!f)
		cli_die(CLI_USAGE, "%s: %s", file, strerror(errno));
	if (!text)
		cli_die(CLI_FAIL, "out of memory");
	*len = fread(text, 1, CFG_TEXT_MAX + 1, f);
	if (ferror(f))
		cli_die(CLI_USAGE, "%s: %s", file, strerror(errno));
	if (f != stdin)
		fclose(f);
	return text;
}

static void say(void *data, bool wrong, const char *text)
{
	(void)data;
	(void)wrong;
	cli_warn("%s", text);
}

/* Of cards that name none; a store that is not there has none set. */
static char *default_bridge(void)
{
	int rc = store_connect();

	return rc ? NULL : store_read(0, "/config/network/bridge", NULL, &rc);
}

/* Ends the program after saying all that is wrong. */
static void load_record(struct cli_args *a, struct record *rec)
{
	struct cfg_report rep = { .say = say };
	struct cfg cfg = { 0 };
	const char *name = strcmp(a->argv[0], "-") ? a->argv[0] : "standard input";
	char *base = get_current_dir_name(), *bridge;
	size_t len;
	char *text = read_text(a->argv[0], &len);
	int rc = cfg_parse(&cfg, name, text, len, &rep);

	for (int i = 1; i < a->argc && rc != -ENOMEM; i++)
		rc = cfg_override(&cfg, a->argv[i], &rep);
	if (rc != -ENOMEM)
		rc = cfg_to_record(&cfg, base, rec, &rep);
	if (rep.nr_wrong)
		cli_end(CLI_USAGE);
	if (rc)
		cli_die(CLI_FAIL, "%s: %s", name, strerror(-rc));
	bridge = default_bridge();
	record_settle(rec, bridge);
	free(bridge);
	cfg_fini(&cfg);
	free(text);
	free(base);
}

/* The name is the directory's; empty lists are no nodes. */
static json_t *record_document(const struct record *rec)
{
	struct record_keys keys = { 0 };
	json_t *o;

	if (record_format(rec, &keys))
		cli_die(CLI_FAIL, "out of memory");
	o = record_json(NULL, &keys);
	record_keys_free(&keys);
	if (json_array_size(json_object_get(o, "disk")) == 0)
		json_object_del(o, "disk");
	if (json_array_size(json_object_get(o, "vif")) == 0)
		json_object_del(o, "vif");
	return json_pack("{s:{s:{s:o}}}", "config", "domain", rec->name, o);
}

static int run_import_cfg(struct cli_args *a)
{
	struct job j = { .dry_run = cli_has(a, "dry-run") };
	struct record rec;
	json_t *document;

	load_record(a, &rec);
	rec.power = cli_has(a, "start");
	rec.persistent = true;
	document = record_document(&rec);
	if (cli_has(a, "print")) {
		json_print(document);
	} else {
		doc_from_json(&j.doc, a->argv[0], document, false);
		job_run(&j);
		job_show(a, &j);
		if (!a->json)
			job_say_done(&j);
		job_free(&j);
		json_decref(document);
	}
	return CLI_OK;
}

static const struct cli_opt import_opts[] = {
	{ 's', "start", NULL, "with power = on: the domain starts" },
	{ 'n', "dry-run", NULL, "show what would change; the store tests it and forgets it" },
	{ 'p', "print", NULL, "only print the document, for apply" },
	{ 0 },
};

const struct cli_cmd cmd_import_cfg = {
	.name = "import-cfg",
	.args = "FILE.cfg [KEY=VALUE]...",
	.help = "writes a domain's record from a configuration file of xm or xl",
	.more =
		"Literals only: no Python code is run. KEY=VALUE words override lines of the\n"
		"file. Adds and changes keys of the record /config/domain/NAME, removes none.",
	.example = "xs import-cfg /etc/xen/web.cfg\n"
		   "xs import-cfg --print web.cfg memory=512 >web.json",
	.opts = import_opts,
	.min_args = 1,
	.max_args = -1,
	.run = run_import_cfg,
};

/* ---- to a file ---- */

static void wrong_in_record(void *data, const char *key, const char *text)
{
	(void)key;
	cli_warn("%s: %s", (const char *)data, text);
}

static int run_export_cfg(struct cli_args *a)
{
	char plain[XENSTORE_ABS_PATH_MAX + 1], path[XENSTORE_ABS_PATH_MAX + 1];
	struct record_keys keys = { 0 };
	struct xs_node *dir;
	struct record rec;
	int rc;

	snprintf(plain, sizeof(plain), RECORD_ROOT "/%s", a->argv[0]);
	rc = domain_name_path(plain, path, sizeof(path)) ?
		     xs_tree_snapshot(store(), path, -1, XS_TREE_VALUES, &dir) : -ENOENT;
	if (rc == -ENOENT)
		cli_die(CLI_FAIL, "%s: there is no such record (xs ls /config/domain)",
			a->argv[0]);
	if (rc)
		store_failed(path, rc);
	record_keys_of_tree(&keys, dir);
	record_parse(&rec, a->argv[0], &keys, wrong_in_record, a->argv[0]);
	if (a->json)
		json_print(record_json(a->argv[0], &keys));
	else
		record_print_cfg(a->argv[0], &keys, stdout);
	record_keys_free(&keys);
	xs_tree_free(dir);
	return CLI_OK;
}

const struct cli_cmd cmd_export_cfg = {
	.name = "export-cfg",
	.args = "NAME",
	.help = "a domain's record as a configuration file for xm or xl",
	.example = "xs export-cfg web >web.cfg",
	.min_args = 1,
	.max_args = 1,
	.run = run_export_cfg,
};
