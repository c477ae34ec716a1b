/* SPDX-License-Identifier: MIT */
/* disk_drain.c - see disk_drain.h. backends/blk/blkback.c:blk_look() answers. */
#include "disk_drain.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/io/xenbus.h>

#include "devices.h"
#include "domain.h"
#include "store.h"
#include "xend.h"

#define FAILED "failed "		/* before the token */

struct drain {
	const char *token;
	bool leaves;			/* for another host */
	char *why;
	size_t why_len;
};

/* Calls @each for the id of every disk until it returns other than 0, which is returned. */
static int for_disks(struct xend *x, const struct domain *d, const struct drain *dr,
		     int (*each)(struct xend *x, const struct domain *d, const char *id,
				 const struct drain *dr))
{
	unsigned int nr;
	char **ids = store_list(x->xs,
				path_backend_dir(DEVICE_VBD, (unsigned int)d->domid), &nr);
	int err = ids || errno == ENOENT ? 0 : -EIO; /* a store that is away names no disk */

	for (unsigned int i = 0; i < nr && !err; i++)
		err = each(x, d, ids[i], dr);
	free(ids);
	return err;
}

static struct path key(const struct domain *d, const char *id, const char *name)
{
	return path_backend(DEVICE_VBD, (unsigned int)d->domid, id, name);
}

static int ask(struct xend *x, const struct domain *d, const char *id, const struct drain *dr)
{
	int err = dr->leaves ? store_write(x->xs, key(d, id, "lock-leaves"), "1") : 0;

	return err ? err : store_write(x->xs, key(d, id, "drain"), dr->token);
}

/* What its process last said, if it did. */
static void explain(struct xend *x, const struct domain *d, const char *id, const struct drain *dr)
{
	char *dev = store_read(x->xs, key(d, id, "dev"));
	char *error = devices_words(x, (unsigned int)d->domid, DEVICE_VBD, id, "error");

	snprintf(dr->why, dr->why_len, "disk %.32s: what the guest asked of it did not end within "
		 "%d s%s%.300s", dev ? dev : id, DISK_DRAIN_S, error && error[0] ? ": " : "",
		 error ? error : "");
	free(dev);
	free(error);
}

/* Its process has ended all requests, and itself: xend had asked it to. */
static bool has_gone(struct xend *x, const struct domain *d, const char *id)
{
	return store_read_long(x->xs, key(d, id, "state")) == XenbusStateClosed &&
	       store_read_long(x->xs, key(d, id, "online")) == 0;
}

/* The disk refuses for good what was to reach it. */
static int refused(struct xend *x, const struct domain *d, const char *id, const struct drain *dr)
{
	char *dev = store_read(x->xs, key(d, id, "dev"));
	char *error = devices_words(x, (unsigned int)d->domid, DEVICE_VBD, id, "error");

	snprintf(dr->why, dr->why_len, "disk %.32s: %.300s", dev ? dev : id,
		 error ? error : "what was written cannot be flushed");
	free(dev);
	free(error);
	return -ENODEV;
}

static int look(struct xend *x, const struct domain *d, const char *id, const struct drain *dr)
{
	char *done = store_read(x->xs, key(d, id, "drained"));
	bool is_same = done && !strcmp(done, dr->token);
	bool is_refused = done && !strncmp(done, FAILED, strlen(FAILED)) &&
			  !strcmp(done + strlen(FAILED), dr->token);

	free(done);
	if (is_same || has_gone(x, d, id))
		return 0;
	if (is_refused)
		return refused(x, d, id, dr);
	/* Of one that is not served any more nothing will be heard. */
	if (devices_check(x, (unsigned int)d->domid, DEVICE_VBD, id, dr->why, dr->why_len) == -EIO)
		return -ENODEV;
	explain(x, d, id, dr);
	return -EINPROGRESS;
}

static int forget(struct xend *x, const struct domain *d, const char *id, const struct drain *dr)
{
	(void)dr;
	store_rm(x->xs, key(d, id, "lock-leaves"));
	store_rm(x->xs, key(d, id, "drain"));
	return 0;
}

int disk_drain(struct xend *x, const struct domain *d, const char *token, bool leaves)
{
	const struct drain dr = { .token = token, .leaves = leaves };

	return for_disks(x, d, &dr, ask);
}

int disk_drained(struct xend *x, const struct domain *d, const char *token, uint64_t since_ns,
		 char *why, size_t why_len)
{
	const struct drain dr = { .token = token, .why = why, .why_len = why_len };
	int err = for_disks(x, d, &dr, look);

	if (err == -EIO)
		snprintf(why, why_len, "the store does not say whether its disks are at rest");
	if (err == -EINPROGRESS && x->now_ns - since_ns >= DISK_DRAIN_S * NS_PER_S)
		err = -ETIMEDOUT;
	return err;
}

void disk_drain_end(struct xend *x, const struct domain *d)
{
	for_disks(x, d, NULL, forget);
}
