/* SPDX-License-Identifier: MIT */
/*
 * cmd_delete.c - xm delete (undefine): a stored record is removed.
 */
#include <errno.h>
#include <stdlib.h>

#include "args.h"
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

static int run_delete(struct xm *xm, const struct args *args)
{
	int ret = 0;

	for (int i = 0; i < args->nr; i++)
		if (delete_one(xm, args->at[i]))
			ret = 1;
	return ret;
}

const struct command cmd_delete = {
	.name = "delete",
	.usage = "DOMAIN...",
	.summary = "Remove the stored record of a domain that does not run",
	.detail = "Disk images are not touched.",
	.min_args = 1,
	.max_args = -1,
	.example = "xm delete web",
	.run = run_delete,
};

const struct command cmd_undefine = {
	.name = "undefine",
	.usage = "DOMAIN...",
	.summary = "The same as delete",
	.min_args = 1,
	.max_args = -1,
	.example = "xm undefine web",
	.run = run_delete,
};
