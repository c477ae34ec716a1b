/* SPDX-License-Identifier: MIT */
/* xl_config.c - see xl_config.h. */
#include "xl_config.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

struct writer {
	FILE *out;
	char *why;			/* XL_CONFIG_WHY bytes; "": nothing is wrong yet */
};

static void wrong(struct writer *w, const char *what, const char *which)
{
	if (!w->why[0])
		snprintf(w->why, XL_CONFIG_WHY, "what xl wrote of the domain: %s%.100s", what, which);
}

/* A string that no quotes, line or escape of a configuration file could end. */
static const char *word(struct writer *w, const json_t *in, const char *name)
{
	const char *s = json_string_value(json_object_get(in, name));

	for (const char *c = s; c && *c; c++) {
		if (strchr("\"'\\", *c) || (unsigned char)*c < ' ') {
			wrong(w, "a quotation mark, a backslash or a control character in ", name);
			return NULL;
		}
	}
	return s && *s ? s : NULL;
}

static void put_word(struct writer *w, const char *key, const json_t *in, const char *name)
{
	const char *s = word(w, in, name);

	if (s)
		fprintf(w->out, "%s = \"%s\"\n", key, s);
}

static json_int_t number(const json_t *in, const char *name)
{
	return json_integer_value(json_object_get(in, name));
}

static json_int_t mib(const json_t *in, const char *name)
{
	json_int_t kib = number(in, name);

	return kib / 1024 + (kib % 1024 > 0);
}

static void put_number(struct writer *w, const char *key, json_int_t n)
{
	if (n > 0)
		fprintf(w->out, "%s = %lld\n", key, (long long)n);
}

/* Part of a device: ",key=value" with no comma in it. */
static void put_part(struct writer *w, const char *key, const json_t *in, const char *name)
{
	const char *s = word(w, in, name);

	if (s && strchr(s, ','))
		wrong(w, "a comma in ", name);
	else if (s)
		fprintf(w->out, ",%s=%s", key, s);
}

/* The disk's path is the last part: it may have commas. */
static void put_disk(struct writer *w, const json_t *disk)
{
	const char *path = word(w, disk, "pdev_path"), *format = word(w, disk, "format");
	bool writable = json_is_true(json_object_get(disk, "readwrite")) || number(disk, "readwrite");

	fprintf(w->out, "access=%s", writable ? "rw" : "ro");
	put_part(w, "vdev", disk, "vdev");
	/* What xl calls a drive with nothing in it. */
	if (format && strcmp(format, "empty"))
		put_part(w, "format", disk, "format");
	put_part(w, "script", disk, "script");
	/* Another domain's path: what has the same here is another disk. */
	put_part(w, "backend", disk, "backend_domname");
	if (number(disk, "is_cdrom") || json_is_true(json_object_get(disk, "is_cdrom")))
		fputs(",cdrom", w->out);
	fprintf(w->out, ",target=%s", path ? path : "");
}

/* The least speed that is so many bytes in an interval. */
static void put_rate(struct writer *w, const json_t *card)
{
	json_int_t bytes = number(card, "rate_bytes_per_interval"), us = number(card, "rate_interval_usecs");

	if (!bytes)
		return;
	if (bytes < 0 || bytes > UINT32_MAX || us <= 0 || us > UINT32_MAX)
		wrong(w, "no possible speed in ", "rate_bytes_per_interval");
	else
		fprintf(w->out, ",rate=%lldB/s@%lldus", (bytes * 1000000ll + us - 1) / us, (long long)us);
}

static void put_card(struct writer *w, const json_t *card)
{
	fputs("type=vif", w->out);
	put_part(w, "mac", card, "mac");
	put_part(w, "bridge", card, "bridge");
	put_part(w, "script", card, "script");
	put_part(w, "vifname", card, "ifname");
	put_part(w, "ip", card, "ip");
	put_part(w, "gatewaydev", card, "gatewaydev");
	put_rate(w, card);
	put_part(w, "backend", card, "backend_domname");
}

static void put_list(struct writer *w, const char *key, const json_t *list,
		     void (*put)(struct writer *w, const json_t *one))
{
	if (!json_array_size(list))
		return;
	fprintf(w->out, "%s = [", key);
	for (size_t i = 0; i < json_array_size(list); i++) {
		fputs(i ? ", '" : " '", w->out);
		put(w, json_array_get(list, i));
		fputc('\'', w->out);
	}
	fputs(" ]\n", w->out);
}

/* libxl's words for what is done at an end; xl.cfg's differ where two stand together. */
static void put_action(struct writer *w, const char *key, const json_t *all)
{
	static const struct {
		const char *libxl, *cfg;
	} other[] = {
		{ "restart_rename", "rename-restart" },
		{ "coredump_destroy", "coredump-destroy" },
		{ "coredump_restart", "coredump-restart" },
	};
	const char *action = word(w, all, key);

	for (size_t i = 0; action && i < sizeof(other) / sizeof(other[0]); i++) {
		if (!strcmp(action, other[i].libxl))
			action = other[i].cfg;
	}
	if (action)
		fprintf(w->out, "%s = \"%s\"\n", key, action);
}

static void put_build(struct writer *w, const json_t *b)
{
	const json_t *share = json_object_get(b, "sched_params");
	json_int_t max = mib(b, "max_memkb"), now = mib(b, "target_memkb");

	put_number(w, "memory", now > 0 ? now : max);
	put_number(w, "maxmem", max);
	put_number(w, "vcpus", (json_int_t)json_array_size(json_object_get(b, "avail_vcpus")));
	put_number(w, "maxvcpus", number(b, "max_vcpus"));
	put_number(w, "cpu_weight", number(share, "weight"));
	put_number(w, "cap", number(share, "cap"));
	put_word(w, "kernel", b, "kernel");
	put_word(w, "ramdisk", b, "ramdisk");
	put_word(w, "cmdline", b, "cmdline");
	put_word(w, "bootloader", b, "bootloader");
}

static void put_all(struct writer *w, const json_t *all)
{
	const json_t *c = json_object_get(all, "c_info"), *b = json_object_get(all, "b_info");
	const char *type = json_string_value(json_object_get(c, "type"));

	if (!json_is_object(c) || !json_is_object(b))
		wrong(w, "it has no c_info or no b_info", "");
	else if (!type || strcmp(type, "pv"))
		wrong(w, "it is no paravirtual domain, but of type ", type ? type : "(none)");
	put_word(w, "name", c, "name");
	put_word(w, "uuid", c, "uuid");
	put_build(w, b);
	put_list(w, "disk", json_object_get(all, "disks"), put_disk);
	put_list(w, "vif", json_object_get(all, "nics"), put_card);
	put_action(w, "on_poweroff", all);
	put_action(w, "on_reboot", all);
	put_action(w, "on_crash", all);
}

static void name_left_out(const json_t *all, char left_out[XL_CONFIG_WHY])
{
	static const char *const not_ours[] = { "vfbs", "vkbs", "pcidevs", "vtpms", "p9s", "vdispls",
						"vsnds", "channels", "usbctrls", "usbdevs",
						"pvcallsifs", "dtdevs", "bootloader_args",
						"vcpu_hard_affinity", "vcpu_soft_affinity" };
	const json_t *b = json_object_get(all, "b_info");
	size_t at = 0;

	left_out[0] = '\0';
	for (size_t i = 0; i < sizeof(not_ours) / sizeof(not_ours[0]); i++) {
		if (json_array_size(json_object_get(all, not_ours[i])) ||
		    json_array_size(json_object_get(b, not_ours[i])))
			at += (size_t)snprintf(left_out + at, XL_CONFIG_WHY - at, "%s%s",
					       at ? ", " : "", not_ours[i]);
	}
}

char *xl_config_text(const char *json, size_t *len, char left_out[XL_CONFIG_WHY],
		     char why[XL_CONFIG_WHY])
{
	json_t *all = json_loads(json, JSON_REJECT_DUPLICATES, NULL);
	char *text = NULL;
	struct writer w = { open_memstream(&text, len), why };

	why[0] = '\0';
	if (!w.out)
		wrong(&w, "out of memory", "");
	else if (!json_is_object(all))
		wrong(&w, "it is not JSON", "");
	else
		put_all(&w, all);
	name_left_out(all, left_out);
	json_decref(all);
	if (w.out && fclose(w.out))
		wrong(&w, "out of memory", "");
	if (!why[0])
		return text;
	free(text);
	return NULL;
}
