/* SPDX-License-Identifier: MIT */
/* record_fields.c - see record_fields.h. */
#include "record_fields.h"

#include "record.h"

#define SIZE(type, member) sizeof(((type *)NULL)->member)
#define AT(type, member) offsetof(type, member), SIZE(type, member)

static const char *const no_yes[] = { "0", "1", NULL };
static const char *const off_on[] = { "off", "on", NULL };
static const char *const actions[] = { "destroy", "restart", "preserve", NULL };
static const char *const autostarts[] = { "0", "1", "last", NULL };

const struct field record_fields[] = {
	{ "uuid", FIELD_UUID, AT(struct record, uuid_text) },
	{ "memory", FIELD_U64, AT(struct record, memory_mib) },
	{ "maxmem", FIELD_U64, AT(struct record, maxmem_mib) },
	{ "vcpus", FIELD_UINT, AT(struct record, vcpus) },
	{ "maxvcpus", FIELD_UINT, AT(struct record, maxvcpus) },
	{ "cpus", FIELD_TEXT, AT(struct record, cpus) },
	{ "cpu_weight", FIELD_UINT, AT(struct record, cpu_weight) },
	{ "cap", FIELD_UINT, AT(struct record, cap) },
	{ "kernel", FIELD_TEXT, AT(struct record, kernel) },
	{ "ramdisk", FIELD_TEXT, AT(struct record, ramdisk) },
	{ "cmdline", FIELD_TEXT, AT(struct record, cmdline) },
	{ "on_poweroff", FIELD_WORD, AT(struct record, on_poweroff), actions },
	{ "on_reboot", FIELD_WORD, AT(struct record, on_reboot), actions },
	{ "on_crash", FIELD_WORD, AT(struct record, on_crash), actions },
	{ "autostart", FIELD_WORD, AT(struct record, autostart), autostarts },
	{ "power", FIELD_BOOL, AT(struct record, power), off_on },
	{ "paused", FIELD_BOOL, AT(struct record, paused), no_yes },
	{ "persistent", FIELD_BOOL, AT(struct record, persistent), no_yes },
	{ "saved", FIELD_TEXT, AT(struct record, saved) },
	{ "arriving", FIELD_TEXT, AT(struct record, arriving) },
	{ "moved", FIELD_TEXT, AT(struct record, moved) },
	{ "vfb/vnc", FIELD_BOOL, AT(struct record, screen.vnc), no_yes },
	{ "vfb/vnclisten", FIELD_TEXT, AT(struct record, screen.listen) },
	{ "vfb/vncdisplay", FIELD_TEXT, AT(struct record, screen.display) },
	{ "vfb/vncpasswd", FIELD_TEXT, AT(struct record, screen.password) },
	{ NULL },
};

const struct field disk_fields[] = {
	{ "target", FIELD_TARGET, AT(struct disk_spec, path) },
	{ "vdev", FIELD_VDEV, AT(struct disk_spec, vdev) },
	{ "mode", FIELD_MODE, AT(struct disk_spec, writable) },
	{ "cache", FIELD_WORD, AT(struct disk_spec, cache), disk_cache_words },
	{ "format", FIELD_WORD, AT(struct disk_spec, format), disk_format_words },
	{ "backing", FIELD_TEXT, AT(struct disk_spec, backing) },
	{ NULL },
};

const struct field vif_fields[] = {
	{ "mac", FIELD_TEXT, AT(struct vif_spec, mac) },
	{ "bridge", FIELD_TEXT, AT(struct vif_spec, bridge) },
	{ "script", FIELD_TEXT, AT(struct vif_spec, script) },
	{ "ip", FIELD_TEXT, AT(struct vif_spec, ip) },
	{ "vifname", FIELD_TEXT, AT(struct vif_spec, vifname) },
	{ "gatewaydev", FIELD_TEXT, AT(struct vif_spec, gatewaydev) },
	{ "rate", FIELD_TEXT, AT(struct vif_spec, rate) },
	{ NULL },
};
