/* SPDX-License-Identifier: MIT */
/*
 * cmd_explain.c - xm explain: what a domain shall be, what is being done about it, what that waits
 * for; xm diff: how the running domain differs from its record. Only reads the store.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "commands.h"
#include "domains.h"
#include "record_store.h"
#include "text.h"

static const char *const kinds[] = { "vbd", "vif", "vfb", "vkbd", "console" };
#define NR_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static char *read_or(struct xs_handle *xs, const char *otherwise, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* Never NULL but without memory. */
static char *read_or(struct xs_handle *xs, const char *otherwise, const char *fmt, ...)
{
	char path[STORE_PATH_MAX], *text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	text = store_read(xs, XBT_NULL, "%s", path);
	return text ? text : strdup(otherwise);
}

/* ---- explain ---- */

static void explain_wants(struct xm *xm, const struct domain *dom, const struct record *rec)
{
	static const char *const with_host[] = { "does not start", "starts", "as it was" };

	if (!dom->has_record) {
		fprintf(xm->out, "wants: nothing: it has no record\n");
		return;
	}
	fprintf(xm->out,
		"wants: power %s, %llu MiB, %u virtual CPU%s, %u disk%s, %u network card%s\n",
		rec->power ? "on" : "off", (unsigned long long)rec->memory_mib, rec->vcpus,
		rec->vcpus == 1 ? "" : "s", rec->nr_disks, rec->nr_disks == 1 ? "" : "s", rec->nr_vifs,
		rec->nr_vifs == 1 ? "" : "s");
	fprintf(xm->out,
		"       at its end: %s, at a reboot: %s, at a crash: %s; with the host: %s\n",
		record_action_word(rec->on_poweroff), record_action_word(rec->on_reboot),
		record_action_word(rec->on_crash), with_host[rec->autostart]);
}

static void explain_does(struct xm *xm, const struct domain *dom)
{
	char *step = read_or(xm->xs, "", "/status/domain/%s/step", dom->name);
	char *after = read_or(xm->xs, "", "/status/domain/%s/after", dom->name);
	char *error = read_or(xm->xs, "", "/status/domain/%s/error", dom->name);

	fprintf(xm->out, "does:  it is %s", dom->state_word);
	if (dom->domid >= 0)
		fprintf(xm->out, ", domain %d", dom->domid);
	if (*step)
		fprintf(xm->out, "; xend is at step \"%s\"%s%s", step,
			*after ? ", undoing, then " : "", after);
	fputc('\n', xm->out);
	if (*error)
		fprintf(xm->out, "       because: %s\n", error);
	free(step);
	free(after);
	free(error);
}

/*
 * What it is told may be a guest's, or of a device's process: no byte of it reaches a terminal raw.
 */
static int waits(struct xm *xm, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static int waits(struct xm *xm, const char *fmt, ...)
{
	char line[2048], *text;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	text = text_escape(line, strlen(line));
	fprintf(xm->out, "waits: %s\n", text);
	free(text);
	return 1;
}

/* One device: its backend's set-up first, then the handshake. */
static int waits_for_device(struct xm *xm, int domid, const char *kind, const char *id)
{
	struct xs_handle *xs = xm->xs;
	char back[STORE_PATH_MAX];
	char *hotplug, *error, *frontend;
	long long state = 0, front = 0;
	int n = 0;

	snprintf(back, sizeof(back), "/local/domain/0/backend/%s/%d/%.32s", kind, domid, id);
	hotplug = read_or(xs, "", "%s/hotplug-status", back);
	error = read_or(xs, "", "%s/hotplug-error", back);
	frontend = read_or(xs, "", "%s/frontend", back);
	store_read_number(xs, XBT_NULL, &state, "%s/state", back);
	store_read_number(xs, XBT_NULL, &front, "%s/state", frontend);
	if (strcmp(hotplug, "connected") != 0)
		n = waits(xm, "%s %s: dom0's side is not set up%s%s", kind, id, *error ? ": " : "",
			  error);
	else if (strcmp(kind, "console") != 0 && state != XenbusStateConnected)
		n = waits(xm, "%s %s: %s (backend in state %lld, frontend in %lld)", kind, id,
			  state >= XenbusStateClosing ? "the guest lets go of it"
						      : "the guest's driver takes it up",
			  state, front);
	free(hotplug);
	free(error);
	free(frontend);
	return n;
}

static int waits_for_guest(struct xm *xm, const struct domain *dom)
{
	char *shutdown = read_or(xm->xs, "", "/local/domain/%d/control/shutdown", dom->domid);
	long long target = 0, slack = dom->memory_kib / 32;
	int n = 0;

	if (*shutdown)
		n += waits(xm, "the guest takes up the request to %s", shutdown);
	else if (dom->state == DOM_STOPPING)
		n += waits(xm, "the guest finishes shutting down");
	if (store_read_number(xm->xs, XBT_NULL, &target, "/local/domain/%d/memory/target",
			      dom->domid) &&
	    (dom->memory_kib > target + slack || dom->memory_kib + slack < target))
		n += waits(xm, "the guest's balloon: it has %lld MiB, the target is %lld MiB",
			   dom->memory_kib / 1024, target / 1024);
	free(shutdown);
	return n;
}

static int explain_waits(struct xm *xm, const struct domain *dom)
{
	int n = 0;

	for (size_t k = 0; k < NR_KINDS && dom->domid > 0; k++) {
		unsigned int nr;
		char **ids = store_list(xm->xs, XBT_NULL, &nr, "/local/domain/0/backend/%s/%d",
					kinds[k], dom->domid);

		for (unsigned int i = 0; i < nr; i++)
			n += waits_for_device(xm, dom->domid, kinds[k], ids[i]);
		free(ids);
	}
	if (dom->domid > 0)
		n += waits_for_guest(xm, dom);
	if (store_exists(xm->xs, "/status/domain/%s/pending", dom->name))
		n += waits(xm, "its next start, to follow the record: '%s diff %s' shows what",
			   xm->prog, dom->name);
	if (dom->state == DOM_FAILED)
		n += waits(xm, "a change of its record, or '%s start %s'", xm->prog, dom->name);
	return n;
}

static int run_explain(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct domain dom;
	struct record rec;

	if (domain_find(xm, args->argv[0], &dom))
		return 1;
	record_get(xm->xs, dom.name, &rec);
	explain_wants(xm, &dom, &rec);
	explain_does(xm, &dom);
	if (!explain_waits(xm, &dom))
		fprintf(xm->out, "waits: for nothing\n");
	return 0;
}

const struct cli_cmd cmd_explain = {
	.name = "explain",
	.args = "DOMAIN",
	.help = "Say what a domain shall be, does, and waits for",
	.more = "Three kinds of lines: wants (its record), does (state and step), waits.",
	.says = CLI_SAYS_NO_JSON,
	.min_args = 1,
	.max_args = 1,
	.example = "xm explain web",
	.run = run_explain,
};

/* ---- diff ---- */

static int differs(struct xm *xm, const char *key, const char *record, const char *live)
{
	if (strcmp(record, live) == 0)
		return 0;
	if (*record)
		fprintf(xm->out, "- %s = %s\n", key, record);
	if (*live)
		fprintf(xm->out, "+ %s = %s\n", key, live);
	return 1;
}

static int differs_number(struct xm *xm, const char *key, long long record, long long live)
{
	char a[24], b[24];

	snprintf(a, sizeof(a), "%lld", record);
	snprintf(b, sizeof(b), "%lld", live);
	return differs(xm, key, a, b);
}

static long long online_vcpus(struct xs_handle *xs, int domid)
{
	unsigned int nr;
	char **cpus = store_list(xs, XBT_NULL, &nr, "/local/domain/%d/cpu", domid);
	long long n = 0;

	for (unsigned int i = 0; i < nr; i++) {
		char *word =
			read_or(xs, "", "/local/domain/%d/cpu/%.16s/availability", domid, cpus[i]);

		n += strcmp(word, "online") == 0;
		free(word);
	}
	free(cpus);
	return n;
}

/* What the record says of the device that the guest calls @name; "" when nothing. */
static void recorded(const struct record *rec, bool disk, const char *name, char *out, size_t size)
{
	char mac[VIF_MAC_LEN + 1];

	out[0] = '\0';
	for (unsigned int i = 0; disk && i < rec->nr_disks; i++)
		if (strcmp(rec->disk[i].vdev, name) == 0)
			snprintf(out, size, "%s,%s", rec->disk[i].path,
				 rec->disk[i].writable ? "w" : "r");
	for (unsigned int i = 0; !disk && i < rec->nr_vifs; i++) {
		record_vif_mac(rec, &rec->vif[i], mac);
		if (strcasecmp(mac, name) == 0)
			snprintf(out, size, "%s", rec->vif[i].bridge);
	}
}

/* What runs under that name; "" when nothing. @name NULL: reports those the record lacks. */
static int compare_live(struct xm *xm, const struct domain *dom, const struct record *rec,
			bool disk, const char *name, char *out, size_t size)
{
	const char *kind = disk ? "vbd" : "vif";
	unsigned int nr;
	char **ids = store_list(xm->xs, XBT_NULL, &nr, "/local/domain/0/backend/%s/%d", kind,
				dom->domid);
	int n = 0;

	for (unsigned int i = 0; i < nr; i++) {
		char back[STORE_PATH_MAX], want[DISK_PATH_MAX + 4], is[DISK_PATH_MAX + 4];
		char key[64], *called, *what, *mode;

		snprintf(back, sizeof(back), "/local/domain/0/backend/%s/%d/%.32s", kind,
			 dom->domid, ids[i]);
		called = read_or(xm->xs, "", "%s/%s", back, disk ? "dev" : "mac");
		what = read_or(xm->xs, "", "%s/%s", back, disk ? "params" : "bridge");
		mode = read_or(xm->xs, "", "%s/mode", back);
		snprintf(is, sizeof(is), "%.*s%s%.1s", DISK_PATH_MAX, what, disk ? "," : "",
			 disk ? mode : "");
		recorded(rec, disk, called, want, sizeof(want));
		snprintf(key, sizeof(key), "%s %.40s", disk ? "disk" : "vif", called);
		if (!name && !*want)
			n += differs(xm, key, "", is);
		else if (name && strcasecmp(called, name) == 0)
			snprintf(out, size, "%s", is);
		free(called);
		free(what);
		free(mode);
	}
	free(ids);
	return n;
}

static int differ_devices(struct xm *xm, const struct domain *dom, const struct record *rec,
			  bool disk)
{
	unsigned int nr = disk ? rec->nr_disks : rec->nr_vifs;
	int n = 0;

	for (unsigned int i = 0; i < nr; i++) {
		char want[DISK_PATH_MAX + 4], is[DISK_PATH_MAX + 4] = "", key[64];
		char mac[VIF_MAC_LEN + 1];
		const char *name = disk ? rec->disk[i].vdev : mac;

		if (!disk)
			record_vif_mac(rec, &rec->vif[i], mac);
		recorded(rec, disk, name, want, sizeof(want));
		compare_live(xm, dom, rec, disk, name, is, sizeof(is));
		snprintf(key, sizeof(key), "%s %.40s", disk ? "disk" : "vif", name);
		n += differs(xm, key, want, is);
	}
	return n + compare_live(xm, dom, rec, disk, NULL, NULL, 0);
}

static int run_diff(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct domain dom;
	struct record rec;
	long long kib = 0, max = 0;
	int n = 0;

	if (domain_find_running(xm, args->argv[0], &dom))
		return 2;
	if (!dom.has_record) {
		xm_fail(xm, "%s has no record to compare with", dom.name);
		return 2;
	}
	record_get(xm->xs, dom.name, &rec);
	if (store_read_number(xm->xs, XBT_NULL, &kib, "/local/domain/%d/memory/target", dom.domid))
		n += differs_number(xm, "memory", (long long)rec.memory_mib, kib / 1024);
	if (store_read_number(xm->xs, XBT_NULL, &max, "/local/domain/%d/memory/static-max",
			      dom.domid))
		n += differs_number(xm, "maxmem", (long long)rec.maxmem_mib, max / 1024);
	n += differs_number(xm, "vcpus", rec.vcpus, online_vcpus(xm->xs, dom.domid));
	n += differ_devices(xm, &dom, &rec, true);
	n += differ_devices(xm, &dom, &rec, false);
	return n ? 1 : 0;
}

const struct cli_cmd cmd_diff = {
	.name = "diff",
	.args = "DOMAIN",
	.help = "Show how a running domain differs from its record",
	.more = "- is what the record says, + what runs. Status 0: the same, 1: different, 2: "
		  "error.",
	.says = CLI_SAYS_NO_JSON,
	.min_args = 1,
	.max_args = 1,
	.example = "xm diff web",
	.run = run_diff,
};
