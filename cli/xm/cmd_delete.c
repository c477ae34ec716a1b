/* SPDX-License-Identifier: MIT */
/*
 * cmd_delete.c - xm delete (undefine): a stored record is removed.
 */
#include <errno.h>
#include <stdlib.h>

#include "commands.h"
#include "domains.h"

static int remove_record(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const struct domain *dom = data;
	char *state = store_read(xs, t, "/status/domain/%s/state", dom->name);
	enum dom_state now = state ? dom_state_parse(state) : DOM_DEFINED;

	free(state);
	/* It may have been started since the user looked. */
	if (now != DOM_DEFINED && now != DOM_FAILED && now != DOM_SHUTDOWN && now != DOM_CRASHED)
		return -EBUSY;
	return store_remove(xs, t, "/config/domain/%s", dom->name);
}

static int delete_one(struct xm *xm, const char *name)
{
	struct domain dom;
	int ret = domain_find(xm, name, &dom);

	if (ret)
		return 1;
	if (!dom.has_record)
		return xm_fail(xm, "%s has no stored record", dom.name);
	ret = domain_is_live(&dom) ? -EBUSY : store_transact(xm->xs, remove_record, &dom);
	if (ret == -EBUSY)
		return xm_fail(xm, "%s is %s: '%s shutdown -w %s' or '%s destroy %s' first",
			       dom.name, dom.state_word, xm->prog, dom.name, xm->prog, dom.name);
	return ret ? xm_fail_store(xm, "removing the record", -ret) : 0;
}

static int run_delete(struct cli_args *args)
{
	struct xm *xm = args->with;
	int ret = 0;

	for (int i = 0; i < args->argc; i++)
		if (delete_one(xm, args->argv[i]))
			ret = 1;
	return ret;
}

const struct cli_cmd cmd_delete = {
	.name = "delete",
	.args = "DOMAIN...",
	.help = "Remove the stored record of a domain that does not run",
	.more = "Disk images are not touched.",
	.says = CLI_SAYS_NOTHING,
	.min_args = 1,
	.max_args = -1,
	.example = "xm delete web",
	.run = run_delete,
};

const struct cli_cmd cmd_undefine = {
	.name = "undefine",
	.args = "DOMAIN...",
	.help = "The same as delete",
	.says = CLI_SAYS_NOTHING,
	.min_args = 1,
	.max_args = -1,
	.example = "xm undefine web",
	.run = run_delete,
};
