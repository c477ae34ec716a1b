/* SPDX-License-Identifier: MIT */
/*
 * cmd_doctor.c - xm doctor: is everything there that a domain needs, and if not, what to do.
 *
 * One line a finding: "ok" or "BAD", what, and the cure. Changes nothing.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "commands.h"
#include "domains.h"
#include "notify.h"
#include "record_load.h"
#include "record_store.h"
#include "request.h"

struct doctor {
	struct xm *xm;
	int nr_bad;
};

static void found(struct doctor *d, bool ok, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static void found(struct doctor *d, bool ok, const char *fmt, ...)
{
	va_list ap;

	d->nr_bad += !ok;
	fputs(ok ? "ok   " : "BAD  ", d->xm->out);
	va_start(ap, fmt);
	vfprintf(d->xm->out, fmt, ap);
	va_end(ap);
	fputc('\n', d->xm->out);
}

/* The operator's to judge: domains run all the same. */
static void noted(struct doctor *d, const char *text)
{
	fprintf(d->xm->out, "NOTE %s\n", text);
}

static void check_dom0(struct doctor *d)
{
	char text[64] = "";
	FILE *f = fopen("/proc/xen/capabilities", "re");

	if (f) {
		text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
		fclose(f);
	}
	if (strstr(text, "control_d"))
		found(d, true, "this is Domain-0 of a hypervisor");
	else
		found(d, false,
		      "this is not Domain-0 (no control_d in /proc/xen/capabilities): boot the "
		      "hypervisor, and mount xenfs on /proc/xen");
}

static bool check_store(struct doctor *d)
{
	int64_t start = store_now();
	/* Refused is answered, too. */
	bool ok = xm_store(d->xm) && store_has(d->xm->xs, XBT_NULL, "/") != -EIO;

	if (ok)
		found(d, true, "the store answers (%.1f ms)", (double)(store_now() - start) / 1e6);
	else
		found(d, false, "the store does not answer: start xenstored");
	return ok;
}

static void check_xend(struct doctor *d)
{
	struct request req = { .op = "refresh", .timeout_ns = INT64_C(5000000000) };
	int64_t start = store_now();
	int ret = request_run(d->xm->xs, &req);

	request_close(d->xm->xs, &req);
	if (!ret)
		found(d, true, "xend answers (%.1f ms)", (double)(store_now() - start) / 1e6);
	else if (ret == -ETIMEDOUT)
		found(d, false, "xend does not answer: start it, or see %s",
		      notify_log_of("xend"));
	else
		found(d, false, "xend cannot be asked: %s", strerror(-ret));
}

/* Dom0's kernel would take the backend directories, too: backendd refuses to share. */
static void check_backends(struct doctor *d)
{
	static const struct {
		const char *driver, *module;
	} kernel[] = {
		{ "vbd", "xen-blkback" },
		{ "vif", "xen-netback" },
	};
	char path[64];

	for (size_t i = 0; i < sizeof(kernel) / sizeof(kernel[0]); i++) {
		snprintf(path, sizeof(path), "/sys/bus/xen-backend/drivers/%s", kernel[i].driver);
		if (access(path, F_OK) == 0)
			found(d, false, "the kernel's %s is loaded and would serve domains beside "
			      "backendd: rmmod %s, and see that nothing loads it",
			      kernel[i].module, kernel[i].module);
	}
}

static void check_memory(struct doctor *d)
{
	long long free_kib;

	if (store_read_number(d->xm->xs, XBT_NULL, &free_kib, "/host/free_kib"))
		found(d, free_kib >= 16 * 1024, "%lld MiB of memory are free for domains%s",
		      free_kib / 1024,
		      free_kib >= 16 * 1024 ? ""
					    : ": end a domain, or give Domain-0 less (dom0_mem=)");
}

static void check_faults(struct doctor *d)
{
	unsigned int nr = 0, nr_open = 0;
	char **keys = store_list(d->xm->xs, XBT_NULL, &nr, "/host/vulnerabilities");

	for (unsigned int i = 0; i < nr; i++) {
		char *text = store_read(d->xm->xs, XBT_NULL, "/host/vulnerabilities/%s", keys[i]);

		if (text && strstr(text, ": open: ")) {
			noted(d, text);
			nr_open++;
		}
		free(text);
	}
	if (nr_open)
		noted(d, "what is open lets one guest learn another's secrets: newer microcode, "
			 "or what spec-ctrl= turns off (xm info | grep commandline)");
	else if (nr)
		found(d, true, "nothing is open of %u known faults of CPUs", nr);
	free(keys);
}

/* A switch of Open vSwitch is an interface of its name; VLANs may be behind that. */
static bool bridge_exists(const char *name, const char *script)
{
	bool is_switch = strchr(name, ':') || strstr(script, "openvswitch");
	int len = is_switch ? (int)strcspn(name, ".:") : CARD_IFNAME_MAX;
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%.*s%s", len > CARD_IFNAME_MAX ? CARD_IFNAME_MAX : len,
		 name, is_switch ? "" : "/bridge");
	return access(path, F_OK) == 0;
}

static void check_bridge(struct doctor *d)
{
	char *bridge = store_read(d->xm->xs, XBT_NULL, "/config/network/bridge");
	const char *name = bridge && *bridge ? bridge : "xenbr0";

	if (bridge_exists(name, ""))
		found(d, true, "bridge %s exists", name);
	else
		found(d, false,
		      "bridge %s does not exist: storevisor-network bridge %s makes it from the NIC, "
		      "storevisor-network nat one with a net of its own", name, name);
	free(bridge);
}

/* A device that is in use has been taken up by its process in Domain-0. */
static void check_devices(struct doctor *d, const struct domain *dom, const char *kind)
{
	unsigned int nr;
	char **ids = store_list(d->xm->xs, XBT_NULL, &nr, "/local/domain/0/backend/%s/%d", kind,
				dom->domid);

	for (unsigned int i = 0; i < nr; i++) {
		char *status = store_read(d->xm->xs, XBT_NULL,
					  "/local/domain/0/backend/%s/%d/%.64s/hotplug-status",
					  kind, dom->domid, ids[i]);
		char *error = store_read(d->xm->xs, XBT_NULL,
					 "/local/domain/0/backend/%s/%d/%.64s/hotplug-error", kind,
					 dom->domid, ids[i]);

		if (status && strcmp(status, "connected") == 0)
			found(d, true, "%s: %s %s is served", dom->name, kind, ids[i]);
		else
			found(d, false, "%s: %s %s is not served: %s", dom->name, kind, ids[i],
			      error ? error : "is backendd running?");
		free(status);
		free(error);
	}
	free(ids);
}

#define SPACE_MIN_MIB 16

/*
 * Whether the file system of @path has room. False: it is as good as full, with what is left in
 * *@mib. One without a size (the kernel makes it up) is never full; nor is one that is not there.
 */
static bool has_space(const char *path, unsigned long long *mib)
{
	struct statvfs fs;

	*mib = 0;
	if (statvfs(path, &fs) < 0 || fs.f_blocks == 0 || fs.f_flag & ST_RDONLY)
		return true;
	*mib = (unsigned long long)fs.f_bavail * fs.f_frsize >> 20;
	/* Of files there may be no more either. */
	return *mib >= SPACE_MIN_MIB && (fs.f_files == 0 || fs.f_favail > 0);
}

static void check_space(struct doctor *d)
{
	static const struct {
		const char *dir, *then;
	} filling[] = {
		{ "/var/lib/xenstored", "no record can be changed" },
		{ "/run", "the store has no room" },
		{ "/var/log", "nothing is logged" },
	};
	int before = d->nr_bad;
	unsigned long long mib;

	for (size_t i = 0; i < sizeof(filling) / sizeof(filling[0]); i++)
		if (!has_space(filling[i].dir, &mib))
			found(d, false,
			      "%s: its file system is full (%llu MiB left): %s: make room",
			      filling[i].dir, mib, filling[i].then);
	if (d->nr_bad == before)
		found(d, true, "the store and the logs have room");
}

/* A guest meets it as an error of its disk, where it writes for the first time. */
static void check_image_space(struct doctor *d, const char *domain, const struct disk_spec *disk)
{
	unsigned long long mib;
	struct stat st;

	if (!disk->writable || stat(disk->path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	/* A raw image that has all its blocks needs no more; those of other formats grow. */
	if ((disk->format != DISK_FORMAT_RAW ||
	     (unsigned long long)st.st_blocks * 512 < (unsigned long long)st.st_size) &&
	    !has_space(disk->path, &mib))
		found(d, false,
		      "%s: disk %s: %s: its file system is full (%llu MiB left), and the image is "
		      "not all there yet: make room", domain, disk->vdev, disk->path, mib);
}

static const char *file_problem(const char *path)
{
	struct stat st;

	if (stat(path, &st) < 0 || access(path, R_OK) < 0)
		return strerror(errno);
	return S_ISDIR(st.st_mode) ? strerror(EISDIR) : NULL;
}

struct judged {
	struct doctor *d;
	const char *name;
};

static void wrong_in_record(void *data, const char *key, const char *text)
{
	const struct judged *j = data;

	(void)key;
	found(j->d, false, "%s: in its record: %s", j->name, text);
}

/* False when there is none. What is wrong in it is told. */
static bool read_record(struct doctor *d, const struct domain *dom, struct record *rec)
{
	struct judged j = { d, dom->name };
	struct record_keys keys = { 0 };
	int ret = record_load(d->xm->xs, dom->name, &keys);

	if (!ret)
		record_parse(rec, dom->name, &keys, wrong_in_record, &j);
	record_keys_free(&keys);
	return !ret;
}

static void check_record(struct doctor *d, const struct domain *dom)
{
	int before = d->nr_bad;
	const char *problem;
	struct record rec;

	if (!read_record(d, dom, &rec))
		return;
	problem = rec.kernel[0] ? file_problem(rec.kernel) : NULL;
	if (problem)
		found(d, false, "%s: kernel %s: %s", dom->name, rec.kernel, problem);
	problem = rec.ramdisk[0] ? file_problem(rec.ramdisk) : NULL;
	if (problem)
		found(d, false, "%s: ramdisk %s: %s", dom->name, rec.ramdisk, problem);
	for (unsigned int i = 0; i < rec.nr_disks; i++) {
		problem = vdev_is_remote(rec.disk[i].backend) ? NULL : file_problem(rec.disk[i].path);
		if (problem)
			found(d, false, "%s: disk %s: %s: %s", dom->name, rec.disk[i].vdev,
			      rec.disk[i].path, problem);
		check_image_space(d, dom->name, &rec.disk[i]);
	}
	for (unsigned int i = 0; i < rec.nr_vifs; i++)
		if (rec.vif[i].bridge[0] && !bridge_exists(rec.vif[i].bridge, rec.vif[i].script))
			found(d, false, "%s: network card %u: bridge %s does not exist", dom->name,
			      rec.vif[i].item, rec.vif[i].bridge);
	if (d->nr_bad == before)
		found(d, true, "%s: what its record names is there", dom->name);
}

static void check_domains(struct doctor *d)
{
	static const char *const kinds[] = { "vbd", "vif", "vfb", "vkbd", "console" };
	struct domains all;

	if (domains_load(d->xm->xs, &all) < 0) {
		found(d, false, "the list of domains cannot be read");
		return;
	}
	for (size_t i = 0; i < all.nr; i++) {
		const struct domain *dom = &all.at[i];

		if (dom->has_record)
			check_record(d, dom);
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && domain_is_live(dom) && dom->domid > 0; k++)
			check_devices(d, dom, kinds[k]);
		if (dom->state == DOM_FAILED || dom->state == DOM_CRASHED)
			found(d, false, "%s: is %s: '%s why %s' tells more", dom->name,
			      dom->state_word, d->xm->prog, dom->name);
	}
	domains_fini(&all);
}

static int run_doctor(struct cli_args *args)
{
	struct xm *xm = args->with;
	struct doctor d = { .xm = xm };

	check_dom0(&d);
	if (check_store(&d)) {
		check_xend(&d);
		check_backends(&d);
		check_memory(&d);
		check_faults(&d);
		check_space(&d);
		check_bridge(&d);
		check_domains(&d);
	}
	return d.nr_bad ? 1 : 0;
}

const struct cli_cmd cmd_doctor = {
	.name = "doctor",
	.help = "Look for what would keep domains from running",
	.more = "Prints a line for each thing looked at; BAD ones name the cure. Changes "
		  "nothing. The exit\n"
		  "status is 1 when there is a BAD one. NOTE: domains run, and there is something to "
		  "know.",
	.says = CLI_SAYS_NO_JSON,
	.example = "xm doctor",
	.run = run_doctor,
};
