/* SPDX-License-Identifier: MIT */
/*
 * cmd_rm.c - `xs rm`: removes nodes and all below them.
 */
#include <errno.h>
#include <stdlib.h>

#include "cmds.h"
#include "die.h"
#include "store.h"

#define TRIES 100

struct job {
	struct cli_args *a;
	const char *failed;
};

static int rm_all(void *arg, struct xs_client *c, uint32_t tx)
{
	struct job *j = arg;
	bool force = cli_has(j->a, "force");
	int rc = 0;

	for (int i = 0; i < j->a->argc && !rc; i++) {
		char *path = store_path(j->a->argv[i]);

		/* the daemon removes what is not there without a word: we ask first */
		if (!force)
			rc = xs_sync_str(c, XS_READ, tx, path, NULL, NULL);
		if (!rc)
			rc = xs_sync_str(c, XS_RM, tx, path, NULL, NULL);
		if (rc == -ENOENT && force)
			rc = 0;
		if (rc)
			j->failed = j->a->argv[i];
		free(path);
	}
	return rc;
}

static int run_rm(struct cli_args *a)
{
	struct job j = { .a = a };
	int rc = xs_transact(store(), rm_all, &j, TRIES, NULL);

	if (rc)
		store_failed(j.failed ? j.failed : "commit", rc);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 'f', "force", NULL, "no error when it does not exist" },
	{ 0 },
};

const struct cli_cmd cmd_rm = {
	.name = "rm",
	.args = "PATH...",
	.help = "removes nodes and all below them, in one transaction",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.example = "xs rm /config/domain/old",
	.run = run_rm,
};
