/* SPDX-License-Identifier: MIT */
/*
 * cmd_console.c - xm console.
 */
#include "commands.h"
#include "console.h"
#include "domains.h"

static const struct cli_opt options[] = {
	{ 0, "idle", "TIME",
	  "once the input has ended, leave after that long a silence of the guest" },
	{ 't', "type", "TYPE", "pv: the only kind there is" },
	{ 'n', "num", "NUMBER", "0: the only one there is" },
	{ 'e', NULL, NULL, NULL },
	{ 0 },
};

static int run_console(struct cli_args *args)
{
	struct xm *xm = args->with;
	const char *idle = cli_str(args, "idle", NULL), *type = cli_str(args, "type", NULL);
	const char *num = cli_str(args, "num", NULL);
	long idle_ms = -1;
	struct domain dom;

	if (idle && !cli_ms_of(idle, &idle_ms))
		return cli_refuse(args, "--idle %s: " CLI_MS_WANTED, idle);
	if (type && type[0] != 'p')
		return cli_refuse(args, "there is no console of type '%s': a guest has a pv one", type);
	if (num && (num[0] != '0' || num[1]))
		return cli_refuse(args, "there is no console number %s: a guest has number 0", num);
	if (domain_find_running(xm, args->argv[0], &dom))
		return 1;
	if (dom.domid == 0)
		return xm_fail(xm, "Domain-0's console is the machine's own");
	return console_attach(xm, dom.name, idle_ms < 0 ? -1 : idle_ms * STORE_MS);
}

const struct cli_cmd cmd_console = {
	.name = "console",
	.args = "DOMAIN",
	.help = "Attach to a domain's console (Ctrl-] leaves)",
	.more = "Stays attached while the domain reboots; ends when it is gone. Input may be a "
		  "file or a\n"
		  "pipe: xm console --idle 2 web </dev/null prints what the guest says.",
	.opts = options,
	.says = CLI_SAYS_NO_JSON,
	.min_args = 1,
	.max_args = 1,
	.example = "xm console web",
	.run = run_console,
};
