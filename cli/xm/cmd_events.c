/* SPDX-License-Identifier: MIT */
/*
 * cmd_events.c - xm events: one line for every change of a domain's state, as it happens.
 *
 * The store says only that something changed; the states are read again and compared. Two changes
 * in quick succession may therefore show as one, but the last state is always shown.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "commands.h"
#include "domains.h"
#include "json_print.h"

static const struct cli_opt options[] = {
	{ 'n', "number", "N", "leave after N changes" },
	{ 0, "timeout", "TIME", "leave after TIME (200ms, 5s, 2m) with status 0" },
	{ 0 },
};

struct events {
	struct xm *xm;
	const char *only; /* one domain's name, or NULL */
	bool json;
	long left; /* changes still to show; < 0: no limit */
	struct domains known;
};

static const struct domain *find(const struct domains *all, const char *name)
{
	for (size_t i = 0; i < all->nr; i++)
		if (strcmp(all->at[i].name, name) == 0)
			return &all->at[i];
	return NULL;
}

static void show(struct events *ev, const char *type, const char *name, const char *from,
		 const char *to, int domid)
{
	time_t now = time(NULL);
	struct tm tm;
	char when[32];
	json_t *o;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	if (!ev->json) {
		fprintf(ev->xm->out, "%s %s %s -> %s", when, name, from, to);
		if (domid >= 0)
			fprintf(ev->xm->out, " (id %d)", domid);
		fputc('\n', ev->xm->out);
	} else {
		o = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:o}", "v", 1, "type", type, "time",
			      when, "name", name, "from", from, "to", to, "domid",
			      domid >= 0 ? json_integer(domid) : json_null());
		json_say(&ev->xm->voice, o, JSON_LINE);
	}
	fflush(ev->xm->out);
	if (ev->left > 0 && strcmp(type, "initial") != 0)
		ev->left--;
}

static void compare(struct events *ev, const struct domains *now, bool first)
{
	for (size_t i = 0; i < now->nr && ev->left != 0; i++) {
		const struct domain *dom = &now->at[i], *old = find(&ev->known, dom->name);

		if (ev->only && strcmp(ev->only, dom->name) != 0)
			continue;
		if (first && ev->json)
			show(ev, "initial", dom->name, "-", dom->state_word, dom->domid);
		else if (!first &&
			 (!old || strcmp(old->state_word, dom->state_word) != 0 ||
			  (old->domid != dom->domid && dom->domid >= 0 && old->domid >= 0)))
			show(ev, "change", dom->name, old ? old->state_word : "-", dom->state_word,
			     dom->domid);
	}
	for (size_t i = 0; i < ev->known.nr && ev->left != 0; i++) {
		const struct domain *old = &ev->known.at[i];

		if (!find(now, old->name) && (!ev->only || strcmp(ev->only, old->name) == 0))
			show(ev, "change", old->name, old->state_word, "gone", -1);
	}
}

static int look(struct events *ev, bool first)
{
	struct domains now;
	int ret = domains_load(ev->xm->xs, &now);

	if (ret)
		return xm_fail_store(ev->xm, "reading the list of domains", -ret);
	compare(ev, &now, first);
	domains_fini(&ev->known);
	ev->known = now;
	return 0;
}

static int run_loop(struct events *ev, int64_t deadline_ns)
{
	struct interrupts interrupts;
	int woken = 1, ret;

	interrupts_open(&interrupts);
	ret = look(ev, true);
	while (!ret && woken > 0 && ev->left != 0) {
		woken = store_wait(ev->xm->xs, interrupts.fd, deadline_ns);
		if (woken > 0)
			ret = look(ev, false);
		if (ferror(ev->xm->out))
			break; /* our reader has gone: that is how such a pipe ends */
	}
	interrupts_close(&interrupts);
	if (woken < 0 && woken != -EINTR)
		ret = xm_fail(ev->xm, "the store went away");
	return ret;
}

static int run_events(struct cli_args *args)
{
	struct xm *xm = args->with;
	const char *number = cli_str(args, "number", NULL), *timeout = cli_str(args, "timeout", NULL);
	struct events ev = { .xm = xm,
			     .json = args->json,
			     .left = -1,
			     .only = args->argc ? args->argv[0] : NULL };
	int64_t deadline_ns = STORE_FOREVER;
	long ms;
	char *end;
	int ret;

	if (number) {
		ev.left = strtol(number, &end, 10);
		if (*end || ev.left < 1)
			return cli_refuse(args, "-n: '%s' is not a number of changes", number);
	}
	if (timeout && !cli_ms_of(timeout, &ms))
		return cli_refuse(args, "--timeout %s: " CLI_MS_WANTED, timeout);
	if (timeout)
		deadline_ns = store_deadline(ms * STORE_MS);
	if (!xm_store(xm))
		return 1;
	if (!xs_watch(xm->xs, "/status/domain", "events") ||
	    !xs_watch(xm->xs, "/config/domain", "events"))
		return xm_fail_store(xm, "watching the domains", errno);
	ret = run_loop(&ev, deadline_ns);
	domains_fini(&ev.known);
	return ret;
}

const struct cli_cmd cmd_events = {
	.name = "events",
	.args = "[NAME]",
	.help = "Print every change of a domain's state as it happens",
	.opts = options,
	.max_args = 1,
	.more = "With -j one JSON object a line.",
	.example = "xm events --json",
	.run = run_events,
};
