/* SPDX-License-Identifier: MIT */
/*
 * console.h - a domain's console between the user's terminal (or script) and the pty consback made.
 */
#ifndef XM_CONSOLE_H
#define XM_CONSOLE_H

#include <stdint.h>

#include "xm.h"

/*
 * Attaches until Ctrl-] is typed, the domain is gone, or, when @idle_ns is not negative, standard
 * input has ended and the guest has been silent that long. Follows the domain over reboots.
 * Returns the exit status: 0, or 1 after saying why there is no console.
 */
int console_attach(struct xm *xm, const char *name, int64_t idle_ns);

#endif
