/* SPDX-License-Identifier: MIT */
/*
 * doctor_domains.c - see doctor.h: what keeps domains from starting, or from living together.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk_use.h"
#include "doctor.h"
#include "domains.h"
#include "record_load.h"
#include "record_store.h"
#include "script_name.h"

/* A record and the domain it is of. */
struct patient {
	const struct domain *dom;
	struct record rec;
};

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
			doctor_found(d, true, "%s: %s %s is served", dom->name, kind, ids[i]);
		else
			doctor_found(d, false, "%s: %s %s is not served: %s", dom->name, kind, ids[i],
				     error ? error : "is backendd running?");
		free(status);
		free(error);
	}
	free(ids);
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
	    !doctor_has_space(disk->path, &mib))
		doctor_found(d, false,
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
	doctor_found(j->d, false, "%s: in its record: %s", j->name, text);
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

/*
 * Whoever runs it runs it by its name there; the operator's own go before ours. @whose: "network
 * card 0", "disk xvda".
 */
static void check_script(struct doctor *d, const char *domain, const char *whose, const char *script)
{
	static const char *const dirs[] = { "/etc/xen/scripts/", "/usr/lib/storevisor/scripts/" };
	size_t nr = script[0] == '/' ? 1 : 2;
	char path[DOCTOR_PATH];

	for (size_t i = 0; i < nr; i++) {
		doctor_at(path, "%s%s", script[0] == '/' ? "" : dirs[i], script);
		if (access(path, X_OK) == 0)
			return;
		if (access(path, F_OK) == 0) {
			doctor_found(d, false, "%s: %s: script %s cannot be run: chmod +x %s", domain,
				     whose, script, path);
			return;
		}
	}
	doctor_found(d, false, "%s: %s: script %s is not there: put it into %s, or name another",
		     domain, whose, script, dirs[0]);
}

/* Debian's scripts leave that to the operator. */
static void check_forwarding(struct doctor *d, const struct domain *dom, const struct vif_spec *vif)
{
	const char *name = strrchr(vif->script, '/');
	char path[DOCTOR_PATH];
	FILE *f;
	int now;

	name = name ? name + 1 : vif->script;
	if (dom->domid <= 0 || (strcmp(name, "vif-route") && strcmp(name, "vif-nat")))
		return;
	f = fopen(doctor_at(path, "/proc/sys/net/ipv4/ip_forward"), "re");
	now = f ? fgetc(f) : EOF;
	if (f)
		fclose(f);
	if (now == '0')
		doctor_found(d, false, "%s: network card %u is routed, and this machine passes no packets on: "
			     "sysctl -w net.ipv4.ip_forward=1", dom->name, vif->item);
}

static void check_vif(struct doctor *d, const struct domain *dom, const struct vif_spec *vif)
{
	char whose[32];

	if (vif->bridge[0] && !doctor_bridge_exists(vif->bridge, vif->script))
		doctor_found(d, false, "%s: network card %u: bridge %s does not exist", dom->name,
			     vif->item, vif->bridge);
	snprintf(whose, sizeof(whose), "network card %u", vif->item);
	check_script(d, dom->name, whose, vif->script[0] ? vif->script : "vif-bridge");
	check_forwarding(d, dom, vif);
}

static void check_disk(struct doctor *d, const struct domain *dom, const struct disk_spec *disk)
{
	const bool here = vdev_is_path(disk->backend);
	const char *problem = here ? file_problem(disk->path) : NULL;
	char path[DOCTOR_PATH], how[384], whose[48];
	struct script_name made;

	if (disk->backend == VDEV_SCRIPT && !script_name_parse(disk->path, &made)) {
		snprintf(whose, sizeof(whose), "disk %s", disk->vdev);
		check_script(d, dom->name, whose, made.script);
	}
	if (problem)
		doctor_found(d, false, "%s: disk %s: %s: %s", dom->name, disk->vdev, disk->path, problem);
	else if (here && disk->writable && !disk->shared && disk_use(doctor_root, disk->path, how, sizeof(how)))
		doctor_found(d, false, "%s: disk %s: %s %s: two that write to it destroy it: end that, or give "
			     "it read-only (mode r)", dom->name, disk->vdev, disk->path, how);
	if ((disk->format != DISK_FORMAT_RAW || disk->backend == VDEV_ISCSI) &&
	    access(doctor_at(path, "/usr/bin/qemu-nbd"), X_OK))
		doctor_found(d, false, "%s: disk %s: qemu-nbd, which reads it, is not there: apt install "
			     "qemu-utils", dom->name, disk->vdev);
	if (here)
		check_image_space(d, dom->name, disk);
}

/* False when there is none. */
static bool check_record(struct doctor *d, struct patient *p)
{
	int before = d->nr_bad;
	struct record *rec = &p->rec;
	const char *problem;

	if (!read_record(d, p->dom, rec))
		return false;
	problem = rec->kernel[0] ? file_problem(rec->kernel) : NULL;
	if (problem)
		doctor_found(d, false, "%s: kernel %s: %s", p->dom->name, rec->kernel, problem);
	problem = rec->ramdisk[0] ? file_problem(rec->ramdisk) : NULL;
	if (problem)
		doctor_found(d, false, "%s: ramdisk %s: %s", p->dom->name, rec->ramdisk, problem);
	for (unsigned int i = 0; i < rec->nr_disks; i++)
		check_disk(d, p->dom, &rec->disk[i]);
	for (unsigned int i = 0; i < rec->nr_vifs; i++)
		check_vif(d, p->dom, &rec->vif[i]);
	if (d->nr_bad == before)
		doctor_found(d, true, "%s: what its record names is there", p->dom->name);
	return true;
}

/* ---- what two of them have ---- */

/* Whether both are one file or device, whatever they are called. */
static bool same_disk(const struct disk_spec *a, const struct disk_spec *b)
{
	struct stat st_a, st_b;

	if (strcmp(a->path, b->path) == 0)
		return true;
	if (!vdev_is_path(a->backend) || !vdev_is_path(b->backend) || stat(a->path, &st_a) ||
	    stat(b->path, &st_b) || S_ISBLK(st_a.st_mode) != S_ISBLK(st_b.st_mode))
		return false;
	if (S_ISBLK(st_a.st_mode))
		return st_a.st_rdev == st_b.st_rdev;
	return st_a.st_dev == st_b.st_dev && st_a.st_ino == st_b.st_ino;
}

static void check_same_disk(struct doctor *d, const struct patient *a, const struct patient *b)
{
	for (unsigned int i = 0; i < a->rec.nr_disks; i++) {
		for (unsigned int j = 0; j < b->rec.nr_disks; j++) {
			const struct disk_spec *x = &a->rec.disk[i], *y = &b->rec.disk[j];

			if ((x->writable || y->writable) && !(x->shared && y->shared) && same_disk(x, y))
				doctor_noted(d, "%s: disk %s and %s: disk %s are one, %s: the two do not "
					     "run at once", a->dom->name, x->vdev, b->dom->name, y->vdev,
					     x->path);
		}
	}
}

/* A copied file has the address, too: the bridge then sends to whichever spoke last. */
static void check_same_mac(struct doctor *d, const struct patient *a, const struct patient *b)
{
	for (unsigned int i = 0; i < a->rec.nr_vifs; i++) {
		for (unsigned int j = 0; j < b->rec.nr_vifs; j++) {
			const char *mac = a->rec.vif[i].mac;

			if (mac[0] && strcmp(mac, b->rec.vif[j].mac) == 0)
				doctor_found(d, false, "%s and %s have network cards of one address, %s: "
					     "give one another, or none (xm edit)", a->dom->name,
					     b->dom->name, mac);
		}
	}
}

static void check_twins(struct doctor *d, const struct patient *a, const struct patient *b)
{
	if (a->rec.uuid_text[0] && strcmp(a->rec.uuid_text, b->rec.uuid_text) == 0)
		doctor_found(d, false, "%s and %s have one uuid, %s: only one of them starts: take the line "
			     "out of one (xm edit)", a->dom->name, b->dom->name, a->rec.uuid_text);
	check_same_disk(d, a, b);
	check_same_mac(d, a, b);
}

static void check_one(struct doctor *d, struct patient *p, size_t *nr)
{
	static const char *const kinds[] = { "vbd", "vif", "vfb", "vkbd", "console" };
	const struct domain *dom = p->dom;

	if (dom->has_record && check_record(d, p))
		(*nr)++;
	for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]) && domain_is_live(dom) && dom->domid > 0; k++)
		check_devices(d, dom, kinds[k]);
	if (dom->state == DOM_FAILED || dom->state == DOM_CRASHED)
		doctor_found(d, false, "%s: is %s: '%s why %s' tells more", dom->name, dom->state_word,
			     d->xm->prog, dom->name);
}

void doctor_domains(struct doctor *d)
{
	struct domains all;
	struct patient *p;
	size_t nr = 0;

	if (domains_load(d->xm->xs, &all) < 0) {
		doctor_found(d, false, "the list of domains cannot be read");
		return;
	}
	p = calloc(all.nr + 1, sizeof(*p));
	for (size_t i = 0; p && i < all.nr; i++) {
		p[nr].dom = &all.at[i];
		check_one(d, &p[nr], &nr);
	}
	for (size_t i = 0; i < nr; i++)
		for (size_t j = i + 1; j < nr; j++)
			check_twins(d, &p[i], &p[j]);
	if (!p)
		doctor_found(d, false, "out of memory");
	free(p);
	domains_fini(&all);
}
