/* SPDX-License-Identifier: MIT */
/* disk_drain.c - see disk_drain.h. backends/blk/blkback.c:blk_look() answers. */
#include "disk_drain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "store.h"
#include "xend.h"

/* Calls @each for the id of every disk until it returns other than 0, which is returned. */
static int for_disks(struct xend *x, const struct domain *d, const char *token,
		     int (*each)(struct xend *x, const struct domain *d, const char *id,
				 const char *token))
{
	unsigned int nr;
	char **ids = store_list(x->xs, XBT_NULL,
				path_backend_dir(DEVICE_VBD, (unsigned int)d->domid), &nr);
	int err = 0;

	for (unsigned int i = 0; i < nr && !err; i++)
		err = each(x, d, ids[i], token);
	free(ids);
	return err;
}

static int ask(struct xend *x, const struct domain *d, const char *id, const char *token)
{
	return store_write(x->xs, path_backend(DEVICE_VBD, (unsigned int)d->domid, id, "drain"),
			   token);
}

static int look(struct xend *x, const struct domain *d, const char *id, const char *token)
{
	char *done = store_read(x->xs, path_backend(DEVICE_VBD, (unsigned int)d->domid, id,
						    "drained"));
	bool is_same = done && !strcmp(done, token);

	free(done);
	return is_same ? 0 : -EINPROGRESS;
}

int disk_drain(struct xend *x, const struct domain *d, const char *token)
{
	return for_disks(x, d, token, ask);
}

int disk_drained(struct xend *x, const struct domain *d, const char *token)
{
	return for_disks(x, d, token, look);
}
