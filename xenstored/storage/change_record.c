/* SPDX-License-Identifier: MIT */
/* change_record.c - see change_record.h. Numbers are little-endian, in the key big-endian. */
#include "change_record.h"

#include <errno.h>
#include <string.h>

#include "bytes.h"
#include "checked.h"
#include "packed_perms.h"

/* Offsets in the record; then the program's name, the permissions, the path, the value. */
enum {
	AT_OP = 0,
	AT_MARK = 1,
	AT_FLAGS = 2,
	AT_TIME = 4,
	AT_PREV = 12,
	AT_DOMID = 20,
	AT_UID = 22,
	AT_PID = 26,
	AT_NR_PERMS = 30,
	AT_PATH_LEN = 32,
	AT_VALUE_LEN = 34,
	AT_PROGRAM_LEN = 38,
	HEAD = 39,
};

void change_key(unsigned char out[CHANGE_KEY], uint64_t rev, uint32_t index)
{
	put_be64(out, rev);
	put_be32(out + 8, index);
}

int change_key_read(const void *key, size_t len, uint64_t *rev, uint32_t *index)
{
	if (len != CHANGE_KEY)
		return -EBADMSG;
	*rev = get_be64(key);
	*index = get_be32((const unsigned char *)key + 8);
	return 0;
}

static size_t program_len(const struct change *c)
{
	return strnlen(c->who.program, CHANGE_PROGRAM_MAX);
}

size_t change_len(const struct change *c)
{
	return CHECKED_HEAD + HEAD + program_len(c) + (size_t)c->nr_perms * PACKED_PERM +
	       c->path_len + c->value_len;
}

static unsigned char *put_bytes(unsigned char *p, const void *data, size_t len)
{
	if (len)
		memcpy(p, data, len);
	return p + len;
}

void change_write(const struct change *c, const unsigned char key[CHANGE_KEY], void *out)
{
	unsigned char *p = (unsigned char *)out + CHECKED_HEAD;

	p[AT_OP] = c->op;
	p[AT_MARK] = c->mark;
	put_le16(p + AT_FLAGS, c->flags);
	put_le64(p + AT_TIME, c->time_ns);
	put_le64(p + AT_PREV, c->prev);
	put_le16(p + AT_DOMID, c->who.domid);
	put_le32(p + AT_UID, c->who.uid);
	put_le32(p + AT_PID, c->who.pid);
	put_le16(p + AT_NR_PERMS, c->nr_perms);
	put_le16(p + AT_PATH_LEN, c->path_len);
	put_le32(p + AT_VALUE_LEN, c->value_len);
	p[AT_PROGRAM_LEN] = (unsigned char)program_len(c);
	p = put_bytes(p + HEAD, c->who.program, program_len(c));
	p = put_bytes(p, c->perms, (size_t)c->nr_perms * PACKED_PERM);
	p = put_bytes(p, c->path, c->path_len);
	put_bytes(p, c->value, c->value_len);
	checked_seal(CHANGE_DB, key, CHANGE_KEY, out, change_len(c));
}

static int read_head(const unsigned char *p, size_t len, struct change *out)
{
	size_t name;

	if (len < HEAD || p[AT_PROGRAM_LEN] > CHANGE_PROGRAM_MAX)
		return -EBADMSG;
	name = p[AT_PROGRAM_LEN];
	*out = (struct change){
		.op = p[AT_OP],
		.mark = p[AT_MARK],
		.flags = get_le16(p + AT_FLAGS),
		.time_ns = get_le64(p + AT_TIME),
		.prev = get_le64(p + AT_PREV),
		.who = {
			.domid = get_le16(p + AT_DOMID),
			.uid = get_le32(p + AT_UID),
			.pid = get_le32(p + AT_PID),
		},
		.nr_perms = get_le16(p + AT_NR_PERMS),
		.path_len = get_le16(p + AT_PATH_LEN),
		.value_len = get_le32(p + AT_VALUE_LEN),
	};
	if (len != HEAD + name + (size_t)out->nr_perms * PACKED_PERM + out->path_len +
			   (size_t)out->value_len)
		return -EBADMSG;
	memcpy(out->who.program, p + HEAD, name);
	out->perms = p + HEAD + name;
	out->path = (const char *)out->perms + (size_t)out->nr_perms * PACKED_PERM;
	out->value = out->path + out->path_len;
	return 0;
}

static int is_sensible(const struct change *c)
{
	if (c->op < CHANGE_PUT || c->op > CHANGE_RESET)
		return 0;
	if ((c->op == CHANGE_PUT) != (c->nr_perms > 0))
		return 0;
	if (c->op == CHANGE_PUT && !packed_fits(c->nr_perms, c->value_len))
		return 0;
	return c->path_len <= XENSTORE_ABS_PATH_MAX && xs_path_is_absolute(c->path, c->path_len);
}

int change_read(const unsigned char key[CHANGE_KEY], const void *value, size_t len,
		struct change *out)
{
	const unsigned char *record;
	struct change c = { 0 };
	size_t record_len;
	int ret = checked_open(CHANGE_DB, key, CHANGE_KEY, value, len, &record, &record_len);

	if (ret == 0)
		ret = read_head(record, record_len, &c);
	if (ret < 0 || !is_sensible(&c))
		return -EBADMSG;
	*out = c;
	return 0;
}
