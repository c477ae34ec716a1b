/* SPDX-License-Identifier: MIT */
/*
 * cmd_elect.c - `xs elect`: of several that want it one is the leader, and runs its command while
 * it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmds.h"
#include "die.h"
#include "hold.h"
#include "store.h"

static const char *own_name(void)
{
	static char name[HOLD_NAME_MAX]; /* one thread */
	char host[64] = "";

	gethostname(host, sizeof(host) - 1);
	snprintf(name, sizeof(name), "%s:%ld", host, (long)getpid());
	return name;
}

static int run_elect(struct cli_args *a)
{
	const char *name = cli_str(a, "name", own_name());
	char **words = a->argv + 1;
	struct hold h;
	int code;

	if (*words && strcmp(*words, "--") == 0)
		words++;
	if (!*words)
		cli_usage(a, "an argument is missing: COMMAND");
	if (!*name || strlen(name) > HOLD_NAME_MAX)
		cli_usage(a, "--name: 1 to %d bytes", HOLD_NAME_MAX);
	hold_init(&h, store_path(a->argv[0]), name, hold_time(a, "lease"));
	h.timeout_ms = cli_ms(a, "timeout", -1);
	for (;;) {
		hold_take(&h);
		code = hold_run(&h, words);
		if (!h.lost)
			break;
		if (xs_client_error(store()))
			cli_die(CLI_NO_STORE, "%s: the store is gone, and so is the leadership",
				h.path);
		cli_warn("%s: not the leader any more", h.path);
		h.changed = true; /* it is watched already */
	}
	hold_release(&h);
	store_hang_up();
	free(h.path);
	return code;
}

static const struct cli_opt opts[] = {
	{ 0, "name", "NAME", "what the node says of the leader (default HOST:PID)" },
	{ 0, "lease", "TIME", "also end after TIME without a sign of life (100ms to 24h)" },
	{ 't', "timeout", "TIME", "give up after TIME with status 124" },
	{ 0 },
};

const struct cli_cmd cmd_elect = {
	.name = "elect",
	.args = "PATH [--] COMMAND [ARGUMENT]...",
	.help = "runs a command while being the leader; its status is ours",
	.more = "Waits until nobody is, writes NAME and a number of its own to PATH and runs the\n"
		"command, with both in XS_HELD. Who dies, or loses its connection for 20 s, is the\n"
		"leader no more: the daemon removes the node, and another one has it. With --lease\n"
		"it is renewed three times in TIME, and one that hangs goes, too. Who finds that it\n"
		"is not the leader any more ends the command (SIGTERM; SIGKILL 10 s later, or\n"
		"before TIME is over) and waits again. A daemon that is started again changes\n"
		"nothing. PATH is none that is kept over a boot. xs watch PATH tells who it is.",
	.opts = opts,
	.min_args = 2,
	.max_args = -1,
	.stop_at_first = true,
	.example = "xs elect --lease 5s /tool/leader -- ./serve --active",
	.says = CLI_SAYS_OTHER,
	.run = run_elect,
};
