/* SPDX-License-Identifier: MIT */
/*
 * commands.c - the command table, under both names.
 */
#include "commands.h"

static const struct cli_cmd *const commands[] = {
	&cmd_create, &cmd_list, &cmd_console, &cmd_vncviewer, &cmd_shutdown, &cmd_reboot, &cmd_destroy,
	&cmd_pause, &cmd_unpause, &cmd_save, &cmd_restore, &cmd_migrate, &cmd_receive, &cmd_new,
	&cmd_define, &cmd_image, &cmd_start, &cmd_delete,
	&cmd_undefine, &cmd_edit, &cmd_config, &cmd_autostart, &cmd_rename, &cmd_info,
	&cmd_uptime, &cmd_domid, &cmd_domname, &cmd_vm_list, &cmd_block_list,
	&cmd_block_attach, &cmd_block_detach, &cmd_network_list, &cmd_network_attach,
	&cmd_network_detach, &cmd_top, &cmd_mem_set, &cmd_mem_max, &cmd_vcpu_list,
	&cmd_vcpu_set, &cmd_vcpu_pin, &cmd_sched_credit, &cmd_export, &cmd_diff, &cmd_explain,
	&cmd_history, &cmd_why, &cmd_wait, &cmd_events, &cmd_sysrq, &cmd_dmesg, &cmd_debug_keys,
	&cmd_doctor, &cmd_import_host,
	&cli_help,
	NULL,
};

/* xl's -v, -f, -t and -T are taken before the command. */
#define TOOL(by_name, one)                                                                         \
	{                                                                                          \
		.name = by_name, .summary = "Starts, stops, shows and attaches to domains.",       \
		.cmds = commands, .footer = "xm(1) and xm.cfg(5) tell all.", .before = "vftT",     \
		.abbreviates = true, .fails_by_one = one,                                          \
	}

const struct cli_tool xm_tool = TOOL("xm", false), xl_tool = TOOL("xl", true);
