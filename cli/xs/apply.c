/* SPDX-License-Identifier: MIT */
/*
 * apply.c - one transaction from a document to the store, and the check that needs both: whether
 * the records of domains that shall run are complete.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xs_tree.h>

#include "apply.h"
#include "die.h"
#include "json_out.h"
#include "lifetime.h"
#include "doc_limits.h"
#include "nearest.h"
#include "record.h"
#include "record_tree.h"
#include "rules.h"
#include "schema.h"
#include "store.h"

#define RECORDS "/config/domain/"
#define PATTERN "/config/domain/$NAME/"

/* ---- complete records ---- */

struct judged {
	struct job *j;
	const struct want *w;
};

/* What no value alone shows: the place is the record's. */
static void wrong_in_record(void *data, const char *key, const char *text)
{
	const struct judged *judged = data;
	const struct want *w = judged->w;

	(void)key;
	judged->j->nr_missing++;
	cli_warn("%s:%d:%d: %s: %s, and power is on", judged->j->doc.name, w->line, w->column,
		 w->path, text);
}

/* The transaction has all changes in it: what it reads is what there will be. */
static int read_after(uint32_t tx, const char *path, struct record_keys *keys)
{
	struct xs_node *dir;
	int rc = xs_tree_read(store(), tx, path, -1, XS_TREE_VALUES, &dir);

	if (rc)
		return rc;
	record_keys_of_tree(keys, dir);
	xs_tree_free(dir);
	return 0;
}

/* A record that shall run must be one that xend would start. */
static void check_record(struct job *j, uint32_t tx, const struct want *w)
{
	struct judged judged = { j, w };
	struct record_keys keys = { 0 };
	char name[DOMAIN_NAME_MAX + 1];
	const char *power;
	struct record r;

	if (w->gone || read_after(tx, w->path, &keys))
		return;
	power = record_value(&keys, "power");
	if (!strcmp(power, "on")) {
		if (!domain_name_of_key(w->path + strlen(RECORDS), name))
			wrong_in_record(&judged, "", "this is no domain's name");
		else
			record_parse(&r, name, &keys, wrong_in_record, &judged);
	}
	record_keys_free(&keys);
}

/* A key that no record has is most likely a misspelt one; it is kept all the same. */
static void check_known(const struct job *j, const struct want *w)
{
	const char *key = strchr(w->path + strlen(RECORDS), '/') + 1;
	struct nearest best = { NULL, 0 };
	const struct schema_row *row;

	if (w->gone || schema_find(w->path))
		return;
	for (size_t i = 0; (row = schema_at(i)); i++)
		if (strncmp(row->path, PATTERN, strlen(PATTERN)) == 0 &&
		    !strchr(row->path + strlen(PATTERN), '/'))
			nearest_offer(&best, key, row->path + strlen(PATTERN));
	if (best.word)
		cli_warn("%s:%d:%d: %s: records have no such key; did you mean %s?", j->doc.name,
			 w->line, w->column, w->path, best.word);
}

static int check_records(struct job *j, uint32_t tx)
{
	j->nr_missing = 0;
	for (size_t i = 0; i < j->doc.nr; i++) {
		const char *path = j->doc.wants[i].path, *slash;

		if (strncmp(path, RECORDS, strlen(RECORDS)) != 0)
			continue;
		slash = strchr(path + strlen(RECORDS), '/');
		if (!slash)
			check_record(j, tx, &j->doc.wants[i]);
		else if (!strchr(slash + 1, '/') && j->doc.wants[i].line && !j->remarked)
			check_known(j, &j->doc.wants[i]);
	}
	j->remarked = true;
	return j->nr_missing ? -EINVAL : 0;
}

/* ---- other documents ---- */

static int check_owners(struct job *j)
{
	j->nr_others = 0;
	for (size_t i = 0; j->keep_set && !j->set.take && i < j->plan.nr; i++) {
		const struct change *c = &j->plan.v[i];
		const char *other = owners_other(&j->plan.owners, j->doc.set, c->path,
						 c->kind == CHANGE_REMOVE);

		if (!other)
			continue;
		j->nr_others++;
		cli_warn("%s:%d:%d: %s: the document %s declares it (--take takes it over)",
			 j->doc.name, c->want ? c->want->line : 1, c->want ? c->want->column : 1,
			 c->path, other);
	}
	return j->nr_others ? -EINVAL : 0;
}

/* ---- the transaction ---- */

static int make_plan(struct job *j, uint32_t tx)
{
	struct plan shown = j->plan;
	int rc;

	j->plan = (struct plan){ 0 };
	rc = plan_make(&j->plan, &j->doc, tx, j->prune, &j->failed);
	j->moved = !rc && j->asked && !plan_same(&shown, &j->plan);
	plan_free(&shown);
	return j->moved ? -ECANCELED : rc;
}

static int do_it(void *arg, struct xs_client *c, uint32_t tx)
{
	struct job *j = arg;
	int rc = make_plan(j, tx);

	(void)c;
	if (!rc)
		rc = check_owners(j);
	if (!rc)
		rc = plan_apply(&j->plan, tx, &j->failed);
	if (!rc)
		rc = rules_check_doc(tx, &j->doc, &j->plan, &j->nr_refused);
	if (!rc)
		rc = check_records(j, tx);
	if (!rc && j->keep_set)
		rc = owners_write(&j->plan.owners, &j->doc, tx, &j->set);
	return !rc && j->dry_run ? -ECANCELED : rc;
}

void job_run(struct job *j)
{
	int rc;

	doc_limits_check(&j->doc);
	rc = xs_transact(store(), do_it, j, XS_TRIES, NULL);
	if (j->moved)
		cli_die(CLI_FAIL, "the store changed after the plan was shown; nothing was done");
	if (j->nr_others)
		cli_die(CLI_FAIL, "%s: %u node%s of other documents; nothing was changed",
			j->doc.name, j->nr_others, j->nr_others > 1 ? "s" : "");
	j->nr_missing += j->nr_refused;
	if (j->nr_missing)
		cli_die(CLI_USAGE, "%s: %u problem%s; nothing was changed", j->doc.name,
			j->nr_missing, j->nr_missing > 1 ? "s" : "");
	if (rc && rc != -ECANCELED)
		store_failed(j->failed ? j->failed : j->set.failed ? j->set.failed : "commit", rc);
	for (size_t i = 0; !j->dry_run && i < j->plan.nr; i++)
		if (j->plan.v[i].kind == CHANGE_ADD || j->plan.v[i].kind == CHANGE_SET)
			lifetime_warn(j->plan.v[i].path);
}

void job_show(struct cli_args *a, const struct job *j)
{
	if (a->json || cli_has(a, "plan-json"))
		json_print(plan_json_patch(&j->plan));
	else
		plan_print(&j->plan);
}

void job_say_done(const struct job *j)
{
	if (j->plan.nr == 0)
		printf("nothing to change\n");
	else
		printf("%zu change%s%s\n", j->plan.nr, j->plan.nr > 1 ? "s" : "",
		       j->dry_run ? " would be made" : "");
}

void job_free(struct job *j)
{
	plan_free(&j->plan);
	doc_free(&j->doc);
	free(j->set.failed);
	free(j->failed);
}
