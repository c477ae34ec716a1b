/* SPDX-License-Identifier: MIT */
/* net_rx.c - tap to guest: see net_rx.h. Source: xen/io/netif.h, "Guest receive". */
#include "net_rx.h"

#include <errno.h>
#include <string.h>
#include <sys/uio.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>

_Static_assert(sizeof(struct netif_rx_request) == 8, "xen/io/netif.h: receive request");
_Static_assert(sizeof(struct netif_rx_response) == 8, "xen/io/netif.h: receive response");
_Static_assert(sizeof(struct netif_extra_info) == 8, "xen/io/netif.h: extra info");
_Static_assert(NET_RX_MAX_SLOTS <= BRING_MAX_GROUP, "one packet, one group");
_Static_assert((NET_RX_MAX_SLOTS - 1) * GCOPY_PAGE >= VNET_MAX_PACKET, "a packet fits its slots");

const struct bring_geometry net_rx_geometry = {
	.stride = sizeof(union netif_rx_sring_entry),
	.req_len = sizeof(struct netif_rx_request),
	.rsp_len = sizeof(struct netif_rx_response),
	.nr_ents = 256,
};

static bool has_extra(const struct net_rx_packet *p)
{
	return p->facts.gso_type != XEN_NETIF_GSO_TYPE_NONE;
}

/* Takes one packet from the tap. 1: got one; 0: none there; -EIO. Undeliverable ones are dropped.
 */
static int read_packet(struct net_rx *rx)
{
	struct net_rx_packet *p = &rx->packet[rx->nr];
	char *at = rx->arena.mem + (size_t)rx->used * GCOPY_PAGE;
	struct virtio_net_hdr hdr;
	/* Each page of the frame goes to a page of the guest's: no copy crosses one of ours. */
	struct iovec part[2] = { { &hdr, VNET_LEN }, { at, VNET_MAX_PACKET } };
	ssize_t n = readv(rx->tap, part, 2);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -EIO;
	if (n <= (ssize_t)VNET_LEN)
		return 1;
	p->frame = (uint8_t *)at;
	p->len = (uint32_t)((size_t)n - VNET_LEN);
	if (vnet_to_guest(&hdr, &p->facts) < 0) {
		rx->dropped++;
		return 1;
	}
	p->slots = (p->len + GCOPY_PAGE - 1) / GCOPY_PAGE;
	if (p->slots > 1 && !rx->can_sg) {
		rx->dropped++;
		return 1;
	}
	rx->used += p->slots;
	p->slots += has_extra(p);
	rx->nr++;
	return 1;
}

static int fill(struct net_rx *rx)
{
	/* Bounded reads, not only bounded packets: dropped ones count as work too. */
	for (int i = 0; i < NET_RX_BATCH && rx->nr < NET_RX_BATCH; i++) {
		int rc;

		if (rx->arena.nr_pages - rx->used < NET_RX_MAX_SLOTS - 1)
			break;
		rc = read_packet(rx);
		if (rc <= 0)
			return rc;
	}
	return 1;
}

/* Plans the copies of @p into the pages of requests @at and on. */
static void plan_packet(struct net_rx *rx, struct net_rx_packet *p, uint32_t at)
{
	uint32_t done = 0;

	p->copy_first = rx->copy.nr;
	for (uint32_t i = 0; i < p->slots; i++) {
		uint32_t part = p->len - done < GCOPY_PAGE ? p->len - done : GCOPY_PAGE;
		struct netif_rx_request req;

		bring_copy(&rx->ring, at + i, &req);
		p->id[i] = req.id;
		if (i == 1 && has_extra(p))
			continue; /* this slot describes, it carries nothing */
		gcopy_to(&rx->copy, req.gref, 0, p->frame + done, part);
		done += part;
	}
}

static void put_extra(const struct net_rx_packet *p, struct netif_rx_response *slot)
{
	struct netif_extra_info extra;

	memset(&extra, 0, sizeof(extra));
	extra.type = XEN_NETIF_EXTRA_TYPE_GSO;
	extra.u.gso.type = p->facts.gso_type;
	extra.u.gso.size = p->facts.gso_size;
	memcpy(slot, &extra, sizeof(extra));
}

static uint16_t first_flags(const struct net_rx_packet *p)
{
	return (uint16_t)((p->facts.csum_blank ? NETRXF_csum_blank : 0) |
			  (p->facts.validated ? NETRXF_data_validated : 0) |
			  (has_extra(p) ? NETRXF_extra_info : 0));
}

static void answer(struct net_rx *rx, const struct net_rx_packet *p, bool copied)
{
	struct netif_rx_response rsp[NET_RX_MAX_SLOTS];
	uint32_t extra = has_extra(p), left = p->len;
	bool ok = copied && gcopy_ok(&rx->copy, p->copy_first, p->slots - extra);

	memset(rsp, 0, sizeof(rsp));
	for (uint32_t i = 0; i < p->slots; i++) {
		uint32_t part = left < GCOPY_PAGE ? left : GCOPY_PAGE;

		if (extra && i == 1) {
			put_extra(p, &rsp[i]);
			continue;
		}
		left -= part;
		rsp[i].id = p->id[i];
		rsp[i].flags =
			(uint16_t)((i == 0 ? first_flags(p) : 0) | (left ? NETRXF_more_data : 0));
		rsp[i].status = ok ? (int16_t)part : NETIF_RSP_ERROR;
	}
	bring_respond(&rx->ring, rsp, p->slots);
	if (ok)
		rx->packets++;
	else
		rx->errors++;
}

/* Copies as many held packets as the guest has pages for. */
static int deliver(struct net_rx *rx)
{
	int pending = bring_pending(&rx->ring);
	uint32_t first = rx->held, at = 0;
	bool copied;

	if (pending < 0)
		return pending;
	gcopy_start(&rx->copy, rx->gnt, rx->domid);
	while (rx->held < rx->nr && rx->packet[rx->held].slots <= (uint32_t)pending - at &&
	       rx->copy.nr + NET_RX_MAX_SLOTS <= GCOPY_MAX) {
		plan_packet(rx, &rx->packet[rx->held], at);
		at += rx->packet[rx->held++].slots;
	}
	copied = gcopy_run(&rx->copy) == 0;
	for (uint32_t i = first; i < rx->held; i++)
		answer(rx, &rx->packet[i], copied);
	return 0;
}

int net_rx_work(struct net_rx *rx, bool *notify)
{
	int more = 1, rc; /* after held packets the tap is worth a look */

	*notify = false;
	if (rx->held == rx->nr) {
		rx->held = rx->nr = rx->used = 0;
		more = fill(rx);
		if (more < 0)
			return more;
	}
	rc = deliver(rx);
	if (rc < 0)
		return rc;
	*notify = bring_must_notify(&rx->ring);
	rx->stalled = rx->held < rx->nr;
	if (!rx->stalled)
		return more;
	/* Wake us when the guest has posted what the next packet needs, or go on if it just did. */
	rx->stalled = !bring_want(&rx->ring, rx->packet[rx->held].slots);
	return !rx->stalled;
}
