/* SPDX-License-Identifier: MIT */
/*
 * apply.h - carrying a document out: the plan is made in the same transaction that does it.
 */
#ifndef STOREVISOR_XS_APPLY_H
#define STOREVISOR_XS_APPLY_H

#include <stdbool.h>

#include "cmd.h"
#include "doc.h"
#include "plan.h"

struct job {
	struct doc doc;
	struct plan plan;
	bool prune;
	bool keep_set;	/* the document's set is kept: see owners.h */
	struct owners_write set;
	bool asked;	/* the plan was shown; do no other */
	bool dry_run; /* the transaction is aborted, after every change was accepted in it */
	char *failed; /* path the store refused */
	bool remarked; /* keys that look misspelt were told */
	unsigned int nr_missing; /* keys without which a domain that shall run cannot */
	unsigned int nr_refused; /* nodes that schemas of one's own do not allow */
	unsigned int nr_others;	 /* changes of what another document's set declares */
	bool moved;		 /* the store changed since the plan was shown */
};

/*
 * Makes the plan of j->doc and, unless dry_run, does it, in one transaction, again on a conflict.
 * Ends the program when a record is incomplete, a schema of one's own does not allow something, or
 * a limit of the store is passed (CLI_USAGE), when another document declares what would change,
 * when the plan is not the one that was shown, or when the store refuses.
 */
void job_run(struct job *j);
/* The plan as lines, or as a JSON patch with --json or --plan-json. */
void job_show(struct cli_args *a, const struct job *j);
void job_say_done(const struct job *j);
void job_free(struct job *j);

#endif
