/* SPDX-License-Identifier: MIT */
/*
 * cmd_list.c - xm list: the domains, in xl's table of six columns.
 *
 * Ganeti takes any line that does not split into six words for an error, and the ID for a number:
 * domains without one appear where they are asked for, and, called as xm, while they start or end.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "commands.h"
#include "domains.h"
#include "json_print.h"
#include "record_store.h"
#include "request.h"

static const struct cli_opt options[] = {
	{ 'a', "all", NULL, "also stored domains that do not run (ID is then -)" },
	{ 'l', "long", NULL, "everything about them, as JSON in xl's form" },
	{ 'v', "verbose", NULL, "also the UUID, and which ones other tools built" },
	{ 0 },
};

static void print_header(struct xm *xm, bool verbose)
{
	fprintf(xm->out, "%-40s %4s %5s %5s %10s %8s%s\n", "Name", "ID", "Mem", "VCPUs", "State",
		"Time(s)", verbose ? "   UUID" : "");
}

static void print_row(struct xm *xm, const struct domain *dom, bool verbose)
{
	char id[12] = "-";

	if (dom->domid >= 0)
		snprintf(id, sizeof(id), "%d", dom->domid);
	fprintf(xm->out, "%-40s %4s %5lld %5lld %10s %8.1f", dom->name, id,
		(dom->memory_kib + 1023) / 1024, dom->vcpus, domain_flags(dom),
		(double)dom->cpu_time_ns / 1e9);
	if (verbose)
		fprintf(xm->out, " %s%s", dom->uuid[0] ? dom->uuid : "-",
			dom->foreign ? " built by other tools" : "");
	fputc('\n', xm->out);
}

static json_t *row_json(const struct domain *dom)
{
	json_t *o = json_pack(
		"{s:s, s:o, s:s, s:s, s:I, s:I, s:f, s:s, s:b, s:b, s:b}", "name", dom->name, "domid",
		dom->domid >= 0 ? json_integer(dom->domid) : json_null(), "state", dom->state_word,
		"flags", domain_flags(dom), "memory_kib", (json_int_t)dom->memory_kib, "vcpus",
		(json_int_t)dom->vcpus, "cpu_seconds", (double)dom->cpu_time_ns / 1e9, "uuid",
		dom->uuid, "stored", dom->persistent, "record", dom->has_record,
		"foreign", dom->foreign);

	return o;
}

/*
 * xl list --long: domid and config; state added, which Pacemaker's agent greps for. No key may have
 * "status" in its name: the agent would take it for xend's old (status N).
 */
static json_t *long_json(struct xm *xm, const struct domain *dom)
{
	json_t *o = json_object(), *config = json_null();
	struct record rec;

	if (record_get(xm->xs, dom->name, &rec) == 0) {
		config = record_json_xl(&rec);
	}
	json_object_set_new(o, "domid", dom->domid >= 0 ? json_integer(dom->domid) : json_null());
	json_object_set_new(o, "config", config);
	json_object_set_new(o, "name", json_string(dom->name));
	json_object_set_new(o, "state", json_string(domain_flags(dom)));
	json_object_set_new(o, "memory_kib", json_integer(dom->memory_kib));
	json_object_set_new(o, "cpu_time", json_real((double)dom->cpu_time_ns / 1e9));
	return o;
}

struct view {
	struct xm *xm;
	const struct cli_args *args;
	json_t *json;
};

static void show(struct view *v, const struct domain *dom)
{
	if (cli_has(v->args, "long"))
		json_array_append_new(v->json, long_json(v->xm, dom));
	else if (v->args->json)
		json_array_append_new(v->json, row_json(dom));
	else
		print_row(v->xm, dom, cli_has(v->args, "verbose"));
}

static int show_named(struct view *v)
{
	int ret = 0;

	for (int i = 0; i < v->args->argc; i++) {
		struct domain dom;

		if (domain_find(v->xm, v->args->argv[i], &dom))
			return 1;
		/* Between two lives of a reboot there is no domain, and yet it is not stopped. */
		if (domain_is_active(&dom) || cli_has(v->args, "all"))
			show(v, &dom);
		else
			ret = xm_fail(v->xm, "domain '%s' is not running (it is %s)", dom.name,
				      dom.state_word);
	}
	return ret;
}

/* Who calls it xl (Ganeti) takes every ID for a number. */
static bool is_listed(const struct view *v, const struct domain *dom)
{
	if (cli_has(v->args, "all") || domain_is_live(dom))
		return true;
	return domain_is_active(dom) && strcmp(v->xm->prog, "xl") != 0;
}

static int show_all(struct view *v)
{
	struct domains all;
	int ret = domains_load(v->xm->xs, &all);

	if (ret)
		return xm_fail_store(v->xm, "reading the list of domains", -ret);
	for (size_t i = 0; i < all.nr; i++)
		if (is_listed(v, &all.at[i]))
			show(v, &all.at[i]);
	domains_fini(&all);
	return 0;
}

static int run_list(struct cli_args *args)
{
	struct xm *xm = args->with;
	bool table = !cli_has(args, "long") && !args->json;
	struct view v = { xm, args, NULL };
	int ret;

	if (!xm_store(xm))
		return 1;
	request_refresh(xm);
	if (table && !args->argc)
		print_header(xm, cli_has(args, "verbose"));
	if (table && args->argc) {
		struct domain dom;

		/* No header above an error alone. */
		if (domain_find(xm, args->argv[0], &dom))
			return 1;
		print_header(xm, cli_has(args, "verbose"));
	}
	v.json = table ? NULL : json_array();
	ret = args->argc ? show_named(&v) : show_all(&v);
	if (table)
		return ret;
	if (ret)
		json_decref(v.json);
	else
		ret = json_say(&xm->voice, v.json, cli_has(args, "long") ? JSON_XL : JSON_ANSWER);
	return ret;
}

const struct cli_cmd cmd_list = {
	.name = "list",
	.args = "[DOMAIN]...",
	.help = "List the domains",
	.more = "States: r running, b blocked (waiting), p paused, s shut down, c crashed, d "
		  "dying.",
	.opts = options,
	.max_args = -1,
	.example = "xm list -a",
	.run = run_list,
};

static int run_vm_list(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct domains all;
	int ret;

	if (!xm_store(xm))
		return 1;
	ret = domains_load(xm->xs, &all);
	if (ret)
		return xm_fail_store(xm, "reading the list of domains", -ret);
	fprintf(xm->out, "%-36s  %-5s  %s\n", "UUID", "ID", "name");
	for (size_t i = 0; i < all.nr; i++)
		if (domain_is_live(&all.at[i]))
			fprintf(xm->out, "%-36s  %-5d  %s\n",
				all.at[i].uuid[0] ? all.at[i].uuid
						  : "00000000-0000-0000-0000-000000000000",
				all.at[i].domid, all.at[i].name);
	domains_fini(&all);
	return 0;
}

const struct cli_cmd cmd_vm_list = {
	.name = "vm-list",
	.help = "List the running domains by UUID",
	.says = CLI_SAYS_NO_JSON,
	.example = "xm vm-list",
	.run = run_vm_list,
};
