/* SPDX-License-Identifier: MIT */
/*
 * commands.c - the command table, and the help made from it.
 */
#include <string.h>

#include "args.h"
#include "commands.h"

static const struct command *const commands[] = {
	&cmd_create, &cmd_list, &cmd_console, &cmd_shutdown, &cmd_reboot, &cmd_destroy,
	&cmd_pause, &cmd_unpause, &cmd_save, &cmd_restore, &cmd_migrate, &cmd_receive, &cmd_new,
	&cmd_define, &cmd_start, &cmd_delete,
	&cmd_undefine, &cmd_edit, &cmd_config, &cmd_autostart, &cmd_rename, &cmd_info,
	&cmd_uptime, &cmd_domid, &cmd_domname, &cmd_vm_list, &cmd_block_list,
	&cmd_block_attach, &cmd_block_detach, &cmd_network_list, &cmd_network_attach,
	&cmd_network_detach, &cmd_top, &cmd_mem_set, &cmd_mem_max, &cmd_vcpu_list,
	&cmd_vcpu_set, &cmd_vcpu_pin, &cmd_sched_credit, &cmd_export, &cmd_diff, &cmd_explain,
	&cmd_history, &cmd_why, &cmd_wait, &cmd_events, &cmd_sysrq, &cmd_dmesg, &cmd_debug_keys,
	&cmd_doctor,
	&cmd_help,
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

const struct command *command_at(size_t i)
{
	return i < NR_COMMANDS ? commands[i] : NULL;
}

void help_summary(const struct xm *xm, FILE *to)
{
	fprintf(to, "Usage: %s [-v] COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n\n", xm->prog);
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(to, " %-15s %s\n", commands[i]->name, commands[i]->summary);
	fprintf(to,
		"\n'%s help COMMAND' or '%s COMMAND -h' tells more; xm(1) and xm.cfg(5) tell "
		"all.\n",
		xm->prog, xm->prog);
}

static void print_options(FILE *to, const struct opt *row)
{
	for (; row && row->key; row++) {
		char left[64], shortened[8] = "   ";

		if (!row->help)
			continue;
		if (row->key < 0x100)
			snprintf(shortened, sizeof(shortened), "-%c%s", row->key,
				 row->name ? "," : " ");
		snprintf(left, sizeof(left), "%s %s%s%s%s", shortened, row->name ? "--" : "",
			 row->name ? row->name : "", row->arg ? (row->name ? "=" : "") : "",
			 row->arg ? row->arg : "");
		fprintf(to, "  %-28s %s\n", left, row->help);
	}
}

void command_help(const struct xm *xm, FILE *to, const struct command *cmd)
{
	fprintf(to, "Usage: %s %s%s%s\n\n%s.\n", xm->prog, cmd->name, *cmd->usage ? " " : "",
		cmd->usage, cmd->summary);
	if (cmd->detail)
		fprintf(to, "\n%s\n", cmd->detail);
	if (cmd->example)
		fprintf(to, "\nFor example:\n  %s\n", cmd->example);
	fputs("\nOptions:\n", to);
	print_options(to, cmd->options);
	print_options(to, args_common);
}

static int run_help(struct xm *xm, const struct args *args)
{
	const struct command *cmd = args->nr ? command_find(xm, args->at[0]) : NULL;

	if (args->nr && !cmd)
		return 1;
	if (cmd)
		command_help(xm, xm->out, cmd);
	else
		help_summary(xm, xm->out);
	return 0;
}

static const struct opt help_options[] = {
	{OPT_SKIP, "long", NULL, NULL}, /* xm help --long */
	{0},
};

const struct command cmd_help = {
	.name = "help",
	.usage = "[COMMAND]",
	.summary = "List the commands, or explain one",
	.options = help_options,
	.max_args = 1,
	.example = "xm help create",
	.run = run_help,
};
