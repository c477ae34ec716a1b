/* SPDX-License-Identifier: MIT */
/*
 * kbd_ring.h - the page that a guest's keyboard and pointer share: events to the guest.
 *
 * The guest may write anything into the page at any time. Pure. Source: xen/io/kbdif.h.
 */
#ifndef BACKENDS_KBD_RING_H
#define BACKENDS_KBD_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/kbdif.h>

/* The pointer's range, in both directions: the picture's size is the screen's business. */
#define KBD_RANGE 32768

/* Free places for events; -EPROTO: indices that cannot be. */
int kbd_ring_room(const struct xenkbd_page *page);

/* Puts @event there, for which there must be room. */
void kbd_ring_put(struct xenkbd_page *page, const union xenkbd_in_event *event);

/* What a guest sends us: of no known kind, so it is passed over. */
void kbd_ring_ignore(struct xenkbd_page *page);

/*
 * The pointer for a guest that did not ask for its place: turns @event into the way from where it
 * was, (*@x, *@y), which it updates. As if the picture were KBD_MOTION wide and high.
 */
#define KBD_MOTION 1024
void kbd_to_motion(union xenkbd_in_event *event, int32_t *x, int32_t *y);

#endif
