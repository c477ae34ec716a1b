/* SPDX-License-Identifier: MIT */
/*
 * tap.h - dom0's end of a virtual network card: a tap interface carrying offload headers.
 *
 * Every packet on a descriptor is a struct virtio_net_hdr followed by an Ethernet frame. The
 * interface lives exactly as long as the descriptors: a killed process leaves none behind.
 */
#ifndef BACKENDS_TAP_H
#define BACKENDS_TAP_H

#include <stdbool.h>

#define TAP_QUEUES 4

/* The queues of one interface, a non-blocking descriptor each: the first @used take part. */
struct tap {
	int fd[TAP_QUEUES]; /* -1: none */
	unsigned int nr, used;
};

/*
 * Makes interface @name with @nr queues (1 to TAP_QUEUES), all in use. Waits up to two seconds for
 * a namesake that is just going away. Returns 0 or -errno (-EBUSY: name in use).
 */
int tap_open(struct tap *tap, const char *name, unsigned int nr);
/* Also of what was never opened: @tap->nr is 0 then. */
void tap_close(struct tap *tap);

/*
 * Packets come to the first @used queues (1 to nr) only: what is sent on one comes back on the
 * same. What waited in others is thrown away. Returns 0 or -errno. Needs no privilege.
 */
int tap_use(struct tap *tap, unsigned int used);

/*
 * Which packets the guest can take unfinished: checksum left blank, TCP segments still joined.
 * Returns 0 or -errno. Needs no privilege.
 */
int tap_set_offload(struct tap *tap, bool csum, bool tso4, bool tso6);

/* Throws away what queued up while nobody was connected. */
void tap_drain(struct tap *tap);

#endif
