/* SPDX-License-Identifier: MIT */
/*
 * cmd_perms.c - `xs perms`: shows or sets permissions.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "long_value.h"
#include "store.h"

struct job {
	char *path;
	char perms[XENSTORE_PAYLOAD_MAX];
	size_t len;
	bool recursive;
	int rc;
};

static void set_done(void *arg, int rc, const char *data, size_t len)
{
	struct job *j = arg;

	(void)data;
	(void)len;
	if (rc && !j->rc)
		j->rc = rc;
}

static int set_one(struct job *j, uint32_t tx, const char *path)
{
	int rc = 0;
	/* of all below a node its parts are some */
	size_t nr = j->recursive ? 0 : long_parts_now(tx, path, &rc);

	return rc ? rc : long_submit_perms(tx, path, nr, j->perms, j->len, set_done, j);
}

static int set_all(void *arg, struct xs_client *c, uint32_t tx)
{
	struct job *j = arg;
	struct xs_node *root;
	char path[XENSTORE_ABS_PATH_MAX + 1];
	int rc;

	j->rc = 0;
	rc = xs_tree_read(c, tx, j->path, j->recursive ? -1 : 0, 0, &root);
	if (rc)
		return rc;
	for (struct xs_node *n = root; n && !rc; n = xs_tree_next(root, n)) {
		xs_tree_path(n, path, sizeof(path));
		rc = set_one(j, tx, path);
	}
	xs_client_wait(c);
	xs_tree_free(root);
	return rc ? rc : j->rc;
}

static void take_modes(struct cli_args *a, struct job *j)
{
	for (int i = 1; i < a->argc; i++) {
		const char *s = a->argv[i];
		char *end;
		long id = strtol(*s ? s + 1 : s, &end, 10);

		if (!*s || !strchr("nrwb", *s) || end == s + 1 || *end || id < 0 || id > 65535 ||
		    j->len + strlen(s) + 1 > sizeof(j->perms))
			cli_usage(a, "%s: n, r, w or b and a domain id is wanted, as in n0 r5", s);
		j->len += sprintf(j->perms + j->len, "%s", s) + 1;
	}
}

static int show(struct cli_args *a, const char *path)
{
	char text[XENSTORE_PAYLOAD_MAX];
	char *perms;
	size_t len;
	int rc = xs_sync_str(store(), XS_GET_PERMS, 0, path, &perms, &len);

	if (rc)
		store_failed(path, rc);
	store_perms_text(perms, len, text, sizeof(text));
	if (a->json)
		json_print(json_perms(perms, len));
	else
		puts(text);
	free(perms);
	return CLI_OK;
}

static int run_perms(struct cli_args *a)
{
	struct job j = { .path = store_path(a->argv[0]), .recursive = cli_has(a, "recursive") };
	int rc = 0;

	take_modes(a, &j);
	if (j.len)
		rc = xs_transact(store(), set_all, &j, XS_TRIES, NULL);
	else
		show(a, j.path);
	if (rc)
		store_failed(j.path, rc);
	if (a->json && j.len)
		json_print(json_pack("{s:b}", "ok", 1));
	free(j.path);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 'r', "recursive", NULL, "and everything below, in one transaction" },
	{ 0 },
};

const struct cli_cmd cmd_perms = {
	.name = "perms",
	.alias = "chmod",
	.args = "PATH [MODE...]",
	.help = "shows or sets permissions: n5 owner 5, others nothing; then r7 w8 b9",
	.more =
		"The first MODE names the owner and what everybody else may do (n nothing, r\n"
		"read, w write, b both); each further one what that domain may do.",
	.opts = opts,
	.min_args = 1,
	.max_args = -1,
	.example = "xs perms /tool/shared n0 r1",
	.run = run_perms,
};
