/* SPDX-License-Identifier: MIT */
/*
 * build_pv.h - a domain's memory and first vcpu, from its record's files.
 *
 * Glue between the pure builder (unpack, xen_image, pv_layout, pv_image) and the hypervisor. One
 * struct build lives from the first step to the last of a start, then goes.
 */
#ifndef XEND_BUILD_PV_H
#define XEND_BUILD_PV_H

#include <stdint.h>

struct xend;
struct domain;
struct build;
struct build_result;

/*
 * The steps, in order. Each returns 0, or a negative errno with d->error set in the user's
 * words. build_image() reads the kernel; it needs no domain yet and returns
 * -EINPROGRESS while the kernel is being unpacked. The others need d->domid.
 */
int build_image(struct xend *x, struct domain *d);
void build_image_late(struct xend *x, struct domain *d);
int build_populate(struct xend *x, struct domain *d);
int build_load(struct xend *x, struct domain *d);
int build_tables(struct xend *x, struct domain *d);

/* What dom0_memory.c and restore_pv.c do alike. Each 0 or -errno with d->error set. */
/* What a domain of @kib takes of the machine, KiB. */
uint64_t build_need_kib(uint64_t kib);
/* Is there room for a domain of @kib? */
int build_check_memory(struct xend *x, struct domain *d, uint64_t kib);
/* Limits, clock and memory map of a new domain; its two channels go to @made. */
int build_limits(struct xend *x, struct domain *d, struct build_result *made);
/* dom0 may map the rings of d->made. */
int build_grant_rings(struct xend *x, struct domain *d);

/* NULL is fine. */
void build_free(struct build *b);

#endif
