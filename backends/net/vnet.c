/* SPDX-License-Identifier: MIT */
/* vnet.c - packet offload facts: see vnet.h. All multi-byte fields of a packet are big-endian. */
#include "vnet.h"

#include <errno.h>
#include <string.h>

#include <netinet/in.h>
#include <linux/if_ether.h>
#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>

#define VLAN_LEN 4
#define MAX_VLANS 2
#define IPV6_LEN 40
#define MAX_IPV6_HEADERS 8
#define TCP_CSUM_OFFSET 16
#define UDP_CSUM_OFFSET 6
#define TCP_MIN_LEN 20
#define UDP_LEN 8
/*
 * The least a TCP segment carries: the smallest of maximum sizes, 48 bytes, less 40 of options, as
 * Linux's own TCP has it. One packet with less would make dom0's kernel allocate up to 64 Ki at
 * once.
 */
#define MIN_SEGMENT 8

/* Where the transport header starts and what it is. */
struct place {
	bool v6;
	uint8_t proto;
	size_t transport;
};

static uint16_t be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static int find_ipv4(const uint8_t *pkt, size_t len, size_t at, struct place *place)
{
	size_t ihl;

	if (len < at + 20 || pkt[at] >> 4 != 4)
		return -EINVAL;
	ihl = (size_t)(pkt[at] & 15) * 4;
	/* A fragment has no checksum of its own to fill in. */
	if (ihl < 20 || be16(pkt + at + 6) & 0x3fff)
		return -EINVAL;
	*place = (struct place){ .proto = pkt[at + 9], .transport = at + ihl };
	return 0;
}

static int find_ipv6(const uint8_t *pkt, size_t len, size_t at, struct place *place)
{
	uint8_t next;

	if (len < at + IPV6_LEN || pkt[at] >> 4 != 6)
		return -EINVAL;
	next = pkt[at + 6];
	at += IPV6_LEN;
	for (int i = 0; i < MAX_IPV6_HEADERS; i++) {
		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING && next != IPPROTO_DSTOPTS) {
			*place = (struct place){ .v6 = true, .proto = next, .transport = at };
			return 0;
		}
		if (len < at + 8)
			return -EINVAL;
		next = pkt[at];
		at += ((size_t)pkt[at + 1] + 1) * 8;
	}
	return -EINVAL;
}

static int find_transport(const uint8_t *pkt, size_t len, struct place *place)
{
	size_t at = ETH_HLEN;
	uint16_t type;

	if (len < ETH_HLEN)
		return -EINVAL;
	type = be16(pkt + 12);
	for (int i = 0; i < MAX_VLANS && (type == ETH_P_8021Q || type == ETH_P_8021AD); i++) {
		if (len < at + VLAN_LEN)
			return -EINVAL;
		type = be16(pkt + at + 2);
		at += VLAN_LEN;
	}
	if (type == ETH_P_IP)
		return find_ipv4(pkt, len, at, place);
	return type == ETH_P_IPV6 ? find_ipv6(pkt, len, at, place) : -EINVAL;
}

static int set_checksum(const uint8_t *pkt, size_t len, const struct place *place,
			struct virtio_net_hdr *hdr)
{
	size_t min = place->proto == IPPROTO_TCP ? TCP_MIN_LEN : UDP_LEN, head = min;

	if (place->proto != IPPROTO_TCP && place->proto != IPPROTO_UDP)
		return -EINVAL;
	if (len < place->transport + min)
		return -EINVAL;
	if (place->proto == IPPROTO_TCP)
		head = (size_t)(pkt[place->transport + 12] >> 4) * 4;
	if (head < min || len < place->transport + head)
		return -EINVAL;
	hdr->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
	hdr->csum_start = (uint16_t)place->transport;
	hdr->csum_offset = place->proto == IPPROTO_TCP ? TCP_CSUM_OFFSET : UDP_CSUM_OFFSET;
	hdr->hdr_len = (uint16_t)(place->transport + head);
	return 0;
}

static int set_gso(const struct place *place, const struct vnet_facts *facts,
		   struct virtio_net_hdr *hdr)
{
	bool v6 = facts->gso_type == XEN_NETIF_GSO_TYPE_TCPV6;

	if (facts->gso_type != XEN_NETIF_GSO_TYPE_TCPV4 && !v6)
		return -EINVAL;
	if (facts->gso_size < MIN_SEGMENT || place->proto != IPPROTO_TCP || place->v6 != v6)
		return -EINVAL;
	hdr->gso_type = v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
	hdr->gso_size = facts->gso_size;
	return 0;
}

int vnet_from_guest(const uint8_t *pkt, size_t len, const struct vnet_facts *facts,
		    struct virtio_net_hdr *hdr)
{
	bool gso = facts->gso_type != XEN_NETIF_GSO_TYPE_NONE;
	struct place place;
	int rc;

	memset(hdr, 0, sizeof(*hdr));
	if (!facts->csum_blank) {
		if (facts->validated)
			hdr->flags = VIRTIO_NET_HDR_F_DATA_VALID;
		/* Joined segments whose checksum is filled in cannot be split again. */
		return gso ? -EINVAL : 0;
	}
	rc = find_transport(pkt, len, &place);
	if (rc == 0)
		rc = set_checksum(pkt, len, &place, hdr);
	if (rc == 0 && gso)
		rc = set_gso(&place, facts, hdr);
	return rc;
}

int vnet_to_guest(const struct virtio_net_hdr *hdr, struct vnet_facts *facts)
{
	*facts = (struct vnet_facts){
		.csum_blank = hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.validated =
			hdr->flags & (VIRTIO_NET_HDR_F_NEEDS_CSUM | VIRTIO_NET_HDR_F_DATA_VALID),
		.gso_size = hdr->gso_size,
	};
	switch (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return 0;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		facts->gso_type = XEN_NETIF_GSO_TYPE_TCPV4;
		return 0;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		facts->gso_type = XEN_NETIF_GSO_TYPE_TCPV6;
		return 0;
	default:
		return -EINVAL;
	}
}
