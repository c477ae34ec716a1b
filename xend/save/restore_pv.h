/* SPDX-License-Identifier: MIT */
/*
 * restore_pv.h - a domain's memory and vcpus from a file of xm save, instead of from a kernel.
 *
 * The same steps as build_pv.h's, with the same words: 0, -EINPROGRESS, or -errno with d->error.
 * The file is not trusted: it can make a guest that crashes, nothing else.
 */
#ifndef XEND_RESTORE_PV_H
#define XEND_RESTORE_PV_H

#include <stdint.h>

struct xend;
struct domain;
struct restore;

/* Reads the head of d->rec.saved, a file's by a worker, and compares it with the record. */
int restore_image(struct xend *x, struct domain *d);
void restore_image_late(struct xend *x, struct domain *d);
/* What it needs, KiB, of maxmem= at most: known when restore_image() was done. */
uint64_t restore_kib(const struct restore *r);
int restore_populate(struct xend *x, struct domain *d);
/* Has the other host send its memory. 0 or -errno with d->error. */
int restore_accept(struct xend *x, struct domain *d);
/*
 * Waits for a worker: minutes for a large domain. From another host: as long as something comes,
 * and d->deadline_ns is when too long nothing has.
 */
int restore_load(struct xend *x, struct domain *d);
void restore_load_late(struct xend *x, struct domain *d);
int restore_tables(struct xend *x, struct domain *d);

/* What the guest printed last on the host that it comes from: any bytes. "": not known. */
const char *restore_console(const struct restore *r);

/*
 * The undo of restore_load(), also for a domain without: 0 when no worker makes hypercalls for the
 * domain any more, -EINPROGRESS until then.
 */
int restore_stop(struct xend *x, struct domain *d);

/* NULL is fine. */
void restore_free(struct restore *r);

#endif
