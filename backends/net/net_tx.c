/* SPDX-License-Identifier: MIT */
/* net_tx.c - guest to tap: see net_tx.h. Source: xen/io/netif.h, "Guest transmit". */
#include "net_tx.h"

#include <errno.h>
#include <string.h>

#include <linux/if_ether.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>

_Static_assert(sizeof(struct netif_tx_request) == 12, "xen/io/netif.h: transmit request");
_Static_assert(sizeof(struct netif_tx_response) == 4, "xen/io/netif.h: transmit response");
_Static_assert(sizeof(struct netif_extra_info) == 8, "xen/io/netif.h: extra info");
_Static_assert(NET_TX_MAX_FRAGS + NET_TX_MAX_EXTRAS <= BRING_MAX_GROUP, "one packet, one group");

const struct bring_geometry net_tx_geometry = {
	.stride = sizeof(union netif_tx_sring_entry),
	.req_len = sizeof(struct netif_tx_request),
	.rsp_len = sizeof(struct netif_tx_response),
	.nr_ents = 256,
};

/* The slots of one packet while it is read from the ring. */
struct slots {
	struct netif_tx_request frag[NET_TX_MAX_FRAGS];
	uint32_t nr_frags;
};

static void take_extra(const struct netif_extra_info *extra, struct net_tx_packet *p)
{
	switch (extra->type) {
	case XEN_NETIF_EXTRA_TYPE_GSO:
		p->facts.gso_type = extra->u.gso.type;
		p->facts.gso_size = extra->u.gso.size;
		/* NONE here would silently send one giant packet. */
		p->bad |= extra->u.gso.type == XEN_NETIF_GSO_TYPE_NONE;
		break;
	case XEN_NETIF_EXTRA_TYPE_HASH:
		break; /* advice only */
	default:
		p->bad = true; /* of a feature that was not offered */
	}
}

/* Reads the extras after the first request. @left: slots that may be read. */
static int read_extras(const struct net_tx *tx, uint32_t at, uint32_t left, struct net_tx_packet *p)
{
	uint8_t raw[sizeof(struct netif_tx_request)];
	struct netif_extra_info extra;

	do {
		if (p->extras == left || p->extras == NET_TX_MAX_EXTRAS)
			return -EPROTO;
		bring_copy(&tx->ring, at + p->extras, raw);
		memcpy(&extra, raw, sizeof(extra));
		take_extra(&extra, p);
		p->extras++;
	} while (extra.flags & XEN_NETIF_EXTRA_FLAG_MORE);
	return 0;
}

/*
 * Reads all slots of the packet at ring offset @at, of which @left wait. A packet is published
 * whole, so running out of slots is the frontend's error, as is a chain without end.
 */
static int read_slots(const struct net_tx *tx, uint32_t at, uint32_t left, struct net_tx_packet *p,
		      struct slots *s)
{
	uint16_t flags = NETTXF_more_data;
	uint32_t used = 0;

	memset(p, 0, sizeof(*p));
	for (s->nr_frags = 0; flags & NETTXF_more_data; s->nr_frags++) {
		struct netif_tx_request *req = &s->frag[s->nr_frags];

		if (used == left || s->nr_frags == NET_TX_MAX_FRAGS)
			return -EPROTO;
		bring_copy(&tx->ring, at + used, req);
		p->id[used++] = req->id;
		flags = req->flags;
		if (s->nr_frags == 0 && flags & NETTXF_extra_info) {
			int rc = read_extras(tx, at + used, left - used, p);

			if (rc < 0)
				return rc;
			used += p->extras;
		}
	}
	p->slots = used;
	p->facts.csum_blank = s->frag[0].flags & NETTXF_csum_blank;
	p->facts.validated = s->frag[0].flags & NETTXF_data_validated;
	return 0;
}

/* The first request's size is the whole packet's; the others have their own. */
static bool sizes_fit(struct slots *s, struct net_tx_packet *p)
{
	uint32_t total = s->frag[0].size, rest = 0;

	for (uint32_t i = 1; i < s->nr_frags; i++)
		rest += s->frag[i].size;
	if (total < ETH_HLEN || rest > total)
		return false;
	p->len = total;
	s->frag[0].size = (uint16_t)(total - rest);
	return true;
}

/*
 * Plans the copies of a packet, each fragment into a page of its own from @page on: a fragment is
 * within a page of the guest's, so none crosses one of ours.
 */
static void plan_packet(struct net_tx *tx, struct slots *s, struct net_tx_packet *p, uint32_t page)
{
	p->copy_first = tx->copy.nr;
	if (p->bad || !sizes_fit(s, p)) {
		p->bad = true;
		return;
	}
	for (uint32_t i = 0; i < s->nr_frags; i++) {
		const struct netif_tx_request *req = &s->frag[i];
		char *at = tx->arena.mem + (size_t)(page + i) * GCOPY_PAGE;

		if (gcopy_from(&tx->copy, at, req->gref, req->offset, req->size) < 0) {
			p->bad = true;
			tx->copy.nr = p->copy_first;
			return;
		}
		p->part[i] = (struct iovec){ at, req->size };
	}
	p->copy_count = s->nr_frags;
}

/* All of it in one piece. */
static void join(struct net_tx *tx, struct net_tx_packet *p)
{
	size_t done = 0;

	for (uint32_t i = 0; i < p->copy_count; i++) {
		memcpy(tx->joined + done, p->part[i].iov_base, p->part[i].iov_len);
		done += p->part[i].iov_len;
	}
	p->part[0] = (struct iovec){ tx->joined, done };
	p->copy_count = 1;
}

/* The headers are mostly in the first fragment, but need not be. 0 or -EINVAL. */
static int describe(struct net_tx *tx, struct net_tx_packet *p, struct virtio_net_hdr *hdr)
{
	int rc = vnet_from_guest(p->part[0].iov_base, p->part[0].iov_len, &p->facts, hdr);

	if (rc == 0 || p->copy_count == 1)
		return rc;
	join(tx, p);
	return vnet_from_guest(p->part[0].iov_base, p->part[0].iov_len, &p->facts, hdr);
}

static void send_packet(struct net_tx *tx, struct net_tx_packet *p, bool copied)
{
	struct iovec part[1 + NET_TX_MAX_FRAGS];
	struct virtio_net_hdr hdr;

	p->bad |= !copied || !gcopy_ok(&tx->copy, p->copy_first, p->copy_count);
	if (p->bad || describe(tx, p, &hdr) < 0) {
		p->bad = true;
		tx->errors++;
		return;
	}
	part[0] = (struct iovec){ &hdr, VNET_LEN };
	memcpy(part + 1, p->part, p->copy_count * sizeof(part[0]));
	if (writev(tx->tap, part, 1 + (int)p->copy_count) < 0)
		tx->dropped++; /* queue full, interface down: a wire loses packets too */
	else
		tx->packets++;
}

static void answer(struct net_tx *tx, const struct net_tx_packet *p)
{
	struct netif_tx_response rsp[NET_TX_MAX_FRAGS + NET_TX_MAX_EXTRAS];

	memset(rsp, 0, sizeof(rsp));
	for (uint32_t i = 0; i < p->slots; i++) {
		bool extra = i > 0 && i <= p->extras;

		rsp[i].id = p->id[i];
		rsp[i].status = extra ? NETIF_RSP_NULL : p->bad ? NETIF_RSP_ERROR : NETIF_RSP_OKAY;
	}
	bring_respond(&tx->ring, rsp, p->slots);
}

/* Reads packets off the ring until batch, arena or ring are at their end. Returns how many. */
static int gather(struct net_tx *tx, uint32_t pending)
{
	uint32_t at = 0, used = 0;
	int nr = 0;

	gcopy_start(&tx->copy, tx->gnt, tx->domid);
	while (nr < NET_TX_BATCH && at < pending) {
		struct net_tx_packet *p = &tx->packet[nr];
		struct slots s;
		int rc;

		tx->wait_ns = net_pace_wait(tx->pace, tx->now_ns);
		if (tx->wait_ns || tx->arena.nr_pages - used < NET_TX_MAX_FRAGS)
			break;
		rc = read_slots(tx, at, pending - at, p, &s);
		if (rc < 0)
			return nr ? nr : rc; /* the good ones first; then this one is first */
		plan_packet(tx, &s, p, used);
		net_pace_take(tx->pace, p->len);
		used += s.nr_frags;
		at += p->slots;
		nr++;
	}
	return nr;
}

int net_tx_work(struct net_tx *tx, bool *notify)
{
	int pending = bring_pending(&tx->ring), nr;
	bool copied;

	*notify = false;
	tx->wait_ns = 0;
	if (pending < 0)
		return pending;
	nr = gather(tx, (uint32_t)pending);
	if (nr < 0)
		return nr;
	copied = gcopy_run(&tx->copy) == 0;
	for (int i = 0; i < nr; i++) {
		send_packet(tx, &tx->packet[i], copied);
		answer(tx, &tx->packet[i]);
	}
	*notify = bring_must_notify(&tx->ring);
	/* Asked again by the clock: the guest need not say that it sent more. */
	return tx->wait_ns ? 0 : bring_more(&tx->ring);
}
