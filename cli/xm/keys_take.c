/* SPDX-License-Identifier: MIT */
/*
 * keys_take.c - see keys_take.h. Each function checks type and range at the setting's own place.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys_take.h"
#include "schema.h"

static int fail(struct reading *r, const struct cfg_setting *s, const char *text)
{
	cfg_error_at(r->err, &s->value.pos, "%s: %s", s->key, text);
	return -EINVAL;
}

/* A string or a number's own text; NULL after reporting. */
static const char *as_text(struct reading *r, const struct cfg_setting *s)
{
	if (s->value.type == CFG_STRING || s->value.type == CFG_INT)
		return s->value.text;
	fail(r, s, "must be a string in quotes");
	return NULL;
}

static int as_number(struct reading *r, const struct cfg_setting *s, long min, long max, long *out)
{
	long long num = s->value.num;
	char *end;

	if (s->value.type == CFG_STRING && *s->value.text) { /* "128": xm and xl take that too */
		errno = 0;
		num = strtoll(s->value.text, &end, 0);
		if (*end || errno)
			num = LLONG_MIN;
	} else if (s->value.type != CFG_INT) {
		num = LLONG_MIN;
	}
	if (num < min || num > max) {
		cfg_error_at(r->err, &s->value.pos, "%s: must be a whole number from %ld to %ld",
			     s->key, min, max);
		return -EINVAL;
	}
	*out = (long)num;
	return 0;
}

/* A number of the record, with the limits of the registry. */
static int as_record_number(struct reading *r, const struct cfg_setting *s, const char *path,
			    long *out)
{
	const struct schema_row *row = schema_find(path);

	return as_number(r, s, (long)row->min, (long)row->max, out);
}

static int keep_text(struct reading *r, const struct cfg_setting *s, char **out)
{
	const char *text = as_text(r, s);

	if (!text)
		return -EINVAL;
	free(*out);
	*out = strdup(text);
	return *out ? 0 : -ENOMEM;
}

static int take_path(struct reading *r, const struct cfg_setting *s, char **out)
{
	const char *text = as_text(r, s);

	if (!text)
		return -EINVAL;
	if (!*text)
		return 0; /* ramdisk = '' means none */
	if (*text != '/')
		return fail(r, s, "must be an absolute path, as seen in Domain-0");
	if (strlen(text) > DISK_PATH_MAX)
		return fail(r, s, "is longer than 1023 characters");
	return keep_text(r, s, out);
}

static int take_name(struct reading *r, const struct cfg_setting *s)
{
	const char *text = as_text(r, s), *problem;

	if (!text)
		return -EINVAL;
	problem = record_name_problem(text);
	if (problem) {
		cfg_error_at(r->err, &s->value.pos, "name: '%.80s' %s", text, problem);
		return -EINVAL;
	}
	strcpy(r->rec->name, text);
	return 0;
}

static int take_uuid(struct reading *r, const struct cfg_setting *s)
{
	const char *text = as_text(r, s);

	if (!text)
		return -EINVAL;
	if (!record_uuid_parse(text, r->rec->uuid))
		return fail(r, s, "must be a uuid such as 1b4e28ba-2fa1-4d2b-883f-0016d3cca427");
	return 0;
}

static int take_kernel(struct reading *r, const struct cfg_setting *s)
{
	return take_path(r, s, &r->rec->kernel);
}

static int take_ramdisk(struct reading *r, const struct cfg_setting *s)
{
	return take_path(r, s, &r->rec->ramdisk);
}

static int take_cmdline(struct reading *r, const struct cfg_setting *s)
{
	return keep_text(r, s, &r->rec->cmdline);
}

static int take_root(struct reading *r, const struct cfg_setting *s)
{
	return keep_text(r, s, &r->root);
}

static int take_extra(struct reading *r, const struct cfg_setting *s)
{
	return keep_text(r, s, &r->extra);
}

static int take_memory(struct reading *r, const struct cfg_setting *s)
{
	return as_record_number(r, s, "/config/domain/x/memory", &r->rec->memory);
}

static int take_maxmem(struct reading *r, const struct cfg_setting *s)
{
	return as_record_number(r, s, "/config/domain/x/maxmem", &r->rec->maxmem);
}

static int take_vcpus(struct reading *r, const struct cfg_setting *s)
{
	return as_record_number(r, s, "/config/domain/x/vcpus", &r->rec->vcpus);
}

static int take_maxvcpus(struct reading *r, const struct cfg_setting *s)
{
	return as_record_number(r, s, "/config/domain/x/maxvcpus", &r->rec->maxvcpus);
}

static int take_action(struct reading *r, const struct cfg_setting *s, const char **out)
{
	const char *text = as_text(r, s);

	if (!text)
		return -EINVAL;
	*out = record_action(text);
	if (*out)
		return 0;
	if (strcmp(text, "rename-restart") == 0)
		return fail(r, s,
			    "the dead domain is not kept beside its successor here: use 'preserve' "
			    "or 'restart'");
	if (strncmp(text, "coredump-", 9) == 0)
		return fail(r, s,
			    "core dumps are not written here: use 'preserve' to look at the dead "
			    "domain, or 'destroy', 'restart'");
	return fail(r, s, "must be 'destroy', 'restart' or 'preserve'");
}

static int take_on_poweroff(struct reading *r, const struct cfg_setting *s)
{
	return take_action(r, s, &r->rec->on_poweroff);
}

static int take_on_reboot(struct reading *r, const struct cfg_setting *s)
{
	return take_action(r, s, &r->rec->on_reboot);
}

static int take_on_crash(struct reading *r, const struct cfg_setting *s)
{
	return take_action(r, s, &r->rec->on_crash);
}

/* autostart, and xm's on_xend_start = 'start' | 'ignore'. */
static int take_autostart(struct reading *r, const struct cfg_setting *s)
{
	const char *text = as_text(r, s);

	if (!text)
		return -EINVAL;
	r->rec->autostart = record_autostart(text);
	if (!r->rec->autostart)
		return fail(r, s, "must be 0, 1 or 'last' (as it was when the host went down)");
	return 0;
}

static int take_type(struct reading *r, const struct cfg_setting *s)
{
	const char *text = as_text(r, s);

	if (!text)
		return -EINVAL;
	/* builder: linux and generic are xm's words for a paravirtual guest */
	if (strcmp(text, "pv") == 0 || strcmp(text, "linux") == 0 || strcmp(text, "generic") == 0)
		return 0;
	if (strcmp(text, "hvm") == 0 || strcmp(text, "pvh") == 0)
		return fail(r, s, "this host runs paravirtual guests (type = 'pv') only");
	return fail(r, s, "must be 'pv'");
}

static int take_disk(struct reading *r, const struct cfg_setting *s)
{
	struct record *rec = r->rec;
	char why[SPEC_ERROR_LEN];

	if (s->value.type != CFG_LIST)
		return fail(r, s, "must be a list: disk = [ 'file:/path,xvda,w' ]");
	if (s->value.nr_items > RECORD_DISKS_MAX)
		return fail(r, s, "more than 32 disks");
	for (size_t i = 0; i < s->value.nr_items; i++) {
		const struct cfg_value *item = &s->value.items[i];
		struct disk_spec *disk = &rec->disks[i];
		int ret = -EINVAL;

		snprintf(why, sizeof(why), "must be a string: 'file:/path,xvda,w'");
		if (item->type == CFG_STRING)
			ret = disk_spec_parse(item->text, disk, why);
		for (size_t j = 0; !ret && j < i; j++) {
			if (strcmp(rec->disks[j].vdev, disk->vdev) == 0) {
				snprintf(why, sizeof(why), "'%s' is disk %zu already", disk->vdev,
					 j + 1);
				ret = -EINVAL;
			}
		}
		if (ret) {
			cfg_error_at(r->err, &item->pos, "disk %zu: %s", i + 1, why);
			return ret;
		}
	}
	rec->nr_disks = s->value.nr_items;
	return 0;
}

static int take_vif(struct reading *r, const struct cfg_setting *s)
{
	struct record *rec = r->rec;
	char why[SPEC_ERROR_LEN];

	if (s->value.type != CFG_LIST)
		return fail(r, s, "must be a list: vif = [ 'bridge=xenbr0' ]");
	if (s->value.nr_items > RECORD_VIFS_MAX)
		return fail(r, s, "more than 16 network cards");
	for (size_t i = 0; i < s->value.nr_items; i++) {
		const struct cfg_value *item = &s->value.items[i];
		struct vif_spec *vif = &rec->vifs[i];
		int ret = -EINVAL;

		snprintf(why, sizeof(why), "must be a string: 'bridge=xenbr0'");
		if (item->type == CFG_STRING)
			ret = vif_spec_parse(item->text, vif, why);
		for (size_t j = 0; !ret && vif->mac[0] && j < i; j++) {
			if (strcmp(rec->vifs[j].mac, vif->mac) == 0) {
				snprintf(why, sizeof(why), "mac %s is vif %zu's already", vif->mac,
					 j + 1);
				ret = -EINVAL;
			}
		}
		if (ret) {
			cfg_error_at(r->err, &item->pos, "vif %zu: %s", i + 1, why);
			return ret;
		}
	}
	rec->nr_vifs = s->value.nr_items;
	return 0;
}

static const struct key taken[] = {
	{"name", take_name},
	{"type", take_type},
	{"builder", take_type},
	{"uuid", take_uuid},
	{"kernel", take_kernel},
	{"ramdisk", take_ramdisk},
	{"cmdline", take_cmdline},
	{"root", take_root},
	{"extra", take_extra},
	{"memory", take_memory},
	{"maxmem", take_maxmem},
	{"vcpus", take_vcpus},
	{"maxvcpus", take_maxvcpus},
	{"disk", take_disk},
	{"vif", take_vif},
	{"on_poweroff", take_on_poweroff},
	{"on_reboot", take_on_reboot},
	{"on_crash", take_on_crash},
	{"autostart", take_autostart},
	{"on_xend_start", take_autostart},
};

#define NR_TAKEN (sizeof(taken) / sizeof(taken[0]))

const struct key *keys_taken_at(size_t i)
{
	return i < NR_TAKEN ? &taken[i] : NULL;
}
