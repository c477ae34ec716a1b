/* SPDX-License-Identifier: MIT */
/*
 * cmd_import.c - `xs import`, `xs apply`, `xs diff`: from a JSON document to the store, in one
 * transaction (apply.c).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "apply.h"
#include "cmds.h"
#include "die.h"
#include "doc.h"
#include "json_out.h"
#include "past_diff.h"
#include "store.h"

#define DIFFERS 1

static char *at_of(struct cli_args *a)
{
	return store_path(cli_str(a, "at", "/"));
}

/* ---- import ---- */

static int run_import(struct cli_args *a)
{
	struct job j = { .dry_run = cli_has(a, "dry-run") };
	char *at = at_of(a);

	doc_load(&j.doc, a->argc ? a->argv[0] : "-", at, false);
	job_run(&j);
	if (a->json || cli_has(a, "verbose") || j.dry_run)
		job_show(a, &j);
	if (!a->json && !cli_has(a, "quiet"))
		job_say_done(&j);
	job_free(&j);
	free(at);
	return CLI_OK;
}

static const struct cli_opt import_opts[] = {
	{ 0, "at", "PATH", "the document describes what is below PATH (default: /)" },
	{ 'n', "dry-run", NULL, "show what would change; the store tests it and forgets it" },
	{ 'v', "verbose", NULL, "show what changes" },
	{ 'q', "quiet", NULL, "say nothing" },
	{ 0 },
};

const struct cli_cmd cmd_import = {
	.name = "import",
	.args = "[FILE]",
	.help = "writes a JSON document into the store, in one transaction",
	.more =
		"Adds and changes nodes and removes none; only a list is replaced as a whole, so\n"
		"that [9] over [1,2] is [9]. null is a value here. Everything is checked before\n"
		"the first write; all problems are reported together, with line and column.",
	.opts = import_opts,
	.max_args = 1,
	.example = "xs import host.json",
	.run = run_import,
};

/* ---- apply ---- */

static bool confirmed(void)
{
	char answer[16];

	if (!isatty(STDIN_FILENO))
		cli_die(CLI_USAGE, "apply asks before it changes anything: -y answers yes");
	printf("Change this? [y/N] ");
	fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static int run_apply(struct cli_args *a)
{
	struct job j = { .prune = cli_has(a, "prune"), .dry_run = true };
	char *at = at_of(a);
	bool ask = !cli_has(a, "yes") && !cli_has(a, "dry-run");

	doc_load(&j.doc, a->argc ? a->argv[0] : "-", at, true);
	if ((j.prune || j.doc.set) && !j.doc.nr_roots)
		cli_die(CLI_USAGE, "%s: %s needs \"@roots\" in the document", j.doc.name,
			j.prune ? "--prune" : "\"@set\"");
	if (cli_has(a, "take") && !j.doc.set)
		cli_die(CLI_USAGE, "%s: --take needs \"@set\" in the document", j.doc.name);
	j.keep_set = j.doc.set;
	j.set = (struct owners_write){ .prune = j.prune, .take = cli_has(a, "take") };
	if (!cli_has(a, "dry-run"))
		j.dry_run = ask;
	job_run(&j);
	job_show(a, &j);
	/* that a set is noted needs no question */
	if (ask && (j.plan.nr || j.set.nr_changes)) {
		if (j.plan.nr && !confirmed())
			cli_die(CLI_FAIL, "nothing was changed");
		j.dry_run = false;
		j.asked = true;
		job_run(&j);
	}
	if (!a->json && !cli_has(a, "plan-json"))
		job_say_done(&j);
	job_free(&j);
	free(at);
	return CLI_OK;
}

static const struct cli_opt apply_opts[] = {
	{ 0, "at", "PATH", "the document describes what is below PATH (default: /)" },
	{ 'y', "yes", NULL, "do not ask" },
	{ 'n', "dry-run", NULL, "only the plan; the store tests it and forgets it" },
	{ 0, "prune", NULL, "remove what is below the document's @roots and not in it" },
	{ 0, "take", NULL, "also what another document's set declares" },
	{ 0, "plan-json", NULL, "the plan as a JSON patch" },
	{ 0 },
};

const struct cli_cmd cmd_apply = {
	.name = "apply",
	.args = "[FILE]",
	.help = "makes the store as a JSON document says, after showing the plan",
	.more =
		"As import, and null removes a node, but is a value in a list. With --prune what\n"
		"the document does not mention goes, too, but only below the paths in its\n"
		"\"@roots\", and not what a program wrote into a record that stays (its\n"
		"uuid). A document with \"@set\": \"NAME\" is remembered in\n"
		"/config/apply/NAME: --prune takes away only what it declared before, and what\n"
		"another document's set declares is neither changed nor taken away, unless\n"
		"--take is given.",
	.opts = apply_opts,
	.max_args = 1,
	.example = "xs apply --dry-run host.json",
	.run = run_apply,
};

/* ---- diff ---- */

static void diff_store(struct job *j)
{
	int rc = plan_make(&j->plan, &j->doc, 0, j->prune, &j->failed);

	if (rc)
		cli_die(CLI_USAGE, "%s: %s", j->failed ? j->failed : "the store", cli_words(rc));
}

static int run_diff(struct cli_args *a)
{
	struct job j = { .prune = cli_has(a, "prune") };
	struct doc other = { .nr = 0 };
	char *at;
	int code;

	if (past_diff_asked(a))
		return past_diff(a);
	at = at_of(a);
	doc_load(&j.doc, a->argv[a->argc - 1], at, true);
	if (a->argc == 2) {
		doc_load(&other, a->argv[0], at, true);
		plan_between(&j.plan, &other, &j.doc);
	} else {
		diff_store(&j);
	}
	if (a->json || cli_has(a, "json-patch"))
		json_print(plan_json_patch(&j.plan));
	else
		plan_print(&j.plan);
	code = j.plan.nr ? DIFFERS : CLI_OK;
	doc_free(&other);
	job_free(&j);
	free(at);
	return code;
}

static const struct cli_opt diff_opts[] = {
	{ 0, "at", "PATH", "documents describe what is below PATH (default: /)" },
	{ 0, "prune", NULL, "also what apply --prune would remove" },
	{ 0, "json-patch", NULL, "as a JSON patch (RFC 6902)" },
	{ 0 },
};

const struct cli_cmd cmd_diff = {
	.name = "diff",
	.args = "[FILE] FILE | PATH@REV [PATH[@REV]]",
	.help = "what apply would change, or how two documents, or two states, differ",
	.more =
		"Exit status: 0 no difference, 1 some, 2 and above an error. With two files:\n"
		"from the first to the second. PATH@REV is what a persistent node and all below\n"
		"it were at a revision (xs log); without another one, to what is there now.",
	.opts = diff_opts,
	.min_args = 1,
	.max_args = 2,
	.example = "xs diff before.json after.json\n"
		   "xs diff /config/domain/web@4711",
	.run = run_diff,
};
