/* SPDX-License-Identifier: MIT */
/*
 * rules.h - the schemas of one's own (rule.h), where they are kept: /config/schema/NAME is the text
 * of one, /config/schema/NAME/at the path it is about, in which * is any one name. They hold who
 * writes by xs and xs-httpd, in the transaction that writes: the daemon knows nothing of them.
 */
#ifndef STOREVISOR_XS_RULES_H
#define STOREVISOR_XS_RULES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rule.h"

#define RULES_HOME "/config/schema"
#define RULES_WHY_LEN (RULE_WHY_LEN + 200)

struct doc;
struct plan;
struct xs_node;

/* One of them; strings are the table's. */
struct rules_one {
	char *name, *at, *text;
	size_t len;
	struct rule *rule; /* read when it is first asked for */
	bool broken;	   /* then: it is none */
	bool quiet;	   /* set: nobody is told why */
};

struct rules {
	struct rules_one *v; /* by name */
	size_t nr, max;
};

/*
 * All that @tx sees; none where they may not be read. What is written in the same transaction is
 * written only if they are still the same. 0 or -errno.
 */
int rules_read(struct rules *r, uint32_t tx);
void rules_free(struct rules *r);
/* What of @path is below @at; NULL: it is not about it. */
const char *rules_tail(const char *at, const char *path);
/* The rule of @one; NULL, after telling why unless it is quiet: it is broken. */
const struct rule *rules_rule(struct rules_one *one);
/*
 * Whether all of @r let @v be at @path, and it lasts as they want it, where the daemon tells. If
 * not, @why is a sentence with value, rule and schema.
 */
bool rules_allow(struct rules *r, const char *path, const struct rule_value *v,
		 char why[RULES_WHY_LEN]);
/*
 * rules_doc.c. Asks the schemas that @tx sees, once it has written @p, what @d wants: a document
 * may bring its own. 0; -errno; -EINVAL when *@nr nodes that @d wants are not possible, or lack
 * something when @p is done, of each of which is told where it stands.
 */
int rules_check_doc(uint32_t tx, const struct doc *d, const struct plan *p, unsigned int *nr);
/* The value of @n with its kind, if it has one that somebody gave it. */
struct rule_value rules_value_of(const struct xs_node *n);

#endif
