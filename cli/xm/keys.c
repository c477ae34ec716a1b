/* SPDX-License-Identifier: MIT */
/*
 * keys.c - the taken keys of a configuration and the walk over all settings. See keys.h; the keys
 * that are refused or have no effect are rows of keys_other.c.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "keys.h"
#include "keys_other.h"
#include "nearest.h"

/* What the keys of one file leave behind until all are read. */
struct reading {
	struct record *rec;
	struct cfg_error *err;
	char *root, *extra;
};

struct key {
	const char *name;
	int (*take)(struct reading *r, const struct cfg_setting *s);
};

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
	return as_number(r, s, 4, 16 * 1024 * 1024, &r->rec->memory);
}

static int take_maxmem(struct reading *r, const struct cfg_setting *s)
{
	return as_number(r, s, 4, 16 * 1024 * 1024, &r->rec->maxmem);
}

static int take_vcpus(struct reading *r, const struct cfg_setting *s)
{
	return as_number(r, s, 1, RECORD_VCPUS_MAX, &r->rec->vcpus);
}

static int take_maxvcpus(struct reading *r, const struct cfg_setting *s)
{
	return as_number(r, s, 1, RECORD_VCPUS_MAX, &r->rec->maxvcpus);
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

const char *keys_taken_name(size_t i)
{
	return i < NR_TAKEN ? taken[i].name : NULL;
}

static int unknown_key(const struct cfg_setting *s, struct cfg_error *err)
{
	struct nearest near = {0};

	for (size_t i = 0; i < NR_TAKEN; i++)
		nearest_offer(&near, s->key, taken[i].name);
	for (size_t i = 0; !near.word && keys_other_at(i); i++)
		nearest_offer(&near, s->key, keys_other_at(i)->name);
	if (near.word)
		cfg_error_at(err, &s->pos, "unknown key '%s'; did you mean '%s'?", s->key,
			     near.word);
	else
		cfg_error_at(err, &s->pos, "unknown key '%s' (xm.cfg(5) lists the known ones)",
			     s->key);
	return -EINVAL;
}

static int take_other(const struct cfg_setting *s, keys_warn_fn warn, void *data,
		      struct cfg_error *err)
{
	const struct key_other *other = keys_other_find(s->key);
	struct cfg_error text;

	if (!other)
		return unknown_key(s, err);
	if (other->verdict == KEY_REFUSED) {
		/* Asking for nothing (pci = [], nestedhvm = 0) is not asking for it. */
		if ((s->value.type == CFG_LIST && !s->value.nr_items) ||
		    (s->value.type == CFG_INT && !s->value.num) ||
		    (s->value.type == CFG_STRING && !*s->value.text))
			return 0;
		cfg_error_at(err, &s->pos, "%s: %s", s->key, other->reason);
		return -ENOTSUP;
	}
	cfg_error_at(&text, &s->pos, "%s has no effect: %s", s->key, other->reason);
	warn(data, text.text);
	return 0;
}

static int take_setting(struct reading *r, const struct cfg_setting *s, keys_warn_fn warn,
			void *data)
{
	struct cfg_error text;

	if (s->shadowed_line > 0) {
		cfg_error_at(&text, &s->pos,
			     "%s is set twice; this value replaces the one of line %d", s->key,
			     s->shadowed_line);
		warn(data, text.text);
	}
	for (size_t i = 0; i < NR_TAKEN; i++) {
		if (strcmp(s->key, taken[i].name) != 0)
			continue;
		/* None: as if the line were not there. */
		return s->value.type == CFG_NONE ? 0 : taken[i].take(r, s);
	}
	if (s->value.type == CFG_NONE && keys_other_find(s->key))
		return 0;
	return take_other(s, warn, data, r->err);
}

/* cmdline, or else "root=ROOT EXTRA": xl's rule. */
static int join_cmdline(struct reading *r, const struct cfg *cfg, keys_warn_fn warn, void *data)
{
	struct record *rec = r->rec;
	struct cfg_error text;
	const struct cfg_setting *s;

	if (rec->cmdline && (r->root || r->extra)) {
		s = cfg_find(cfg, r->root ? "root" : "extra");
		cfg_error_at(&text, &s->pos, "%s has no effect: cmdline is set too", s->key);
		warn(data, text.text);
	} else if (!rec->cmdline && (r->root || r->extra)) {
		const char *root = r->root ? r->root : "", *extra = r->extra ? r->extra : "";

		if (asprintf(&rec->cmdline, "%s%s%s%s", *root ? "root=" : "", root,
			     *root && *extra ? " " : "", extra) < 0) {
			rec->cmdline = NULL;
			return -ENOMEM;
		}
	}
	if (rec->cmdline && strlen(rec->cmdline) > RECORD_CMDLINE_MAX) {
		s = cfg_find(cfg, "cmdline");
		if (!s)
			s = cfg_find(cfg, r->extra ? "extra" : "root");
		cfg_error_at(r->err, &s->value.pos,
			     "%s: the kernel's command line is %zu bytes long; %d is "
			     "the limit",
			     s->key, strlen(rec->cmdline), RECORD_CMDLINE_MAX);
		return -EINVAL;
	}
	return 0;
}

static int require(const struct cfg *cfg, bool present, const char *what, struct cfg_error *err)
{
	if (present)
		return 0;
	snprintf(err->text, sizeof(err->text), "%.400s: %s",
		 cfg->nr_sources ? cfg->sources[0] : "(no file)", what);
	return -EINVAL;
}

static int check_whole(const struct cfg *cfg, struct record *rec, struct cfg_error *err)
{
	int ret = require(cfg, rec->name[0], "no name: add a line such as name = 'web'", err);

	if (!ret)
		ret = require(cfg, rec->memory, "no memory: add a line such as memory = 128 (MiB)",
			      err);
	if (!ret)
		ret = require(cfg, rec->kernel,
			      "no kernel: add a line such as kernel = '/boot/vmlinuz' "
			      "(or grub-xen's image to boot from the guest's own disk)",
			      err);
	if (!ret && rec->maxmem && rec->maxmem < rec->memory) {
		cfg_error_at(err, &cfg_find(cfg, "maxmem")->pos,
			     "maxmem: %ld is less than memory, %ld", rec->maxmem, rec->memory);
		ret = -EINVAL;
	}
	if (!ret && rec->maxvcpus && rec->maxvcpus < rec->vcpus) {
		cfg_error_at(err, &cfg_find(cfg, "maxvcpus")->pos,
			     "maxvcpus: %ld is less than vcpus, "
			     "%ld",
			     rec->maxvcpus, rec->vcpus);
		ret = -EINVAL;
	}
	return ret;
}

int keys_to_record(const struct cfg *cfg, struct record *rec, keys_warn_fn warn, void *data,
		   struct cfg_error *err)
{
	struct reading r = {.rec = rec, .err = err};
	int ret = 0;

	snprintf(err->text, sizeof(err->text), "out of memory or randomness");
	for (size_t i = 0; i < cfg->nr_settings && !ret; i++)
		ret = take_setting(&r, &cfg->settings[i], warn, data);
	if (!ret)
		ret = join_cmdline(&r, cfg, warn, data);
	if (!ret)
		ret = check_whole(cfg, rec, err);
	if (!ret)
		ret = record_complete(rec);
	free(r.root);
	free(r.extra);
	return ret;
}
