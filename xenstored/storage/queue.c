/* SPDX-License-Identifier: MIT */
/* queue.c - see queue.h. */
#include "queue.h"

#include <stdlib.h>
#include <string.h>

#include "store.h"
#include "xs_path.h"
#include "xs_wire.h"

/* Fixed part, path, value and 1,365 permissions. */
#define CHANGE_MAX (256 + XS_PATH_BUF + 2 * XENSTORE_PAYLOAD_MAX)

size_t queue_add(struct store *l, uint64_t rev, uint32_t index, const struct change *c)
{
	unsigned char key[CHANGE_KEY], rec[CHANGE_MAX] XS_NOT_CLEARED;
	size_t len = change_len(c);

	/* The protocol's limits are below that. */
	if (len > sizeof(rec))
		abort();
	change_key(key, rev, index);
	change_write(c, key, rec);
	store_put(l, STORE_QUEUE, key, sizeof(key), rec, len);
	return len;
}

void queue_take(struct store *l, uint64_t rev, unsigned int max, struct queue_taken *out)
{
	struct store_bytes found, rec;
	unsigned char key[CHANGE_KEY];
	uint64_t at;
	uint32_t index;

	*out = (struct queue_taken){ 0 };
	while (store_seek(l, STORE_QUEUE, "", 1, &found, &rec)) {
		if (change_key_read(found.data, found.len, &at, &index) < 0 || at > rev)
			return;
		out->left = out->nr == max;
		if (out->left)
			return;
		out->nr++;
		out->bytes += STORE_HEAD + rec.len;
		memcpy(key, found.data, sizeof(key));
		store_del(l, STORE_QUEUE, key, sizeof(key));
	}
}

void queue_each(struct store *l, uint64_t rev, void (*each)(void *arg, const struct change *c),
		void *arg)
{
	struct store_bytes found, rec;
	bool more = store_seek(l, STORE_QUEUE, "", 1, &found, &rec);

	for (; more; more = store_next(l, STORE_QUEUE, &found, &rec)) {
		struct change c;
		uint32_t index;
		uint64_t at;

		if (change_key_read(found.data, found.len, &at, &index) == 0 && at > rev &&
		    change_read(found.data, (const char *)rec.data - STORE_HEAD,
				rec.len + STORE_HEAD, &c) == 0)
			each(arg, &c);
	}
}

bool queue_before(struct store *l, uint64_t rev, uint64_t *before)
{
	unsigned char key[CHANGE_KEY];
	struct store_bytes found, rec;
	struct change c;

	change_key(key, rev + 1, 0);
	if (!store_seek(l, STORE_QUEUE, key, sizeof(key), &found, &rec) ||
	    found.len != CHANGE_KEY ||
	    change_read(found.data, (const char *)rec.data - STORE_HEAD, rec.len + STORE_HEAD,
			&c) < 0)
		return false;
	*before = c.prev;
	return true;
}

bool queue_extent(struct store *l, struct queue_extent *out)
{
	struct store_bytes found, rec;
	struct change c;
	uint32_t index;
	bool more = store_seek(l, STORE_QUEUE, "", 1, &found, &rec), any = more;

	*out = (struct queue_extent){ 0 };
	if (more && found.len == CHANGE_KEY &&
	    change_read(found.data, (const char *)rec.data - STORE_HEAD, rec.len + STORE_HEAD,
			&c) == 0)
		out->before = c.prev;
	for (; more; more = store_next(l, STORE_QUEUE, &found, &rec)) {
		change_key_read(found.data, found.len, &out->last, &index);
		out->bytes += STORE_HEAD + rec.len;
	}
	return any;
}
