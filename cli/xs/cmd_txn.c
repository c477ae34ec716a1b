/* SPDX-License-Identifier: MIT */
/* cmd_txn.c - `xs txn`: a condition and what follows from it, in one transaction (txn.h). */
#include <stdio.h>

#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "store.h"
#include "txn.h"

static int run_txn(struct cli_args *a)
{
	struct doc_part parts[TXN_NR_PARTS];
	struct txn t;
	bool held;
	int rc;

	txn_init(&t, parts);
	doc_load_parts(a->argc ? a->argv[0] : "-", parts);
	rc = txn_run(&t);
	if (t.nr_refused)
		cli_die(CLI_USAGE, "%s: %u problem%s; nothing was changed", t.then.name ? t.then.name :
			t.otherwise.name, t.nr_refused, t.nr_refused > 1 ? "s" : "");
	if (rc)
		store_failed(t.failed ? t.failed : "commit", rc);
	held = t.held;
	if (a->json)
		json_print(txn_json(&t));
	else
		printf("condition %s; %zu changes, %u attempt%s\n", held ? "true" : "false",
		       t.plan.nr, t.attempts, t.attempts > 1 ? "s" : "");
	txn_fini(&t);
	return held ? CLI_OK : CLI_FAIL;
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
