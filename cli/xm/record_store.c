/* SPDX-License-Identifier: MIT */
/*
 * record_store.c - see record_store.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domains.h"
#include "record_store.h"
#include "start.h"

#define DIR "/config/domain/%s"

struct put {
	const struct record *rec;
	enum record_mode mode;
	struct record_conflict *conflict;
};

static int put_text(struct xs_handle *xs, xs_transaction_t t, const char *name, const char *key,
		    const char *value)
{
	return value ? store_write(xs, t, value, DIR "/%s", name, key) : 0;
}

static int put_number(struct xs_handle *xs, xs_transaction_t t, const char *name, const char *key,
		      long value)
{
	return store_write_number(xs, t, value, DIR "/%s", name, key);
}

int record_put_disk(struct xs_handle *xs, xs_transaction_t t, const char *name, size_t i,
		    const struct disk_spec *disk)
{
	const char *backend = disk_backend_name(disk->backend);
	char target[DISK_PATH_MAX + 8];
	int ret;

	snprintf(target, sizeof(target), "%s:%s", backend ? backend : "file", disk->path);
	ret = store_write(xs, t, target, DIR "/disk/%zu/target", name, i);
	if (!ret)
		ret = store_write(xs, t, disk->vdev, DIR "/disk/%zu/vdev", name, i);
	if (!ret)
		ret = store_write(xs, t, disk_mode_name(disk), DIR "/disk/%zu/mode", name, i);
	if (!ret)
		ret = store_write(xs, t, "raw", DIR "/disk/%zu/format", name, i);
	return ret;
}

int record_put_vif(struct xs_handle *xs, xs_transaction_t t, const char *name, size_t i,
		   const struct vif_spec *vif)
{
	const struct {
		const char *key, *value;
	} fields[] = {
		{"mac", vif->mac}, {"bridge", vif->bridge},   {"script", vif->script},
		{"ip", vif->ip},   {"vifname", vif->vifname},
	};
	int ret = 0;

	for (size_t f = 0; f < sizeof(fields) / sizeof(fields[0]) && !ret; f++)
		if (fields[f].value[0])
			ret = store_write(xs, t, fields[f].value, DIR "/vif/%zu/%s", name, i,
					  fields[f].key);
	return ret;
}

static int put_fields(struct xs_handle *xs, xs_transaction_t t, const struct record *rec)
{
	const struct {
		const char *key, *text;
	} texts[] = {
		{"uuid", rec->uuid},
		{"type", "pv"},
		{"kernel", rec->kernel},
		{"ramdisk", rec->ramdisk},
		{"cmdline", rec->cmdline},
		{"on_poweroff", rec->on_poweroff},
		{"on_reboot", rec->on_reboot},
		{"on_crash", rec->on_crash},
		{"autostart", rec->autostart},
		{"paused", rec->paused ? "1" : "0"},
		{"persistent", rec->persistent ? "1" : "0"},
		{"power", rec->power ? "on" : "off"},
	};
	const struct {
		const char *key;
		long number;
	} numbers[] = {
		{"memory", rec->memory},
		{"maxmem", rec->maxmem},
		{"vcpus", rec->vcpus},
		{"maxvcpus", rec->maxvcpus},
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) && !ret; i++)
		ret = put_number(xs, t, rec->name, numbers[i].key, numbers[i].number);
	for (size_t i = 0; i < rec->nr_disks && !ret; i++)
		ret = record_put_disk(xs, t, rec->name, i, &rec->disks[i]);
	for (size_t i = 0; i < rec->nr_vifs && !ret; i++)
		ret = record_put_vif(xs, t, rec->name, i, &rec->vifs[i]);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]) && !ret; i++)
		ret = put_text(xs, t, rec->name, texts[i].key, texts[i].text);
	return ret;
}

static int conflict_with(struct xs_handle *xs, struct put *put, const char *name)
{
	struct domain dom;
	bool left_over;

	domain_read(xs, name, &dom);
	left_over = dom.has_record && !dom.persistent && dom.state == DOM_FAILED;
	if (left_over && put->mode == RECORD_CREATE)
		return 0;
	snprintf(put->conflict->name, sizeof(put->conflict->name), "%s", name);
	put->conflict->same_name = strcmp(name, put->rec->name) == 0;
	put->conflict->live = domain_is_live(&dom);
	put->conflict->persistent = dom.persistent;
	put->conflict->domid = dom.domid;
	return -EEXIST;
}

/* A second record with this uuid would share /vm/UUID with the first. */
static int check_uuid(struct xs_handle *xs, xs_transaction_t t, struct put *put)
{
	unsigned int nr;
	char **names = store_list(xs, t, &nr, "/config/domain");
	int ret = 0;

	for (unsigned int i = 0; names && i < nr && !ret; i++) {
		char *uuid = store_read(xs, t, DIR "/uuid", names[i]);

		if (uuid && strcmp(uuid, put->rec->uuid) == 0 &&
		    strcmp(names[i], put->rec->name) != 0)
			ret = conflict_with(xs, put, names[i]);
		free(uuid);
	}
	free(names);
	return ret;
}

static int put_body(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	struct put *put = data;
	const struct record *rec = put->rec;
	bool present = store_exists(xs, t, DIR, rec->name);
	int ret = 0;

	if (present || store_exists(xs, t, "/status/domain/%s/domid", rec->name))
		ret = conflict_with(xs, put, rec->name);
	if (!ret && !rec->uuid_is_new)
		ret = check_uuid(xs, t, put);
	if (!ret && present)
		ret = store_remove(xs, t, DIR, rec->name);
	if (!ret && rec->power)
		ret = start_forget(xs, t, rec->name);
	if (ret == -EBUSY)
		ret = conflict_with(xs, put, rec->name);
	return ret ? ret : put_fields(xs, t, rec);
}

int record_put(struct xs_handle *xs, const struct record *rec, enum record_mode mode,
	       struct record_conflict *conflict)
{
	struct put put = {rec, mode, conflict};

	return store_transact(xs, put_body, &put);
}

static char *get_text(struct xs_handle *xs, xs_transaction_t t, const char *name, const char *key)
{
	return store_read(xs, t, DIR "/%s", name, key);
}

static void get_number(struct xs_handle *xs, xs_transaction_t t, const char *name, const char *key,
		       long *out)
{
	long long n;

	if (store_read_number(xs, t, &n, DIR "/%s", name, key))
		*out = (long)n;
}

static bool get_is(struct xs_handle *xs, xs_transaction_t t, const char *name, const char *key,
		   const char *word)
{
	char *text = get_text(xs, t, name, key);
	bool is = text && strcmp(text, word) == 0;

	free(text);
	return is;
}

/* Replaces *out by the constant spelling @parse finds for the stored word, if it finds one. */
static void get_word(struct xs_handle *xs, xs_transaction_t t, const char *name, const char *key,
		     const char *(*parse)(const char *), const char **out)
{
	char *text = get_text(xs, t, name, key);
	const char *word = text ? parse(text) : NULL;

	if (word)
		*out = word;
	free(text);
}

static void get_disks(struct xs_handle *xs, xs_transaction_t t, struct record *rec)
{
	char why[SPEC_ERROR_LEN];

	for (size_t i = 0; i < RECORD_DISKS_MAX; i++) {
		char *target = store_read(xs, t, DIR "/disk/%zu/target", rec->name, i);
		char *vdev = store_read(xs, t, DIR "/disk/%zu/vdev", rec->name, i);
		char *mode = store_read(xs, t, DIR "/disk/%zu/mode", rec->name, i);
		char *spec = NULL;

		if (target && vdev &&
		    asprintf(&spec, "%s,%s,%s", target, vdev, mode ? mode : "w") > 0 &&
		    disk_spec_parse(spec, &rec->disks[rec->nr_disks], why) == 0)
			rec->nr_disks++;
		free(spec);
		free(target);
		free(vdev);
		free(mode);
	}
}

static void get_vif_text(struct xs_handle *xs, xs_transaction_t t, const char *name, size_t i,
			 const char *key, char *out, size_t size)
{
	char *text = store_read(xs, t, DIR "/vif/%zu/%s", name, i, key);

	if (text)
		snprintf(out, size, "%s", text);
	free(text);
}

static void get_vifs(struct xs_handle *xs, xs_transaction_t t, struct record *rec)
{
	for (size_t i = 0; i < RECORD_VIFS_MAX; i++) {
		struct vif_spec *vif = &rec->vifs[rec->nr_vifs];

		if (!store_exists(xs, t, DIR "/vif/%zu", rec->name, i))
			continue;
		get_vif_text(xs, t, rec->name, i, "mac", vif->mac, sizeof(vif->mac));
		get_vif_text(xs, t, rec->name, i, "bridge", vif->bridge, sizeof(vif->bridge));
		get_vif_text(xs, t, rec->name, i, "script", vif->script, sizeof(vif->script));
		get_vif_text(xs, t, rec->name, i, "ip", vif->ip, sizeof(vif->ip));
		get_vif_text(xs, t, rec->name, i, "vifname", vif->vifname, sizeof(vif->vifname));
		rec->nr_vifs++;
	}
}

int record_get(struct xs_handle *xs, xs_transaction_t t, const char *name, struct record *rec)
{
	char *uuid;

	record_init(rec);
	if (strlen(name) > RECORD_NAME_MAX || !store_exists(xs, t, DIR, name))
		return -ENOENT;
	strcpy(rec->name, name);
	uuid = get_text(xs, t, name, "uuid");
	if (uuid)
		snprintf(rec->uuid, sizeof(rec->uuid), "%s", uuid);
	free(uuid);
	rec->kernel = get_text(xs, t, name, "kernel");
	rec->ramdisk = get_text(xs, t, name, "ramdisk");
	rec->cmdline = get_text(xs, t, name, "cmdline");
	get_number(xs, t, name, "memory", &rec->memory);
	get_number(xs, t, name, "maxmem", &rec->maxmem);
	get_number(xs, t, name, "vcpus", &rec->vcpus);
	get_number(xs, t, name, "maxvcpus", &rec->maxvcpus);
	get_word(xs, t, name, "on_poweroff", record_action, &rec->on_poweroff);
	get_word(xs, t, name, "on_reboot", record_action, &rec->on_reboot);
	get_word(xs, t, name, "on_crash", record_action, &rec->on_crash);
	get_word(xs, t, name, "autostart", record_autostart, &rec->autostart);
	rec->paused = get_is(xs, t, name, "paused", "1");
	rec->persistent = get_is(xs, t, name, "persistent", "1");
	rec->power = get_is(xs, t, name, "power", "on");
	get_disks(xs, t, rec);
	get_vifs(xs, t, rec);
	return 0;
}

struct replace {
	const struct record *old, *rec;
};

static int replace_body(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const struct replace *r = data;
	json_t *expected = record_json(r->old), *found;
	struct record now;
	int ret = record_get(xs, t, r->old->name, &now);
	char *saved;
	bool same;

	if (ret) {
		json_decref(expected);
		return ret;
	}
	found = record_json(&now);
	same = json_equal(expected, found);
	record_fini(&now);
	json_decref(expected);
	json_decref(found);
	if (!same)
		return -ESTALE;
	/* What it goes on from at its next start is not part of what people edit. */
	saved = get_text(xs, t, r->old->name, "saved");
	ret = store_remove(xs, t, DIR, r->old->name);
	if (!ret)
		ret = put_fields(xs, t, r->rec);
	if (!ret && saved)
		ret = store_write(xs, t, saved, DIR "/saved", r->old->name);
	free(saved);
	return ret;
}

int record_replace(struct xs_handle *xs, const struct record *old, const struct record *rec)
{
	struct replace r = {old, rec};

	return store_transact(xs, replace_body, &r);
}
