/* SPDX-License-Identifier: MIT */
/*
 * cmd_info.c - xm info and xm uptime: the machine, and since when things run.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <time.h>

#include "commands.h"
#include "domains.h"
#include "json_print.h"
#include "request.h"

/* How a key of /host becomes a line of xl info. */
enum unit {
	AS_IS,
	KIB_TO_MIB,
	KHZ_TO_MHZ,
	VIRT_START,
	UNAME_NODE,
	UNAME_RELEASE,
	UNAME_VERSION,
	UNAME_MACHINE
};

/* xl info's lines in xl info's order; a line whose key is absent is left out. */
static const struct {
	const char *label;
	const char *key; /* under /host */
	enum unit unit;
} lines[] = {
	{ "host", "hostname", UNAME_NODE },
	{ "release", "release", UNAME_RELEASE },
	{ "version", "kernel_version", UNAME_VERSION },
	{ "machine", "machine", UNAME_MACHINE },
	{ "nr_cpus", "nr_cpus", AS_IS },
	{ "nr_nodes", "nr_nodes", AS_IS },
	{ "cores_per_socket", "cores_per_socket", AS_IS },
	{ "threads_per_core", "threads_per_core", AS_IS },
	{ "cpu_mhz", "cpu_khz", KHZ_TO_MHZ },
	{ "hw_caps", "hw_caps", AS_IS },
	{ "total_memory", "memory_kib", KIB_TO_MIB },
	{ "free_memory", "free_kib", KIB_TO_MIB },
	{ "xen_major", "xen_major", AS_IS },
	{ "xen_minor", "xen_minor", AS_IS },
	{ "xen_extra", "xen_extra", AS_IS },
	{ "xen_version", "version", AS_IS },
	{ "xen_caps", "xen_caps", AS_IS },
	{ "xen_scheduler", "xen_scheduler", AS_IS },
	{ "xen_pagesize", "xen_pagesize", AS_IS },
	{ "platform_params", "virt_start", VIRT_START },
	{ "xen_changeset", "xen_changeset", AS_IS },
	{ "xen_commandline", "commandline", AS_IS },
	{ "cc_compiler", "cc_compiler", AS_IS },
	{ "cc_compile_by", "cc_compile_by", AS_IS },
	{ "cc_compile_domain", "cc_compile_domain", AS_IS },
	{ "cc_compile_date", "cc_compile_date", AS_IS },
};

#define NR_LINES (sizeof(lines) / sizeof(lines[0]))

static const struct cli_opt info_options[] = {
	{ 'n', "numa", NULL, NULL },
	{ 'c', "config", NULL, NULL },
	{ 0 },
};

/* Domain-0 is where xm runs: what /host does not say of it, uname does. */
static const char *from_uname(const struct utsname *uts, enum unit unit)
{
	switch (unit) {
	case UNAME_NODE:
		return uts->nodename;
	case UNAME_RELEASE:
		return uts->release;
	case UNAME_VERSION:
		return uts->version;
	case UNAME_MACHINE:
		return uts->machine;
	case AS_IS:
	case KIB_TO_MIB:
	case KHZ_TO_MHZ:
	case VIRT_START:
		break;
	}
	return NULL;
}

/* Frees @text and gives it in the unit of xl info. */
static char *convert(char *text, enum unit unit)
{
	char *out = NULL;
	int n = 0;

	switch (unit) {
	case KIB_TO_MIB:
		n = asprintf(&out, "%lld", atoll(text) / 1024);
		break;
	case KHZ_TO_MHZ:
		n = asprintf(&out, "%lld.%03lld", atoll(text) / 1000, atoll(text) % 1000);
		break;
	case VIRT_START:
		n = asprintf(&out, "virt_start=%s", text);
		break;
	case AS_IS:
	case UNAME_NODE:
	case UNAME_RELEASE:
	case UNAME_VERSION:
	case UNAME_MACHINE:
		return text;
	}
	free(text);
	return n < 0 ? NULL : out;
}

/* The value of one line, malloc'd; NULL when the host does not say. */
static char *line_value(struct xs_handle *xs, const struct utsname *uts, size_t i)
{
	const char *local = from_uname(uts, lines[i].unit);
	char *text = lines[i].key ? store_read(xs, XBT_NULL, "/host/%s", lines[i].key) : NULL;

	if (text)
		return convert(text, lines[i].unit);
	return local ? strdup(local) : NULL;
}

static void set_json(json_t *o, const char *label, const char *value)
{
	char *end;
	long long n = strtoll(value, &end, 10);
	json_t *text = json_string(value);

	if (*value && !*end)
		json_object_set_new(o, label, json_integer(n));
	else
		json_object_set_new(o, label, text ? json_incref(text) : json_null());
	json_decref(text);
}

/* "NAME: not affected" is no news in lines, but in JSON it is an answer. */
static void print_faults(struct xm *xm, json_t *o)
{
	unsigned int nr = 0;
	char **keys = store_list(xm->xs, XBT_NULL, &nr, "/host/vulnerabilities");
	json_t *all = o && keys ? json_object() : NULL;

	for (unsigned int i = 0; i < nr; i++) {
		char *text = store_read(xm->xs, XBT_NULL, "/host/vulnerabilities/%s", keys[i]);

		if (text && all)
			json_object_set_new(all, keys[i], json_string(text));
		else if (text && !strstr(text, ": not affected"))
			fprintf(xm->out, "%-22s : %s\n", "vulnerability", text);
		free(text);
	}
	if (all)
		json_object_set_new(o, "vulnerabilities", all);
	free(keys);
}

static int run_info(struct cli_args *args)
{
	struct xm *xm = args->with;
	json_t *o = args->json ? json_object() : NULL;
	struct utsname uts;
	int nr_host = 0;

	if (!xm_store(xm)) {
		json_decref(o);
		return 1;
	}
	request_refresh(xm);
	uname(&uts);
	for (size_t i = 0; i < NR_LINES; i++) {
		char *value = line_value(xm->xs, &uts, i);

		if (value && o)
			set_json(o, lines[i].label, value);
		else if (value)
			fprintf(xm->out, "%-22s : %s\n", lines[i].label, value);
		nr_host += value && lines[i].unit <= VIRT_START;
		free(value);
	}
	print_faults(xm, o);
	if (!nr_host)
		xm_warn(xm,
			"the store says nothing about the machine (/host): xend is not running");
	return o ? json_say(&xm->voice, o, JSON_ANSWER) : 0;
}

const struct cli_cmd cmd_info = {
	.name = "info",
	.help = "Describe the machine and the hypervisor",
	.more = "Memory is in MiB. A line 'vulnerability' is a fault of the CPU: 'mitigated' with what is\n"
		  "done about it, or 'open' with what is missing.",
	.opts = info_options,
	.example = "xm info | grep memory",
	.run = run_info,
};

/* Seconds since the domain started; -1 when nobody knows. */
static long long domain_uptime(struct xs_handle *xs, const struct domain *dom)
{
	struct timespec now;
	long long start;

	if (dom->domid == 0) {
		clock_gettime(CLOCK_BOOTTIME, &now);
		return now.tv_sec;
	}
	/*
	 * The time of day may have been set since: on a host without a clock that is long ago, or
	 * to come.
	 */
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!store_read_number(xs, XBT_NULL, &start, "/status/domain/%s/started", dom->name)) {
		/* One that other tools built. */
		clock_gettime(CLOCK_REALTIME, &now);
		if (!store_read_number(xs, XBT_NULL, &start, "/vm/%s/start_time", dom->uuid))
			return -1;
	}
	return now.tv_sec > start ? now.tv_sec - start : 0;
}

/* "3 days,  4:05:06" as xl writes it. */
static void format_uptime(long long s, char *out, size_t size)
{
	long long days = s / 86400;

	if (s < 0)
		snprintf(out, size, "-");
	else if (days)
		snprintf(out, size, "%lld day%s, %2lld:%02lld:%02lld", days, days > 1 ? "s" : "",
			 s / 3600 % 24, s / 60 % 60, s % 60);
	else
		snprintf(out, size, "%lld:%02lld:%02lld", s / 3600, s / 60 % 60, s % 60);
}

static void print_uptime(struct xm *xm, const struct domain *dom, bool brief, json_t *list)
{
	long long seconds = domain_uptime(xm->xs, dom);
	char text[64];

	format_uptime(seconds, text, sizeof(text));
	if (list)
		json_array_append_new(list,
				      json_pack("{s:s, s:i, s:o}", "name", dom->name, "domid",
						dom->domid, "seconds",
						seconds < 0 ? json_null() : json_integer(seconds)));
	else if (brief)
		fprintf(xm->out, "%s  up %s, %s (%d)\n", "", text, dom->name, dom->domid);
	else
		fprintf(xm->out, "%-33s %4d %s\n", dom->name, dom->domid, text);
}

static const struct cli_opt uptime_options[] = {
	{ 's', "short", NULL, "one line a domain, as the system's uptime prints it" },
	{ 0 },
};

static int uptime_all(struct xm *xm, bool brief, json_t *list)
{
	struct domains all;
	int ret = domains_load(xm->xs, &all);

	if (ret)
		return xm_fail_store(xm, "reading the list of domains", -ret);
	for (size_t i = 0; i < all.nr; i++)
		if (domain_is_live(&all.at[i]))
			print_uptime(xm, &all.at[i], brief, list);
	domains_fini(&all);
	return 0;
}

static int run_uptime(struct cli_args *args)
{
	struct xm *xm = args->with;
	json_t *list = args->json ? json_array() : NULL;
	bool brief = cli_has(args, "short");
	int ret = xm_store(xm) ? 0 : 1;

	if (!ret && !list && !brief)
		fprintf(xm->out, "%-33s %4s %s\n", "Name", "ID", "Uptime");
	if (!ret && !args->argc)
		ret = uptime_all(xm, brief, list);
	for (int i = 0; i < args->argc && !ret; i++) {
		struct domain dom;

		ret = domain_find_running(xm, args->argv[i], &dom) ? 1 : 0;
		if (!ret)
			print_uptime(xm, &dom, brief, list);
	}
	if (list && !ret)
		return json_say(&xm->voice, list, JSON_ANSWER);
	json_decref(list);
	return ret;
}

const struct cli_cmd cmd_uptime = {
	.name = "uptime",
	.args = "[DOMAIN]...",
	.help = "Show for how long domains have been running",
	.opts = uptime_options,
	.max_args = -1,
	.example = "xm uptime -s",
	.run = run_uptime,
};
