/* SPDX-License-Identifier: MIT */
/*
 * record_out.c - a record as JSON, as xl's JSON, and as a configuration file. See record_out.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record_out.h"
#include "schema.h"
#include "script_name.h"

#define KEY_LEN 256

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

static const struct schema_row *row_of(const char *key)
{
	char path[KEY_LEN];

	snprintf(path, sizeof(path), RECORD_ROOT "/x/%s", key);
	return schema_find(path);
}

/* ---- JSON ---- */

static json_t *value_json(const char *key, const char *value)
{
	const struct schema_row *row = row_of(key);
	char why[SCHEMA_WHY_LEN];

	if (!row || !*value || !schema_is_number(row->type) ||
	    !schema_check(row, value, strlen(value), why))
		return text_json(value);
	if (row->type == SCHEMA_BOOL)
		return json_boolean(value[0] == '1');
	return json_integer(strtoll(value, NULL, 10));
}

/* Puts @value where @key is, below @o: objects on the way are made. */
static void set_deep(json_t *o, const char *key, json_t *value)
{
	const char *slash;

	while ((slash = strchr(key, '/'))) {
		char part[KEY_LEN];
		json_t *kid;

		snprintf(part, sizeof(part), "%.*s", (int)(slash - key), key);
		kid = json_object_get(o, part);
		if (!json_is_object(kid)) {
			kid = json_object();
			json_object_set_new(o, part, kid);
		}
		o = kid;
		key = slash + 1;
	}
	json_object_set_new(o, key, value);
}

/* A directory without a value of its own, which what is below it makes. */
static bool is_directory(const struct record_keys *keys, size_t i)
{
	const char *key = keys->v[i].key;
	size_t len = strlen(key);
	const struct schema_row *row = row_of(key);

	if (*keys->v[i].value)
		return false;
	if (i + 1 < keys->nr && !strncmp(keys->v[i + 1].key, key, len) &&
	    keys->v[i + 1].key[len] == '/')
		return true;
	return row && (row->type == SCHEMA_DIR || row->type == SCHEMA_LIST);
}

/* As an array, if the members are 0, 1, ... in that order. */
static void make_list(json_t *o, const char *key)
{
	json_t *members = json_object_get(o, key), *list = json_array(), *member;
	size_t nr = json_object_size(members);
	char index[24];

	for (size_t i = 0; i < nr; i++) {
		snprintf(index, sizeof(index), "%zu", i);
		member = json_object_get(members, index);
		if (!member) {
			json_decref(list);
			return;
		}
		json_array_append(list, member);
	}
	json_object_set_new(o, key, list);
}

json_t *record_json(const char *name, const struct record_keys *keys)
{
	json_t *o = json_object();

	if (name)
		json_object_set_new(o, "name", text_json(name));
	for (size_t i = 0; i < keys->nr; i++) {
		const char *key = keys->v[i].key;

		if (!is_directory(keys, i))
			set_deep(o, key, value_json(key, keys->v[i].value));
		else if (!strncmp(key, "disk/", 5) || !strncmp(key, "vif/", 4))
			set_deep(o, key, json_object());
	}
	make_list(o, "disk");
	make_list(o, "vif");
	return o;
}

static json_t *vif_json(const struct vif_spec *vif)
{
	json_t *o = json_object();

	set_text(o, "mac", vif->mac);
	set_text(o, "bridge", vif->bridge);
	set_text(o, "script", vif->script);
	set_text(o, "ip", vif->ip);
	set_text(o, "vifname", vif->vifname);
	set_text(o, "gatewaydev", vif->gatewaydev);
	set_text(o, "rate", vif->rate);
	return o;
}

json_t *record_json_xl(const struct record *rec)
{
	json_t *disks = json_array(), *nics = json_array(), *pv = json_object();
	json_t *o;

	for (unsigned int i = 0; i < rec->nr_disks; i++) {
		const struct disk_spec *disk = &rec->disk[i];

		json_array_append_new(disks, json_pack("{s:o, s:s, s:s, s:s, s:i}", "pdev_path",
						       text_json(disk->path), "vdev", disk->vdev,
						       "backend", "phy", "format", "raw",
						       "readwrite", disk->writable));
	}
	for (unsigned int i = 0; i < rec->nr_vifs; i++) {
		json_t *nic = vif_json(&rec->vif[i]);

		json_object_set_new(nic, "devid", json_integer(rec->vif[i].item));
		json_object_set_new(nic, "nictype", json_string("vif"));
		json_array_append_new(nics, nic);
	}
	set_text(pv, "kernel", rec->kernel);
	set_text(pv, "cmdline", rec->cmdline);
	set_text(pv, "ramdisk", rec->ramdisk);
	o = json_pack("{s:{s:s, s:s, s:s}, s:{s:i, s:i, s:I, s:I, s:o}, s:o, s:o, s:s, s:s, s:s}",
		      "c_info", "type", "pv", "name", rec->name, "uuid", rec->uuid_text, "b_info",
		      "max_vcpus", (int)rec->maxvcpus, "avail_vcpus", (int)rec->vcpus, "max_memkb",
		      (json_int_t)rec->maxmem_mib * 1024, "target_memkb",
		      (json_int_t)rec->memory_mib * 1024, "type.pv", pv, "disks", disks, "nics",
		      nics,
		      "on_poweroff", record_action_word(rec->on_poweroff), "on_reboot",
		      record_action_word(rec->on_reboot), "on_crash",
		      record_action_word(rec->on_crash));
	return o;
}

/* ---- a configuration file ---- */

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

/* Numbers that are some stand bare, as people write them. */
static void print_value(FILE *to, const char *key, const char *value)
{
	json_t *number = value_json(key, value);

	if (json_is_integer(number))
		fprintf(to, "%-11s = %s\n", key, value);
	else
		print_text(to, key, value);
	json_decref(number);
}

/* What a configuration file can say of a record, in its order; the rest xm and xend set. */
static const char *const printed[] = {
	"uuid",	      "type",	    "memory",	  "maxmem",    "vcpus",	  "maxvcpus",
	"cpus",	      "cpu_weight", "cap",	  "kernel",    "ramdisk", "cmdline",
	"on_poweroff", "on_reboot", "on_crash",	  "autostart",
};

static const char *item_value(const struct record_keys *keys, const char *list, const char *item,
			      const char *key)
{
	char path[KEY_LEN];

	snprintf(path, sizeof(path), "%s/%s/%s", list, item, key);
	return record_value(keys, path);
}

/* Of a disk, what the short form has no place for: "KEY=VALUE, " for each. */
static const char *named_parts(const struct record_keys *keys, const char *item, char *out, size_t len)
{
	const char *cache = item_value(keys, "disk", item, "cache");
	const char *format = item_value(keys, "disk", item, "format");
	const char *backing = item_value(keys, "disk", item, "backing");
	FILE *to = fmemopen(out, len, "w");

	out[0] = '\0';
	if (!to)
		return out;
	if (cache)
		fprintf(to, "cache=%s, ", cache);
	if (format && strcmp(format, "raw"))
		fprintf(to, "format=%s, ", format);
	while (backing && *backing) {
		size_t path = strcspn(backing, ",");

		fprintf(to, "backing=%.*s, ", (int)path, backing);
		backing += path + (backing[path] == ',');
	}
	fclose(to);
	return out;
}

/* A target with a comma in it cannot stand in the short form, either. */
static void print_disk(FILE *to, const struct record_keys *keys, const char *item)
{
	const char *target = item_value(keys, "disk", item, "target");
	const char *vdev = item_value(keys, "disk", item, "vdev");
	const char *mode = item_value(keys, "disk", item, "mode");
	const char *path = target ? target : "", *more;
	bool is_phy = !strncmp(path, "phy:", 4);
	char uri[VDEV_PATH_MAX + 1], extra[2048], *spec;
	enum vdev_backend backend;
	struct script_name made;
	int n;

	/* As a URI, in which a comma is no comma. */
	if (!vdev_target(path, &backend, uri) && vdev_is_remote(backend))
		target = path = uri;

	if (!strncmp(path, "file:", 5) || is_phy)
		path = strchr(path, ':') + 1;
	more = named_parts(keys, item, extra, sizeof(extra));
	if (!vdev_target(path, &backend, uri) && backend == VDEV_SCRIPT &&
	    !script_name_parse(uri, &made))
		n = asprintf(&spec, "vdev=%s, access=%s, script=%s, %starget=%s", vdev ? vdev : "",
			     mode, made.script, more, made.what);
	else if (strchr(path, ',') || *more)
		n = asprintf(&spec, "vdev=%s, access=%s, backendtype=%s, %starget=%s%s",
			     vdev ? vdev : "", mode, is_phy ? "phy" : "file",
			     more, !*path || path[0] == '/' ? "" : "/dev/", path);
	else
		n = asprintf(&spec, "%s%s,%s,%s", target && target[0] == '/' ? "file:" : "",
			     target ? target : "", vdev ? vdev : "", mode);
	if (n < 0)
		return;
	print_quoted(to, spec);
	free(spec);
}

/* Only what the record says: a card's defaults are made where it is plugged in. */
static void print_vif(FILE *to, const struct record_keys *keys, const char *item)
{
	static const char *const fields[] = { "mac", "bridge", "script", "ip", "vifname",
					      "gatewaydev", "rate" };
	char spec[1024], path[KEY_LEN];
	size_t n = 0;

	spec[0] = '\0';
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]) && n < sizeof(spec); i++) {
		const char *value;

		snprintf(path, sizeof(path), "vif/%s/%s", item, fields[i]);
		value = record_keys_get(keys, path);
		if (value && *value)
			n += (size_t)snprintf(spec + n, sizeof(spec) - n, "%s%s=%s",
					      n ? ", " : "", fields[i], value);
	}
	print_quoted(to, spec);
}

static void print_list(FILE *to, const struct record_keys *keys, const char *list,
		       void (*print)(FILE *, const struct record_keys *, const char *))
{
	bool any = false;
	char item[32];
	size_t at = 0;

	fprintf(to, "%-11s = [", list);
	while (record_keys_next_item(keys, list, &at, item)) {
		fputs(any ? ",\n\t" : "\n\t", to);
		print(to, keys, item);
		any = true;
	}
	fprintf(to, "%s]\n", any ? "\n" : "");
}

/* As print_vif(): what the record says, if it says anything. */
static void print_screen(FILE *to, const struct record_keys *keys)
{
	static const char *const fields[] = { "vnclisten", "vncdisplay", "vncpasswd" };
	const char *vnc = record_keys_get(keys, "vfb/vnc");
	char spec[256], path[KEY_LEN];
	bool any = vnc && *vnc;

	snprintf(spec, sizeof(spec), "vnc=%.32s", any ? vnc : "0");
	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const char *value;
		size_t n = strlen(spec);

		snprintf(path, sizeof(path), "vfb/%s", fields[i]);
		value = record_keys_get(keys, path);
		if (value && *value) {
			snprintf(spec + n, sizeof(spec) - n, ", %s=%s", fields[i], value);
			any = true;
		}
	}
	if (!any)
		return;
	fprintf(to, "%-11s = [\n\t", "vfb");
	print_quoted(to, spec);
	fputs("\n]\n", to);
}

void record_print_cfg(const char *name, const struct record_keys *keys, FILE *to)
{
	print_text(to, "name", name);
	for (size_t i = 0; i < sizeof(printed) / sizeof(printed[0]); i++) {
		const char *value = record_keys_get(keys, printed[i]);

		if (value && *value)
			print_value(to, printed[i], value);
	}
	print_list(to, keys, "disk", print_disk);
	print_list(to, keys, "vif", print_vif);
	print_screen(to, keys);
}
