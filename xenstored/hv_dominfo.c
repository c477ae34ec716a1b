/* SPDX-License-Identifier: MIT */
/*
 * hv_dominfo.c - see hv_dominfo.h. Runs in the informer's process; the state is that process's.
 * Source: <xen/domctl.h>, <xencall.h>, <xen/sys/privcmd.h>.
 */
#define __XEN_TOOLS__ 1

#include "hv_dominfo.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#include <xen/xen.h>
#include <xen/domctl.h>
#include <xen/sys/privcmd.h>

#include "informer.h"
#include "xen_libs.h"

static struct {
	struct xen_libs lib;
	xencall_handle *call;
	struct xen_domctl *domctl;	/* memory that hypercalls may use */
} dominfo;

static int dominfo_open(void *arg)
{
	if (xen_libs_load(&dominfo.lib) < 0)
		return -ENODEV;
	dominfo.call = dominfo.lib.xencall_open(NULL, 0);
	if (!dominfo.call)
		return -ENODEV;
	dominfo.domctl = dominfo.lib.xencall_alloc_buffer(dominfo.call, sizeof(*dominfo.domctl));
	return dominfo.domctl ? dominfo.lib.xencall_fd(dominfo.call) : -ENOMEM;
}

/* Two lives of a domid differ in at least one of these. */
static uint64_t identity_of(const struct xen_domctl_getdomaininfo *info)
{
	uint64_t h = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < sizeof(info->handle); i++)
		h = (h ^ info->handle[i]) * 0x100000001b3ull;
	return (h ^ info->shared_info_frame) * 0x100000001b3ull | 1;
}

static int dominfo_ask(void *arg, unsigned int domid, struct hv_domain *out)
{
	struct xen_domctl *domctl = dominfo.domctl;
	const struct xen_domctl_getdomaininfo *info = &domctl->u.getdomaininfo;

	memset(domctl, 0, sizeof(*domctl));
	domctl->cmd = XEN_DOMCTL_getdomaininfo;
	domctl->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
	domctl->domain = (domid_t)domid;
	if (dominfo.lib.xencall1(dominfo.call, __HYPERVISOR_domctl, (uint64_t)(uintptr_t)domctl) < 0)
		return errno == ESRCH ? -ENOENT : -EIO;
	/* The call answers for the next existing domain when this one is not there. */
	if (info->domain != domid)
		return -ENOENT;
	out->identity = identity_of(info);
	out->shutdown = info->flags & XEN_DOMINF_shutdown;
	out->dying = info->flags & XEN_DOMINF_dying;
	return 0;
}

const struct informer_source hv_dominfo = {
	.open = dominfo_open,
	.ask = dominfo_ask,
	.request = IOCTL_PRIVCMD_HYPERCALL,
};
