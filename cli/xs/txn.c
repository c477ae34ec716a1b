/* SPDX-License-Identifier: MIT */
/* txn.c - see txn.h. */
#include "txn.h"

#include <errno.h>
#include <stdlib.h>

#include "rules.h"
#include "store.h"

/* A node named only for its children need not exist: what is said about them decides. */
static bool holds(const struct plan *p)
{
	for (size_t i = 0; i < p->nr; i++)
		if (p->v[i].kind != CHANGE_ADD || !p->v[i].want->only_holds ||
		    p->v[i].want->value)
			return false;
	return true;
}

static int do_it(void *arg, struct xs_client *c, uint32_t tx)
{
	struct txn *t = arg;
	int rc;

	(void)c;
	plan_free(&t->plan);
	free(t->failed);
	t->failed = NULL;
	rc = plan_make(&t->plan, &t->when, tx, false, &t->failed);
	t->held = holds(&t->plan);
	plan_free(&t->plan);
	if (!rc)
		rc = plan_make(&t->plan, t->held ? &t->then : &t->otherwise, tx, false, &t->failed);
	if (!rc)
		rc = plan_apply(&t->plan, tx, &t->failed);
	if (!rc)
		rc = rules_check_doc(tx, t->held ? &t->then : &t->otherwise, &t->plan, &t->nr_refused);
	return rc;
}

void txn_init(struct txn *t, struct doc_part parts[TXN_NR_PARTS])
{
	*t = (struct txn){
		.when = { .allow_null = true, .any_value = true },
		.then = { .allow_null = true },
		.otherwise = { .allow_null = true },
	};
	parts[0] = (struct doc_part){ "if", &t->when };
	parts[1] = (struct doc_part){ "then", &t->then };
	parts[2] = (struct doc_part){ "else", &t->otherwise };
	parts[3] = (struct doc_part){ NULL, NULL };
}

int txn_run(struct txn *t)
{
	return xs_transact(store(), do_it, t, XS_TRIES, &t->attempts);
}

json_t *txn_json(const struct txn *t)
{
	return json_pack("{s:b, s:i, s:o}", "condition", t->held, "attempts", t->attempts,
			 "changes", plan_json_patch(&t->plan));
}

void txn_fini(struct txn *t)
{
	plan_free(&t->plan);
	doc_free(&t->when);
	doc_free(&t->then);
	doc_free(&t->otherwise);
	free(t->failed);
}
