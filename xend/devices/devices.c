/* SPDX-License-Identifier: MIT */
/*
 * devices.c - xenbus directories of disks, cards, the screen and the console.
 *
 * Backend directories: owned and written by dom0, readable by the guest. Frontend directories:
 * the guest's own, since it writes its rings there. The console's frontend is the read-only
 * console directory of the home. What to remove is found from dom0's side only: a guest's
 * directories are never believed (security rule C15).
 */
#include "devices.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "disk_use.h"
#include "notify.h"
#include "restore_pv.h"
#include "store.h"
#include "vdev.h"
#include "xend.h"

#define DOM0 0u
#define CONSOLE_ID "0"
#define SCREEN_ID "0"
#define CAME_PART 3900

static void write_common(struct txn *tx, enum device_kind k, unsigned int domid, const char *id)
{
	struct path back = path_backend(k, domid, id, NULL);

	txn_mkdir(tx, back);
	txn_perms(tx, back, DOM0, domid);
	txn_write(tx, path_backend(k, domid, id, "frontend"), path_frontend(k, domid, id, NULL).s);
	txn_writef(tx, path_backend(k, domid, id, "frontend-id"), "%u", domid);
	txn_write(tx, path_backend(k, domid, id, "online"), "1");
	txn_writef(tx, path_backend(k, domid, id, "state"), "%d", XenbusStateInitialising);
	if (k != DEVICE_CONSOLE) {
		struct path front = path_frontend(k, domid, id, NULL);

		txn_mkdir(tx, front);
		txn_perms(tx, front, domid, DOM0);
		txn_writef(tx, path_frontend(k, domid, id, "state"), "%d",
			   XenbusStateInitialising);
	}
	txn_write(tx, path_frontend(k, domid, id, "backend"), back.s);
	txn_write(tx, path_frontend(k, domid, id, "backend-id"), "0");
}

/*
 * What the record says of a device, as its backend directory has it: what is written is what is
 * compared. NULL: the key is not there.
 */
struct said {
	const char *key, *value;
};

#define DISK_SAID 8
#define VIF_SAID 6

static const char *or_none(const char *value)
{
	return value[0] ? value : NULL;
}

static void disk_said(const struct disk_spec *disk, struct said out[DISK_SAID])
{
	out[0] = (struct said){ "params", disk->path };
	out[1] = (struct said){ "type", disk_backend_name(disk->backend) };
	out[2] = (struct said){ "mode", disk->writable ? "w" : "r" };
	out[3] = (struct said){ "lock", disk->shared ? "0" : "1" };
	out[4] = (struct said){ "cache", or_none(disk_cache_words[disk->cache]) };
	out[5] = (struct said){ "dev", disk->vdev };
	out[6] = (struct said){ "format", disk->format == DISK_FORMAT_RAW ? NULL :
						disk_format_words[disk->format] };
	out[7] = (struct said){ "backing", or_none(disk->backing) };
}

/*
 * But for its address, of which the record may say nothing. @rate: 48 bytes, as Xen's tools write
 * it.
 */
static void vif_said(const struct vif_spec *v, struct said out[VIF_SAID], char rate[48])
{
	struct card_rate parsed;

	rate[0] = '\0';
	if (card_rate_parse(v->rate, &parsed))
		snprintf(rate, 48, "%llu,%u", (unsigned long long)parsed.bytes, parsed.interval_us);
	out[0] = (struct said){ "bridge", v->bridge };
	out[1] = (struct said){ "script", v->script };
	out[2] = (struct said){ "ip", or_none(v->ip) };
	out[3] = (struct said){ "vifname", or_none(v->vifname) };
	out[4] = (struct said){ "rate", or_none(rate) };
	out[5] = (struct said){ "gatewaydev", or_none(v->gatewaydev) };
}

static void write_said(struct txn *tx, enum device_kind k, unsigned int domid, const char *id,
		       const struct said *said, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (said[i].value)
			txn_write(tx, path_backend(k, domid, id, said[i].key), said[i].value);
}

/* For whom several queues are worth it: one for each vcpu it can have. */
static void write_vcpus(struct txn *tx, enum device_kind k, const struct domain *d, const char *id)
{
	if (d->rec.maxvcpus > 1)
		txn_writef(tx, path_backend(k, (unsigned int)d->domid, id, "vcpus"), "%u", d->rec.maxvcpus);
}

static void write_disk(struct txn *tx, const struct domain *d, const struct disk_spec *disk)
{
	const enum device_kind k = DEVICE_VBD;
	const unsigned int domid = (unsigned int)d->domid;
	struct said said[DISK_SAID];
	char id[16];

	snprintf(id, sizeof(id), "%u", disk->number);
	disk_said(disk, said);
	write_common(tx, k, domid, id);
	write_said(tx, k, domid, id, said, DISK_SAID);
	/* What a script is told may be a password. */
	if (disk->backend == VDEV_SCRIPT)
		txn_perms(tx, path_backend(k, domid, id, "params"), DOM0, DOM0);
	/* The other host's process has it as long as the guest runs there. */
	if (d->rec.arriving[0])
		txn_write(tx, path_backend(k, domid, id, "lock-comes"), "1");
	write_vcpus(tx, k, d, id);
	txn_write(tx, path_backend(k, domid, id, "virtual-device"), id);
	txn_write(tx, path_backend(k, domid, id, "removable"), "0");
	txn_write(tx, path_backend(k, domid, id, "bootable"), "1");
	txn_write(tx, path_backend(k, domid, id, "device-type"), "disk");
	txn_write(tx, path_frontend(k, domid, id, "virtual-device"), id);
	txn_write(tx, path_frontend(k, domid, id, "device-type"), "disk");
}

static void write_vif(struct txn *tx, const struct domain *d, const struct vif_spec *v)
{
	const enum device_kind k = DEVICE_VIF;
	unsigned int domid = (unsigned int)d->domid;
	struct said said[VIF_SAID];
	char id[16], mac[18], rate[48];

	snprintf(id, sizeof(id), "%u", v->item);
	record_vif_mac(&d->rec, v, mac);
	vif_said(v, said, rate);
	write_common(tx, k, domid, id);
	txn_write(tx, path_backend(k, domid, id, "mac"), mac);
	write_said(tx, k, domid, id, said, VIF_SAID);
	write_vcpus(tx, k, d, id);
	txn_write(tx, path_backend(k, domid, id, "handle"), id);
	txn_write(tx, path_backend(k, domid, id, "type"), "vif");
	txn_write(tx, path_frontend(k, domid, id, "handle"), id);
	txn_write(tx, path_frontend(k, domid, id, "mac"), mac);
}

/*
 * Two devices that are one: who sees the screen types on the keyboard. The password is dom0's
 * alone: the guest may read what is beside it.
 */
static void write_screen(struct txn *tx, unsigned int domid, const struct screen_spec *s)
{
	const enum device_kind k = DEVICE_VFB;
	const struct path password = path_backend(k, domid, SCREEN_ID, "vncpasswd");
	const struct said said[] = { { "vnc", "1" },
				     { "vnclisten", s->listen },
				     { "vncdisplay", or_none(s->display) },
				     { "vncpasswd", or_none(s->password) } };

	if (!s->vnc)
		return;
	write_common(tx, k, domid, SCREEN_ID);
	write_said(tx, k, domid, SCREEN_ID, said, sizeof(said) / sizeof(said[0]));
	if (s->password[0])
		txn_perms(tx, password, DOM0, DOM0);
	write_common(tx, DEVICE_VKBD, domid, SCREEN_ID);
}

int devices_may_write(const struct xend *x, const struct disk_spec *disk, char *why,
		      size_t why_len)
{
	char how[384];

	if (!disk->writable || disk->shared || !disk_use(x->root, disk->path, how, sizeof(how)))
		return 0;
	snprintf(why, why_len, "disk %s: %.200s %s: two that write to it destroy it (mode r reads "
		 "it, w! writes all the same)", disk->vdev, disk->path, how);
	return -EBUSY;
}

/* What the guest printed on another host, in parts that fit into a node. */
static void write_came(struct txn *tx, unsigned int domid, const char *text)
{
	char part[CAME_PART + 1], key[24];
	size_t len = strlen(text);

	for (unsigned int i = 0; len; i++) {
		size_t n = len < CAME_PART ? len : CAME_PART;

		memcpy(part, text, n);
		part[n] = '\0';
		snprintf(key, sizeof(key), "came/%u", i);
		txn_write(tx, path_backend(DEVICE_CONSOLE, domid, CONSOLE_ID, key), part);
		text += n;
		len -= n;
	}
}

static int console_body(struct txn *tx, void *arg)
{
	const struct domain *d = arg;
	unsigned int domid = (unsigned int)d->domid;

	write_common(tx, DEVICE_CONSOLE, domid, CONSOLE_ID);
	txn_write(tx, path_backend(DEVICE_CONSOLE, domid, CONSOLE_ID, "protocol"), "vt100");
	write_came(tx, domid, restore_console(d->restore));
	return 0;
}

static int without_console_body(struct txn *tx, void *arg)
{
	const struct domain *d = arg;

	for (unsigned int i = 0; i < d->rec.nr_disks; i++)
		write_disk(tx, d, &d->rec.disk[i]);
	for (unsigned int i = 0; i < d->rec.nr_vifs; i++)
		write_vif(tx, d, &d->rec.vif[i]);
	write_screen(tx, (unsigned int)d->domid, &d->rec.screen);
	return 0;
}

static int devices_body(struct txn *tx, void *arg)
{
	int err = console_body(tx, arg);

	return err ? err : without_console_body(tx, arg);
}

int devices_write(struct xend *x, struct domain *d)
{
	return store_transact(x->xs, devices_body, d);
}

int devices_write_early(struct xend *x, struct domain *d)
{
	return store_transact(x->xs, without_console_body, d);
}

int devices_write_console(struct xend *x, struct domain *d)
{
	return store_transact(x->xs, console_body, d);
}

/*
 * Calls @fn for each backend directory of the domain until it returns non-zero. -EIO: the store
 * does not say which there are.
 */
static int for_each(struct xend *x, struct domain *d,
		    int (*fn)(struct xend *, struct domain *, enum device_kind, const char *id))
{
	for (enum device_kind k = 0; k < DEVICE_NR; k++) {
		unsigned int nr;
		char **ids = store_list(x->xs,
					path_backend_dir(k, (unsigned int)d->domid), &nr);
		int rc = ids || errno == ENOENT ? 0 : -EIO;

		for (unsigned int i = 0; i < nr && !rc; i++)
			rc = fn(x, d, k, ids[i]);
		free(ids);
		if (rc)
			return rc;
	}
	return 0;
}

/* "disk xvda", "network card 0", "console": what the user calls it. */
static void describe(struct xend *x, unsigned int domid, enum device_kind k, const char *id,
		     char *out, size_t len)
{
	static const char *const names[DEVICE_NR] = { [DEVICE_VFB] = "screen",
						      [DEVICE_VKBD] = "keyboard",
						      [DEVICE_CONSOLE] = "console" };
	char *dev = k == DEVICE_VBD ? store_read(x->xs, path_backend(k, domid, id, "dev")) : NULL;

	if (k == DEVICE_VBD)
		snprintf(out, len, "disk %s", dev ? dev : id);
	else if (k == DEVICE_VIF)
		snprintf(out, len, "network card %s", id);
	else
		snprintf(out, len, "%s", names[k]);
	free(dev);
}

char *devices_words(struct xend *x, unsigned int domid, enum device_kind k, const char *id,
		    const char *key)
{
	char *text = store_read(x->xs, path_backend(k, domid, id, key));

	for (unsigned char *c = (unsigned char *)text; c && *c; c++) {
		/* UTF-8 stays, but for the control characters that are two bytes there. */
		if (*c == 0xc2 && c[1] >= 0x80 && c[1] < 0xa0)
			c[0] = c[1] = '?';
		else if (*c < ' ' || *c == 0x7f)
			*c = '?';
	}
	return text;
}

int devices_check(struct xend *x, unsigned int domid, enum device_kind k, const char *id, char *why,
		  size_t why_len)
{
	char *status = store_read(x->xs, path_backend(k, domid, id, "hotplug-status"));
	char what[64], *text;
	int rc = -EINPROGRESS;

	if (status && !strcmp(status, "connected")) {
		rc = 0;
	} else if (status && !strcmp(status, "error")) {
		describe(x, domid, k, id, what, sizeof(what));
		text = devices_words(x, domid, k, id, "hotplug-error");
		snprintf(why, why_len, "%s: %s", what, text ? text : "its backend failed");
		free(text);
		rc = -EIO;
	}
	free(status);
	return rc;
}

static int check_ready(struct xend *x, struct domain *d, enum device_kind k, const char *id)
{
	char why[DOMAIN_ERROR_MAX];
	int rc = devices_check(x, (unsigned int)d->domid, k, id, why, sizeof(why));

	if (rc == -EIO)
		domain_error(d, "%s", why);
	return rc;
}

int devices_ready(struct xend *x, struct domain *d)
{
	return for_each(x, d, check_ready);
}

static int check_needed(struct xend *x, struct domain *d, enum device_kind k, const char *id)
{
	int rc = check_ready(x, d, k, id);

	return k == DEVICE_CONSOLE && rc == -EINPROGRESS ? 0 : rc;
}

int devices_ready_but_console(struct xend *x, struct domain *d)
{
	return for_each(x, d, check_needed);
}

static int blame(struct xend *x, struct domain *d, enum device_kind k, const char *id)
{
	char what[64];

	if (check_ready(x, d, k, id) != -EINPROGRESS)
		return 0;
	describe(x, (unsigned int)d->domid, k, id, what, sizeof(what));
	domain_error(d, "%s: its backend did not come up in time: is backendd running? See %s",
		     what, notify_log_of("backendd"));
	return 1;
}

void devices_blame(struct xend *x, struct domain *d)
{
	for_each(x, d, blame);
}

static void ask_close(struct txn *tx, unsigned int domid, enum device_kind k, const char *id)
{
	char *state = txn_read(tx, path_backend(k, domid, id, "state"));

	if (!state || strtol(state, NULL, 10) != XenbusStateClosed) {
		txn_write(tx, path_backend(k, domid, id, "online"), "0");
		txn_writef(tx, path_backend(k, domid, id, "state"), "%d", XenbusStateClosing);
	}
	free(state);
}

/* The frontends go in the same step: no backend waits for a guest that will not run again. */
static int close_body(struct txn *tx, void *arg)
{
	const struct domain *d = arg;
	unsigned int domid = (unsigned int)d->domid;

	for (enum device_kind k = 0; k < DEVICE_NR; k++) {
		unsigned int nr;
		char **ids = txn_list(tx, path_backend_dir(k, domid), &nr);

		for (unsigned int i = 0; i < nr; i++)
			ask_close(tx, domid, k, ids[i]);
		free(ids);
	}
	txn_rm(tx, path_home(domid, "device"));
	return 0;
}

int devices_close(struct xend *x, struct domain *d)
{
	return store_transact(x->xs, close_body, d);
}

/* The process of a device that could not be served has ended with that word. */
static bool has_failed(struct xend *x, struct path status)
{
	char *word = store_read(x->xs, status);
	bool failed = word && !strcmp(word, "error");

	free(word);
	return failed;
}

/* Whether somebody is there who will say that it is closed. */
static int is_open(struct xend *x, struct domain *d, enum device_kind k, const char *id)
{
	unsigned int domid = (unsigned int)d->domid;
	long state = store_read_long(x->xs, path_backend(k, domid, id, "state"));

	/* Without a state it is no device: a script's last word came after its directory went. */
	return state >= 0 && state != XenbusStateClosed &&
	       !has_failed(x, path_backend(k, domid, id, "hotplug-status"));
}

bool devices_closed(struct xend *x, struct domain *d)
{
	return !for_each(x, d, is_open);
}

static int remove_body(struct txn *tx, void *arg)
{
	const struct domain *d = arg;
	unsigned int domid = (unsigned int)d->domid;

	for (enum device_kind k = 0; k < DEVICE_NR; k++)
		txn_rm(tx, path_backend_dir(k, domid));
	txn_rm(tx, path_home(domid, "device"));
	return 0;
}

int devices_remove(struct xend *x, struct domain *d)
{
	return store_transact(x->xs, remove_body, (void *)d);
}

/* ---- one device of a running domain ---- */

struct one {
	const struct domain *d;
	enum device_kind kind;
	unsigned int index;
	const char *id;
	struct devices_also also;
};

static void do_also(struct txn *tx, const struct one *o)
{
	if (o->also.run)
		o->also.run(tx, o->also.arg);
}

static int add_body(struct txn *tx, void *arg)
{
	const struct one *o = arg;

	/* What is left of one that was there before would be taken for the new one's. */
	txn_rm(tx, path_backend(o->kind, (unsigned int)o->d->domid, o->id, NULL));
	if (o->kind == DEVICE_VBD)
		write_disk(tx, o->d, &o->d->rec.disk[o->index]);
	else
		write_vif(tx, o->d, &o->d->rec.vif[o->index]);
	do_also(tx, o);
	return 0;
}

int devices_add(struct xend *x, struct domain *d, enum device_kind kind, unsigned int index,
		const char *id, struct devices_also also)
{
	struct one o = { d, kind, index, id, also };

	return store_transact(x->xs, add_body, &o);
}

static int unplug_body(struct txn *tx, void *arg)
{
	const struct one *o = arg;

	ask_close(tx, (unsigned int)o->d->domid, o->kind, o->id);
	do_also(tx, o);
	return 0;
}

int devices_unplug(struct xend *x, struct domain *d, enum device_kind kind, const char *id,
		   struct devices_also also)
{
	struct one o = { d, kind, 0, id, also };

	return store_transact(x->xs, unplug_body, &o);
}

static int drop_body(struct txn *tx, void *arg)
{
	const struct one *o = arg;
	unsigned int domid = (unsigned int)o->d->domid;

	txn_rm(tx, path_backend(o->kind, domid, o->id, NULL));
	txn_rm(tx, path_frontend(o->kind, domid, o->id, NULL));
	return 0;
}

int devices_drop(struct xend *x, struct domain *d, enum device_kind kind, const char *id)
{
	struct one o = { d, kind, 0, id, { 0 } };

	return store_transact(x->xs, drop_body, &o);
}

static bool is_value(struct txn *tx, struct path p, const char *value)
{
	char *now = txn_read(tx, p);
	bool is = now && value ? !strcmp(now, value) : !now && !value;

	free(now);
	return is;
}

static bool is_said(struct txn *tx, enum device_kind k, unsigned int domid, const char *id,
		    const struct said *said, size_t nr)
{
	bool is = true;

	for (size_t i = 0; i < nr && is; i++)
		is = is_value(tx, path_backend(k, domid, id, said[i].key), said[i].value);
	return is;
}

static unsigned int count(struct txn *tx, enum device_kind kind, unsigned int domid)
{
	unsigned int nr;

	free(txn_list(tx, path_backend_dir(kind, domid), &nr));
	return nr;
}

bool devices_as_recorded(struct txn *tx, const struct domain *d)
{
	unsigned int domid = (unsigned int)d->domid;
	bool same = count(tx, DEVICE_VBD, domid) == d->rec.nr_disks &&
		    count(tx, DEVICE_VIF, domid) == d->rec.nr_vifs;
	char id[16];

	for (unsigned int i = 0; same && i < d->rec.nr_disks; i++) {
		struct said said[DISK_SAID];

		snprintf(id, sizeof(id), "%u", d->rec.disk[i].number);
		disk_said(&d->rec.disk[i], said);
		same = is_said(tx, DEVICE_VBD, domid, id, said, DISK_SAID);
	}
	for (unsigned int i = 0; same && i < d->rec.nr_vifs; i++) {
		const struct vif_spec *v = &d->rec.vif[i];
		struct said said[VIF_SAID];
		char rate[48];

		snprintf(id, sizeof(id), "%u", v->item);
		vif_said(v, said, rate);
		same = is_said(tx, DEVICE_VIF, domid, id, said, VIF_SAID);
		if (same && v->mac[0])
			same = is_value(tx, path_backend(DEVICE_VIF, domid, id, "mac"), v->mac);
	}
	return same;
}
