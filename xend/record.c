/* SPDX-License-Identifier: MIT */
/*
 * record.c - from /config/domain/NAME to struct record, every value checked.
 *
 * Owns the rules for each key, as a table. Not: what happens with the record.
 */
#include "record.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "schema.h"
#include "store.h"
#include "vdev.h"

#define ITEM_DIGITS 3

struct reader {
	struct xs_handle *xs;
	xs_transaction_t t;
	struct record *r;
	char *why;
	size_t why_len;
	int err;
};

/* Keeps the first complaint. */
static void __attribute__((format(printf, 2, 3)))
complain(struct reader *rd, const char *fmt, ...)
{
	va_list ap;

	if (rd->err)
		return;
	rd->err = -EINVAL;
	va_start(ap, fmt);
	vsnprintf(rd->why, rd->why_len, fmt, ap);
	va_end(ap);
}

static char *read_path(struct reader *rd, struct path p)
{
	unsigned int len;

	return xs_read(rd->xs, rd->t, p.s, &len);
}

static char *read_key(struct reader *rd, const char *key)
{
	return read_path(rd, path_config(rd->r->name, key));
}

static void take_text(struct reader *rd, struct path p, const char *what, char *out, size_t size)
{
	char *v = read_path(rd, p);

	out[0] = '\0';
	if (v && strlen(v) >= size)
		complain(rd, "%s is too long: at most %zu characters", what, size - 1);
	else if (v)
		memcpy(out, v, strlen(v) + 1);
	free(v);
}

/* Limits are the registry's. */
static uint64_t take_number(struct reader *rd, const char *key, uint64_t absent)
{
	const struct schema_row *row = schema_find(path_config(rd->r->name, key).s);
	uint64_t min = (uint64_t)row->min, max = (uint64_t)row->max;
	char *v = read_key(rd, key), *end;
	unsigned long long n = absent;

	if (v && *v) {
		errno = 0;
		n = strtoull(v, &end, 10);
		if (errno || *end || v[0] == '-' || n < min || n > max) {
			complain(rd, "%s=%.32s is not possible: a number from %llu to %llu is", key,
				 v, (unsigned long long)min, (unsigned long long)max);
			n = absent;
		}
	}
	free(v);
	return n;
}

static bool take_flag(struct reader *rd, const char *key, const char *yes)
{
	char *v = read_key(rd, key);
	bool on = v && !strcmp(v, yes);

	free(v);
	return on;
}

struct word {
	const char *text;
	int value;
};

static const struct word action_words[] = {
	{ "destroy", ACTION_DESTROY }, { "restart", ACTION_RESTART },
	{ "preserve", ACTION_PRESERVE }, { NULL, 0 },
};

static const struct word autostart_words[] = {
	{ "0", AUTOSTART_NO }, { "1", AUTOSTART_YES }, { "last", AUTOSTART_LAST }, { NULL, 0 },
};

static int take_word(struct reader *rd, const char *key, const struct word *words, int absent)
{
	char *v = read_key(rd, key), list[128] = "";
	int value = absent;

	if (v && *v) {
		const struct word *w = words;

		while (w->text && strcmp(w->text, v))
			w++;
		if (w->text) {
			value = w->value;
		} else {
			for (w = words; w->text; w++)
				snprintf(list + strlen(list), sizeof(list) - strlen(list), "%s%s",
					 w == words ? "" : ", ", w->text);
			complain(rd, "%s=%.32s is not known: use one of %s", key, v, list);
		}
	}
	free(v);
	return value;
}

static void take_uuid(struct reader *rd)
{
	char *v = read_key(rd, "uuid");

	if (v && vdev_uuid_parse(v, rd->r->uuid))
		complain(rd, "uuid=%.40s is not a UUID", v);
	else if (v)
		vdev_uuid_format(rd->r->uuid, rd->r->uuid_text);
	free(v);
}

static void take_target(struct reader *rd, struct record_disk *d, const char *item)
{
	char text[RECORD_TEXT];
	const char *path = text;

	take_text(rd, path_config_item(rd->r->name, "disk", item, "target"), "disk target", text,
		  sizeof(text));
	if (!strncmp(text, "file:", 5)) {
		path = text + 5;
	} else if (!strncmp(text, "phy:", 4)) {
		path = text + 4;
		d->phy = true;
	} else if (text[0] != '/') {
		complain(rd, "disk %s: target=%.80s is not known: use file:/path or phy:/dev/x",
			 item, text);
	}
	if (d->phy && path[0] && path[0] != '/')
		snprintf(d->target, sizeof(d->target), "/dev/%.*s", RECORD_TEXT - 8, path);
	else
		snprintf(d->target, sizeof(d->target), "%s", path);
	if (d->target[0] != '/')
		complain(rd, "disk %s: target=%.80s is not an absolute path", item, text);
}

/* Items of a list are named by small numbers: a card's is its device's, too. */
static unsigned int take_item(struct reader *rd, const char *list, const char *item)
{
	size_t len = strspn(item, "0123456789");

	if (!len || item[len] || len > ITEM_DIGITS)
		complain(rd, "%s/%.32s is not possible: a number of at most %d digits is", list,
			 item, ITEM_DIGITS);
	return (unsigned int)atoi(item);
}

static void take_disk(struct reader *rd, const char *item)
{
	struct record_disk *d = &rd->r->disk[rd->r->nr_disks];
	const char *name = rd->r->name;
	char mode[8], format[16];

	if (rd->r->nr_disks == RECORD_MAX_DISKS) {
		complain(rd, "more than %d disks", RECORD_MAX_DISKS);
		return;
	}
	d->item = take_item(rd, "disk", item);
	take_target(rd, d, item);
	take_text(rd, path_config_item(name, "disk", item, "vdev"), "disk vdev", d->vdev,
		  sizeof(d->vdev));
	take_text(rd, path_config_item(name, "disk", item, "mode"), "disk mode", mode,
		  sizeof(mode));
	take_text(rd, path_config_item(name, "disk", item, "format"), "disk format", format,
		  sizeof(format));
	if (vdev_disk_number(d->vdev, &d->number))
		complain(rd, "disk %s: vdev=%s is not a disk name such as xvda", item, d->vdev);
	if (mode[0] && strcmp(mode, "r") && strcmp(mode, "w") && strcmp(mode, "w!"))
		complain(rd, "disk %s: mode=%s is not known: use r, w or w!", item, mode);
	if (format[0] && strcmp(format, "raw"))
		complain(rd, "disk %s: format=%s is not known: only raw is", item, format);
	d->writable = mode[0] == 'w';
	d->shared = mode[0] && mode[1] == '!';
	for (unsigned int i = 0; i < rd->r->nr_disks; i++) {
		if (rd->r->disk[i].number == d->number)
			complain(rd, "disk %s: %s is used twice", item, d->vdev);
	}
	rd->r->nr_disks++;
}

static void take_vif(struct reader *rd, const char *item)
{
	struct record_vif *v = &rd->r->vif[rd->r->nr_vifs];
	const char *name = rd->r->name;

	if (rd->r->nr_vifs == RECORD_MAX_VIFS) {
		complain(rd, "more than %d network cards", RECORD_MAX_VIFS);
		return;
	}
	v->item = take_item(rd, "vif", item);
	take_text(rd, path_config_item(name, "vif", item, "mac"), "vif mac", v->mac,
		  sizeof(v->mac));
	take_text(rd, path_config_item(name, "vif", item, "bridge"), "vif bridge", v->bridge, 16);
	take_text(rd, path_config_item(name, "vif", item, "script"), "vif script", v->script,
		  sizeof(v->script));
	take_text(rd, path_config_item(name, "vif", item, "ip"), "vif ip", v->ip, sizeof(v->ip));
	take_text(rd, path_config_item(name, "vif", item, "vifname"), "vif vifname", v->vifname,
		  sizeof(v->vifname));
	if (v->mac[0] && !vdev_mac_ok(v->mac))
		complain(rd, "vif %s: mac=%s is not an address such as 00:16:3e:00:00:01", item,
			 v->mac);
	rd->r->nr_vifs++;
}

static int by_number(const void *a, const void *b)
{
	return atoi(*(char *const *)a) - atoi(*(char *const *)b);
}

/* Children in numeric order: disk/10 comes after disk/9. */
static void take_list(struct reader *rd, const char *list, void (*take)(struct reader *,
								       const char *))
{
	unsigned int nr;
	char **items = store_list(rd->xs, rd->t, path_config(rd->r->name, list), &nr);

	if (nr)
		qsort(items, nr, sizeof(items[0]), by_number);
	for (unsigned int i = 0; i < nr && !rd->err; i++)
		take(rd, items[i]);
	free(items);
}

static void take_machine(struct reader *rd)
{
	struct record *r = rd->r;
	const char *name = r->name;
	char type[16];

	take_text(rd, path_config(name, "type"), "type", type, sizeof(type));
	if (type[0] && strcmp(type, "pv"))
		complain(rd, "type=%s is not possible: only pv is", type);
	r->memory_mib = take_number(rd, "memory", 0);
	if (!r->memory_mib)
		complain(rd, "memory= is missing: how many MiB shall it have?");
	r->maxmem_mib = take_number(rd, "maxmem", r->memory_mib);
	if (r->maxmem_mib < r->memory_mib)
		complain(rd, "maxmem=%llu is less than memory=%llu",
			 (unsigned long long)r->maxmem_mib, (unsigned long long)r->memory_mib);
	r->vcpus = (unsigned int)take_number(rd, "vcpus", 1);
	r->maxvcpus = (unsigned int)take_number(rd, "maxvcpus", r->vcpus);
	if (r->maxvcpus < r->vcpus)
		complain(rd, "maxvcpus=%u is less than vcpus=%u", r->maxvcpus, r->vcpus);
	take_text(rd, path_config(name, "kernel"), "kernel", r->kernel, sizeof(r->kernel));
	if (!r->kernel[0])
		complain(rd, "kernel= is missing: which kernel file shall it boot?");
	take_text(rd, path_config(name, "ramdisk"), "ramdisk", r->ramdisk, sizeof(r->ramdisk));
	take_text(rd, path_config(name, "cmdline"), "cmdline", r->cmdline, sizeof(r->cmdline));
}

static void hash_bytes(uint64_t *h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		*h = (*h ^ p[i]) * 1099511628211ull;
}

/* FNV-1a over what needs a restart to change; devices do not. */
static uint64_t hash_record(const struct record *r)
{
	uint64_t h = 14695981039346656037ull;

	hash_bytes(&h, &r->memory_mib, sizeof(r->memory_mib));
	hash_bytes(&h, &r->maxmem_mib, sizeof(r->maxmem_mib));
	hash_bytes(&h, &r->vcpus, sizeof(r->vcpus));
	hash_bytes(&h, &r->maxvcpus, sizeof(r->maxvcpus));
	hash_bytes(&h, r->kernel, strlen(r->kernel) + 1);
	hash_bytes(&h, r->ramdisk, strlen(r->ramdisk) + 1);
	hash_bytes(&h, r->cmdline, strlen(r->cmdline) + 1);
	return h;
}

int record_read(struct xs_handle *xs, const char *name, struct record *r, char *why,
		size_t why_len)
{
	struct reader rd = { .xs = xs, .r = r, .why = why, .why_len = why_len };
	unsigned int nr;
	char **keys;

	memset(r, 0, sizeof(*r));
	why[0] = '\0';
	snprintf(r->name, sizeof(r->name), "%s", name);
	rd.t = xs_transaction_start(xs);
	if (!rd.t)
		return errno ? -errno : -EIO;
	keys = store_list(xs, rd.t, path_config(name, NULL), &nr);
	free(keys);
	if (!nr) {
		xs_transaction_end(xs, rd.t, true);
		return -ENOENT;
	}
	r->power = take_flag(&rd, "power", "on");
	r->paused = take_flag(&rd, "paused", "1");
	r->persistent = !take_flag(&rd, "persistent", "0");
	r->autostart = (enum record_autostart)take_word(&rd, "autostart", autostart_words,
							 AUTOSTART_NO);
	take_uuid(&rd);
	take_text(&rd, path_config(name, "saved"), "saved", r->saved, sizeof(r->saved));
	take_machine(&rd);
	r->on_poweroff = (enum record_action)take_word(&rd, "on_poweroff", action_words,
						       ACTION_DESTROY);
	r->on_reboot = (enum record_action)take_word(&rd, "on_reboot", action_words,
						     ACTION_RESTART);
	r->on_crash = (enum record_action)take_word(&rd, "on_crash", action_words, ACTION_DESTROY);
	take_list(&rd, "disk", take_disk);
	take_list(&rd, "vif", take_vif);
	xs_transaction_end(xs, rd.t, true);
	r->hash = hash_record(r);
	return rd.err;
}

static int power_off_body(struct txn *tx, void *arg)
{
	const char *name = arg;
	char *power = txn_read(tx, path_config(name, "power"));

	/* Never brings back a record that somebody removed meanwhile. */
	if (power && strcmp(power, "off"))
		txn_write(tx, path_config(name, "power"), "off");
	free(power);
	return 0;
}

int record_power_off(struct xs_handle *xs, const char *name)
{
	return store_transact(xs, power_off_body, (void *)name);
}

int record_forget_saved(struct xs_handle *xs, const char *name)
{
	return store_rm(xs, path_config(name, "saved"));
}

int record_remove(struct xs_handle *xs, const char *name)
{
	return store_rm(xs, path_config(name, NULL));
}

int record_ensure_uuid(struct xs_handle *xs, struct record *r)
{
	if (r->uuid_text[0])
		return 0;
	if (getrandom(r->uuid, sizeof(r->uuid), 0) != sizeof(r->uuid))
		return -EIO;
	r->uuid[6] = (r->uuid[6] & 0x0f) | 0x40;	/* RFC 4122: version 4, random */
	r->uuid[8] = (r->uuid[8] & 0x3f) | 0x80;
	vdev_uuid_format(r->uuid, r->uuid_text);
	return store_write(xs, path_config(r->name, "uuid"), r->uuid_text);
}
