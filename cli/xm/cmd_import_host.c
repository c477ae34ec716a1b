/* SPDX-License-Identifier: MIT */
/*
 * cmd_import_host.c - xm import-host: what the files of Xen's tools say about the host, into the
 * store, and a line for each name that says what became of it; the domains of /etc/xen/auto become
 * records that start with it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "host_cfg.h"
#include "load.h"
#include "record_store.h"
#include "table.h"

static const char *const usual[] = {
	"/etc/xen/xend-config.sxp", "/etc/xen/xl.conf", "/etc/xen/auto", NULL,
};

static const struct cli_opt options[] = {
	{ 'n', "dryrun", NULL, "change nothing, only say what would become of each" },
	{ 0 },
};

struct import {
	struct xm *xm;
	bool dry;
	struct host_cfg host;
	struct table *table;
	int status;
};

static const char *const fates[] = {
	[HOST_TAKEN] = "taken",
	[HOST_ELSEWHERE] = "elsewhere",
	[HOST_NO_EFFECT] = "no effect",
};

static void say(void *data, bool wrong, const char *text)
{
	struct import *in = data;

	if (wrong)
		in->status = xm_fail(in->xm, "%s", text);
	else
		xm_warn(in->xm, "%s", text);
}

/* --- files ----------------------------------------------------------------------------------- */

static void read_file(struct import *in, const char *path, struct cfg_report *rep)
{
	size_t len;
	char *text = load_text(in->xm, path, &len);

	if (!text || host_cfg_read(&in->host, path, text, len, rep) == -ENOMEM)
		in->status = text ? xm_fail(in->xm, "out of memory") : 1;
	free(text);
}

static void show(struct import *in)
{
	for (size_t i = 0; i < in->host.nr; i++) {
		const struct host_setting *s = &in->host.settings[i];
		const char *value = s->from->value.text;

		table_cell(in->table, "%s:%d", s->from->pos.source, s->from->pos.line);
		table_cell(in->table, "%s", s->from->key);
		table_cell(in->table, "%s", value ? value : "(...)");
		table_cell(in->table, "%s", fates[s->fate]);
		table_cell(in->table, "%s", s->says);
	}
}

/* A store_transact() body: all of it or nothing. */
static int write_taken(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const struct host_cfg *host = data;
	int ret = 0;

	for (size_t i = 0; i < host->nr && !ret; i++)
		if (host->settings[i].fate == HOST_TAKEN)
			ret = store_write(xs, t, host->settings[i].value, "%s", host->settings[i].says);
	return ret;
}

/* --- domains --------------------------------------------------------------------------------- */

static void domain_row(struct import *in, const char *path, const struct record *rec,
		       const char *fate, const char *says)
{
	table_cell(in->table, "%s", path);
	table_cell(in->table, "name");
	table_cell(in->table, "%s", rec->name);
	table_cell(in->table, "%s", fate);
	table_cell(in->table, "%s", says);
}

static void take_domain(struct import *in, const char *path)
{
	struct record_conflict conflict;
	char found[LOAD_PATH_MAX];
	struct record rec;
	int ret;

	if (load_record(in->xm, path, NULL, 0, true, &rec, found)) {
		in->status = 1;
		return;
	}
	rec.persistent = true;
	rec.autostart = AUTOSTART_YES;
	load_host(in->xm, &rec);
	ret = in->dry ? 0 : record_put(in->xm->xs, &rec, RECORD_DEFINE, &conflict);
	if (ret == -EEXIST)
		domain_row(in, path, &rec, "kept",
			   conflict.same_name ? "there is a domain of that name" :
						"its uuid is another domain's: remove the uuid line");
	else if (ret)
		in->status = xm_fail_store(in->xm, "writing the record", -ret);
	else
		domain_row(in, path, &rec, "taken", "a record that starts with the host");
}

static int is_config(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void take_folder(struct import *in, const char *dir)
{
	struct dirent **name;
	int nr = scandir(dir, &name, is_config, alphasort);

	if (nr < 0)
		in->status = xm_fail(in->xm, "cannot read %s: %s", dir, strerror(errno));
	for (int i = 0; i < nr; i++) {
		char path[LOAD_PATH_MAX];

		if (snprintf(path, sizeof(path), "%s/%s", dir, name[i]->d_name) < LOAD_PATH_MAX)
			take_domain(in, path);
		free(name[i]);
	}
	if (nr >= 0)
		free(name);
}

/* --- both ------------------------------------------------------------------------------------ */

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Nothing is written while something is wrong: then false. */
static bool take_host(struct import *in, const char *const *path)
{
	struct cfg_report rep = { .say = say, .data = in };
	int ret;

	for (; *path; path++)
		if (!is_folder(*path))
			read_file(in, *path, &rep);
	if (host_cfg_judge(&in->host, &rep) == -ENOMEM)
		in->status = xm_fail(in->xm, "out of memory");
	ret = in->status || in->dry ? 0 : store_transact(in->xm->xs, write_taken, &in->host);
	if (ret)
		in->status = xm_fail_store(in->xm, "writing what the files say", -ret);
	return !in->status;
}

static int import(struct import *in, const char *const *path)
{
	static const char *const heads[] = { "FROM", "NAME", "VALUE", "IS", "HERE" };

	if (take_host(in, path)) {
		in->table = table_create("lllll", heads);
		show(in);
		for (; *path; path++)
			if (is_folder(*path))
				take_folder(in, *path);
		table_print(in->table, in->xm->out);
	}
	host_cfg_fini(&in->host);
	return in->status;
}

static int run_import_host(struct cli_args *args)
{
	struct import in = { .xm = args->with, .dry = cli_has(args, "dryrun") };
	const char *there[sizeof(usual) / sizeof(usual[0])];
	int nr = 0;

	for (size_t i = 0; usual[i]; i++)
		if (access(usual[i], F_OK) == 0)
			there[nr++] = usual[i];
	there[nr] = NULL;
	if (!args->argc && !nr)
		return xm_fail(in.xm, "there is none of %s, %s, %s", usual[0], usual[1], usual[2]);
	if (!in.dry && !xm_store(in.xm))
		return 1;
	return import(&in, args->argc ? (const char *const *)args->argv : there);
}

const struct cli_cmd cmd_import_host = {
	.name = "import-host",
	.args = "[FILE]...",
	.help = "Take over what files of Xen's tools say about the host",
	.more = "FILE is an xl.conf, an xend-config.sxp, or a folder of configuration files as\n"
		"/etc/xen/auto; without any, those in /etc/xen. Each name in them is told: taken\n"
		"(written to the store), elsewhere (where it is said here), without effect (why). A\n"
		"name that no such file has is an error, and then nothing is written. Of a folder each\n"
		"domain becomes a record that starts with the host; one that is there is kept.",
	.opts = options,
	.says = CLI_SAYS_NO_JSON,
	.max_args = -1,
	.example = "xm import-host -n\nxm import-host /etc/xen/xl.conf",
	.run = run_import_host,
};
