/* SPDX-License-Identifier: MIT */
/* screen.h - what can be said of a guest's screen: where its viewers come in. Pure. */
#ifndef STOREVISOR_SCREEN_H
#define STOREVISOR_SCREEN_H

#include <stdbool.h>

#define SCREEN_ADDRESS_MAX 45  /* characters of an IPv6 address */
#define SCREEN_PASSWORD_MAX 8  /* VNC's own limit: it looks at no more of one */
#define SCREEN_DISPLAYS 100u   /* numbers from 0 */
#define SCREEN_PORT 5900u      /* of display 0 */
#define SCREEN_ADDRESS "127.0.0.1" /* where nothing else is said */

/* One IPv4 or IPv6 address in digits. */
bool screen_address_ok(const char *address);

/* Whether nobody but this host's own programs can reach @address. False for what is none. */
bool screen_is_local(const char *address);

#endif
