/* SPDX-License-Identifier: MIT */
/*
 * disk_drain.h - nothing of a suspended guest is on its way to its disks any more.
 *
 * What its kernel had asked for and was not told the end of, it asks for again where it wakes: here it
 * must have ended by then, and be where the other host looks for it.
 */
#ifndef XEND_DISK_DRAIN_H
#define XEND_DISK_DRAIN_H

struct xend;
struct domain;

/*
 * Asks the processes of @d's disks, under @token, new each time. The domain is suspended. 0; -errno of
 * the store.
 */
int disk_drain(struct xend *x, const struct domain *d, const char *token);

/* 0: all have; -EINPROGRESS. */
int disk_drained(struct xend *x, const struct domain *d, const char *token);

#endif
