/* SPDX-License-Identifier: MIT */
/*
 * cmd_start.c - xm start: a stored record is switched on.
 */
#include <errno.h>

#include "commands.h"
#include "console.h"
#include "domains.h"
#include "start.h"

static const struct cli_opt options[] = {
	{ 'c', "console_autoconnect", NULL, "attach to the console as soon as the domain runs" },
	{ 'p', "paused", NULL, "leave the domain paused after it is built" },
	{ 'q', "quiet", NULL, "print errors only" },
	{ 0 },
};

struct switch_on {
	const char *name;
	bool paused;
};

static int switch_on(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const struct switch_on *on = data;
	int has = store_has(xs, t, "/config/domain/%s", on->name);
	int ret = has > 0 ? 0 : has < 0 ? has : -ENOENT;

	if (!ret)
		ret = start_forget(xs, t, on->name);
	if (!ret)
		ret = store_write(xs, t, on->paused ? "1" : "0", "/config/domain/%s/paused",
				  on->name);
	return ret ? ret : store_write(xs, t, "on", "/config/domain/%s/power", on->name);
}

static int run_start(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct switch_on on = { .paused = cli_has(args, "paused") };
	struct domain dom;
	int ret, domid;

	if (domain_find(xm, args->argv[0], &dom))
		return 1;
	if (domain_is_live(&dom))
		return xm_fail(xm, "%s is there already (%s, id %d)", dom.name, dom.state_word,
			       dom.domid);
	on.name = dom.name;
	ret = store_transact(xm->xs, switch_on, &on);
	if (ret == -ENOENT)
		return xm_fail(xm, "%s has no stored record any more", dom.name);
	if (ret == -EBUSY)
		return xm_fail(xm, "%s is just starting or ending (%s): try again", dom.name,
			       dom.state_word);
	if (ret)
		return xm_fail_store(xm, "switching the record on", -ret);
	ret = start_follow(xm, dom.name, cli_has(args, "quiet"), &domid);
	if (!ret && cli_has(args, "console_autoconnect"))
		ret = console_attach(xm, dom.name, -1);
	return ret;
}

const struct cli_cmd cmd_start = {
	.name = "start",
	.args = "DOMAIN",
	.help = "Start a domain that has a stored record",
	.opts = options,
	.says = CLI_SAYS_NO_JSON,
	.min_args = 1,
	.max_args = 1,
	.example = "xm start -c web",
	.run = run_start,
};
