/* SPDX-License-Identifier: MIT */
/*
 * net_tx.h - packets a guest sends: off its transmit ring, into the tap.
 *
 * Packets are copied out by the hypervisor in batches, checked as private copies, written to the
 * tap and answered in order. A packet dom0 cannot take is dropped, as on any wire; a packet that
 * makes no sense is answered with an error; a ring that makes no sense ends the connection.
 */
#ifndef BACKENDS_NET_TX_H
#define BACKENDS_NET_TX_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#include <xen/xen.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/io/netif.h>

#include "bring.h"
#include "gcopy.h"
#include "net_pace.h"
#include "vnet.h"

/* Fragments a packet may have; Linux's backend takes as many, 18 is what frontends may rely on. */
#define NET_TX_MAX_FRAGS 20
#define NET_TX_MAX_EXTRAS 4
#define NET_TX_BATCH 32 /* packets copied by one call to the hypervisor */
#define NET_TX_PAGES 64 /* for packets: a page a fragment */

extern const struct bring_geometry net_tx_geometry;

struct net_tx_packet {
	uint32_t slots;	 /* ring slots it fills, extras included */
	uint32_t extras; /* of these, right after the first */
	uint16_t id[NET_TX_MAX_FRAGS + NET_TX_MAX_EXTRAS]; /* a request's id, by slot */
	bool bad;					   /* answer with an error, send nothing */
	uint32_t copy_first, copy_count;
	struct vnet_facts facts;
	struct iovec part[NET_TX_MAX_FRAGS]; /* copy_count of them, in the arena */
	uint32_t len;
};

struct net_tx {
	struct bring ring;
	xengnttab_handle *gnt;
	uint32_t domid;
	int tap;
	struct net_pace *pace; /* the card's: all its queues' */
	uint64_t now_ns;	/* CLOCK_MONOTONIC, set before net_tx_work() */
	uint64_t wait_ns;	/* set by it: packets wait until then for their share; 0: none */
	uint64_t packets, errors, dropped;
	struct gcopy copy;
	struct net_tx_packet packet[NET_TX_BATCH];
	struct granted arena; /* the owner's: NET_TX_PAGES, of several queues NET_TX_MAX_FRAGS or more each */
	uint8_t joined[XEN_NETIF_MAX_TX_SIZE]; /* a packet whose headers are in several fragments */
};

/*
 * Sends at most one batch. Returns 0: the ring is empty and armed, or what is on it has to wait
 * (tx->wait_ns); 1: more to do; -EPROTO: the
 * frontend broke the ring. *@notify: the frontend wants to hear of the answers.
 */
int net_tx_work(struct net_tx *tx, bool *notify);

#endif
