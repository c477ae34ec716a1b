/* SPDX-License-Identifier: MIT */
/*
 * cmd_cfg.c - `xs import-cfg`, `xs export-cfg`: the bridge between configuration files of xm and xl
 * and records. Their syntax and meaning are xm's own (cli/xm); here a record becomes a document.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "cfg.h"
#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "keys.h"
#include "record.h"
#include "record_out.h"
#include "store.h"

#define TRIES 100

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

static void remark(void *data, const char *text)
{
	(void)data;
	cli_warn("%s", text);
}

static void load_record(struct cli_args *a, struct record *rec)
{
	struct cfg cfg = { 0 };
	struct cfg_error err;
	size_t len;
	char *text = read_text(a->argv[0], &len);
	const char *name = strcmp(a->argv[0], "-") ? a->argv[0] : "standard input";
	int rc = cfg_parse(&cfg, name, text, len, &err);

	if (rc == -E2BIG)
		cli_die(CLI_USAGE, "%s: is larger than %d bytes", name, CFG_TEXT_MAX);
	for (int i = 1; i < a->argc && !rc; i++)
		rc = cfg_override(&cfg, a->argv[i], &err);
	record_init(rec);
	if (!rc)
		rc = keys_to_record(&cfg, rec, remark, NULL, &err);
	if (!rc)
		rc = record_complete(rec);
	if (rc == -EINVAL)
		cli_die(CLI_USAGE, "%s", err.text);
	if (rc)
		cli_die(CLI_FAIL, "%s: %s", name, strerror(-rc));
	cfg_fini(&cfg);
	free(text);
}

/* The name is the directory's; empty lists are no nodes. */
static json_t *record_document(struct record *rec)
{
	json_t *o = record_json(rec);

	json_object_del(o, "name");
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
	record_fini(&rec);
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

static const char *text_of(const struct xs_node *dir, const char *name)
{
	const struct xs_node *n = xs_tree_child(dir, name);

	return n && n->value_len ? n->value : NULL;
}

static long number_of(const struct xs_node *dir, const char *name, long def)
{
	const char *text = text_of(dir, name);

	return text ? atol(text) : def;
}

static void copy(char *to, size_t size, const char *text)
{
	snprintf(to, size, "%s", text ? text : "");
}

static void take_disk(struct record *rec, const struct xs_node *n)
{
	struct disk_spec *disk = &rec->disks[rec->nr_disks];
	const char *target = text_of(n, "target"), *mode = text_of(n, "mode"), *colon;

	if (!target || rec->nr_disks == RECORD_DISKS_MAX)
		return;
	colon = target[0] == '/' ? NULL : strchr(target, ':');
	disk->backend = strncmp(target, "phy:", 4) == 0 ? DISK_PHY : DISK_FILE;
	copy(disk->path, sizeof(disk->path), colon ? colon + 1 : target);
	copy(disk->vdev, sizeof(disk->vdev), text_of(n, "vdev"));
	disk->writable = mode && mode[0] == 'w';
	disk->shared = mode && strcmp(mode, "w!") == 0;
	rec->nr_disks++;
}

static void take_vif(struct record *rec, const struct xs_node *n)
{
	struct vif_spec *vif = &rec->vifs[rec->nr_vifs];

	if (rec->nr_vifs == RECORD_VIFS_MAX)
		return;
	copy(vif->mac, sizeof(vif->mac), text_of(n, "mac"));
	copy(vif->bridge, sizeof(vif->bridge), text_of(n, "bridge"));
	copy(vif->script, sizeof(vif->script), text_of(n, "script"));
	copy(vif->ip, sizeof(vif->ip), text_of(n, "ip"));
	copy(vif->vifname, sizeof(vif->vifname), text_of(n, "vifname"));
	rec->nr_vifs++;
}

/* Children 0, 1, ... in that order. */
static void take_list(struct record *rec, const struct xs_node *dir, const char *name, int max,
		      void (*take)(struct record *, const struct xs_node *))
{
	const struct xs_node *list = xs_tree_child(dir, name);
	char number[16];

	for (int i = 0; list && i < max; i++) {
		const struct xs_node *n;

		snprintf(number, sizeof(number), "%d", i);
		n = xs_tree_child(list, number);
		if (n)
			take(rec, n);
	}
}

static const char *word_or(const char *word, const char *def)
{
	return word ? word : def;
}

static void take_record(struct record *rec, const struct xs_node *dir, const char *name)
{
	record_init(rec);
	copy(rec->name, sizeof(rec->name), name);
	copy(rec->uuid, sizeof(rec->uuid), text_of(dir, "uuid"));
	rec->memory = number_of(dir, "memory", 0);
	rec->maxmem = number_of(dir, "maxmem", rec->memory);
	rec->vcpus = number_of(dir, "vcpus", 1);
	rec->maxvcpus = number_of(dir, "maxvcpus", rec->vcpus);
	rec->kernel = strdup(word_or(text_of(dir, "kernel"), ""));
	rec->ramdisk = strdup(word_or(text_of(dir, "ramdisk"), ""));
	rec->cmdline = strdup(word_or(text_of(dir, "cmdline"), ""));
	rec->on_poweroff = word_or(text_of(dir, "on_poweroff"), rec->on_poweroff);
	rec->on_reboot = word_or(text_of(dir, "on_reboot"), rec->on_reboot);
	rec->on_crash = word_or(text_of(dir, "on_crash"), rec->on_crash);
	rec->autostart = word_or(text_of(dir, "autostart"), rec->autostart);
	take_list(rec, dir, "disk", 256, take_disk);
	take_list(rec, dir, "vif", 256, take_vif);
}

static int run_export_cfg(struct cli_args *a)
{
	char path[XENSTORE_ABS_PATH_MAX + 1];
	struct xs_node *dir;
	struct record rec;
	int rc;

	snprintf(path, sizeof(path), "/config/domain/%s", a->argv[0]);
	rc = xs_tree_snapshot(store(), path, -1, XS_TREE_VALUES, &dir);
	if (rc == -ENOENT)
		cli_die(CLI_FAIL, "%s: there is no such record (xs ls /config/domain)",
			a->argv[0]);
	if (rc)
		store_failed(path, rc);
	take_record(&rec, dir, a->argv[0]);
	if (a->json)
		json_print(record_json(&rec));
	else
		record_print_cfg(&rec, stdout);
	record_fini(&rec);
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
