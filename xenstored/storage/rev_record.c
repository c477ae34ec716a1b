/* SPDX-License-Identifier: MIT */
/* rev_record.c - see rev_record.h. Numbers are little-endian, in the key big-endian. */
#include "rev_record.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "checked.h"
#include "xs_path.h"

/* Offsets in the record; then the program's name and the path. */
enum {
	AT_OP = 0,
	AT_BELOW = 1,
	AT_TIME = 2,
	AT_PREV = 10,
	AT_DOMID = 18,
	AT_UID = 20,
	AT_PID = 24,
	AT_PATH_LEN = 28,
	AT_PROGRAM_LEN = 30,
	HEAD = 31,
};

#define DB 'r'

_Static_assert(CHECKED_HEAD + HEAD + CHANGE_PROGRAM_MAX + XENSTORE_ABS_PATH_MAX <= REV_RECORD_MAX,
	       "room for the longest");

size_t rev_record_write(const struct rev_record *r, const unsigned char key[REV_KEY], void *out)
{
	unsigned char *p = (unsigned char *)out + CHECKED_HEAD;
	size_t name = strnlen(r->who.program, CHANGE_PROGRAM_MAX);
	size_t len = CHECKED_HEAD + HEAD + name + r->path_len;

	p[AT_OP] = r->op;
	p[AT_BELOW] = r->below;
	put_le64(p + AT_TIME, r->time_ns);
	put_le64(p + AT_PREV, r->prev);
	put_le16(p + AT_DOMID, r->who.domid);
	put_le32(p + AT_UID, r->who.uid);
	put_le32(p + AT_PID, r->who.pid);
	put_le16(p + AT_PATH_LEN, r->path_len);
	p[AT_PROGRAM_LEN] = (unsigned char)name;
	memcpy(p + HEAD, r->who.program, name);
	memcpy(p + HEAD + name, r->path, r->path_len);
	checked_seal(DB, key, REV_KEY, out, len);
	return len;
}

int rev_record_read(const unsigned char key[REV_KEY], const void *value, size_t len,
		    struct rev_record *out)
{
	const unsigned char *p;
	size_t name, path;

	if (checked_open(DB, key, REV_KEY, value, len, &p, &len) < 0 || len < HEAD)
		return -EBADMSG;
	name = p[AT_PROGRAM_LEN];
	path = get_le16(p + AT_PATH_LEN);
	if (name > CHANGE_PROGRAM_MAX || len != HEAD + name + path || p[AT_OP] < CHANGE_PUT ||
	    p[AT_OP] > CHANGE_RESET ||
	    !xs_path_is_absolute((const char *)p + HEAD + name, path))
		return -EBADMSG;
	*out = (struct rev_record){
		.op = p[AT_OP],
		.below = p[AT_BELOW],
		.time_ns = get_le64(p + AT_TIME),
		.prev = get_le64(p + AT_PREV),
		.who = {
			.domid = get_le16(p + AT_DOMID),
			.uid = get_le32(p + AT_UID),
			.pid = get_le32(p + AT_PID),
		},
		.path = (const char *)p + HEAD + name,
		.path_len = (uint16_t)path,
	};
	memcpy(out->who.program, p + HEAD, name);
	return 0;
}
