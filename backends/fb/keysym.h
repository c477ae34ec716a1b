/* SPDX-License-Identifier: MIT */
/*
 * keysym.h - what a viewer calls a key, and what Linux's input layer does. Pure.
 *
 * A viewer sends what its user's layout makes of a key (X11's keysym), a guest wants to know which
 * key it was. Here it is the key that has the sign on a US keyboard.
 */
#ifndef BACKENDS_KEYSYM_H
#define BACKENDS_KEYSYM_H

#include <stdint.h>

/* The KEY_ number (linux/input-event-codes.h) of @keysym; 0: no key has it. */
uint16_t keysym_to_key(uint32_t keysym);

#endif
