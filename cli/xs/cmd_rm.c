/* SPDX-License-Identifier: MIT */
/*
 * cmd_rm.c - `xs rm`: removes nodes and all below them.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "rules_whole.h"
#include "store.h"

struct job {
	struct cli_args *a;
	const char **paths; /* of its words */
	const char *failed;
	struct rules_missing missing; /* then: what a schema of one's own wants to be there */
};

/* 0; -ECANCELED: it has another value than the one that was asked for; -errno. */
static int look(uint32_t tx, const char *path, const char *want)
{
	size_t len;
	int rc;
	char *value = store_read(tx, path, &len, &rc);

	if (rc)
		return rc;
	if (want && (len != strlen(want) || memcmp(value, want, len) != 0))
		rc = -ECANCELED;
	free(value);
	return rc;
}

static int rm_all(void *arg, struct xs_client *c, uint32_t tx)
{
	struct job *j = arg;
	bool force = cli_has(j->a, "force");
	int rc = 0;

	j->missing.why[0] = '\0';
	for (int i = 0; i < j->a->argc && !rc; i++) {
		const char *path = j->paths[i];

		/* the daemon removes what is not there without a word: we ask first */
		if (!force)
			rc = look(tx, path, cli_str(j->a, "if-value", NULL));
		if (!rc)
			rc = xs_sync_str(c, XS_RM, tx, path, NULL, NULL);
		if (rc == -ENOENT && force)
			rc = 0;
		if (rc)
			j->failed = j->a->argv[i];
	}
	return rc ? rc : rules_whole_paths(tx, j->paths, (size_t)j->a->argc, &j->missing);
}

static int run_rm(struct cli_args *a)
{
	struct job j = { .a = a };
	int rc;

	if (cli_has(a, "if-value") && (cli_has(a, "force") || a->argc > 1))
		cli_usage(a, "--if-value is about one node that is there");
	j.paths = must(calloc((size_t)a->argc, sizeof(*j.paths)));
	for (int i = 0; i < a->argc; i++)
		j.paths[i] = store_path(a->argv[i]);
	rc = xs_transact(store(), rm_all, &j, XS_TRIES, NULL);
	for (int i = 0; i < a->argc; i++)
		free((char *)j.paths[i]);
	free(j.paths);
	if (*j.missing.why)
		cli_die(CLI_FAIL, "%s: %s; nothing was removed", j.missing.at, j.missing.why);
	if (rc == -ECANCELED)
		cli_die(CLI_FAIL, "%s: has another value", j.failed);
	if (rc)
		store_failed(j.failed ? j.failed : "commit", rc);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 'f', "force", NULL, "no error when it does not exist" },
	{ 0, "if-value", "VALUE", "only if this is its value; else status 1, and it stays" },
	{ 0 },
};

const struct cli_cmd cmd_rm = {
	.name = "rm",
	.args = "PATH...",
	.help = "removes nodes and all below them, in one transaction",
	.more = "What a schema of one's own wants to be there (xs schema) stays, unless what is above it\n"
		"goes, too.",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.example = "xs rm /config/domain/old",
	.says = CLI_SAYS_NOTHING,
	.run = run_rm,
};
