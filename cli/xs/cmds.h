/* SPDX-License-Identifier: MIT */
/*
 * cmds.h - the commands of xs, one file each; xs.c lists them in the order of its help.
 */
#ifndef STOREVISOR_XS_CMDS_H
#define STOREVISOR_XS_CMDS_H

#include "cmd.h"

extern const struct cli_cmd cmd_access, cmd_ls, cmd_tree, cmd_read, cmd_write, cmd_rm, cmd_watch,
	cmd_wait, cmd_automate, cmd_export, cmd_import, cmd_apply, cmd_diff, cmd_cp, cmd_mv, cmd_stat,
	cmd_exists, cmd_list, cmd_perms, cmd_find, cmd_du, cmd_control, cmd_check, cmd_quota,
	cmd_watches, cmd_stats, cmd_metrics, cmd_monitor, cmd_snapshot, cmd_restore, cmd_lock,
	cmd_txn, cmd_history, cmd_log, cmd_rollback, cmd_grep, cmd_schema, cmd_explain,
	cmd_import_cfg, cmd_export_cfg, cmd_browse, cmd_elect;

#endif
