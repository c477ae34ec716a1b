/* SPDX-License-Identifier: MIT */
/*
 * record_read.c - from keys to the structure, every value judged by the registry: record_parse().
 */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "record.h"
#include "record_fields.h"
#include "schema.h"
#include "vdev.h"

#define ITEM_DIGITS 3
#define KEY_LEN 256

struct parse {
	struct record *r;
	const struct record_keys *keys;
	record_wrong_fn wrong;
	void *data;
	int err;
};

static void __attribute__((format(printf, 3, 4)))
complain(struct parse *p, const char *key, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	p->err = -EINVAL;
	if (!p->wrong)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	p->wrong(p->data, key, text);
}

static const struct schema_row *row_of(const char *key)
{
	char path[KEY_LEN + sizeof(RECORD_ROOT)];

	snprintf(path, sizeof(path), RECORD_ROOT "/x/%s", key);
	return schema_find(path);
}

/*
 * The value of @key that counts: what stands there if it is possible, else after a complaint, as if
 * nothing did, the default. NULL: none. A key that must be there and is not is complained about.
 */
static const char *judged(struct parse *p, const char *key)
{
	const char *value = record_keys_get(p->keys, key), *absent;
	const struct schema_row *row = row_of(key);
	char why[SCHEMA_WHY_LEN];

	if (value && *value) {
		if (schema_check(row, value, strlen(value), why))
			return value;
		complain(p, key, "%s=%.64s is not possible: %s is wanted", key, value, why);
	}
	absent = record_default(p->keys, key);
	/* A default that is another key's value is judged there. */
	if (absent && !schema_check(row, absent, strlen(absent), why))
		return NULL;
	if (!absent && !(value && *value) && !strchr(row->tags, 'o'))
		complain(p, key, "%s is missing: %s", key, row->words);
	return absent;
}

/* 0 when there is none. */
static int word_index(const char *const *words, const char *value)
{
	int i = 0;

	while (value && words[i + 1] && strcmp(words[i], value))
		i++;
	return i;
}

static void take_target(struct disk_spec *disk, const char *value)
{
	disk->backend = VDEV_UNKNOWN;
	disk->path[0] = '\0';
	if (value)
		vdev_target(value, &disk->backend, disk->path);
}

static void take_mode(struct disk_spec *disk, const char *value)
{
	disk->writable = value && value[0] == 'w';
	disk->shared = value && !strcmp(value, "w!");
}

/* Text: the registry's limits and types keep it below the field's size. */
static void take_text(char *out, size_t size, const char *value)
{
	snprintf(out, size, "%s", value ? value : "");
}

static void take_field(struct parse *p, const struct field *f, void *base, const char *key)
{
	char *at = (char *)base + f->at;
	const char *value = judged(p, key);

	switch (f->kind) {
	case FIELD_U64:
		*(uint64_t *)(void *)at = value ? strtoull(value, NULL, 10) : 0;
		return;
	case FIELD_UINT:
		*(unsigned int *)(void *)at = value ? (unsigned int)strtoul(value, NULL, 10) : 0;
		return;
	case FIELD_BOOL:
		*(bool *)(void *)at = value && word_index(f->words, value) == 1;
		return;
	case FIELD_WORD:
		*(unsigned int *)(void *)at = (unsigned int)word_index(f->words, value);
		return;
	case FIELD_UUID:
		if (value && !vdev_uuid_parse(value, p->r->uuid))
			vdev_uuid_format(p->r->uuid, p->r->uuid_text);
		return;
	case FIELD_TARGET:
		take_target(base, value);
		return;
	case FIELD_MODE:
		take_mode(base, value);
		return;
	case FIELD_VDEV:
	case FIELD_TEXT:
		take_text(at, f->size, value);
		return;
	}
}

/* Items of a list are named by small numbers: a card's is its device's, too. */
static bool take_item(struct parse *p, const char *list, const char *item, unsigned int *number)
{
	size_t len = strspn(item, "0123456789");

	*number = (unsigned int)strtoul(item, NULL, 10);
	if (len && !item[len] && len <= ITEM_DIGITS && (item[0] != '0' || len == 1))
		return true;
	complain(p, list, "%s/%.31s is not possible: a number of at most %d digits is", list, item,
		 ITEM_DIGITS);
	return false;
}

static void take_fields(struct parse *p, const struct field *fields, void *base, const char *list,
			unsigned int item)
{
	char key[KEY_LEN];

	for (const struct field *f = fields; f->key; f++) {
		snprintf(key, sizeof(key), "%s/%u/%s", list, item, f->key);
		take_field(p, f, base, key);
	}
}

/* As files write it, too: /dev/xvda is xvda. */
static void shorten_vdev(struct disk_spec *disk)
{
	if (!strncmp(disk->vdev, "/dev/", 5))
		memmove(disk->vdev, disk->vdev + 5, strlen(disk->vdev + 5) + 1);
}

static void take_disk(struct parse *p, unsigned int item)
{
	struct record *r = p->r;
	struct disk_spec *disk = &r->disk[r->nr_disks];
	const char *clash, *fault;
	char key[KEY_LEN];

	if (r->nr_disks == RECORD_DISKS_MAX) {
		complain(p, "disk", "more than %d disks", RECORD_DISKS_MAX);
		return;
	}
	take_fields(p, disk_fields, disk, "disk", item);
	disk->item = item;
	clash = disk_spec_clash(disk, &fault);
	if (clash) {
		snprintf(key, sizeof(key), "disk/%u/%s", item, fault);
		complain(p, key, "disk/%u: %s", item, clash);
	}
	shorten_vdev(disk);
	if (!disk->path[0] || vdev_disk_number(disk->vdev, &disk->number))
		return;
	for (unsigned int i = 0; i < r->nr_disks; i++) {
		if (r->disk[i].number == disk->number) {
			snprintf(key, sizeof(key), "disk/%u/vdev", item);
			complain(p, key, "disk/%u: %s is disk/%u already", item, disk->vdev,
				 r->disk[i].item);
			return;
		}
	}
	r->nr_disks++;
}

static void take_vif(struct parse *p, unsigned int item)
{
	struct record *r = p->r;
	struct vif_spec *vif = &r->vif[r->nr_vifs];
	char key[KEY_LEN];

	if (r->nr_vifs == RECORD_VIFS_MAX) {
		complain(p, "vif", "more than %d network cards", RECORD_VIFS_MAX);
		return;
	}
	take_fields(p, vif_fields, vif, "vif", item);
	vif->item = item;
	for (char *c = vif->mac; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	for (unsigned int i = 0; vif->mac[0] && i < r->nr_vifs; i++) {
		if (!strcmp(r->vif[i].mac, vif->mac)) {
			snprintf(key, sizeof(key), "vif/%u/mac", item);
			complain(p, key, "vif/%u: mac %s is vif/%u's already", item, vif->mac,
				 r->vif[i].item);
			return;
		}
	}
	r->nr_vifs++;
}

static void take_list(struct parse *p, const char *list,
		      void (*take)(struct parse *p, unsigned int item))
{
	char item[32];
	size_t at = 0;

	while (record_keys_next_item(p->keys, list, &at, item)) {
		unsigned int number;

		if (take_item(p, list, item, &number))
			take(p, number);
	}
}

static bool speaks_of(const struct record_keys *keys, const char *list)
{
	size_t len = strlen(list);

	for (size_t i = 0; i < keys->nr; i++)
		if (!strncmp(keys->v[i].key, list, len) && keys->v[i].key[len] == '/')
			return true;
	return false;
}

static void check_whole(struct parse *p)
{
	struct record *r = p->r;
	char why[SPEC_ERROR_LEN], path[32];
	const char *key;

	r->screen.said = speaks_of(p->keys, "vfb");
	if (screen_spec_check(&r->screen, &key, why)) {
		snprintf(path, sizeof(path), "vfb/%s", key);
		complain(p, path, "vfb: %.400s", why);
		r->screen.vnc = false;
	}

	if (r->maxmem_mib && r->maxmem_mib < r->memory_mib)
		complain(p, "maxmem", "maxmem=%llu is less than memory=%llu",
			 (unsigned long long)r->maxmem_mib, (unsigned long long)r->memory_mib);
	if (r->maxvcpus && r->maxvcpus < r->vcpus)
		complain(p, "maxvcpus", "maxvcpus=%u is less than vcpus=%u", r->maxvcpus, r->vcpus);
}

int record_parse(struct record *r, const char *name, const struct record_keys *keys,
		 record_wrong_fn wrong, void *data)
{
	struct parse p = { .r = r, .keys = keys, .wrong = wrong, .data = data };
	const char *problem = domain_name_problem(name);

	memset(r, 0, sizeof(*r));
	snprintf(r->name, sizeof(r->name), "%s", name);
	if (problem)
		complain(&p, "", "the name '%.80s' %s", name, problem);
	for (const struct field *f = record_fields; f->key; f++)
		take_field(&p, f, r, f->key);
	judged(&p, "type");
	check_whole(&p);
	take_list(&p, "disk", take_disk);
	take_list(&p, "vif", take_vif);
	return p.err;
}
