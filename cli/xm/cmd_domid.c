/* SPDX-License-Identifier: MIT */
/*
 * cmd_domid.c - xm domid and xm domname: names and numbers of running domains.
 */
#include "commands.h"
#include "domains.h"
#include "json_print.h"

static int identity_json(struct xm *xm, const struct domain *dom)
{
	json_t *o = json_pack("{s:s, s:i, s:s}", "name", dom->name, "domid", dom->domid, "uuid",
			      dom->uuid);

	return json_say(&xm->voice, o, JSON_ANSWER);
}

static int run_domid(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct domain dom;

	if (domain_find_running(xm, args->argv[0], &dom))
		return 1;
	if (args->json)
		return identity_json(xm, &dom);
	fprintf(xm->out, "%d\n", dom.domid);
	return 0;
}

static int run_domname(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct domain dom;

	if (domain_find_running(xm, args->argv[0], &dom))
		return 1;
	if (args->json)
		return identity_json(xm, &dom);
	fprintf(xm->out, "%s\n", dom.name);
	return 0;
}

const struct cli_cmd cmd_domid = {
	.name = "domid",
	.args = "NAME",
	.help = "Print the ID of a running domain",
	.min_args = 1,
	.max_args = 1,
	.example = "xm domid web",
	.run = run_domid,
};

const struct cli_cmd cmd_domname = {
	.name = "domname",
	.args = "ID",
	.help = "Print the name of a running domain",
	.min_args = 1,
	.max_args = 1,
	.example = "xm domname 3",
	.run = run_domname,
};
