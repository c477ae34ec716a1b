/* SPDX-License-Identifier: MIT */
/*
 * vnet.h - offload facts of one packet, translated between a guest's netif flags and the
 * virtio header that dom0's network stack speaks. Pure functions over one copied packet.
 */
#ifndef BACKENDS_VNET_H
#define BACKENDS_VNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/virtio_net.h>

#define VNET_LEN sizeof(struct virtio_net_hdr)
#define VNET_MAX_PACKET 65549 /* the largest frame: 64 KiB - 1 of IP, Ethernet header */

/* What a guest says of a packet it sends, or is told of one it gets. */
struct vnet_facts {
	bool csum_blank;  /* the TCP/UDP checksum field holds only the pseudo header's sum */
	bool validated;	  /* the checksum is known to be right */
	uint8_t gso_type; /* XEN_NETIF_GSO_TYPE_*, NONE: an ordinary packet */
	uint16_t gso_size;
};

/*
 * Guest to dom0: finds the checksum's place by parsing @pkt (@len bytes, untrusted).
 * Returns 0, or -EINVAL when the packet is not what @facts claims.
 */
int vnet_from_guest(const uint8_t *pkt, size_t len, const struct vnet_facts *facts,
		    struct virtio_net_hdr *hdr);

/* dom0 to guest. Returns 0, or -EINVAL for an offload that was never enabled. */
int vnet_to_guest(const struct virtio_net_hdr *hdr, struct vnet_facts *facts);

#endif
