/* SPDX-License-Identifier: MIT */
/*
 * cmd_export.c - xm export: a record as the configuration file it could have come from.
 */
#include <errno.h>
#include <stdlib.h>

#include "commands.h"
#include "domains.h"
#include "json_print.h"
#include "record_load.h"
#include "record_store.h"

static int run_export(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct record_keys keys = { 0 };
	struct domain dom;
	struct record *rec;
	int ret;

	if (domain_find(xm, args->argv[0], &dom))
		return 1;
	ret = record_load(xm->xs, dom.name, &keys);
	if (ret == -ENOENT)
		return xm_fail(xm, "%s has no stored record", dom.name);
	if (ret)
		return xm_fail_store(xm, "reading the record", -ret);
	rec = malloc(sizeof(*rec));
	if (rec)
		record_parse(rec, dom.name, &keys, record_warn, xm);
	free(rec);
	if (args->json)
		ret = json_say(&xm->voice, record_json(dom.name, &keys), JSON_XL);
	else
		record_print_cfg(dom.name, &keys, xm->out);
	record_keys_free(&keys);
	return ret;
}

const struct cli_cmd cmd_export = {
	.name = "export",
	.args = "DOMAIN",
	.help = "Print a domain's record as a configuration file",
	.more = "With its uuid and MACs: xm new takes it back as the same domain.",
	.min_args = 1,
	.max_args = 1,
	.example = "xm export web >web.cfg",
	.run = run_export,
};
