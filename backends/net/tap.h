/* SPDX-License-Identifier: MIT */
/*
 * tap.h - dom0's end of a virtual network card: a tap interface carrying offload headers.
 *
 * Every packet on the descriptor is a struct virtio_net_hdr followed by an Ethernet frame. The
 * interface lives exactly as long as the descriptor: a killed process leaves none behind.
 */
#ifndef BACKENDS_TAP_H
#define BACKENDS_TAP_H

#include <stdbool.h>

/*
 * Makes interface @name and gives a non-blocking descriptor. Waits up to two seconds for a
 * namesake that is just going away. Returns the descriptor or -errno (-EBUSY: name in use).
 */
int tap_open(const char *name);

/*
 * Which packets the guest can take unfinished: checksum left blank, TCP segments still joined.
 * Returns 0 or -errno. Needs no privilege.
 */
int tap_set_offload(int fd, bool csum, bool tso4, bool tso6);

/* Throws away what queued up while nobody was connected. */
void tap_drain(int fd);

#endif
