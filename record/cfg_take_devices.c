/* SPDX-License-Identifier: MIT */
/* cfg_take_devices.c - see cfg_take.h: the lists of disks and cards, at each one's place. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "cfg_take.h"

/* A list; NULL after reporting, or when there is nothing in it. */
static const struct cfg_value *as_list(struct reading *r, const struct cfg_setting *s, size_t *nr,
				       const char *example)
{
	*nr = s->value.nr_items;
	if (s->value.type == CFG_LIST)
		return s->value.items;
	cfg_error_at(r->rep, &s->value.pos, "%s: must be a list: %s = [ '%s' ]", s->key, s->key,
		     example);
	*nr = 0;
	return NULL;
}

static int item_wrong(struct reading *r, const struct cfg_value *item, const char *what, size_t i,
		      const char *why)
{
	cfg_error_at(r->rep, &item->pos, "%s %zu: %s", what, i + 1, why);
	return -EINVAL;
}

/* 0 with the disk at the end of the record's; DISK_SPEC_NOTHING; -EINVAL after reporting. */
static int read_disk(struct reading *r, const struct cfg_value *item, size_t i)
{
	struct record *rec = r->rec;
	struct disk_spec *disk = &rec->disk[rec->nr_disks];
	char why[SPEC_ERROR_LEN];
	int ret;

	if (item->type != CFG_STRING)
		return item_wrong(r, item, "disk", i, "must be a string: 'file:/path,xvda,w'");
	if (rec->nr_disks == RECORD_DISKS_MAX)
		return item_wrong(r, item, "disk", i, "more than 32 disks");
	ret = disk_spec_parse(item->text, r->base, disk, why);
	if (ret < 0)
		return item_wrong(r, item, "disk", i, why);
	if (why[0])
		cfg_remark_at(r->rep, &item->pos, "disk %zu: %s", i + 1, why);
	for (unsigned int j = 0; !ret && j < rec->nr_disks; j++) {
		if (rec->disk[j].number != disk->number)
			continue;
		snprintf(why, sizeof(why), "'%s' is disk %u already", disk->vdev, j + 1);
		return item_wrong(r, item, "disk", i, why);
	}
	disk->item = rec->nr_disks;
	return ret;
}

int cfg_take_disk(struct reading *r, const struct cfg_setting *s)
{
	size_t nr;
	const struct cfg_value *items = as_list(r, s, &nr, "file:/path,xvda,w");
	int ret = items || s->value.type == CFG_LIST ? 0 : -EINVAL;

	for (size_t i = 0; i < nr; i++) {
		int one = read_disk(r, &items[i], i);

		if (!one)
			r->rec->nr_disks++;
		else if (one < 0)
			ret = one;
	}
	return ret;
}

static int read_vif(struct reading *r, const struct cfg_value *item, size_t i)
{
	struct record *rec = r->rec;
	struct vif_spec *vif = &rec->vif[rec->nr_vifs];
	char why[SPEC_ERROR_LEN];

	if (item->type != CFG_STRING)
		return item_wrong(r, item, "vif", i, "must be a string: 'bridge=xenbr0'");
	if (rec->nr_vifs == RECORD_VIFS_MAX)
		return item_wrong(r, item, "vif", i, "more than 16 network cards");
	if (vif_spec_parse(item->text, vif, why))
		return item_wrong(r, item, "vif", i, why);
	if (why[0])
		cfg_remark_at(r->rep, &item->pos, "vif %zu: %s", i + 1, why);
	for (unsigned int j = 0; vif->mac[0] && j < rec->nr_vifs; j++) {
		if (strcmp(rec->vif[j].mac, vif->mac) != 0)
			continue;
		snprintf(why, sizeof(why), "mac %s is vif %u's already", vif->mac, j + 1);
		return item_wrong(r, item, "vif", i, why);
	}
	vif->item = rec->nr_vifs;
	return 0;
}

int cfg_take_vif(struct reading *r, const struct cfg_setting *s)
{
	size_t nr;
	const struct cfg_value *items = as_list(r, s, &nr, "bridge=xenbr0");
	int ret = items || s->value.type == CFG_LIST ? 0 : -EINVAL;

	for (size_t i = 0; i < nr; i++) {
		if (read_vif(r, &items[i], i))
			ret = -EINVAL;
		else
			r->rec->nr_vifs++;
	}
	return ret;
}

/* A domain has one screen. */
int cfg_take_vfb(struct reading *r, const struct cfg_setting *s)
{
	size_t nr;
	const struct cfg_value *item = as_list(r, s, &nr, "vnc=1");
	char why[SPEC_ERROR_LEN];

	if (!item)
		return s->value.type == CFG_LIST ? 0 : -EINVAL;
	if (nr > 1)
		return item_wrong(r, &item[1], "vfb", 1, "a domain has one screen");
	if (item->type != CFG_STRING)
		return item_wrong(r, item, "vfb", 0, "must be a string: 'vnc=1'");
	if (screen_spec_parse(item->text, &r->rec->screen, why))
		return item_wrong(r, item, "vfb", 0, why);
	if (why[0])
		cfg_remark_at(r->rep, &item->pos, "vfb 1: %s", why);
	return 0;
}
