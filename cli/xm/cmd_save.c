/* SPDX-License-Identifier: MIT */
/*
 * cmd_save.c - xm save and xm restore: a running domain into a file, and back.
 *
 * Saving is xend's. Restoring is a start like any other, of a record that says saved=FILE; a
 * record that nobody has any more comes from the file.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "define.h"
#include "domains.h"
#include "load.h"
#include "record.h"
#include "request.h"
#include "saved_head.h"
#include "schema.h"
#include "start.h"
#include "xl_config.h"

#define SAVE_TIMEOUT_NS (3600 * INT64_C(1000000000))
#define FILE_PATH_MAX 1024

/* @file as xend sees it, which has a working directory of its own. 0 or -1 after saying why. */
static int absolute(struct xm *xm, const char *file, char out[FILE_PATH_MAX])
{
	char here[FILE_PATH_MAX];
	int n;

	if (file[0] == '/')
		n = snprintf(out, FILE_PATH_MAX, "%s", file);
	else if (getcwd(here, sizeof(here)))
		n = snprintf(out, FILE_PATH_MAX, "%s/%s", here, file);
	else
		n = FILE_PATH_MAX;
	if (n < FILE_PATH_MAX)
		return 0;
	xm_fail(xm, "%s: the path is too long", file);
	return -1;
}

static const struct cli_opt save_options[] = {
	{ 'c', "checkpoint", NULL, "let the domain go on afterwards" },
	{ 0, "xl", NULL, "write what xl restore of Xen 4.17 takes, with a configuration file" },
	{ 0 },
};

static int run_save(struct cli_args *args)
{
	struct xm *xm = args->with;
	char file[FILE_PATH_MAX];
	const struct request_arg with[] = {
		{ "file", file },
		{ "checkpoint", cli_has(args, "checkpoint") ? "1" : "0" },
		{ "xl", cli_has(args, "xl") ? "1" : "0" },
		{ NULL, NULL },
	};
	struct request req = { .op = "save", .args = with, .timeout_ns = SAVE_TIMEOUT_NS };
	struct domain dom;
	int ret;

	if (absolute(xm, args->argv[1], file) || domain_find_running(xm, args->argv[0], &dom))
		return 1;
	if (dom.domid == 0)
		return xm_fail(xm, "Domain-0 cannot be saved");
	req.domain = dom.name;
	ret = request_told(xm, &req, "not saved");
	request_close(xm->xs, &req);
	return ret;
}

const struct cli_cmd cmd_save = {
	.name = "save",
	.args = "DOMAIN FILE",
	.help = "Write a running domain's memory to a file, and end it",
	.more = "The guest suspends itself; its record and memory go to FILE in dom0, and 'xm "
		  "restore'\n"
		  "lets it go on from there. Its disks are not copied: they must not change "
		  "meanwhile.\n"
		  "What the guest asked its disks for ends first; where that takes longer than a "
		  "minute,\n"
		  "or FILE's file system takes nothing for half a minute, it goes on and there is no "
		  "file.",
	.opts = save_options,
	.says = CLI_SAYS_NO_JSON,
	.min_args = 2,
	.max_args = 2,
	.example = "xm save web /data/web.save && xm restore /data/web.save",
	.run = run_save,
};

/* --- restore --- */

struct restoring {
	struct xs_handle *xs;
	xs_transaction_t t;
	const struct saved_head *head;
	const char *file;
	bool paused;
	char other[DOMAIN_NAME_MAX + 1]; /* with -EEXIST: whose record is in the way */
};

/* Keys that no version knows are not brought into the store. */
static int write_key(void *arg, const char *key, const char *value)
{
	const struct restoring *r = arg;
	char path[STORE_PATH_MAX];

	snprintf(path, sizeof(path), "/config/domain/%s/%s", r->head->name, key);
	if (strstr(key, "..") || !schema_find(path))
		return 0;
	return store_write(r->xs, r->t, value, "%s", path);
}

/* Whether the record of @name is this domain's; -errno: the store does not say. */
static int is_own(const struct restoring *r, const char *name)
{
	char *uuid = store_read(r->xs, r->t, "/config/domain/%s/uuid", name);
	int own = uuid ? !strcmp(uuid, r->head->uuid) : errno == ENOENT ? 0 : -errno;

	free(uuid);
	return own;
}

/*
 * A uuid has one record, a name one domain: the record of this name must be this domain's, and no
 * other. Where there is none, it comes from the file.
 */
static int take_record(struct restoring *r)
{
	unsigned int nr;
	char **names;
	bool exists = false;
	int ret = store_list_records(r->xs, r->t, &names, &nr);

	for (unsigned int i = 0; !ret && i < nr; i++) {
		bool same_name = strcmp(names[i], r->head->name) == 0;
		int own = is_own(r, names[i]);

		exists = exists || same_name;
		if (own == same_name)
			continue;
		snprintf(r->other, sizeof(r->other), "%s", names[i]);
		ret = own < 0 ? own : -EEXIST;
	}
	free(names);
	return ret || exists ? ret : saved_head_each(r->head, write_key, r);
}

static int switch_on(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	struct restoring *r = data;
	const char *name = r->head->name;
	int ret;

	ret = store_has(xs, t, "/status/domain/%s/domid", name);
	if (ret)
		return ret < 0 ? ret : -EISCONN;
	r->xs = xs;
	r->t = t;
	ret = take_record(r);
	if (!ret)
		ret = start_forget(xs, t, name);
	if (!ret)
		ret = store_write(xs, t, r->file, "/config/domain/%s/saved", name);
	if (!ret)
		ret = store_write(xs, t, r->paused ? "1" : "0", "/config/domain/%s/paused", name);
	return ret ? ret : store_write(xs, t, "on", "/config/domain/%s/power", name);
}

static int restore(struct xm *xm, const struct cli_args *args, struct restoring *r)
{
	const char *name = r->head->name;
	struct xs_handle *xs = xm_store(xm);
	int ret, id;

	if (!xs)
		return 1;
	if (domain_name_problem(name))
		return xm_fail(xm, "%s: it is of a domain with no possible name", r->file);
	ret = store_transact(xs, switch_on, r);
	if (ret == -EISCONN)
		return xm_fail(xm, "%s is there already: end it first", name);
	if (ret == -EEXIST)
		return strcmp(r->other, name) == 0 ?
			       xm_fail(xm,
				       "%s: there is another domain's record of that name: rename it with "
				       "'%s rename'",
				       name, xm->prog) :
			       xm_fail(xm, "%s is called %s by now: '%s rename' it back first", name,
				       r->other, xm->prog);
	if (ret == -EBUSY)
		return xm_fail(xm, "%s is just starting or ending: try again", name);
	if (ret)
		return xm_fail_store(xm, "writing the record", -ret);
	return start_follow(xm, name, cli_has(args, "quiet"), &id);
}

/* --- of xl save --- */

/* What the domain was, by what xl wrote into @file. */
static int read_xl_config(struct xm *xm, const struct saved_head *head, const char *file, bool quiet,
			  struct record *rec)
{
	char why[XL_CONFIG_WHY], left_out[XL_CONFIG_WHY] = "", source[FILE_PATH_MAX + 32];
	size_t len = head->config ? strlen(head->config) : 0;
	char *made = NULL;
	int ret;

	if (!head->config)
		return xm_fail(xm, "%s does not say what the domain was: %s restore CONFIG FILE", file,
			       xm->prog);
	if (head->config_is_json) {
		made = xl_config_text(head->config, &len, left_out, why);
		if (!made)
			return xm_fail(xm, "%s: %s: give a configuration file", file, why);
	}
	if (left_out[0] && !quiet)
		xm_warn(xm, "%s: %s are left out: a configuration file may name what the domain had",
			file, left_out);
	snprintf(source, sizeof(source), "%s, as a configuration file", file);
	ret = load_record_text(xm, source, made ? made : head->config, len, quiet, rec);
	free(made);
	return ret;
}

/* A record is made, as by xm create, that begins with this memory. */
static int restore_xl(struct xm *xm, const struct cli_args *args, const struct saved_head *head,
		      const char *config, const char *file)
{
	bool quiet = cli_has(args, "quiet");
	char found[LOAD_PATH_MAX];
	struct record rec;
	int ret, id;

	ret = config ? load_record(xm, config, NULL, 0, quiet, &rec, found) :
		       read_xl_config(xm, head, file, quiet, &rec);
	if (ret)
		return ret;
	if (strlen(file) >= sizeof(rec.saved))
		return xm_fail(xm, "%s: the path is too long", file);
	strcpy(rec.saved, file);
	rec.power = true;
	rec.paused = cli_has(args, "paused");
	rec.persistent = rec.autostart != AUTOSTART_NO;
	load_host(xm, &rec);
	ret = define_record(xm, &rec, RECORD_CREATE);
	return ret ? ret : start_follow(xm, rec.name, quiet, &id);
}

static int run_restore(struct cli_args *args)
{
	struct xm *xm = args->with;
	const char *config = args->argc > 1 ? args->argv[0] : NULL;
	char file[FILE_PATH_MAX];
	struct saved_head head;
	struct restoring r = { .head = &head, .file = file, .paused = cli_has(args, "paused") };
	int ret;

	if (absolute(xm, args->argv[args->argc - 1], file))
		return 1;
	ret = saved_head_read(file, &head, NULL);
	if (ret == -EINVAL)
		return xm_fail(xm, "%s is not a file that '%s save' made, nor of xl save, or is damaged",
			       file, xm->prog);
	if (ret)
		return xm_fail(xm, "%s cannot be read: %s", file, strerror(-ret));
	if (head.is_xl)
		ret = restore_xl(xm, args, &head, config, file);
	else if (config)
		ret = xm_fail(xm, "%s has the record of its domain: restore it without %s, and change "
			      "the record with '%s edit'", file, config, xm->prog);
	else
		ret = restore(xm, args, &r);
	saved_head_free(&head);
	return ret;
}

static const struct cli_opt restore_options[] = {
	{ 'p', "paused", NULL, "leave the domain paused (xm unpause lets it go on)" },
	{ 'q', "quiet", NULL, "print errors only" },
	{ 'e', NULL, NULL, NULL }, /* xl: nobody waits for its end, as here */
	{ 'd', NULL, NULL, NULL },
	{ 0 },
};

const struct cli_cmd cmd_restore = {
	.name = "restore",
	.args = "[CONFIG] FILE",
	.help = "Let a saved domain go on where it was",
	.more = "FILE is of 'xm save' and stays; its disks must be as they were then. A domain "
		  "that has\n"
		  "no record any more gets the one it was saved with. FILE may be of Xen's 'xl save', "
		  "too:\n"
		  "a record is made as by 'xm create', of CONFIG or of what xl wrote down.",
	.opts = restore_options,
	.says = CLI_SAYS_NO_JSON,
	.min_args = 1,
	.max_args = 2,
	.example = "xm restore /data/web.save",
	.run = run_restore,
};
