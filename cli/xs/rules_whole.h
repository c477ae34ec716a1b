/* SPDX-License-Identifier: MIT */
/*
 * rules_whole.h - whether what schemas of one's own (rules.h) want to be there is: the children
 * that an object has to have (required) and the items of a list (minItems). That is seen when all
 * has been written, at what was changed and at everything above it; nothing is asked where no
 * schema wants any.
 */
#ifndef STOREVISOR_XS_RULES_WHOLE_H
#define STOREVISOR_XS_RULES_WHOLE_H

#include <xs.h>

#include "rules.h"

struct plan;
struct want;

/* What is there, and what is to be taken as done. */
struct rules_sight {
	uint32_t tx;
	const char *gone; /* a path that is not there any more; NULL: none */
	const char *made; /* a path that is there, with all above it; NULL: none */
};

/* Of what something is missing, and what: a sentence with name and schema. */
struct rules_missing {
	char at[XENSTORE_ABS_PATH_MAX + 1];
	char why[RULES_WHY_LEN];
};

/*
 * Looks at @path and above it, but not at what @before, the path before it in a list, has above it
 * or is (NULL: none). 0; -EINVAL: something is missing; -errno. Where @tx may not look, nothing is
 * missed.
 */
int rules_whole(struct rules *r, const struct rules_sight *s, const char *path, const char *before,
		struct rules_missing *m);
/*
 * What has been written in @tx: of each of the @nr paths. Reads the schemas that @tx sees. As
 * above.
 */
int rules_whole_paths(uint32_t tx, const char *const *paths, size_t nr, struct rules_missing *m);

#endif
