/* SPDX-License-Identifier: MIT */
/*
 * devices.h - front- and backend directories of a domain, from birth to removal.
 *
 * xend writes both sides and waits for hotplug-status; backendd and its processes do the rest
 * (contract: docs/store-paths.md).
 */
#ifndef XEND_DEVICES_H
#define XEND_DEVICES_H

#include <stdbool.h>
#include <stddef.h>

#include "xspaths.h"

struct disk_spec;
struct xend;
struct domain;
struct txn;

/*
 * Whether a guest may write to @disk: -EBUSY with @why when dom0 uses it itself (disk_use.h). Who
 * says w! takes it upon himself.
 */
int devices_may_write(const struct xend *x, const struct disk_spec *disk, char *why,
		      size_t why_len);

/* Writes every device of the record in one transaction. 0 or -errno. */
int devices_write(struct xend *x, struct domain *d);

/*
 * The same in two parts, for one whose memory is still to come: what needs none of it, and the
 * console, whose ring it has. Each 0 or -errno.
 */
int devices_write_early(struct xend *x, struct domain *d);
int devices_write_console(struct xend *x, struct domain *d);

/* 0: all backends are ready; -EINPROGRESS: not yet; -EIO: one failed, d->error says which. */
int devices_ready(struct xend *x, struct domain *d);

/*
 * The same, but that nothing waits for the console: what a guest says is in its ring until that
 * comes up.
 */
int devices_ready_but_console(struct xend *x, struct domain *d);

/* Names the first backend that is not ready, for the time-out's error line. */
void devices_blame(struct xend *x, struct domain *d);

/* The domain will not run again: takes its frontends away and asks every backend to close, in one
 * transaction. 0 or -errno. */
int devices_close(struct xend *x, struct domain *d);

/* Whether every backend has closed or is gone. */
bool devices_closed(struct xend *x, struct domain *d);

/* Removes front- and backend directories, closed or not. 0 or -errno. */
int devices_remove(struct xend *x, struct domain *d);

/*
 * What its process said of itself in @key, malloc'd; NULL: nothing. It may be its guest's by now,
 * and people read this on terminals and in logs: no control character is left.
 */
char *devices_words(struct xend *x, unsigned int domid, enum device_kind kind, const char *id,
		    const char *key);

/*
 * One device: 0 ready, -EINPROGRESS not yet, -EIO with @why (@why_len bytes): what its backend
 * said. @id: as in the backend's path.
 */
int devices_check(struct xend *x, unsigned int domid, enum device_kind kind, const char *id,
		  char *why, size_t why_len);

/* What is done in the same transaction, perhaps several times; run may be NULL. */
struct devices_also {
	void (*run)(struct txn *tx, const void *arg);
	const void *arg;
};

/*
 * Writes the directories of d->rec's disk or card number @index, which are called @id. 0 or -errno.
 */
int devices_add(struct xend *x, struct domain *d, enum device_kind kind, unsigned int index,
		const char *id, struct devices_also also);
/* Asks one backend to close; its frontend stays, so that the guest can let go. 0 or -errno. */
int devices_unplug(struct xend *x, struct domain *d, enum device_kind kind, const char *id,
		   struct devices_also also);
/* Removes both directories of one device, closed or not. 0 or -errno. */
int devices_drop(struct xend *x, struct domain *d, enum device_kind kind, const char *id);

/* Whether the running domain has the devices d->rec says, no more and no fewer. */
bool devices_as_recorded(struct txn *tx, const struct domain *d);

#endif
