/* SPDX-License-Identifier: MIT */
/* loss_record.c - see loss_record.h. Numbers are little-endian. */
#include "loss_record.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "checked.h"
#include "xs_path.h"

/* Offsets in the record; then the path. */
enum {
	AT_LOSS = 0,
	AT_ZERO = 1,
	AT_PATH_LEN = 2,
	AT_REV = 4,
	AT_TIME = 12,
	HEAD = 20,
};

#define DB 'l'

size_t loss_record_write(const struct disk_lost *l, const void *key, size_t key_len, void *out)
{
	unsigned char *p = (unsigned char *)out + CHECKED_HEAD;

	p[AT_LOSS] = l->loss;
	p[AT_ZERO] = 0;
	put_le16(p + AT_PATH_LEN, l->path_len);
	put_le64(p + AT_REV, l->rev);
	put_le64(p + AT_TIME, l->time_ns);
	memcpy(p + HEAD, l->path, l->path_len);
	checked_seal(DB, key, key_len, out, CHECKED_HEAD + HEAD + l->path_len);
	return CHECKED_HEAD + HEAD + l->path_len;
}

int loss_record_read(const void *key, size_t key_len, const void *value, size_t len,
		     struct disk_lost *out)
{
	const unsigned char *p;

	if (checked_open(DB, key, key_len, value, len, &p, &len) < 0 || len < HEAD)
		return -EBADMSG;
	if (len != HEAD + (size_t)get_le16(p + AT_PATH_LEN) || p[AT_LOSS] < DISK_LOST ||
	    p[AT_LOSS] > DISK_STALE || !xs_path_is_absolute((const char *)p + HEAD, len - HEAD))
		return -EBADMSG;
	*out = (struct disk_lost){
		.rev = get_le64(p + AT_REV),
		.time_ns = get_le64(p + AT_TIME),
		.path = (const char *)p + HEAD,
		.path_len = get_le16(p + AT_PATH_LEN),
		.loss = p[AT_LOSS],
	};
	return 0;
}
