/* SPDX-License-Identifier: MIT */
/*
 * disk_drain.h - nothing of a suspended guest is on its way to its disks any more.
 *
 * What its kernel had asked for and was not told the end of, it asks for again where it wakes: here
 * it must have ended by then, and be where that host, or that later life, looks for it. A write
 * that a slow server still had would else be done after the newer ones.
 */
#ifndef XEND_DISK_DRAIN_H
#define XEND_DISK_DRAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* So long it may take: a server that says nothing must not have the guest stand still for ever. */
#define DISK_DRAIN_S 60

struct xend;
struct domain;

/*
 * Asks the processes of @d's disks, under @token, new each time. The domain is suspended; when it
 * @leaves for another host, so do its images' locks. 0; -errno of the store.
 */
int disk_drain(struct xend *x, const struct domain *d, const char *token, bool leaves);

/*
 * Asked at @since_ns: 0: all have; -EINPROGRESS; -ETIMEDOUT, -ENODEV: one cannot, -EIO of the
 * store: for a line in the user's words, which is in @why.
 */
int disk_drained(struct xend *x, const struct domain *d, const char *token, uint64_t since_ns,
		 char *why, size_t why_len);

/* The guest goes on here: nobody waits for it any more. */
void disk_drain_end(struct xend *x, const struct domain *d);

#endif
