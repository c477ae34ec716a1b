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

static const char hvm[] = "guests are paravirtual";
static const char passed[] = "no device of the machine is given to a guest";
static const char no_device[] = "a guest has disks, network cards, a console and a screen";
static const char one_pool[] = "all CPUs are one pool: cpus= of a record and vcpu-pin divide them";
static const char no_xsm[] = "security labels (XSM) are not supported";
static const char no_psr[] = "processor monitoring is not offered";
static const char info[] = "info";
static const char what_it_is[] = "explain, or list";
static const char disk_on[] = "block-attach", disk_off[] = "block-detach";
static const char card_on[] = "network-attach", card_off[] = "network-detach";
static const char no_copies[] =
	"LVM, or the image's format, has them; save writes a domain's memory to a file";
static const char bridges[] = "storevisor-network makes bridges and nets";

/* Commands of xl 4.17, of xm 3.4 and 4.2, and those of virsh that people know. */
static const struct cli_absent absent[] = {
	{ "config-update", "edit changes a record, also while its domain runs" },
	{ "dump-core", "save -c writes a running domain's memory to a file" },
	{ "trigger", "shutdown, reboot and sysrq ask a guest; destroy does not" },
	{ "reset", "destroy, then start" },
	{ "suspend", "pause stops a domain, save writes it to a file" },
	{ "resume", "unpause lets a paused domain go on, restore a saved one" },
	{ "log", "xend's lines are in the journal, or /var/log/xen/xend.log; dmesg has the hypervisor's" },
	{ "shell", "each command is a word of the shell" },
	{ "serve", "nothing listens: tools meet in the store" },
	{ "domstate", "list, or explain" },
	{ "dry-run", "create -n" },
	{ "block-configure", "block-detach, then block-attach" },
	{ "cd-insert", "a CD-ROM is a disk: block-attach" },
	{ "cd-eject", "a CD-ROM is a disk: block-detach" },
	{ "claims", "whether there is memory is looked at before a domain is built" },
	{ "sharing", "no page is shared between domains" },
	{ "sched-sedf", "sched-credit" },
	{ "sched-rtds", "sched-credit" },
	{ "remus", "there is no replication" },
	{ "devd", "backendd serves the devices" },
	{ "set-parameters", "the hypervisor's command line has them, at its boot" },
	{ "getenforce", no_xsm }, { "setenforce", no_xsm }, { "loadpolicy", no_xsm },
	{ "button-press", hvm }, { "qemu-monitor-command", hvm }, { "mem-swap-target", hvm },
	{ "pci-attach", passed }, { "pci-detach", passed }, { "pci-list", passed },
	{ "pci-assignable-add", passed }, { "pci-assignable-remove", passed },
	{ "pci-assignable-list", passed }, { "pci-list-assignable-devices", passed },
	{ "usbctrl-attach", passed }, { "usbctrl-detach", passed }, { "usbdev-attach", passed },
	{ "usbdev-detach", passed }, { "usb-list", passed }, { "scsi-attach", passed },
	{ "scsi-detach", passed }, { "scsi-list", passed },
	{ "channel-list", no_device }, { "vkb-attach", no_device }, { "vkb-list", no_device },
	{ "vkb-detach", no_device }, { "vdispl-attach", no_device }, { "vdispl-list", no_device },
	{ "vdispl-detach", no_device }, { "vsnd-attach", no_device }, { "vsnd-list", no_device },
	{ "vsnd-detach", no_device }, { "vtpm-attach", no_device }, { "vtpm-list", no_device },
	{ "vtpm-detach", no_device },
	{ "cpupool-create", one_pool }, { "cpupool-list", one_pool }, { "cpupool-destroy", one_pool },
	{ "cpupool-rename", one_pool }, { "cpupool-cpu-add", one_pool }, { "cpupool-migrate", one_pool },
	{ "cpupool-cpu-remove", one_pool }, { "cpupool-numa-split", one_pool },
	{ "psr-hwinfo", no_psr }, { "psr-cmt-attach", no_psr }, { "psr-cmt-detach", no_psr },
	{ "psr-cmt-show", no_psr }, { "psr-cat-set", no_psr }, { "psr-cat-show", no_psr },
	{ "psr-mba-set", no_psr }, { "psr-mba-show", no_psr },
	{ "setmem", "mem-set" }, { "setmaxmem", "mem-max" }, { "setvcpus", "vcpu-set" },
	{ "vcpuinfo", "vcpu-list" }, { "vcpucount", "vcpu-list" }, { "vcpupin", "vcpu-pin" },
	{ "schedinfo", "sched-credit" }, { "dumpxml", "export" }, { "dominfo", what_it_is },
	{ "domuuid", "vm-list" }, { "domstats", "top" }, { "dommemstat", "list" },
	{ "cpu-stats", "top" },
	{ "nodeinfo", info }, { "version", info }, { "capabilities", info }, { "hostname", info },
	{ "freecell", info }, { "domblklist", "block-list" }, { "domiflist", "network-list" },
	{ "attach-disk", disk_on }, { "attach-device", disk_on }, { "change-media", disk_on },
	{ "detach-disk", disk_off }, { "detach-device", disk_off }, { "attach-interface", card_on },
	{ "detach-interface", card_off }, { "managedsave", "save" }, { "vncdisplay", "vncviewer" },
	{ "domdisplay", "vncviewer" }, { "send-key", "sysrq" }, { "dump", "save -c" },
	{ "stop", "shutdown asks a domain, destroy ends it" }, { "kill", "destroy" },
	{ "snapshot-create", no_copies }, { "snapshot-create-as", no_copies },
	{ "snapshot-list", no_copies },
	{ "net-list", bridges }, { "net-start", bridges }, { "net-define", bridges },
	{ 0 },
};

/* xl's -v, -f, -t and -T are taken before the command. */
#define TOOL(by_name, one)                                                                         \
	{                                                                                          \
		.name = by_name, .summary = "Starts, stops, shows and attaches to domains.",       \
		.cmds = commands, .footer = "xm(1) and xm.cfg(5) tell all.",                       \
		.absent = absent, .before = "vftT", .abbreviates = true, .fails_by_one = one,      \
	}

const struct cli_tool xm_tool = TOOL("xm", false), xl_tool = TOOL("xl", true);
