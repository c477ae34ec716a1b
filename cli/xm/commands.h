/* SPDX-License-Identifier: MIT */
/*
 * commands.h - the commands of xm, one per cmd_*.c; commands.c lists them in the order of its help.
 */
#ifndef XM_COMMANDS_H
#define XM_COMMANDS_H

#include "xm.h"

extern const struct cli_cmd cmd_create, cmd_destroy, cmd_shutdown, cmd_reboot, cmd_pause,
	cmd_unpause;
extern const struct cli_cmd cmd_new, cmd_define, cmd_delete, cmd_undefine, cmd_start, cmd_edit,
	cmd_autostart, cmd_rename;
extern const struct cli_cmd cmd_list, cmd_vm_list, cmd_info, cmd_uptime, cmd_domid, cmd_domname,
	cmd_dmesg, cmd_debug_keys, cmd_block_list, cmd_network_list;
extern const struct cli_cmd cmd_console, cmd_vncviewer, cmd_wait, cmd_events, cmd_history, cmd_why, cmd_sysrq,
	cmd_mem_set, cmd_vcpu_set, cmd_export, cmd_top, cmd_doctor;
extern const struct cli_cmd cmd_block_attach, cmd_block_detach, cmd_network_attach,
	cmd_network_detach, cmd_vcpu_list, cmd_vcpu_pin, cmd_sched_credit, cmd_mem_max, cmd_explain,
	cmd_diff, cmd_config, cmd_save, cmd_restore, cmd_migrate, cmd_receive, cmd_import_host,
	cmd_image;

/* The same commands by two names: what fails is 1 for who calls xl, as with Xen's. */
extern const struct cli_tool xm_tool, xl_tool;

#endif
