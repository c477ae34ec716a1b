/* SPDX-License-Identifier: MIT */
/*
 * cmd_history.c - xm history and xm why: what happened to a domain, from xend's /history and
 * /status. An entry is "TIME FROM TO WHY[: ERROR]" (docs/store-paths.md).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "commands.h"
#include "domains.h"
#include "json_print.h"
#include "nearest.h"

#define CONSOLE_LOG "/var/log/xen/console/guest-%s.log"

struct entry {
	char *text; /* cut by NULs; the fields point into it */
	const char *time, *from, *to, *why;
};

static bool entry_cut(struct entry *e, char *text)
{
	char *rest = text;

	e->text = text;
	e->time = strsep(&rest, " ");
	e->from = strsep(&rest, " ");
	e->to = strsep(&rest, " ");
	e->why = rest ? rest : "";
	return e->from && e->to;
}

static void entry_print(struct xm *xm, const struct entry *e)
{
	fprintf(xm->out, "%-20s  %-9s -> %-9s  %s\n", e->time, e->from, e->to, e->why);
}

static json_t *entry_json(const struct entry *e)
{
	return json_pack("{s:s, s:s, s:s, s:s}", "time", e->time, "from", e->from, "to", e->to,
			 "why", e->why);
}

/* The history may outlive the domain: a name that is nowhere else is looked for there too. */
static char **history_of(struct xm *xm, const char *arg, char name[DOMAIN_NAME_MAX + 1],
			 unsigned int *nr)
{
	struct domain dom;
	char **entries;

	if (!xm_store(xm))
		return NULL;
	snprintf(name, DOMAIN_NAME_MAX + 1, "%s", arg);
	entries = store_list(xm->xs, XBT_NULL, nr, "/history/domain/%s", name);
	if (entries)
		return entries;
	if (domain_find(xm, arg, &dom))
		return NULL;
	strcpy(name, dom.name);
	entries = store_list(xm->xs, XBT_NULL, nr, "/history/domain/%s", name);
	return entries ? entries : calloc(1, sizeof(*entries));
}

static int run_history(struct cli_args *args)
{
	struct xm *xm = args->with;
	json_t *list;
	char name[DOMAIN_NAME_MAX + 1], **entries;
	unsigned int nr = 0;

	entries = history_of(xm, args->argv[0], name, &nr);
	if (!entries)
		return 1;
	list = args->json ? json_array() : NULL;
	for (unsigned int i = 0; i < nr; i++) {
		char *text =
			store_read(xm->xs, XBT_NULL, "/history/domain/%s/%s", name, entries[i]);
		struct entry e;

		if (text && entry_cut(&e, text)) {
			if (list)
				json_array_append_new(list, entry_json(&e));
			else
				entry_print(xm, &e);
		}
		free(text);
	}
	free(entries);
	return list ? json_say(&xm->voice, list, JSON_ANSWER) : 0;
}

const struct cli_cmd cmd_history = {
	.name = "history",
	.args = "DOMAIN",
	.help = "Show what happened to a domain: when, from, to, why",
	.min_args = 1,
	.max_args = 1,
	.example = "xm history web",
	.run = run_history,
};

/* What the guest itself said before it went, or says now, is kept beside. */
static void say_last_words(struct xm *xm, const char *name)
{
	char path[sizeof(CONSOLE_LOG) + DOMAIN_NAME_MAX];

	snprintf(path, sizeof(path), CONSOLE_LOG, name);
	if (access(path, R_OK) == 0)
		fprintf(xm->out, "What it said is in %s.\n", path);
}

static int run_why(struct cli_args *args)
{
	struct xm *xm = args->with;
	char name[DOMAIN_NAME_MAX + 1], **entries, *text = NULL, *error;
	struct domain dom;
	struct entry e = { .why = "" };
	unsigned int nr = 0;
	bool gone;

	entries = history_of(xm, args->argv[0], name, &nr);
	if (!entries)
		return 1;
	domain_read(xm->xs, name, &dom);
	error = store_read(xm->xs, XBT_NULL, "/status/domain/%s/error", name);
	if (nr)
		text = store_read(xm->xs, XBT_NULL, "/history/domain/%s/%s", name, entries[nr - 1]);
	gone = !dom.has_record &&
	       !store_exists(xm->xs, "/status/domain/%s/state", name);
	fprintf(xm->out, "%s is %s", name, gone ? "gone" : dom.state_word);
	if (dom.domid >= 0)
		fprintf(xm->out, " (id %d)", dom.domid);
	if (text && entry_cut(&e, text))
		fprintf(xm->out, " since %s, was %s before: %s", e.time, e.from, e.why);
	fputc('\n', xm->out);
	if (error && *error && !(text && strstr(e.why, error)))
		fprintf(xm->out, "%s\n", error);
	say_last_words(xm, name);
	if (dom.foreign)
		fprintf(xm->out, "Other tools built it; here it can be seen and ended (%s destroy).\n",
			xm->prog);
	if (store_exists(xm->xs, "/status/domain/%s/pending", name))
		fputs("Its record was changed since it started; the change counts from its next "
		      "start.\n",
		      xm->out);
	free(error);
	free(text);
	free(entries);
	return 0;
}

const struct cli_cmd cmd_why = {
	.name = "why",
	.args = "DOMAIN",
	.help = "Say why a domain is in the state it is in, or is gone",
	.says = CLI_SAYS_NO_JSON,
	.min_args = 1,
	.max_args = 1,
	.example = "xm why web",
	.run = run_why,
};
