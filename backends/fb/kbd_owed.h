/* SPDX-License-Identifier: MIT */
/*
 * kbd_owed.h - what must still be said of keys and the pointer for which there was no room. Pure.
 *
 * Of each key only whether it is down: what was pressed and let go meanwhile is nothing, what was
 * let go is told when there is room. Of the pointer its last place; turns of its wheel are lost.
 */
#ifndef BACKENDS_KBD_OWED_H
#define BACKENDS_KBD_OWED_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/xen.h>
#include <xen/io/kbdif.h>

#define KBD_OWED_KEYS 512 /* and buttons: above is nothing that a viewer can do */

/* All zeroes: nothing is down, and nothing owed. May lie where the process's end leaves it. */
struct kbd_owed {
	uint8_t is_down[KBD_OWED_KEYS / 8]; /* as it is */
	uint8_t told[KBD_OWED_KEYS / 8];    /* as the other end was told */
	uint32_t nr;			    /* keys of which these differ */
	uint32_t moved;			    /* the pointer's place is owed, too */
	union xenkbd_in_event place;
};

/* @event is told: it had room. */
void kbd_owed_told(struct kbd_owed *o, const union xenkbd_in_event *event);
/* @event is so, and cannot be told now. */
void kbd_owed_note(struct kbd_owed *o, const union xenkbd_in_event *event);
/* What is to be told next; then kbd_owed_told() of it. False: nothing. */
bool kbd_owed_next(const struct kbd_owed *o, union xenkbd_in_event *event);

#endif
