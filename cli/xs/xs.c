/* SPDX-License-Identifier: MIT */
/*
 * xs.c - the store browser: `xs COMMAND`, or by its other names the original xenstore tools.
 */
#include "cmds.h"
#include "compat.h"

static const struct cli_cmd *const cmds[] = {
	&cmd_ls, &cmd_tree, &cmd_list, &cmd_read, &cmd_write, &cmd_rm, &cmd_mv, &cmd_cp,
	&cmd_stat, &cmd_perms, &cmd_access, &cmd_exists, &cmd_find, &cmd_grep, &cmd_du,
	&cmd_watch, &cmd_wait, &cmd_automate, &cmd_export, &cmd_import, &cmd_diff, &cmd_apply, &cmd_import_cfg,
	&cmd_export_cfg, &cmd_schema, &cmd_explain, &cmd_txn, &cmd_lock, &cmd_elect, &cmd_history,
	&cmd_log, &cmd_rollback,
	&cmd_watches, &cmd_monitor, &cmd_quota, &cmd_check, &cmd_stats, &cmd_metrics,
	&cmd_snapshot, &cmd_restore, &cmd_control, &cmd_browse, &cli_help,
	NULL,
};

static const struct cli_tool tool = {
	.name = "xs",
	.summary = "Looks into the store and changes it.",
	.cmds = cmds,
	.footer = "Paths: /a/b; ~N/x below domain N's home; NAME:x below a running domain's home.\n"
		  "Exit status: 0 done, 1 refused or not found, 2 wrong command line, 3 no store,\n"
		  "4 not permitted, 124 time-out. XENSTORED_PATH names another socket.",
};

int main(int argc, char **argv)
{
	if (compat_is(argv[0]))
		return compat_main(argc, argv);
	return cli_run(&tool, argc, argv);
}
