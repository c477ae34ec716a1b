/* SPDX-License-Identifier: MIT */
/*
 * hv_save.c - domctl and memory_op for what leaves with a saved domain and comes back: kinds of
 * frames, contexts of vcpus, the clock.
 *
 * Source: xen/domctl.h, xen/memory.h.
 */
#include "hv_internal.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <xen/memory.h>

int hv_max_page(struct hv *hv, uint64_t *mfn)
{
	long rc = hv_op_result(hv, __HYPERVISOR_memory_op, XENMEM_maximum_ram_page, NULL);

	if (rc < 0)
		return (int)rc;
	*mfn = (uint64_t)rc;
	return 0;
}

int hv_page_types(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr, uint32_t *types)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_getpageframeinfo3, .domain = domid };
	xen_pfn_t *buf = hv_buf(hv, mfn, nr * sizeof(*buf));
	int err;

	if (!buf)
		return -ENOMEM;
	op.u.getpageframeinfo3.num = nr;
	set_xen_guest_handle(op.u.getpageframeinfo3.array, buf);
	err = hv_domctl(hv, &op);
	for (size_t i = 0; !err && i < nr; i++)
		types[i] = (uint32_t)buf[i] >> XEN_DOMCTL_PFINFO_LTAB_SHIFT;
	hv_buf_free(hv, buf);
	return err;
}

int hv_populate_frames(struct hv *hv, uint16_t domid, const uint64_t *pfn, size_t nr, uint64_t *mfn)
{
	struct xen_memory_reservation in = { .nr_extents = nr, .domid = domid };
	xen_pfn_t *ext = hv_buf(hv, pfn, nr * sizeof(*ext));
	struct xen_memory_reservation *op;
	long got = -ENOMEM;

	if (!ext)
		return -ENOMEM;
	set_xen_guest_handle(in.extent_start, ext);
	op = hv_buf(hv, &in, sizeof(in));
	if (op)
		got = hv_op_result(hv, __HYPERVISOR_memory_op, XENMEM_populate_physmap, op);
	for (long i = 0; got == (long)nr && i < got; i++)
		mfn[i] = ext[i];
	hv_buf_free(hv, op);
	hv_buf_free(hv, ext);
	if (got < 0)
		return (int)got;
	return got == (long)nr ? 0 : -ENOMEM;
}

const void *hv_map_read(struct hv *hv, uint16_t domid, const uint64_t *mfn, size_t nr)
{
	return xenforeignmemory_map(hv->fmem, domid, PROT_READ, nr, mfn, NULL);
}

int hv_vcpu_get_callbacks(struct hv *hv, uint16_t domid, unsigned int vcpu, uint8_t *ext)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_get_ext_vcpucontext, .domain = domid };
	int err;

	op.u.ext_vcpucontext.vcpu = vcpu;
	err = hv_domctl(hv, &op);
	if (!err)
		memcpy(ext, &op.u.ext_vcpucontext, HV_CALLBACKS_SIZE);
	return err;
}

int hv_vcpu_set_callbacks(struct hv *hv, uint16_t domid, unsigned int vcpu, const uint8_t *ext)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_set_ext_vcpucontext, .domain = domid };

	_Static_assert(sizeof(op.u.ext_vcpucontext) == HV_CALLBACKS_SIZE, "as in the stream");
	memcpy(&op.u.ext_vcpucontext, ext, HV_CALLBACKS_SIZE);
	op.u.ext_vcpucontext.vcpu = vcpu;
	return hv_domctl(hv, &op);
}

int hv_vcpu_get_fpu(struct hv *hv, uint16_t domid, unsigned int vcpu, void *out, size_t *len)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_getvcpuextstate, .domain = domid };
	size_t room = *len;
	void *buf;
	int err;

	op.u.vcpuextstate.vcpu = vcpu;
	err = hv_domctl(hv, &op);
	if (err || op.u.vcpuextstate.size > room)
		return err ? err : -E2BIG;
	*len = op.u.vcpuextstate.size;
	if (!*len)
		return 0;
	buf = hv_buf(hv, NULL, *len);
	if (!buf)
		return -ENOMEM;
	set_xen_guest_handle(op.u.vcpuextstate.buffer, buf);
	err = hv_domctl(hv, &op);
	if (!err)
		memcpy(out, buf, *len);
	hv_buf_free(hv, buf);
	return err;
}

int hv_vcpu_set_fpu(struct hv *hv, uint16_t domid, unsigned int vcpu, const void *state, size_t len)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_setvcpuextstate, .domain = domid };
	void *buf = hv_buf(hv, state, len);
	int err;

	if (!buf)
		return -ENOMEM;
	op.u.vcpuextstate.vcpu = vcpu;
	op.u.vcpuextstate.size = len;
	set_xen_guest_handle(op.u.vcpuextstate.buffer, buf);
	err = hv_domctl(hv, &op);
	hv_buf_free(hv, buf);
	return err;
}

int hv_vcpu_get_msrs(struct hv *hv, uint16_t domid, unsigned int vcpu, void *out, size_t *len)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_get_vcpu_msrs, .domain = domid };
	void *buf;
	int err;

	_Static_assert(sizeof(struct xen_domctl_vcpu_msr) == HV_MSR_SIZE, "as in the stream");
	op.u.vcpu_msrs.vcpu = vcpu;
	op.u.vcpu_msrs.msr_count = (uint32_t)(*len / HV_MSR_SIZE);
	buf = hv_buf(hv, NULL, *len);
	if (!buf)
		return -ENOMEM;
	set_xen_guest_handle(op.u.vcpu_msrs.msrs, buf);
	err = hv_domctl(hv, &op);
	if (!err && op.u.vcpu_msrs.msr_count <= *len / HV_MSR_SIZE) {
		*len = op.u.vcpu_msrs.msr_count * HV_MSR_SIZE;
		memcpy(out, buf, *len);
	}
	hv_buf_free(hv, buf);
	return err == -ENOBUFS ? -E2BIG : err;
}

int hv_vcpu_set_msrs(struct hv *hv, uint16_t domid, unsigned int vcpu, const void *msrs, size_t len)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_set_vcpu_msrs, .domain = domid };
	void *buf = hv_buf(hv, msrs, len);
	int err;

	if (!buf)
		return -ENOMEM;
	op.u.vcpu_msrs.vcpu = vcpu;
	op.u.vcpu_msrs.msr_count = (uint32_t)(len / HV_MSR_SIZE);
	set_xen_guest_handle(op.u.vcpu_msrs.msrs, buf);
	err = hv_domctl(hv, &op);
	hv_buf_free(hv, buf);
	return err;
}

int hv_domain_get_clock(struct hv *hv, uint16_t domid, struct hv_clock *clock)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_gettscinfo, .domain = domid };
	int err = hv_domctl(hv, &op);

	if (!err)
		*clock = (struct hv_clock){ op.u.tsc_info.tsc_mode, op.u.tsc_info.gtsc_khz,
					    op.u.tsc_info.elapsed_nsec,
					    op.u.tsc_info.incarnation };
	return err;
}

/* What SCHEDOP_shutdown returns to the guest: 1, it goes on where it was. */
static int answer_suspend(struct hv *hv, uint16_t domid)
{
	struct vcpu_guest_context ctx;
	int err = hv_domain_get_vcpu(hv, domid, 0, &ctx);

	if (err)
		return err;
	ctx.user_regs.rax = 1;
	return hv_domain_set_vcpu(hv, domid, 0, &ctx);
}

int hv_domain_resume(struct hv *hv, uint16_t domid)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_resumedomain, .domain = domid };
	int err = answer_suspend(hv, domid);

	return err ? err : hv_domctl(hv, &op);
}
