/* SPDX-License-Identifier: MIT */
/* record_write.c - from the structure to keys: record_format(). */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "record.h"
#include "record_fields.h"

#define VALUE_LEN (DISK_PATH_MAX + 16)

/* The value of field @f of @base; "" when it has none. */
static void value_of(const struct field *f, const void *base, char out[VALUE_LEN])
{
	const char *at = (const char *)base + f->at;
	const struct disk_spec *disk = base;

	switch (f->kind) {
	case FIELD_U64:
		snprintf(out, VALUE_LEN, "%" PRIu64, *(const uint64_t *)(const void *)at);
		return;
	case FIELD_UINT:
		snprintf(out, VALUE_LEN, "%u", *(const unsigned int *)(const void *)at);
		return;
	case FIELD_BOOL:
		snprintf(out, VALUE_LEN, "%s", f->words[*(const bool *)(const void *)at ? 1 : 0]);
		return;
	case FIELD_WORD:
		snprintf(out, VALUE_LEN, "%s", f->words[*(const unsigned int *)(const void *)at]);
		return;
	case FIELD_TARGET:
		if (!vdev_is_path(disk->backend)) /* its name has it */
			snprintf(out, VALUE_LEN, "%s", disk->path);
		else
			snprintf(out, VALUE_LEN, "%s:%s", disk_backend_name(disk->backend),
				 disk->path);
		return;
	case FIELD_MODE:
		snprintf(out, VALUE_LEN, "%s", disk_mode_name(disk));
		return;
	case FIELD_UUID:
	case FIELD_VDEV:
	case FIELD_TEXT:
		snprintf(out, VALUE_LEN, "%s", at);
		return;
	}
}

static int put_item(struct record_keys *keys, const struct field *fields, const void *base,
		    const char *list, unsigned int item)
{
	char value[VALUE_LEN], key[64];
	bool any = false;
	int err = 0;

	for (const struct field *f = fields; f->key && !err; f++) {
		value_of(f, base, value);
		snprintf(key, sizeof(key), "%s/%u/%s", list, item, f->key);
		if (value[0])
			err = record_keys_set(keys, key, value);
		any = any || value[0];
	}
	/* A card with nothing but defaults is an empty directory. */
	snprintf(key, sizeof(key), "%s/%u", list, item);
	return err || any ? err : record_keys_set(keys, key, "");
}

int record_format_disk(const struct disk_spec *disk, struct record_keys *keys)
{
	return put_item(keys, disk_fields, disk, "disk", disk->item);
}

int record_format_vif(const struct vif_spec *vif, struct record_keys *keys)
{
	return put_item(keys, vif_fields, vif, "vif", vif->item);
}

int record_format(const struct record *r, struct record_keys *keys)
{
	char value[VALUE_LEN];
	int err = record_keys_set(keys, "type", "pv");

	for (const struct field *f = record_fields; f->key && !err; f++) {
		/* Most have no screen, and need not hear of it. */
		if (!r->screen.said && !strncmp(f->key, "vfb/", 4))
			continue;
		value_of(f, r, value);
		if (value[0] || !strcmp(f->key, "cmdline"))
			err = record_keys_set(keys, f->key, value);
	}
	for (unsigned int i = 0; i < r->nr_disks && !err; i++)
		err = record_format_disk(&r->disk[i], keys);
	for (unsigned int i = 0; i < r->nr_vifs && !err; i++)
		err = record_format_vif(&r->vif[i], keys);
	return err;
}
