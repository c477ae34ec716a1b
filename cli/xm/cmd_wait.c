/* SPDX-License-Identifier: MIT */
/*
 * cmd_wait.c - xm wait: sleep until a domain is in a state.
 */
#include <errno.h>
#include <string.h>

#include "commands.h"
#include "domains.h"

static const struct cli_opt options[] = {
	{ 't', "timeout", "TIME", "give up after TIME (200ms, 5s, 2m) with status 124" },
	{ 0 },
};

/* What is waited for: a state's word, or one of these. */
struct goal {
	const char *word;
	bool stopped; /* no domain in memory: shut down, defined, failed or gone */
};

enum verdict { NOT_YET, MET, IMPOSSIBLE };

static enum verdict judge(const struct goal *goal, const struct domain *dom, bool present)
{
	bool started = strcmp(goal->word, "running") == 0 || strcmp(goal->word, "paused") == 0;

	if (goal->stopped)
		return !present || (!domain_is_live(dom) && dom->state != DOM_STARTING &&
				    dom->state != DOM_STOPPING)
			       ? MET
			       : NOT_YET;
	if (strcmp(goal->word, "gone") == 0)
		return present ? NOT_YET : MET;
	if (present && strcmp(goal->word, dom->state_word) == 0)
		return MET;
	/* A start that failed does not go on by itself. */
	return started && present && dom->state == DOM_FAILED ? IMPOSSIBLE : NOT_YET;
}

static int wait_for(struct xm *xm, const char *name, const struct goal *goal, int64_t deadline_ns)
{
	struct interrupts interrupts;
	int woken;
	enum verdict verdict = NOT_YET;
	struct domain dom;

	interrupts_open(&interrupts);
	do {
		woken = store_wait(xm->xs, interrupts.fd, deadline_ns);
		if (woken >= 0)
			verdict = judge(goal, &dom, domain_read(xm->xs, name, &dom));
	} while (woken > 0 && verdict == NOT_YET);
	interrupts_close(&interrupts);
	if (verdict == MET)
		return 0;
	if (verdict == IMPOSSIBLE)
		return xm_fail(xm, "%s failed to start ('%s why %s' tells more)", name, xm->prog,
			       name);
	if (woken < 0)
		return xm_fail(xm, "%s: no longer waited for", name);
	xm_fail(xm, "%s is not %s in time (it is %s)", name, goal->word, dom.state_word);
	return CLI_TIMEOUT;
}

static int run_wait(struct cli_args *args)
{
	struct xm *xm = args->with;
	const char *timeout = cli_str(args, "timeout", NULL), *name = args->argv[0];
	struct goal goal = { .word = args->argc > 1 ? args->argv[1] : "running" };
	int64_t deadline_ns = STORE_FOREVER;
	long ms;
	int ret;

	goal.stopped = strcmp(goal.word, "stopped") == 0;
	if (!goal.stopped && strcmp(goal.word, "gone") != 0 &&
	    dom_state_parse(goal.word) == DOM_UNKNOWN)
		return cli_refuse(args,
				  "'%s' is not a state: defined, starting, running, paused, stopping, "
				  "shutdown, crashed, failed; or stopped, gone",
				  goal.word);
	if (timeout && !cli_ms_of(timeout, &ms))
		return cli_refuse(args, "--timeout %s: " CLI_MS_WANTED, timeout);
	if (timeout)
		deadline_ns = store_deadline(ms * STORE_MS);
	if (domain_name_problem(name) && strcmp(name, "Domain-0") != 0)
		return xm_fail(xm, "'%s' is not a domain's name: it %s", name,
			       domain_name_problem(name));
	if (!xm_store(xm))
		return 1;
	/* The name itself is not watched: the domain may not exist yet. */
	if (!xs_watch(xm->xs, "/status/domain", "wait") ||
	    !xs_watch(xm->xs, "/config/domain", "wait"))
		return xm_fail_store(xm, "watching the domain", errno);
	ret = wait_for(xm, name, &goal, deadline_ns);
	xs_unwatch(xm->xs, "/status/domain", "wait");
	xs_unwatch(xm->xs, "/config/domain", "wait");
	return ret;
}

const struct cli_cmd cmd_wait = {
	.name = "wait",
	.args = "NAME [STATE]",
	.help = "Wait until a domain is running, or in another state",
	.more = "STATE: defined, starting, running (the default), paused, stopping, shutdown, "
		  "crashed,\n"
		  "failed; stopped (nothing of it in memory), gone (no record either).",
	.opts = options,
	.says = CLI_SAYS_NOTHING,
	.min_args = 1,
	.max_args = 2,
	.example = "xm wait --timeout=60 web stopped",
	.run = run_wait,
};
