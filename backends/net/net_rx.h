/* SPDX-License-Identifier: MIT */
/*
 * net_rx.h - packets for a guest: out of the tap, into the pages it posted on its receive ring.
 *
 * At most one batch is held in memory; a guest that posts no pages leaves the rest in the tap's
 * bounded queue, where dom0's kernel drops what is too much.
 */
#ifndef BACKENDS_NET_RX_H
#define BACKENDS_NET_RX_H

#include <stdbool.h>
#include <stdint.h>

#include "bring.h"
#include "gcopy.h"
#include "vnet.h"

#define NET_RX_BATCH 32
#define NET_RX_PAGES 64 /* for packets: three of the longest */
#define NET_RX_MAX_SLOTS 18 /* 17 pages of data and the extra that describes joined segments */

extern const struct bring_geometry net_rx_geometry;

struct net_rx_packet {
	uint8_t *frame; /* at the start of a page of the arena */
	uint32_t len;
	uint32_t slots;
	struct vnet_facts facts;
	uint16_t id[NET_RX_MAX_SLOTS];
	uint32_t copy_first;
};

struct net_rx {
	struct bring ring;
	xengnttab_handle *gnt;
	uint32_t domid;
	int tap;
	bool can_sg;  /* the guest takes packets of several pages */
	bool stalled; /* a packet waits for pages; the tap is left alone meanwhile */
	uint64_t packets, errors, dropped;
	uint32_t held, nr; /* packets [held, nr) are read but not delivered */
	uint32_t used;	   /* pages of the arena */
	struct gcopy copy;
	struct net_rx_packet packet[NET_RX_BATCH];
	struct granted arena; /* the owner's: NET_RX_PAGES, of several queues NET_RX_MAX_SLOTS or more each */
};

/*
 * Delivers at most one batch. Returns 0: nothing more now (rx->stalled says whether pages or
 * packets are missing); 1: more to do; -EPROTO: the frontend broke the ring; -EIO: the tap is
 * gone. *@notify as in net_tx.h.
 */
int net_rx_work(struct net_rx *rx, bool *notify);

#endif
