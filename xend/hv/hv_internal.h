/* SPDX-License-Identifier: MIT */
/*
 * hv_internal.h - what the hv_*.c files share: handles and the hypercall buffer discipline.
 */
#ifndef XEND_HV_INTERNAL_H
#define XEND_HV_INTERNAL_H

/* domctl.h and sysctl.h are for tools only; before any header that pulls in xen/xen.h. */
#ifndef __XEN_TOOLS__
#define __XEN_TOOLS__ 1
#endif

#include <stddef.h>
#include <stdint.h>
#include <xencall.h>
#include <xenforeignmemory.h>
#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sysctl.h>

#include "hv.h"

struct hv {
	xencall_handle *call;
	xenforeignmemory_handle *fmem;
};

/* A copy of @src (zeros if NULL) in memory a hypercall may use; NULL when there is none. */
void *hv_buf(struct hv *hv, const void *src, size_t len);
void hv_buf_free(struct hv *hv, void *buf);

/* 0 or -errno of a two-argument hypercall whose second argument is @buf. */
int hv_op(struct hv *hv, unsigned int nr, uint64_t cmd, void *buf);
/* As hv_op() but keeps a positive result. */
long hv_op_result(struct hv *hv, unsigned int nr, uint64_t cmd, void *buf);

/* Issues a domctl/sysctl, version filled in; @op is copied in and out. */
int hv_domctl(struct hv *hv, struct xen_domctl *op);
int hv_sysctl(struct hv *hv, struct xen_sysctl *op);

#endif
