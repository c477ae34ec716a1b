/* SPDX-License-Identifier: MIT */
/*
 * hv.h - everything the daemon asks of the hypervisor, as one small table of functions.
 *
 * hv_xen.c speaks to a real one, hv_none.c serves the socket only (-D), tests bring a fake one
 * whose rings are shared memory. Nothing else in the daemon includes a Xen library.
 */
#ifndef XENSTORED_HV_H
#define XENSTORED_HV_H

#include <stdbool.h>
#include <stdint.h>

struct xenstore_domain_interface;

/* What the hypervisor knows of one domain. */
struct hv_domain {
	uint64_t identity;	/* differs between two lives of a domid */
	bool shutdown;
	bool dying;
};

/* A ring as mapped: the shared page and the local port of its channel. */
struct hv_ring {
	struct xenstore_domain_interface *page;
	uint32_t port;
	bool is_own_kernel;	/* mapped through /proc/xen/xsd_kva */
};

struct hv {
	/* Fills @out. 0; -ENOENT: no such domain. What cannot be told ends the daemon. */
	int (*domain_info)(struct hv *hv, unsigned int domid, struct hv_domain *out);
	/* Maps the page and binds the remote port of @domid. 0 or -EINVAL. */
	int (*ring_map)(struct hv *hv, unsigned int domid, uint64_t gfn, uint32_t remote_port,
			struct hv_ring *out);
	/*
	 * Binds another remote port to a ring already mapped. 0; -EINVAL: now it has none, its port
	 * is 0.
	 */
	int (*ring_rebind)(struct hv *hv, unsigned int domid, uint32_t remote_port,
			   struct hv_ring *ring);
	void (*ring_unmap)(struct hv *hv, struct hv_ring *ring);
	void (*notify)(struct hv *hv, uint32_t port);
	/* The domain this daemon runs in: its kernel's ring. -ENOENT: there is none. */
	int (*own_ring)(struct hv *hv, uint64_t *gfn, uint32_t *port);
	/* Readable when events wait; -1: there will be none. */
	int (*event_fd)(struct hv *hv);
	/* Takes one event: local port in *@port, or *@domains_changed. 0; -EAGAIN: no more. */
	int (*next_event)(struct hv *hv, uint32_t *port, bool *domains_changed);
	void (*close)(struct hv *hv);
};

/* Opens the real interfaces. NULL with the reason logged. */
struct hv *hv_xen_open(void);
/* No hypervisor: every domain exists, none has a ring. */
struct hv *hv_none_open(void);

#endif
