/* SPDX-License-Identifier: MIT */
/*
 * cmd_domid.c - xm domid and xm domname: names and numbers of running domains.
 */
#include "args.h"
#include "commands.h"
#include "domains.h"
#include "json_out.h"

static const struct opt options[] = {
	{'j', "json", NULL, "as JSON: name, domid and uuid"},
	{0},
};

static int identity_json(struct xm *xm, const struct domain *dom)
{
	return json_out(xm, json_pack("{s:s, s:i, s:s}", "name", dom->name, "domid", dom->domid,
				      "uuid", dom->uuid));
}

static int run_domid(struct xm *xm, const struct args *args)
{
	struct domain dom;

	if (domain_find_running(xm, args->at[0], &dom))
		return 1;
	if (args_has(args, 'j'))
		return identity_json(xm, &dom);
	fprintf(xm->out, "%d\n", dom.domid);
	return 0;
}

static int run_domname(struct xm *xm, const struct args *args)
{
	struct domain dom;

	if (domain_find_running(xm, args->at[0], &dom))
		return 1;
	if (args_has(args, 'j'))
		return identity_json(xm, &dom);
	fprintf(xm->out, "%s\n", dom.name);
	return 0;
}

const struct command cmd_domid = {
	.name = "domid",
	.usage = "[--json] NAME",
	.summary = "Print the ID of a running domain",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.example = "xm domid web",
	.run = run_domid,
};

const struct command cmd_domname = {
	.name = "domname",
	.usage = "[--json] ID",
	.summary = "Print the name of a running domain",
	.options = options,
	.min_args = 1,
	.max_args = 1,
	.example = "xm domname 3",
	.run = run_domname,
};
