/* SPDX-License-Identifier: MIT */
/*
 * quota.h - the limits of unprivileged domains: one table of kinds, global values, overrides.
 *
 * Domain 0 is exempt. A limit of 0 means none. Numbers are C xenstored's defaults. Counting is
 * done where the counted thing is made (change.c, watch.c, txn.c); only limits live here.
 */
#ifndef XENSTORED_QUOTA_H
#define XENSTORED_QUOTA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum quota_kind {
	QUOTA_NODES,
	QUOTA_WATCHES,
	QUOTA_TRANSACTIONS,
	QUOTA_OUTSTANDING,
	QUOTA_TRANS_NODES,
	QUOTA_MEMORY,
	QUOTA_NODE_PERMS,
	QUOTA_PATH_MAX,
	QUOTA_NODE_SIZE,
	QUOTA_NR,
};

struct quota_info {
	const char *name;	/* as CONTROL quota and GET_QUOTA spell it */
	const char *help;
	uint64_t start;		/* the default */
	uint64_t soft;		/* 0: has no soft limit */
	bool counted;		/* usage is a per-domain count (the rest are sizes) */
};

extern const struct quota_info quota_table[QUOTA_NR];

struct quotas {
	uint64_t limit[QUOTA_NR];
	uint64_t soft[QUOTA_NR];
	uint64_t peak[QUOTA_NR];	/* highest use by an unprivileged domain */
};

/* One domain's own values: where @set has the kind's bit, @limit counts instead of the global. */
struct quota_overrides {
	uint32_t set;
	uint64_t limit[QUOTA_NR];
};

void quotas_init(struct quotas *q);

/* The kind called @name, or QUOTA_NR. */
enum quota_kind quota_by_name(const char *name);

/* What a request is answered that would go beyond the limit of @kind: -Exxx. */
int quota_errno(enum quota_kind kind);

/* The limit that counts for a domain with overrides @own (may be NULL). 0: none. */
uint64_t quota_limit(const struct quotas *q, const struct quota_overrides *own,
		     enum quota_kind kind);

/* Whether @used is within the limit. */
static inline bool quota_allows(const struct quotas *q, const struct quota_overrides *own,
				enum quota_kind kind, uint64_t used)
{
	uint64_t limit = quota_limit(q, own, kind);

	return limit == 0 || used <= limit;
}

#endif
