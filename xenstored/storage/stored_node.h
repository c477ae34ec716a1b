/* SPDX-License-Identifier: MIT */
/*
 * stored_node.h - a node as a record: what a database keeps at a path's key (path_key.h).
 *
 * The disk half keeps persistent nodes so; the live half may keep all of them so. Pure; a reader
 * trusts nothing. Layout: docs/store-format.md.
 */
#ifndef XENSTORED_STORED_NODE_H
#define XENSTORED_STORED_NODE_H

#include <stddef.h>
#include <stdint.h>

/* Pointers are the caller's, or into the record (or key) that was read. */
struct stored_node {
	uint64_t rev;		/* of the last change of value, permissions or type */
	uint64_t made_rev;	/* of the change that made it, and */
	uint32_t made_index;	/*   which of that revision: children are in this order */
	uint8_t mark;		/* enum xs_kind */
	uint16_t flags;		/* the owner's of the database; kept, not looked at */
	uint16_t path_len, nr_perms;
	uint32_t value_len;
	const char *path;
	const char *value;
	const unsigned char *perms;	/* packed_perms.h */
};

/* Bytes of the whole value of @n, checksum included. */
size_t stored_node_len(const struct stored_node *n);

/* Writes the value of stored_node_len() bytes for @key of database @db (checked.h). */
void stored_node_write(const struct stored_node *n, char db, const void *key, size_t key_len,
		       void *out);

/*
 * Reads it. The path is that in the record, where there is one, else the first @path_len bytes of
 * the key. 0, or -EBADMSG: checksum, lengths, permissions (none, or more than a node can have), a
 * path that is not canonical or not the key's.
 */
int stored_node_read(char db, const void *key, size_t key_len, size_t path_len, const void *value,
		     size_t len, struct stored_node *out);

#endif
