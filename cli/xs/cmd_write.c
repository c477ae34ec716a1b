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
#include "hold.h"
#include "lifetime.h"
#include "long_value.h"
#include "rules_whole.h"
#include "store.h"

#define TRIES_ALWAYS 1000000 /* without a condition: whoever was first has been written over */
#define STDIN_MAX LONG_VALUE_MAX
#define TTL_VALUE_MAX 1024 /* bytes: BOND_VALUE_MAX of the daemon */

struct job {
	struct cli_args *a;
	const char *if_value; /* NULL: no such condition */
	bool if_absent;
	long if_gen; /* <0: no such condition */
	char *from_stdin;
	size_t stdin_len;
	long ttl_ms; /* 0: as long as the store has it */
	int bound;   /* so many of the words were bound to that time, maybe not written */
	const char *refused; /* path whose condition did not hold */
	const char *failed;  /* path the daemon refused, or a schema */
	char why[RULES_WHY_LEN]; /* then: what it says */
	char at[XENSTORE_ABS_PATH_MAX + 1]; /* and of what, if that is none of the words */
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

/* What the node has of @value: itself, or the mark of a long one, in @mark. */
static const char *shown(const char *path, const char *value, char mark[LONG_MARK_MAX])
{
	const char *text;

	long_shown(path, value, strlen(value), mark, &text);
	return text;
}

/* Of what was not written; else the same value, written by others, would go after our time. */
static void unbind_all(const struct job *j)
{
	char mark[LONG_MARK_MAX];

	for (int i = 0; i < j->bound; i += 2) {
		char *path = store_path(j->a->argv[i]);

		hold_unbind(path, shown(path, j->a->argv[i + 1], mark), true);
		free(path);
	}
}

/* Returns whether the node has it now. */
static bool bind(const struct job *j, const char *path, const char *value)
{
	char mark[LONG_MARK_MAX];
	int rc = hold_bind(path, shown(path, value, mark), j->ttl_ms);

	if (rc >= 0)
		return rc;
	unbind_all(j);
	hold_bind_failed(path, rc);
}

/* The time begins now, for what was written. */
static void begin_time(const struct job *j, const char *path, const char *value)
{
	if (bind(j, path, value))
		return;
	unbind_all(j);
	cli_die(CLI_FAIL, "%s: does not have the value any more that was to go: what it has now "
		"stays", path);
}

static void check_ttl_values(const struct cli_args *a)
{
	for (int i = 1; i < a->argc; i += 2)
		if (strlen(a->argv[i]) > TTL_VALUE_MAX)
			cli_die(CLI_FAIL,
				"%s: a value of %zu bytes: with --ttl at most %d are allowed",
				a->argv[i - 1], strlen(a->argv[i]), TTL_VALUE_MAX);
}

/* What schemas of one's own say, in the transaction that writes. Nothing has been written yet. */
static int check_rules(struct job *j, struct rules *rules)
{
	int step = j->from_stdin ? 1 : 2, rc = 0;

	j->why[0] = '\0';
	for (int i = 0; i < j->a->argc && !rc; i += step) {
		const char *value = j->from_stdin ? j->from_stdin : j->a->argv[i + 1];
		const struct rule_value v = {
			value, j->from_stdin ? j->stdin_len : strlen(value), RULE_ANY_KIND,
		};
		char *path = store_path(j->a->argv[i]);

		rc = rules_allow(rules, path, &v, j->why) ? 0 : -EINVAL;
		if (rc)
			j->failed = j->a->argv[i];
		free(path);
	}
	return rc;
}

/* And of what has been written, together. */
static int check_whole(struct job *j, uint32_t tx, struct rules *rules)
{
	const struct rules_sight s = { .tx = tx };
	int step = j->from_stdin ? 1 : 2, rc = 0;
	struct rules_missing m;

	for (int i = 0; i < j->a->argc && !rc && rules->nr; i += step) {
		char *path = store_path(j->a->argv[i]);

		rc = rules_whole(rules, &s, path, NULL, &m);
		free(path);
	}
	if (rc == -EINVAL) {
		snprintf(j->at, sizeof(j->at), "%s", m.at);
		snprintf(j->why, sizeof(j->why), "%s", m.why);
		j->failed = j->at;
	}
	return rc;
}

static int write_one(struct job *j, uint32_t tx, const char *path, const char *value)
{
	size_t len = j->from_stdin ? j->stdin_len : strlen(value);
	int rc = 0;

	if (j->if_absent || j->if_value || j->if_gen >= 0)
		rc = check_condition(j, tx, path);
	/* first: what was written by somebody who died then would stay */
	if (!rc && j->ttl_ms)
		bind(j, path, value);
	if (!rc)
		rc = long_write(tx, path, j->from_stdin ? j->from_stdin : value, len);
	if (rc)
		j->failed = path;
	return rc;
}

static int write_all(void *arg, struct xs_client *c, uint32_t tx)
{
	struct job *j = arg;
	int step = j->from_stdin ? 1 : 2, rc;
	struct rules rules;

	(void)c;
	rc = rules_read(&rules, tx);
	if (!rc)
		rc = check_rules(j, &rules);
	for (int i = 0; i < j->a->argc && !rc; i += step) {
		char *path = store_path(j->a->argv[i]);

		rc = write_one(j, tx, path, j->a->argv[i + step - 1]);
		if (rc != -ECANCELED && j->ttl_ms && i + step > j->bound)
			j->bound = i + step;
		if (rc)
			j->failed = j->a->argv[i];
		free(path);
	}
	if (!rc)
		rc = check_whole(j, tx, &rules);
	rules_free(&rules);
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
		cli_die(CLI_FAIL, "standard input: a value has at most %d bytes",
			STDIN_MAX);
}

static int run_write(struct cli_args *a)
{
	struct job j = {
		.a = a,
		.if_value = cli_str(a, "if-value", NULL),
		.if_absent = cli_has(a, "if-absent"),
		.if_gen = cli_num(a, "if-gen", 0, LONG_MAX, -1),
		.ttl_ms = hold_time(a, "ttl"),
	};
	bool conditional;
	int rc;

	if (cli_has(a, "ttl") && cli_has(a, "stdin"))
		cli_usage(a, "--ttl is for values on the command line");
	if (cli_has(a, "stdin"))
		read_stdin(&j);
	else if (a->argc % 2)
		cli_usage(a, "%s has no value: PATH VALUE pairs are wanted", a->argv[a->argc - 1]);
	if (j.ttl_ms)
		check_ttl_values(a);
	conditional = j.if_value || j.if_absent || j.if_gen >= 0;
	rc = xs_transact(store(), write_all, &j, conditional ? XS_TRIES : TRIES_ALWAYS, NULL);
	if (rc)
		unbind_all(&j);
	for (int i = 0; rc == 0 && i < a->argc; i += j.from_stdin ? 1 : 2) {
		char *path = store_path(a->argv[i]);

		if (j.ttl_ms)
			begin_time(&j, path, a->argv[i + 1]);
		else
			lifetime_warn(path);
		free(path);
	}
	free(j.from_stdin);
	if (rc == -ECANCELED)
		cli_die(CLI_FAIL, "%s: %s; nothing was written", j.failed,
			j.if_absent ? "exists already" :
			j.if_gen >= 0 ? "is of another generation" : "has another value");
	if (*j.why)
		cli_die(CLI_FAIL, "%s: %s; nothing was written", j.failed, j.why);
	if (rc)
		store_failed(j.failed ? j.failed : "commit", rc);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 0, "if-absent", NULL, "only if the node does not exist yet" },
	{ 0, "if-value", "OLD", "only if its value is OLD now" },
	{ 0, "if-gen", "N",
	  "only if its generation is N now, as stat shows it (0: it is not there)" },
	{ 0, "ttl", "TIME",
	  "and have it removed after TIME, if it has this value then (100ms to 24h)" },
	{ 'i', "stdin", NULL, "the value is standard input, as it is" },
	{ 0 },
};

const struct cli_cmd cmd_write = {
	.name = "write",
	.alias = "put",
	.args = "PATH VALUE [PATH VALUE]...",
	.help = "sets values; several in one transaction",
	.more = "A condition and the write are one transaction: of several writers with the same\n"
		"condition one wins. Status 1 when it does not hold. With --ttl the daemon removes\n"
		"the node when TIME is over; writing the same value again begins a new one. That is\n"
		"for paths that are not kept over a boot and values of at most 1024 bytes. What a schema\n"
		"of one's own does not allow (xs schema) is not written.",
	.example = "xs put /config/domain/web/memory 512\n"
		   "xs put --if-absent /config/jobs/backup \"$(hostname)\"\n"
		   "xs put --if-gen \"$gen\" ~/data/report done",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.says = CLI_SAYS_NOTHING,
	.run = run_write,
};
