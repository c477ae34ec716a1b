/* SPDX-License-Identifier: MIT */
/*
 * record_json.c - a record as JSON, as xl's JSON, and as a configuration file. Declared in
 * record_out.h.
 */
#include <stdio.h>
#include <string.h>

#include "record_out.h"

/* jansson refuses text that is not UTF-8; what a file said in another code is shown as "?". */
static json_t *text_json(const char *text)
{
	json_t *value = json_string(text ? text : "");

	return value ? value : json_string("?");
}

static void set_text(json_t *object, const char *key, const char *text)
{
	if (text && *text)
		json_object_set_new(object, key, text_json(text));
}

static json_t *disk_json(const struct disk_spec *disk)
{
	const char *backend = disk_backend_name(disk->backend);

	return json_pack("{s:o, s:s, s:s, s:s}", "target",
			 json_sprintf("%s:%s", backend ? backend : "file", disk->path), "vdev",
			 disk->vdev, "mode", disk_mode_name(disk), "format", "raw");
}

static json_t *vif_json(const struct vif_spec *vif)
{
	json_t *o = json_object();

	set_text(o, "mac", vif->mac);
	set_text(o, "bridge", vif->bridge);
	set_text(o, "script", vif->script);
	set_text(o, "ip", vif->ip);
	set_text(o, "vifname", vif->vifname);
	return o;
}

json_t *record_json(const struct record *rec)
{
	json_t *disks = json_array(), *vifs = json_array();
	json_t *o = json_pack("{s:s, s:s, s:s, s:i, s:i, s:i, s:i}", "name", rec->name, "uuid",
			      rec->uuid, "type", "pv", "memory", (int)rec->memory, "maxmem",
			      (int)rec->maxmem, "vcpus", (int)rec->vcpus, "maxvcpus",
			      (int)rec->maxvcpus);

	set_text(o, "kernel", rec->kernel);
	set_text(o, "ramdisk", rec->ramdisk);
	json_object_set_new(o, "cmdline", text_json(rec->cmdline));
	set_text(o, "on_poweroff", rec->on_poweroff);
	set_text(o, "on_reboot", rec->on_reboot);
	set_text(o, "on_crash", rec->on_crash);
	set_text(o, "autostart", rec->autostart);
	set_text(o, "power", rec->power ? "on" : "off");
	json_object_set_new(o, "paused", json_boolean(rec->paused));
	json_object_set_new(o, "persistent", json_boolean(rec->persistent));
	for (size_t i = 0; i < rec->nr_disks; i++)
		json_array_append_new(disks, disk_json(&rec->disks[i]));
	for (size_t i = 0; i < rec->nr_vifs; i++)
		json_array_append_new(vifs, vif_json(&rec->vifs[i]));
	json_object_set_new(o, "disk", disks);
	json_object_set_new(o, "vif", vifs);
	return o;
}

json_t *record_json_xl(const struct record *rec)
{
	json_t *disks = json_array(), *nics = json_array(), *pv = json_object();
	json_t *o;

	for (size_t i = 0; i < rec->nr_disks; i++) {
		const struct disk_spec *disk = &rec->disks[i];

		json_array_append_new(disks, json_pack("{s:o, s:s, s:s, s:s, s:i}", "pdev_path",
						       text_json(disk->path), "vdev", disk->vdev,
						       "backend", "phy", "format", "raw",
						       "readwrite", disk->writable));
	}
	for (size_t i = 0; i < rec->nr_vifs; i++) {
		json_t *nic = vif_json(&rec->vifs[i]);

		json_object_set_new(nic, "devid", json_integer((json_int_t)i));
		json_object_set_new(nic, "nictype", json_string("vif"));
		json_array_append_new(nics, nic);
	}
	set_text(pv, "kernel", rec->kernel);
	set_text(pv, "cmdline", rec->cmdline);
	set_text(pv, "ramdisk", rec->ramdisk);
	o = json_pack("{s:{s:s, s:s, s:s}, s:{s:i, s:i, s:I, s:I, s:o}, s:o, s:o, s:s, s:s, s:s}",
		      "c_info", "type", "pv", "name", rec->name, "uuid", rec->uuid, "b_info",
		      "max_vcpus", (int)rec->maxvcpus, "avail_vcpus", (int)rec->vcpus, "max_memkb",
		      (json_int_t)rec->maxmem * 1024, "target_memkb",
		      (json_int_t)rec->memory * 1024, "type.pv", pv, "disks", disks, "nics", nics,
		      "on_poweroff", rec->on_poweroff, "on_reboot", rec->on_reboot, "on_crash",
		      rec->on_crash);
	return o;
}

/* 'text' with the escapes cfg_parse() undoes. */
static void print_quoted(FILE *to, const char *text)
{
	fputc('\'', to);
	for (const unsigned char *s = (const unsigned char *)text; *s; s++) {
		if (*s == '\'' || *s == '\\')
			fprintf(to, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", to);
		else if ((*s < 0x20 && *s != '\t') || *s == 0x7f)
			fprintf(to, "\\x%02x", *s);
		else
			fputc(*s, to);
	}
	fputc('\'', to);
}

static void print_text(FILE *to, const char *key, const char *text)
{
	if (!text || !*text)
		return;
	fprintf(to, "%-11s = ", key);
	print_quoted(to, text);
	fputc('\n', to);
}

static void print_vif(FILE *to, const struct vif_spec *vif)
{
	const struct {
		const char *key, *value;
	} fields[] = {
		{"bridge", vif->bridge},
		{"script", vif->script},
		{"ip", vif->ip},
		{"vifname", vif->vifname},
	};

	fprintf(to, "'mac=%s", vif->mac);
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (fields[i].value[0])
			fprintf(to, ", %s=%s", fields[i].key, fields[i].value);
	fputc('\'', to);
}

void record_print_cfg(const struct record *rec, FILE *to)
{
	print_text(to, "name", rec->name);
	print_text(to, "uuid", rec->uuid);
	print_text(to, "type", "pv");
	fprintf(to, "%-11s = %ld\n%-11s = %ld\n", "memory", rec->memory, "maxmem", rec->maxmem);
	fprintf(to, "%-11s = %ld\n%-11s = %ld\n", "vcpus", rec->vcpus, "maxvcpus", rec->maxvcpus);
	print_text(to, "kernel", rec->kernel);
	print_text(to, "ramdisk", rec->ramdisk);
	print_text(to, "cmdline", rec->cmdline);
	print_text(to, "on_poweroff", rec->on_poweroff);
	print_text(to, "on_reboot", rec->on_reboot);
	print_text(to, "on_crash", rec->on_crash);
	print_text(to, "autostart", rec->autostart);
	fprintf(to, "%-11s = [", "disk");
	for (size_t i = 0; i < rec->nr_disks; i++) {
		const struct disk_spec *disk = &rec->disks[i];
		char spec[DISK_PATH_MAX + 64];
		const char *backend = disk_backend_name(disk->backend);

		snprintf(spec, sizeof(spec), "%s:%s,%s,%s", backend ? backend : "file", disk->path,
			 disk->vdev, disk_mode_name(disk));
		fputs(i ? ",\n\t" : "\n\t", to);
		print_quoted(to, spec);
	}
	fprintf(to, "%s]\n%-11s = [", rec->nr_disks ? "\n" : "", "vif");
	for (size_t i = 0; i < rec->nr_vifs; i++) {
		fputs(i ? ",\n\t" : "\n\t", to);
		print_vif(to, &rec->vifs[i]);
	}
	fprintf(to, "%s]\n", rec->nr_vifs ? "\n" : "");
}
