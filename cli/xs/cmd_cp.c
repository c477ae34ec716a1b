/* SPDX-License-Identifier: MIT */
/*
 * cmd_cp.c - `xs cp` and `xs mv`: a node and all below it, with permissions, to another place, in
 * one transaction.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "kind.h"
#include "lifetime.h"
#include "long_value.h"
#include "rules_whole.h"
#include "store.h"
#include "watch_state.h"

struct job {
	char *from, *to;
	bool move, force;
	const char *failed;
	char refused[2 * XENSTORE_ABS_PATH_MAX]; /* by a schema of one's own, which says */
	char why[RULES_WHY_LEN];
	int rc; /* of the writes, which run many at once */
};

static void written(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;

	(void)data;
	(void)len;
	if (rc && !j->rc)
		j->rc = rc;
}

/* Whether parts of no long value are below @n: a mark there is copied as it is, as they are. */
static bool has_parts(const struct xs_node *n)
{
	const struct xs_node *c = n->children;

	while (c && !long_is_part(c->name, NULL))
		c = c->next;
	return c;
}

static int copy_node(struct job *j, uint32_t tx, const struct xs_node *n, const char *path)
{
	int rc = n->value_rc;
	bool kept = has_parts(n);
	size_t nr = rc || kept ? 0 : long_nr_parts(path, n->value, n->value_len);

	if (!rc && j->force)
		rc = long_drop_parts(tx, path, nr);
	if (!rc && kept)
		rc = xs_submit_write(store(), tx, path, n->value, n->value_len, written, j);
	else if (!rc)
		rc = long_submit_write(tx, path, n->value, n->value_len, NULL, 0, written, j);
	if (!rc && kind_known())
		rc = kind_submit(tx, path, (enum xs_kind)n->kind, written, j);
	if (!rc && n->perms)
		rc = long_submit_perms(tx, path, nr, n->perms, n->perms_len, written, j);
	return rc;
}

/* What schemas of one's own say of @n at its new place. */
static int check_rules(struct job *j, struct rules *rules, const struct xs_node *n, const char *path)
{
	const struct rule_value v = rules_value_of(n);

	/* a mark whose parts are not those of its value is nobody's value */
	if (n->value_rc || long_is_part(path, NULL) || has_parts(n) ||
	    rules_allow(rules, path, &v, j->why))
		return 0;
	snprintf(j->refused, sizeof(j->refused), "%s", path);
	return -EINVAL;
}

/* Where @n of the tree @root comes to be. */
static void new_path(const struct job *j, const struct xs_node *root, const struct xs_node *n,
		     char path[2 * XENSTORE_ABS_PATH_MAX])
{
	char from[XENSTORE_ABS_PATH_MAX + 1] = "";

	if (n != root)
		xs_tree_path(n, from, sizeof(from));
	snprintf(path, 2 * XENSTORE_ABS_PATH_MAX, "%s%s", j->to, n == root ? "" : from + strlen(j->from));
}

static int copy_tree(struct job *j, uint32_t tx, const struct xs_node *root, struct rules *rules)
{
	char path[2 * XENSTORE_ABS_PATH_MAX];
	int rc = 0;

	*j->why = '\0';
	for (const struct xs_node *n = root; n && !rc; n = xs_tree_next(root, n)) {
		new_path(j, root, n, path);
		rc = check_rules(j, rules, n, path);
		if (!rc)
			rc = copy_node(j, tx, n, path);
	}
	xs_client_wait(store());
	return rc ? rc : j->rc;
}

/* What has come is whole, and so is what it left. */
static int check_whole(struct job *j, uint32_t tx, const struct xs_node *root, struct rules *rules)
{
	const struct rules_sight s = { .tx = tx };
	char path[2 * XENSTORE_ABS_PATH_MAX], before[2 * XENSTORE_ABS_PATH_MAX] = "";
	struct rules_missing m;
	int rc = 0;

	for (const struct xs_node *n = root; n && rules->nr && !rc; n = xs_tree_next(root, n)) {
		new_path(j, root, n, path);
		rc = rules_whole(rules, &s, path, *before ? before : NULL, &m);
		memcpy(before, path, strlen(path) + 1);
	}
	if (!rc && j->move)
		rc = rules_whole(rules, &s, j->from, NULL, &m);
	if (rc == -EINVAL) {
		snprintf(j->refused, sizeof(j->refused), "%s", m.at);
		snprintf(j->why, sizeof(j->why), "%s", m.why);
	}
	return rc;
}

static int do_it(void *arg, struct xs_client *c, uint32_t tx)
{
	struct job *j = arg;
	struct rules rules = { 0 };
	struct xs_node *root;
	int rc;

	j->rc = 0;
	j->failed = j->from;
	rc = long_tree_read(tx, j->from, -1, XS_TREE_VALUES | XS_TREE_KINDS | XS_TREE_PERMS, &root);
	if (rc)
		return rc;
	j->failed = j->to;
	if (!j->force && xs_sync_str(c, XS_READ, tx, j->to, NULL, NULL) == 0)
		rc = -EEXIST;
	if (!rc)
		rc = rules_read(&rules, tx);
	if (!rc)
		rc = copy_tree(j, tx, root, &rules);
	if (!rc && j->move)
		rc = xs_sync_str(c, XS_RM, tx, j->from, NULL, NULL);
	if (!rc)
		rc = check_whole(j, tx, root, &rules);
	rules_free(&rules);
	xs_tree_free(root);
	return rc;
}

static int run(struct cli_args *a, bool move)
{
	struct job j = {
		.from = store_path(a->argv[0]),
		.to = store_path(a->argv[1]),
		.move = move,
		.force = cli_has(a, "force"),
	};
	int rc;

	if (path_is_below(j.from, j.to))
		cli_die(CLI_USAGE, "%s is inside %s", j.to, j.from);
	rc = xs_transact(store(), do_it, &j, XS_TRIES, NULL);
	if (*j.why)
		cli_die(CLI_FAIL, "%s: %s; nothing was written", j.refused, j.why);
	if (rc == -EEXIST)
		cli_die(CLI_FAIL, "%s: exists already (-f writes over it)", j.to);
	if (rc)
		store_failed(j.failed, rc);
	lifetime_warn(j.to);
	free(j.from);
	free(j.to);
	return CLI_OK;
}

static int run_cp(struct cli_args *a)
{
	return run(a, false);
}

static int run_mv(struct cli_args *a)
{
	return run(a, true);
}

static const struct cli_opt opts[] = {
	{ 'f', "force", NULL, "also when the destination exists" },
	{ 0 },
};

const struct cli_cmd cmd_cp = {
	.name = "cp",
	.args = "FROM TO",
	.help = "copies a node and all below it, with permissions",
	.opts = opts,
	.min_args = 2,
	.max_args = 2,
	.example = "xs cp /config/domain/web /config/domain/copy",
	.says = CLI_SAYS_NOTHING,
	.run = run_cp,
};

const struct cli_cmd cmd_mv = {
	.name = "mv",
	.args = "FROM TO",
	.help = "moves a node and all below it, with permissions",
	.opts = opts,
	.min_args = 2,
	.max_args = 2,
	.example = "xs mv /config/domain/web /config/domain/shop",
	.says = CLI_SAYS_NOTHING,
	.run = run_mv,
};
