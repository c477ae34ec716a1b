/* SPDX-License-Identifier: MIT */
/*
 * hv_domain.c - domctl: domains from creation to destruction.
 *
 * Source: xen/domctl.h, xen/sysctl.h, xen/event_channel.h, xen/arch-x86/cpuid.h (tsc modes).
 */
#include "hv_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xen/event_channel.h>

#define KIB_PER_PAGE 4
#define TSC_MODE_NEVER_EMULATE 2	/* xen/arch-x86/cpuid.h leaf 3: "2=never emulate" */

static void take_info(struct hv_domain *out, const struct xen_domctl_getdomaininfo *in)
{
	*out = (struct hv_domain){
		.domid = in->domain,
		.dying = in->flags & XEN_DOMINF_dying,
		.shutdown = in->flags & XEN_DOMINF_shutdown,
		.paused = in->flags & XEN_DOMINF_paused,
		.blocked = in->flags & XEN_DOMINF_blocked,
		.running = in->flags & XEN_DOMINF_running,
		.reason = in->flags >> XEN_DOMINF_shutdownshift & XEN_DOMINF_shutdownmask,
		.tot_kib = in->tot_pages * KIB_PER_PAGE,
		.max_kib = in->max_pages * KIB_PER_PAGE,
		.cpu_time_ns = in->cpu_time,
		.nr_vcpus = in->nr_online_vcpus,
		.shared_info_mfn = in->shared_info_frame,
	};
	memcpy(out->uuid, in->handle, sizeof(out->uuid));
}

int hv_domain_info(struct hv *hv, uint16_t domid, struct hv_domain *info)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_getdomaininfo, .domain = domid };
	int err = hv_domctl(hv, &op);

	if (err == -ESRCH)
		return -ENOENT;
	if (err)
		return err;
	/* Xen answers with the next living domain when this one is gone. */
	if (op.domain != domid || op.u.getdomaininfo.domain != domid)
		return -ENOENT;
	take_info(info, &op.u.getdomaininfo);
	return 0;
}

int hv_domain_list(struct hv *hv, struct hv_domain **list, size_t *nr)
{
	enum { BATCH = 64 };
	struct xen_domctl_getdomaininfo *buf = hv_buf(hv, NULL, BATCH * sizeof(*buf));
	struct hv_domain *all = NULL;
	uint32_t first = 0, got = BATCH;
	size_t n = 0;
	int err = buf ? 0 : -ENOMEM;

	while (!err && got == BATCH) {
		struct xen_sysctl op = { .cmd = XEN_SYSCTL_getdomaininfolist };
		struct hv_domain *more;

		op.u.getdomaininfolist.first_domain = (domid_t)first;
		op.u.getdomaininfolist.max_domains = BATCH;
		set_xen_guest_handle(op.u.getdomaininfolist.buffer, buf);
		err = hv_sysctl(hv, &op);
		if (err)
			break;
		got = op.u.getdomaininfolist.num_domains;
		if (got > BATCH || got == 0)
			break;
		more = realloc(all, (n + got) * sizeof(*all));
		if (!more) {
			err = -ENOMEM;
			break;
		}
		all = more;
		for (uint32_t i = 0; i < got; i++)
			take_info(&all[n++], &buf[i]);
		first = all[n - 1].domid + 1u;
	}
	hv_buf_free(hv, buf);
	if (err) {
		free(all);
		return err;
	}
	*list = all;
	*nr = n;
	return 0;
}

static int set_max_vcpus(struct hv *hv, uint16_t domid, unsigned int max)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_max_vcpus, .domain = domid };

	op.u.max_vcpus.max = max;
	return hv_domctl(hv, &op);
}

int hv_domain_create(struct hv *hv, const uint8_t uuid[16], unsigned int max_vcpus,
		     uint16_t *domid)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_createdomain };
	struct xen_domctl_createdomain *c = &op.u.createdomain;
	int err;

	memcpy(c->handle, uuid, sizeof(c->handle));
	c->max_vcpus = max_vcpus;
	c->max_evtchn_port = UINT32_MAX;
	c->max_grant_frames = -1;
	c->max_maptrack_frames = -1;
	c->grant_opts = XEN_DOMCTL_GRANT_version(1);
	err = hv_domctl(hv, &op);
	if (err)
		return err;
	err = set_max_vcpus(hv, op.domain, max_vcpus);
	if (err) {
		hv_domain_destroy(hv, op.domain);
		return err;
	}
	*domid = op.domain;
	return 0;
}

int hv_domain_max_mem(struct hv *hv, uint16_t domid, uint64_t kib)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_max_mem, .domain = domid };

	op.u.max_mem.max_memkb = kib;
	return hv_domctl(hv, &op);
}

int hv_domain_native_tsc(struct hv *hv, uint16_t domid)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_settscinfo, .domain = domid };

	op.u.tsc_info.tsc_mode = TSC_MODE_NEVER_EMULATE;
	return hv_domctl(hv, &op);
}

int hv_domain_hypercall_page(struct hv *hv, uint16_t domid, uint64_t mfn)
{
	struct xen_domctl op = { .cmd = XEN_DOMCTL_hypercall_init, .domain = domid };

	op.u.hypercall_init.gmfn = mfn;
	return hv_domctl(hv, &op);
}

static int vcpu_context(struct hv *hv, uint32_t cmd, uint16_t domid, unsigned int vcpu, void *buf)
{
	struct xen_domctl op = { .cmd = cmd, .domain = domid };
	struct vcpu_guest_context *ctx = buf;

	op.u.vcpucontext.vcpu = vcpu;
	set_xen_guest_handle(op.u.vcpucontext.ctxt, ctx);
	return hv_domctl(hv, &op);
}

int hv_domain_set_vcpu(struct hv *hv, uint16_t domid, unsigned int vcpu,
		       const struct vcpu_guest_context *ctx)
{
	void *buf = hv_buf(hv, ctx, sizeof(*ctx));
	int err = buf ? vcpu_context(hv, XEN_DOMCTL_setvcpucontext, domid, vcpu, buf) : -ENOMEM;

	hv_buf_free(hv, buf);
	return err;
}

int hv_domain_get_vcpu(struct hv *hv, uint16_t domid, unsigned int vcpu,
		       struct vcpu_guest_context *ctx)
{
	void *buf = hv_buf(hv, NULL, sizeof(*ctx));
	int err = buf ? vcpu_context(hv, XEN_DOMCTL_getvcpucontext, domid, vcpu, buf) : -ENOMEM;

	if (!err)
		memcpy(ctx, buf, sizeof(*ctx));
	hv_buf_free(hv, buf);
	return err;
}

static int simple(struct hv *hv, uint16_t domid, uint32_t cmd)
{
	struct xen_domctl op = { .cmd = cmd, .domain = domid };
	int err;

	do {
		err = hv_domctl(hv, &op);
	} while (err == -EAGAIN || err == -ERESTART);
	return err == -ESRCH ? -ENOENT : err;
}

int hv_domain_pause(struct hv *hv, uint16_t domid)
{
	return simple(hv, domid, XEN_DOMCTL_pausedomain);
}

int hv_domain_unpause(struct hv *hv, uint16_t domid)
{
	return simple(hv, domid, XEN_DOMCTL_unpausedomain);
}

int hv_domain_destroy(struct hv *hv, uint16_t domid)
{
	return simple(hv, domid, XEN_DOMCTL_destroydomain);
}

int hv_evtchn_alloc(struct hv *hv, uint16_t domid, uint32_t *port)
{
	struct evtchn_alloc_unbound in = { .dom = domid, .remote_dom = 0 };
	struct evtchn_alloc_unbound *op = hv_buf(hv, &in, sizeof(in));
	int err;

	if (!op)
		return -ENOMEM;
	err = hv_op(hv, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, op);
	*port = op->port;
	hv_buf_free(hv, op);
	return err;
}
