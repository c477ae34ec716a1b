/* SPDX-License-Identifier: MIT */
/*
 * request_device.c - devices that come and go while their domain runs.
 *
 * What shall be there is the record's (disk/N, vif/N); these operations make a running domain
 * follow it, which it otherwise does at its next start. Directories: devices.c.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "devices.h"
#include "notify.h"
#include "request_ops.h"
#include "status.h"
#include "record_store.h"
#include "store.h"
#include "xend.h"

#define CONNECT_NS (30 * NS_PER_S)
#define LET_GO_NS (15 * NS_PER_S)	/* longer than a backend waits for a guest that is deaf */

static bool take_kind(struct xend *x, struct request *r, const char *name)
{
	char *text = request_argument(x, r, name);
	bool disk = text && (!strcmp(text, "disk") || !strcmp(text, "vbd"));
	bool card = text && !strcmp(text, "vif");

	r->kind = disk ? DEVICE_VBD : DEVICE_VIF;
	if (!disk && !card)
		refuse(r, -EINVAL, "args/%s=%.32s is not known: disk and vif are", name,
		       text ? text : "");
	free(text);
	return disk || card;
}

/* The domain the answer waits for; NULL after refusing: it ended meanwhile. */
static struct domain *still_there(struct xend *x, struct request *r)
{
	struct domain *d = domain_find(x, r->domain);

	if (d && d->domid >= 0 && d->walk == WALK_NONE)
		return d;
	refuse(r, -ESRCH, "%s ended meanwhile", r->domain);
	return NULL;
}

static struct domain *live_target(struct xend *x, struct request *r)
{
	struct domain *d = settled_target(x, r);

	if (d && d->walk != WALK_NONE) {
		refuse(r, -EBUSY, "%s is %s", d->name, domain_state_name(d->state));
		return NULL;
	}
	if (d)
		memcpy(r->domain, d->name, sizeof(r->domain));
	return d;
}

/* ---- attach ---- */

static int poll_attached(struct xend *x, struct request *r)
{
	struct domain *d = still_there(x, r);
	char why[DOMAIN_ERROR_MAX];
	int err;

	if (!d)
		return -ESRCH;
	err = devices_check(x, (unsigned int)d->domid, r->kind, r->device, why, sizeof(why));
	if (err == -EINPROGRESS && x->now_ns < r->deadline_ns)
		return err;
	if (err) {
		devices_drop(x, d, r->kind, r->device);
		if (err == -EIO)
			return refuse(r, err, "%s", why);
		return refuse(r, -ETIMEDOUT, "its backend did not come up in time: is backendd "
			      "running? See %s", notify_log_of("backendd"));
	}
	status_write(x, d);
	return 0;
}

/* Index of record item @item, or -1. */
static int find_item(const struct domain *d, enum device_kind kind, unsigned int item)
{
	unsigned int nr = kind == DEVICE_VBD ? d->rec.nr_disks : d->rec.nr_vifs;

	for (unsigned int i = 0; i < nr; i++)
		if (item == (kind == DEVICE_VBD ? d->rec.disk[i].item : d->rec.vif[i].item))
			return (int)i;
	return -1;
}

static int waits(struct xend *x, struct request *r)
{
	r->poll = poll_attached;
	r->deadline_ns = x->now_ns + CONNECT_NS;
	return -EINPROGRESS;
}

/* 0: it has no such device; 1: it has, of this request, before xend was killed; else -errno. */
static int there(struct xend *x, struct request *r, const struct domain *d)
{
	int has = store_has(x->xs, path_backend(r->kind, (unsigned int)d->domid, r->device,
						"frontend"));
	int own = has == 1 ? request_noted(x, r) : 0;

	if (has == 1 && !own)
		return refuse(r, -EEXIST, "it has that device already");
	return has == 1 ? own : has;
}

int op_attach(struct xend *x, struct request *r)
{
	struct domain *d = live_target(x, r);
	char why[DOMAIN_ERROR_MAX];
	struct record *rec;
	int err, index;
	long item;

	if (!d || !take_kind(x, r, "list"))
		return -EINVAL;
	item = store_read_long(x->xs, path_request(r->id, "args/item"));
	/* The record may be newer than the last look at it. */
	rec = malloc(sizeof(*rec));
	err = rec ? record_read(x->xs, d->name, rec, why, sizeof(why)) : -ENOMEM;
	if (!err)
		d->rec = *rec;
	free(rec);
	if (err)
		return refuse(r, err, "the record: %s", err == -EINVAL ? why : strerror(-err));
	index = item < 0 ? -1 : find_item(d, r->kind, (unsigned int)item);
	if (index < 0)
		return refuse(r, -ENOENT, "its record has no such device (item %ld)", item);
	snprintf(r->device, sizeof(r->device), "%u", r->kind == DEVICE_VBD ?
		 d->rec.disk[index].number : d->rec.vif[index].item);
	err = there(x, r, d);
	if (err)
		return err < 0 ? err : waits(x, r);
	if (r->kind == DEVICE_VBD) {
		err = devices_may_write(x, &d->rec.disk[index], why, sizeof(why));
		if (err)
			return refuse(r, err, "%s", why);
	}
	err = devices_add(x, d, r->kind, (unsigned int)index, r->device,
			  (struct devices_also){ request_note, r });
	if (err)
		return refuse(r, err, "the store refuses the device: %s", strerror(-err));
	return waits(x, r);
}

/* ---- detach ---- */

static int poll_detached(struct xend *x, struct request *r)
{
	struct domain *d = still_there(x, r);
	long state;
	int err;

	if (!d)
		return -ESRCH;
	state = store_read_long(x->xs, path_backend(r->kind, (unsigned int)d->domid, r->device,
						    "state"));
	if (state >= 0 && state != XenbusStateClosed && x->now_ns < r->deadline_ns)
		return -EINPROGRESS;
	if (state >= 0 && state != XenbusStateClosed)
		return refuse(r, -EBUSY, "the guest still uses it; it goes when the guest lets go "
			      "and this is asked again");
	err = devices_drop(x, d, r->kind, r->device);
	status_write(x, d);
	return err ? refuse(r, err, "the store refuses: %s", strerror(-err)) : 0;
}

int op_detach(struct xend *x, struct request *r)
{
	struct domain *d = live_target(x, r);
	char *device;
	int err;

	if (!d || !take_kind(x, r, "kind"))
		return -EINVAL;
	device = request_argument(x, r, "device");
	snprintf(r->device, sizeof(r->device), "%s",
		 device && path_name_ok(device) ? device : "none");
	free(device);
	err = store_has(x->xs, path_backend(r->kind, (unsigned int)d->domid, r->device, NULL));
	/* The xend before may have had it gone, and not lived to say so. */
	if (!err && request_noted(x, r) == 1)
		return 0;
	if (err != 1)
		return err ? err : refuse(r, -ENOENT, "it has no such device");
	err = devices_unplug(x, d, r->kind, r->device, (struct devices_also){ request_note, r });
	if (err)
		return refuse(r, err, "the store refuses: %s", strerror(-err));
	r->poll = poll_detached;
	r->deadline_ns = x->now_ns + LET_GO_NS;
	if (store_read_long(x->xs, path_request(r->id, "args/force")) == 1) {
		err = devices_drop(x, d, r->kind, r->device);
		status_write(x, d);
		return err;
	}
	return -EINPROGRESS;
}
