/* SPDX-License-Identifier: MIT */
/*
 * cmd_create.c - xm create, and xm new: a configuration becomes a record.
 */
#include <string.h>

#include "commands.h"
#include "console.h"
#include "define.h"
#include "json_print.h"
#include "load.h"
#include "start.h"

static const struct cli_opt create_options[] = {
	{ 'c', "console_autoconnect", NULL, "attach to the console as soon as the domain runs" },
	{ 'p', "paused", NULL, "leave the domain paused after it is built (xm unpause starts it)" },
	{ 'n', "dryrun", NULL, "only check the configuration and print the record as JSON" },
	{ 'q', "quiet", NULL, "print errors only" },
	{ 'f', "defconfig", "FILE", "the configuration file, as the first argument would be" },
	{ 'd', NULL, NULL, NULL },
	{ 'F', NULL, NULL, NULL },
	{ 'e', NULL, NULL, NULL },
	{ 0, "skipdtd", NULL, NULL },
	{ 0 },
};

static const struct cli_opt new_options[] = {
	{ 'n', "dryrun", NULL, "only check the configuration and print the record as JSON" },
	{ 'q', "quiet", NULL, "print errors only" },
	{ 'f', "defconfig", "FILE", "the configuration file, as the first argument would be" },
	{ 0 },
};

/* The file is -f's, or the first argument unless that is a key=value already. */
static int load(struct xm *xm, const struct cli_args *args, struct record *rec)
{
	const char *file = cli_str(args, "defconfig", NULL);
	bool quiet = cli_has(args, "quiet");
	char found[LOAD_PATH_MAX];
	int first = 0, ret;

	if (!file && args->argc && (strchr(args->argv[0], '/') || !strchr(args->argv[0], '=')))
		file = args->argv[first++];
	if (!file && !args->argc)
		return cli_refuse(args, "which configuration file? %s %s %s", xm->prog,
				  args->cmd->name, args->cmd->args);
	ret = load_record(xm, file, args->argv + first, args->argc - first, quiet, rec, found);
	if (!ret && !quiet && file && !cli_has(args, "dryrun"))
		fprintf(xm->err, "Using config file \"%s\".\n", found);
	return ret;
}

/* The record that would be made. */
static int print(struct xm *xm, struct record *rec)
{
	struct record_keys keys = { 0 };
	int ret;

	load_host(xm, rec);
	if (record_format(rec, &keys))
		ret = xm_fail(xm, "out of memory");
	else
		ret = json_say(&xm->voice, record_json(rec->name, &keys), JSON_XL);
	record_keys_free(&keys);
	return ret;
}

static int create(struct xm *xm, const struct cli_args *args, struct record *rec)
{
	bool quiet = cli_has(args, "quiet");
	int ret, domid;

	rec->power = true;
	rec->paused = cli_has(args, "paused");
	rec->persistent = rec->autostart != AUTOSTART_NO;
	load_host(xm, rec);
	ret = define_record(xm, rec, RECORD_CREATE);
	if (!ret)
		ret = start_follow(xm, rec->name, quiet, &domid);
	if (!ret && cli_has(args, "console_autoconnect"))
		ret = console_attach(xm, rec->name, -1);
	return ret;
}

static int run_create(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct record rec;
	int ret = load(xm, args, &rec);

	if (ret)
		return ret;
	ret = load_check_files(xm, &rec);
	if (!ret && cli_has(args, "dryrun"))
		ret = print(xm, &rec);
	else if (!ret)
		ret = create(xm, args, &rec);
	return ret;
}

static int run_new(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct record rec;
	int ret = load(xm, args, &rec);

	if (ret)
		return ret;
	rec.persistent = true;
	if (cli_has(args, "dryrun"))
		return print(xm, &rec);
	/* Files may come later: only a start needs them. */
	if (load_check_files(xm, &rec) && !cli_has(args, "quiet"))
		xm_warn(xm, "%s is stored all the same; it cannot start before that is mended",
			rec.name);
	load_host(xm, &rec);
	ret = define_record(xm, &rec, RECORD_DEFINE);
	if (!ret && !cli_has(args, "quiet"))
		fprintf(xm->out, "Stored domain %s; '%s start %s' starts it\n", rec.name, xm->prog,
			rec.name);
	return ret;
}

#define CREATE_DETAIL                                                                              \
	"FILE is looked for as given, then in /etc/xen. KEY=VALUE words override its lines.\n"     \
	"The domain's record lives as long as the domain; xm new keeps one for good, and so\n"     \
	"does autostart = 1."

const struct cli_cmd cmd_create = {
	.name = "create",
	.args = "FILE [KEY=VALUE]...",
	.help = "Start a domain from a configuration file",
	.more = CREATE_DETAIL,
	.opts = create_options,
	.says = CLI_SAYS_NO_JSON,
	.max_args = -1,
	.example = "xm create -c /etc/xen/demo.cfg",
	.run = run_create,
};

#define NEW_DETAIL                                                                                 \
	"Nothing is started; the record is kept over reboots of the host until xm delete."

const struct cli_cmd cmd_new = {
	.name = "new",
	.args = "FILE [KEY=VALUE]...",
	.help = "Store a domain's record without starting it",
	.more = NEW_DETAIL,
	.opts = new_options,
	.says = CLI_SAYS_NO_JSON,
	.max_args = -1,
	.example = "xm new web.cfg memory=256",
	.run = run_new,
};

const struct cli_cmd cmd_define = {
	.name = "define",
	.args = "FILE [KEY=VALUE]...",
	.help = "The same as new",
	.more = NEW_DETAIL,
	.opts = new_options,
	.says = CLI_SAYS_NO_JSON,
	.max_args = -1,
	.example = "xm define web.cfg",
	.run = run_new,
};
