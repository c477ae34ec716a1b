/* SPDX-License-Identifier: MIT */
/*
 * cmd_import_host.c - xm import-host: what the files of Xen's tools say about the host, into the
 * store, and a line for each name that says what became of it; the domains of /etc/xen/auto become
 * records that start with it.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "commands.h"
#include "host_cfg.h"
#include "load.h"
#include "record_settle.h"
#include "record_store.h"
#include "table.h"

static const char *const usual[] = {
	"/etc/xen/xend-config.sxp", "/etc/xen/xl.conf", "/etc/xen/auto", NULL,
};

static const struct cli_opt options[] = {
	{ 'n', "dryrun", NULL, "change nothing, only say what would become of each" },
	{ 0 },
};

/* A file of a folder, and what becomes of it. */
struct import_domain {
	char path[LOAD_PATH_MAX];
	struct record rec;
	bool kept;
	struct record_conflict conflict; /* of kept */
};

struct import {
	struct xm *xm;
	bool dry;
	struct host_cfg host;
	char **has; /* of each of host.settings: what the store has in its place, or NULL */
	struct import_domain **domain;
	size_t nr_domains;
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

/* --- domains --------------------------------------------------------------------------------- */

/* Reading a pipe would wait for who writes it; a folder in the folder is not looked into. */
static int check_file(struct import *in, const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return xm_fail(in->xm, "cannot read %s: %s", path, strerror(errno));
	if (S_ISREG(st.st_mode))
		return 0;
	return xm_fail(in->xm, "%s is no file: move it out of the folder, or name what is in it", path);
}

static void read_domain(struct import *in, const char *path)
{
	struct import_domain **more = realloc(in->domain, (in->nr_domains + 1) * sizeof(*more));
	struct import_domain *d = calloc(1, sizeof(*d));

	if (more)
		in->domain = more;
	if (!more || !d) {
		in->status = xm_fail(in->xm, "out of memory");
	} else if (check_file(in, path) ||
		   load_record(in->xm, path, NULL, 0, true, &d->rec, d->path)) {
		in->status = 1;
	} else {
		d->rec.persistent = true;
		d->rec.autostart = AUTOSTART_YES;
		in->domain[in->nr_domains++] = d;
		return;
	}
	free(d);
}

static int is_config(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

static void read_folder(struct import *in, const char *dir)
{
	struct dirent **name;
	int nr = scandir(dir, &name, is_config, alphasort);

	if (nr < 0)
		in->status = xm_fail(in->xm, "cannot read %s: %s", dir, strerror(errno));
	for (int i = 0; i < nr; i++) {
		char path[LOAD_PATH_MAX];

		if (snprintf(path, sizeof(path), "%s/%s", dir, name[i]->d_name) < LOAD_PATH_MAX)
			read_domain(in, path);
		else
			in->status = xm_fail(in->xm, "the path of %s in %.64s... is too long",
					     name[i]->d_name, dir);
		free(name[i]);
	}
	if (nr >= 0)
		free(name);
}

/* --- the store ------------------------------------------------------------------------------- */

/* What somebody has set there stays; what is so already need not be written. */
static int write_setting(struct xs_handle *xs, xs_transaction_t t, const struct host_setting *s,
			 char **has)
{
	free(*has);
	*has = store_read(xs, t, "%s", s->says);
	if (!*has)
		return errno == ENOENT ? store_write(xs, t, s->value, "%s", s->says) : -errno;
	if (!strcmp(*has, s->value)) {
		free(*has);
		*has = NULL;
	}
	return 0;
}

static int write_domain(struct xs_handle *xs, xs_transaction_t t, struct import_domain *d)
{
	char *bridge = store_read(xs, t, "/config/network/bridge");
	int ret = bridge || errno == ENOENT ? 0 : -errno;

	record_settle(&d->rec, bridge);
	free(bridge);
	if (!ret)
		ret = record_put_in(xs, t, &d->rec, RECORD_DEFINE, &d->conflict);
	d->kept = ret == -EEXIST;
	return d->kept ? 0 : ret;
}

#define ONLY_LOOKED 1

/* A store_transact() body: all of it or nothing; of a dry run nothing, after the same questions. */
static int write_all(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	struct import *in = data;
	int ret = 0;

	for (size_t i = 0; i < in->host.nr && !ret; i++)
		if (in->host.settings[i].fate == HOST_TAKEN)
			ret = write_setting(xs, t, &in->host.settings[i], &in->has[i]);
	for (size_t i = 0; i < in->nr_domains && !ret; i++)
		ret = write_domain(xs, t, in->domain[i]);
	return ret ? ret : in->dry ? ONLY_LOOKED : 0;
}

/* A dry run does without the store, but what is kept there it cannot know then. */
static void put(struct import *in)
{
	int ret;

	if (in->dry && !in->xm->xs)
		in->xm->xs = xs_open(0);
	ret = in->xm->xs ? store_transact(in->xm->xs, write_all, in) : -errno;
	if (ret >= 0)
		return;
	if (in->dry)
		xm_warn(in->xm, "what the store has already is not known: %s", strerror(-ret));
	else
		in->status = xm_fail_store(in->xm, "writing what the files say", -ret);
}

/* --- what is told ---------------------------------------------------------------------------- */

static void show_settings(const struct import *in, struct table *table)
{
	for (size_t i = 0; i < in->host.nr; i++) {
		const struct host_setting *s = &in->host.settings[i];
		const char *value = s->from->value.text, *has = in->has[i];

		table_cell(table, "%s:%d", s->from->pos.source, s->from->pos.line);
		table_cell(table, "%s", s->from->key);
		table_cell(table, "%s", value ? value : "(...)");
		table_cell(table, "%s", has ? "kept" : fates[s->fate]);
		if (has)
			table_cell(table, "%s is %s and stays so", s->says, has);
		else
			table_cell(table, "%s", s->says);
	}
}

static void show_domains(const struct import *in, struct table *table)
{
	for (size_t i = 0; i < in->nr_domains; i++) {
		const struct import_domain *d = in->domain[i];

		table_cell(table, "%s", d->path);
		table_cell(table, "name");
		table_cell(table, "%s", d->rec.name);
		table_cell(table, "%s", d->kept ? "kept" : "taken");
		if (!d->kept)
			table_cell(table, "a record that starts with the host");
		else if (d->conflict.same_name)
			table_cell(table, "there is a domain of that name");
		else
			table_cell(table, "its uuid is %s's: remove the uuid line", d->conflict.name);
	}
}

/* --- both ------------------------------------------------------------------------------------ */

static bool is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Nothing is written while something is wrong with what is said of the host: then false. */
static bool read_host(struct import *in, const char *const *path)
{
	struct cfg_report rep = { .say = say, .data = in };

	for (; *path; path++)
		if (!is_folder(*path))
			read_file(in, *path, &rep);
	if (host_cfg_judge(&in->host, &rep) == -ENOMEM)
		in->status = xm_fail(in->xm, "out of memory");
	in->has = calloc(in->host.nr + 1, sizeof(*in->has));
	if (!in->has)
		in->status = xm_fail(in->xm, "out of memory");
	return !in->status;
}

static void import_fini(struct import *in)
{
	for (size_t i = 0; in->has && i < in->host.nr; i++)
		free(in->has[i]);
	for (size_t i = 0; i < in->nr_domains; i++)
		free(in->domain[i]);
	free(in->has);
	free(in->domain);
	host_cfg_fini(&in->host);
}

static int import(struct import *in, const char *const *path)
{
	static const char *const heads[] = { "FROM", "NAME", "VALUE", "IS", "HERE" };
	bool right = read_host(in, path);
	int status;

	for (; right && *path; path++)
		if (is_folder(*path))
			read_folder(in, *path);
	/* A domain that cannot be taken has been told, and keeps none of the others from it. */
	status = in->status;
	in->status = 0;
	if (right)
		put(in);
	if (right && !in->status) {
		struct table *table = table_create("lllll", heads);

		show_settings(in, table);
		show_domains(in, table);
		table_print(table, in->xm->out);
	}
	import_fini(in);
	return status ? status : in->status;
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
		"(written to the store), kept (the store says something else), elsewhere (where it is\n"
		"said here), without effect (why). A name that no such file has is an error, and then\n"
		"nothing is written. Of a folder each domain becomes a record that starts with the\n"
		"host; one that is there is kept. A file that cannot be taken is told, and the others\n"
		"are taken.",
	.opts = options,
	.says = CLI_SAYS_NO_JSON,
	.max_args = -1,
	.example = "xm import-host -n\nxm import-host /etc/xen/xl.conf",
	.run = run_import_host,
};
