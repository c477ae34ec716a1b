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
#include "kind.h"
#include "past.h"
#include "past_diff.h"
#include "store.h"
#include "table.h"
#include "text.h"

#define TRIES 100

/* ---- log ---- */

struct log {
	struct table *table;
	json_t *list;
	long left;		/* revisions still to be shown */
	bool enough;
	uint64_t last;		/* revision of the last one */
};

static void when(uint64_t time_ns, char *out, size_t size)
{
	time_t t = (time_t)(time_ns / 1000000000u);
	struct tm tm;

	localtime_r(&t, &tm);
	strftime(out, size, "%F %T", &tm);
}

/* "xm (uid 0)", "d3": the program's name is what it says of itself. */
static void who(const struct xs_past *r, char *out, size_t size)
{
	char *name = text_escape(r->program, strlen(r->program));

	if (r->domid)
		snprintf(out, size, "d%u", r->domid);
	else
		snprintf(out, size, "%s (uid %u)", name[0] ? name : "?", r->uid);
	free(name);
}

static void show_change(struct log *l, const struct xs_past_view *v)
{
	bool gone = v->rec.kind == XS_PAST_DEL;
	char *path = text_escape(v->path, v->rec.path_len);
	char *value = text_escape(v->value, v->rec.value_len);
	char time_text[32], who_text[80];

	when(v->rec.time_ns, time_text, sizeof(time_text));
	who(&v->rec, who_text, sizeof(who_text));
	if (l->list) {
		json_array_append_new(l->list, json_pack("{s:I, s:s, s:s, s:s, s:o}", "revision",
			(json_int_t)v->rec.rev, "when", time_text, "who", who_text, "path", path,
			"value", gone ? json_null() : json_value(v->value, v->rec.value_len)));
	} else {
		table_cell(l->table, "%" PRIu64, v->rec.rev);
		table_cell(l->table, "%s", time_text);
		table_cell(l->table, "%s", who_text);
		table_cell(l->table, "%s %s%s%s", gone ? "-" : "+", path, gone ? "" : " = ",
			   gone ? "" : value);
	}
	free(path);
	free(value);
}

static int take_change(void *arg, const struct xs_past_view *v)
{
	struct log *l = arg;

	if (v->rec.kind == XS_PAST_LIMIT)
		return 0;
	if (v->rec.kind != XS_PAST_PUT && v->rec.kind != XS_PAST_DEL)
		return -EPROTO;
	if (v->rec.rev != l->last && l->left > 0)
		l->left--;
	else if (v->rec.rev != l->last)
		l->enough = true;
	if (!l->enough)
		show_change(l, v);
	l->last = v->rec.rev;
	return 0;
}

static int run_log(struct cli_args *a)
{
	static const char *const heads[] = { "REVISION", "WHEN", "WHO", "WHAT" };
	char *path = store_path(a->argc ? a->argv[0] : "/");
	const char *words[] = { "log", path };
	struct log l = { .left = cli_num(a, "number", 1, 1000000, 1000000) };

	if (a->json)
		l.list = json_array();
	else
		l.table = table_create("rlll", heads);
	past_ask(words, 2, take_change, &l);
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

struct step {
	bool gone;
	uint8_t kind;
	char *path, *value, *perms;
	size_t value_len, perms_len;
};

struct rollback {
	const char *words[3];
	struct step *v;
	size_t nr;
	const char *failed;
};

static void forget(struct rollback *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		free(r->v[i].path);
		free(r->v[i].value);
		free(r->v[i].perms);
	}
	free(r->v);
	r->v = NULL;
	r->nr = 0;
}

static char *copy(const char *data, size_t len)
{
	char *out = must(malloc(len + 1));

	memcpy(out, data, len);
	out[len] = '\0';
	return out;
}

static int take_step(void *arg, const struct xs_past_view *v)
{
	struct rollback *r = arg;

	if (v->rec.kind == XS_PAST_LIMIT)
		return -ESTALE;
	if (v->rec.kind != XS_PAST_NODE && v->rec.kind != XS_PAST_GONE)
		return -EPROTO;
	r->v = must(realloc(r->v, (r->nr + 1) * sizeof(*r->v)));
	r->v[r->nr++] = (struct step){
		.gone = v->rec.kind == XS_PAST_GONE, .kind = v->rec.mark,
		.path = copy(v->path, v->rec.path_len),
		.value = copy(v->value, v->rec.value_len), .value_len = v->rec.value_len,
		.perms = copy(v->perms, v->rec.perms_len), .perms_len = v->rec.perms_len,
	};
	return 0;
}

static void kind_set(void *arg, int rc, const char *data, size_t len)
{
	(void)data;
	(void)len;
	*(int *)arg = rc;
}

static int do_step(struct xs_client *c, uint32_t tx, const struct step *s)
{
	const struct iovec perms[] = {
		{ s->path, strlen(s->path) + 1 }, { s->perms, s->perms_len },
	};
	int rc, kind_rc = 0;

	if (s->gone)
		return xs_sync_str(c, XS_RM, tx, s->path, NULL, NULL);
	rc = xs_sync_write(c, tx, s->path, s->value, s->value_len);
	if (!rc && kind_known())
		rc = kind_submit(tx, s->path, (enum xs_kind)s->kind, kind_set, &kind_rc);
	xs_client_wait(c);
	if (!rc)
		rc = kind_rc;
	return rc ? rc : xs_sync(c, XS_SET_PERMS, tx, perms, 2, NULL, NULL);
}

/* What has to change is asked anew each time: somebody else may have changed something. */
static int roll_back(void *arg, struct xs_client *c, uint32_t tx)
{
	struct rollback *r = arg;
	int rc;

	forget(r);
	rc = xs_past_ask(c, r->words, 3, take_step, r);
	r->failed = r->words[2];
	for (size_t i = 0; i < r->nr && !rc; i++) {
		r->failed = r->v[i].path;
		rc = do_step(c, tx, &r->v[i]);
	}
	return rc;
}

static void print_steps(const struct rollback *r)
{
	json_t *list = json_array();

	for (size_t i = 0; i < r->nr; i++) {
		const struct step *s = &r->v[i];

		json_array_append_new(list, json_pack("{s:s, s:o}", "path", s->path, "value",
			s->gone ? json_null() : json_value(s->value, s->value_len)));
	}
	json_print(list);
}

static void show_steps(const struct rollback *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		const struct step *s = &r->v[i];
		char *value = text_escape(s->value, s->value_len);

		printf("%s %s%s%s\n", s->gone ? "-" : "+", s->path, s->gone ? "" : " = ",
		       s->gone ? "" : value);
		free(value);
	}
}

static int run_rollback(struct cli_args *a)
{
	char *path = store_path(a->argc > 1 ? a->argv[1] : "/");
	char number[24];
	struct rollback r = { .words = { "diff", number, path } };
	int rc;

	snprintf(number, sizeof(number), "%" PRIu64, past_revision(a->argv[0]));
	if (cli_has(a, "dry-run"))
		past_ask(r.words, 3, take_step, &r);
	else if ((rc = xs_transact(store(), roll_back, &r, TRIES, NULL)))
		past_failed(r.failed ? r.failed : path, rc);
	if (a->json)
		print_steps(&r);
	else
		show_steps(&r);
	forget(&r);
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
