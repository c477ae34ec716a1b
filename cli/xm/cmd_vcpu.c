/* SPDX-License-Identifier: MIT */
/*
 * cmd_vcpu.c - xm vcpu-list, vcpu-pin, sched-credit: where virtual CPUs run and how much. The
 * hypervisor knows; xend asks it (docs/store-paths.md, /request).
 */
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "cpu_list.h"
#include "domains.h"
#include "json_print.h"
#include "request.h"

/* "NUMBER CPU STATE SECONDS HARD SOFT", as xend says it. */
struct vcpu {
	char number[16], cpu[16], state[8], seconds[24], hard[256], soft[256];
};

static bool vcpu_read(struct xs_handle *xs, const struct request *req, int i, struct vcpu *v)
{
	char *line = store_read(xs, XBT_NULL, "/request/%s/output/%d", req->id, i);
	bool ok = line && sscanf(line, "%15s %15s %7s %23s %255s %255s", v->number, v->cpu,
				 v->state, v->seconds, v->hard, v->soft) == 6;

	free(line);
	return ok;
}

static void vcpu_show(struct xm *xm, const struct domain *dom, const struct vcpu *v, json_t *list)
{
	if (!list) {
		fprintf(xm->out, "%-32s %5d %5s %5s %6s %9s  %s / %s\n", dom->name, dom->domid,
			v->number, v->cpu, v->state, v->seconds, v->hard, v->soft);
		return;
	}
	json_array_append_new(list, json_pack("{s:s, s:i, s:i, s:s, s:s, s:f, s:s, s:s}", "name",
					      dom->name, "id", dom->domid, "vcpu", atoi(v->number),
					      "cpu", v->cpu, "state", v->state, "seconds",
					      atof(v->seconds), "hard", v->hard, "soft", v->soft));
}

static int list_one(struct xm *xm, const struct domain *dom, json_t *list)
{
	struct request req = { .op = "vcpu-list", .domain = dom->name };
	int ret = request_told(xm, &req, "its virtual CPUs are not known");
	struct vcpu v;

	for (int i = 0; !ret && vcpu_read(xm->xs, &req, i, &v); i++)
		vcpu_show(xm, dom, &v, list);
	request_close(xm->xs, &req);
	return ret;
}

/* Runs @one for the domains named, or for all that run. */
static int for_domains(struct xm *xm, int nr, char *const *names, json_t *list,
		       int (*one)(struct xm *xm, const struct domain *dom, json_t *list))
{
	struct domains all = { 0 };
	struct domain dom;
	int ret = 0;

	for (int i = 0; i < nr && !ret; i++)
		ret = domain_find_running(xm, names[i], &dom) ? 1 : one(xm, &dom, list);
	if (nr)
		return ret;
	if (!xm_store(xm) || domains_load(xm->xs, &all) < 0)
		return xm_fail(xm, "cannot read the list of domains");
	for (size_t i = 0; i < all.nr && !ret; i++)
		if (domain_is_live(&all.at[i]))
			ret = one(xm, &all.at[i], list);
	domains_fini(&all);
	return ret;
}

static int print_list(struct xm *xm, json_t *list, int ret)
{
	if (list && !ret)
		return json_say(&xm->voice, list, JSON_ANSWER);
	json_decref(list);
	return ret;
}

static int run_vcpu_list(struct cli_args *args)
{
	struct xm *xm = args->with;
	json_t *list = args->json ? json_array() : NULL;

	if (!list)
		fprintf(xm->out, "%-32s %5s %5s %5s %6s %9s  %s\n", "Name", "ID", "VCPU", "CPU",
			"State", "Time(s)", "Affinity (Hard / Soft)");
	return print_list(xm, list, for_domains(xm, args->argc, args->argv, list, list_one));
}

const struct cli_cmd cmd_vcpu_list = {
	.name = "vcpu-list",
	.args = "[DOMAIN]...",
	.help = "List virtual CPUs: where they run, where they may",
	.more = "State: r runs now, b waits for something, p switched off by the guest.",
	.max_args = -1,
	.example = "xm vcpu-list web",
	.run = run_vcpu_list,
};

/* ---- what is set is kept in the record, for the next start ---- */

struct keep {
	const char *name;
	const char *weight, *cap; /* NULL: as it is */
	const char *vcpu, *hard;  /* of vcpu-pin */
};

static int keep_pin(struct xs_handle *xs, xs_transaction_t t, const struct keep *k)
{
	char *now = store_read(xs, t, RECORD_ROOT "/%s/cpus", k->name), cpus[RECORD_CPUS_MAX + 1];
	long long nr = 1;
	unsigned int vcpu;
	int ret;

	if (!store_read_number(xs, t, &nr, RECORD_ROOT "/%s/maxvcpus", k->name))
		store_read_number(xs, t, &nr, RECORD_ROOT "/%s/vcpus", k->name);
	if (nr < 1 || nr > RECORD_VCPUS_MAX)
		nr = RECORD_VCPUS_MAX;
	vcpu = strcmp(k->vcpu, "all") ? (unsigned int)strtoul(k->vcpu, NULL, 10) : (unsigned int)nr;
	ret = cpu_list_set(now && *now ? now : "all", vcpu, (unsigned int)nr, k->hard, cpus,
			   sizeof(cpus));
	free(now);
	return ret ? ret : store_write(xs, t, cpus, RECORD_ROOT "/%s/cpus", k->name);
}

static int keep_body(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	const struct keep *k = data;
	int ret = store_has(xs, t, RECORD_ROOT "/%s", k->name);

	/* Domain-0, and what was made by others, has no record. */
	if (ret <= 0)
		return ret;
	ret = 0;
	if (k->weight)
		ret = store_write(xs, t, k->weight, RECORD_ROOT "/%s/cpu_weight", k->name);
	if (!ret && k->cap)
		ret = store_write(xs, t, k->cap, RECORD_ROOT "/%s/cap", k->name);
	return ret || !k->hard ? ret : keep_pin(xs, t, k);
}

static int keep(struct xm *xm, struct keep k)
{
	int ret = store_transact(xm->xs, keep_body, &k);

	return ret ? xm_fail_store(xm, "writing the record", -ret) : 0;
}

static const struct cli_opt pin_options[] = {
	{ 'l', "live", NULL, "only the running domain, not its stored record" },
	{ 'f', "force", NULL, NULL }, /* xl: also what a guest has pinned itself, which none can */
	{ 0 },
};

/* ---- vcpu-pin ---- */

static int run_vcpu_pin(struct cli_args *args)
{
	struct xm *xm = args->with;
	const char *vcpu = args->argv[1], *hard = args->argv[2];
	const char *soft = args->argc > 3 ? args->argv[3] : NULL;
	struct request_arg with[4] = { { "vcpu", vcpu } };
	struct request req = { .op = "vcpu-pin", .args = with };
	struct domain dom;
	int nr = 1, ret;

	if (strcmp(vcpu, "all") != 0 && (!*vcpu || vcpu[strspn(vcpu, "0123456789")]))
		return cli_refuse(args, "'%.32s' is not a virtual CPU: a number, or all", vcpu);
	if (strcmp(hard, "-") != 0)
		with[nr++] = (struct request_arg){ "hard", hard };
	if (soft && strcmp(soft, "-") != 0)
		with[nr++] = (struct request_arg){ "soft", soft };
	if (domain_find_running(xm, args->argv[0], &dom))
		return 1;
	req.domain = dom.name;
	ret = request_told(xm, &req, "not pinned");
	request_close(xm->xs, &req);
	if (ret || strcmp(hard, "-") == 0 || cli_has(args, "live"))
		return ret;
	return keep(xm, (struct keep){ .name = dom.name, .vcpu = vcpu, .hard = hard });
}

const struct cli_cmd cmd_vcpu_pin = {
	.name = "vcpu-pin",
	.args = "DOMAIN VCPU CPUS [SOFT-CPUS]",
	.help = "Say on which CPUs a virtual CPU may run",
	.more = "VCPU is a number or all. CPUS are where it may run, SOFT-CPUS where it had "
		  "better:\n"
		  "0-3,^2, all,^0, or - to leave that as it is. The record keeps CPUS for the next\n"
		  "start.",
	.opts = pin_options,
	.says = CLI_SAYS_NOTHING,
	.min_args = 3,
	.max_args = 4,
	.example = "xm vcpu-pin web all 1-3",
	.run = run_vcpu_pin,
};

/* ---- sched-credit ---- */

static const struct cli_opt credit_options[] = {
	{ 'd', "domain", "DOMAIN", "of this domain only" },
	{ 'w', "weight", "WEIGHT", "its share beside others': 1 to 65535, 256 is usual" },
	{ 'c', "cap", "PERCENT", "at most that much of one CPU; 0: no limit" },
	{ 'l', "live", NULL, "only the running domain, not its stored record" },
	{ 0 },
};

static int credit(struct xm *xm, const struct domain *dom, const char *weight, const char *cap,
		  json_t *list)
{
	struct request_arg with[3] = { { NULL, NULL } };
	struct request req = { .op = "sched-credit", .domain = dom->name, .args = with };
	long long now[2] = { 0, 0 };
	char *line;
	int nr = 0, ret;

	if (weight)
		with[nr++] = (struct request_arg){ "weight", weight };
	if (cap)
		with[nr++] = (struct request_arg){ "cap", cap };
	ret = request_told(xm, &req, "no weight and cap");
	line = ret ? NULL : store_read(xm->xs, XBT_NULL, "/request/%s/output/0", req.id);
	if (line && sscanf(line, "%lld %lld", &now[0], &now[1]) == 2 && list)
		json_array_append_new(
			list, json_pack("{s:s, s:i, s:I, s:I}", "name", dom->name, "id", dom->domid,
					"weight", (json_int_t)now[0], "cap", (json_int_t)now[1]));
	else if (line && !nr)
		fprintf(xm->out, "%-32s %5d %6lld %5lld\n", dom->name, dom->domid, now[0], now[1]);
	free(line);
	request_close(xm->xs, &req);
	return ret;
}

static int credit_shown(struct xm *xm, const struct domain *dom, json_t *list)
{
	return credit(xm, dom, NULL, NULL, list);
}

static bool is_number(const char *text)
{
	return !text || (*text && !text[strspn(text, "0123456789")]);
}

static int set_credit(struct xm *xm, const struct cli_args *args, const char *name,
		      const char *weight, const char *cap)
{
	struct domain dom;

	if (domain_find_running(xm, name, &dom) || credit(xm, &dom, weight, cap, NULL))
		return 1;
	if (cli_has(args, "live"))
		return 0;
	return keep(xm, (struct keep){ .name = dom.name, .weight = weight, .cap = cap });
}

static int run_sched_credit(struct cli_args *args)
{
	struct xm *xm = args->with;
	const char *name = cli_str(args, "domain", NULL), *weight = cli_str(args, "weight", NULL);
	const char *cap = cli_str(args, "cap", NULL);
	json_t *list;

	if (!is_number(weight) || !is_number(cap))
		return cli_refuse(args, "weight and cap are numbers");
	if ((weight || cap) && !name)
		return cli_refuse(args, "whose? name the domain with -d");
	if (weight || cap)
		return set_credit(xm, args, name, weight, cap);
	list = args->json ? json_array() : NULL;
	if (!list)
		fprintf(xm->out, "%-32s %5s %6s %5s\n", "Name", "ID", "Weight", "Cap");
	return print_list(xm, list,
			  for_domains(xm, name != NULL, (char *const *)&name, list, credit_shown));
}

const struct cli_cmd cmd_sched_credit = {
	.name = "sched-credit",
	.alias = "sched-credit2", /* what xl calls it by the scheduler that Xen has now */
	.help = "Show or set domains' shares of the CPUs",
	.more = "Without -w and -c it shows. What is set is kept in the record for the next "
		  "start.",
	.opts = credit_options,
	.example = "xm sched-credit -d web -w 512 -c 150",
	.run = run_sched_credit,
};
