/* SPDX-License-Identifier: MIT */
/*
 * record.h - the bytes of everything the store keeps: keys and values of both environments.
 * Layouts: docs/store-format.md. Pure encoding; a decoder trusts nothing it reads.
 */
#ifndef XENSTORED_RECORD_H
#define XENSTORED_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "xs_path.h"

#define RECORD_KEY_MAX 16

enum record_kind {
	RECORD_META = 'M',	/* then: a letter of META_* */
	RECORD_NODE = 'N',	/* then: id */
	RECORD_DOMAIN = 'D',	/* then: domid */
	RECORD_WATCH = 'W',	/* then: domid, id */
	RECORD_TXN = 'T',	/* then: domid, id */
	RECORD_REPLY = 'R',	/* then: domid; journal only */
	RECORD_SESSION = 'S',	/* then: id */
};

#define META_QUOTAS	'Q'	/* struct quotas */
#define META_APPLIED	'A'	/* u64: number of the last frame applied */
#define META_FORMAT	'F'	/* u32: RECORD_FORMAT */
#define META_BOOT	'B'	/* text: boot id that the runtime environment belongs to */

#define RECORD_FORMAT	1u

/* Key of @kind with up to two numbers, big-endian so that LMDB keeps their order. */
size_t record_key(char *out, enum record_kind kind, uint64_t a, uint64_t b);
/* 0 or -EBADMSG. */
int record_key_parse(const void *key, size_t len, enum record_kind *kind, uint64_t *a,
		     uint64_t *b);

struct node_record {
	uint64_t parent;
	uint32_t name_len, value_len, nr_perms;
	const char *name, *value;
	const unsigned char *perms;	/* nr_perms times 3 bytes: domid, access */
};

struct node;
size_t record_node_len(size_t name_len, size_t value_len, unsigned int nr_perms);
void record_node_write(const struct node *n, void *out);
/* Fills @out with pointers into @data. 0 or -EBADMSG. */
int record_node_parse(const void *data, size_t len, struct node_record *out);
void record_node_perm(const struct node_record *r, unsigned int i, struct xs_perm *out);

/* Fixed-size values are plain structures: one machine reads what it wrote itself. */
struct domain_record {
	uint64_t identity;
	uint64_t gfn;
	uint32_t remote_port;
	uint32_t features;
	uint32_t target;
	uint32_t introduced;
	uint32_t shutdown;
	uint32_t quota_set;
	uint64_t quota[16];
};

struct watch_record {
	uint32_t depth;
	uint16_t strip;
	uint16_t path_len;
	uint32_t token_len;
	char bytes[];		/* path, token */
};

struct reply_record {
	uint64_t msg_seq;	/* which request of the ring this answers */
	uint32_t len;
	char bytes[];		/* the whole reply message */
};

#endif
