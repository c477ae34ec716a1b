/* SPDX-License-Identifier: MIT */
/*
 * cmd_mem_set.c - xm mem-set, mem-max and vcpu-set: what a running guest adjusts itself to.
 *
 * Both speak to the guest by Xen's own keys: memory/target is followed by its balloon driver,
 * cpu/N/availability by its CPU hotplug. A stored record is changed along, so that the next start
 * agrees. Source: Xen's xenstore-paths, memory/target and cpu.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "commands.h"
#include "domains.h"
#include "record_store.h"
#include "request.h"

#define MEMORY_MIN_KIB 4096
#define MEMORY_MAX_KIB (1LL << 34) /* a record's most */
#define DOM0_MIN_KIB (128 << 10) /* as xl */

static const struct cli_opt mem_set_options[] = {
	{ 'l', "live", NULL, "only the running domain, not its stored record" },
	{ 'f', "force", NULL, "even if that is less than a Linux of its size can live with" },
	{ 0 },
};

static const struct cli_opt scope_options[] = {
	{ 'l', "live", NULL, "only the running domain, not its stored record" },
	{ 0 },
};

static const struct cli_opt vcpu_set_options[] = {
	{ 'l', "live", NULL, "only the running domain, not its stored record" },
	{ 'i', "ignore-host", NULL, NULL }, /* xl: though the host has fewer, which is not asked here */
	{ 0 },
};

/*
 * "128" and "128m" MiB, "1g" GiB, "1t" TiB, "131072k" KiB, "134217728b" bytes, as xl; "128MB" too.
 * -1 for anything else.
 */
static long long memory_kib(const char *text)
{
	static const char units[] = "kmgt"; /* each 1024 of the one before */
	char *end;
	long long n = strtoll(text, &end, 10);
	const char *unit = *end ? strchr(units, tolower((unsigned char)*end)) : units + 1;

	if (end == text || n <= 0 || n >= 1LL << 40)
		return -1;
	if (!strcasecmp(end, "b"))
		return n >> 10;
	if (!unit || (*end && end[1] && strcasecmp(end + 1, "b")))
		return -1;
	n = n <= MEMORY_MAX_KIB >> 10 * (unit - units) ? n << 10 * (unit - units) : -1;
	return n;
}

struct change {
	const struct domain *dom;
	bool live_only;
	long long value;    /* KiB, or virtual CPUs */
	long long possible; /* virtual CPUs there can be */
	long long kept;	    /* KiB that the record says then */
	char why[SPEC_ERROR_LEN]; /* the record stays as it is; "": it was changed */
};

/*
 * The least that Linux's own balloon driver once kept of a domain that can have @max KiB: what the
 * kernel holds for its most memory grows with that. Source: minimum_target() of the XenLinux tree.
 */
static long long linux_least(long long max)
{
	static const struct {
		long long below_mib, base_mib;
		int shift;
	} lines[] = { { 128, 8, 1 }, { 512, 40, 2 }, { 2048, 104, 3 }, { 1LL << 40, 296, 5 } };
	size_t i = 0;

	while (max >= lines[i].below_mib << 10)
		i++;
	max = (lines[i].base_mib << 10) + (max >> lines[i].shift);
	return max;
}

/* What its kernel needs to start; 0: not known. */
static long long start_need(struct xs_handle *xs, xs_transaction_t t, const struct domain *dom)
{
	long long kib = 0;

	store_read_number(xs, t, &kib, "/status/domain/%s/start_kib", dom->name);
	return kib > 0 ? kib : 0;
}

/* A record that could not start with it stays as it is; c->why then says why. */
static int set_record(struct xs_handle *xs, xs_transaction_t t, struct change *c, const char *key,
		      long long value)
{
	char text[24];
	int ret;

	snprintf(text, sizeof(text), "%lld", value);
	ret = record_set(xs, t, c->dom->name, key, text, c->why);
	return ret == RECORD_KEPT ? 0 : ret;
}

static int finish(struct xm *xm, const struct change *c, int ret, const char *what)
{
	if (ret == -ESRCH)
		return xm_fail(xm, "%s has ended meanwhile", c->dom->name);
	if (ret < 0)
		return xm_fail_store(xm, what, -ret);
	if (!ret && c->why[0])
		xm_warn(xm, "%s: its record stays as it is: it could not start with %s",
			c->dom->name, c->why);
	return ret;
}

static int write_memory(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	struct change *c = data;
	char kib[24];
	int ret = domain_has_home(xs, t, c->dom);

	snprintf(kib, sizeof(kib), "%lld", c->value);
	if (!ret)
		ret = store_write(xs, t, kib, "/local/domain/%d/memory/target", c->dom->domid);

	/* The next start must be possible. */
	c->kept = c->value;
	if (c->kept < start_need(xs, t, c->dom))
		c->kept = start_need(xs, t, c->dom);
	if (!ret && !c->live_only)
		return set_record(xs, t, c, "memory", (c->kept + 1023) / 1024);
	c->kept = c->value;
	return ret;
}

/* 0; 1 after saying that it would not live with it. @max: the most it can have, KiB. */
static int check_least(struct xm *xm, const struct change *c, long long max)
{
	long long least = linux_least(max), need = start_need(xm->xs, XBT_NULL, c->dom);

	if (c->dom->domid == 0 && least < DOM0_MIN_KIB)
		least = DOM0_MIN_KIB;
	if (least < need)
		least = need;
	if (least > max)
		least = max;
	if (c->value >= least)
		return 0;
	return xm_fail(xm,
		       "%s: %lld MiB is less than a kernel made for %lld MiB can live with, about "
		       "%lld MiB: -f does it all the same",
		       c->dom->name, c->value / 1024, max / 1024, (least + 1023) / 1024);
}

static int run_mem_set(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct change c = { .live_only = cli_has(args, "live"), .value = memory_kib(args->argv[1]) };
	struct domain dom;
	long long max;
	bool limited;
	int ret;

	if (c.value < 0)
		return cli_refuse(args, "'%s' is not an amount of memory: 128 or 128m (MiB), 1g, 65536k",
				  args->argv[1]);
	if (domain_find_running(xm, args->argv[0], &dom))
		return 1;
	if (c.value < MEMORY_MIN_KIB)
		return xm_fail(xm, "%s: %lld KiB is too little: 4 MiB at least", dom.name, c.value);
	limited = store_read_number(xm->xs, XBT_NULL, &max, "/local/domain/%d/memory/static-max",
				    dom.domid);
	if (limited && c.value > max)
		return xm_fail(xm,
			       "%s: %lld MiB is more than it can have, %lld MiB (maxmem of its "
			       "record, as it was started)",
			       dom.name, c.value / 1024, max / 1024);
	c.dom = &dom;
	/* What it has now may not be known yet. */
	if (!cli_has(args, "force") && (!dom.memory_kib || c.value < dom.memory_kib) &&
	    check_least(xm, &c, limited ? max : dom.memory_kib))
		return 1;
	ret = store_transact(xm->xs, write_memory, &c);
	if (!ret && c.kept > c.value && !c.why[0])
		xm_warn(xm,
			"%s: its record says %lld MiB for the next start: its kernel needs that",
			dom.name, (c.kept + 1023) / 1024);
	return finish(xm, &c, ret, "writing memory/target");
}

const struct cli_cmd cmd_mem_set = {
	.name = "mem-set",
	.args = "DOMAIN MEMORY",
	.help = "Tell a running domain how much memory to use",
	.more = "MEMORY is in MiB, or has a unit: b, k, m, g, t. The guest's balloon driver follows in "
		  "its own\n"
		  "time; maxmem of the record is the limit. The record keeps at least what the "
		  "kernel\n"
		  "needs to start.",
	.opts = mem_set_options,
	.says = CLI_SAYS_NOTHING,
	.min_args = 2,
	.max_args = 2,
	.example = "xm mem-set web 96",
	.run = run_mem_set,
};

static int write_max(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	struct change *c = data;

	return set_record(xs, t, c, "maxmem", (c->value + 1023) / 1024);
}

static int run_mem_max(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct change c = { .live_only = cli_has(args, "live"), .value = memory_kib(args->argv[1]) };
	char kib[24];
	const struct request_arg with[] = { { "kib", kib }, { NULL, NULL } };
	struct request req = { .op = "mem-max", .args = with };
	struct domain dom;
	long long target = 0;
	int ret;

	if (c.value < 0)
		return cli_refuse(args, "'%s' is not an amount of memory: 128 or 128m (MiB), 1g, 65536k",
				  args->argv[1]);
	if (domain_find_running(xm, args->argv[0], &dom))
		return 1;
	store_read_number(xm->xs, XBT_NULL, &target, "/local/domain/%d/memory/target", dom.domid);
	if (c.value < target)
		return xm_fail(xm,
			       "%s: %lld MiB is less than it shall have now, %lld MiB: mem-set "
			       "first",
			       dom.name, c.value / 1024, target / 1024);
	snprintf(kib, sizeof(kib), "%lld", c.value);
	req.domain = dom.name;
	ret = request_told(xm, &req, "no other limit");
	request_close(xm->xs, &req);
	c.dom = &dom;
	if (!ret && !c.live_only)
		ret = store_transact(xm->xs, write_max, &c);
	return finish(xm, &c, ret, "writing the record");
}

const struct cli_cmd cmd_mem_max = {
	.name = "mem-max",
	.args = "DOMAIN MEMORY",
	.help = "Say how much memory a running domain can have at most",
	.more = "MEMORY is in MiB, or has a unit: b, k, m, g, t. A guest cannot grow beyond what its\n"
		  "kernel made room for at its start, whatever the limit.",
	.opts = scope_options,
	.says = CLI_SAYS_NOTHING,
	.min_args = 2,
	.max_args = 2,
	.example = "xm mem-max web 256",
	.run = run_mem_max,
};

static int write_vcpus(struct xs_handle *xs, xs_transaction_t t, void *data)
{
	struct change *c = data;
	int ret = domain_has_home(xs, t, c->dom);

	for (long long i = 0; i < c->possible && !ret; i++)
		ret = store_write(xs, t, i < c->value ? "online" : "offline",
				  "/local/domain/%d/cpu/%lld/availability", c->dom->domid, i);
	return ret || c->live_only ? ret : set_record(xs, t, c, "vcpus", c->value);
}

static int run_vcpu_set(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct change c = { .live_only = cli_has(args, "live") };
	struct domain dom;
	unsigned int nr;
	char *end;
	int ret;

	c.value = strtoll(args->argv[1], &end, 10);
	if (*end || c.value < 1)
		return cli_refuse(args, "'%s' is not a number of virtual CPUs", args->argv[1]);
	if (domain_find_running(xm, args->argv[0], &dom))
		return 1;
	if (dom.domid == 0)
		return xm_fail(xm, "Domain-0's CPUs are switched in /sys/devices/system/cpu");
	free(store_list(xm->xs, XBT_NULL, &nr, "/local/domain/%d/cpu", dom.domid));
	if (c.value > nr)
		return xm_fail(xm,
			       "%s: %lld virtual CPUs are more than it can have, %u (maxvcpus of "
			       "its record, as it was started)",
			       dom.name, c.value, nr);
	c.dom = &dom;
	c.possible = nr;
	ret = store_transact(xm->xs, write_vcpus, &c);
	return finish(xm, &c, ret, "writing cpu/*/availability");
}

const struct cli_cmd cmd_vcpu_set = {
	.name = "vcpu-set",
	.args = "DOMAIN NUMBER",
	.help = "Tell a running domain how many virtual CPUs to use",
	.more = "The guest switches them in its own time; maxvcpus of the record is the limit.",
	.opts = vcpu_set_options,
	.says = CLI_SAYS_NOTHING,
	.min_args = 2,
	.max_args = 2,
	.example = "xm vcpu-set web 2",
	.run = run_vcpu_set,
};
