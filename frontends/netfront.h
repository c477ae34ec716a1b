/* SPDX-License-Identifier: MIT */
/*
 * netfront.h - a network card: whole frames in one page each, no offloads.
 *
 * The backend is not trusted: ids, offsets and lengths it writes are checked against the guest's
 * own records (security.md C48, C49); a broken ring is -EIO for good.
 */
#ifndef KIT_NETFRONT_H
#define KIT_NETFRONT_H

#include "xenbus/xenbus.h"

#include <xen/io/netif.h>

#define NET_RX_BUFFERS 16
#define NET_FRAME_MAX 1514

struct netfront {
	struct xenbus_device device;
	struct netif_tx_front_ring tx;
	struct netif_rx_front_ring rx;
	grant_ref_t tx_ref, rx_ref;
	evtchn_port_t port;
	u8 mac[6];
	bool is_broken;
	u16 next_id;
	struct {
		void *page;
		grant_ref_t ref;
	} buffer[NET_RX_BUFFERS]; /* of receive requests, by id */
};

/* Connects device/vif/@id. 0 or -errno. */
int netfront_open(struct netfront *n, unsigned int id);
/* Sends one Ethernet frame. 0; -EIO refused or broken; -ETIMEDOUT: broken from now on; -EINVAL
 * too long. */
int netfront_send(struct netfront *n, const void *frame, size_t len);
/* Waits for a frame; its length, -ETIMEDOUT, -EIO. @frame has NET_FRAME_MAX bytes. */
int netfront_receive(struct netfront *n, void *frame, u64 timeout_ns);

#endif
