/* SPDX-License-Identifier: MIT */
/*
 * cmd_write.c - `xs write`: sets values, all in one transaction, on a condition if asked.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "lifetime.h"
#include "store.h"

#define TRIES 100
#define STDIN_MAX XENSTORE_PAYLOAD_MAX

struct job {
	struct cli_args *a;
	const char *if_value; /* NULL: no such condition */
	bool if_absent;
	long if_gen; /* <0: no such condition */
	char *from_stdin;
	size_t stdin_len;
	const char *refused; /* path whose condition did not hold */
	const char *failed;  /* path the daemon refused */
};

/*
 * The generation now. It is asked for outside the transaction, after the value was read inside: if
 * the commit finds that value unchanged, the generation was the value's. Others than our daemon
 * tell the node's generation in a listing, as the transaction sees it.
 */
static int generation(uint32_t tx, const char *path, long *gen)
{
	struct iovec iov[2] = { { (void *)path, strlen(path) + 1 }, { (void *)"0", 2 } };
	struct xs_node *n;
	char *reply;
	int rc = xs_tree_read(store(), 0, path, 0, 0, &n);

	if (rc)
		return rc;
	*gen = (long)n->gen;
	xs_tree_free(n);
	if (*gen)
		return 0;
	rc = xs_sync(store(), XS_DIRECTORY_PART, tx, iov, 2, &reply, NULL);
	if (rc)
		return rc;
	*gen = atol(reply);
	free(reply);
	return 0;
}

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
	if (j->if_gen >= 0 && ok) {
		long gen = 0;

		rc = now ? generation(tx, path, &gen) : 0;
		ok = gen == j->if_gen;
	}
	free(now);
	if (rc && rc != -ENOENT)
		return rc;
	if (!ok)
		j->refused = path;
	return ok ? 0 : -ECANCELED;
}

static int write_one(struct job *j, uint32_t tx, const char *path, const char *value)
{
	size_t len = j->from_stdin ? j->stdin_len : strlen(value);
	int rc = 0;

	if (j->if_absent || j->if_value || j->if_gen >= 0)
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
	if (ferror(stdin))
		cli_die(CLI_FAIL, "standard input: %s", strerror(errno));
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
		.if_gen = cli_num(a, "if-gen", 0, LONG_MAX, -1),
	};
	int rc;

	if (cli_has(a, "stdin"))
		read_stdin(&j);
	else if (a->argc % 2)
		cli_usage(a, "%s has no value: PATH VALUE pairs are wanted", a->argv[a->argc - 1]);
	if (a->argc <= 2 && !j.if_value && !j.if_absent && j.if_gen < 0)
		rc = write_all(&j, store(), 0);
	else
		rc = xs_transact(store(), write_all, &j, TRIES, NULL);
	for (int i = 0; rc == 0 && i < a->argc; i += j.from_stdin ? 1 : 2) {
		char *path = store_path(a->argv[i]);

		lifetime_warn(path);
		free(path);
	}
	free(j.from_stdin);
	if (rc == -ECANCELED)
		cli_die(CLI_FAIL, "%s: %s; nothing was written", j.failed,
			j.if_absent ? "exists already" :
			j.if_gen >= 0 ? "is of another generation" : "has another value");
	if (rc)
		store_failed(j.failed ? j.failed : "commit", rc);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 0, "if-absent", NULL, "only if the node does not exist yet" },
	{ 0, "if-value", "OLD", "only if its value is OLD now" },
	{ 0, "if-gen", "N",
	  "only if its generation is N now, as stat shows it (0: it is not there)" },
	{ 'i', "stdin", NULL, "the value is standard input, as it is" },
	{ 0 },
};

const struct cli_cmd cmd_write = {
	.name = "write",
	.alias = "put",
	.args = "PATH VALUE [PATH VALUE]...",
	.help = "sets values; several in one transaction",
	.more = "A condition and the write are one transaction: of several writers with the same\n"
		"condition one wins. Status 1 when it does not hold.",
	.example = "xs put /config/domain/web/memory 512\n"
		   "xs put --if-absent /config/jobs/backup \"$(hostname)\"\n"
		   "xs put --if-gen \"$gen\" ~/data/report done",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.says = CLI_SAYS_NOTHING,
	.run = run_write,
};
