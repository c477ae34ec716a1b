/* SPDX-License-Identifier: MIT */
/* hv_dirty.c - domctl shadow_op: which frames a guest has written. Source: xen/domctl.h. */
#include <errno.h>
#include <string.h>

#include "hv_internal.h"

static int simple(struct hv *hv, uint16_t domid, uint32_t what)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_shadow_op, .domain = domid };

	op.u.shadow_op.op = what;
	return hv_domctl(hv, &op);
}

int hv_dirty_begin(struct hv *hv, uint16_t domid)
{
	return simple(hv, domid, XEN_DOMCTL_SHADOW_OP_ENABLE_LOGDIRTY);
}

int hv_dirty_end(struct hv *hv, uint16_t domid)
{
	return simple(hv, domid, XEN_DOMCTL_SHADOW_OP_OFF);
}

int hv_dirty_take(struct hv *hv, uint16_t domid, uint8_t *bits, uint64_t nr_pfns, uint64_t *nr)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_shadow_op, .domain = domid };
	size_t len = (nr_pfns + 63) / 64 * 8;
	uint8_t *buf = hv_buf(hv, NULL, len);
	int err;

	if (!buf)
		return -ENOMEM;
	memset(buf, 0, len);
	op.u.shadow_op.op = XEN_DOMCTL_SHADOW_OP_CLEAN;
	op.u.shadow_op.pages = nr_pfns;
	set_xen_guest_handle(op.u.shadow_op.dirty_bitmap, buf);
	err = hv_domctl(hv, &op);
	*nr = 0;
	for (size_t i = 0; !err && i < len; i++) {
		bits[i] = buf[i];
		*nr += (uint64_t)__builtin_popcount(buf[i]);
	}
	hv_buf_free(hv, buf);
	return err;
}
