/* SPDX-License-Identifier: MIT */
/*
 * cmd_log.c - `xs log`, `xs rollback` and the two trees of `xs diff PATH@REV`: the history of the
 * persistent part.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cmds.h"
#include "die.h"
#include "json_out.h"
#include "past.h"
#include "past_log.h"
#include "rollback.h"
#include "store.h"
#include "table.h"
#include "text.h"

/* ---- log ---- */

#define ENOUGH 1 /* take_change(): no more is wanted */

struct log {
	struct table *table;
	json_t *list;
	long left;		/* revisions still to be shown */
	uint64_t last;		/* revision of the last one */
};

static void show_change(struct log *l, const struct xs_past_view *v)
{
	bool gone = v->rec.kind == XS_PAST_DEL;
	char *path = text_escape(v->path, v->rec.path_len);
	char *value = text_escape(v->value, v->rec.value_len);
	char time_text[32], who_text[80];

	past_when(v->rec.time_ns, time_text, sizeof(time_text));
	past_who(&v->rec, who_text, sizeof(who_text));
	table_cell(l->table, "%" PRIu64, v->rec.rev);
	table_cell(l->table, "%s", time_text);
	table_cell(l->table, "%s", who_text);
	table_cell(l->table, "%s %s%s%s", gone ? "-" : "+", path, gone ? "" : " = ",
		   gone ? "" : value);
	free(path);
	free(value);
}

static int take_change(void *arg, const struct xs_past_view *v)
{
	struct log *l = arg;

	if (v->rec.rev != l->last && l->left-- == 0)
		return ENOUGH;
	if (l->list)
		json_array_append_new(l->list, past_log_json(v));
	else
		show_change(l, v);
	l->last = v->rec.rev;
	return 0;
}

static int run_log(struct cli_args *a)
{
	static const char *const heads[] = { "REVISION", "WHEN", "WHO", "WHAT" };
	char *path = store_path(a->argc ? a->argv[0] : "/");
	struct log l = { .left = cli_num(a, "number", 1, 1000000, 1000000) };

	if (a->json)
		l.list = json_array();
	else
		l.table = table_create("rlll", heads);
	past_log(path, take_change, &l);
	if (l.list)
		json_print(l.list);
	else
		table_print(l.table, stdout);
	free(path);
	return CLI_OK;
}

static const struct cli_opt log_opts[] = {
	{ 'n', "number", "N", "the newest N revisions" },
	{ 0 },
};

const struct cli_cmd cmd_log = {
	.name = "log",
	.args = "[PATH]",
	.help = "what was changed at or below a persistent node, when and by whom",
	.more =
		"Newest first. A revision is what xs read PATH@REV, xs tree PATH@REV,\n"
		"xs diff PATH@REV and xs rollback take; permissions alone may have changed.\n"
		"Kept is what /config and /history were, bounded by size and age.",
	.opts = log_opts,
	.max_args = 1,
	.example = "xs log -n 5 /config/domain/web",
	.run = run_log,
};

/* ---- rollback ---- */

static void show_steps(const struct rollback *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		const struct rollback_step *s = &r->v[i];
		char *value = text_escape(s->value, s->value_len);

		printf("%s %s%s%s\n", s->gone ? "-" : "+", s->path, s->gone ? "" : " = ",
		       s->gone ? "" : value);
		free(value);
	}
}

static int run_rollback(struct cli_args *a)
{
	char *path = store_path(a->argc > 1 ? a->argv[1] : "/");
	struct rollback r = { .path = path, .rev = past_revision(a->argv[0]) };
	int rc = cli_has(a, "dry-run") ? rollback_ask(&r) : rollback_run(&r);

	if (*r.why)
		cli_die(CLI_FAIL, "%s: %s; nothing was changed", r.failed, r.why);
	if (rc)
		past_failed(r.failed ? r.failed : path, rc);
	if (a->json)
		json_print(rollback_json(&r));
	else
		show_steps(&r);
	rollback_fini(&r);
	free(path);
	return CLI_OK;
}

static const struct cli_opt rollback_opts[] = {
	{ 'n', "dry-run", NULL, "only show what would be changed" },
	{ 0 },
};

const struct cli_cmd cmd_rollback = {
	.name = "rollback",
	.args = "REV [PATH]",
	.help = "makes the persistent part, or what is below PATH, what it was at a revision",
	.more =
		"In one transaction, which is a revision as others: it can be rolled back, too.\n"
		"Shows what it changes.",
	.opts = rollback_opts,
	.min_args = 1,
	.max_args = 2,
	.example = "xs rollback -n 4711 /config/domain/web",
	.run = run_rollback,
};
