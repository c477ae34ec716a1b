/* SPDX-License-Identifier: MIT */
/*
 * hv_xen.c - the real hypervisor, through Debian's stable libraries (xen_libs.h). Rings are mapped
 * as grants; the only privileged question, the state of a domain, is the informer's (hv_dominfo.c).
 * Source: <xen/grant_table.h>, <xenevtchn.h>, <xengnttab.h>.
 */
#include "hv.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xen/xen.h>
#include <xen/grant_table.h>

#include "hv_dominfo.h"
#include "informer.h"
#include "log.h"
#include "xen_libs.h"

#define RING_PAGE_SIZE 4096u

struct hv_xen {
	struct hv hv;
	struct xen_libs lib;
	int informer;			/* who answers about domains */
	xenevtchn_handle *evtchn;
	xengnttab_handle *gnttab;
	evtchn_port_t dom_exc;
	void *own_page;			/* our kernel's ring, mapped while we were root */
	uint32_t own_port;
};

static struct hv_xen *self(struct hv *hv)
{
	return (struct hv_xen *)hv;
}

/*
 * To go on without knowing who has ended would give a domain's nodes to the next one of its number:
 * the daemon ends instead and is started again, which its clients survive.
 */
static int xen_domain_info(struct hv *hv, unsigned int domid, struct hv_domain *out)
{
	int ret = informer_ask(self(hv)->informer, domid, out);

	if (ret == -EIO) {
		log_errorx("nobody tells about domains any more; to be started again");
		exit(70);
	}
	return ret;
}

static void *map_own_page(void)
{
	int fd = open("/proc/xen/xsd_kva", O_RDWR | O_CLOEXEC);
	void *page;

	if (fd < 0)
		return NULL;
	page = mmap(NULL, RING_PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

static int xen_ring_map(struct hv *hv, unsigned int domid, uint64_t gfn, uint32_t remote_port,
			struct hv_ring *out)
{
	struct hv_xen *x = self(hv);
	int port;

	out->is_own_kernel = domid == 0;
	out->page = domid == 0 ? x->own_page :
				 x->lib.xengnttab_map_grant_ref(x->gnttab, domid,
								GNTTAB_RESERVED_XENSTORE,
								PROT_READ | PROT_WRITE);
	if (!out->page) {
		log_warn("d%u: cannot map its store page", domid);
		return -EINVAL;
	}
	port = x->lib.xenevtchn_bind_interdomain(x->evtchn, domid, remote_port);
	if (port < 0) {
		log_warn("d%u: cannot bind its event channel %u", domid, remote_port);
		hv->ring_unmap(hv, out);
		return -EINVAL;
	}
	out->port = (uint32_t)port;
	return 0;
}

static int xen_ring_rebind(struct hv *hv, unsigned int domid, uint32_t remote_port,
			   struct hv_ring *ring)
{
	struct hv_xen *x = self(hv);
	int port;

	/* Its number is soon another domain's, whom the end of this ring must not cut off. */
	if (ring->port)
		x->lib.xenevtchn_unbind(x->evtchn, ring->port);
	ring->port = 0;
	port = x->lib.xenevtchn_bind_interdomain(x->evtchn, domid, remote_port);
	if (port < 0)
		return -EINVAL;
	ring->port = (uint32_t)port;
	return 0;
}

static void xen_ring_unmap(struct hv *hv, struct hv_ring *ring)
{
	struct hv_xen *x = self(hv);

	if (ring->port)
		x->lib.xenevtchn_unbind(x->evtchn, ring->port);
	if (ring->page && !ring->is_own_kernel)
		x->lib.xengnttab_unmap(x->gnttab, ring->page, 1);
	*ring = (struct hv_ring){ 0 };
}

static void xen_notify(struct hv *hv, uint32_t port)
{
	struct hv_xen *x = self(hv);

	x->lib.xenevtchn_notify(x->evtchn, port);
}

static int xen_own_ring(struct hv *hv, uint64_t *gfn, uint32_t *port)
{
	struct hv_xen *x = self(hv);

	*port = x->own_port;
	*gfn = 0;
	return x->own_page && x->own_port ? 0 : -ENOENT;
}

/* Our own kernel's page and port: only root may open these files. */
static void find_own_ring(struct hv_xen *x)
{
	FILE *f = fopen("/proc/xen/xsd_port", "re");
	unsigned int port = 0;

	x->own_page = map_own_page();
	if (f && fscanf(f, "%u", &port) == 1)
		x->own_port = port;
	if (f)
		fclose(f);
	if (!x->own_page || !x->own_port)
		log_warn("no /proc/xen/xsd_kva or xsd_port: this machine's own kernel is not "
			 "served");
}

static int xen_event_fd(struct hv *hv)
{
	struct hv_xen *x = self(hv);

	return x->lib.xenevtchn_fd(x->evtchn);
}

static int xen_next_event(struct hv *hv, uint32_t *port, bool *domains_changed)
{
	struct hv_xen *x = self(hv);
	int got = x->lib.xenevtchn_pending(x->evtchn);

	if (got < 0)
		return -EAGAIN;
	x->lib.xenevtchn_unmask(x->evtchn, (evtchn_port_t)got);
	*port = (uint32_t)got;
	*domains_changed = (evtchn_port_t)got == x->dom_exc;
	return 0;
}

static void xen_close(struct hv *hv)
{
	struct hv_xen *x = self(hv);

	if (x->gnttab)
		x->lib.xengnttab_close(x->gnttab);
	if (x->evtchn)
		x->lib.xenevtchn_close(x->evtchn);
	if (x->own_page)
		munmap(x->own_page, RING_PAGE_SIZE);
	if (x->informer >= 0)
		close(x->informer);
	free(x);
}

static const struct hv xen_functions = {
	.domain_info = xen_domain_info,
	.ring_map = xen_ring_map,
	.ring_rebind = xen_ring_rebind,
	.ring_unmap = xen_ring_unmap,
	.notify = xen_notify,
	.own_ring = xen_own_ring,
	.event_fd = xen_event_fd,
	.next_event = xen_next_event,
	.close = xen_close,
};

static int bind_dom_exc(struct hv_xen *x)
{
	int port = x->lib.xenevtchn_bind_virq(x->evtchn, VIRQ_DOM_EXC);

	if (port < 0) {
		log_error("cannot bind VIRQ_DOM_EXC: is another store daemon running?");
		return -1;
	}
	x->dom_exc = (evtchn_port_t)port;
	fcntl(x->lib.xenevtchn_fd(x->evtchn), F_SETFL, O_NONBLOCK);
	return 0;
}

struct hv *hv_xen_open(void)
{
	struct hv_xen *x = calloc(1, sizeof(*x));

	if (!x)
		return NULL;
	if (xen_libs_load(&x->lib) < 0) {
		free(x);
		return NULL;
	}
	x->hv = xen_functions;
	/* Before anything is open that it has no use for. */
	x->informer = informer_start(&hv_dominfo);
	x->evtchn = x->lib.xenevtchn_open(NULL, 0);
	x->gnttab = x->lib.xengnttab_open(NULL, 0);
	if (x->informer < 0 || !x->evtchn || !x->gnttab) {
		log_error("no hypervisor interface; use -D to serve the socket only");
		xen_close(&x->hv);
		return NULL;
	}
	if (bind_dom_exc(x) < 0) {
		xen_close(&x->hv);
		return NULL;
	}
	find_own_ring(x);
	return &x->hv;
}
