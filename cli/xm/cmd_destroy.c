/* SPDX-License-Identifier: MIT */
/*
 * cmd_destroy.c - xm destroy, pause and unpause: what xend does at once, without the guest.
 */
#include <errno.h>

#include "commands.h"
#include "domains.h"
#include "request.h"

static const struct cli_opt force_option[] = {
	{ 'f', NULL, NULL, NULL }, /* xl destroy -f: for Domain-0; refused below all the same */
	{ 0 },
};

/* Every domain named that is @active, in order; goes on after one that fails. */
static int each(struct xm *xm, const struct cli_args *args,
		bool (*active)(const struct domain *dom),
		int (*act)(struct xm *xm, const struct domain *dom))
{
	int ret = 0;

	for (int i = 0; i < args->argc; i++) {
		struct domain dom;

		if (domain_find(xm, args->argv[i], &dom))
			ret = 1;
		else if (!active(&dom))
			ret = xm_fail(xm, "domain '%s' is not running (it is %s)", dom.name,
				      dom.state_word);
		else if (dom.domid == 0)
			ret = xm_fail(xm, "Domain-0 is the host itself: %s is not for it",
				      args->cmd->name);
		else if (act(xm, &dom))
			ret = 1;
	}
	return ret;
}

static int destroy_one(struct xm *xm, const struct domain *dom)
{
	return request_simple(xm, "destroy", dom->name, "not destroyed");
}

static int pause_one(struct xm *xm, const struct domain *dom)
{
	return request_simple(xm, "pause", dom->name, "not paused");
}

static int forget_paused(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const char *name = data;
	int has = store_has(xs, t, "/config/domain/%s/paused", name);

	if (has <= 0)
		return has ? has : -ENOENT;
	return store_write(xs, t, "0", "/config/domain/%s/paused", name);
}

static int unpause_one(struct xm *xm, const struct domain *dom)
{
	int ret = request_simple(xm, "unpause", dom->name, "not unpaused");

	/* xm create -p meant this start, not the ones after a reboot. */
	if (!ret)
		store_transact(xm->xs, forget_paused, (void *)dom->name);
	return ret;
}

static int run_destroy(struct cli_args *args)
{
	struct xm *xm = args->with;

	return each(xm, args, domain_is_active, destroy_one);
}

static int run_pause(struct cli_args *args)
{
	struct xm *xm = args->with;

	return each(xm, args, domain_is_live, pause_one);
}

static int run_unpause(struct cli_args *args)
{
	struct xm *xm = args->with;

	return each(xm, args, domain_is_live, unpause_one);
}

const struct cli_cmd cmd_destroy = {
	.name = "destroy",
	.args = "DOMAIN...",
	.help = "End a domain at once, without asking the guest",
	.more = "Like pulling the plug: what the guest has not written to its disks is lost.",
	.opts = force_option,
	.says = CLI_SAYS_NOTHING,
	.min_args = 1,
	.max_args = -1,
	.example = "xm destroy web",
	.run = run_destroy,
};

const struct cli_cmd cmd_pause = {
	.name = "pause",
	.args = "DOMAIN...",
	.help = "Stop a domain's virtual CPUs; it keeps its memory",
	.says = CLI_SAYS_NOTHING,
	.min_args = 1,
	.max_args = -1,
	.example = "xm pause web",
	.run = run_pause,
};

const struct cli_cmd cmd_unpause = {
	.name = "unpause",
	.args = "DOMAIN...",
	.help = "Let a paused domain go on",
	.says = CLI_SAYS_NOTHING,
	.min_args = 1,
	.max_args = -1,
	.example = "xm unpause web",
	.run = run_unpause,
};
