/* SPDX-License-Identifier: MIT */
/*
 * owners.h - which document declared which node: `/config/apply/SET/N` holds the path of one node
 * that the document whose "@set" is SET declares below its "@roots". So pruning takes away only
 * what the same document once declared, and two documents notice each other.
 */
#ifndef STOREVISOR_XS_OWNERS_H
#define STOREVISOR_XS_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OWNERS_HOME "/config/apply"

struct doc;

/* One entry of a set; strings are the table's. */
struct owner {
	char *path;
	char *set;
	char *entry; /* name of the node below the set's that says so */
};

struct owners {
	struct owner *v; /* by path, then set */
	size_t nr, max;
};

/* Reads all sets as transaction @tx sees them. 0 or -errno; *@failed is then the path. */
int owners_read(struct owners *o, uint32_t tx, char **failed);
/* The set other than @set (may be NULL) that declares @path or, with @below, anything below it;
 * NULL: none. */
const char *owners_other(const struct owners *o, const char *set, const char *path, bool below);
bool owners_has(const struct owners *o, const char *set, const char *path);
/* How a set is written, and what came of it. */
struct owners_write {
	bool prune;	   /* what the document no longer declares was removed: forget it */
	bool take;	   /* what it declares leaves other sets */
	size_t nr_changes; /* entries added and removed */
	char *failed;	   /* path, when the store refused */
};

/* Makes d->set say what @d declares below its roots, in @tx. 0 or the first -errno. */
int owners_write(const struct owners *o, const struct doc *d, uint32_t tx,
		 struct owners_write *w);
void owners_free(struct owners *o);

#endif
