/* SPDX-License-Identifier: MIT */
/*
 * hv.c - handles and the one way a hypercall is made.
 *
 * Arguments live in memory from libxencall (locked, never faulting); callers keep ordinary
 * structures and are copied in and out here.
 */
#include "hv_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int hv_open(struct hv **out)
{
	struct hv *hv = calloc(1, sizeof(*hv));

	if (!hv)
		return -ENOMEM;
	hv->call = xencall_open(NULL, 0);
	hv->fmem = hv->call ? xenforeignmemory_open(NULL, 0) : NULL;
	if (!hv->fmem) {
		int err = errno ? -errno : -ENODEV;

		hv_close(hv);
		return err;
	}
	*out = hv;
	return 0;
}

void hv_close(struct hv *hv)
{
	if (hv->fmem)
		xenforeignmemory_close(hv->fmem);
	if (hv->call)
		xencall_close(hv->call);
	free(hv);
}

void *hv_buf(struct hv *hv, const void *src, size_t len)
{
	void *buf = xencall_alloc_buffer(hv->call, len);

	if (!buf)
		return NULL;
	if (src)
		memcpy(buf, src, len);
	else
		memset(buf, 0, len);
	return buf;
}

void hv_buf_free(struct hv *hv, void *buf)
{
	int saved = errno;

	if (buf)
		xencall_free_buffer(hv->call, buf);
	errno = saved;
}

long hv_op_result(struct hv *hv, unsigned int nr, uint64_t cmd, void *buf)
{
	long rc = xencall2(hv->call, nr, cmd, (uintptr_t)buf);

	return rc < 0 ? -errno : rc;
}

int hv_op(struct hv *hv, unsigned int nr, uint64_t cmd, void *buf)
{
	long rc = hv_op_result(hv, nr, cmd, buf);

	return rc < 0 ? (int)rc : 0;
}

int hv_domctl(struct hv *hv, struct xen_domctl *op)
{
	struct xen_domctl *buf;
	int err;

	op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	buf = hv_buf(hv, op, sizeof(*op));
	if (!buf)
		return -ENOMEM;
	err = xencall1(hv->call, __HYPERVISOR_domctl, (uintptr_t)buf) < 0 ? -errno : 0;
	memcpy(op, buf, sizeof(*op));
	hv_buf_free(hv, buf);
	return err;
}

int hv_sysctl(struct hv *hv, struct xen_sysctl *op)
{
	struct xen_sysctl *buf;
	int err;

	op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
	buf = hv_buf(hv, op, sizeof(*op));
	if (!buf)
		return -ENOMEM;
	err = xencall1(hv->call, __HYPERVISOR_sysctl, (uintptr_t)buf) < 0 ? -errno : 0;
	memcpy(op, buf, sizeof(*op));
	hv_buf_free(hv, buf);
	return err;
}
