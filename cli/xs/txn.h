/* SPDX-License-Identifier: MIT */
/*
 * txn.h - "if the store is as one document says, make it as another says, else as a third": one
 * transaction.
 */
#ifndef STOREVISOR_XS_TXN_DOC_H
#define STOREVISOR_XS_TXN_DOC_H

#include <stdbool.h>

#include "doc.h"
#include "plan.h"

#define TXN_NR_PARTS 4

struct txn {
	struct doc when, then, otherwise;
	struct plan plan; /* what was changed */
	bool held;	  /* the condition */
	unsigned int attempts;
	unsigned int nr_refused; /* nodes that schemas of one's own do not allow: told */
	char *failed;	  /* path the store refused, or NULL */
};

/* Begins; @parts, with a NULL at their end, are for doc_load_parts() or doc_read_parts(). */
void txn_init(struct txn *t, struct doc_part parts[TXN_NR_PARTS]);
/* Does it, again on a conflict. 0 or -errno, which is -EINVAL when something was refused. */
int txn_run(struct txn *t);
/* {"condition", "attempts", "changes"}. The caller owns it. */
json_t *txn_json(const struct txn *t);
void txn_fini(struct txn *t);

#endif
