/* SPDX-License-Identifier: MIT */
/*
 * cmd_access.c - `xs access`: users and groups of the host by name, in the table that says what
 * they may do at the daemon's socket (xenstored(8)). The table knows them by number only.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "store.h"
#include "table.h"

#define DIR "/config/access"
#define FIRST_OWN 40001ul
#define LOWEST 32768ul
#define LAST 65533ul
#define LAST_ID (UINT32_MAX - 1ul) /* the one more means none to the kernel */

struct job {
	const char *kind;	/* "user", "group" */
	unsigned long id;
	const char *rights;	/* to be written; "own" before a number is found */
	char number[8];
	bool removes;
};

/* Whether @text is a number up to @last as the daemon spells it: another spelling is nobody's. */
static bool is_number(const char *text, unsigned long last, unsigned long *number)
{
	char again[24];

	*number = strtoul(text, NULL, 10);
	snprintf(again, sizeof(again), "%lu", *number);
	return strcmp(text, again) == 0 && *number <= last;
}

/* The number of the user or group that was named, or typed as a number. */
static unsigned long id_of(const char *name, bool group)
{
	const struct passwd *pw = group ? NULL : getpwnam(name);
	const struct group *gr = group ? getgrnam(name) : NULL;
	unsigned long id;

	if (pw || gr)
		return pw ? pw->pw_uid : gr->gr_gid;
	if (!is_number(name, LAST_ID, &id))
		cli_die(CLI_FAIL, "%s: there is no such %s", name, group ? "group" : "user");
	return id;
}

/* The name of a row, which is a number; that itself when nobody has it. */
static const char *name_of(const char *kind, const char *number)
{
	unsigned long id;
	bool user = *kind == 'u', is = is_number(number, LAST_ID, &id);
	const struct passwd *pw = is && user ? getpwuid((uid_t)id) : NULL;
	const struct group *gr = is && !user ? getgrgid((gid_t)id) : NULL;

	return pw ? pw->pw_name : gr ? gr->gr_name : number;
}

/* All rows, or NULL when there are none. */
static struct xs_node *read_table(uint32_t tx, int *rc)
{
	struct xs_node *root = NULL;

	*rc = xs_tree_read(store(), tx, DIR, 2, XS_TREE_VALUES | XS_TREE_SORT, &root);
	if (*rc == -ENOENT)
		*rc = 0;
	return *rc ? NULL : root;
}

static bool is_row(const struct xs_node *n)
{
	return n->parent && n->parent->parent && n->value &&
	       (strcmp(n->parent->name, "user") == 0 || strcmp(n->parent->name, "group") == 0);
}

static bool is_taken(struct xs_node *root, unsigned long number)
{
	for (struct xs_node *n = root; n; n = xs_tree_next(root, n)) {
		if (is_row(n) && strtoul(n->value, NULL, 10) == number)
			return true;
	}
	return false;
}

static bool is_own(const char *rights)
{
	unsigned long n;

	return is_number(rights, LAST, &n) && n >= LOWEST;
}

/* What "own" is: the number it has, or the first that nobody has. 0; -ENOSPC. */
static int find_number(struct job *j, uint32_t tx, const char *path)
{
	int rc;
	struct xs_node *root = read_table(tx, &rc);
	unsigned long n = FIRST_OWN;
	char *now = rc ? NULL : store_read(tx, path, &(size_t){ 0 }, &rc);

	if (rc == -ENOENT)
		rc = 0;
	while (!now && !rc && n <= LAST && is_taken(root, n))
		n++;
	if (now && is_own(now))
		snprintf(j->number, sizeof(j->number), "%s", now);
	else
		snprintf(j->number, sizeof(j->number), "%lu", n);
	j->rights = j->number;
	free(now);
	xs_tree_free(root);
	return rc ? rc : n > LAST ? -ENOSPC : 0;
}

static int change(void *arg, struct xs_client *c, uint32_t tx)
{
	struct job job = *(struct job *)arg, *j = &job;
	char path[64];
	int rc = 0;

	snprintf(path, sizeof(path), DIR "/%s/%lu", j->kind, j->id);
	if (j->removes) {
		rc = xs_sync_str(c, XS_READ, tx, path, NULL, NULL);
		return rc ? rc : xs_sync_str(c, XS_RM, tx, path, NULL, NULL);
	}
	if (strcmp(j->rights, "own") == 0)
		rc = find_number(j, tx, path);
	if (!rc)
		rc = xs_sync_write(c, tx, path, j->rights, strlen(j->rights));
	if (!rc)
		snprintf(((struct job *)arg)->number, sizeof(j->number), "%s", j->rights);
	return rc;
}

/* What a row says, also one that says nothing in any language. */
static json_t *said(const char *rights)
{
	json_t *v = json_string(rights);

	return v ? v : json_string("?");
}

static void print_rows(const json_t *rows)
{
	static const char *const heads[] = { "KIND", "NAME", "ID", "RIGHTS", NULL };
	static const char *const keys[] = { "kind", "name", "id", "rights" };
	struct table *t = table_create("llrl", heads);
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
		for (size_t k = 0; k < 4; k++)
			table_cell(t, "%s", json_string_value(json_object_get(row, keys[k])));
	table_print(t, stdout);
}

static bool is_of(const struct xs_node *row, const struct job *j)
{
	unsigned long id;

	return strcmp(row->parent->name, j->kind) == 0 && is_number(row->name, LAST_ID, &id) &&
	       id == j->id;
}

static _Noreturn void no_row(const struct cli_args *a)
{
	cli_die(CLI_FAIL, "%s: has no row (see: xs access)", a->argv[0]);
}

/* The rows; of @j alone when it is not NULL. Status. */
static int show(const struct cli_args *a, const struct job *j)
{
	struct xs_node *root;
	json_t *list;
	size_t nr;
	int rc;

	root = read_table(0, &rc);
	if (rc)
		store_failed(DIR, rc);
	list = json_array();
	for (struct xs_node *n = root; n; n = xs_tree_next(root, n)) {
		const char *kind = is_row(n) ? n->parent->name : "";

		if (!*kind || (j && !is_of(n, j)))
			continue;
		json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:o}", "kind", kind, "name",
						      name_of(kind, n->name), "id", n->name,
						      "rights", said(n->value)));
	}
	xs_tree_free(root);
	nr = json_array_size(list);
	if (a->json)
		json_print(json_incref(list));
	else if (nr)
		print_rows(list);
	else if (j)
		no_row(a);
	json_decref(list);
	return j && !nr ? CLI_FAIL : CLI_OK;
}

static int run_access(struct cli_args *a)
{
	struct job j = { .removes = cli_has(a, "remove") };
	int rc;

	if (a->argc == 0 && !j.removes)
		return show(a, NULL);
	if (a->argc == 0 || (j.removes && a->argc > 1))
		cli_usage(a, "--remove takes the NAME whose row it is");
	j.kind = cli_has(a, "group") ? "group" : "user";
	j.id = id_of(a->argv[0], cli_has(a, "group"));
	if (a->argc == 1 && !j.removes)
		return show(a, &j);
	j.rights = a->argv[1];
	if (!j.removes && strcmp(j.rights, "all") != 0 && strcmp(j.rights, "read") != 0 &&
	    strcmp(j.rights, "none") != 0 && strcmp(j.rights, "own") != 0 && !is_own(j.rights))
		cli_usage(a, "%s: all, read, none, own or a number from %lu to %lu is wanted",
			  j.rights, LOWEST, LAST);
	rc = xs_transact(store(), change, &j, XS_TRIES, NULL);
	if (j.removes && rc == -ENOENT)
		no_row(a);
	if (rc)
		store_failed(a->argv[0], rc);
	if (a->json)
		json_print(j.removes ? json_pack("{s:b}", "ok", 1) :
				       json_pack("{s:b, s:s}", "ok", 1, "rights", j.number));
	else if (!j.removes && strcmp(j.rights, "own") == 0)
		puts(j.number);
	return CLI_OK;
}

static const struct cli_opt opts[] = {
	{ 'g', "group", NULL, "NAME is a group" },
	{ 'r', "remove", NULL, "takes the row away" },
	{ 0 },
};

const struct cli_cmd cmd_access = {
	.name = "access",
	.args = "[NAME [RIGHTS]]",
	.help = "shows or sets what users and groups of the host may do",
	.more =
		"RIGHTS is all (everything), read (everything, and change nothing), none, own, or\n"
		"a number from 32768 on, by which permissions then know that user or group: own\n"
		"finds one and prints it. A change holds at once. See xenstored(8).",
	.opts = opts,
	.min_args = 0,
	.max_args = 2,
	.example = "xs access alice own\n"
		   "xs access -g staff read",
	.run = run_access,
};
