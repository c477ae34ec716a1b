/* SPDX-License-Identifier: MIT */
/* tree_priv.h - what tree.c and tree_mend.c share: the record of a node and its indexes. */
#ifndef XENSTORED_TREE_PRIV_H
#define XENSTORED_TREE_PRIV_H

#include <string.h>

#include "bytes.h"
#include "packed_perms.h"
#include "path_key.h"
#include "store.h"
#include "tree.h"
#include "xs_wire.h"

/* The record of a node, behind STORE_HEAD. */
#define AT_NR_CHILDREN	0
#define AT_ID		4
#define AT_PARENT	12
#define AT_GEN		20
#define AT_CHILDREN_GEN	28
#define AT_MARK		36
#define AT_FLAGS	37
#define AT_NR_PERMS	38
#define FIXED		40
#define FLAG_PATH	1u	/* length and path follow: the key is not the path itself */

#define NODE_RECORD_MAX (STORE_HEAD + FIXED + 2 + XS_PATH_BUF + XENSTORE_PAYLOAD_MAX * 4)

/* A key of STORE_NODE. */
struct node_key {
	size_t len;
	const void *data;
	unsigned char long_key[PATH_KEY_MAX];
};

static inline void key_of(const char *path, size_t len, struct node_key *k)
{
	k->data = path;
	k->len = len;
	if (len > PATH_KEY_MAX) {
		k->data = k->long_key;
		k->len = path_key(path, len, k->long_key);
	}
}

/* Where the permissions are in a record, and behind them the value. False: it makes no sense. */
static inline bool node_parts(const struct store_bytes *rec, size_t *perms_at, size_t *value_at)
{
	const unsigned char *p = rec->data;

	if (rec->len < FIXED)
		return false;
	*perms_at = FIXED;
	if (p[AT_FLAGS] & FLAG_PATH) {
		if (rec->len < FIXED + 2)
			return false;
		*perms_at += 2u + get_le16(p + FIXED);
	}
	*value_at = *perms_at + get_le16(p + AT_NR_PERMS) * PACKED_PERM;
	return *value_at <= rec->len && *value_at > *perms_at;
}

/* The path of the node with that key and record, which has its parts. */
static inline const char *node_path(const struct store_bytes *key, const struct store_bytes *rec,
				    size_t *len)
{
	const unsigned char *p = rec->data;

	*len = p[AT_FLAGS] & FLAG_PATH ? get_le16(p + FIXED) : key->len;
	return p[AT_FLAGS] & FLAG_PATH ? (const char *)p + FIXED + 2 : key->data;
}

/* A key of STORE_CHILD: parent's id, id. */
#define CHILD_KEY 16

static inline void child_key(unsigned char *key, uint64_t parent, uint64_t id)
{
	put_be64(key, parent);
	put_be64(key + 8, id);
}

/* What a record says; its pointers are into it. False: it makes no sense. */
bool node_read(const struct tree *t, const struct store_bytes *rec, struct node *out);

/* store_room() must have said that there is room for what these put. */
void node_write(struct tree *t, const struct node *n, const struct node_spec *s);
/* The node @path has @delta children more, as of the revision that has begun. */
void parent_changed(struct tree *t, const char *path, size_t len, int delta);
void child_put(struct tree *t, const struct node *n, const char *path, size_t len);
/* Counts the nodes and the permission sets that they have. 0 or -ENOMEM. */
int tree_count_perms(struct tree *t);

#endif
