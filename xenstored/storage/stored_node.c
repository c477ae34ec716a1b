/* SPDX-License-Identifier: MIT */
/* stored_node.c - see stored_node.h. Numbers are little-endian. */
#include "stored_node.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "bytes.h"
#include "checked.h"
#include "packed_perms.h"
#include "path_key.h"

/* Offsets in the record; then the permissions, the path (of a long one only), the value. */
enum {
	AT_REV = 0,
	AT_MADE_REV = 8,
	AT_MADE_INDEX = 16,
	AT_MARK = 20,
	AT_ZERO = 21,
	AT_FLAGS = 22,
	AT_NR_PERMS = 24,
	AT_PATH_LEN = 26,	/* 0: the key is the path */
	AT_VALUE_LEN = 28,
	HEAD = 32,
};

static size_t kept_path_len(const struct stored_node *n)
{
	return n->path_len > PATH_KEY_MAX ? n->path_len : 0;
}

size_t stored_node_len(const struct stored_node *n)
{
	return CHECKED_HEAD + HEAD + (size_t)n->nr_perms * PACKED_PERM + kept_path_len(n) +
	       n->value_len;
}

static unsigned char *put_bytes(unsigned char *p, const void *data, size_t len)
{
	if (len)
		memcpy(p, data, len);
	return p + len;
}

void stored_node_write(const struct stored_node *n, char db, const void *key, size_t key_len,
		       void *out)
{
	unsigned char *p = (unsigned char *)out + CHECKED_HEAD;

	put_le64(p + AT_REV, n->rev);
	put_le64(p + AT_MADE_REV, n->made_rev);
	put_le32(p + AT_MADE_INDEX, n->made_index);
	p[AT_MARK] = n->mark;
	p[AT_ZERO] = 0;
	put_le16(p + AT_FLAGS, n->flags);
	put_le16(p + AT_NR_PERMS, n->nr_perms);
	put_le16(p + AT_PATH_LEN, (uint16_t)kept_path_len(n));
	put_le32(p + AT_VALUE_LEN, n->value_len);
	p = put_bytes(p + HEAD, n->perms, (size_t)n->nr_perms * PACKED_PERM);
	p = put_bytes(p, n->path, kept_path_len(n));
	put_bytes(p, n->value, n->value_len);
	checked_seal(db, key, key_len, out, stored_node_len(n));
}

static int read_record(const unsigned char *p, size_t len, struct stored_node *out)
{
	if (len < HEAD)
		return -EBADMSG;
	*out = (struct stored_node){
		.rev = get_le64(p + AT_REV),
		.made_rev = get_le64(p + AT_MADE_REV),
		.made_index = get_le32(p + AT_MADE_INDEX),
		.mark = p[AT_MARK],
		.flags = get_le16(p + AT_FLAGS),
		.nr_perms = get_le16(p + AT_NR_PERMS),
		.path_len = get_le16(p + AT_PATH_LEN),
		.value_len = get_le32(p + AT_VALUE_LEN),
	};
	if (out->nr_perms == 0 || !packed_fits(out->nr_perms, out->value_len) ||
	    len != HEAD + (size_t)out->nr_perms * PACKED_PERM +
			    out->path_len + (size_t)out->value_len)
		return -EBADMSG;
	out->perms = p + HEAD;
	out->path = (const char *)out->perms + (size_t)out->nr_perms * PACKED_PERM;
	out->value = out->path + out->path_len;
	return 0;
}

/* A long path is in the record, and the key is made of it. */
static int find_path(const unsigned char *key, size_t path_len, struct stored_node *n)
{
	unsigned char want[PATH_KEY_MAX];

	if (path_key_is_path(key, path_len)) {
		if (n->path_len != 0)
			return -EBADMSG;
		n->path = (const char *)key;
		n->path_len = (uint16_t)path_len;
		return xs_path_is_absolute(n->path, n->path_len) ? 0 : -EBADMSG;
	}
	if (n->path_len <= PATH_KEY_MAX || n->path_len > XENSTORE_ABS_PATH_MAX ||
	    !xs_path_is_absolute(n->path, n->path_len))
		return -EBADMSG;
	return path_key(n->path, n->path_len, want) == path_len &&
	       memcmp(want, key, path_len) == 0 ? 0 : -EBADMSG;
}

int stored_node_read(char db, const void *key, size_t key_len, size_t path_len, const void *value,
		     size_t len, struct stored_node *out)
{
	const unsigned char *record;
	struct stored_node n;
	size_t record_len;
	int ret = checked_open(db, key, key_len, value, len, &record, &record_len);

	if (ret == 0 && path_len > key_len)
		ret = -EBADMSG;
	if (ret == 0)
		ret = read_record(record, record_len, &n);
	if (ret == 0)
		ret = find_path(key, path_len, &n);
	if (ret == 0)
		*out = n;
	return ret;
}
