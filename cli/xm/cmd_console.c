/* SPDX-License-Identifier: MIT */
/*
 * cmd_console.c - xm console.
 */
#include "args.h"
#include "commands.h"
#include "console.h"
#include "domains.h"

static const struct opt options[] = {
	{OPT_IDLE, "idle", "SECONDS",
	 "once the input has ended, leave after that long a silence of the guest"},
	{'t', "type", "TYPE", "pv: the only kind there is"},
	{'n', "num", "NUMBER", "0: the only one there is"},
	{'e', NULL, NULL, NULL},
	{0},
};

static int run_console(struct xm *xm, const struct args *args)
{
	const char *idle = args_value(args, OPT_IDLE), *type = args_value(args, 't');
	const char *num = args_value(args, 'n');
	long long idle_ns = -1;
	struct domain dom;

	if (idle && !args_seconds(idle, &idle_ns))
		return xm_fail(xm, "--idle: '%s' is not a number of seconds", idle);
	if (type && type[0] != 'p')
		return xm_fail(xm, "there is no console of type '%s': a guest has a pv one", type);
	if (num && (num[0] != '0' || num[1]))
		return xm_fail(xm, "there is no console number %s: a guest has number 0", num);
	if (domain_find_running(xm, args->at[0], &dom))
		return 1;
	if (dom.domid == 0)
		return xm_fail(xm, "Domain-0's console is the machine's own");
	return console_attach(xm, dom.name, idle_ns);
}

const struct command cmd_console = {
	.name = "console",
	.usage = "[--idle SECONDS] DOMAIN",
	.summary = "Attach to a domain's console (Ctrl-] leaves)",
	.detail = "Stays attached while the domain reboots; ends when it is gone. Input may be a "
		  "file or a\n"
		  "pipe: xm console --idle 2 web </dev/null prints what the guest says.",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.example = "xm console web",
	.run = run_console,
};
