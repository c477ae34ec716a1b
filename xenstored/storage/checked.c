/* SPDX-License-Identifier: MIT */
/* checked.c - see checked.h. Pure. */
#include "checked.h"

#include <errno.h>

#include "bytes.h"
#include "crc32c.h"

static uint32_t sum(char db, const void *key, size_t key_len, const void *record, size_t len)
{
	return crc32c(crc32c(crc32c(0, &db, 1), key, key_len), record, len);
}

void checked_seal(char db, const void *key, size_t key_len, void *value, size_t len)
{
	unsigned char *p = value;

	put_le32(p, sum(db, key, key_len, p + CHECKED_HEAD, len - CHECKED_HEAD));
}

int checked_open(char db, const void *key, size_t key_len, const void *value, size_t len,
		 const unsigned char **record, size_t *record_len)
{
	const unsigned char *p = value;

	if (len < CHECKED_HEAD)
		return -EBADMSG;
	*record = p + CHECKED_HEAD;
	*record_len = len - CHECKED_HEAD;
	return get_le32(p) == sum(db, key, key_len, *record, *record_len) ? 0 : -EBADMSG;
}

/* Sums of linear checksums would hide pairs of errors: the bits are mixed first. */
uint64_t checked_digest(const void *value, size_t len)
{
	uint64_t x = (uint64_t)len << 32 | get_le32(value);

	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ x >> 27) * 0x94d049bb133111ebull;
	return x ^ x >> 31;
}
