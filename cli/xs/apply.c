/* SPDX-License-Identifier: MIT */
/*
 * apply.c - one transaction from a document to the store, and the check that needs both: whether
 * the records of domains that shall run are complete.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "apply.h"
#include "die.h"
#include "json_out.h"
#include "doc_limits.h"
#include "nearest.h"
#include "schema.h"
#include "store.h"

#define TRIES 100
#define RECORDS "/config/domain/"
#define PATTERN "/config/domain/$NAME/"

/* ---- complete records ---- */

/* The transaction has all changes in it: what it reads is what there will be. */
static char *value_after(uint32_t tx, const char *record, const char *key)
{
	char path[XENSTORE_ABS_PATH_MAX + 64];
	int rc;

	snprintf(path, sizeof(path), "%s/%s", record, key);
	return store_read(tx, path, NULL, &rc);
}

static bool will_run(uint32_t tx, const char *record)
{
	char *power = value_after(tx, record, "power");
	bool on;

	on = power && strcmp(power, "on") == 0;
	free(power);
	return on;
}

static void check_key(struct job *j, uint32_t tx, const struct want *w, const char *key)
{
	char *value = value_after(tx, w->path, key);

	if (!value || !*value) {
		j->nr_missing++;
		cli_warn("%s:%d:%d: %s: %s is missing, and power is on", j->doc.name, w->line,
			 w->column, w->path, key);
	}
	free(value);
}

/* Every key of a record that the schema does not call optional. */
static void check_record(struct job *j, uint32_t tx, const struct want *w)
{
	const struct schema_row *row;

	if (w->gone || !will_run(tx, w->path))
		return;
	for (size_t i = 0; (row = schema_at(i)); i++) {
		const char *key = row->path + strlen(PATTERN);

		if (strncmp(row->path, PATTERN, strlen(PATTERN)) == 0 && !strchr(key, '/') &&
		    !strchr(row->tags, 'o') && strcmp(key, "power") != 0)
			check_key(j, tx, w, key);
	}
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
		rc = check_records(j, tx);
	if (!rc && j->keep_set)
		rc = owners_write(&j->plan.owners, &j->doc, tx, &j->set);
	return !rc && j->dry_run ? -ECANCELED : rc;
}

void job_run(struct job *j)
{
	int rc;

	doc_limits_check(&j->doc);
	rc = xs_transact(store(), do_it, j, TRIES, NULL);
	if (j->moved)
		cli_die(CLI_FAIL, "the store changed after the plan was shown; nothing was done");
	if (j->nr_others)
		cli_die(CLI_FAIL, "%s: %u node%s of other documents; nothing was changed",
			j->doc.name, j->nr_others, j->nr_others > 1 ? "s" : "");
	if (j->nr_missing)
		cli_die(CLI_USAGE, "%s: %u problem%s; nothing was changed", j->doc.name,
			j->nr_missing, j->nr_missing > 1 ? "s" : "");
	if (rc && rc != -ECANCELED)
		store_failed(j->failed ? j->failed : j->set.failed ? j->set.failed : "commit", rc);
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
