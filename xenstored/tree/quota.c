/* SPDX-License-Identifier: MIT */
/* quota.c - the table of limits. Source of the numbers: C xenstored of Xen 4.17 and later. */
#include "quota.h"

#include <errno.h>
#include <string.h>

#include <xen/io/xs_wire.h>

const struct quota_info quota_table[QUOTA_NR] = {
	[QUOTA_NODES] = { "nodes", "nodes owned by a domain", 1000, 0, true },
	[QUOTA_WATCHES] = { "watches", "watches of a domain", 128, 0, true },
	[QUOTA_TRANSACTIONS] = { "transactions", "open transactions", 10, 0, true },
	[QUOTA_OUTSTANDING] = { "outstanding", "replies not yet read", 20, 0, true },
	[QUOTA_TRANS_NODES] = { "transaction-nodes", "nodes touched by a transaction", 1024, 0,
				false },
	[QUOTA_MEMORY] = { "memory", "bytes held for a domain", 2560 * 1024, 2048 * 1024, true },
	[QUOTA_NODE_PERMS] = { "node-permissions", "permission entries of a node", 5, 0, false },
	[QUOTA_PATH_MAX] = { "path-max", "bytes of a path below /local/domain/N",
			     XENSTORE_REL_PATH_MAX, 0, false },
	[QUOTA_NODE_SIZE] = { "node-size", "bytes of a node", 2048, 0, false },
};

void quotas_init(struct quotas *q)
{
	memset(q, 0, sizeof(*q));
	for (int i = 0; i < QUOTA_NR; i++) {
		q->limit[i] = quota_table[i].start;
		q->soft[i] = quota_table[i].soft;
	}
}

enum quota_kind quota_by_name(const char *name)
{
	int i;

	for (i = 0; i < QUOTA_NR; i++) {
		if (strcmp(name, quota_table[i].name) == 0)
			break;
	}
	return (enum quota_kind)i;
}

int quota_errno(enum quota_kind kind)
{
	if (kind == QUOTA_MEMORY)
		return -ENOMEM;
	return kind == QUOTA_WATCHES ? -E2BIG : -ENOSPC;
}

uint64_t quota_limit(const struct quotas *q, const struct quota_overrides *own,
		     enum quota_kind kind)
{
	if (own && own->set & 1u << kind)
		return own->limit[kind];
	return q->limit[kind];
}
