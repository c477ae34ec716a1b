/* SPDX-License-Identifier: MIT */
/*
 * rollback.h - making what is below a path what it was at a revision, in one transaction.
 */
#ifndef STOREVISOR_XS_ROLLBACK_H
#define STOREVISOR_XS_ROLLBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "rules_whole.h"

struct rollback_step {
	bool gone;
	uint8_t kind;
	char *path, *value, *perms;
	size_t value_len, perms_len;
};

struct rollback {
	const char *path;
	uint64_t rev;
	struct rollback_step *v;
	size_t nr;
	const char *failed; /* path the store refused, or a schema of one's own */
	char why[RULES_WHY_LEN]; /* then: what that says; else empty */
	char at[XENSTORE_ABS_PATH_MAX + 1]; /* where something would be missing */
};

/* Asks what would have to change. 0 or -errno, -ESTALE: not known any more. */
int rollback_ask(struct rollback *r);
/* Does it, asking anew, again on a conflict. The same; -EINVAL with r->why. */
int rollback_run(struct rollback *r);
/* [{"path", "value"}...], null being what goes. The caller owns it. */
json_t *rollback_json(const struct rollback *r);
void rollback_fini(struct rollback *r);

#endif
