/* SPDX-License-Identifier: MIT */
/*
 * build_pv.h - a domain's memory and first vcpu, from its record's files.
 *
 * Glue between the pure builder (unpack, elf64, pv_layout, pv_image) and the hypervisor. One
 * struct build lives from the first step to the last of a start, then goes.
 */
#ifndef XEND_BUILD_PV_H
#define XEND_BUILD_PV_H

#include <stdint.h>

struct xend;
struct domain;
struct build;

/* What other steps need to know about a built domain. */
struct build_result {
	uint64_t store_mfn, console_mfn;
	uint32_t store_port, console_port;
};

/*
 * The steps, in order. Each returns 0, or a negative errno with d->error set in the user's
 * words. build_image() checks memory and reads the kernel; it needs no domain yet and returns
 * -EINPROGRESS while the kernel is being unpacked. The others need d->domid.
 */
int build_image(struct xend *x, struct domain *d);
void build_image_late(struct xend *x, struct domain *d);
int build_populate(struct xend *x, struct domain *d);
int build_load(struct xend *x, struct domain *d);
int build_tables(struct xend *x, struct domain *d);

/* Valid after build_populate(). */
const struct build_result *build_result(const struct build *b);

/* NULL is fine. */
void build_free(struct build *b);

#endif
