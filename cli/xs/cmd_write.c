/* SPDX-License-Identifier: MIT */
/*
 * cmd_write.c - `xs write`: sets values, all in one transaction, on a condition if asked.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "store.h"

#define TRIES 100
#define STDIN_MAX XENSTORE_PAYLOAD_MAX

struct job {
	struct cli_args *a;
	const char *if_value; /* NULL: no such condition */
	bool if_absent;
	char *from_stdin;
	size_t stdin_len;
	const char *refused; /* path whose condition did not hold */
	const char *failed;  /* path the daemon refused */
};

static int check_condition(struct job *j, uint32_t tx, const char *path)
{
	size_t len;
	int rc;
	char *now = store_read(tx, path, &len, &rc);
	bool ok = true;

	if (rc && rc != -ENOENT)
		return rc;
	if (j->if_absent)
		ok = !now;
	if (j->if_value)
		ok = now && len == strlen(j->if_value) && memcmp(now, j->if_value, len) == 0;
	free(now);
	if (!ok)
		j->refused = path;
	return ok ? 0 : -ECANCELED;
}

static int write_one(struct job *j, uint32_t tx, const char *path, const char *value)
{
	size_t len = j->from_stdin ? j->stdin_len : strlen(value);
	int rc = 0;

	if (j->if_absent || j->if_value)
		rc = check_condition(j, tx, path);
	if (!rc)
		rc = xs_sync_write(store(), tx, path, j->from_stdin ? j->from_stdin : value, len);
	if (rc)
		j->failed = path;
	return rc;
}

static int write_all(void *arg, struct xs_client *c, uint32_t tx)
{
	struct job *j = arg;
	int rc = 0, step = j->from_stdin ? 1 : 2;

	(void)c;
	for (int i = 0; i < j->a->argc && !rc; i += step) {
		char *path = store_path(j->a->argv[i]);

		rc = write_one(j, tx, path, j->a->argv[i + step - 1]);
		if (rc)
			j->failed = j->a->argv[i];
		free(path);
	}
	return rc;
}

static void read_stdin(struct job *j)
{
	j->from_stdin = malloc(STDIN_MAX + 1);
	if (!j->from_stdin)
		cli_die(CLI_FAIL, "out of memory");
	j->stdin_len = fread(j->from_stdin, 1, STDIN_MAX + 1, stdin);
	if (j->stdin_len > STDIN_MAX)
		cli_die(CLI_FAIL, "standard input: a value has at most %d bytes, path included",
			STDIN_MAX);
}

static int run_write(struct cli_args *a)
{
	struct job j = {
		.a = a,
		.if_value = cli_str(a, "if-value", NULL),
		.if_absent = cli_has(a, "if-absent"),
	};
	int rc;

	if (cli_has(a, "stdin"))
		read_stdin(&j);
	else if (a->argc % 2)
		cli_usage(a, "%s has no value: PATH VALUE pairs are wanted", a->argv[a->argc - 1]);
	if (a->argc <= 2 && !j.if_value && !j.if_absent)
		rc = write_all(&j, store(), 0);
	else
		rc = xs_transact(store(), write_all, &j, TRIES, NULL);
	free(j.from_stdin);
	if (rc == -ECANCELED)
		cli_die(CLI_FAIL, "%s: %s; nothing was written", j.failed,
			j.if_absent ? "exists already" : "has another value");
	if (rc)
		store_failed(j.failed ? j.failed : "commit", rc);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 0, "if-absent", NULL, "only if the node does not exist yet" },
	{ 0, "if-value", "OLD", "only if its value is OLD now" },
	{ 'i', "stdin", NULL, "the value is standard input, as it is" },
	{ 0 },
};

const struct cli_cmd cmd_write = {
	.name = "write",
	.alias = "put",
	.args = "PATH VALUE [PATH VALUE]...",
	.help = "sets values; several in one transaction",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.run = run_write,
};
