/* SPDX-License-Identifier: MIT */
/*
 * xs_bulk.h - the records of CONTROL dump and CONTROL feed, which our daemon answers with a stream
 * of replies to one request. Shared by the daemon and the client library; no code. Not on rings:
 * a guest's kernel takes one reply a request.
 *
 * The payloads of all replies form one byte stream of records; an empty reply ends it. Each record
 * is the header, then name, value, previous value and permissions ("n0 NUL r5 NUL"), no padding.
 * Byte order and widths are the machine's: both ends run on it.
 */
#ifndef STOREVISOR_XS_BULK_H
#define STOREVISOR_XS_BULK_H

#include <stdint.h>

enum xs_bulk_kind {
	XS_BULK_NODE,  /* dump: a node, parents first; name is its own, of the first the path */
	XS_BULK_BEGIN, /* dump, feed: comes first; a dump has all changes up to seq */
	XS_BULK_PUT,   /* feed: created, or its value set; name is the path */
	XS_BULK_DEL,   /* feed: removed; one record for each node of the subtree, parents first */
	XS_BULK_PERMS, /* feed: permissions set */
};

#define XS_BULK_CREATED 1u    /* PUT: the node is new, there is no previous value */
#define XS_BULK_SAME_PERMS 2u /* NODE: permissions as those of the record before; none here */

#define XS_BULK_NOBODY 0xffffu /* author: the daemon itself */

/* More nodes than this are not dumped (E2BIG), so that nobody waits long for the daemon. */
#define XS_BULK_NODES_MAX 65536u

struct xs_bulk {
	uint32_t len; /* of the whole record */
	uint8_t kind, flags;
	uint16_t domid; /* feed: who did it; NODE: enum xs_kind of the value */
	uint64_t gen;	/* when the value last became different; DEL: when it went; of a dump's BEGIN:
			 * the store's revision */
	uint64_t seq;	/* of a change, rising; BEGIN: of the last one before */
	uint32_t tx;	/* feed: the transaction's id, 0: none; NODE: how many children it has */
	uint32_t perms_len;
	uint16_t depth; /* NODE: levels below the first */
	uint16_t name_len, value_len, prev_len;
};

_Static_assert(sizeof(struct xs_bulk) == 40, "no holes: the bytes go over a socket");

#endif
