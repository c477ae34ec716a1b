/* SPDX-License-Identifier: MIT */
/*
 * record.c - what concerns a record as a whole: defaults, words, identities, its digest. See
 * record.h.
 */
#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "schema.h"
#include "vdev.h"

const char *record_action_word(enum record_action action)
{
	static const char *const words[] = { "destroy", "restart", "preserve" };

	return words[action];
}

const char *record_autostart_word(enum record_autostart autostart)
{
	static const char *const words[] = { "0", "1", "last" };

	return words[autostart];
}

const char *record_default(const struct record_keys *keys, const char *key)
{
	char path[256], beside[256];
	const struct schema_row *row;
	const char *leaf = strrchr(key, '/');

	snprintf(path, sizeof(path), RECORD_ROOT "/x/%s", key);
	row = schema_find(path);
	if (!row || !row->absent || row->absent[0] != '$')
		return row ? row->absent : NULL;
	snprintf(beside, sizeof(beside), "%.*s%s", leaf ? (int)(leaf + 1 - key) : 0, key,
		 row->absent + 1);
	return record_value(keys, beside);
}

const char *record_value(const struct record_keys *keys, const char *key)
{
	const char *value = record_keys_get(keys, key);

	return value && *value ? value : record_default(keys, key);
}

void record_init(struct record *r)
{
	struct record_keys none = { 0 };

	record_parse(r, "", &none, NULL, NULL);
}

int record_uuid_make(uint8_t uuid[16])
{
	if (getrandom(uuid, 16, 0) != 16)
		return -EIO;
	uuid[6] = (uuid[6] & 0x0f) | 0x40; /* RFC 4122: version 4, random */
	uuid[8] = (uuid[8] & 0x3f) | 0x80;
	return 0;
}

/* Xen's own prefix; the upper half of the range is kept free, as Xen's tools always did. */
static int mac_make(struct vif_spec *vif)
{
	unsigned char b[3];

	if (getrandom(b, sizeof(b), 0) != sizeof(b))
		return -EIO;
	snprintf(vif->mac, sizeof(vif->mac), "00:16:3e:%02x:%02x:%02x", b[0] & 0x7f, b[1], b[2]);
	vif->mac_is_new = true;
	return 0;
}

int record_complete(struct record *r)
{
	if (!r->uuid_text[0]) {
		if (record_uuid_make(r->uuid))
			return -EIO;
		vdev_uuid_format(r->uuid, r->uuid_text);
		r->uuid_is_new = true;
	}
	for (unsigned int i = 0; i < r->nr_vifs; i++)
		if (!r->vif[i].mac[0] && mac_make(&r->vif[i]))
			return -EIO;
	if (!r->maxmem_mib)
		r->maxmem_mib = r->memory_mib;
	if (!r->maxvcpus)
		r->maxvcpus = r->vcpus;
	return 0;
}

void record_vif_mac(const struct record *r, const struct vif_spec *vif, char mac[VIF_MAC_LEN + 1])
{
	strcpy(mac, vif->mac);
	if (!mac[0] && r->uuid_text[0])
		vdev_mac_default(r->uuid, vif->item, mac);
}

static void hash_bytes(uint64_t *h, const void *data, size_t len)
{
	const uint8_t *p = data;

	for (size_t i = 0; i < len; i++)
		*h = (*h ^ p[i]) * 1099511628211ull;
}

uint64_t record_hash(const struct record *r)
{
	uint64_t h = 14695981039346656037ull;

	hash_bytes(&h, &r->memory_mib, sizeof(r->memory_mib));
	hash_bytes(&h, &r->maxmem_mib, sizeof(r->maxmem_mib));
	hash_bytes(&h, &r->vcpus, sizeof(r->vcpus));
	hash_bytes(&h, &r->maxvcpus, sizeof(r->maxvcpus));
	hash_bytes(&h, r->kernel, strlen(r->kernel) + 1);
	hash_bytes(&h, r->ramdisk, strlen(r->ramdisk) + 1);
	hash_bytes(&h, r->cmdline, strlen(r->cmdline) + 1);
	/* A record without one counts as it did before there were screens. */
	if (r->screen.vnc) {
		hash_bytes(&h, r->screen.listen, strlen(r->screen.listen) + 1);
		hash_bytes(&h, r->screen.display, strlen(r->screen.display) + 1);
		hash_bytes(&h, r->screen.password, strlen(r->screen.password) + 1);
	}
	return h;
}
