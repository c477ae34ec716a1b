/* SPDX-License-Identifier: MIT */
/*
 * record_store.c - see record_store.h.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "domains.h"
#include "record_load.h"
#include "record_store.h"
#include "schema.h"
#include "start.h"

#define DIR "/config/domain/%s"
#define KEY_LEN 64

struct put {
	const struct record *rec;
	enum record_mode mode;
	struct record_conflict *conflict;
};

static int put_keys(struct xs_handle *xs, xs_transaction_t t, const char *name,
		    const struct record_keys *keys)
{
	int ret = 0;

	for (size_t i = 0; i < keys->nr && !ret; i++)
		ret = store_write(xs, t, keys->v[i].value, DIR "/%s", name, keys->v[i].key);
	return ret;
}

int record_put_disk(struct xs_handle *xs, xs_transaction_t t, const char *name,
		    const struct disk_spec *disk)
{
	struct record_keys keys = { 0 };
	int ret = record_format_disk(disk, &keys);

	if (!ret)
		ret = put_keys(xs, t, name, &keys);
	record_keys_free(&keys);
	return ret;
}

int record_put_vif(struct xs_handle *xs, xs_transaction_t t, const char *name,
		   const struct vif_spec *vif)
{
	struct record_keys keys = { 0 };
	int ret = record_format_vif(vif, &keys);

	if (!ret)
		ret = put_keys(xs, t, name, &keys);
	record_keys_free(&keys);
	return ret;
}

static int put_record(struct xs_handle *xs, xs_transaction_t t, const struct record *rec)
{
	struct record_keys keys = { 0 };
	int ret = record_format(rec, &keys);

	if (!ret)
		ret = put_keys(xs, t, rec->name, &keys);
	record_keys_free(&keys);
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
	char **names;
	int ret = store_list_records(xs, t, &names, &nr);

	for (unsigned int i = 0; !ret && i < nr; i++) {
		char *uuid = store_read(xs, t, DIR "/uuid", names[i]);

		if (!uuid && errno != ENOENT)
			ret = -errno;
		else if (uuid && strcasecmp(uuid, put->rec->uuid_text) == 0 &&
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
	int present = store_has(xs, t, DIR, rec->name);
	int lives = store_has(xs, t, "/status/domain/%s/domid", rec->name);
	int ret = present < 0 ? present : lives < 0 ? lives : 0;

	if (!ret && (present || lives))
		ret = conflict_with(xs, put, rec->name);
	if (!ret && !rec->uuid_is_new)
		ret = check_uuid(xs, t, put);
	if (!ret && present)
		ret = store_remove(xs, t, DIR, rec->name);
	if (!ret && rec->power)
		ret = start_forget(xs, t, rec->name);
	if (ret == -EBUSY)
		ret = conflict_with(xs, put, rec->name);
	return ret ? ret : put_record(xs, t, rec);
}

int record_put_in(struct xs_handle *xs, xs_transaction_t t, const struct record *rec,
		  enum record_mode mode, struct record_conflict *conflict)
{
	struct put put = { rec, mode, conflict };

	return put_body(xs, t, &put);
}

int record_put(struct xs_handle *xs, const struct record *rec, enum record_mode mode,
	       struct record_conflict *conflict)
{
	struct put put = { rec, mode, conflict };

	return store_transact(xs, put_body, &put);
}

static int switch_off(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const char *name = data;
	int has = store_has(xs, t, DIR, name);

	return has > 0 ? store_write(xs, t, "off", DIR "/power", name) : has;
}

int record_switch_off(struct xs_handle *xs, const char *name)
{
	return store_transact(xs, switch_off, (void *)name);
}

int record_get(struct xs_handle *xs, const char *name, struct record *rec)
{
	struct record_keys keys = { 0 };
	int ret = record_load(xs, name, &keys);

	record_parse(rec, name, &keys, NULL, NULL);
	record_keys_free(&keys);
	return ret;
}

static void first_wrong(void *data, const char *key, const char *text)
{
	char *why = data;

	(void)key;
	if (!why[0])
		snprintf(why, SPEC_ERROR_LEN, "%s", text);
}

int record_set(struct xs_handle *xs, xs_transaction_t t, const char *name, const char *key,
	       const char *value, char why[SPEC_ERROR_LEN])
{
	struct record_keys keys = { 0 };
	struct record *rec = malloc(sizeof(*rec));
	int ret = rec ? record_load_in(xs, t, name, &keys) : -ENOMEM;
	bool could_start = !ret && record_parse(rec, name, &keys, NULL, NULL) == 0;
	bool has_record = !ret;

	why[0] = '\0';
	if (ret == -ENOENT)
		ret = 0;
	if (!ret && has_record)
		ret = record_keys_set(&keys, key, value);
	if (!ret && could_start && record_parse(rec, name, &keys, first_wrong, why))
		ret = RECORD_KEPT;
	if (!ret && has_record)
		ret = store_write(xs, t, value, DIR "/%s", name, key);
	record_keys_free(&keys);
	free(rec);
	return ret;
}

void record_warn(void *data, const char *key, const char *text)
{
	struct xm *xm = data;

	(void)key;
	xm_warn(xm, "in the record: %s", text);
}

/* ---- an edited record ---- */

/* What people edit: not the switch, nor what xend goes on from, nor where the domain is. */
static bool is_edited(const char *key)
{
	return strcmp(key, "power") != 0 && strcmp(key, "saved") != 0 &&
	       strcmp(key, "arriving") != 0 && strcmp(key, "moved") != 0;
}

static bool same_edited(const struct record_keys *a, const struct record_keys *b)
{
	size_t i = 0, j = 0;

	for (;; i++, j++) {
		while (i < a->nr && !is_edited(a->v[i].key))
			i++;
		while (j < b->nr && !is_edited(b->v[j].key))
			j++;
		if (i == a->nr || j == b->nr)
			return i == a->nr && j == b->nr;
		if (strcmp(a->v[i].key, b->v[j].key) || strcmp(a->v[i].value, b->v[j].value))
			return false;
	}
}

#define ITEMS_MAX 1000

/* The lowest item that none of @rec's disks or cards that have one has. */
static unsigned int free_item(const bool taken[ITEMS_MAX])
{
	unsigned int i = 0;

	while (taken[i])
		i++;
	return i;
}

/* Disks keep the item of the one that the guest called the same. */
static void keep_disk_items(struct record *rec, const struct record *old)
{
	bool taken[ITEMS_MAX] = { 0 }, kept[RECORD_DISKS_MAX] = { 0 };

	for (unsigned int i = 0; i < rec->nr_disks; i++) {
		for (unsigned int j = 0; j < old->nr_disks; j++) {
			if (old->disk[j].number != rec->disk[i].number)
				continue;
			rec->disk[i].item = old->disk[j].item;
			taken[rec->disk[i].item] = kept[i] = true;
		}
	}
	for (unsigned int i = 0; i < rec->nr_disks; i++) {
		if (kept[i])
			continue;
		rec->disk[i].item = free_item(taken);
		taken[rec->disk[i].item] = true;
	}
}

/*
 * Cards keep the item, which is their number to the guest, of the one with their address; those
 * without one are as many cards without one as there were, in their order, and stay without.
 */
static void keep_vif_items(struct record *rec, const struct record *old, const char *bridge)
{
	bool taken[ITEMS_MAX] = { 0 }, kept[RECORD_VIFS_MAX] = { 0 }, used[RECORD_VIFS_MAX] = { 0 };

	for (unsigned int i = 0; i < rec->nr_vifs; i++) {
		struct vif_spec *vif = &rec->vif[i];

		for (unsigned int j = 0; j < old->nr_vifs && !kept[i]; j++) {
			bool same = vif->mac_is_new ? !old->vif[j].mac[0] :
						      !strcasecmp(old->vif[j].mac, vif->mac);

			if (used[j] || !same)
				continue;
			if (vif->mac_is_new)
				vif->mac[0] = '\0';
			vif->item = old->vif[j].item;
			taken[vif->item] = kept[i] = used[j] = true;
		}
	}
	for (unsigned int i = 0; i < rec->nr_vifs; i++) {
		struct vif_spec *vif = &rec->vif[i];

		if (kept[i])
			continue;
		vif->item = free_item(taken);
		taken[vif->item] = true;
		if (!vif->bridge[0])
			snprintf(vif->bridge, sizeof(vif->bridge), "%s", bridge);
	}
}

/* Whether the item that @key is in is not among those of @keys any more. */
static bool item_is_gone(const char *key, const char *list, const struct record_keys *keys)
{
	const char *item, *other;
	size_t len = record_keys_item(key, list, &item);

	for (size_t i = 0; i < keys->nr && len; i++)
		if (record_keys_item(keys->v[i].key, list, &other) == len &&
		    memcmp(item, other, len) == 0)
			return false;
	return len > 0;
}

static bool is_registered(const char *key)
{
	char path[KEY_LEN + sizeof(RECORD_ROOT)];

	snprintf(path, sizeof(path), RECORD_ROOT "/x/%s", key);
	return schema_find(path);
}

/* Whether an absent @key beside @want counts as @value anyway. */
static bool is_default(const struct record_keys *want, const char *key, const char *value)
{
	const char *absent = record_default(want, key);

	return absent ? strcmp(absent, value) == 0 : !*value;
}

struct replace {
	const struct record_keys *old;
	struct record_keys *before; /* the same, written out as @want is */
	const char *name;
	struct record_keys *want;
	unsigned int nr_changes;
};

/* Whether @now, which the store has, means @value: file:/a is what /a is. */
static bool says_the_same(const struct replace *r, const char *key, const char *now,
			  const char *value)
{
	char path[KEY_LEN + sizeof(RECORD_ROOT)], why[SCHEMA_WHY_LEN];
	const char *before = record_keys_get(r->before, key);
	const struct schema_row *row;

	snprintf(path, sizeof(path), RECORD_ROOT "/x/%s", key);
	row = schema_find(path);
	if (strcmp(now, value) == 0)
		return true;
	return before && row && schema_check(row, now, strlen(now), why) &&
	       strcmp(before, value) == 0;
}

static int write_changed(struct xs_handle *xs, xs_transaction_t t, struct replace *r)
{
	int ret = 0;

	for (size_t i = 0; i < r->want->nr && !ret; i++) {
		const char *key = r->want->v[i].key, *value = r->want->v[i].value;
		const char *now = record_keys_get(r->old, key);

		if (now && *now ? says_the_same(r, key, now, value) :
				  is_default(r->want, key, value))
			continue;
		r->nr_changes++;
		ret = store_write(xs, t, value, DIR "/%s", r->name, key);
	}
	return ret;
}

/* Keys of the registry that are not said any more go; whole items with all that is in them. */
static int remove_unsaid(struct xs_handle *xs, xs_transaction_t t, struct replace *r)
{
	int ret = 0;

	for (size_t i = 0; i < r->old->nr && !ret; i++) {
		const char *key = r->old->v[i].key;
		bool gone = item_is_gone(key, "disk", r->want) || item_is_gone(key, "vif", r->want);

		if (!gone && (!*r->old->v[i].value || !is_registered(key) ||
			      record_keys_get(r->want, key)))
			continue;
		r->nr_changes++;
		ret = store_remove(xs, t, DIR "/%s", r->name, key);
	}
	return ret;
}

static int replace_body(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	struct replace *r = data;
	struct record_keys now = { 0 };
	int ret = record_load_in(xs, t, r->name, &now);

	if (!ret && !same_edited(r->old, &now))
		ret = -ESTALE;
	record_keys_free(&now);
	r->nr_changes = 0;
	if (!ret)
		ret = remove_unsaid(xs, t, r);
	return ret ? ret : write_changed(xs, t, r);
}

int record_replace(struct xs_handle *xs, const struct record_keys *old, struct record *rec,
		   const char *bridge, bool *changed)
{
	struct record *before = malloc(sizeof(*before));
	struct record_keys want = { 0 }, written = { 0 };
	struct replace r = {
		.old = old, .before = &written, .name = rec->name, .want = &want};
	int ret = before ? 0 : -ENOMEM;

	if (!ret) {
		record_parse(before, rec->name, old, NULL, NULL);
		keep_disk_items(rec, before);
		keep_vif_items(rec, before, bridge);
		ret = record_format(rec, &want);
	}
	if (!ret)
		ret = record_format(before, &written);
	for (size_t i = 0; i < old->nr && !ret; i++)
		if (!is_edited(old->v[i].key))
			ret = record_keys_set(&want, old->v[i].key, old->v[i].value);
	if (!ret)
		ret = store_transact(xs, replace_body, &r);
	*changed = r.nr_changes > 0;
	record_keys_free(&want);
	record_keys_free(&written);
	free(before);
	return ret;
}
