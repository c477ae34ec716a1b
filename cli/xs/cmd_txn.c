/* SPDX-License-Identifier: MIT */
/*
 * cmd_txn.c - `xs txn`: if the store is as a document says, make it as another says, else as a
 * third, all in one transaction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "doc.h"
#include "json_out.h"
#include "plan.h"
#include "store.h"

#define TRIES 100

struct job {
	struct doc when, then, otherwise;
	struct plan plan;
	bool held; /* the condition */
	char *failed;
};

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
	struct job *j = arg;
	int rc;

	(void)c;
	plan_free(&j->plan);
	rc = plan_make(&j->plan, &j->when, tx, false, &j->failed);
	j->held = holds(&j->plan);
	plan_free(&j->plan);
	if (!rc)
		rc = plan_make(&j->plan, j->held ? &j->then : &j->otherwise, tx, false, &j->failed);
	if (!rc)
		rc = plan_apply(&j->plan, tx, &j->failed);
	return rc;
}

static int run_txn(struct cli_args *a)
{
	struct job j = {
		.when = { .allow_null = true, .any_value = true },
		.then = { .allow_null = true },
		.otherwise = { .allow_null = true },
	};
	const struct doc_part parts[] = {
		{ "if", &j.when }, { "then", &j.then }, { "else", &j.otherwise }, { NULL, NULL },
	};
	unsigned int attempts;
	int rc;

	doc_load_parts(a->argc ? a->argv[0] : "-", parts);
	rc = xs_transact(store(), do_it, &j, TRIES, &attempts);
	if (rc)
		store_failed(j.failed ? j.failed : "commit", rc);
	if (a->json)
		json_print(json_pack("{s:b, s:i, s:o}", "condition", j.held, "attempts", attempts,
				     "changes", plan_json_patch(&j.plan)));
	else
		printf("condition %s; %zu changes, %u attempt%s\n", j.held ? "true" : "false",
		       j.plan.nr, attempts, attempts > 1 ? "s" : "");
	plan_free(&j.plan);
	doc_free(&j.when);
	doc_free(&j.then);
	doc_free(&j.otherwise);
	return j.held ? CLI_OK : CLI_FAIL;
}

const struct cli_cmd cmd_txn = {
	.name = "txn",
	.args = "[FILE]",
	.help = "compare and change in one transaction; status 1 when the condition was false",
	.more =
		"FILE is {\"if\": DOC, \"then\": DOC, \"else\": DOC}, each a document as in\n"
		"import; null in \"if\" means that the node does not exist, elsewhere that it\n"
		"shall go:\n"
		"  {\"if\": {\"a\": {\"owner\": null}}, \"then\": {\"a\": {\"owner\": \"me\"}}}",
	.max_args = 1,
	.example = "xs txn take-ownership.json",
	.run = run_txn,
};
