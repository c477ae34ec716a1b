/* SPDX-License-Identifier: MIT */
/* hv_none.c - the socket-only daemon (-D): domains are whatever clients say they are. */
#include "hv.h"

#include <errno.h>
#include <stdlib.h>

static int none_domain_info(struct hv *hv, unsigned int domid, struct hv_domain *out)
{
	*out = (struct hv_domain){ .identity = domid + 1u };
	return 0;
}

static int none_ring_map(struct hv *hv, unsigned int domid, uint64_t gfn, uint32_t remote_port,
			 struct hv_ring *out)
{
	*out = (struct hv_ring){ 0 };
	return 0;
}

static int none_ring_rebind(struct hv *hv, unsigned int domid, uint32_t remote_port,
			    struct hv_ring *ring)
{
	return 0;
}

static void none_ring_unmap(struct hv *hv, struct hv_ring *ring)
{
}

static void none_notify(struct hv *hv, uint32_t port)
{
}

static int none_own_ring(struct hv *hv, uint64_t *gfn, uint32_t *port)
{
	return -ENOENT;
}

static int none_event_fd(struct hv *hv)
{
	return -1;
}

static int none_next_event(struct hv *hv, uint32_t *port, bool *domains_changed)
{
	return -EAGAIN;
}

static void none_close(struct hv *hv)
{
}

struct hv *hv_none_open(void)
{
	static struct hv none = {
		.domain_info = none_domain_info,
		.ring_map = none_ring_map,
		.ring_rebind = none_ring_rebind,
		.ring_unmap = none_ring_unmap,
		.notify = none_notify,
		.own_ring = none_own_ring,
		.event_fd = none_event_fd,
		.next_event = none_next_event,
		.close = none_close,
	};

	return &none;
}
